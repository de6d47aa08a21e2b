// Package sealed writes and reads JSON objects with a checksum of their content. Reading
// an object whose values were changed or damaged gives an error.
package sealed

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"

	"acdclip/pkg/regularfile"
)

// Key is the key of the entry with the SHA-256 of all other entries.
const Key = "sha256"

// ErrDamaged reports content that was changed after it was written.
var ErrDamaged = errors.New("its content was changed after it was written")

// ErrNoSum reports an object without a checksum. It wraps ErrDamaged.
var ErrNoSum = fmt.Errorf("%w: it has no entry %q with the checksum of the other entries", ErrDamaged, Key)

// Marshal encodes v as JSON on one line, with the checksum as its last entry. v must
// encode to an object with at least one entry and without the key Key.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // the files are not web pages
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	text := bytes.TrimSpace(b.Bytes())
	_, sum, err := split(text)
	if err != nil {
		return nil, err
	}
	text = text[:len(text)-1] // the closing brace
	return fmt.Appendf(bytes.Clone(text), ",%q:%q}", Key, sum), nil
}

// MarshalIndent is Marshal with one line per entry.
func MarshalIndent(v any) ([]byte, error) {
	text, err := Marshal(v)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// Unmarshal verifies the checksum and decodes the output of Marshal. The error wraps
// ErrDamaged if the checksum is wrong or missing. The checksum does not depend on the
// spelling of numbers and strings or on white space.
func Unmarshal(text []byte, v any) error {
	stored, sum, err := split(text)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case stored == "":
		return ErrNoSum
	case stored != sum:
		return fmt.Errorf("%w: the checksum in its entry %q does not match", ErrDamaged, Key)
	}
	return json.Unmarshal(text, v)
}

// Read is Unmarshal for the regular file at path, of at most limit bytes.
func Read(path string, limit int64, v any) error {
	text, err := regularfile.Head(path, limit+1)
	if err != nil {
		return err
	}
	if int64(len(text)) > limit {
		return fmt.Errorf("%w: it is larger than %d bytes", ErrDamaged, limit)
	}
	return Unmarshal(text, v)
}

// Write writes the output of Marshal and a newline.
func Write(w io.Writer, v any) error {
	text, err := Marshal(v)
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	return err
}

// split returns the checksum stored in an object, "" for none, and the computed checksum of
// its other entries, over their names and values in order. It needs no more memory than
// text.
func split(text []byte) (stored, sum string, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return "", "", cmp.Or(err, errors.New("it is not an object"))
	}
	hash, entries := sha256.New(), 0
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return "", "", err
		}
		if name == Key {
			var value any
			if err := decoder.Decode(&value); err != nil {
				return "", "", err
			}
			stored, _ = value.(string)
			continue
		}
		entries++
		add(hash, name)
		if err := addValue(hash, decoder); err != nil {
			return "", "", err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return "", "", err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return "", "", cmp.Or(err, errors.New("it has unexpected data after its end"))
	}
	if entries == 0 {
		return "", "", errors.New("it has no entries")
	}
	return stored, hex.EncodeToString(hash.Sum(nil)), nil
}

// addValue adds the decoder's next value to a checksum, token by token.
func addValue(sum hash.Hash, decoder *json.Decoder) error {
	depth := 0
	for {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		add(sum, token)
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// add adds a token in a canonical form, in which 1.0 and 1e0 are equal.
func add(sum hash.Hash, token any) {
	if number, ok := token.(json.Number); ok {
		text := number.String()
		if strings.ContainsAny(text, ".eE") {
			if value, err := number.Float64(); err == nil {
				text = strconv.FormatFloat(value, 'g', -1, 64)
			}
		}
		fmt.Fprintf(sum, "number %s\n", text)
		return
	}
	fmt.Fprintf(sum, "%T %q\n", token, fmt.Sprint(token))
}
