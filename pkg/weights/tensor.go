package weights

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
)

const (
	// maxDims is more dimensions than any weight has.
	maxDims = 32
	// A tensor may repeat its storage's elements (torch.expand, as_strided), but
	// not so often that a small file asks its reader for much memory: up to
	// freeElements in any way, beyond that maxRepeat times the storage.
	freeElements = 1 << 20
	maxRepeat    = 64
)

// Tensor is one tensor of an open File. Its values stay in the file until they are read.
type Tensor struct {
	Name  string
	DType DType
	Shape []int64

	strides []int64 // in elements, none negative
	offset  int64   // of the first element, in elements
	count   int64
	store   *storage
	path    string // of the file, for messages
}

// newTensor lays a tensor over a storage. It is an error when any element would
// lie outside the storage or a size overflows. strides nil means row-major.
func newTensor(dtype DType, shape, strides []int64, offset int64, store *storage) (*Tensor, error) {
	if len(shape) > maxDims {
		return nil, malformed("%d dimensions, more than %d", len(shape), maxDims)
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
		return nil, malformed("shape %v, strides %v, offset %d reach outside %s, which holds %d elements",
			shape, strides, offset, store.name, held)
	}
	if count > freeElements && count/maxRepeat > held {
		return nil, malformed("shape %v repeats the %d elements of %s too often", shape, held, store.name)
	}
	return &Tensor{DType: dtype, Shape: shape, strides: strides, offset: offset, count: count, store: store}, nil
}

// NumElements is the product of the shape; 1 for a scalar.
func (t *Tensor) NumElements() int64 { return t.count }

// Transpose returns the matrix [N, M] over the same bytes as the matrix t [M, N].
func (t *Tensor) Transpose() (*Tensor, error) {
	if len(t.Shape) != 2 {
		return nil, fmt.Errorf("transposing %s: shape %v is no matrix", t.Name, t.Shape)
	}
	turned := *t
	turned.Shape = []int64{t.Shape[1], t.Shape[0]}
	turned.strides = []int64{t.strides[1], t.strides[0]}
	return &turned, nil
}

// ReadFloat32 fills dst with the values in row-major order, converted to float32;
// len(dst) must be NumElements. It holds a small chunk of the file at a time. The
// first such read of a part of an archive compares the part's checksum.
func (t *Tensor) ReadFloat32(dst []float32) error {
	if int64(len(dst)) != t.count {
		return t.fail(fmt.Errorf("room for %d values, it has %d", len(dst), t.count))
	}
	if len(dst) == 0 {
		return nil
	}
	var err error
	if t.rowMajor() {
		err = t.readContiguous(dst)
	} else {
		err = t.readStrided(dst)
	}
	if err == nil {
		err = t.store.verify()
	}
	if err != nil {
		return t.fail(err)
	}
	return nil
}

// ReadFinite is ReadFloat32 for values that are used to compute with: one that is
// NaN, infinite or too large for a float32 is an error that says where it stands.
func (t *Tensor) ReadFinite(dst []float32) error {
	if err := t.ReadFloat32(dst); err != nil {
		return err
	}
	return t.checkFinite(dst, 0)
}

// EachFinite visits the values that ReadFinite would give, in order and in runs
// that are valid only during a visit. It holds a small chunk of the file, but all
// values of a tensor that is not stored row-major. An error may come after visits.
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
		if wrong == nil {
			wrong = t.checkFinite(run, (at-from)/size)
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

// checkFinite names the first of values, which begin with the tensor's value at, that is no finite number.
func (t *Tensor) checkFinite(values []float32, at int64) error {
	if finite(values) {
		return nil
	}
	wrong := slices.IndexFunc(values, func(v float32) bool { return !finite([]float32{v}) })
	return t.fail(malformed("value %d of %d (row-major) is %v, which is no finite number", at+int64(wrong)+1, t.count, values[wrong]))
}

// finite says that no value is NaN or infinite: that no exponent is all ones.
func finite(values []float32) bool {
	const magnitude, exponentStep = 1<<31 - 1, 1 << 23
	var carried uint32 // its top bit is that of any value whose exponent overflows
	for _, v := range values {
		carried |= math.Float32bits(v)&magnitude + exponentStep
	}
	return carried>>31 == 0
}

func (t *Tensor) fail(err error) error {
	return fmt.Errorf("reading tensor %s of %s: %w", t.Name, t.path, err)
}

func (t *Tensor) readContiguous(dst []float32) error {
	size := t.DType.Size()
	from := t.offset * size
	length := int64(len(dst)) * size
	return t.store.stream(from, from+length, make([]byte, min(chunkSize, length)), func(at int64, raw []byte) {
		first := (at - from) / size
		t.DType.decodeFloat32(dst[first:first+int64(len(raw))/size], raw)
	})
}

// rowMajor says that the values lie in the file as they are given, one after the other.
func (t *Tensor) rowMajor() bool {
	return slices.Equal(simplify(t.Shape, t.strides), simplify(t.Shape, rowMajor(t.Shape)))
}

// simplify returns the strides of the dimensions that are not of size 1, whose strides say nothing.
func simplify(shape, strides []int64) []int64 {
	telling := make([]int64, 0, len(shape))
	for i, n := range shape {
		if n != 1 {
			telling = append(telling, strides[i])
		}
	}
	return telling
}

// product multiplies sizes; not ok when one is negative or the product overflows.
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

// lastElement is the largest index that the layout reaches in its storage.
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

// multiply multiplies two numbers that are not negative.
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
