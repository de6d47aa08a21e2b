package outbox

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"acdclip/pkg/atomicfile"
)

// count counts the messages that are not delivered, and checks where the first one begins.
func (s *Spool) count() error {
	for i, segment := range s.segments {
		file, err := os.Open(s.path(segment))
		if err != nil {
			return err
		}
		from := int64(0)
		if i == 0 && segment == s.at.Segment && beginsLine(file, s.at.Offset) {
			from = s.at.Offset
		}
		if i == 0 {
			s.at = place{segment, from}
		}
		lines, err := countLines(file, from)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
		s.waiting += lines
	}
	return nil
}

// beginsLine reports whether a line begins, or would begin, at an offset of a file.
func beginsLine(file io.ReaderAt, offset int64) bool {
	if offset == 0 {
		return true
	}
	before := make([]byte, 1)
	_, err := file.ReadAt(before, offset-1)
	return err == nil && before[0] == '\n'
}

// countLines counts the complete lines of a file from an offset on.
func countLines(file *os.File, from int64) (int, error) {
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return 0, err
	}
	reader := bufio.NewReader(file)
	for lines := 0; ; lines++ {
		switch _, _, err := nextLine(reader); {
		case errors.Is(err, io.EOF):
			return lines, nil
		case err != nil:
			return lines, err
		}
	}
}

// head is the first message that is not delivered.
type head struct {
	Message
	length  int64 // of its line
	damaged error // nil if it is a message
}

// first returns the first message that is not delivered; nil if there is none.
func (s *Spool) first() (*head, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for len(s.segments) > 0 {
		h, err := s.read()
		if h != nil || err != nil {
			return h, err
		}
		if s.out != nil && len(s.segments) == 1 { // more will come
			return nil, nil
		}
		if err := s.drop(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// read reads the first message of the first segment that is not delivered; nil if there is none.
func (s *Spool) read() (*head, error) {
	segment := s.segments[0]
	if s.at.Segment != segment {
		s.at = place{Segment: segment}
	}
	if s.in.segment != segment {
		if err := s.leave(); err != nil {
			return nil, err
		}
		file, err := os.Open(s.path(segment))
		if err != nil {
			return nil, err
		}
		s.in = source{segment, file}
	}
	const all = 1 << 62
	size := int64(all)
	if s.out != nil && segment == s.newest {
		size = s.size
	}
	m, length, err := readMessage(io.NewSectionReader(s.in.file, s.at.Offset, size-s.at.Offset))
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil
	case errors.Is(err, errDamaged):
		return &head{m, length, err}, nil
	case err != nil:
		return nil, err
	}
	return &head{m, length, nil}, nil
}

// done notes that the first message is delivered. Where the error is not nil, it is known now
// but may be delivered once more by a later process.
func (s *Spool) done(h *head) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.at.Offset += h.length
	s.waiting--
	err := atomicfile.WriteQuickly("", filepath.Join(s.folder, deliveredFile), func(w io.Writer) error { return json.NewEncoder(w).Encode(s.at) })
	if err != nil {
		return fmt.Errorf("noting what is delivered: %w", err)
	}
	return nil
}

// refuse moves the first message to the refused ones.
func (s *Spool) refuse(h *head, reason string) error {
	line, err := json.Marshal(refusal{h.Message, reason})
	if err == nil {
		err = appendSynced(s.RefusedFile(), append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("keeping a message that was refused: %w", err)
	}
	s.mutex.Lock()
	s.refused++
	s.mutex.Unlock()
	return s.done(h)
}

// RefusedFile is the file of the messages that the receiver refused.
func (s *Spool) RefusedFile() string { return filepath.Join(s.folder, refusedFile) }

// Refused is the number of messages that were refused since the spool was opened.
func (s *Spool) Refused() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.refused
}

// appendSynced adds a line to a file. A half line that was left there before is ended first.
func appendSynced(path string, line []byte) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && !beginsLine(file, info.Size()) {
		line = append([]byte("\n"), line...)
	}
	if err == nil {
		_, err = file.Write(line)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
