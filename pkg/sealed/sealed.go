// Package sealed writes JSON objects that carry a sum of their content, and reads
// them back: a value that was changed or damaged since is an error.
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

// Key is the entry of an object that holds the SHA-256 of all other entries.
const Key = "sha256"

// ErrDamaged reports content that is not what was written.
var ErrDamaged = errors.New("its content is not what was written")

// ErrNoSum reports an object without a sum. It is ErrDamaged, too.
var ErrNoSum = fmt.Errorf("%w: it has no entry %q, which holds the sum of the others", ErrDamaged, Key)

// Marshal encodes v, which must become a JSON object with at least one entry and
// none of the name Key, on one line, with the sum as its last entry.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // these files are no web pages
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

// MarshalIndent is Marshal with a line an entry.
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

// Unmarshal decodes what Marshal encoded, after it has compared the sum. The error
// wraps ErrDamaged where that differs or is missing. How numbers and texts are
// spelled, and blanks between them, do not matter to the sum.
func Unmarshal(text []byte, v any) error {
	stored, sum, err := split(text)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case stored == "":
		return ErrNoSum
	case stored != sum:
		return fmt.Errorf("%w: the sum in its entry %q is another", ErrDamaged, Key)
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
		return fmt.Errorf("%w: it has more than %d bytes", ErrDamaged, limit)
	}
	return Unmarshal(text, v)
}

// Write writes what Marshal gives, as one line.
func Write(w io.Writer, v any) error {
	text, err := Marshal(v)
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	return err
}

// split gives the sum that an object holds, "" for none, and that of its other
// entries: of their names and values in order. It takes no more memory than text.
func split(text []byte) (stored, sum string, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return "", "", cmp.Or(err, errors.New("it is no object"))
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
		return "", "", cmp.Or(err, errors.New("something follows its end"))
	}
	if entries == 0 {
		return "", "", errors.New("it has no entries")
	}
	return stored, hex.EncodeToString(hash.Sum(nil)), nil
}

// addValue adds the decoder's next value to a sum, token by token.
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

// add adds a token in a spelling of its own: 1.0 and 1e0 are one number.
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
