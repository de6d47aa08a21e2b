package weights

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"acdclip/pkg/float16"
)

// Value is one tensor to write: float32 values, or int64 values if Int64 is not nil. The
// number of values must be the product of the shape.
type Value struct {
	Name    string
	Shape   []int64
	Float32 []float32
	Int64   []int64
}

// Spec describes a tensor for a Writer. Its DType is F32, F16 or I64.
type Spec struct {
	Name  string
	DType DType
	Shape []int64
}

func (s Spec) bytes() int64 {
	count, _ := product(s.Shape)
	return count * s.DType.Size()
}

// WriteSafetensors writes a safetensors file. The bytes depend only on the arguments: the
// tensors keep their order, except that int64 ones come first so that all are aligned;
// metadata keys are sorted. It keeps no reference to the values.
func WriteSafetensors(w io.Writer, metadata map[string]string, tensors []Value) error {
	ordered := slices.Clone(tensors)
	slices.SortStableFunc(ordered, func(a, b Value) int {
		return cmp.Compare(b.dtype().Size(), a.dtype().Size())
	})
	specs := make([]Spec, len(ordered))
	for i, t := range ordered {
		specs[i] = Spec{Name: t.Name, DType: t.dtype(), Shape: t.Shape}
		if count, ok := product(t.Shape); !ok || count != int64(len(t.Float32)+len(t.Int64)) {
			return fmt.Errorf("writing safetensors: tensor %s: shape %v does not match %d values", t.Name, t.Shape, len(t.Float32)+len(t.Int64))
		}
	}
	writer, err := NewWriter(w, metadata, specs)
	if err != nil {
		return err
	}
	for _, t := range ordered {
		if t.Int64 != nil {
			err = writer.WriteInt64(t.Int64)
		} else {
			err = writer.WriteFloat32(t.Float32)
		}
		if err != nil {
			return err
		}
	}
	return writer.Close()
}

func (v Value) dtype() DType {
	if v.Int64 != nil {
		return I64
	}
	return F32
}

// Writer writes a safetensors file piece by piece, in the order of the specs, so that no
// complete tensor needs to be in memory.
type Writer struct {
	w      io.Writer
	specs  []Spec // the incomplete tensors
	left   int64  // number of missing values of the first incomplete tensor
	buffer []byte
}

// NewWriter writes the header. The specs must have distinct names and valid shapes, and be
// ordered from the widest to the narrowest element type, so that all tensors are aligned.
func NewWriter(w io.Writer, metadata map[string]string, specs []Spec) (*Writer, error) {
	if err := checkSpecs(metadata, specs); err != nil {
		return nil, fmt.Errorf("writing safetensors: %w", err)
	}
	head, err := encodeHeader(metadata, specs)
	if err != nil {
		return nil, fmt.Errorf("writing safetensors: %w", err)
	}
	if _, err := w.Write(head); err != nil {
		return nil, fmt.Errorf("writing safetensors: %w", err)
	}
	writer := &Writer{w: w, specs: specs, buffer: make([]byte, 0, chunkSize)}
	writer.next()
	return writer, nil
}

func checkSpecs(metadata map[string]string, specs []Spec) error {
	for key, value := range metadata {
		if !utf8.ValidString(key) || !utf8.ValidString(value) || strings.ContainsRune(key, utf8.RuneError) {
			return fmt.Errorf("metadata %.200q is not UTF-8, or its key contains U+FFFD", key)
		}
	}
	seen := make(map[string]bool, len(specs))
	total, widest := int64(0), int64(math.MaxInt64)
	for _, s := range specs {
		switch {
		case s.Name == metadataKey || len(s.Name) > maxName ||
			!utf8.ValidString(s.Name) || strings.ContainsRune(s.Name, utf8.RuneError):
			return fmt.Errorf("invalid tensor name %.200q", s.Name)
		case seen[s.Name]:
			return fmt.Errorf("duplicate tensor %s", s.Name)
		case s.DType != F32 && s.DType != F16 && s.DType != I64:
			return fmt.Errorf("tensor %s: writing %s is not supported", s.Name, s.DType)
		case s.DType.Size() > widest:
			return fmt.Errorf("tensor %s: %s comes after a narrower type", s.Name, s.DType)
		case len(s.Shape) > maxDims:
			return fmt.Errorf("tensor %s has %d dimensions", s.Name, len(s.Shape))
		}
		seen[s.Name], widest = true, s.DType.Size()
		count, ok := product(s.Shape)
		bytes, fits := multiply(count, s.DType.Size())
		if !ok || !fits || total > math.MaxInt64-bytes {
			return fmt.Errorf("tensor %s: shape %v is negative or overflows", s.Name, s.Shape)
		}
		total += bytes
	}
	return nil
}

// next skips complete tensors and sets left for the next one.
func (w *Writer) next() {
	for len(w.specs) > 0 {
		if w.left, _ = product(w.specs[0].Shape); w.left > 0 {
			return
		}
		w.specs = w.specs[1:]
	}
}

// WriteFloat32 writes the next values of the current tensor, rounded to float16 if its DType is F16.
func (w *Writer) WriteFloat32(values []float32) error {
	return writeValues(w, values, func(b []byte, dtype DType, v float32) ([]byte, bool) {
		switch dtype {
		case F32:
			return binary.LittleEndian.AppendUint32(b, math.Float32bits(v)), true
		case F16:
			return binary.LittleEndian.AppendUint16(b, float16.FromFloat32(v)), true
		}
		return b, false
	})
}

// WriteInt64 writes the next values of the current tensor.
func (w *Writer) WriteInt64(values []int64) error {
	return writeValues(w, values, func(b []byte, dtype DType, v int64) ([]byte, bool) {
		return binary.LittleEndian.AppendUint64(b, uint64(v)), dtype == I64
	})
}

func writeValues[T float32 | int64](w *Writer, values []T, encode func([]byte, DType, T) ([]byte, bool)) error {
	for len(values) > 0 {
		if len(w.specs) == 0 {
			return fmt.Errorf("writing safetensors: %d values more than the shapes need", len(values))
		}
		spec := w.specs[0]
		piece := values[:min(int64(len(values)), w.left, chunkSize/8)]
		w.buffer = w.buffer[:0]
		for _, v := range piece {
			var ok bool
			if w.buffer, ok = encode(w.buffer, spec.DType, v); !ok {
				return fmt.Errorf("writing safetensors: tensor %s has the type %s", spec.Name, spec.DType)
			}
		}
		if _, err := w.w.Write(w.buffer); err != nil {
			return fmt.Errorf("writing safetensors: tensor %s: %w", spec.Name, err)
		}
		values = values[len(piece):]
		if w.left -= int64(len(piece)); w.left == 0 {
			w.specs = w.specs[1:]
			w.next()
		}
	}
	return nil
}

// Close checks that every value was written. It does not close the underlying writer.
func (w *Writer) Close() error {
	if len(w.specs) > 0 {
		return fmt.Errorf("writing safetensors: tensor %s lacks %d values", w.specs[0].Name, w.left)
	}
	return nil
}
