package main

import (
	"io"

	"github.com/spf13/pflag"

	"acdclip/internal/ui"
	"acdclip/pkg/anomalymap"
)

// mapFormat is how anomaly maps are saved; "" for not at all.
type mapFormat string

const (
	mapNPY  mapFormat = "npy"  // float32, exact
	mapPNG  mapFormat = "png"  // 16-bit grey: 65535 times the score, rounded
	mapTIFF mapFormat = "tiff" // float32, exact
)

// register adds the flag --save-maps.
func (f *mapFormat) register(flags *pflag.FlagSet, usage string) {
	ui.Choice(flags, f, "save-maps", []mapFormat{mapNPY, mapPNG, mapTIFF}, usage)
	flags.Lookup("save-maps").NoOptDefVal = string(mapNPY)
}

func (f mapFormat) extension() string { return "." + string(f) }

// write writes a map in this format.
func (f mapFormat) write(w io.Writer, m *anomalymap.Map) error {
	switch f {
	case mapPNG:
		return anomalymap.WritePNG16(w, m)
	case mapTIFF:
		return anomalymap.WriteTIFF(w, m)
	}
	return anomalymap.WriteNPY(w, m)
}
