package intake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// watched is a folder that is watched, with the names that each look has found complete.
type watched struct {
	t      *testing.T
	folder string
	looks  chan []string
	ended  chan error
	stop   context.CancelFunc
}

func watch(t *testing.T, f Folder, ready func() error) *watched {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	w := &watched{t: t, folder: f.Path, looks: make(chan []string), ended: make(chan error, 1), stop: stop}
	f.Pause = time.Millisecond
	go func() {
		w.ended <- f.Watch(ctx, func(pictures []Picture) error {
			names := []string{}
			for _, picture := range pictures {
				if info, err := os.Stat(picture.Path); err == nil && picture.Mark.Bytes != info.Size() {
					t.Errorf("%s has another size", picture.Path)
				}
				names = append(names, picture.Rel)
			}
			select {
			case w.looks <- names:
			case <-ctx.Done():
			}
			return ready()
		})
	}()
	return w
}

// expect waits for a look that finds these names complete, within so many looks.
func (w *watched) expect(looks int, want ...string) {
	w.t.Helper()
	var got []string
	for range looks {
		if got = <-w.looks; slices.Equal(got, want) {
			return
		}
	}
	w.t.Errorf("found %v, want %v", got, want)
}

func (w *watched) write(name, content string) {
	w.t.Helper()
	path := filepath.Join(w.folder, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o600)); err != nil {
		w.t.Fatal(err)
	}
}

func well() error { return nil }

// TestWatch: pictures are complete from the second look on that finds them the same, in natural
// order; hidden files, folders apart and the folder to skip are left out.
func TestWatch(t *testing.T) {
	folder := t.TempDir()
	told := make(chan string, 10)
	w := watch(t, Folder{
		Path: folder, Skip: filepath.Join(folder, "out"), Apart: func(path string) bool { return filepath.Base(path) == "apart" },
		Unsupported: func(path, format string) { told <- filepath.Base(path) + " " + format },
	}, well)
	w.expect(3)
	for _, name := range []string{"10.png", "9.png", "sub/a.jpg", ".hidden.png", "out/x.png", "apart/y.png", "notes.txt", "phone.heic"} {
		w.write(name, "content")
	}
	w.expect(4, "9.png", "10.png", filepath.Join("sub", "a.jpg"))
	for range 3 {
		w.expect(1, "9.png", "10.png", filepath.Join("sub", "a.jpg"))
	}
	if got := <-told; !strings.HasPrefix(got, "phone.heic ") || len(told) > 0 {
		t.Errorf("told %q, and %d more", got, len(told))
	}
	if err := os.Remove(filepath.Join(folder, "9.png")); err != nil {
		t.Fatal(err)
	}
	w.expect(3, "10.png", filepath.Join("sub", "a.jpg"))
	w.stop()
	if err := <-w.ended; err != nil {
		t.Error(err)
	}
}

// TestHalfWritten: a file that has grown at each look is not complete, and is once it stays the same.
func TestHalfWritten(t *testing.T) {
	content := ""
	grow := func() error { return nil }
	w := watch(t, Folder{Path: t.TempDir()}, func() error { return grow() })
	w.write("old.png", "x")
	w.expect(4, "old.png")
	w.stop()
	<-w.ended

	grown := 0
	grow = func() error { // between two looks
		if grown++; grown <= 10 {
			content += "more "
			w.write("new.png", content)
		}
		return nil
	}
	w = watch(t, Folder{Path: w.folder}, func() error { return grow() })
	for range 11 {
		if got := <-w.looks; slices.Contains(got, "new.png") {
			t.Error("a file that grows is complete")
		}
	}
	w.expect(2, "new.png", "old.png")
}

// TestErrors: what is no folder, a folder that goes away and an error of the caller end it.
func TestErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (Folder{Path: file}).Check(); !errors.Is(err, ErrNotFolder) {
		t.Error(err)
	}
	if err := (Folder{Path: file + "s"}).Check(); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	folder := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := (Folder{Path: folder}).Check(); err != nil {
		t.Error(err)
	}
	w := watch(t, Folder{Path: folder}, well)
	w.expect(1)
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	for open := true; open; {
		select {
		case <-w.looks:
		case err := <-w.ended:
			if open = false; !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
		}
	}
	failure := fmt.Errorf("no room")
	w = watch(t, Folder{Path: t.TempDir()}, func() error { return failure })
	<-w.looks
	if err := <-w.ended; !errors.Is(err, failure) {
		t.Error(err)
	}
}
