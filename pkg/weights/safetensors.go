package weights

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxHeader limits the memory for a header. The safetensors library allows 100 MB;
	// the largest models' headers have about 0.1 MB, and that of a checkpoint with the
	// hashes of a million pictures has 20 MB.
	maxHeader = 32_000_000
	// maxTensors is about fifty times the number of tensors of the largest CLIP.
	maxTensors  = 100_000
	metadataKey = "__metadata__"
)

// readSafetensors lists the tensors of a safetensors file: eight bytes with the header
// length, a JSON header, and the data, which the tensors cover without gaps or overlaps.
func readSafetensors(r io.ReaderAt, size int64) (*File, error) {
	var prefix [8]byte
	if _, err := r.ReadAt(prefix[:], 0); err != nil {
		return nil, fmt.Errorf("reading the header length: %w", err)
	}
	length := binary.LittleEndian.Uint64(prefix[:])
	if length > maxHeader {
		return nil, malformed("the safetensors header length is %d, the maximum is %d", length, maxHeader)
	}
	begin := 8 + int64(length)
	if begin > size {
		return nil, malformed("the safetensors header of %d bytes is longer than the file of %d bytes", length, size)
	}
	h := &header{data: &storage{file: r, name: "the safetensors data", offset: begin, packed: size - begin, size: size - begin}}
	if err := h.parse(io.NewSectionReader(r, 8, int64(length))); err != nil {
		return nil, fmt.Errorf("safetensors header: %w", err)
	}
	if err := h.checkCoverage(); err != nil {
		return nil, err
	}
	file := &File{Format: FormatSafetensors, Metadata: h.metadata, Scalars: map[string]any{}}
	for _, e := range h.entries {
		file.Tensors = append(file.Tensors, e.tensor)
	}
	return file, nil
}

// header parses a header token by token, so that its memory is proportional to the tensors
// and duplicate keys are detected.
type header struct {
	decoder   *json.Decoder
	data      *storage
	described bool // __metadata__ was read
	metadata  map[string]string
	entries   []headerEntry
}

type headerEntry struct {
	tensor     *Tensor
	begin, end int64
}

