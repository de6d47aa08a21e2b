package list

import (
	"errors"
	"strings"
	"testing"
)

func metaLists() []accepted {
	return []accepted{
		{
			name: "as AnomalyCLIP builds it",
			text: `{
    "train": {
        "bottle": [
            {
                "img_path": "bottle/train/good/000.png",
                "mask_path": "",
                "cls_name": "bottle",
                "specie_name": "",
                "anomaly": 0
            }
        ]
    },
    "test": {
        "bottle": [
            {
                "img_path": "bottle/test/good/000.png",
                "mask_path": "",
                "cls_name": "bottle",
                "specie_name": "good",
                "anomaly": 0
            },
            {
                "img_path": "bottle/test/broken_large/000.png",
                "mask_path": "bottle/ground_truth/broken_large/000_mask.png",
                "cls_name": "bottle",
                "specie_name": "broken_large",
                "anomaly": 1
            }
        ],
        "empty": [],
        "pcb1": [{"img_path": "pcb1/Data/Images/Anomaly/000.JPG", "mask_path": "pcb1/Data/Masks/Anomaly/000.png", "cls_name": "pcb1", "specie_name": "", "anomaly": 1}]
    }
}
`,
			rows: []Row{
				{Image: "bottle/test/good/000.png", Class: "bottle", Line: 15},
				{Image: "bottle/test/broken_large/000.png", Mask: "bottle/ground_truth/broken_large/000_mask.png", Class: "bottle", Defect: "broken_large", Anomalous: true, Line: 22},
				{Image: "pcb1/Data/Images/Anomaly/000.JPG", Mask: "pcb1/Data/Masks/Anomaly/000.png", Class: "pcb1", Anomalous: true, Line: 31},
			},
		},
		{
			name: "AnomalyCLIP's polyps, with their author's root",
			text: `{"train": {}, "test": {"colon": [{"img_path": "/home/author/data/Kvasir/images/cju0.png", "mask_path": "/home/author/data/Kvasir/masks/cju0.png", "cls_name": "colon", "specie_name": "", "anomaly": 1}]}}`,
			rows: []Row{{Image: "/home/author/data/Kvasir/images/cju0.png", Mask: "/home/author/data/Kvasir/masks/cju0.png", Class: "colon", Anomalous: true, Line: 1}},
		},
		{
			name: "Bayes-PFL's, with a dummy row",
			text: `{"train": {"Metal15": [{"img_path": "", "mask_path": "", "cls_name": "Metal15", "specie_name": "", "dataset_name": "RSDD", "anomaly": 0}]},
"test": {"Metal15": [
{"img_path": "RSDD/Metal15/test/anomaly/RSDD_I-metal-defect-000001_0000000000.bmp", "mask_path": "RSDD/Metal15/ground_truth/anomaly/RSDD_I-metal-defect-000001_0000000000.png", "cls_name": "Metal15", "specie_name": "anomaly", "dataset_name": "RSDD", "anomaly": 1},
{"img_path": ""},
{"img_path": "RSDD/Metal15/test/good/1.bmp", "mask_path": "", "cls_name": "Metal15", "specie_name": "good", "dataset_name": "RSDD", "anomaly": 0}]}}`,
			rows: []Row{
				{Image: "RSDD/Metal15/test/anomaly/RSDD_I-metal-defect-000001_0000000000.bmp", Mask: "RSDD/Metal15/ground_truth/anomaly/RSDD_I-metal-defect-000001_0000000000.png", Class: "Metal15", Defect: "anomaly", Anomalous: true, Line: 3},
				{Image: "RSDD/Metal15/test/good/1.bmp", Class: "Metal15", Line: 5},
			},
			oddities: []Oddity{{"rows without a picture, which are skipped", 1, 4}},
		},
		{
			name: "image-level only, the class by its key, other labels, other parts",
			text: "\ufeff{\r\n\"about\": [{\"test\": [1, {}]}], \"test\":\r\n{\"brain\": [{\"img_path\": \"y\\\\1.png\", \"mask_path\": \"\", \"anomaly\": 1.0, \"specie_name\": null}\r\n,\r\n\r\n{\"img_path\": \"n/1.png\",\r\n\"mask_path\": \"n/1m.png\", \"cls_name\": \"\", \"anomaly\": false}]}, \"train\": null}",
			rows: []Row{
				{Image: "y/1.png", Class: "brain", Anomalous: true, Line: 3},
				{Image: "n/1.png", Class: "brain", Line: 6},
			},
			oddities: []Oddity{{"a byte order mark", 1, 1}, {"labels that are not integers", 1, 3}, {"backslashes in a path", 1, 3}, {"labels that are true or false", 1, 6}},
		},
		{
			name: "train is passed over, whatever it holds",
			text: "{\"train\": {\"\xe4\": [{\"img_path\": \"\xe4.png\", \"anomaly\": 7}, {\"img_path\": \"\\udce4.png\"}, 8, {}]},\n\"test\": {\"c\": [{\"img_path\": \"1\", \"anomaly\": 0}]}}",
			rows: []Row{{Image: "1", Class: "c", Line: 2}},
		},
		{
			name: "two parts test",
			text: `{"test": {"a": [{"img_path": "1", "anomaly": 0}], "a": [{"img_path": "2", "anomaly": 0}]}, "test": {"b": [{"img_path": "3", "anomaly": 0}]}}`,
			rows: []Row{{Image: "1", Class: "a", Line: 1}, {Image: "2", Class: "a", Line: 1}, {Image: "3", Class: "b", Line: 1}},
		},
	}
}

