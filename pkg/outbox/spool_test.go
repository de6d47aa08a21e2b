package outbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func open(t testing.TB, folder string) *Spool {
	t.Helper()
	s, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// add adds messages whose ids are their numbers.
func add(t testing.TB, s *Spool, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := s.Add(fmt.Sprint("m", n), fmt.Appendf(nil, `{"n":%d}`, n)); err != nil {
			t.Fatal(err)
		}
	}
}

// take delivers at most so many messages, and returns their ids.
func take(t testing.TB, s *Spool, most int) (ids []string) {
	t.Helper()
	for range most {
		h, err := s.first()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			break
		}
		ids = append(ids, h.ID)
		if err := s.done(h); err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

func closeSpool(t testing.TB, s *Spool) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func ids(from, to int) (list []string) {
	for n := from; n < to; n++ {
		list = append(list, fmt.Sprint("m", n))
	}
	return list
}

// TestOrder: whenever processes end, well or not, and however many messages each adds and
// delivers, all are delivered once in their order, since each delivery was noted.
func TestOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	folder := filepath.Join(t.TempDir(), "a", "outbox")
	added, got := 0, []string(nil)
	for range 60 {
		s := open(t, folder)
		if s.Waiting() != added-len(got) {
			t.Fatalf("%d messages wait, want %d", s.Waiting(), added-len(got))
		}
		for range random.IntN(4) {
			more := random.IntN(5)
			add(t, s, added, added+more)
			added += more
			got = append(got, take(t, s, random.IntN(5))...)
		}
		if random.IntN(2) == 0 { // else it was killed
			closeSpool(t, s)
		}
	}
	s := open(t, folder)
	got = append(got, take(t, s, added)...)
	if !slices.Equal(got, ids(0, added)) || added < 100 {
		t.Errorf("delivered %v of %d", got, added)
	}
	closeSpool(t, s)
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 2 { // its id, and what is delivered
		t.Errorf("%v are left, %v", left, err)
	}
}

// TestSegments: a long queue is in several files, which are removed as it is delivered.
func TestSegments(t *testing.T) {
	s := open(t, t.TempDir())
	long := `"` + strings.Repeat("x", 300<<10) + `"`
	for n := range 12 {
		if err := s.Add(fmt.Sprint("m", n), []byte(long)); err != nil {
			t.Fatal(err)
		}
	}
	files := func() int {
		matches, err := filepath.Glob(filepath.Join(s.Folder(), "0*"+segmentEnd))
		if err != nil {
			t.Fatal(err)
		}
		return len(matches)
	}
	if files() != 3 {
		t.Errorf("%d segments", files())
	}
	if got := take(t, s, 9); !slices.Equal(got, ids(0, 9)) || files() != 1 {
		t.Errorf("%v, then %d segments", got, files())
	}
	closeSpool(t, s)
	if files() != 1 {
		t.Error("messages that wait were removed")
	}
	s = open(t, s.Folder())
	if got := take(t, s, 9); !slices.Equal(got, ids(9, 12)) || files() != 0 {
		t.Errorf("%v, then %d segments", got, files())
	}
	closeSpool(t, s)
}

// TestPowerCut: the last line of a segment may be incomplete, and the note of what is delivered
// old, empty or damaged. Then messages come twice, but none is left out.
func TestPowerCut(t *testing.T) {
	for name, tear := range map[string]func(segment, delivered string) error{
		"half a line": func(segment, _ string) error {
			content, err := os.ReadFile(segment)
			return errors.Join(err, os.WriteFile(segment, append(content, `{"id":"m9","ti`...), 0o600))
		},
		"zeros": func(segment, _ string) error {
			content, err := os.ReadFile(segment)
			return errors.Join(err, os.WriteFile(segment, append(content, make([]byte, 5000)...), 0o600))
		},
		"an empty note": func(_, delivered string) error { return os.WriteFile(delivered, nil, 0o600) },
		"no note":       func(_, delivered string) error { return os.Remove(delivered) },
		"a damaged note": func(_, delivered string) error {
			return os.WriteFile(delivered, []byte(`{"segment":-1,"offset":-5}`), 0o600)
		},
		"an absurd note": func(_, delivered string) error {
			return os.WriteFile(delivered, []byte(`{"segment":9223372036854775807}`), 0o600)
		},
		"a place in a line": func(_, delivered string) error {
			return os.WriteFile(delivered, []byte(`{"segment":1,"offset":7}`), 0o600)
		},
		"a place behind": func(_, delivered string) error {
			return os.WriteFile(delivered, []byte(`{"segment":1,"offset":70000}`), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			add(t, s, 0, 5)
			take(t, s, 2)
			if err := tear(s.path(1), filepath.Join(s.Folder(), deliveredFile)); err != nil {
				t.Fatal(err)
			}
			s = open(t, s.Folder())
			add(t, s, 5, 7)
			want := ids(0, 7)
			if strings.Contains(name, "line") && name[0] == 'h' || name == "zeros" {
				want = ids(2, 7)
			}
			if s.Waiting() != len(want) {
				t.Errorf("%d messages wait, want %d", s.Waiting(), len(want))
			}
			if got := take(t, s, 10); !slices.Equal(got, want) {
				t.Errorf("delivered %v, want %v", got, want)
			}
			closeSpool(t, s)
		})
	}
}

