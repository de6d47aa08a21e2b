package list

import (
	"errors"
	"strings"
	"testing"
)

const visaHeader = "object,split,label,image,mask\r\n"

func visaLists() []accepted {
	return []accepted{
		{
			name: "as spot-diff publishes it",
			text: visaHeader +
				"candle,train,normal,candle/Data/Images/Normal/0000.JPG,\r\n" +
				"candle,test,normal,candle/Data/Images/Normal/0901.JPG,\r\n" +
				"candle,test,anomaly,candle/Data/Images/Anomaly/000.JPG,candle/Data/Masks/Anomaly/000.png\r\n",
			rows: []Row{
				{Image: "candle/Data/Images/Normal/0901.JPG", Class: "candle", Line: 3},
				{Image: "candle/Data/Images/Anomaly/000.JPG", Mask: "candle/Data/Masks/Anomaly/000.png", Class: "candle", Anomalous: true, Line: 4},
			},
		},
		{
			name: "another order, more columns, quotes, back-slashes, blank lines",
			text: "\ufeff\n\"image\",mask, label ,id,split,object\n\n" +
				"\"a,\"\"b\"\".png\",m.png,anomaly,1,test,\"c d\"\n" +
				"a\\b.png,m.png,normal,2,test,c",
			rows: []Row{
				{Image: `a,"b".png`, Mask: "m.png", Class: "c d", Anomalous: true, Line: 4},
				{Image: "a/b.png", Class: "c", Line: 5},
			},
			oddities: []Oddity{{"a byte order mark", 1, 1}, {"backslashes in a path", 1, 5}, {"no newline at the end of the file", 1, 5}},
		},
	}
}

func TestReadVisA(t *testing.T) {
	for _, list := range visaLists() {
		list.check(t, VisATable)
	}
}

func TestReadBadVisA(t *testing.T) {
	for _, list := range []refused{
		{"bad rows", "c,test,good,a.png,\r\nc,valid,normal,a.png,\r\n,test,normal,a.png,\r\nc,test,anomaly,,m.png\r\nc,test,normal,a.png\r\n",
			"line 2: label is \"good\"; expected normal or anomaly; line 3: split is \"valid\"; expected train or test; " +
				"line 4: object is missing or empty; expected the class's name; line 5: image is missing or empty; expected the picture's path; " +
				"line 6: 4 fields; expected 5 as in the header"},
		{"quotes", "c,test,normal,a\".png,\r\nc,test,normal,\"a.png,\r\n", "line 2: bare \" in non-quoted-field; line 3: extraneous or missing \" in quoted-field"},
		{"Latin-1", "c,test,normal,\xe4.png,\r\n", "line 2: image is not UTF-8"},
		{"a newline in a path", "c,test,normal,\"a\n.png\",\r\nc,test,normal,b.png,\n", `line 2: image "a\n.png" contains a control character`},
		{"NUL", "c,test,normal,a\x00.png,\r\n", `line 2: image "a\x00.png" contains a control character`},
		{"a long line", "c,test,normal," + strings.Repeat("a", 2<<20) + ",\r\n", "line 2: no row ends within 1048576 bytes"},
		{"a quote without end", "c,test,normal,\"" + strings.Repeat("a\n", 1<<20), "line 2: no row ends within 1048576 bytes"},
	} {
		list.text = visaHeader + list.text
		list.check(t)
	}
	const header = "line 1: expected the header object,split,label,image,mask"
	refused{"blanks before the header", " \n" + visaHeader, header}.check(t)
	refused{"a blank before the header", " \"object\"" + strings.TrimPrefix(visaHeader, "object"), header}.check(t)
}

func TestReadVisAWithoutRows(t *testing.T) {
	for _, text := range []string{visaHeader, strings.TrimSpace(visaHeader), visaHeader + "c,train,normal,a.png,\r\n"} {
		if list, err := readText(text); !errors.Is(err, ErrNoRows) {
			t.Errorf("%q: %v, %v", text, list, err)
		}
	}
}
