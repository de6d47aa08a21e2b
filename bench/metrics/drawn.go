package main

import (
	"strconv"
	"time"

	"acdclip/pkg/metrics"
)

const side = 518 // side of a drawn map in pixels

func drawn(args []string) (report, error) {
	pixels, err := strconv.Atoi(args[0])
	if err != nil {
		return report{}, err
	}
	memory, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return report{}, err
	}
	options := metrics.Options{Memory: memory}
	if len(args) > 2 {
		options.Folder = args[2]
	}
	start := time.Now()
	collected, err := metrics.NewPixels(options)
	if err != nil {
		return report{}, err
	}
	defer collected.Close()
	scores, mask := make([]float32, side*side), make([]uint8, side*side)
	for picture := range (pixels + side*side - 1) / (side * side) {
		draw(scores, mask, uint64(picture))
		if err := collected.Add(scores, mask, side, side); err != nil {
			return report{}, err
		}
	}
	summary, err := collected.Summary()
	return report{Seconds: time.Since(start).Seconds(), Result: summary}, err
}

// draw fills a map with scores concentrated near 0, and near 1 in the mask's disc.
func draw(scores []float32, mask []uint8, state uint64) {
	state = state*0x9e3779b97f4a7c15 + 1
	next := func() uint64 {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		return state
	}
	next()
	x, y, radius := int(next()%side), int(next()%side), int(next()%100)
	for i := range scores {
		u := float32(next()>>40) / (1 << 24) // in [0, 1)
		score := u * u * u
		dx, dy := i%side-x, i/side-y
		mask[i] = 0
		if dx*dx+dy*dy < radius*radius {
			mask[i], score = 1, (1+score)/2
		}
		scores[i] = score
	}
}
