// Command metrics measures the time and memory of pkg/metrics; bench/metrics.sh calls it.
//
//	metrics rank SCORES LABELS             AUROC and AP of float32 scores and uint8 labels
//	metrics maps MAPS MASKS SIDE           all metrics of square float32 maps and uint8 masks
//	metrics drawn PIXELS MEMORY [FOLDER]   all metrics of maps drawn on the fly, with a memory limit in bytes
//
// It prints one line of JSON: the computation time in seconds, the peak memory of the
// process in bytes, and the results.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"acdclip/pkg/metrics"
)

type report struct {
	Seconds float64
	Peak    int64 // peak resident memory in bytes
	Result  any
}

func main() {
	result, err := run(os.Args[1:])
	if err == nil {
		var usage unix.Rusage
		err = unix.Getrusage(unix.RUSAGE_SELF, &usage)
		result.Peak = usage.Maxrss << 10
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) (report, error) {
	if len(args) < 3 {
		return report{}, errors.New("usage: metrics rank SCORES LABELS | maps MAPS MASKS SIDE | drawn PIXELS MEMORY [FOLDER]")
	}
	switch args[0] {
	case "rank":
		return rank(args[1], args[2])
	case "maps":
		return maps(args[1], args[2], args[3])
	case "drawn":
		return drawn(args[1:])
	}
	return report{}, fmt.Errorf("unknown measurement: %s", args[0])
}

func rank(scoresPath, labelsPath string) (report, error) {
	scores, bytes, err := read(scoresPath, labelsPath)
	if err != nil {
		return report{}, err
	}
	labels := make([]bool, len(bytes))
	for i, label := range bytes {
		labels[i] = label != 0
	}
	start := time.Now()
	ranking, err := metrics.Rank(scores, labels)
	return report{Seconds: time.Since(start).Seconds(), Result: ranking}, err
}

func maps(mapsPath, masksPath, sideText string) (report, error) {
	side, err := strconv.Atoi(sideText)
	if err != nil {
		return report{}, err
	}
	scores, masks, err := read(mapsPath, masksPath)
	if err != nil {
		return report{}, err
	}
	start := time.Now()
	pixels, err := metrics.NewPixels(metrics.Options{})
	if err != nil {
		return report{}, err
	}
	defer pixels.Close()
	for from := 0; from < len(scores); from += side * side {
		if err := pixels.Add(scores[from:from+side*side], masks[from:from+side*side], side, side); err != nil {
			return report{}, err
		}
	}
	summary, err := pixels.Summary()
	return report{Seconds: time.Since(start).Seconds(), Result: summary}, err
}
