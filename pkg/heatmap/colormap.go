package heatmap

import (
	_ "embed"
	"encoding/hex"
	"fmt"
	"image/color"
	"strings"
)

// ColorMap names the colors of heat maps.
type ColorMap string

// Flame is ours, see Palette; the others are Matplotlib's.
const (
	Flame   ColorMap = "flame"
	Viridis ColorMap = "viridis"
	Inferno ColorMap = "inferno"
	Turbo   ColorMap = "turbo"
	Jet     ColorMap = "jet"
)

// ColorMaps lists the color maps.
func ColorMaps() []ColorMap { return []ColorMap{Flame, Viridis, Inferno, Turbo, Jet} }

// colorTable has a line for each of Matplotlib's color maps: its name and its colors as
// RRGGBB. scripts/colormaps.py writes it.
//
//go:embed colormaps.txt
var colorTable string

// Colors returns the 256 colors from the low end of the scale to its high end. A name that
// is not listed has Flame's.
func (m ColorMap) Colors() color.Palette {
	for line := range strings.Lines(colorTable) {
		digits, found := strings.CutPrefix(strings.TrimSpace(line), string(m)+" ")
		if !found {
			continue
		}
		values, err := hex.DecodeString(digits)
		if err != nil || len(values) != 3*colors {
			break // TestColorMaps checks the table
		}
		palette := make(color.Palette, colors)
		for i := range palette {
			palette[i] = color.RGBA{values[3*i], values[3*i+1], values[3*i+2], 255}
		}
		return palette
	}
	return Palette()
}

// CSS returns every eighth color as CSS writes it, such as #440154.
func (m ColorMap) CSS() []string {
	const each = 8
	var list []string
	palette := m.Colors()
	for i := each / 2; i < len(palette); i += each {
		red, green, blue, _ := palette[i].RGBA()
		list = append(list, fmt.Sprintf("#%02x%02x%02x", red>>8, green>>8, blue>>8))
	}
	return list
}

// Style says how the values of anomaly maps become colors.
type Style struct {
	Scale Scale
	Map   ColorMap
}
