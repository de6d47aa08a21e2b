package list

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// BenchmarkRead reads lists of a million rows, half of them anomalous.
func BenchmarkRead(b *testing.B) {
	const rows = 1_000_000
	var lines, meta, table bytes.Buffer
	meta.WriteString("{\n    \"train\": {},\n    \"test\": {\n        \"metal_nut\": [\n")
	table.WriteString("object,split,label,image,mask\r\n")
	for i := range rows {
		image := fmt.Sprintf("metal_nut/test/scratch_%d/%07d.png", i%7, i)
		mask := fmt.Sprintf("metal_nut/ground_truth/scratch_%d/%07d_mask.png", i%7, i)
		comma := ","
		if i == rows-1 {
			comma = ""
		}
		if i%2 == 0 {
			fmt.Fprintf(&lines, "{\"image_path\": %q, \"label\": 0, \"class_name\": \"metal_nut\"}\n", image)
			fmt.Fprintf(&meta, "            {\n                \"img_path\": %q,\n                \"mask_path\": \"\",\n                \"cls_name\": \"metal_nut\",\n                \"specie_name\": \"good\",\n                \"anomaly\": 0\n            }%s\n", image, comma)
			fmt.Fprintf(&table, "metal_nut,test,normal,%s,\r\n", image)
			continue
		}
		fmt.Fprintf(&lines, "{\"image_path\": %q, \"label\": 1, \"class_name\": \"metal_nut\", \"mask_path\": %q}\n", image, mask)
		fmt.Fprintf(&meta, "            {\n                \"img_path\": %q,\n                \"mask_path\": %q,\n                \"cls_name\": \"metal_nut\",\n                \"specie_name\": \"scratch\",\n                \"anomaly\": 1\n            }%s\n", image, mask, comma)
		fmt.Fprintf(&table, "metal_nut,test,anomaly,%s,%s\r\n", image, mask)
	}
	meta.WriteString("        ]\n    }\n}")
	for _, form := range []struct {
		format Format
		text   *bytes.Buffer
	}{{JSONLines, &lines}, {Meta, &meta}, {VisATable, &table}} {
		path := filepath.Join(b.TempDir(), "list")
		if err := os.WriteFile(path, form.text.Bytes(), 0o600); err != nil {
			b.Fatal(err)
		}
		form.text.Reset()
		*form.text = bytes.Buffer{}
		b.Run(string(form.format), func(b *testing.B) {
			b.ReportAllocs()
			var before, after runtime.MemStats
			var list *List
			for b.Loop() {
				list = nil
				runtime.GC()
				runtime.ReadMemStats(&before)
				var err error
				if list, err = Read(context.Background(), path); err != nil {
					b.Fatal(err)
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			if len(list.Rows) != rows || list.Format != form.format {
				b.Fatalf("%d rows of %s", len(list.Rows), list.Format)
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB-held")
			runtime.KeepAlive(list)
		})
	}
}
