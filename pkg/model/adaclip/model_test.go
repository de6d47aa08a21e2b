package adaclip

import (
	"math"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/clip"
	"acdclip/pkg/model"
	"acdclip/pkg/model/adaclip/options"
)

// TestPositions resizes the position embedding with the formula of torch's bicubic without
// antialiasing, to fewer patches than CLIP was trained with and to more.
func TestPositions(t *testing.T) {
	const trained = 3
	table := positions(t, 7*trained)
	for _, grid := range []int{1, 2, 5, 8} {
		got, width := positions(t, 7*grid), 64
		want := slices.Clone(table[:width])
		for y := range grid {
			for x := range grid {
				for c := range width {
					sum := 0.0
					for i, vertical := range cubic(y, trained, grid) {
						for j, horizontal := range cubic(x, trained, grid) {
							sum += vertical * horizontal * float64(table[(1+i*trained+j)*width+c])
						}
					}
					want = append(want, float32(sum))
				}
			}
		}
		golden.Near(t, "position embedding", got, want, 1e-6)
	}
}

// positions is the tiny CLIP's position embedding at an image size.
func positions(t *testing.T, size int) (table []float32) {
	r := tiny()
	r.options.ImageSize = size
	err := with(t, r, func(_ *torch.Scope, m *Model) error {
		table = m.clip.Vision.PositionEmbedding().Float32s()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// cubic returns the weight of each of from places in place i of to.
func cubic(i, from, to int) []float64 {
	const a = -0.75
	x := (float64(i)+0.5)*float64(from)/float64(to) - 0.5
	first := int(math.Floor(x)) - 1
	weights := make([]float64, from)
	for tap := first; tap < first+4; tap++ {
		d := math.Abs(x - float64(tap))
		w := a*d*d*d - 5*a*d*d + 8*a*d - 4*a
		if d <= 1 {
			w = (a+2)*d*d*d - (a+3)*d*d + 1
		}
		weights[min(max(tap, 0), from-1)] += w
	}
	return weights
}

// TestPositionsAreCLIPs checks that the option's values are the names of the ways that CLIP
// can be loaded in.
func TestPositionsAreCLIPs(t *testing.T) {
	var names []string
	for _, way := range clip.PositionResizes() {
		names = append(names, way.Name)
	}
	if own := (options.Position)("").Values(); !slices.Equal(slices.Sorted(slices.Values(own)), slices.Sorted(slices.Values(names))) {
		t.Errorf("the option has %v, CLIP has %v", own, names)
	}
}

// TestInitialValues checks the distributions of the initial values for ViT-L/14.
func TestInitialValues(t *testing.T) {
	own, _ := options.Preset()
	list := declare(&own, Dimensions{Vision: 1024, Text: 768, Embed: 768}).parameters
	count := int64(0)
	for _, p := range list {
		count += p.NumElements()
		values := make([]float32, p.NumElements())
		p.Initialize(1, values)
		sum, squares, largest := 0.0, 0.0, 0.0
		for _, v := range values {
			sum, squares, largest = sum+float64(v), squares+float64(v)*float64(v), max(largest, math.Abs(float64(v)))
		}
		deviation, mean := math.Sqrt(squares/float64(len(values))), sum/float64(len(values))
		bound := 1 / math.Sqrt(768)
		if strings.HasPrefix(p.Name, "visual.level.") {
			bound = 1 / math.Sqrt(1024)
		}
		want := bound / math.Sqrt(3)
		if strings.Contains(p.Name, ".static.") {
			want, bound = 0.02, 0.2
		}
		if math.Abs(deviation-want) > 0.06*want || math.Abs(mean) > 0.12*want || largest > bound {
			t.Errorf("%s: mean %.2g, deviation %.3g, want %.3g, largest %.3g", p.Name, mean, deviation, want, largest)
		}
		if side := p.Side; (side == model.TextSide) != strings.HasPrefix(p.Name, "text.") {
			t.Errorf("%s is on the side %s", p.Name, side)
		}
	}
	if count < 10.6e6 || count > 10.8e6 {
		t.Errorf("%d parameters, want 10.7 million", count)
	}
}

// TestNames keeps underscores in a class's name and reads hyphens as spaces.
func TestNames(t *testing.T) {
	err := with(t, tiny(), func(_ *torch.Scope, m *Model) error {
		same := func(a, b string) bool { return slices.Equal(m.tokenize(a)[0][0], m.tokenize(b)[0][0]) }
		if !same("head-ct scan", "head ct scan") || same("metal_nut", "metal nut") {
			t.Error("hyphens or underscores are read otherwise")
		}
		if rows := m.tokenize("nut"); len(rows[0]) != 28 || len(rows[1]) != 20 {
			t.Errorf("%d normal and %d abnormal prompts", len(rows[0]), len(rows[1]))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
