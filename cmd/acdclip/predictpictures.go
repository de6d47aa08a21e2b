package main

import (
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"acdclip/internal/rundir"
	"acdclip/internal/ui"
	"acdclip/pkg/conditions"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/page"
	"acdclip/pkg/scoring"

	"github.com/spf13/pflag"
)

// pictureOptions choose the files that predict writes for each picture.
type pictureOptions struct {
	heatmaps      bool
	maxSide       int // of heat maps in pixels; 0 for the picture's own size
	heatmapFormat heatmap.Format
	figures       bool
	masks         bool
	maps          mapFormat // "" where anomaly maps are not saved
	thumbnails    bool
	html          bool
	colorMap      heatmap.ColorMap
}

func (o *pictureOptions) registerPictures(flags *pflag.FlagSet) {
	flags.BoolVar(&o.html, "html", false, "write index.html, a page that shows all results and opens without a network")
	flags.BoolVar(&o.heatmaps, "heatmaps", false, "write heat maps")
	flags.IntVar(&o.maxSide, "max-side", 0, "`N` with --heatmaps: scale heat maps down to at most N pixels a side; 0: the picture's size")
	ui.Choice(flags, &o.heatmapFormat, "heatmap-format", heatmap.Formats(), "file format of heat maps; JPEG is smaller")
	ui.Choice(flags, &o.colorMap, "colormap", heatmap.ColorMaps(), "colors of heat maps, figures and the page")
	flags.BoolVar(&o.figures, "figures", false, "write figures: picture and anomaly map side by side, with a caption")
	flags.BoolVar(&o.masks, "masks", false, "write masks; needs a threshold for pixels")
	o.maps.register(flags, "also save each anomaly map, as the model computes it, in maps/")
	flags.BoolVar(&o.thumbnails, "thumbnails", false, fmt.Sprintf("write small pictures, which --format xlsx puts into the workbook if it has at most %d rows", mostThumbnails))
}

// checkPictures finds contradictions between the flags.
func (o *pictureOptions) checkPictures(flags *pflag.FlagSet) error {
	switch {
	case o.maxSide < 0:
		return usagef("--max-side is %d, but must be at least 1, or 0 for the picture's size", o.maxSide)
	case !o.heatmaps && (flags.Changed("max-side") || flags.Changed("heatmap-format")):
		return usagef("--max-side and --heatmap-format need --heatmaps")
	case !o.heatmaps && !o.figures && !o.html && flags.Changed("colormap"):
		return usagef("--colormap needs --heatmaps, --figures or --html")
	}
	return nil
}

// pictureConditions are what the files of all pictures have in common.
func (o *pictureOptions) pictureConditions() conditions.Record {
	return conditions.Record{
		conditions.Of(conditions.Extras, "--html", o.html),
		conditions.Of(conditions.Extras, "--heatmaps", o.heatmaps),
		conditions.Of(conditions.Extras, "--max-side", o.maxSide),
		conditions.Of(conditions.Extras, "--heatmap-format", o.heatmapFormat),
		conditions.Of(conditions.Extras, "--colormap", o.colorMap),
		conditions.Of(conditions.Extras, "--figures", o.figures),
		conditions.Of(conditions.Extras, "--masks", o.masks),
		conditions.Of(conditions.Extras, "--save-maps", o.maps),
		conditions.Of(conditions.Extras, "--thumbnails", o.thumbnails),
	}
}

// any reports whether any file is written for each picture.
func (o *pictureOptions) any() bool { return o.masks || o.maps != "" || o.decodes() }

// decodes reports whether the picture itself is drawn.
func (o *pictureOptions) decodes() bool { return o.heatmaps || o.figures || o.thumbnails || o.html }

// The paths of a picture's output files, relative to the output folder.

func (o *pictureOptions) heatmapFile(input data.Found) string {
	return filepath.Join(rundir.HeatmapTree, input.Rel+o.heatmapFormat.Extension())
}

func (o *pictureOptions) figureFile(input data.Found) string {
	return filepath.Join(rundir.FigureTree, input.Rel+".png")
}

func (o *pictureOptions) maskFile(input data.Found) string {
	return filepath.Join(rundir.MaskTree, input.Rel+".png")
}

func (o *pictureOptions) mapFile(input data.Found) string {
	return filepath.Join(rundir.MapTree, input.Rel+o.maps.extension())
}

