// Package outbox posts messages to a webhook, in their order, and keeps each on disk until the
// receiver has it.
//
// A Spool keeps messages in a folder, which one process uses at a time:
//
//	id              a random text that makes the ids of its messages its own
//	00000001.jsonl  a segment: messages, one a line, each synced before Add returns
//	delivered       how far the segments are delivered
//	refused.jsonl   the messages that the receiver refused, with its reasons
//
// A process writes only segments that it has begun. So a line that a killed process or a power
// cut left incomplete stays the last one of its segment, and is ignored: its Add has not returned.
// A segment whose messages are all delivered is removed.
package outbox

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"acdclip/pkg/atomicfile"
	"acdclip/pkg/regularfile"
)

// The files of a spool.
const (
	idFile        = "id"
	deliveredFile = "delivered"
	refusedFile   = "refused.jsonl"
	segmentEnd    = ".jsonl"
)

// segmentBytes is the size after which a segment is not continued.
const segmentBytes = 1 << 20

// maxSegment is more segments than there can be; a larger number is no segment's.
const maxSegment = 1_000_000_000_000

// Spool keeps messages on disk until they are delivered. One goroutine may call Add while
// another one delivers.
type Spool struct {
	folder string
	id     string

	mutex    sync.Mutex
	segments []int // those with messages to deliver, in their order; the last one is out's if there is an out
	newest   int   // the largest number of a segment that there was
	out      *os.File
	size     int64 // of out's complete messages
	waiting  int
	refused  int    // by this process
	at       place  // of the first message that is not delivered
	in       source // the segment of it
	added    chan struct{}
}

// place is where a message begins.
type place struct {
	Segment int   `json:"segment"`
	Offset  int64 `json:"offset"` // in bytes
}

// source is the segment that is read.
type source struct {
	segment int
	file    *os.File // nil for none
}

// Exists reports whether there is a spool at a path.
func Exists(folder string) bool {
	_, err := regularfile.Stat(filepath.Join(folder, idFile))
	return err == nil
}

// Open opens the spool in a folder, or begins one. The caller closes it, and must see to it
// that no other process uses the folder.
func Open(folder string) (*Spool, error) {
	s := &Spool{folder: folder, added: make(chan struct{}, 1)}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("opening the messages to post in %s: %w", folder, err)
	}
	return s, nil
}

func (s *Spool) open() error {
	if err := os.MkdirAll(s.folder, 0o755); err != nil {
		return err
	}
	if err := s.identify(); err != nil {
		return err
	}
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if number, ok := segmentNumber(entry.Name()); ok && entry.Type().IsRegular() {
			s.segments = append(s.segments, number)
		}
	}
	slices.Sort(s.segments)
	if s.at, err = readPlace(filepath.Join(s.folder, deliveredFile)); err != nil {
		return err
	}
	s.newest = s.at.Segment
	if len(s.segments) > 0 {
		s.newest = max(s.newest, s.segments[len(s.segments)-1])
	}
	for len(s.segments) > 0 && s.segments[0] < s.at.Segment { // delivered, and there again after a power cut
		if err := s.drop(); err != nil {
			return err
		}
	}
	return s.count()
}

// identify reads the spool's id, or makes one.
func (s *Spool) identify() error {
	path := filepath.Join(s.folder, idFile)
	const most = 64
	content, err := regularfile.Head(path, most+1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.id = rand.Text()
		return atomicfile.Write(path, func(w io.Writer) error {
			_, err := io.WriteString(w, s.id)
			return err
		})
	case err != nil:
		return err
	case len(content) == 0 || len(content) > most:
		return fmt.Errorf("%s is damaged; move the folder away to begin another", path)
	}
	s.id = string(content)
	return nil
}

// ID returns the id of a message that is known by parts: 32 hexadecimal digits, the same ones
// for the same parts in this spool, and others in any other.
func (s *Spool) ID(parts ...string) string {
	hash := sha256.New()
	for _, part := range append([]string{s.id}, parts...) {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}

// Waiting is the number of messages that are not delivered.
func (s *Spool) Waiting() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.waiting
}

// Folder is where the messages are.
func (s *Spool) Folder() string { return s.folder }

// Add keeps a message, whose body is JSON. When it returns nil, the message will be delivered,
// whatever happens to the process and the machine.
func (s *Spool) Add(id string, body []byte) error {
	line, err := encode(Message{ID: id, Time: time.Now().UTC(), Body: body})
	if err != nil {
		return fmt.Errorf("keeping a message to post: %w", err)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err := s.write(line); err != nil {
		return fmt.Errorf("keeping a message to post: %w", err)
	}
	s.waiting++
	select {
	case s.added <- struct{}{}:
	default: // it is said already
	}
	return nil
}

// write appends a line to the last segment. After an error the next line begins another one.
func (s *Spool) write(line []byte) error {
	if s.out != nil && s.size >= segmentBytes {
		if err := s.end(); err != nil {
			return err
		}
	}
	if s.out == nil {
		if err := s.begin(); err != nil {
			return err
		}
	}
	_, err := s.out.Write(line)
	if err == nil {
		err = s.out.Sync()
	}
	if err != nil {
		return errors.Join(err, s.out.Truncate(s.size), s.end())
	}
	s.size += int64(len(line))
	return nil
}

// begin begins a segment.
func (s *Spool) begin() error {
	path := s.path(s.newest + 1)
	if err := atomicfile.Write(path, func(io.Writer) error { return nil }); err != nil { // so that its name survives a power cut
		return err
	}
	var err error
	if s.out, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return err
	}
	s.newest++
	s.segments, s.size = append(s.segments, s.newest), 0
	return nil
}

// end ends the segment that is written.
func (s *Spool) end() error {
	if s.out == nil {
		return nil
	}
	err := s.out.Close()
	s.out = nil
	return err
}

// Close closes the files. Messages that are not delivered stay.
func (s *Spool) Close() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	err := s.end()
	if s.waiting == 0 {
		for len(s.segments) > 0 {
			if dropping := s.drop(); dropping != nil {
				return errors.Join(err, dropping)
			}
		}
	}
	return errors.Join(err, s.leave())
}

// drop removes the first segment.
func (s *Spool) drop() error {
	if s.in.segment == s.segments[0] {
		if err := s.leave(); err != nil {
			return err
		}
	}
	if err := os.Remove(s.path(s.segments[0])); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.segments = s.segments[1:]
	return nil
}

// leave closes the segment that is read.
func (s *Spool) leave() error {
	if s.in.file == nil {
		return nil
	}
	err := s.in.file.Close()
	s.in = source{}
	return err
}

func (s *Spool) path(segment int) string {
	return filepath.Join(s.folder, fmt.Sprintf("%08d%s", segment, segmentEnd))
}

// segmentNumber is the number of the segment of a name.
func segmentNumber(name string) (int, bool) {
	const digits = 8
	if len(name) < digits || name[len(name)-len(segmentEnd):] != segmentEnd {
		return 0, false
	}
	number, err := strconv.Atoi(name[:len(name)-len(segmentEnd)])
	return number, err == nil && number > 0 && number < maxSegment && name == fmt.Sprintf("%08d%s", number, segmentEnd)
}

// readPlace reads how far segments are delivered. What is damaged says that nothing is, since a
// message may be delivered twice, but not left out.
func readPlace(path string) (place, error) {
	const most = 1 << 10
	content, err := regularfile.Head(path, most)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return place{}, err
	}
	var p place
	if json.Unmarshal(content, &p) != nil || p.Segment < 0 || p.Segment >= maxSegment || p.Offset < 0 {
		return place{}, nil
	}
	return p, nil
}
