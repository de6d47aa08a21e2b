package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"acdclip/pkg/outbox"
)

// receiver VARIABLE LOG STATUS...: starts a receiver of posted rows and sets the variable to its
// address. It answers with these statuses one after the other, and with the last one for ever. The
// log gets a line for each request: status, id, Authorization and body.
func startReceiver(ts *testscript.TestScript, _ bool, args []string) {
	var mutex sync.Mutex
	statuses := args[2:]
	log := ts.MkAbs(args[1])
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		mutex.Lock()
		defer mutex.Unlock()
		var status int
		_, _ = fmt.Sscan(statuses[0], &status) // 0 panics below
		if len(statuses) > 1 {
			statuses = statuses[1:]
		}
		if file, err := os.OpenFile(log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600); err == nil {
			fmt.Fprintln(file, status, r.Header.Get(outbox.KeyHeader), strings.ReplaceAll(r.Header.Get("Authorization"), " ", "-")+"-", string(body))
			_ = file.Close() // the script sees what is missing
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "as the script says")
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}

// posted LOG ROWS: the rows that a receiver has taken, without those whose id it has taken before,
// are the lines of ROWS in their order; every row has one id, which no other one has.
func posted(ts *testscript.TestScript, _ bool, args []string) {
	var got bytes.Buffer
	ids := map[string]string{} // by their rows
	taken := map[string]bool{}
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		parts := strings.SplitN(strings.TrimSpace(line), " ", 4)
		var m message
		ts.Check(json.Unmarshal([]byte(parts[3]), &m))
		if m.ID != parts[1] || len(m.Rows) != 1 || !strings.HasPrefix(m.Conditions, "sha256:") {
			ts.Fatalf("a message is %s", line)
		}
		row := string(m.Rows[0])
		if id, again := ids[row]; again && id != m.ID {
			ts.Fatalf("%s has two ids", row)
		}
		ids[row] = m.ID
		if parts[0][0] == '2' && !taken[m.ID] {
			taken[m.ID] = true
			got.WriteString(row + "\n")
		}
	}
	different := map[string]bool{}
	for _, id := range ids {
		different[id] = true
	}
	if want := ts.ReadFile(args[1]); got.String() != want || want == "" || len(different) != len(ids) {
		ts.Fatalf("%d ids; posted\n%s\nwant\n%s", len(different), got.String(), want)
	}
}

// waitposted LOG N: until a receiver has answered N requests.
func waitPosted(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		content, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && bytes.Count(content, []byte("\n")) >= number(ts, args[1]) {
			return
		}
	}
	ts.Fatalf("%s has no %s requests", args[0], args[1])
}
