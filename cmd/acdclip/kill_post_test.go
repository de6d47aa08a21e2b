package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"acdclip/internal/rundir"
	"acdclip/pkg/outbox"
	"acdclip/pkg/report"
)

// flakyReceiver takes posted rows, and every few times fails before or after it has taken one.
type flakyReceiver struct {
	mutex  sync.Mutex
	random *rand.Rand
	ids    map[string]string // of the rows taken, by their paths
	paths  []string          // in the order in which they were taken first
	posts  int
	err    error // the first thing that must not be
}

func (f *flakyReceiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the program was killed
	}
	f.mutex.Lock()
	chance := f.random.IntN(40)
	f.posts++
	if chance > 0 {
		f.err = errors.Join(f.err, f.take(r.Header.Get(outbox.KeyHeader), body))
	}
	f.mutex.Unlock()
	if chance < 2 { // 1: it was taken, and the program does not know
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// take notes a row.
func (f *flakyReceiver) take(id string, body []byte) error {
	var m message
	var row struct{ Path string }
	if err := json.Unmarshal(body, &m); err != nil {
		return err
	}
	if m.ID != id || len(m.Rows) != 1 {
		return fmt.Errorf("message %s has id %q and %d rows", body, id, len(m.Rows))
	}
	if err := json.Unmarshal(m.Rows[0], &row); err != nil {
		return err
	}
	before, taken := f.ids[row.Path]
	if taken && before != id {
		return fmt.Errorf("%s has the ids %s and %s", row.Path, before, id)
	}
	if !taken {
		f.ids[row.Path] = id
		f.paths = append(f.paths, row.Path)
	}
	return nil
}

// TestPostSurvivesKills kills a predict that posts again and again, at random moments, and resumes
// it. In the end the receiver has every row, in order, and each under one id.
func TestPostSurvivesKills(t *testing.T) {
	const kills, pictures = 8, 400
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	receiver := &flakyReceiver{random: rand.New(rand.NewPCG(seed, 1)), ids: map[string]string{}}
	server := httptest.NewServer(receiver)
	defer server.Close()
	p := newProgram(t)
	for i := range pictures {
		writeGrey(t, filepath.Join(p.folder, "photos", fmt.Sprint(i, ".png")), random)
	}
	command := []string{"predict", "--resume", "--format", "jsonl", "--batch", "1", "--out", "out", "--post", server.URL, "photos"}
	rows := func() []byte {
		content, _ := os.ReadFile(filepath.Join(p.folder, "out", rundir.PredictionsFile(report.PredictionJSONL))) // there may be none yet
		return content
	}
	killed := 0
	for range kills {
		before := bytes.Count(rows(), []byte("\n"))
		if before == pictures {
			break
		}
		if p.killed(command, func() {
			for deadline := time.Now().Add(time.Minute); bytes.Count(rows(), []byte("\n")) == before && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
		}) {
			killed++
		}
	}
	if killed < kills/2 {
		t.Errorf("%d kills, want at least %d", killed, kills/2)
	}
	receiver.mutex.Lock()
	waiting := pictures - len(receiver.paths)
	receiver.mutex.Unlock()
	p.run(append(slices.Clone(command), "--post-timeout", "5m")...)
	t.Logf("%d kills; %d of %d rows were not delivered after the last; %d requests", killed, waiting, pictures, receiver.posts)
	if receiver.err != nil {
		t.Error(receiver.err)
	}
	var want []string
	for line := range bytes.Lines(rows()) {
		var row struct{ Path string }
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		want = append(want, row.Path)
	}
	if len(want) != pictures || !slices.Equal(receiver.paths, want) {
		t.Errorf("%d rows, and %d were posted, in this order: %v", len(want), len(receiver.paths), receiver.paths)
	}
}
