package chart

import (
	"cmp"
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"acdclip/pkg/heatmap"
	"acdclip/pkg/report"
)

const (
	gatePanel    = 5 * vg.Centimeter
	gatePanelTop = 1 * vg.Centimeter // height of a panel's title
	gateTitle    = 1 * vg.Centimeter // height of the chart's title
)

// DrawGates writes a chart of the gateway's mean weights with a title, in the format of
// the name's extension. There must be at least one class. Each class has a panel per
// state: a grid of vision groups and text levels in the colors of heat maps, from 0 to 1.
func DrawGates(w io.Writer, name, title string, means []report.GateMeans) error {
	panels, err := gatePanels(means)
	if err != nil {
		return err
	}
	tiles := draw.Tiles{Rows: len(panels), Cols: len(panels[0]), PadX: margin, PadY: margin}
	width, height := gatePanel*vg.Length(tiles.Cols), (gatePanel+gatePanelTop)*vg.Length(tiles.Rows)+gateTitle
	canvas, err := newCanvas(name, width, height)
	if err != nil {
		return err
	}
	whole := draw.New(canvas)
	drawTitle(whole, title)
	for i, row := range plot.Align(panels, tiles, draw.Crop(whole, margin, -margin, margin, -margin-gateTitle)) {
		for j, cell := range row {
			if panels[i][j] != nil {
				panels[i][j].Draw(cell)
			}
		}
	}
	if _, err := canvas.WriteTo(w); err != nil {
		return fmt.Errorf("drawing the gateway's weights: %w", err)
	}
	return nil
}

// gatePanels arranges the classes' panels in rows of equal length, the last padded with
// nil, so that the chart is approximately square.
func gatePanels(means []report.GateMeans) ([][]*plot.Plot, error) {
	states := report.StateNames()
	ratio := float64(gatePanel+gatePanelTop) / (float64(gatePanel) * float64(len(states)))
	beside := max(int(math.Sqrt(ratio*float64(len(means)))+0.5), 1)
	var rows [][]*plot.Plot
	for i := range means {
		if i%beside == 0 {
			rows = append(rows, make([]*plot.Plot, beside*len(states)))
		}
		for state, stateName := range states {
			panel, err := gatePlot(&means[i], state, cmp.Or(means[i].Class, "all classes")+": "+stateName)
			if err != nil {
				return nil, err
			}
			rows[len(rows)-1][i%beside*len(states)+state] = panel
		}
	}
	return rows, nil
}

// drawTitle writes the title at the top, small enough to fit.
func drawTitle(c draw.Canvas, title string) {
	style := plot.New().Title.TextStyle
	for style.Width(title) > c.Max.X-2*margin && style.Font.Size > 5 {
		style.Font.Size--
	}
	c.FillText(style, vg.Point{X: c.Center().X, Y: c.Max.Y - margin}, title)
}

// gatePlot returns the grid of one state: text levels on the x axis, vision groups on the y axis.
func gatePlot(g *report.GateMeans, state int, title string) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text, p.Y.Label.Text = "text level", "vision group"
	p.X.Tick.Marker, p.Y.Tick.Marker = counted(g.Groups), counted(g.Groups)
	p.Add(squares{g, state})
	labels := plotter.XYLabels{}
	var shades []color.Color
	for i := range g.Groups {
		for j := range g.Groups {
			omega := g.At(i, j, state)
			labels.XYs = append(labels.XYs, plotter.XY{X: float64(j + 1), Y: float64(i + 1)})
			labels.Labels = append(labels.Labels, fmt.Sprintf("%.2f", omega))
			shades = append(shades, readableOn(omega))
		}
	}
	values, err := plotter.NewLabels(labels)
	if err != nil {
		return nil, fmt.Errorf("drawing %s: %w", title, err)
	}
	for k := range values.TextStyle {
		values.TextStyle[k].Color = shades[k]
		values.TextStyle[k].XAlign, values.TextStyle[k].YAlign = text.XCenter, text.YCenter
	}
	p.Add(values)
	p.X.Min, p.X.Max = 0.5, float64(g.Groups)+0.5
	p.Y.Min, p.Y.Max = p.X.Min, p.X.Max
	return p, nil
}

// readableOn returns a text color that is readable on the color of a weight.
func readableOn(omega float64) color.Color {
	if omega < 0.55 {
		return color.White
	}
	return color.Black
}

// counted returns ticks at the numbers from 1 to n.
func counted(n int) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for i := 1; i <= n; i++ {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: fmt.Sprint(i)})
	}
	return ticks
}

// squares draws each weight as a square of its color.
type squares struct {
	*report.GateMeans
	state int
}

// Plot implements plot.Plotter.
func (s squares) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	scale := heatmap.Palette()
	for i := range s.Groups {
		for j := range s.Groups {
			omega := min(max(s.At(i, j, s.state), 0), 1)
			left, right := x(float64(j)+0.5), x(float64(j)+1.5)
			bottom, top := y(float64(i)+0.5), y(float64(i)+1.5)
			c.FillPolygon(scale[int(omega*float64(len(scale)-1)+0.5)], []vg.Point{
				{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top},
			})
		}
	}
}
