package synth

import (
	"bytes"
	"encoding/csv"
)

// visaTables returns VisA's tables: the split of each picture, and for each class the
// content of its pictures. Lines end in CRLF.
func visaTables(jobs []job) []textFile {
	split := [][]string{{"object", "split", "label", "image", "mask"}}
	shown := map[string][][]string{} // class to rows
	var classes []string
	for _, j := range jobs {
		part, label, kind := "test", "normal", "normal"
		switch j.place.part {
		case trainNormal:
			part = "train"
		case testAnomalous:
			label, kind = "anomaly", j.defect
		}
		name := j.class.name
		if shown[name] == nil {
			classes = append(classes, name)
			shown[name] = [][]string{{"image", "label", "mask"}}
		}
		split = append(split, []string{name, part, label, j.picture, j.mask})
		shown[name] = append(shown[name], []string{j.picture, kind, j.mask})
	}
	tables := []textFile{csvTable("split_csv/1cls.csv", split)}
	for _, name := range classes {
		tables = append(tables, csvTable(name+"/image_anno.csv", shown[name]))
	}
	return tables
}

func csvTable(path string, rows [][]string) textFile {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	w.UseCRLF = true
	_ = w.WriteAll(rows) // writing to a buffer cannot fail
	return textFile{path, text.Bytes()}
}
