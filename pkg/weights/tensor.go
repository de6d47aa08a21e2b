package weights

import (
	"fmt"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

const (
	// maxDims is the maximum number of dimensions, more than any weight has.
	maxDims = 32
	// A tensor may repeat its storage's elements (torch.expand, as_strided), but a small
	// file must not need much memory: up to freeElements without limit, beyond that at
	// most maxRepeat times the storage.
	freeElements = 1 << 20
	maxRepeat    = 64
)

// Tensor is one tensor of an open File. Its values stay in the file until they are read.
type Tensor struct {
	Name  string
	DType DType
	Shape []int64

	strides []int64 // in elements, not negative
	offset  int64   // index of the first element in the storage
	count   int64
	store   *storage
	path    string // path of the file, for messages
}

// newTensor returns a tensor over a storage. It returns an error if an element would be
// outside the storage or a size overflows. nil strides mean row-major.
func newTensor(dtype DType, shape, strides []int64, offset int64, store *storage) (*Tensor, error) {
	if len(shape) > maxDims {
		return nil, malformed("%d dimensions, the maximum is %d", len(shape), maxDims)
	}
	count, ok := product(shape)
	if !ok {
		return nil, malformed("shape %v is negative or overflows", shape)
	}
	if strides == nil {
		strides = rowMajor(shape)
	}
	if len(strides) != len(shape) {
		return nil, malformed("shape %v has %d strides", shape, len(strides))
	}
	last, ok := lastElement(shape, strides, offset)
	if !ok {
		return nil, malformed("offset %d or strides %v are negative or overflow", offset, strides)
	}
	held := store.size / dtype.Size()
	if count > 0 && last >= held {
		return nil, malformed("shape %v, strides %v, offset %d exceed %s, which has %d elements",
			shape, strides, offset, store.name, held)
	}
	if count > freeElements && count/maxRepeat > held {
		return nil, malformed("shape %v repeats the %d elements of %s too often", shape, held, store.name)
	}
	return &Tensor{DType: dtype, Shape: shape, strides: strides, offset: offset, count: count, store: store}, nil
}

// NumElements returns the product of the shape; 1 for a scalar.
func (t *Tensor) NumElements() int64 { return t.count }

// Transpose returns the transpose [N, M] of the matrix t [M, N], over the same bytes.
func (t *Tensor) Transpose() (*Tensor, error) {
	if len(t.Shape) != 2 {
		return nil, fmt.Errorf("transposing %s: shape %v is not a matrix", t.Name, t.Shape)
	}
	turned := *t
	turned.Shape = []int64{t.Shape[1], t.Shape[0]}
	turned.strides = []int64{t.strides[1], t.strides[0]}
	return &turned, nil
}

// ReadFloat32 fills dst with the values in row-major order, converted to float32; len(dst)
// must be NumElements. It reads the file in small chunks. The first complete read of an
// archive entry verifies the entry's checksum.
func (t *Tensor) ReadFloat32(dst []float32) error { return t.read(dst, func([]float32) {}) }

// read is ReadFloat32 that also visits all values: in pieces while they are in the caches, or, if
// they are not stored row-major, together. Calls of visit may be concurrent.
func (t *Tensor) read(dst []float32, visit func(values []float32)) error {
	if int64(len(dst)) != t.count {
		return t.fail(fmt.Errorf("the destination has %d values, the tensor %d", len(dst), t.count))
	}
	if len(dst) == 0 {
		return nil
	}
	var err error
	if t.rowMajor() {
		err = t.readContiguous(dst, visit)
	} else if err = t.readStrided(dst); err == nil {
		visit(dst)
	}
	if err == nil {
		err = t.store.verify()
	}
	if err != nil {
		return t.fail(err)
	}
	return nil
}

// ReadFinite is ReadFloat32, but a value that is NaN, infinite or too large for a float32
// gives an error with its position.
func (t *Tensor) ReadFinite(dst []float32) error {
	var wrong atomic.Bool
	err := t.read(dst, func(values []float32) {
		if !finite(values) {
			wrong.Store(true)
		}
	})
	if err == nil && wrong.Load() {
		err = t.notFinite(dst, 0)
	}
	return err
}

// EachFinite visits the values of ReadFinite in order, in slices that are valid only
// during the call. It needs memory for a small chunk of the file, or for all values if
// the tensor is not stored row-major. It may return an error after some visits.
func (t *Tensor) EachFinite(visit func(values []float32)) error {
	if !t.rowMajor() {
		all := make([]float32, t.count)
		if err := t.ReadFinite(all); err != nil {
			return err
		}
		visit(all)
		return nil
	}
	size := t.DType.Size()
	from, length := t.offset*size, t.count*size
	values := make([]float32, min(chunkSize/size, t.count))
	var wrong error
	err := t.store.stream(from, from+length, make([]byte, min(chunkSize, length)), func(at int64, raw []byte) {
		run := values[:int64(len(raw))/size]
		t.DType.decodeFloat32(run, raw)
		if wrong == nil && !finite(run) {
			wrong = t.notFinite(run, (at-from)/size)
		}
		visit(run)
	})
	if err == nil {
		err = t.store.verify()
	}
	if err != nil {
		return t.fail(err)
	}
	return wrong
}

// notFinite returns the error for the first of values that is not finite; values[0] is the
// tensor's value number at.
func (t *Tensor) notFinite(values []float32, at int64) error {
	wrong := slices.IndexFunc(values, func(v float32) bool { return !finite([]float32{v}) })
	return t.fail(malformed("value %d of %d (row-major) is %v, expected a finite number", at+int64(wrong)+1, t.count, values[wrong]))
}

// finite reports whether no value is NaN or infinite: times 0 these are NaN. Four sums do not wait
// for each other.
func finite(values []float32) bool {
	var a, b, c, d float32
	for ; len(values) >= 4; values = values[4:] {
		a += values[0] * 0
		b += values[1] * 0
		c += values[2] * 0
		d += values[3] * 0
	}
	for _, v := range values {
		a += v * 0
	}
	return a+b+c+d == 0
}

func (t *Tensor) fail(err error) error {
	return fmt.Errorf("reading tensor %s of %s: %w", t.Name, t.path, err)
}

func (t *Tensor) readContiguous(dst []float32, visit func(values []float32)) error {
	size := t.DType.Size()
	read := func(dst []float32, from int64) error {
		length := int64(len(dst)) * size
		return t.store.stream(from, from+length, make([]byte, min(chunkSize, length)), func(at int64, raw []byte) {
			first := (at - from) / size
			values := dst[first : first+int64(len(raw))/size]
			t.DType.decodeFloat32(values, raw)
			visit(values)
		})
	}
	if !t.store.anyOrder() {
		return read(dst, t.offset*size)
	}
	return inParts(len(dst), func(begin, end int) error { return read(dst[begin:end], (t.offset+int64(begin))*size) })
}

// partValues is the least number of values that are worth a goroutine.
const partValues = 1 << 18

// inParts calls f for the parts of 0 to count, on all cores if there are many.
func inParts(count int, f func(begin, end int) error) error {
	parts := max(1, min(runtime.GOMAXPROCS(0), count/partValues))
	var group errgroup.Group
	for i := range parts {
		group.Go(func() error { return f(i*count/parts, (i+1)*count/parts) })
	}
	return group.Wait()
}

// rowMajor reports whether the values are contiguous in the file, in row-major order.
func (t *Tensor) rowMajor() bool {
	return slices.Equal(simplify(t.Shape, t.strides), simplify(t.Shape, rowMajor(t.Shape)))
}

// simplify returns the strides without those of dimensions of size 1, which do not matter.
func simplify(shape, strides []int64) []int64 {
	telling := make([]int64, 0, len(shape))
	for i, n := range shape {
		if n != 1 {
			telling = append(telling, strides[i])
		}
	}
	return telling
}

// product multiplies sizes; ok is false if one is negative or the product overflows.
func product(sizes []int64) (n int64, ok bool) {
	if slices.Contains(sizes, 0) {
		return 0, !slices.ContainsFunc(sizes, func(s int64) bool { return s < 0 })
	}
	n = 1
	for _, size := range sizes {
		if n, ok = multiply(n, size); !ok {
			return 0, false
		}
	}
	return n, true
}

// lastElement returns the largest index of the layout in its storage.
func lastElement(shape, strides []int64, offset int64) (last int64, ok bool) {
	if offset < 0 {
		return 0, false
	}
	last = offset
	for i, n := range shape {
		if strides[i] < 0 {
			return 0, false
		}
		if n == 0 {
			continue
		}
		reach, ok := multiply(n-1, strides[i])
		if !ok || last > math.MaxInt64-reach {
			return 0, false
		}
		last += reach
	}
	return last, true
}

// multiply multiplies two non-negative numbers; it returns false on overflow.
func multiply(a, b int64) (int64, bool) {
	if a < 0 || b < 0 {
		return 0, false
	}
	high, low := bits.Mul64(uint64(a), uint64(b))
	return int64(low), high == 0 && low <= math.MaxInt64
}

func rowMajor(shape []int64) []int64 {
	strides := make([]int64, len(shape))
	step := int64(1)
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = step
		step *= max(shape[i], 1)
	}
	return strides
}
