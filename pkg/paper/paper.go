// Package paper holds the figures that the ACD-CLIP paper prints, to stand beside
// one's own.
package paper

// Source says where the figures of Figures are from and how their models were trained.
const Source = "Table 1 of the ACD-CLIP paper; trained on VisA, for VisA on MVTec-AD"

// AblationSource says where the figures of Ablation are from.
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

// Groups gives the N of ACD-CLIP's own figure, and 0 for another method's.
func (f Figure) Groups() int {
	for _, m := range methods {
		if m.name == f.Method {
			return m.groups
		}
	}
	return 0
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

// Ablation gives Table 2's AUROC on a benchmark for a kind of adapter and of
// fusion (as the configuration names them) and N, as a fraction.
func Ablation(benchmark string, level Level, adapter, fusion string, groups int) (auroc float64, known bool) {
	if benchmark != mvtec || groups != ablationGroups {
		return 0, false
	}
	for _, row := range table2 {
		if row.adapter == adapter && row.fusion == fusion {
			if level == Image {
				return fraction(row.image), true
			}
			return fraction(row.pixel), true
		}
	}
	return 0, false
}
