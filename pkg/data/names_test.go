package data

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"acdclip/pkg/domain"
)

func TestPrompt(t *testing.T) {
	tests := []struct{ dataset, class, want string }{
		{"MVTec", "metal_nut", "metal nut with four lugs"},
		{"mvtec-AD", "Metal_Nut", "metal nut with four lugs"},
		{"mvtec_anomaly_detection", "zipper", "closed zipper"},
		{"VisA_20220922", "pcb1", "circuit board with two ultrasonic transducers"},
		{"BTech_Dataset_transformed", "01", "round machined part"},
		{"Colon_Kvasir", "Kvasir", "endoscopic view of the colon"},
		{"CVC-300", "CVC-300", "endoscopic view of the colon"},
		{"visa", "metal_nut", "metal nut"}, // another dataset's class
		{"bolts", "hex_bolt-M8", "hex bolt M8"},
		{"bolts", "__", "__"},
		{"", "", ""},
	}
	names := BuiltinNames()
	for _, test := range tests {
		if got := names.Prompt(test.class, test.dataset); got != test.want {
			t.Errorf("Prompt(%q, %q) = %q, want %q", test.dataset, test.class, got, test.want)
		}
	}
}

func TestBuiltinNamesAreComplete(t *testing.T) {
	names := BuiltinNames()
	for dataset, classes := range map[string]int{"MVTec": 15, "VisA": 12, "MPDD": 6} {
		if got := len(names.classes[datasetKey(dataset)]); got != classes {
			t.Errorf("%s: %d classes, want %d", dataset, got, classes)
		}
	}
	for _, dataset := range []string{"BTAD", "RSDD", "Brain", "Liver", "Retina", "Colon_clinicDB", "Colon_colonDB", "Colon_Kvasir", "Colon_cvc300"} {
		if len(names.classes[datasetKey(dataset)]) == 0 {
			t.Errorf("%s: no classes", dataset)
		}
		if _, industrial := map[string]bool{"BTAD": true, "RSDD": true}[dataset]; (names.Domain(dataset) == domain.Industrial) != industrial {
			t.Errorf("%s: domain %s", dataset, names.Domain(dataset))
		}
	}
	for dataset, classes := range names.classes {
		if datasetKey(dataset) != dataset {
			t.Errorf("%q is no key: it can never be found", dataset)
		}
		for class, prompt := range classes {
			if classKey(class) != class || prompt == "" || prompt != strings.TrimSpace(prompt) {
				t.Errorf("%s: %q: %q", dataset, class, prompt)
			}
		}
	}
}

const namesFile = `{
 "domains": {"My-Set": "Medical"},
 "names": {"My-Set": {"Part_1": "a part"}, "visa": {"pcb1": "board"}}
}`

func TestLoadNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names.json")
	if err := os.WriteFile(path, []byte("\ufeff"+namesFile), 0o644); err != nil {
		t.Fatal(err)
	}
	names, err := LoadNames(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ dataset, class, want string }{
		{"my_set", "part_1", "a part"}, {"VisA", "pcb1", "board"}, {"VisA", "pcb2", "pcb2"}, {"MVTec", "metal_nut", "metal nut"},
	} {
		if got := names.Prompt(test.class, test.dataset); got != test.want {
			t.Errorf("%s %s: %q, want %q", test.dataset, test.class, got, test.want)
		}
	}
	if names.Domain("MySet") != domain.Medical || names.Domain("VisA") != "" {
		t.Errorf("domains %s, %s", names.Domain("MySet"), names.Domain("VisA"))
	}
	if _, err := LoadNames(path + ".gone"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: error %v", err)
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := LoadNames(pipe); err == nil || !strings.HasSuffix(err.Error(), pipe+": not a regular file: it is a pipe") {
		t.Errorf("a pipe: error %v", err)
	}
}

func TestParseNamesErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "unexpected end of file"},
		{"{\"names\": {\"a\": {\n\"b\":", "line 2: unexpected end of file"},
		{"[]", "expected an object"},
		{`{"names": {}}`, "missing or empty"},
		{`{"domains": {}}`, "missing or empty"},
		{`{"name": {}}`, `unknown key "name"`},
		{`{"names": {"a": "b"}}`, "expected an object"},
		{"{\"names\": {\"a\":\n{\"b\": 3}}}", "line 2: expected a quoted string, got 3"},
		{`{"names": {"a": {"b": " "}}}`, "empty"},
		{`{"names": {"a": {"b": "c\n"}}}`, "control character"},
		{`{"names": {"a": {"b": "` + strings.Repeat("x", maxPromptBytes+1) + `"}}}`, "longer than"},
		{`{"names": {"a": {"b": "c", "B": "d"}}}`, `duplicate key "B"`},
		{`{"names": {"my set": {"b": "c"}, "My-Set": {"b": "d"}}}`, `duplicate key "My-Set"`},
		{`{"names": {"a": {"b": "c"}}, "domains": {"a": "rural"}}`, `unknown domain "rural"`},
		{`{"names": {"a": {"b": "c"}}} {}`, "unexpected data after the object"},
		{"{\"names\": {\"a\": {\"b\": \"\xff\"}}}", "not UTF-8"},
		{strings.Repeat(" ", maxNamesBytes+1), "larger than"},
	}
	for _, test := range tests {
		_, err := parseNames([]byte(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.60q: error %v, want %q", test.text, err, test.want)
		}
	}
}

func FuzzParseNames(f *testing.F) {
	f.Add([]byte(namesFile))
	f.Add([]byte(`{"names": {"a": {"b": "c", "b": "d"}}}`))
	f.Add([]byte(`{"names": [1, 2`))
	f.Fuzz(func(t *testing.T, text []byte) {
		names, err := parseNames(text)
		if err != nil {
			return
		}
		for dataset, classes := range names.classes {
			for class, prompt := range classes {
				if prompt == "" || len(prompt) > maxPromptBytes {
					t.Fatalf("prompt name %q", prompt)
				}
				if datasetKey(dataset) == dataset && classKey(class) == class && names.Prompt(class, dataset) != prompt {
					t.Fatalf("%q %q: not found again", dataset, class)
				}
			}
		}
	})
}

// TestChosenNames: only names of the user's own table are chosen.
func TestChosenNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names.json")
	if err := os.WriteFile(path, []byte(`{"names": {"VisA": {"pcb3": "a board"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	own, err := LoadNames(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		names *Names
		class string
		want  Class
	}{
		{own, "pcb3", Class{Name: "pcb3", Prompt: "a board", Chosen: true}},
		{own, "pcb_4", Class{Name: "pcb_4", Prompt: "pcb 4"}},
		{BuiltinNames(), "pcb3", Class{Name: "pcb3", Prompt: BuiltinNames().Prompt("pcb3", "VisA")}},
	} {
		if got := c.names.class(c.class, []string{"VisA"}); got != c.want {
			t.Errorf("%+v, want %+v", got, c.want)
		}
	}
}
