package metrics

import (
	"encoding/json"
	"os"
	"testing"

	"acdclip/internal/golden"
)

const goldenTolerance = 1e-9

// TestGoldenMetrics compares with scikit-learn's numbers.
func TestGoldenMetrics(t *testing.T) {
	golden.Run(t, []string{"metrics.json"}, func(t *testing.T, folder golden.Folder) {
		var want struct {
			Rows []struct {
				Label     []int
				Score     []float32
				AUROC, AP float64
				Note      string
			}
			AUPRO struct {
				Maps       [][]float32
				Masks      [][]int
				PixelAUROC float64 `json:"pixel_auroc"`
				PixelAP    float64 `json:"pixel_ap"`
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
				compare(t, row.Score, labels, row.AUROC, row.AP, goldenTolerance)
			})
		}
		t.Run("pixels of maps", func(t *testing.T) {
			var pooled Pooled
			for i, scores := range want.AUPRO.Maps {
				mask := make([]uint8, len(want.AUPRO.Masks[i]))
				for j, label := range want.AUPRO.Masks[i] {
					mask[j] = uint8(label)
				}
				if err := pooled.Add(scores, mask); err != nil {
					t.Fatal(err)
				}
			}
			got, err := pooled.Summary()
			if err != nil {
				t.Fatal(err)
			}
			if d := got.AUROC - want.AUPRO.PixelAUROC; d > goldenTolerance || d < -goldenTolerance {
				t.Errorf("pixel AUROC %v, want %v", got.AUROC, want.AUPRO.PixelAUROC)
			}
			if d := got.AP - want.AUPRO.PixelAP; d > goldenTolerance || d < -goldenTolerance {
				t.Errorf("pixel AP %v, want %v", got.AP, want.AUPRO.PixelAP)
			}
		})
	})
}
