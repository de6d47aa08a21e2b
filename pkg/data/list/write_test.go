package list

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Lines of ACD-CLIP's VisA.jsonl are reproduced exactly.
func TestWriteJSONLinesAsReleased(t *testing.T) {
	const released = `{"image_path": "fryum/Data/Images/Anomaly/009.JPG", "label": 1, "class_name": "fryum", "mask_path": "fryum/Data/Masks/Anomaly/009.png"}
{"image_path": "candle/Data/Images/Anomaly/004.JPG", "label": 1, "class_name": "candle", "mask_path": "candle/Data/Masks/Anomaly/004.png"}
{"image_path": "fryum/Data/Images/Normal/389.JPG", "label": 0, "class_name": "fryum"}
`
	list, err := readText(released)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	if err := WriteJSONLines(&got, list.Rows); err != nil {
		t.Fatal(err)
	}
	if got.String() != released {
		t.Errorf("got\n%swant\n%s", got.String(), released)
	}
}

func TestWriteJSONLines(t *testing.T) {
	var got strings.Builder
	err := WriteJSONLines(&got, []Row{
		{Image: "grid/test/glue/009.png", Mask: "grid/ground_truth/glue/009_mask.png", Class: "grid", Defect: "glue", Anomalous: true, Line: 7},
		{Image: "grid/test/good/000.png", Mask: "of/no/use.png", Class: "grid"},
		{Image: `a b/<&>"ä.png`, Class: `c\d`, Anomalous: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"image_path": "grid/test/glue/009.png", "label": 1, "class_name": "grid", "mask_path": "grid/ground_truth/glue/009_mask.png"}
{"image_path": "grid/test/good/000.png", "label": 0, "class_name": "grid"}
{"image_path": "a b/<&>\"ä.png", "label": 1, "class_name": "c\\d"}
`
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
}

func TestWriteJSONLinesRefuses(t *testing.T) {
	good := Row{Image: "a", Class: "c"}
	for _, bad := range []Row{
		{Class: "c"},
		{Image: "a"},
		{Image: "a\n", Class: "c"},
		{Image: "a", Class: "\xff"},
		{Image: "a", Class: "c", Anomalous: true, Mask: strings.Repeat("m", 4097)},
		{Image: `a\b`, Class: "c"},
		{Image: "a", Class: "c", Anomalous: true, Mask: `a\b`},
	} {
		err := WriteJSONLines(io.Discard, []Row{good, bad})
		if err == nil || !strings.HasPrefix(err.Error(), "writing a list: row 2: ") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	full := errors.New("the disk is full")
	for _, rows := range [][]Row{{good}, slices.Repeat([]Row{good}, 1000)} {
		if err := WriteJSONLines(failing{full}, rows); !errors.Is(err, full) {
			t.Error(err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// Random rows stay equal when written and read again.
func TestRoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	letters := []rune(`ab01 ._-/"'<>&,;:{}[]%$#ä𝄞日\u` + "\u2028\u2029\ufeff\ufffd\u00a0\u202e😀")
	name := func(shortest int, slashes bool) string {
		var b strings.Builder
		for range shortest + random.IntN(20) {
			if letter := letters[random.IntN(len(letters))]; slashes || letter != '\\' {
				b.WriteRune(letter)
			}
		}
		return b.String()
	}
	for range 300 {
		rows := make([]Row, 1+random.IntN(50))
		for i := range rows {
			rows[i] = Row{Image: "i" + name(0, false), Class: "c" + name(0, true), Anomalous: random.IntN(2) == 0, Line: i + 1}
			if rows[i].Anomalous {
				rows[i].Mask = name(0, false)
			}
		}
		mustReturn(t, rows)
	}
}

// mustReturn checks that rows stay equal, except defects and lines, when written and read again.
func mustReturn(t *testing.T, rows []Row) {
	t.Helper()
	var text bytes.Buffer
	if err := WriteJSONLines(&text, rows); err != nil {
		t.Fatal(err)
	}
	list, err := readText(text.String())
	if err != nil {
		t.Fatalf("%v\n%s", err, text.String())
	}
	want := make([]Row, len(rows))
	for i, row := range rows {
		row.Defect, row.Line = "", i+1
		want[i] = row
	}
	if list.Format != JSONLines || !reflect.DeepEqual(list.Rows, want) || list.Oddities != nil {
		t.Fatalf("got %+v\nwant %+v", list, want)
	}
}
