package outbox

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Message is a message to post.
type Message struct {
	ID   string          `json:"id"`
	Time time.Time       `json:"time"` // when it was added
	Body json.RawMessage `json:"body"`
}

// refusal is a line of the file of refused messages.
type refusal struct {
	Message
	Reason string `json:"reason"`
}

// maxLine is the largest length of a message's line in bytes.
const maxLine = 4 << 20

// maxID is the largest length of an id in bytes.
const maxID = 255

// errDamaged reports a line that is no message.
var errDamaged = errors.New("its line on disk is damaged")

// encode returns a message's line.
func encode(m Message) ([]byte, error) {
	if !isID(m.ID) {
		return nil, fmt.Errorf("%q is no id: give 1 to %d visible ASCII characters", m.ID, maxID)
	}
	line, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	if len(line) >= maxLine {
		return nil, fmt.Errorf("the message has %d bytes, the most are %d", len(line), maxLine-1)
	}
	return append(line, '\n'), nil
}

// decode reads a message's line.
func decode(line []byte) (Message, error) {
	var m Message
	switch err := json.Unmarshal(line, &m); {
	case err != nil:
		return Message{}, fmt.Errorf("%w: %w", errDamaged, err)
	case !isID(m.ID) || len(m.Body) == 0:
		return Message{}, errDamaged
	}
	return m, nil
}

// isID reports whether a text can be an id, which is also a header's value.
func isID(text string) bool {
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return text != "" && len(text) <= maxID
}

// nextLine reads a line: its first maxLine bytes, and its length with the end of the line. The
// error is io.EOF where there is no complete line.
func nextLine(r *bufio.Reader) (line []byte, length int64, err error) {
	for {
		part, err := r.ReadSlice('\n')
		length += int64(len(part))
		line = append(line, part[:min(len(part), maxLine-len(line))]...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, length, err
		}
	}
}

// readMessage reads the first message of r and the length of its line. The error is io.EOF where
// there is no complete line, and wraps errDamaged where the line is no message; then the body is
// the line as a JSON text.
func readMessage(r io.Reader) (m Message, length int64, err error) {
	line, length, err := nextLine(bufio.NewReader(r))
	if err != nil {
		return Message{}, 0, err
	}
	if m, err = decode(line); err != nil {
		m.Body, _ = json.Marshal(string(line)) // a text cannot fail
	}
	return m, length, err
}
