package regularfile

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// refusals returns each function's error for a path.
func refusals(path string) map[string]error {
	_, stat := Stat(path)
	_, _, open := Open(path)
	_, head := Head(path, 10)
	return map[string]error{"Stat": stat, "Open": open, "Head": head}
}

// TestOthers would block forever if the pipe were opened normally.
func TestOthers(t *testing.T) {
	folder := t.TempDir()
	pipe := filepath.Join(folder, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	socket := filepath.Join(folder, "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip(err)
	}
	defer listener.Close()
	link := filepath.Join(folder, "link")
	if err := os.Symlink("pipe", link); err != nil {
		t.Fatal(err)
	}
	for path, kind := range map[string]string{folder: "a folder", pipe: "a pipe", link: "a pipe", socket: "a socket", os.DevNull: "a device"} {
		for name, err := range refusals(path) {
			other, ok := errors.AsType[*OtherError](err)
			if !ok || *other != (OtherError{path, kind}) || err.Error() != path+": not a regular file: it is "+kind {
				t.Errorf("%s of %s: %v", name, kind, err)
			}
		}
	}
}

func TestMissing(t *testing.T) {
	folder := t.TempDir()
	dangling := filepath.Join(folder, "dangling")
	if err := os.Symlink("nowhere", dangling); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dangling, filepath.Join(folder, "missing"), ""} {
		for name, err := range refusals(path) {
			if _, ok := errors.AsType[*fs.PathError](err); !ok || !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s of %q: %v", name, path, err)
			}
		}
	}
}

func TestRegular(t *testing.T) {
	folder := t.TempDir()
	path, link := filepath.Join(folder, "file"), filepath.Join(folder, "link")
	if err := errors.Join(os.WriteFile(path, []byte("content"), 0o600), os.Symlink("file", link)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, link} {
		file, info, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
		if found, err := Stat(path); err != nil || info.Size() != 7 || found.Size() != 7 {
			t.Errorf("%s: %d bytes, %v: %v", path, info.Size(), found, err)
		}
		for limit, want := range map[int64]string{0: "", 3: "con", 7: "content", 8: "content"} {
			if got, err := Head(path, limit); err != nil || string(got) != want {
				t.Errorf("the first %d bytes of %s are %q: %v", limit, path, got, err)
			}
		}
	}
}

// TestPipeInTheFilesPlace: Open does not block even if a pipe replaces the file between
// Stat and opening. The test swaps the two continuously, so that some calls hit this.
func TestPipeInTheFilesPlace(t *testing.T) {
	folder := t.TempDir()
	path, file, pipe := filepath.Join(folder, "path"), filepath.Join(folder, "file"), filepath.Join(folder, "pipe")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), syscall.Mkfifo(pipe, 0o600), os.Link(file, path)); err != nil {
		t.Skip(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			next := filepath.Join(folder, "next")
			_ = os.Link([]string{file, pipe}[i%2], next)
			_ = os.Rename(next, path)
		}
	}()
	for begun := time.Now(); time.Since(begun) < 200*time.Millisecond; {
		file, info, err := Open(path)
		if err == nil {
			if !info.Mode().IsRegular() {
				t.Errorf("opened %v", info.Mode())
			}
			file.Close()
		} else if !strings.HasSuffix(err.Error(), "it is a pipe") {
			t.Error(err)
		}
	}
	close(stop)
	<-stopped
}
