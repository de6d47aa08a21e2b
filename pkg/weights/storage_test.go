package weights

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// countingReaderAt counts the bytes read.
type countingReaderAt struct {
	r io.ReaderAt
	n int
}

func (c *countingReaderAt) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.r.ReadAt(p, at)
	c.n += n
	return n, err
}

// Only the first read of a deflated storage reads to its end.
func TestDeflatedStorageIsCheckedOnce(t *testing.T) {
	noise := make([]byte, 4<<20)
	rand.NewChaCha8([32]byte{}).Read(noise)
	packed := deflated(t, string(noise))
	file := &countingReaderAt{r: bytes.NewReader(packed)}
	store := &storage{file: file, name: "storage", packed: int64(len(packed)), size: int64(len(noise)), deflated: true}
	tensor, err := newTensor(U8, []int64{100}, nil, 50, store)
	if err != nil {
		t.Fatal(err)
	}
	for read, atMost := range []int{2 * len(packed), 256 << 10, 256 << 10} {
		file.n = 0
		values := make([]float32, 100)
		if err := tensor.ReadFloat32(values); err != nil || values[0] != float32(noise[50]) || values[99] != float32(noise[149]) {
			t.Errorf("read %d: %v", read, err)
		}
		if whole := file.n >= len(packed); file.n > atMost || whole != (read == 0) {
			t.Errorf("read %d took %d of %d bytes", read, file.n, len(packed))
		}
	}
}

