package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// safetensorsFile returns a file with the header and the given number of data bytes.
func safetensorsFile(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

// openBytes opens a temporary file with that content.
func openBytes(t *testing.T, content []byte) (*File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "weights.bin")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := Open(path)
	if err == nil {
		t.Cleanup(func() { file.Close() })
	} else if !strings.Contains(err.Error(), path) {
		t.Errorf("the error does not name the file: %v", err)
	}
	return file, err
}

func TestHostileSafetensors(t *testing.T) {
	tensor := func(dtype, shape, offsets string) string {
		return fmt.Sprintf(`{"a":{"dtype":%q,"shape":[%s],"data_offsets":[%s]}}`, dtype, shape, offsets)
	}
	two := func(a, b string) string {
		return fmt.Sprintf(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[%s]},"b":{"dtype":"U8","shape":[4],"data_offsets":[%s]}}`, a, b)
	}
	long := binary.LittleEndian.AppendUint64(nil, maxHeader+1)
	cases := []struct {
		name    string
		content []byte
		kind    error
		says    string
	}{
		{"header length over the limit", append(long, `{}`...), ErrMalformed, "header length is 32000001"},
		{"header length near 2^64", []byte("\xf0\xff\xff\xff\xff\xff\xff\xff{}"), ErrMalformed, "header length"},
		{"header longer than the file", append([]byte{9, 0, 0, 0, 0, 0, 0, 0}, `{}`...), ErrMalformed, "longer than the file"},
		{"cut header", safetensorsFile(`{"a":{"dtype":"F32","sha`, 0), ErrMalformed, "invalid JSON"},
		{"no JSON", safetensorsFile(`{nonsense}`, 0), ErrMalformed, "invalid JSON"},
		{"text after JSON", safetensorsFile(`{} {}`, 0), ErrMalformed, "unexpected data after"},
		{"list for a tensor", safetensorsFile(`{"a":[1]}`, 0), ErrMalformed, "expected"},
		{"deep nesting", safetensorsFile(`{"a":`+strings.Repeat("[", 100_000), 0), ErrMalformed, "expected"},
		{"number for metadata", safetensorsFile(`{"__metadata__":{"a":1}}`, 0), ErrMalformed, "expected text"},
		{"null twice", safetensorsFile(`{"__metadata__":null,"__metadata__":{}}`, 0), ErrMalformed, "duplicate key __metadata__"},
		{"list for metadata", safetensorsFile(`{"__metadata__":[]}`, 0), ErrMalformed, "an object or null"},
		{"null for a tensor", safetensorsFile(`{"a":null}`, 0), ErrMalformed, `expected {, got "null"`},
		{"null for text", safetensorsFile(`{"a":{"dtype":null}}`, 0), ErrMalformed, `expected text, got "null"`},
		{"name of no UTF-8", safetensorsFile("{\"a\xff\":{}}", 0), ErrMalformed, "invalid Unicode"},
		{"name of half a surrogate pair", safetensorsFile(`{"a\ud800":{}}`, 0), ErrMalformed, "invalid Unicode"},
		{"long name", safetensorsFile(`{"`+strings.Repeat("a", maxName+1)+`":{}}`, 0), ErrMalformed, "more than 1024 bytes"},
		{"metadata twice", safetensorsFile(`{"__metadata__":{},"__metadata__":{}}`, 0), ErrMalformed, "duplicate key __metadata__"},
		{"tensor twice", safetensorsFile(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0), ErrMalformed, `duplicate tensor "a"`},
		{"key twice", safetensorsFile(`{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0), ErrMalformed, "duplicate"},
		{"key missing", safetensorsFile(`{"a":{"dtype":"U8","shape":[0]}}`, 0), ErrMalformed, "missing"},
		{"unknown key", safetensorsFile(`{"a":{"dtype":"U8","shape":[0],"strides":[1],"data_offsets":[0,0]}}`, 0), ErrMalformed, "strides"},
		{"unknown type", safetensorsFile(tensor("F8_E4M3", "4", "0,4"), 4), ErrUnsupported, "F8_E4M3"},
		{"size overflows", safetensorsFile(tensor("F32", "4294967296,4294967296,4", "0,4"), 4), ErrMalformed, "overflows"},
		{"bytes overflow", safetensorsFile(tensor("F64", "2305843009213693952", "0,0"), 0), ErrMalformed, "exceed"},
		{"size beyond int64", safetensorsFile(tensor("F32", "18446744073709551617", "0,4"), 4), ErrMalformed, "below 2^63"},
		{"fractional size", safetensorsFile(tensor("F32", "1.5", "0,4"), 4), ErrMalformed, "below 2^63"},
		{"negative size", safetensorsFile(tensor("F32", "-1", "0,4"), 4), ErrMalformed, "below 2^63"},
		{"too many dimensions", safetensorsFile(tensor("F32", strings.Repeat("1,", 40)+"1", "0,4"), 4), ErrMalformed, "at most 32"},
		{"offset outside", safetensorsFile(tensor("F32", "2", "0,8"), 4), ErrMalformed, "outside"},
		{"offsets turned", safetensorsFile(tensor("F32", "1", "4,0"), 4), ErrMalformed, "outside"},
		{"offsets too few", safetensorsFile(tensor("F32", "1", "4"), 4), ErrMalformed, "missing"},
		{"offsets too many", safetensorsFile(tensor("F32", "1", "0,4,4"), 4), ErrMalformed, "at most 2"},
		{"shape against offsets", safetensorsFile(tensor("F32", "3", "0,16"), 16), ErrMalformed, "needs 12 bytes"},
		{"scalar of no bytes", safetensorsFile(tensor("F32", "", "0,0"), 0), ErrMalformed, "exceed"},
		{"overlap", safetensorsFile(two("0,4", "2,6"), 6), ErrMalformed, `"b" overlaps`},
		{"same bytes", safetensorsFile(two("0,4", "0,4"), 4), ErrMalformed, "overlaps"},
		{"hole", safetensorsFile(two("0,4", "6,10"), 10), ErrMalformed, `before tensor "b"`},
		{"padding", safetensorsFile(two("0,4", "4,8"), 9), ErrMalformed, "last 1 bytes"},
		{"truncated data", safetensorsFile(two("0,4", "4,8"), 7), ErrMalformed, "outside"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := openBytes(t, c.content)
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := openBytes(t, safetensorsFile(two("4,8", "0,4")+"   ", 8)); err != nil {
		t.Errorf("a sound file was refused: %v", err)
	}
	if file, err := openBytes(t, safetensorsFile(`{"__metadata__":null}`, 0)); err != nil || file.Metadata != nil {
		t.Errorf("no metadata: %v", err)
	}
}

func TestOtherContent(t *testing.T) {
	cases := []struct{ name, content, says string }{
		{"empty", "", "empty"},
		{"web page", "\n<!DOCTYPE html><html><body>404", "web page"},
		{"git-lfs pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git-lfs pointer"},
		{"gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00", "gzip"},
		{"PNG", "\x89PNG\r\n\x1a\n", "PNG"},
		{"JSON", `{"error": "not found"}`, "JSON"},
		{"text", "no weights here\n", "text"},
		{"one byte", "\x07", "unknown kind"},
		{"noise", "\x07\xff\xfe\x01\x99\x12\x00\x7f\x80", "unknown kind"},
		{"zeros", strings.Repeat("\x00", 1000), "zero bytes"},
		{"HDF5", "\x89HDF\r\n\x1a\n", "HDF5"},
		{"NumPy", "\x93NUMPY\x01\x00", "NumPy"},
		{"plain pickle", "\x80\x04}.", "plain pickle"},
		{"tar", strings.Repeat("a", 257) + "ustar\x0000", "tar"},
	}
	for _, c := range cases {
		_, err := openBytes(t, []byte(c.content))
		if !errors.Is(err, ErrNotWeights) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, ErrNotWeights) || !strings.Contains(err.Error(), "folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// A weight file truncated at any byte gives an error, and so does one with an extra byte.
func TestTruncatedAndPadded(t *testing.T) {
	for _, name := range []string{"nested.safetensors", "nested.pth", "scripted.pt"} {
		whole, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(whole); n += 1 + n/50 {
			if _, err := openBytes(t, whole[:n]); err == nil {
				t.Errorf("%s: the first %d of %d bytes were accepted", name, n, len(whole))
			}
		}
		if _, err := openBytes(t, append(whole, 0)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s and a byte more: %v", name, err)
		}
	}
}
