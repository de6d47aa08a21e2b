package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// EventWriter writes each event as one JSON object on a line of its own, whose
// first field "event" names its kind. It serves --log json and a run's
// log.jsonl. It is not safe for concurrent use.
type EventWriter struct {
	w   io.Writer
	now func() time.Time
}

// NewEventWriter returns a writer to w, which the caller keeps. Where now is
// not nil, each line holds its time.
func NewEventWriter(w io.Writer, now func() time.Time) *EventWriter {
	return &EventWriter{w, now}
}

// Write writes one line in a single call of the underlying writer.
func (e *EventWriter) Write(event Event) error {
	content, err := encodeJSON(event)
	if err != nil {
		return fmt.Errorf("encoding the event %q: %w", event.kind(), err)
	}
	head := []field{{"event", event.kind()}}
	if e.now != nil {
		head = append(head, field{"time", e.now().UTC().Format("2006-01-02T15:04:05.000Z07:00")})
	}
	var line bytes.Buffer
	if err := writeObject(&line, head); err != nil {
		return fmt.Errorf("encoding the event %q: %w", event.kind(), err)
	}
	if len(content) > len("{}") { // join both objects: {a} and {b} are {a,b}
		line.Truncate(line.Len() - 1)
		line.WriteByte(',')
		line.Write(content[1:])
	}
	line.WriteByte('\n')
	if _, err := e.w.Write(line.Bytes()); err != nil {
		return fmt.Errorf("writing the event %q: %w", event.kind(), err)
	}
	return nil
}

// ErrUnknownEvent reports a line of a kind that ReadEvent does not know, such as one
// of a later version.
var ErrUnknownEvent = errors.New("unknown kind of event")

// ReadEvent reads one line of a run's log.jsonl as EventWriter wrote it: a TrainStep,
// a TrainEpoch or a Validation. Of any other event it returns ErrUnknownEvent.
func ReadEvent(line []byte) (Event, error) {
	var head struct {
		Event string `json:"event"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, fmt.Errorf("reading an event: %w", err)
	}
	switch head.Event {
	case TrainStep{}.kind():
		return decodeEvent[TrainStep](line)
	case TrainEpoch{}.kind():
		return decodeEvent[TrainEpoch](line)
	case Validation{}.kind():
		return decodeEvent[Validation](line)
	}
	return nil, fmt.Errorf("%w: %q", ErrUnknownEvent, head.Event)
}

func decodeEvent[T Event](line []byte) (Event, error) {
	var event T
	if err := json.Unmarshal(line, &event); err != nil {
		return nil, fmt.Errorf("reading the event %q: %w", event.kind(), err)
	}
	return event, nil
}
