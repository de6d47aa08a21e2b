package ui

import (
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
)

// broken fails after some bytes.
type broken struct {
	room int
	err  error
}

func (b *broken) Write(text []byte) (int, error) {
	if b.room -= len(text); b.room < 0 {
		return 0, b.err
	}
	return len(text), nil
}

func TestOutput(t *testing.T) {
	for _, c := range []struct {
		err    error
		unread bool
	}{{io.ErrShortWrite, false}, {syscall.EPIPE, true}} {
		o := NewOutput(&broken{4, c.err})
		if _, err := io.WriteString(o, "abcd"); err != nil || o.Err() != nil || o.Unread() {
			t.Errorf("%v, then %v", err, o.Err())
		}
		if n, err := io.WriteString(o.Quiet(), "efg"); n != 3 || err != nil {
			t.Errorf("quietly %d bytes and %v", n, err)
		}
		if err := o.Err(); !errors.Is(err, c.err) || !strings.HasPrefix(err.Error(), "writing the output: ") || o.Unread() != c.unread {
			t.Errorf("%v, unread %v; want %v, %v", err, o.Unread(), c.err, c.unread)
		}
		if _, err := io.WriteString(o, "h"); err != c.err {
			t.Errorf("then %v", err)
		}
	}
}
