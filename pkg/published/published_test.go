package published

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTable: each entry can be checked, has a place of its own, and is found by its name.
func TestTable(t *testing.T) {
	places := map[string]bool{}
	for _, e := range All() {
		address, err := url.Parse(e.URL)
		switch {
		case err != nil || address.Scheme != "https" || !strings.HasPrefix(e.Page, "https://"):
			t.Errorf("%s: the addresses are %s and %s", e.Name, e.URL, e.Page)
		case !regexp.MustCompile("^[0-9a-f]{64}$").MatchString(e.SHA256) || e.Size < 1e6:
			t.Errorf("%s: the SHA-256 is %s, the size %d", e.Name, e.SHA256, e.Size)
		case e.Publisher == "" || e.Licence == "":
			t.Errorf("%s: who publishes it, and under which licence?", e.Name)
		case e.Kind == Checkpoint && (e.Auxiliary == "" || e.Epoch == 0 || len(e.For) != 1):
			t.Errorf("%s: the method, the dataset or the epoch is missing", e.Name)
		case !IsName(e.Name):
			t.Errorf("%s is not recognised as a name", e.Name)
		}
		// What the addresses say of the content.
		for _, said := range []*regexp.Regexp{regexp.MustCompile("/([0-9a-f]{64})/"), regexp.MustCompile(`-([0-9a-f]{8})\.pt$`)} {
			if found := said.FindStringSubmatch(e.URL); found != nil && !strings.HasPrefix(e.SHA256, found[1]) {
				t.Errorf("%s: the address says %s, the table %s", e.Name, found[1], e.SHA256)
			}
		}
		for _, place := range []string{e.Path("f"), e.Download("f")} {
			if places[place] && e.Kind != CLIP {
				t.Errorf("two files are kept in %s", place)
			}
			places[place] = true
		}
		if found, err := All().Find(e.Name); err != nil || found.SHA256 != e.SHA256 {
			t.Errorf("%s: found %v, %v", e.Name, found, err)
		}
	}
}

func TestUnknownName(t *testing.T) {
	for name, want := range map[string]string{
		"openai:ViT-L/14@336px":        "did you mean openai:ViT-L/14@336?",
		"openai:vit-b/16":              "did you mean openai:ViT-B/16?",
		"anomalyclip:visa":             "there are anomalyclip:trained-on-visa, anomalyclip:trained-on-mvtec",
		"openai/clip-vit-base-patch16": "did you mean openai:ViT-B/16?",
		"hello":                        "`acdclip weights list` shows all",
	} {
		if _, err := All().Find(name); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	for text, want := range map[string]bool{"openai:x": true, "open_clip:": true, "anomalyclip:visa": true, "": false, "a:b": false, "openai": false, "./openai:x": false} {
		if got := IsName(text); got != want {
			t.Errorf("IsName(%q) is %v", text, got)
		}
	}
}

func TestPlaces(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/caches")
	if folder, err := Folder(""); folder != "/caches/acdclip/weights" || err != nil {
		t.Errorf("%s, %v", folder, err)
	}
	if folder, err := Folder("/else"); folder != "/else" || err != nil {
		t.Errorf("%s, %v", folder, err)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "/home/me")
	if folder, err := Folder(""); folder != "/home/me/.cache/acdclip/weights" || err != nil {
		t.Errorf("%s, %v", folder, err)
	}
	t.Setenv("HOME", "")
	if _, err := Folder(""); err == nil || !strings.Contains(err.Error(), "set weights.cache") {
		t.Errorf("without a home: %v", err)
	}

	folder := t.TempDir()
	_, err := All().Locate("openai:ViT-L/14@336", CLIP, folder)
	if want := "openai:ViT-L/14@336 is not downloaded yet (934.1 MB); run: acdclip weights fetch openai:ViT-L/14@336 --cache " + folder; !errors.Is(err, ErrNotFetched) || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
	want := filepath.Join(folder, "openai", "ViT-L-14@336", "ViT-L-14-336px.pt")
	if err := errors.Join(os.MkdirAll(filepath.Dir(want), 0o755), os.WriteFile(want, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	if got, err := All().Locate("openai:ViT-L/14@336", CLIP, folder); got != want || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := All().Locate("openai:nothing", CLIP, folder); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if _, err := All().Locate("openai:ViT-L/14@336", Checkpoint, folder); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "is a CLIP, not a checkpoint") {
		t.Error(err)
	}
	e, err := All().Find("anomalyclip:trained-on-visa")
	if err != nil || e.Path("f") != "f/anomalyclip/trained-on-visa/epoch_15.safetensors" || e.Download("f") != "f/anomalyclip/trained-on-visa/epoch_15.pth" {
		t.Errorf("%s and %s, %v", e.Path("f"), e.Download("f"), err)
	}
}

func TestAddress(t *testing.T) {
	e := Entry{URL: "https://publisher.org/a/b%20c/w.pt"}
	for mirror, want := range map[string]string{
		"":                       e.URL,
		"https://mirror.org":     "https://mirror.org/a/b%20c/w.pt",
		"http://mirror.org:8/x/": "http://mirror.org:8/x/a/b%20c/w.pt",
	} {
		if got, err := e.Address(mirror); got != want || err != nil {
			t.Errorf("%q gives %s, %v", mirror, got, err)
		}
	}
	for _, mirror := range []string{"mirror.org", "/mirror", "ftp://mirror.org", "https://", "https://mirror.org?x=y", "https://a b/%zz"} {
		if got, err := e.Address(mirror); !errors.Is(err, ErrMirror) {
			t.Errorf("%q gives %s, %v", mirror, got, err)
		}
	}
}

func TestFoundOtherwise(t *testing.T) {
	if e, ok := All().OnHub("OpenAI/clip-vit-large-patch14-336"); !ok || e.Name != "openai:ViT-L/14@336" {
		t.Errorf("%v", e)
	}
	if e, ok := All().InFile("ViT-L-14-336px.pt"); !ok || e.Name != "openai:ViT-L/14@336" {
		t.Errorf("%v", e)
	}
	if e, ok := All().InFile("epoch_15.pth"); ok { // of any program
		t.Errorf("%v", e)
	}
	if got := All().MadeFor("anomalyclip", Checkpoint); len(got) != 2 {
		t.Error(got)
	}
}
