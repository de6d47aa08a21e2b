// Command train writes the inputs of bench/train.sh: a CLIP of ViT-L/14's size with random
// values, and the initial adapters of training.
//
//	train FOLDER SEED [tiny]    writes FOLDER/clip and FOLDER/start.safetensors; tiny: of a tiny CLIP
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/model/acdclip"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/weights"
)

// largeArch is the architecture of OpenAI's ViT-L/14 for 336 pixels.
var largeArch = pretrained.Arch{
	ImageSize: 336, Patch: 14, VisionWidth: 1024, VisionLayers: 24, VisionHeads: 16,
	EmbedDim:      768,
	ContextLength: 77, VocabSize: 49408, TextWidth: 768, TextLayers: 12, TextHeads: 12,
	Activation: pretrained.GELU,
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	arch := largeArch
	switch {
	case len(args) == 3 && args[2] == "tiny":
		arch = pretrained.TinyArch()
	case len(args) != 2:
		return errors.New("usage: train FOLDER SEED [tiny]")
	}
	seed, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(args[0], 0o755); err != nil {
		return err
	}
	if err := writeStart(filepath.Join(args[0], "start.safetensors"), arch, seed); err != nil {
		return err
	}
	return pretrained.WriteRandom(filepath.Join(args[0], "clip"), arch, seed)
}

// writeStart writes the initial adapters of acdclip train --preset released --seed SEED.
func writeStart(path string, arch pretrained.Arch, seed uint64) error {
	preset, _, _ := options.Preset(options.Released)
	dimensions := acdclip.Dimensions{Vision: arch.VisionWidth, Text: arch.TextWidth}
	var values []weights.Value
	for _, d := range acdclip.Parameters(preset, dimensions) {
		value := weights.Value{Name: d.Name, Shape: d.Shape, Float32: make([]float32, d.NumElements())}
		d.Initialize(seed, value.Float32)
		values = append(values, value)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return weights.WriteSafetensors(file, nil, values)
}