func TestReadMeta(t *testing.T) {
	for _, list := range metaLists() {
		list.check(t, Meta)
	}
}

func TestReadBadMeta(t *testing.T) {
	const good = `{"img_path": "a.png", "anomaly": 0}`
	rows := func(rows string) string { return "{\n\"test\": {\n\"c\": [\n" + rows }
	for _, list := range []refused{
		{"bad rows", rows(good + ",\n{\"anomaly\": 0},\n{\"img_path\": null, \"anomaly\": 0},\n{\"img_path\": \"a\",\n\"anomaly\": 3},\n{\"img_path\": \"a\"},\n7]}}"),
			"line 5: img_path is missing or empty; expected the picture's path; line 6: img_path is missing or empty; expected the picture's path; " +
				"line 7: anomaly is 3; expected 0 (normal) or 1 (anomalous); line 9: anomaly is missing; expected 0 (normal) or 1 (anomalous); " +
				"line 10: the row has the type number; expected an object"},
		{"no class", `{"test": {"": [` + good + `]}}`, "line 1: cls_name is missing or empty; expected the class's name"},
		{"a class of another type", rows(`{"img_path": "a.png", "anomaly": 0, "cls_name": 1}]}}`), "line 4: cls_name has the type number; expected a string"},
		{"a defect with a newline", rows(`{"img_path": "a.png", "anomaly": 1, "specie_name": "a\nb"}]}}`), `line 4: specie_name "a\nb" contains a control character`},
		{"cut in a row", rows(good + ",\n{\"img_path\": \n\n"), "line 7: unexpected end of file"},
		{"cut behind a row", rows(good + "\n"), "line 5: unexpected end of file"},
		{"cut at the end", rows(good + "]}\n"), "line 5: unexpected end of file"},
		{"cut in train", "{\"train\": {\n\"c\": [" + good, "line 2: unexpected end of file"},
		{"a comma too many", rows(good + ",\n\n]}}"), "line 6: invalid character ']' looking for beginning of value"},
		{"a comma too few", rows(good + "\n" + good + "]}}"), "line 5: expected comma after array element"},
		{"not JSON in a row", rows(good + ",\n{img_path: 1}]}}"), "line 5: invalid character 'i' looking for beginning of object key string"},
		{"not JSON between rows", rows(good + ",\nNaN]}}"), "line 5: invalid character 'N' looking for beginning of value"},
		{"something behind", rows(good + "]}}\n{}"), `line 5: unexpected { after the object`},
		{"test is an array", `{"train": {}, "test": [` + good + `]}`, `line 1: expected an object with the classes of test, got [`},
		{"test is null", `{"train": {}, "test": null}`, `line 1: expected an object with the classes of test, got null`},
		{"a class is an object", `{"test": {"c": ` + good + `}}`, `line 1: expected an array with the rows of "c", got {`},
		{"Latin-1 in a row", rows("{\"img_path\": \"\xe4.png\", \"anomaly\": 0}]}}"), "line 4: " + notUTF8},
		{"Latin-1 in a class", "{\"test\": {\n\"\xe4\": [" + good + "]}}", "line 2: " + notUTF8},
		{"half of a pair in a row", rows(`{"img_path": "\udce4.png", "anomaly": 0}]}}`), "line 4: " + notUTF8},
		{"half of a pair in a class", `{"test": {"\udce4": [` + good + "]}}", "line 1: " + notUTF8},
		{"a long row", rows("{\"img_path\": \"" + strings.Repeat("a", 2<<20) + "\", \"anomaly\": 0}]}}"), "line 4: no row ends within 1048576 bytes"},
		{"a long blank", rows(good + strings.Repeat(" ", 4<<20) + "]}}"), "line 4: no row ends within 1048576 bytes"},
		{"a deep row", rows("{\"x\": " + strings.Repeat("[", 20_000)), "line 4: invalid character '[' exceeded max depth"},
		{"deep elsewhere", `{"test": {}, "x": ` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}", "line 1: nested too deeply"},
	} {
		list.check(t)
	}
}

func TestReadMetaWithoutRows(t *testing.T) {
	for _, text := range []string{
		`{"train": {"c": [{"img_path": "a.png", "anomaly": 0}]}}`,
		`{"test": {}}`,
		`{"test": {"c": []}}`,
		`{"test": {"c": [{"img_path": ""}]}}`,
	} {
		if list, err := readText(text); !errors.Is(err, ErrNoRows) {
			t.Errorf("%s: %v, %v", text, list, err)
		}
	}
}
