package chart

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// ErrFormat reports a file name with the extension of an unsupported format.
var ErrFormat = errors.New("unsupported format: give a .png or .svg file")

// colors are Okabe and Ito's, which color-blind people can distinguish.
var colors = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255}, color.RGBA{230, 159, 0, 255}, color.RGBA{86, 180, 233, 255},
}

var grey = color.RGBA{160, 160, 160, 255}

const (
	panelWidth  = 24 * vg.Centimeter
	panelHeight = 10 * vg.Centimeter
	legendWidth = 6 * vg.Centimeter // beside the plot, so that it hides no curve
	margin      = 4 * vg.Millimeter
	pngDPI      = 150
)

// CheckFormat returns ErrFormat if the file name has an unsupported extension.
func CheckFormat(name string) error {
	if _, err := newCanvas(name, panelWidth, panelHeight); err != nil {
		return err
	}
	return nil
}

// Draw writes the run's curves in the format of the file name's extension: the loss and,
// below it, the validation if there is one.
func (r *Run) Draw(w io.Writer, name, title string) error {
	loss, err := r.lossPlot(title)
	if err != nil {
		return err
	}
	panels := []*plot.Plot{loss}
	if r.Validation != nil {
		validation, err := r.validationPlot()
		if err != nil {
			return err
		}
		panels = append(panels, validation)
	}
	canvas, err := newCanvas(name, panelWidth, panelHeight*vg.Length(len(panels)))
	if err != nil {
		return err
	}
	rows, legends := make([][]*plot.Plot, len(panels)), make([]plot.Legend, len(panels))
	for i, panel := range panels {
		first, last := float64(r.Steps[0].Step-1), float64(r.Steps[len(r.Steps)-1].Step)
		panel.X.Min, panel.X.Max = first, last+0.02*(last-first) // space for the last marks
		rows[i] = []*plot.Plot{panel}
		legends[i], panel.Legend = panel.Legend, plot.NewLegend()
	}
	left := draw.Crop(draw.New(canvas), margin, -legendWidth, margin, -margin)
	tiles := draw.Tiles{Rows: len(panels), Cols: 1, PadY: margin}
	for i, row := range plot.Align(rows, tiles, left) {
		panels[i].Draw(row[0])
		legends[i].Draw(draw.Canvas{Canvas: canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: panelWidth - legendWidth + margin, Y: row[0].Min.Y},
			Max: vg.Point{X: panelWidth - margin, Y: row[0].Max.Y},
		}})
	}
	if _, err := canvas.WriteTo(w); err != nil {
		return fmt.Errorf("drawing curves: %w", err)
	}
	return nil
}

// canvas is a drawing that can be written to a file.
type canvas interface {
	vg.CanvasSizer
	io.WriterTo
}

func newCanvas(name string, width, height vg.Length) (canvas, error) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".png":
		return vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(pngDPI))}, nil
	case ".svg":
		drawing := vgsvg.New(width, height)
		drawing.SetColor(color.White) // the background would be transparent, with black text
		drawing.Fill(vg.Rectangle{Max: vg.Point{X: width, Y: height}}.Path())
		return drawing, nil
	}
	return nil, fmt.Errorf("%s: %w", name, ErrFormat)
}

// lossPlot returns the plot of the loss of each step and of the epoch means of the loss and its parts.
func (r *Run) lossPlot(title string) (*plot.Plot, error) {
	p := newPlot(title, "loss")
	steps, mark, err := plotter.NewLinePoints(points(r.Steps))
	if err != nil {
		return nil, fmt.Errorf("drawing the loss of each step: %w", err)
	}
	steps.Color, steps.Width = grey, vg.Points(0.5)
	p.Add(steps)
	if len(r.Steps) == 1 { // a line of one point is invisible
		mark.Color, mark.Shape, mark.Radius = grey, draw.CircleGlyph{}, vg.Points(2)
		p.Add(mark)
	}
	p.Legend.Add("loss per step", steps)
	for i, curve := range append([]Curve{r.Loss}, r.Parts...) {
		name := curve.Name
		if i == 0 {
			name = "epoch means: loss"
		}
		if err := addCurve(p, curve, colors[i%len(colors)], name); err != nil {
			return nil, err
		}
	}
	p.Y.Min = min(p.Y.Min, 0)
	p.Y.Max += 0.05 * (p.Y.Max - p.Y.Min) // no curve touches the edge
	return p, nil
}

// validationPlot returns the plot of the validation metrics after each epoch, with the best epoch marked.
func (r *Run) validationPlot() (*plot.Plot, error) {
	p := newPlot("", "AUROC on held-out pictures")
	for i, curve := range r.Validation {
		if err := addCurve(p, curve, colors[i%len(colors)], curve.Name); err != nil {
			return nil, err
		}
	}
	if p.Y.Min == p.Y.Max { // the line that marks the best epoch needs a length
		p.Y.Min, p.Y.Max = p.Y.Min-0.05, p.Y.Max+0.05
	}
	if r.Best > 0 {
		best, err := plotter.NewLine(plotter.XYs{{X: float64(r.Best), Y: p.Y.Min}, {X: float64(r.Best), Y: p.Y.Max}})
		if err != nil {
			return nil, fmt.Errorf("marking the best epoch: %w", err)
		}
		best.Color = grey
		best.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
		p.Add(best)
		p.Legend.Add("best epoch", best)
	}
	return p, nil
}

func newPlot(title, label string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text = "step"
	p.X.Tick.Marker = plot.TickerFunc(wholeTicks)
	p.Y.Label.Text = label
	p.Legend.Top, p.Legend.Left, p.Legend.Padding = true, true, vg.Points(3)
	p.Add(grid())
	return p
}

// wholeTicks returns about 5 to 10 ticks at integers between from and to, at round intervals.
func wholeTicks(from, to float64) []plot.Tick {
	apart := 1.
	for factor := 0; (to-from)/apart > 10; factor++ {
		apart *= []float64{2, 2.5, 2}[factor%3] // 2, 5, 10, 20, ...
	}
	var ticks []plot.Tick
	for value := math.Ceil(from/apart) * apart; value <= to; value += apart {
		ticks = append(ticks, plot.Tick{Value: value, Label: strconv.FormatFloat(value, 'f', -1, 64)})
	}
	return ticks
}

// grid returns a grid that is light enough behind grey curves.
func grid() *plotter.Grid {
	lines := plotter.NewGrid()
	lines.Horizontal.Color, lines.Vertical.Color = color.Gray{230}, color.Gray{230}
	return lines
}

// addCurve adds a line with a mark at each point, so that a single point is visible.
func addCurve(p *plot.Plot, c Curve, shade color.Color, name string) error {
	if len(c.Points) == 0 {
		return nil
	}
	line, marks, err := plotter.NewLinePoints(points(c.Points))
	if err != nil {
		return fmt.Errorf("drawing %s: %w", c.Name, err)
	}
	line.Color, line.Width = shade, vg.Points(1.5)
	marks.Color, marks.Shape, marks.Radius = shade, draw.CircleGlyph{}, vg.Points(2)
	p.Add(line, marks)
	p.Legend.Add(name, line, marks)
	return nil
}

func points(list []Point) plotter.XYs {
	xys := make(plotter.XYs, len(list))
	for i, p := range list {
		xys[i] = plotter.XY{X: float64(p.Step), Y: p.Value}
	}
	return xys
}