func (o *pictureOptions) thumbnailFile(input data.Found) string {
	return path.Join(page.ThumbnailTree, filepath.ToSlash(input.Rel)) + ".jpg"
}

// pageFile is the path below the page's trees of a picture whose row has a thumbnail.
func pageFile(thumbnail string) string {
	return strings.TrimSuffix(strings.TrimPrefix(thumbnail, page.ThumbnailTree+"/"), ".jpg")
}

// outputsOf lists a picture's output files that its row names.
func (o *pictureOptions) outputsOf(input data.Found) []string {
	var list []string
	if o.heatmaps {
		list = append(list, o.heatmapFile(input))
	}
	if o.figures {
		list = append(list, o.figureFile(input))
	}
	if o.masks {
		list = append(list, o.maskFile(input))
	}
	if o.maps != "" {
		list = append(list, o.mapFile(input))
	}
	if o.thumbnails || o.html {
		list = append(list, o.thumbnailFile(input))
	}
	return list
}

// changedPicture is a picture that could be read for its score and no longer for its heat map.
type changedPicture struct{ error }

// pictures writes the files of one picture and notes them in its row, as it does what is
// this picture's own trouble. An error ends the work.
func (p *predictions) pictures(input data.Found, scored scoring.Scored, row *pendingRow) error {
	err := p.drawAll(input, scored, row)
	switch {
	case errors.Is(err, syscall.ENAMETOOLONG) || errors.As(err, new(changedPicture)):
		row.failed = err
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", input.Path, err)
	}
	return nil
}

func (p *predictions) drawAll(input data.Found, scored scoring.Scored, row *pendingRow) error {
	if err := p.drawPicture(input, scored, row); err != nil {
		return err
	}
	if err := p.mask(input, scored, row); err != nil {
		return err
	}
	return p.saveMap(input, scored, row)
}

// drawPicture draws what needs the picture itself.
func (p *predictions) drawPicture(input data.Found, scored scoring.Scored, row *pendingRow) error {
	o := p.options
	if !o.decodes() {
		return nil
	}
	// Decoded once more: pictures kept from the first time, for a whole batch and
	// those read ahead, would take many times the memory.
	decoded, err := picture.Open(input.Path, p.decode)
	if err != nil {
		return changedPicture{err}
	}
	drawn := drawable{picture: decoded, anomaly: scored.Map}
	if o.heatmaps {
		row.Heatmap = o.heatmapFile(input)
		if err := p.drawer.heatmap(row.Heatmap, drawn, o.maxSide, o.heatmapFormat, verdict(row), fmt.Sprintf("%.3f", row.Score)); err != nil {
			return err
		}
	}
	if o.figures {
		row.Figure = o.figureFile(input)
		if err := p.drawer.figure(row.Figure, drawn, []string{input.Rel, verdict(row)}); err != nil {
			return err
		}
	}
	file := pageFile(o.thumbnailFile(input))
	switch {
	case o.html:
		err = p.drawer.forPage(file, drawn)
	case o.thumbnails:
		err = p.drawer.thumbnail(file, drawn)
	default:
		return nil
	}
	row.Thumbnail = o.thumbnailFile(input)
	return err
}

// verdict says a row's score and whether it is anomalous.
func verdict(row *pendingRow) string {
	text := fmt.Sprintf("score %.3f", row.Score)
	if row.Anomalous != nil && *row.Anomalous {
		text += " anomalous"
	}
	return text
}

func (p *predictions) mask(input data.Found, scored scoring.Scored, row *pendingRow) error {
	if !p.options.masks {
		return nil
	}
	mask, err := p.drawer.regions(scored.Map, row.Width, row.Height)
	if err != nil {
		return err
	}
	row.Mask = p.options.maskFile(input)
	return p.held.WriteQuickly(row.Mask, func(w io.Writer) error { return heatmap.EncodePNG(w, mask) })
}

// saveMap writes the anomaly map as it is.
func (p *predictions) saveMap(input data.Found, scored scoring.Scored, row *pendingRow) error {
	format := p.options.maps
	if format == "" {
		return nil
	}
	row.Map = p.options.mapFile(input)
	return p.held.WriteQuickly(row.Map, func(w io.Writer) error { return format.write(w, scored.Map) })
}