func TestInflationIsBounded(t *testing.T) {
	tensors := func(n int, store *storage) (all []*Tensor) {
		for range n {
			tensor, err := newTensor(F32, []int64{2}, nil, store.size/4-2, store)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, tensor)
		}
		return all
	}
	for _, c := range []struct {
		name    string
		tensors []*Tensor
		refused bool
	}{
		{"a large model", tensors(1, &storage{size: maxInflated / 2, deflated: true}), false},
		{"too large a model", tensors(1, &storage{size: maxInflated/2 + 8, deflated: true}), true},
		{"shared", tensors(15, &storage{size: maxInflated / 16, deflated: true}), false},
		{"shared too often", tensors(16, &storage{size: maxInflated / 16, deflated: true}), true},
		{"stored", tensors(100, &storage{size: maxInflated}), false},
	} {
		if err := checkWork(c.tensors, math.MaxInt64); errors.Is(err, ErrMalformed) != c.refused {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// apart returns tensors of the first and last value of one storage.
func apart(t *testing.T, n int, size int64) (all []*Tensor) {
	t.Helper()
	store := &storage{size: size}
	for range n {
		tensor, err := newTensor(F32, []int64{2}, []int64{size/4 - 1}, 0, store)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tensor)
	}
	return all
}

// The maximum size of all tensors depends on the file's size.
func TestExpansionIsBounded(t *testing.T) {
	views := func(n int, shape []int64, store *storage) (all []*Tensor) {
		for range n {
			tensor, err := newTensor(F32, shape, make([]int64, len(shape)), 0, store)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, tensor)
		}
		return all
	}
	const megabyte = 1 << 20
	for _, c := range []struct {
		name    string
		tensors []*Tensor
		file    int64
		refused bool
	}{
		{"what is free", views(4, []int64{megabyte}, &storage{size: 4}), 100, false},
		{"a value more", views(5, []int64{megabyte}, &storage{size: 4}), 100, true},
		{"a large file's tied tensors", views(8, []int64{megabyte}, &storage{size: 4 * megabyte}), 4 * megabyte, false},
		{"tied too often", views(13, []int64{megabyte}, &storage{size: 4 * megabyte}), 4 * megabyte, true},
		{"deflated zeros", views(100, []int64{1000}, &storage{size: 400 * megabyte, deflated: true}), 400_000, true},
		{"two values far apart", apart(t, 10, 100*megabyte), 100 * megabyte, false},
		{"many of them", apart(t, 100, 100*megabyte), 100 * megabyte, true},
		{"bytes become floats", views(1, []int64{megabyte}, &storage{size: megabyte}), megabyte, false},
	} {
		if err := checkExpansion(c.tensors, c.file); errors.Is(err, ErrMalformed) != c.refused {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A changed byte of an archive is detected by the first complete read of a tensor in that entry.
func TestChecksums(t *testing.T) {
	layouts := map[string]string{
		"all of it":         stateDict(8, 0, integer(8), integer(1)),
		"the beginning":     stateDict(8, 0, integer(2), integer(1)),
		"every second":      stateDict(8, 0, integer(4), integer(2)),
		"the end, not read": stateDict(8, 4, integer(1), integer(1)),
	}
	for name, pickle := range layouts {
		for _, method := range []uint16{zip.Store, zip.Deflate} {
			sound := archive(t, entry{name: "m/data.pkl", content: pickle}, entry{name: "m/data/0", content: eightFloats, method: method})
			right := crc32.ChecksumIEEE([]byte(eightFloats))
			directory := bytes.LastIndex(sound, []byte("PK\x01\x02"))
			if found := uint32(sound[directory+16]) | uint32(sound[directory+17])<<8; found != right&0xffff {
				t.Fatalf("the checksum is not where the test looks for it: %x", found)
			}
			damaged := bytes.Clone(sound)
			damaged[directory+16] ^= 1
			for _, c := range []struct {
				content []byte
				refused bool
			}{{sound, false}, {damaged, true}} {
				file, err := openBytes(t, c.content)
				if err != nil {
					t.Fatal(err)
				}
				tensor := file.Tensors[0]
				err = tensor.ReadFloat32(make([]float32, tensor.NumElements()))
				if errors.Is(err, ErrMalformed) != c.refused || c.refused && !strings.Contains(err.Error(), `"m/data/0" is damaged`) {
					t.Errorf("%s, method %d: %v", name, method, err)
				}
			}
		}
	}
}

func TestChecksumOfThePickle(t *testing.T) {
	content := torchArchive(t, stateDict(8, 0, integer(8), integer(1)), eightFloats)
	content[bytes.Index(content, []byte("PK\x01\x02"))+16] ^= 1
	if _, err := openBytes(t, content); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), `"m/data.pkl" is damaged`) {
		t.Error(err)
	}
}

// torch can be configured to write no checksums: all are then zero.
func TestArchiveWithoutChecksums(t *testing.T) {
	content := torchArchive(t, stateDict(8, 0, integer(8), integer(1)), eightFloats)
	for at := 0; ; at++ {
		next := bytes.Index(content[at:], []byte("PK\x01\x02"))
		if next < 0 {
			break
		}
		at += next
		clear(content[at+16 : at+20])
	}
	file, err := openBytes(t, content)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Tensors[0].ReadFloat32(make([]float32, 8)); err != nil {
		t.Error(err)
	}
}

func TestReadFinite(t *testing.T) {
	highest := math.Float32frombits(0x7f7fffff)
	for _, c := range []struct {
		last float32
		says string
	}{
		{highest, ""}, {-highest, ""}, {0, ""}, {math.SmallestNonzeroFloat32, ""},
		{float32(math.NaN()), "NaN"}, {float32(math.Inf(1)), "+Inf"}, {float32(math.Inf(-1)), "-Inf"},
	} {
		var out bytes.Buffer
		if err := WriteSafetensors(&out, nil, []Value{{Name: "w", Shape: []int64{3}, Float32: []float32{highest, -1, c.last}}}); err != nil {
			t.Fatal(err)
		}
		file, err := openBytes(t, out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		err = file.Tensors[0].ReadFinite(make([]float32, 3))
		if (err == nil) != (c.says == "") || err != nil && (!errors.Is(err, ErrMalformed) ||
			!strings.Contains(err.Error(), "tensor w") || !strings.Contains(err.Error(), "value 3 of 3 (row-major) is "+c.says)) {
			t.Errorf("%v: %v", c.last, err)
		}
	}
	tensors := fixture(t, "layouts.pt").Tensors
	for _, tensor := range tensors {
		want := make([]float32, tensor.NumElements())
		err := tensor.ReadFinite(want)
		var got []float32
		each := tensor.EachFinite(func(values []float32) { got = append(got, values...) })
		if (err == nil) != (each == nil) || err != nil && err.Error() != each.Error() || err == nil && !slices.Equal(got, want) {
			t.Errorf("%s: %v and %v, %v and %v", tensor.Name, err, each, want, got)
		}
	}
	large, _ := fixture(t, "layouts.pt").Lookup("float64")
	if err := large.ReadFinite(make([]float32, large.NumElements())); !errors.Is(err, ErrMalformed) {
		t.Errorf("the fixture's infinite values: %v", err)
	}
}

// The value that is not finite is far from the start: in the last of the pieces that are read at
// once, or not in the order of the file.
func TestReadFiniteOfLargeTensor(t *testing.T) {
	const rows, columns, row, column = 3 * partValues / 1024, 1024, 3*partValues/1024 - 2, 5
	values := make([]float32, rows*columns)
	values[row*columns+column] = float32(math.NaN())
	var out bytes.Buffer
	if err := WriteSafetensors(&out, nil, []Value{{Name: "w", Shape: []int64{rows, columns}, Float32: values}}); err != nil {
		t.Fatal(err)
	}
	file, err := openBytes(t, out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	straight := file.Tensors[0]
	turned, err := straight.Transpose()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tensor *Tensor
		place  int
	}{{straight, row*columns + column + 1}, {turned, column*rows + row + 1}} {
		err := c.tensor.ReadFinite(values)
		if want := fmt.Sprintf("value %d of %d (row-major) is NaN", c.place, rows*columns); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not: %s", err, want)
		}
		if err := c.tensor.ReadFloat32(values); err != nil {
			t.Error(err)
		}
	}
}

func TestFinite(t *testing.T) {
	highest := math.Float32frombits(0x7f7fffff)
	for length := range 10 {
		values := make([]float32, length)
		for i := range values {
			values[i] = highest
		}
		if !finite(values) {
			t.Errorf("%d finite values are not", length)
		}
		for i := range values {
			for _, wrong := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				values[i] = float32(wrong)
				if finite(values) {
					t.Errorf("%v is finite as value %d of %d", wrong, i+1, length)
				}
				values[i] = -highest
			}
		}
	}
}
