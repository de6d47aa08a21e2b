// Package paper holds the figures that the ACD-CLIP paper prints, to stand beside
// one's own.
package paper

// Source says where the figures of Figures are from and how their models were trained.
const Source = "Table 1 of the ACD-CLIP paper; trained on VisA, for VisA on MVTec-AD"

// AblationSource says where the figures of ablations are from.
const AblationSource = "Table 2 of the ACD-CLIP paper: MVTec-AD, N = 2"

// Level is what a figure is taken over.
type Level string

// The levels, in the order in which they are shown.
const (
	Image Level = "image"
	Pixel Level = "pixel"
)

// Figure is what the paper prints of one method on one benchmark, as fractions.
type Figure struct {
	Method string // a method's name, "ACD-CLIP N=2" and so on
	AUROC  float64
	AP     float64
}

// Auxiliary gives the key of the benchmark that the paper's models for a
// benchmark were trained on.
func Auxiliary(benchmark string) string {
	if benchmark == visa {
		return mvtec
	}
	return visa
}

// ImageSizes are the sides, in pixels, that pictures are scaled to in the paper and
// in its authors' released code.
func ImageSizes() []int { return []int{336, 518} }

// Methods lists the names of the methods in the paper's order.
func Methods() []string {
	names := make([]string, len(methods))
	for i, m := range methods {
		names[i] = m.name
	}
	return names
}

// Figures gives Table 1's figures of a benchmark (a key of the program's table
// of benchmarks) in the order of Methods; none where the paper has none.
func Figures(benchmark string, level Level) []Figure {
	row, known := table1[level][benchmark]
	if !known {
		return nil
	}
	figures := make([]Figure, len(row))
	for i, cell := range row {
		figures[i] = Figure{Method: methods[i].name, AUROC: fraction(cell[0]), AP: fraction(cell[1])}
	}
	return figures
}

// Model is a model as the paper's tables tell them apart.
type Model struct {
	method          string // the program's name of it
	groups          int    // N, of ACD-CLIP
	adapter, fusion string // likewise, as the configuration names them
}

// ModelOf gives the model of a method by what its results say of the variant: of ACD-CLIP
// the fields groups, adapter and fusion.
func ModelOf(method string, variant map[string]any) Model {
	m := Model{method: method}
	m.groups, _ = variant["groups"].(int)
	m.adapter, _ = variant["adapter"].(string)
	m.fusion, _ = variant["fusion"].(string)
	return m
}

// IsAblation says that a part of ACD-CLIP is replaced, as in Table 2.
func (m Model) IsAblation() bool {
	return m.method == ours && (m.adapter != wholeAdapter || m.fusion != wholeFusion)
}

// Figure gives the paper's figure of the model on a benchmark: Table 1's, or for an
// ablation Table 2's, which has no AP.
func (m Model) Figure(benchmark string, level Level) (figure Figure, known bool) {
	if m.IsAblation() {
		return m.ablation(benchmark, level)
	}
	for i, figure := range Figures(benchmark, level) {
		if methods[i].method == m.method && methods[i].groups == m.groups {
			return figure, true
		}
	}
	return Figure{}, false
}

func (m Model) ablation(benchmark string, level Level) (figure Figure, known bool) {
	if benchmark != mvtec || m.groups != ablationGroups {
		return Figure{}, false
	}
	for _, row := range table2 {
		if row.adapter == m.adapter && row.fusion == m.fusion {
			auroc := row.pixel
			if level == Image {
				auroc = row.image
			}
			return Figure{AUROC: fraction(auroc)}, true
		}
	}
	return Figure{}, false
}
