package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Writer writes events as JSON lines: one object per line, whose first field "event" is
// the event's kind. It is used for --log json and for a run's log.jsonl. It is not safe
// for concurrent use.
type Writer struct {
	w   io.Writer
	now func() time.Time
}

// NewWriter returns a Writer that writes to w, which the caller owns. If now is not nil,
// each line also has the time.
func NewWriter(w io.Writer, now func() time.Time) *Writer { return &Writer{w, now} }

// Write writes one line in a single call of the underlying writer.
func (e *Writer) Write(event Event) error {
	var content bytes.Buffer
	encoder := json.NewEncoder(&content)
	encoder.SetEscapeHTML(false) // keep <, > and & readable
	if err := encoder.Encode(event); err != nil {
		return fmt.Errorf("encoding the event %q: %w", event.kind(), err)
	}
	line := fmt.Appendf(nil, `{"event":%q`, event.kind())
	if e.now != nil {
		line = fmt.Appendf(line, `,"time":%q`, e.now().UTC().Format("2006-01-02T15:04:05.000Z07:00"))
	}
	if fields := content.Bytes()[1:]; fields[0] == '}' {
		line = append(line, fields...)
	} else {
		line = append(append(line, ','), fields...)
	}
	if _, err := e.w.Write(line); err != nil {
		return fmt.Errorf("writing the event %q: %w", event.kind(), err)
	}
	return nil
}

// ErrUnknown reports a line with an unknown kind of event, such as one written by a later
// version.
var ErrUnknown = errors.New("unknown kind of event")

// Read decodes one line of a run's log.jsonl to a TrainStep, a TrainEpoch or a
// Validation. Any other event is ErrUnknown.
func Read(line []byte) (Event, error) {
	var head struct {
		Event string `json:"event"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, fmt.Errorf("reading an event: %w", err)
	}
	switch head.Event {
	case TrainStep{}.kind():
		return decode[TrainStep](line)
	case TrainEpoch{}.kind():
		return decode[TrainEpoch](line)
	case Validation{}.kind():
		return decode[Validation](line)
	}
	return nil, fmt.Errorf("%w: %q", ErrUnknown, head.Event)
}

func decode[T Event](line []byte) (Event, error) {
	var event T
	if err := json.Unmarshal(line, &event); err != nil {
		return nil, fmt.Errorf("reading the event %q: %w", event.kind(), err)
	}
	return event, nil
}
