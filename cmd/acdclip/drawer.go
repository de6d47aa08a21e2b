package main

import (
	"fmt"
	"image"
	"io"
	"path"
	"slices"

	"acdclip/pkg/anomalymap"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/page"
)

// fileWriter writes a file at a path below an output folder.
type fileWriter func(name string, write func(io.Writer) error) error

// drawer draws pictures with their anomaly maps into files.
type drawer struct {
	write     fileWriter
	style     heatmap.Style
	threshold *float32 // of pixels; nil for none
}

// drawable is a picture to draw.
type drawable struct {
	picture *picture.Stored
	anomaly *anomalymap.Map
	truth   *picture.Grey // what is known to be anomalous, not 0, at any size; nil where nothing is
}

// within returns the picture with sides of at most limit pixels; 0 for its own size. What
// else is drawn of it makes no difference.
func (d *drawable) within(limit int) (*picture.Image, error) {
	width, height := heatmap.Within(d.picture.Width, d.picture.Height, limit)
	if width == d.picture.Width && height == d.picture.Height {
		return d.picture.Rows(0, height)
	}
	return d.picture.ResizeBicubic(width, height)
}

// regions is the mask of where a map reaches the threshold; nil without a threshold.
func (d *drawer) regions(m *anomalymap.Map, width, height int) (*image.Gray, error) {
	if d.threshold == nil {
		return nil, nil
	}
	return heatmap.Mask(m, *d.threshold, width, height)
}

// truthMask returns what is known to be anomalous at a size; nil where nothing is.
func (d *drawable) truthMask(width, height int) *image.Gray {
	if d.truth == nil {
		return nil
	}
	return whiteMask(d.truth.ResizeNearest(width, height).Pix, width, height)
}

// whiteMask draws a mask [height, width] white where it is not 0.
func whiteMask(mask []uint8, width, height int) *image.Gray {
	drawn := image.NewGray(image.Rect(0, 0, width, height))
	for i, value := range mask {
		if value != 0 {
			drawn.Pix[i] = 255
		}
	}
	return drawn
}

// heatmap draws the map over the picture, with the outlines of the regions and the first
// caption for which there is room.
func (d *drawer) heatmap(name string, p drawable, limit int, format heatmap.Format, captions ...string) error {
	base, err := p.within(limit)
	if err != nil {
		return err
	}
	overlay, err := heatmap.Marked(p.anomaly, d.style, d.threshold, base.Pix, base.Width, base.Height)
	if err != nil {
		return err
	}
	for _, text := range captions {
		if heatmap.Caption(overlay, text) {
			break
		}
	}
	return d.write(name, func(w io.Writer) error { return format.Encode(w, overlay) })
}

// figureSide is the longer side of each panel of a figure in pixels.
const figureSide = 384

// figure draws the picture, the mask if there is one, and the map side by side.
func (d *drawer) figure(name string, p drawable, caption []string) error {
	width, height := heatmap.Fit(p.picture.Width, p.picture.Height, figureSide)
	base, err := p.picture.ResizeBicubic(width, height)
	if err != nil {
		return err
	}
	anomaly, err := heatmap.Heat(p.anomaly, d.style, width, height)
	if err != nil {
		return err
	}
	regions, err := d.regions(p.anomaly, width, height)
	if err != nil {
		return err
	}
	colors := fmt.Sprintf("colors from %.4g to %.4g", d.style.Scale.Low, d.style.Scale.High)
	if regions != nil {
		heatmap.Outline(anomaly, regions, d.style.Map.RegionColor())
		colors += fmt.Sprintf(", outline at %.4g", *d.threshold)
	}
	panels := []heatmap.Panel{{Title: "picture", Picture: heatmap.FromRGB(base.Pix, width, height)}}
	if truth := p.truthMask(width, height); truth != nil {
		panels = append(panels, heatmap.Panel{Title: "mask", Picture: truth})
	}
	panels = append(panels, heatmap.Panel{Title: "anomaly map", Picture: anomaly})
	drawn, err := heatmap.Figure(panels, append(caption, colors))
	if err != nil {
		return err
	}
	return d.write(name, func(w io.Writer) error { return heatmap.EncodePNG(w, drawn) })
}

// thumbnail draws the picture small.
func (d *drawer) thumbnail(file string, p drawable) error {
	_, err := d.picture(page.ThumbnailTree, file, p, page.ThumbnailSide)
	return err
}

// picture draws the picture with sides of at most limit pixels, and returns it.
func (d *drawer) picture(tree, file string, p drawable, limit int) (*picture.Image, error) {
	scaled, err := p.within(limit)
	if err != nil {
		return nil, err
	}
	return scaled, d.write(path.Join(tree, file+".jpg"), func(w io.Writer) error {
		return heatmap.JPEG.Encode(w, heatmap.FromRGB(scaled.Pix, scaled.Width, scaled.Height))
	})
}

// forPage draws what a page shows of a picture.
func (d *drawer) forPage(file string, p drawable) error {
	base, err := d.picture(page.PictureTree, file, p, page.PictureSide)
	if err != nil {
		return err
	}
	if err := d.thumbnail(file, p); err != nil {
		return err
	}
	layer, err := heatmap.Layer(p.anomaly, d.style, page.MapSide)
	if err != nil {
		return err
	}
	if err := d.png(page.MapTree, file, layer); err != nil {
		return err
	}
	if d.threshold != nil && slices.Max(p.anomaly.Scores) >= *d.threshold {
		regions, err := d.regions(p.anomaly, base.Width, base.Height)
		if err != nil {
			return err
		}
		if err := d.png(page.OutlineTree, file, heatmap.OutlineLayer(regions, d.style.Map.RegionColor())); err != nil {
			return err
		}
	}
	if truth := p.truthMask(base.Width, base.Height); truth != nil {
		return d.png(page.MaskTree, file, heatmap.OutlineLayer(truth, heatmap.TruthColor()))
	}
	return nil
}

func (d *drawer) png(tree, file string, drawn image.Image) error {
	return d.write(path.Join(tree, file+".png"), func(w io.Writer) error { return heatmap.EncodePNG(w, drawn) })
}
