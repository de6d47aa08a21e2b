package fetch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/download"
	"acdclip/pkg/model/anomalyclip/options"
	"acdclip/pkg/model/card"
	"acdclip/pkg/published"
)

// publish serves a file as a publisher does. It counts the requests.
func publish(t *testing.T, content []byte) (e published.Entry, requests *int) {
	t.Helper()
	requests = new(int)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*requests++
		if r.URL.Path != "/there/epoch_15.pth" && r.URL.Path != "/mirrored/there/epoch_15.pth" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(content)
	}))
	t.Cleanup(s.Close)
	sum := sha256.Sum256(content)
	return published.Entry{
		Name: "anomalyclip:trained-on-visa", Kind: published.CLIP, URL: s.URL + "/there/epoch_15.pth",
		SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content)), For: []string{options.Name}, Auxiliary: "visa", Epoch: 15,
	}, requests
}

func released(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(golden.Root(), "testdata", "golden", "methods", "anomalyclip_1.pth"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestFile(t *testing.T) {
	e, requests := publish(t, []byte("weights"))
	o := Options{Cache: t.TempDir(), Mirror: strings.TrimSuffix(e.URL, "/there/epoch_15.pth") + "/mirrored"}
	e.URL = "https://publisher.invalid/there/epoch_15.pth"
	for _, want := range []bool{false, true} {
		path, there, err := Get(t.Context(), e, o)
		if err != nil || there != want || path != e.Path(o.Cache) {
			t.Fatalf("%s, %v, %v", path, there, err)
		}
	}
	o.Offline = true
	if _, there, err := Get(t.Context(), e, o); err != nil || !there {
		t.Error(there, err)
	}
	o.Cache = t.TempDir()
	if path, _, err := Get(t.Context(), e, o); !errors.Is(err, ErrOffline) || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	if *requests != 1 {
		t.Errorf("%d requests", *requests)
	}
	o.Mirror = "nowhere"
	if _, _, err := Get(t.Context(), e, o); !errors.Is(err, published.ErrMirror) {
		t.Error(err)
	}
	e.About = true
	f, err := File(e, "f", "")
	if err != nil || f.Size != 0 || f.Limit < e.Size {
		t.Errorf("%+v, %v", f, err)
	}
}

// TestCheckpoint: of a checkpoint, only what the program uses is kept; it is made again
// if it is damaged or another one.
func TestCheckpoint(t *testing.T) {
	e, requests := publish(t, released(t))
	e.Kind = published.Checkpoint
	o := Options{Cache: t.TempDir(), Methods: card.List{options.Card()}}
	var notices []string
	o.Download.Notice = func(text string) { notices = append(notices, text) }
	get := func(want bool) string {
		t.Helper()
		path, there, err := Get(t.Context(), e, o)
		if err != nil || there != want {
			t.Fatalf("there: %v, error %v", there, err)
		}
		left, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(left) != 2 || left[0].Name() != "epoch_15.safetensors" || left[1].Name() != "epoch_15.safetensors.lock" {
			t.Errorf("the folder has %v, %v", left, err)
		}
		return path
	}
	path := get(false)
	if path != e.Path(o.Cache) {
		t.Errorf("it is at %s", path)
	}
	get(true)
	if *requests != 1 || notices != nil {
		t.Errorf("%d requests, notices %q", *requests, notices)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)-1]++
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	get(false)
	if len(notices) != 1 || !strings.Contains(notices[0], "SHA-256") {
		t.Errorf("notices %q", notices)
	}
	e.Epoch = 14
	get(false)
	if len(notices) != 2 || !strings.Contains(notices[1], "is not anomalyclip:trained-on-visa") {
		t.Errorf("notices %q", notices)
	}

	// The publisher's file, put there by hand.
	o.Offline, o.Cache = true, t.TempDir()
	if _, _, err := Get(t.Context(), e, o); !errors.Is(err, ErrOffline) {
		t.Error(err)
	}
	byHand := e.Download(o.Cache)
	if err := errors.Join(os.MkdirAll(filepath.Dir(byHand), 0o755), os.WriteFile(byHand, released(t), 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, there, err := Get(t.Context(), e, o); err != nil || there {
		t.Error(there, err)
	}
	if _, there, err := Get(t.Context(), e, o); err != nil || !there {
		t.Error(there, err)
	}
}

// TestNoCheckpoint: a file with the right SHA-256 that is no checkpoint gets no name.
func TestNoCheckpoint(t *testing.T) {
	e, _ := publish(t, []byte("weights"))
	e.Kind = published.Checkpoint
	o := Options{Cache: t.TempDir(), Methods: card.List{options.Card()}}
	if path, _, err := Get(t.Context(), e, o); err == nil || !strings.Contains(err.Error(), "converting anomalyclip:trained-on-visa") {
		t.Errorf("%s: %v", path, err)
	} else if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	e.SHA256 = strings.Repeat("0", 64)
	if _, _, err := Get(t.Context(), e, o); !errors.Is(err, download.ErrWrongBytes) || errors.Is(err, checkpoint.ErrNotCheckpoint) {
		t.Error(err)
	}
}
