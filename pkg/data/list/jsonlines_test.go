package list

import (
	"fmt"
	"strings"
	"testing"
)

func jsonLinesLists() []accepted {
	return []accepted{
		{
			name: "as ACD-CLIP and AA-CLIP publish them",
			text: `{"image_path": "grid/test/glue/009.png", "label": 1, "mask_path": "grid/ground_truth/glue/009_mask.png", "class_name": "grid"}
{"image_path": "fryum/Data/Images/Normal/389.JPG", "label": 0, "class_name": "fryum"}
`,
			rows: []Row{
				{Image: "grid/test/glue/009.png", Mask: "grid/ground_truth/glue/009_mask.png", Class: "grid", Anomalous: true, Line: 1},
				{Image: "fryum/Data/Images/Normal/389.JPG", Class: "fryum", Line: 2},
			},
		},
		{
			name: "AA-CLIP's floats without a last newline",
			text: `{"image_path": "test/good/img/00003_60.png", "label": 0.0, "class_name": "Brain"}
{"image_path": "test/Ungood/img/01302_68.png", "label": 1.0, "class_name": "Brain", "mask_path": "test/Ungood/label/01302_68.png"}`,
			rows: []Row{
				{Image: "test/good/img/00003_60.png", Class: "Brain", Line: 1},
				{Image: "test/Ungood/img/01302_68.png", Mask: "test/Ungood/label/01302_68.png", Class: "Brain", Anomalous: true, Line: 2},
			},
			oddities: []Oddity{{"labels that are not integers", 2, 1}, {"no newline at the end of the file", 1, 2}},
		},
		{
			name: "every kind of label",
			text: `{"image_path": "a", "label": 0, "class_name": "c"}
{"image_path": "a", "label": true, "class_name": "c"}
{"image_path": "a", "label": false, "class_name": "c"}
{"image_path": "a", "label": "1", "class_name": "c"}
{"image_path": "a", "label": "0", "class_name": "c"}
{"image_path": "a", "label": 1.00, "class_name": "c"}
{"image_path": "a", "label": -0E1, "class_name": "c"}
`,
			rows: []Row{
				{Image: "a", Class: "c", Line: 1},
				{Image: "a", Class: "c", Anomalous: true, Line: 2},
				{Image: "a", Class: "c", Line: 3},
				{Image: "a", Class: "c", Anomalous: true, Line: 4},
				{Image: "a", Class: "c", Line: 5},
				{Image: "a", Class: "c", Anomalous: true, Line: 6},
				{Image: "a", Class: "c", Line: 7},
			},
			oddities: []Oddity{{"labels that are true or false", 2, 2}, {"labels that are strings", 2, 4}, {"labels that are not integers", 2, 6}},
		},
		{
			name: "Windows",
			text: "\ufeff\r\n" + `{"image_path": "c\\test\\bad\\1.png", "label": 1, "class_name": "a\\b", "mask_path": "c\\gt\\1.png"}` + "\r\n  \r\n" +
				`{"image_path": "c/test/good/1.png", "label": 0, "class_name": "a\\b"}` + "\n",
			rows: []Row{
				{Image: "c/test/bad/1.png", Mask: "c/gt/1.png", Class: `a\b`, Anomalous: true, Line: 2},
				{Image: "c/test/good/1.png", Class: `a\b`, Line: 4},
			},
			oddities: []Oddity{{"a byte order mark", 1, 1}, {"Windows line ends (CRLF)", 3, 1}, {"backslashes in a path", 2, 2}},
		},
		{
			name: "no masks, and masks of normal rows",
			text: `{"image_path": "1", "label": 1, "class_name": "c"}
{"image_path": "2", "label": 1, "class_name": "c", "mask_path": null}
{"image_path": "3", "label": 1, "class_name": "c", "mask_path": ""}
{"image_path": "4", "label": 0, "class_name": "c", "mask_path": ""}
{"image_path": "5", "label": 0, "class_name": "c", "mask_path": "good\\5.png"}
`,
			rows: []Row{
				{Image: "1", Class: "c", Anomalous: true, Line: 1},
				{Image: "2", Class: "c", Anomalous: true, Line: 2},
				{Image: "3", Class: "c", Anomalous: true, Line: 3},
				{Image: "4", Class: "c", Line: 4},
				{Image: "5", Class: "c", Line: 5},
			},
		},
		{
			name: "other keys, repeated keys, escapes",
			text: `{"split": {"test": [1]}, "image_path": "a b/\u00e4\"<&>.png", "label": 7, "label": 0, "class_name": "Gr\u00fc\u00dfe \ud83d\uDE00 \\ud83d \ufffd", "extra": null}` + "\n",
			rows: []Row{{Image: `a b/ä"<&>.png`, Class: "Grüße 😀 \\ud83d \ufffd", Line: 1}},
		},
	}
}

func TestReadJSONLines(t *testing.T) {
	for _, list := range jsonLinesLists() {
		list.check(t, JSONLines)
	}
}

