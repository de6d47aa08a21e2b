package anomalymap

import (
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestNotMaps(t *testing.T) {
	for name, test := range map[string]struct{ content, says string }{
		"empty":   {"", "the file is empty"},
		"text":    {"0.5 0.25\n", `text that starts with "0.5 0.25\n"`},
		"accents": {strings.Repeat("é", headBytes), "text that starts with"},
		"binary":  {"\x01\x02\x03\x00\xff", "the bytes 01 02 03 00 ff"},
		"pointer": {"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"},
	} {
		path := filepath.Join(t.TempDir(), name+".npy")
		if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Read(path, Options{})
		if !errors.Is(err, ErrNotMap) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, part := range []string{path, test.says, "np.save"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
	}
}

// TestNotRegular would block forever if the pipe were opened.
func TestNotRegular(t *testing.T) {
	folder := t.TempDir()
	pipe := filepath.Join(folder, "map.npy")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	for path, says := range map[string]string{folder: "a folder", pipe: "a pipe", os.DevNull: "a device"} {
		_, err := Read(path, Options{})
		if !errors.Is(err, ErrNotMap) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
	}
	missing := filepath.Join(folder, "missing.npy")
	if _, err := Read(missing, Options{}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("a missing file: %v", err)
	}
}

// shrunk is a file that was truncated after its size was read.
type shrunk struct{ io.ReaderAt }

func (shrunk) ReadAt(b []byte, offset int64) (int, error) {
	if offset >= headBytes {
		return 0, io.EOF
	}
	return copy(b, npyFile(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (9, 9)}", "")[offset:]), nil
}

func TestShrunkFile(t *testing.T) {
	length := len(npyFile(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (9, 9)}", ""))
	if _, err := Decode(shrunk{}, int64(length)+4*81, Options{}); err == nil {
		t.Error("a file without scores is read")
	}
	if _, err := Decode(shrunk{}, -1, Options{}); !errors.Is(err, ErrNotMap) {
		t.Errorf("a negative size: %v", err)
	}
}

func TestMaxPixels(t *testing.T) {
	for given, want := range map[int64]int64{0: DefaultMaxPixels, -1: DefaultMaxPixels, 7: 7, math.MaxInt64: math.MaxInt / 8} {
		if got := (Options{MaxPixels: given}).maxPixels(); got != want {
			t.Errorf("%d means %d, want %d", given, got, want)
		}
	}
}

// mustRefuse expects an error that contains says, without allocating the declared size,
// for any limit.
func mustRefuse(t *testing.T, name string, content []byte, says string) {
	t.Helper()
	for _, o := range []Options{{}, {MaxPixels: math.MaxInt64}} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(strings.NewReader(string(content)), int64(len(content)), o)
		runtime.ReadMemStats(&after)
		if err == nil || o == (Options{}) && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want %q", name, err, says)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%s: %d bytes were allocated for a file of %d", name, grown, len(content))
		}
	}
}
