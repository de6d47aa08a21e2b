package weights

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// countingReaderAt counts the bytes that are read.
type countingReaderAt struct {
	r io.ReaderAt
	n int
}

func (c *countingReaderAt) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.r.ReadAt(p, at)
	c.n += n
	return n, err
}

// Only the first read of a deflated storage goes to its end.
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
		if err := checkInflation(c.tensors); errors.Is(err, ErrMalformed) != c.refused {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
