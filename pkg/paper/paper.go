// Package paper holds the results printed in the ACD-CLIP paper, for comparison.
package paper

// Source is the source of Figures and says how the models were trained.
const Source = "Table 1 of the ACD-CLIP paper; trained on VisA, for VisA on MVTec-AD"

// AblationSource is the source of the figures of ablations.
const AblationSource = "Table 2 of the ACD-CLIP paper: MVTec-AD, N = 2"

// Level is the level that a figure is computed at: images or pixels.
type Level string

// The levels, in display order.
const (
	Image Level = "image"
	Pixel Level = "pixel"
)

// Figure is the paper's result for one method on one benchmark, as fractions.
type Figure struct {
	Method string // the column's name, such as "ACD-CLIP N=2"
	AUROC  float64
	AP     float64
}

// Auxiliary returns the key of the benchmark that the paper trained on to score the given
// benchmark.
func Auxiliary(benchmark string) string {
	if benchmark == visa {
		return mvtec
	}
	return visa
}

// ImageSizes lists the side lengths, in pixels, that the paper and its authors' released
// code scale pictures to for a method (the program's name); nil if that is not known.
func ImageSizes(method string) []int {
	if method == ours {
		return []int{336, 518}
	}
	return nil
}

// Methods lists the names of the methods in the paper's order.
func Methods() []string {
	names := make([]string, len(methods))
	for i, m := range methods {
		names[i] = m.name
	}
	return names
}

// Figures returns Table 1's figures for a benchmark (a key of the program's table of
// benchmarks) in the order of Methods; nil if the paper has none.
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

// Model identifies a model in the paper's tables.
type Model struct {
	method          string // the program's name of the method
	groups          int    // N, ACD-CLIP only
	adapter, fusion string // ACD-CLIP only, as in the configuration
}

// ModelOf identifies a model by its method and the variant fields of its results. For
// ACD-CLIP these are groups, adapter and fusion.
func ModelOf(method string, variant map[string]any) Model {
	m := Model{method: method}
	m.groups, _ = variant["groups"].(int)
	m.adapter, _ = variant["adapter"].(string)
	m.fusion, _ = variant["fusion"].(string)
	return m
}

// Column returns the model's column in Table 1, from 0; for other models the number of columns.
func (m Model) Column() int {
	for i, column := range methods {
		if column.method == m.method && column.groups == m.groups {
			return i
		}
	}
	return len(methods)
}

// IsAblation reports whether the model is ACD-CLIP with a part replaced, as in Table 2.
func (m Model) IsAblation() bool {
	return m.method == ours && (m.adapter != wholeAdapter || m.fusion != wholeFusion)
}

// Figure returns the paper's figure for the model on a benchmark: Table 1's, or for an
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