func (h *header) parse(r io.Reader) error {
	h.decoder = json.NewDecoder(r)
	h.decoder.UseNumber()
	err := h.object(func(name string) error {
		if name == metadataKey {
			return h.parseMetadata()
		}
		if len(h.entries) >= maxTensors {
			return malformed("more than %d tensors", maxTensors)
		}
		if len(name) > maxName {
			return malformed("the name %.40q... has more than %d bytes", name, maxName)
		}
		if err := h.parseTensor(name); err != nil {
			return fmt.Errorf("tensor %.200q: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := h.decoder.Token(); err != io.EOF {
		return malformed("unexpected data after the JSON object")
	}
	return nil
}

// parseMetadata reads an object of strings, or null.
func (h *header) parseMetadata() error {
	if h.described {
		return malformed("duplicate key %s", metadataKey)
	}
	h.described = true
	token, err := h.token()
	if err != nil || token == nil {
		return err
	}
	if token != json.Delim('{') {
		return malformed("%s must be an object or null", metadataKey)
	}
	h.metadata = map[string]string{}
	return h.members(func(key string) error {
		if _, twice := h.metadata[key]; twice {
			return malformed("duplicate metadata key %.200q", key)
		}
		if len(h.metadata) >= maxTensors {
			return malformed("more than %d metadata entries", maxTensors)
		}
		value, err := h.text()
		h.metadata[key] = value
		return err
	})
}

func (h *header) parseTensor(name string) error {
	var dtype, shape, offsets = DType(0), []int64(nil), []int64(nil)
	err := h.object(func(key string) (err error) {
		switch {
		case key == "dtype" && dtype == 0:
			dtype, err = h.dtype()
		case key == "shape" && shape == nil:
			shape, err = h.integers(maxDims)
		case key == "data_offsets" && offsets == nil:
			offsets, err = h.integers(2)
		default:
			return malformed("unknown or duplicate key %.200q", key)
		}
		return err
	})
	if err != nil {
		return err
	}
	if dtype == 0 || shape == nil || len(offsets) != 2 {
		return malformed("dtype, shape or data_offsets is missing")
	}
	return h.add(name, dtype, shape, offsets[0], offsets[1])
}

// add checks a tensor's size against its offsets and the file, and adds it.
func (h *header) add(name string, dtype DType, shape []int64, begin, end int64) error {
	if begin < 0 || end < begin || end > h.data.size {
		return malformed("data_offsets [%d, %d] are outside the data of %d bytes", begin, end, h.data.size)
	}
	own := &storage{file: h.data.file, name: h.data.name, offset: h.data.offset + begin, packed: end - begin, size: end - begin}
	tensor, err := newTensor(dtype, shape, nil, 0, own)
	if err != nil {
		return err
	}
	if bytes, ok := multiply(tensor.count, dtype.Size()); !ok || bytes != end-begin {
		return malformed("shape %v of %s needs %d bytes, but data_offsets [%d, %d] are %d bytes", shape, dtype, bytes, begin, end, end-begin)
	}
	tensor.Name = name
	h.entries = append(h.entries, headerEntry{tensor, begin, end})
	return nil
}

// checkCoverage sorts the tensors by data offset and checks that they cover the data exactly once.
func (h *header) checkCoverage() error {
	slices.SortStableFunc(h.entries, func(a, b headerEntry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	covered := int64(0)
	for _, e := range h.entries {
		if e.begin < covered {
			return malformed("tensor %.200q overlaps another: it begins at byte %d of the data, the previous one ends at %d",
				e.tensor.Name, e.begin, covered)
		}
		if e.begin > covered {
			return malformed("bytes %d to %d of the data, before tensor %.200q, belong to no tensor", covered, e.begin, e.tensor.Name)
		}
		covered = e.end
	}
	if covered != h.data.size {
		return malformed("the last %d bytes belong to no tensor (a padded file)", h.data.size-covered)
	}
	return nil
}

// token returns the next JSON token. It distinguishes invalid JSON from read errors.
func (h *header) token() (json.Token, error) {
	token, err := h.decoder.Token()
	if err == nil {
		return token, nil
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, malformed("invalid JSON (%v)", err)
	}
	return nil, err
}

// object reads an object and calls value for each key.
func (h *header) object(value func(key string) error) error {
	if err := h.delim('{'); err != nil {
		return err
	}
	return h.members(value)
}

// members is object after the opening brace.
func (h *header) members(value func(key string) error) error {
	for h.decoder.More() {
		key, err := h.text()
		if err != nil {
			return err
		}
		// The decoder substitutes U+FFFD for invalid Unicode.
		if strings.ContainsRune(key, utf8.RuneError) {
			return malformed("the name %.200q contains U+FFFD or invalid Unicode", key)
		}
		if err := value(key); err != nil {
			return err
		}
	}
	return h.delim('}')
}

func (h *header) delim(want json.Delim) error {
	token, err := h.token()
	if err != nil {
		return err
	}
	if token != want {
		return malformed("expected %v, got %.40q", want, describeToken(token))
	}
	return nil
}

func describeToken(token json.Token) string {
	if token == nil {
		return "null"
	}
	return fmt.Sprint(token)
}

func (h *header) text() (string, error) {
	token, err := h.token()
	if err != nil {
		return "", err
	}
	s, ok := token.(string)
	if !ok {
		return "", malformed("expected text, got %.40q", describeToken(token))
	}
	return s, nil
}

func (h *header) dtype() (DType, error) {
	name, err := h.text()
	if err != nil {
		return 0, err
	}
	dtype, ok := dtypeByName(name)
	if !ok {
		return 0, unsupported("element type %.40q", name)
	}
	return dtype, nil
}

// integers reads a list of at most limit integers. The result is not nil unless there is an error.
func (h *header) integers(limit int) ([]int64, error) {
	if err := h.delim('['); err != nil {
		return nil, err
	}
	numbers := []int64{}
	for h.decoder.More() {
		token, err := h.token()
		if err != nil {
			return nil, err
		}
		number, ok := token.(json.Number)
		if !ok || len(numbers) == limit {
			return nil, malformed("expected a list of at most %d integers", limit)
		}
		n, err := number.Int64()
		if err != nil || n < 0 {
			return nil, malformed("invalid size %.40q: expected a non-negative integer below 2^63", number.String())
		}
		numbers = append(numbers, n)
	}
	return numbers, h.delim(']')
}

// encodeHeader returns the header for the given tensors, padded so that the data is aligned.
func encodeHeader(metadata map[string]string, specs []Spec) ([]byte, error) {
	var b bytes.Buffer
	b.Write(make([]byte, 8))
	b.WriteByte('{')
	if metadata != nil {
		text, err := json.Marshal(metadata) // sorts the keys
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%q:%s", metadataKey, text)
	}
	begin := int64(0)
	for i, spec := range specs {
		end := begin + spec.bytes()
		if i > 0 || metadata != nil {
			b.WriteByte(',')
		}
		name, err := json.Marshal(spec.Name)
		if err != nil {
			return nil, err
		}
		shape, err := json.Marshal(append([]int64{}, spec.Shape...)) // [], not null, for a scalar
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, `%s:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, name, spec.DType, shape, begin, end)
		begin = end
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len()-8 > maxHeader {
		return nil, fmt.Errorf("the header has %d bytes, the maximum is %d", b.Len()-8, maxHeader)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(b.Len()-8))
	return b.Bytes(), nil
}