// TestDamagedLine: a line that is no message is put aside with its text.
func TestDamagedLine(t *testing.T) {
	folder := t.TempDir()
	huge := strings.Repeat("y", maxLine+100)
	if err := os.WriteFile(filepath.Join(folder, "00000003.jsonl"), []byte("{\"id\":\n"+huge+"\n{\"id\":\"m0\",\"body\":1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, folder)
	for range 2 {
		h, err := s.first()
		if err != nil || !errors.Is(h.damaged, errDamaged) {
			t.Fatalf("%+v, %v", h, err)
		}
		if err := s.refuse(h, h.damaged.Error()); err != nil {
			t.Fatal(err)
		}
	}
	if got := take(t, s, 9); !slices.Equal(got, []string{"m0"}) {
		t.Error(got)
	}
	aside, err := os.ReadFile(s.RefusedFile())
	if err != nil || bytes.Count(aside, []byte("\n")) != 2 || s.Refused() != 2 {
		t.Fatalf("%v, %d bytes, %d refused", err, len(aside), s.Refused())
	}
	var first refusal
	var text string
	if err := errors.Join(json.Unmarshal(bytes.SplitAfter(aside, []byte("\n"))[0], &first), json.Unmarshal(first.Body, &text)); err != nil || text != "{\"id\":\n" {
		t.Errorf("%v, %q", err, text)
	}
	closeSpool(t, s)
}

// TestFullDisk: what cannot be kept is an error, and what was kept before is delivered.
func TestFullDisk(t *testing.T) {
	s := open(t, t.TempDir())
	add(t, s, 0, 2)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	whole := s.out
	s.out = full
	if err := s.Add("lost", []byte("1")); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("error %v", err)
	}
	if err := whole.Close(); err != nil {
		t.Fatal(err)
	}
	add(t, s, 2, 4)
	if got := take(t, s, 9); !slices.Equal(got, ids(0, 4)) || s.Waiting() != 0 {
		t.Errorf("%v, and %d wait", got, s.Waiting())
	}
	closeSpool(t, s)
}

// TestID: ids are the same in a later process, and others for other parts and other spools.
func TestID(t *testing.T) {
	s := open(t, t.TempDir())
	id := s.ID("a", "bc")
	if len(id) != 32 || !isID(id) {
		t.Errorf("%q", id)
	}
	if open(t, s.Folder()).ID("a", "bc") != id {
		t.Error("another id after a restart")
	}
	if s.ID("ab", "c") == id || s.ID("a") == id || open(t, t.TempDir()).ID("a", "bc") == id {
		t.Error("the same id for another message")
	}
	for _, id := range []string{"", "two words", "line\n", "ü", strings.Repeat("x", maxID+1)} {
		if err := s.Add(id, []byte("1")); err == nil {
			t.Errorf("%q is an id", id)
		}
	}
	for _, body := range []string{"", "{", `"` + strings.Repeat("x", maxLine) + `"`} {
		if err := s.Add("m", []byte(body)); err == nil {
			t.Errorf("a body of %d bytes was kept", len(body))
		}
	}
	if err := os.WriteFile(filepath.Join(s.Folder(), idFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(s.Folder()); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("error %v", err)
	}
}

func TestExists(t *testing.T) {
	folder := t.TempDir()
	if Exists(folder) {
		t.Error("an empty folder is a spool")
	}
	closeSpool(t, open(t, folder))
	if !Exists(folder) {
		t.Error("a spool is none")
	}
}

// FuzzSegment: whatever is in a segment, each complete line is delivered or put aside, in order,
// and then what was added after it.
func FuzzSegment(f *testing.F) {
	whole, err := encode(Message{ID: "a", Body: []byte(`{"rows":[]}`)})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{whole, append(whole, whole[:20]...), []byte("\n\n{}\n"), []byte(`{"id":"x","body":null}` + "\n"), make([]byte, 40)} {
		f.Add(seed, []byte(`{"segment":1,"offset":3}`))
	}
	f.Fuzz(func(t *testing.T, segment, delivered []byte) {
		folder := t.TempDir()
		for name, content := range map[string][]byte{idFile: []byte("X"), "00000001.jsonl": segment, deliveredFile: delivered} {
			if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s := open(t, folder)
		if p := s.at; len(s.segments) == 1 && p.Offset > 0 && (p.Offset > int64(len(segment)) || segment[p.Offset-1] != '\n') {
			t.Fatalf("it begins at %+v", p)
		}
		want := 0
		if len(s.segments) == 1 {
			want = bytes.Count(segment[s.at.Offset:], []byte("\n"))
		}
		if s.Waiting() != want {
			t.Fatalf("%d messages wait, want %d", s.Waiting(), want)
		}
		add(t, s, 7, 8)
		var last string
		for range want + 1 {
			h, err := s.first()
			if err != nil || h == nil {
				t.Fatalf("%v, %v", h, err)
			}
			if h.damaged == nil && (!isID(h.ID) || !json.Valid(h.Body)) {
				t.Fatalf("%+v", h)
			}
			last = h.ID
			if h.damaged != nil {
				err = s.refuse(h, "damaged")
			} else {
				err = s.done(h)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if h, err := s.first(); err != nil || h != nil || last != "m7" || s.Waiting() != 0 {
			t.Fatalf("%v, %v, last %q, %d wait", h, err, last, s.Waiting())
		}
		closeSpool(t, s)
	})
}
