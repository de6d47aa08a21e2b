package metrics

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"acdclip/internal/golden"
)

const goldenTolerance = 1e-9

// TestGoldenMetrics compares with scikit-learn's results, and AUPRO with the reference implementation's.
func TestGoldenMetrics(t *testing.T) {
	golden.Run(t, []string{"metrics.json"}, func(t *testing.T, folder golden.Folder) {
		var want struct {
			Rows []struct {
				Label            []int
				Score            []float32
				AUROC, AP, F1Max float64
				Note             string
			}
			AUPRO struct {
				Height, Width int
				Maps          [][]float32
				Masks         [][]int
				Regions       uint64
				AUPRO30       float64 `json:"aupro_30"`
				AUPRO05       float64 `json:"aupro_05"`
				PixelAUROC    float64 `json:"pixel_auroc"`
				PixelAP       float64 `json:"pixel_ap"`
			}
		}
		content, err := os.ReadFile(folder.File("metrics.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(content, &want); err != nil {
			t.Fatal(err)
		}
		if len(want.Rows) == 0 || len(want.AUPRO.Maps) == 0 {
			t.Fatal("metrics.json holds no rows or no maps")
		}
		for _, row := range want.Rows {
			t.Run(row.Note, func(t *testing.T) {
				labels := make([]bool, len(row.Label))
				for i, label := range row.Label {
					labels[i] = label != 0
				}
				got, err := Rank(row.Score, labels)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "AUROC", got.AUROC, row.AUROC)
				near(t, "AP", got.AP, row.AP)
				near(t, "F1-max", got.F1Max, row.F1Max)
			})
		}
		t.Run("pixels of maps", func(t *testing.T) {
			var pictures []picture
			for i, scores := range want.AUPRO.Maps {
				p := picture{scores, make([]uint8, len(scores)), want.AUPRO.Width, want.AUPRO.Height}
				for j, label := range want.AUPRO.Masks[i] {
					p.mask[j] = uint8(label)
				}
				pictures = append(pictures, p)
			}
			got := summary(t, Options{}, pictures)
			near(t, "AUPRO to 0.3", got.AUPRO, want.AUPRO.AUPRO30)
			near(t, "AUPRO to 0.05", summary(t, Options{FPRLimit: 0.05}, pictures).AUPRO, want.AUPRO.AUPRO05)
			near(t, "pixel AUROC", got.AUROC, want.AUPRO.PixelAUROC)
			near(t, "pixel AP", got.AP, want.AUPRO.PixelAP)
			if got.Regions != want.AUPRO.Regions {
				t.Errorf("%d regions, want %d", got.Regions, want.AUPRO.Regions)
			}
		})
	})
}

func near(t *testing.T, metric string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= goldenTolerance) {
		t.Errorf("%s %.17g, want %.17g", metric, got, want)
	}
}
