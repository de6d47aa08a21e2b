package heatmap

import (
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math"
)

// Format is the file format of a drawn picture.
type Format string

const (
	PNG  Format = "png"
	JPEG Format = "jpeg"
)

// Formats lists the formats.
func Formats() []Format { return []Format{PNG, JPEG} }

// Extension returns the extension of files in this format.
func (f Format) Extension() string {
	if f == JPEG {
		return ".jpg"
	}
	return ".png"
}

// jpegQuality keeps thin outlines and small text sharp.
const jpegQuality = 90

// Encode writes a picture in this format.
func (f Format) Encode(w io.Writer, picture image.Image) error {
	if f == PNG {
		return EncodePNG(w, picture)
	}
	if err := jpeg.Encode(w, picture, &jpeg.Options{Quality: jpegQuality}); err != nil {
		return fmt.Errorf("writing a JPEG: %w", err)
	}
	return nil
}

// Within returns the largest size with the proportions of width x height whose sides are at
// most limit pixels, and at least 1; the size itself if it is smaller, or limit is 0.
func Within(width, height, limit int) (int, int) {
	if limit <= 0 || max(width, height) <= limit {
		return width, height
	}
	return Fit(width, height, limit)
}

// Fit returns the size with the proportions of width x height whose longer side is as given.
// The other is at least 1.
func Fit(width, height, longer int) (int, int) {
	scaled := func(side int) int {
		return max(1, int(math.Round(float64(side)*float64(longer)/float64(max(width, height)))))
	}
	return scaled(width), scaled(height)
}
