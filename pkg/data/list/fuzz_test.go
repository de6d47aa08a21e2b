package list

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// For any bytes, Read returns one of the package's errors, or a list that stays equal
// when written and read again.
func FuzzRead(f *testing.F) {
	for _, list := range append(append(jsonLinesLists(), metaLists()...), visaLists()...) {
		f.Add([]byte(list.text))
	}
	for _, text := range []string{
		"\r\"object\",split,label,image,mask",            // a header without its first byte
		`{"test":{"":[{"cls_name":"0","Img_path":"0"`,    // cut inside a row
		`{"test":{"0":[{"anomaly":0,"img_path":"\udc80"`, // half of a surrogate pair
		`{"test":{"0":[{"anomaly":0,"img_path":"\udbff\udfff"}]}}`,
		`{"train":{"\udce4":[{"img_path":"\udce4"}]},"test":{"c":[{"anomaly":1,"img_path":"a","mask_path":"\\udce4"}]}}`,
		"{\"image_path\":\"\u2028\",\"label\":\"1\",\"class_name\":\"\xc2\"}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := readText(string(text))
		if err != nil {
			if !errors.Is(err, ErrNotList) && !errors.Is(err, ErrNoRows) && !errors.Is(err, ErrBadRow) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		// A list may contain the replacement character U+FFFD itself.
		hasMark := bytes.Contains(bytes.ToLower(text), []byte("ufffd")) || bytes.Contains(text, []byte("\ufffd"))
		line := 1
		for _, row := range list.Rows {
			if row.Line < line {
				t.Errorf("line %d comes after line %d", row.Line, line)
			}
			line = row.Line
			if !row.Anomalous && (row.Mask != "" || row.Defect != "") {
				t.Errorf("a normal row has a mask or a defect: %+v", row)
			}
			if !hasMark && strings.ContainsRune(row.Image+row.Mask+row.Class+row.Defect, utf8.RuneError) {
				t.Errorf("a letter was lost: %+v", row)
			}
		}
		mustReturn(t, list.Rows)
	})
}

// FuzzRow is FuzzRead with inputs that are more often rows.
func FuzzRow(f *testing.F) {
	f.Add("a b/1.png", "1.0", "c", "m.png")
	f.Add(`a\\b.png`, `"0"`, `c\\d`, "")
	f.Add(`\u00e4\ud83d`, `true`, "\u2028", `\u002f`)
	f.Fuzz(func(t *testing.T, image, label, class, mask string) {
		for _, text := range []string{
			`{"image_path": "` + image + `", "label": ` + label + `, "class_name": "` + class + `", "mask_path": "` + mask + `"}`,
			`{"test": {"` + class + `": [{"img_path": "` + image + `", "anomaly": ` + label + `, "mask_path": "` + mask + `"}]}}`,
			visaHeader + class + ",test," + label + "," + image + "," + mask,
		} {
			if list, err := readText(text); err == nil {
				mustReturn(t, list.Rows)
			}
		}
	})
}
