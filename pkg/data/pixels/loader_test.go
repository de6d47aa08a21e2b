package pixels

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"acdclip/internal/goroutines"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
)

// someFixtures returns the test pictures of pkg/data/pixels/picture.
func someFixtures(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("picture/testdata/pictures/*")
	if err != nil || len(paths) < 70 {
		t.Fatalf("%d pictures, %v", len(paths), err)
	}
	return paths
}

// someItems returns items of many formats, with masks and one unreadable picture.
func someItems(t testing.TB) []data.Item {
	t.Helper()
	items := []data.Item{}
	for i, path := range someFixtures(t) {
		items = append(items, data.Item{Path: path, Class: "thing"})
		switch i % 4 {
		case 1:
			items[i].Anomalous, items[i].Mask = true, "picture/testdata/pictures/palette1.png"
		case 2:
			items[i].Anomalous = true
		}
	}
	items[5].Path = filepath.Join(t.TempDir(), "broken.png")
	if err := os.WriteFile(items[5].Path, []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	return items
}

// load loads all pictures and clears Took, which varies from call to call.
func load(ctx context.Context, items []data.Item, o LoadOptions) []Picture {
	pictures := slices.Collect(Load(ctx, items, o))
	for i := range pictures {
		pictures[i].Took = 0
	}
	return pictures
}

func TestLoadGivesTheSameWhateverTheWorkers(t *testing.T) {
	items := someItems(t)
	want := load(t.Context(), items, LoadOptions{Size: 14, Workers: 1, Masks: true})
	if len(want) != len(items) {
		t.Fatalf("%d pictures for %d items", len(want), len(items))
	}
	for i, p := range want {
		if p.Index != i || p.Item.Path != items[i].Path {
			t.Fatalf("picture %d is item %d, %v", i, p.Index, p.Item)
		}
		checkPicture(t, p)
	}
	for _, o := range []LoadOptions{{Workers: 0}, {Workers: 3, Ahead: 2}, {Workers: 200, Ahead: 200}, {Workers: 2, Ahead: -1}} {
		o.Size, o.Masks = 14, true
		got := load(t.Context(), items, o)
		got[5].Err, want[5].Err = nil, nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d workers, %d ahead: other pictures", o.Workers, o.Ahead)
		}
	}
}

func checkPicture(t *testing.T, p Picture) {
	t.Helper()
	if p.Index == 5 {
		if !errors.Is(p.Err, picture.ErrNotPicture) || !strings.Contains(p.Err.Error(), p.Item.Path) || p.Pix != nil {
			t.Errorf("broken picture: error %v", p.Err)
		}
		return
	}
	if p.Err != nil {
		t.Error(p.Err)
		return
	}
	if len(p.Pix) != 14*14*3 || p.Width == 0 || p.Height == 0 {
		t.Errorf("%s: %d bytes, %d x %d", p.Item.Path, len(p.Pix), p.Width, p.Height)
	}
	switch {
	case p.Item.Anomalous && p.Item.Mask == "":
		if p.Mask != nil {
			t.Errorf("%s: a mask from nowhere", p.Item.Path)
		}
	case len(p.Mask) != 14*14 || p.Item.Anomalous != bytes.Contains(p.Mask, []uint8{1}):
		t.Errorf("%s: anomalous %v, mask %v", p.Item.Path, p.Item.Anomalous, p.Mask)
	}
}

func TestLoadOptions(t *testing.T) {
	items := []data.Item{{Path: "picture/testdata/pictures/exif6.jpg", Anomalous: true, Mask: "picture/testdata/nothing.png"}}
	p := load(t.Context(), items, LoadOptions{Size: 8})[0]
	if p.Err != nil || p.Mask != nil || p.Width != 16 || p.Height != 11 {
		t.Errorf("without masks: %+v", p)
	}
	p = load(t.Context(), items, LoadOptions{Size: 8, Masks: true})[0]
	if !errors.Is(p.Err, os.ErrNotExist) || !strings.Contains(p.Err.Error(), "nothing.png") || !strings.Contains(p.Err.Error(), "exif6.jpg") {
		t.Errorf("missing mask: error %v", p.Err)
	}
	if p := load(t.Context(), items, LoadOptions{})[0]; p.Err == nil {
		t.Error("size 0 was accepted")
	}
	if got := load(t.Context(), nil, LoadOptions{Size: 8}); len(got) != 0 {
		t.Errorf("no items gave %v", got)
	}
}

func TestLoadLeavesNoGoroutine(t *testing.T) {
	items := someItems(t)
	o := LoadOptions{Size: 14, Workers: 4, Ahead: 4}
	before := runtime.NumGoroutine()
	for picture := range Load(t.Context(), items, o) {
		if picture.Index == 7 {
			break
		}
	}
	goroutines.NoneLeft(t, before)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := 0
	for range Load(ctx, items, o) {
		if seen++; seen == 3 {
			cancel()
		}
	}
	if seen != 3 || ctx.Err() == nil {
		t.Errorf("%d pictures after cancelling at 3", seen)
	}
	goroutines.NoneLeft(t, before)

	func() {
		defer func() {
			if recover() == nil {
				t.Error("the consumer's panic was lost")
			}
		}()
		for range Load(t.Context(), items, o) {
			panic("consumer")
		}
	}()
	goroutines.NoneLeft(t, before)
}

// TestLoadIsBounded limits the files that workers open while the consumer waits.
func TestLoadIsBounded(t *testing.T) {
	const workers, ahead = 2, 3
	content, err := os.ReadFile("picture/testdata/pictures/rgb8.png")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	items := make([]data.Item, 40)
	for i := range items {
		items[i].Path = filepath.Join(folder, fmt.Sprintf("%02d.png", i))
	}
	// Each file is created only when Load may read it, so reading ahead too far fails.
	appear := func(i int) {
		if i < len(items) {
			if err := os.WriteFile(items[i].Path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range workers + ahead {
		appear(i)
	}
	for p := range Load(t.Context(), items, LoadOptions{Size: 4, Workers: workers, Ahead: ahead}) {
		if p.Err != nil {
			t.Fatalf("picture %d was read too early: %v", p.Index, p.Err)
		}
		time.Sleep(2 * time.Millisecond) // let the workers read ahead as far as allowed
		appear(p.Index + workers + ahead)
	}
}
