package weights

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// shards writes two files with one tensor each, and an index.
func shards(t *testing.T, index string) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"a", "b"} {
		disk, err := os.Create(filepath.Join(folder, name+".safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		if err := WriteSafetensors(disk, nil, []Value{{Name: name, Shape: []int64{2}, Float32: []float32{1, 2}}}); err != nil {
			t.Fatal(err)
		}
		if err := disk.Close(); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(folder, "model.safetensors"+IndexEnding)
	if err := os.WriteFile(path, []byte(index), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestShards(t *testing.T) {
	path := shards(t, `{"metadata": {"total_size": 16}, "weight_map": {"b": "b.safetensors", "a": "a.safetensors"}}`)
	file, err := OpenShards(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tensor := range file.Tensors {
		names = append(names, tensor.Name)
		if got := floats(t, tensor); !slices.Equal(got, bitsOf([]float32{1, 2})) {
			t.Errorf("%s holds %x", tensor.Name, got)
		}
	}
	if !slices.Equal(names, []string{"a", "b"}) || file.Path != path || file.Format != FormatSafetensors {
		t.Errorf("%v, %s, %s", names, file.Path, file.Format)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
	if err := file.Tensors[1].ReadFloat32(make([]float32, 2)); err == nil {
		t.Error("a closed file was read")
	}
}

func TestRefusedIndices(t *testing.T) {
	many := make([]string, maxShards+1)
	for i := range many {
		many[i] = fmt.Sprintf(`"t%d": "f%d"`, i, i)
	}
	cases := []struct{ index, says string }{
		{`{}`, "lists 0 tensors"},
		{`[]`, "not a JSON list of weights"},
		{`{"weight_map": {"a": 1}}`, "not a JSON list of weights"},
		{`{"weight_map": {"a": "../a.safetensors"}}`, `"../a.safetensors"`},
		{`{"weight_map": {"a": "/etc/passwd"}}`, `"/etc/passwd"`},
		{`{"weight_map": {"a": ".."}}`, `".."`},
		{`{"weight_map": {"a": ""}}`, `""`},
		{`{"weight_map": {` + strings.Join(many, ",") + `}}`, "more than 128 files"},
		{`{"weight_map": {"a": "c.safetensors"}}`, "no such file"},
		{`{"weight_map": {"a": "b.safetensors"}}`, `lacks the tensor "a"`},
		{`{"weight_map": {"a": "a.safetensors", "c": "a.safetensors"}}`, `lacks the tensor "c"`},
		{`{"weight_map": {"a": "model.safetensors.index.json"}}`, "JSON"},
	}
	for _, c := range cases {
		path := shards(t, c.index)
		if _, err := OpenShards(path); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%.80s: %v", c.index, err)
		}
	}
}

func TestIndexThatIsTooLong(t *testing.T) {
	path := shards(t, strings.Repeat(" ", maxIndex)+"{}")
	if _, err := OpenShards(path); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"metadata": {"total_size": 16}, "weight_map": {"b": "b.safetensors", "a": "a.safetensors"}}`))
	f.Add([]byte(`{"weight_map": {"a": "../a"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		files, err := parseIndex(text)
		if err != nil {
			mustBeKnown(t, err)
			return
		}
		for file := range files {
			if filepath.Base(file) != file || len(files) > maxShards {
				t.Errorf("%q leaves the folder", file)
			}
		}
	})
}

// A small file with a large apparent size gives an error before any of it is read.
func TestHoles(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux says where a file's holes are")
	}
	path := filepath.Join(t.TempDir(), "holes.safetensors")
	const values = 1 << 30
	header := fmt.Sprintf(`{"w":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}}`, values, 4*values)
	content := append([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0}, header...)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(len(content))+4*values); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "holes") {
		t.Error(err)
	}
}
