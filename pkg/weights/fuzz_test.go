package weights

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// For any bytes, the readers return readable tensors or one of the package's errors,
// without a panic and without much memory.

func seed(f *testing.F, pattern string) {
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		f.Fatalf("no seeds %s (%v)", pattern, err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
}

func exercise(t *testing.T, content []byte) {
	file, err := read(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		mustBeKnown(t, err)
		return
	}
	for _, tensor := range file.Tensors {
		if found, ok := file.Lookup(tensor.Name); !ok || found != tensor {
			t.Errorf("tensor %q is not found by its name", tensor.Name)
		}
		if tensor.NumElements() > freeElements {
			continue
		}
		if err := tensor.ReadFloat32(make([]float32, tensor.NumElements())); err != nil {
			mustBeKnown(t, err)
		}
	}
}

func mustBeKnown(t *testing.T, err error) {
	if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrNotWeights) {
		t.Errorf("an error of another kind: %v", err)
	}
}

func FuzzOpenSafetensors(f *testing.F) {
	seed(f, "*.safetensors")
	f.Fuzz(exercise)
}

func FuzzOpenTorch(f *testing.F) {
	seed(f, "*.p*")
	f.Fuzz(exercise)
}

func FuzzPickle(f *testing.F) {
	for _, name := range []string{"layouts.pt", "protocol4.pt", "nested.pth", "scripted.pt", "command.pt"} {
		disk, err := os.Open(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		defer disk.Close()
		info, err := disk.Stat()
		if err != nil {
			f.Fatal(err)
		}
		entries, err := readZip(disk, info.Size())
		if err != nil {
			f.Fatal(err)
		}
		prefix, err := archivePrefix(entries)
		if err != nil {
			f.Fatal(err)
		}
		program, err := entries[prefix+"data.pkl"].bytes(maxPickle)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		root, err := unpickle(program, func(string) (*storage, bool) { return &storage{size: 192}, true })
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20+1024*uint64(len(program)) {
			t.Errorf("%d bytes made the machine allocate %d", len(program), used)
		}
		if err == nil {
			err = (&File{}).flatten(root)
		}
		if err != nil {
			mustBeKnown(t, err)
		}
	})
}
