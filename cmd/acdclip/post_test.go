package main

import (
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"acdclip/internal/rundir"
	"acdclip/pkg/outbox"
	"acdclip/pkg/report"
)

// unwritable fails to write a row, as a program that is killed does.
type unwritable struct{}

var errKilled = errors.New("killed")

func (unwritable) Write(report.Prediction) error { return errKilled }
func (unwritable) Close() error                  { return nil }

// TestPostedBeforeWritten: a row whose writing fails is kept to be posted, and when the picture is
// scored again, it is posted under the same id, but under another one once the file has changed.
func TestPostedBeforeWritten(t *testing.T) {
	o := &predictOptions{detectorOptions: newDetectorOptions(newApp(io.Discard, io.Discard, false)), postOptions: postOptions{}}
	posting, err := o.startPosting(&outbox.Receiver{URL: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}}, rundir.Dir{Path: t.TempDir()}, &report.PredictionRun{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := predictions{options: o, writer: unwritable{}, known: map[string]knownRow{}, posting: posting}
	row := report.Prediction{Path: "a.png", Score: 0.5, File: report.FileMark{Bytes: 3, Modified: time.Unix(5, 6)}}
	id := posting.id("a.png", row)
	if err := p.finish(&pendingRow{Prediction: row}); !errors.Is(err, errKilled) || posting.spool.Waiting() != 1 {
		t.Errorf("error %v, %d rows wait", err, posting.spool.Waiting())
	}
	row.Score = 0.5001 // as in another batch
	if again := posting.id("a.png", row); again != id {
		t.Errorf("scored again: id %s, before %s", again, id)
	}
	for name, other := range map[string]report.Prediction{
		"another size": {File: report.FileMark{Bytes: 4, Modified: row.File.Modified}}, "another time": {File: report.FileMark{Bytes: 3, Modified: time.Unix(5, 7)}},
		"a failure": {File: row.File, Error: "damaged"},
	} {
		if posting.id("a.png", other) == id {
			t.Errorf("%s: the same id", name)
		}
	}
	if posting.id("b.png", row) == id {
		t.Error("another picture: the same id")
	}
	if err := posting.finish(t.Context()); statusOf(err) != statusPartial || !strings.Contains(err.Error(), "1 row was not posted") {
		t.Errorf("status %d, error %v", statusOf(err), err)
	}
}
