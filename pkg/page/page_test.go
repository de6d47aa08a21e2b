package page

import (
	"acdclip/pkg/digest"
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// written returns the page of pictures.
func written(t testing.TB, p Page, pictures ...Picture) string {
	t.Helper()
	var text bytes.Buffer
	w, err := Begin(&text, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, picture := range pictures {
		if err := w.Add(picture); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// between returns the text between two marks.
func between(t *testing.T, text, before, after string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, before)
	inside, _, closed := strings.Cut(rest, after)
	if !found || !closed {
		t.Fatalf("no %s ... %s", before, after)
	}
	return inside
}

const rowsElement = `<script id="rows" type="application/json">`

func TestRowsHoldWhatWasAdded(t *testing.T) {
	score := float32(0.25)
	text := written(t, Page{Sets: []Set{{}}}, Picture{Path: "a.png", Score: &score, File: "ü/a b.png", Regions: new(2)}, Picture{Path: "b.png", Error: "cut off"})
	var rows [][]any
	if err := json.Unmarshal([]byte(between(t, text, rowsElement, "</script>")), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	got := map[string]any{}
	for i, name := range columns {
		got[name] = rows[0][i]
	}
	for name, want := range map[string]any{"path": "a.png", "score": 0.25, "file": "%C3%BC/a%20b.png", "regions": 2., "area": nil, "label": false} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
}

func TestNoPictures(t *testing.T) {
	if rows := between(t, written(t, Page{Sets: []Set{{}}}), rowsElement, "</script>"); rows != "[]" {
		t.Errorf("rows are %q", rows)
	}
}

// hostile are texts that would do harm as markup, as a program or as an address.
func hostile() []string {
	return []string{
		`</script><script>window.harmed=1</script>`, `"><img src=x onerror="window.harmed=2">`, `<!--<script>`, `]]>`, `';window.harmed=3;'`,
		`javascript:window.harmed=4`, `../../../etc/passwd`, `a#b?c=d%41&amp;.png`, "line\u2028end\u2029", `back\slash`, `ROWS HEAD SCRIPT STYLE POLICY`,
		"\u202egnp.exe", "über größe 螺丝.png", strings.Repeat("long", 60),
	}
}

// TestTextsAreNotMarkup: whatever a text holds, the document has the same elements.
func TestTextsAreNotMarkup(t *testing.T) {
	elements := strings.Count(written(t, Page{Title: "a", Sets: []Set{{}}}, Picture{Path: "a", Class: "a", File: "a", Error: "a", Box: "a"}), "<")
	for _, text := range hostile() {
		made := written(t, Page{Title: text, Summary: text, Facts: []Fact{{text, text}}, Sets: []Set{{Name: text, Table: &Table{Columns: []string{text}, Rows: [][]string{{text}}}}}},
			Picture{Path: text, Class: text, File: text, Error: text, Box: text})
		if got := strings.Count(made, "<"); got != elements {
			t.Errorf("%q: %d times <, want %d", text, got, elements)
		}
	}
}

// TestPolicyNamesTheProgram: a page whose program has another hash would not run.
func TestPolicyNamesTheProgram(t *testing.T) {
	text := written(t, Page{Sets: []Set{{}}})
	policy := between(t, text, `Content-Security-Policy" content="`, `"`)
	for _, element := range []string{"style", "script"} {
		if content := between(t, text, "<"+element+">", "</"+element+">"); !strings.Contains(policy, element+"-src '"+digest.ForPolicy(content)+"'") {
			t.Errorf("the policy %s does not have the hash of the %s", policy, element)
		}
	}
}

func TestAddress(t *testing.T) {
	for file, want := range map[string]string{
		"a/b.png": "a/b.png", "a b#c?.png": "a%20b%23c%3F.png", "50%.png": "50%25.png", "\xff.png": "%FF.png", "": "",
	} {
		if got := address(file); got != want {
			t.Errorf("%q gives %q, want %q", file, got, want)
		}
	}
}