func TestReadBadJSONLines(t *testing.T) {
	const label = "; expected 0 (normal) or 1 (anomalous)"
	for _, list := range []refused{
		{"no picture", `{"label": 0, "class_name": "c"}`, "line 2: image_path is missing or empty; expected the picture's path"},
		{"empty picture", `{"image_path": "", "label": 0, "class_name": "c"}`, "line 2: image_path is missing or empty; expected the picture's path"},
		{"null picture", `{"image_path": null, "label": 0, "class_name": "c"}`, "line 2: image_path is missing or empty; expected the picture's path"},
		{"no class", `{"image_path": "a", "label": 0}`, "line 2: class_name is missing or empty; expected the class's name"},
		{"class is a number", `{"image_path": "a", "label": 0, "class_name": 1}`, "line 2: class_name has the type number; expected a string"},
		{"no label", `{"image_path": "a", "class_name": "c"}`, "line 2: label is missing" + label},
		{"null", `{"image_path": "a", "label": null, "class_name": "c"}`, "line 2: label is null" + label},
		{"two", `{"image_path": "a", "label": 2, "class_name": "c"}`, "line 2: label is 2" + label},
		{"half", `{"image_path": "a", "label": 0.5, "class_name": "c"}`, "line 2: label is 0.5" + label},
		{"huge", `{"image_path": "a", "label": 1e400, "class_name": "c"}`, "line 2: label is 1e400" + label},
		{"a float as text", `{"image_path": "a", "label": "1.0", "class_name": "c"}`, `line 2: label is "1.0"` + label},
		{"minus", `{"image_path": "a", "label": -1, "class_name": "c"}`, "line 2: label is -1" + label},
		{"a word", `{"image_path": "a", "label": "good", "class_name": "c"}`, `line 2: label is "good"` + label},
		{"an object", `{"image_path": "a", "label": {"is": [1]}, "class_name": "c"}`, "line 2: label is an object" + label},
		{"a long label", `{"image_path": "a", "label": 1` + strings.Repeat("0", 1000) + `, "class_name": "c"}`, "line 2: label is 1" + strings.Repeat("0", 59) + "..." + label},
		{"not an object", `[1]`, "line 2: the row has the type array; expected an object"},
		{"null row", `null`, "line 2: label is missing" + label},
		{"cut short", `{"image_path": "a", "label": 0`, "line 2: unexpected end of JSON input"},
		{"two rows on a line", strings.TrimSpace(oneRow) + oneRow, "line 2: invalid character '{' after top-level value"},
		{"a comma behind", strings.TrimSpace(oneRow) + ",", "line 2: invalid character ',' after top-level value"},
		{"single quotes", `{'image_path': 'a'}`, `line 2: invalid character '\'' looking for beginning of object key string`},
		{"Latin-1", "{\"image_path\": \"\xe4.png\", \"label\": 0, \"class_name\": \"c\"}", "line 2: " + notUTF8},
		{"half of a pair, as Python writes Latin-1", `{"image_path": "\udce4.png", "label": 0, "class_name": "c"}`, "line 2: " + notUTF8},
		{"another half", `{"image_path": "a", "label": 1, "class_name": "c", "mask_path": "\\\uD83D\\\uDE00"}`, "line 2: " + notUTF8},
		{"two first halves", `{"image_path": "\ud83d\ud83d\ude00", "label": 0, "class_name": "c"}`, "line 2: " + notUTF8},
		{"a half that is cut", `{"image_path": "\ud83`, "line 2: invalid character ' ' in \\u hexadecimal character escape"},
		{"a bare back-slash", `{"image_path": "new\test.png", "label": 0, "class_name": "c"}`, `line 2: image_path "new\test.png" contains a control character`},
		{"NUL", `{"image_path": "a\u0000", "label": 0, "class_name": "c"}`, `line 2: image_path "a\x00" contains a control character`},
		{"a long path", `{"image_path": "` + strings.Repeat("a", 4097) + `", "label": 0, "class_name": "c"}`, "line 2: image_path is longer than 4096 bytes"},
		{"a long mask", `{"image_path": "a", "label": 1, "class_name": "c", "mask_path": "` + strings.Repeat("a", 4097) + `"}`, "line 2: mask_path is longer than 4096 bytes"},
		{"a newline in a class", `{"image_path": "a", "label": 0, "class_name": "c\n"}`, `line 2: class_name "c\n" contains a control character`},
		{"a long line", `{"image_path": "a", "extra": "` + strings.Repeat("a", 1<<20), "line 2: longer than 1048576 bytes"},
		{"deep", `{"image_path": "a", "extra": ` + strings.Repeat("[", 100_000), "line 2: invalid character '[' exceeded max depth"},
	} {
		list.text = oneRow + list.text + "\n" + oneRow
		list.check(t)
	}
}

func TestReadTellsTheFirstFaults(t *testing.T) {
	text, want := oneRow, ""
	for i := range 7 {
		text += fmt.Sprintf("\n{\"image_path\": \"a\", \"label\": %d, \"class_name\": \"c\"}\n%s", i+2, oneRow)
		if i < 5 {
			want += fmt.Sprintf("line %d: label is %d; expected 0 (normal) or 1 (anomalous); ", 3+3*i, i+2)
		}
	}
	refused{"seven", text, want + "and 2 more"}.check(t)
}
