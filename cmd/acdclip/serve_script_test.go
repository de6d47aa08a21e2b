package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// startedRequest is the key of a script's request that is not answered yet.
type startedRequest struct{}

// exchange is a request and its answer.
type exchange struct {
	status int
	body   []byte
	err    error
	done   chan struct{}
}

// freePort NAME: sets a variable to a port that is free now.
func freePort(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Check(l.Close())
	ts.Setenv(args[0], port)
}

// getURL STATUS URL FILE: the answer to a GET is written to the file; it is repeated until there
// is one with the status.
func getURL(ts *testscript.TestScript, _ bool, args []string) {
	var last string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		status, body, err := answered(http.Get(args[1]))
		if last = fmt.Sprintf("status %d, %s, %v", status, body, err); err == nil && status == number(ts, args[0]) {
			write(ts, args[2], body)
			return
		}
	}
	ts.Fatalf("%s: %s", args[1], last)
}

func answered(response *http.Response, err error) (int, []byte, error) {
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

// postPictures STATUS URL OUT FILE...: posts a picture as the body, or several as a form; the
// answer must have the status and is written to OUT.
func postPictures(ts *testscript.TestScript, _ bool, args []string) {
	e := begin(ts, args[1], args[3:])
	finish(ts, e, number(ts, args[0]), args[2])
}

// startPost URL FILE...: begins to post a form, and returns when the first picture is worked on.
func startPost(ts *testscript.TestScript, _ bool, args []string) {
	e := begin(ts, args[0], args[1:])
	*ts.Value(startedRequest{}).(**exchange) = e
	metrics := strings.SplitAfter(args[0], "/v1/")[0]
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		_, body, err := answered(http.Get(strings.TrimSuffix(metrics, "v1/") + "metrics"))
		ts.Check(err)
		if bytes.Contains(body, []byte("acdclip_queue_running 1\n")) {
			return
		}
	}
	ts.Fatalf("no picture is worked on")
}

// endPost STATUS OUT: waits for the answer to what startPost began.
func endPost(ts *testscript.TestScript, _ bool, args []string) {
	finish(ts, *ts.Value(startedRequest{}).(**exchange), number(ts, args[0]), args[1])
}

func finish(ts *testscript.TestScript, e *exchange, status int, file string) {
	<-e.done
	ts.Check(e.err)
	if e.status != status {
		ts.Fatalf("status %d, want %d: %s", e.status, status, e.body)
	}
	write(ts, file, e.body)
}

// begin begins to post pictures.
func begin(ts *testscript.TestScript, url string, patterns []string) *exchange {
	var files []string
	for _, pattern := range patterns {
		matches, err := filepath.Glob(ts.MkAbs(pattern))
		ts.Check(err)
		files = append(files, matches...)
	}
	var body bytes.Buffer
	kind := "application/octet-stream"
	if len(files) == 1 {
		body.WriteString(ts.ReadFile(files[0]))
	} else {
		form := multipart.NewWriter(&body)
		for _, file := range files {
			part, err := form.CreateFormFile("picture", filepath.Base(file))
			ts.Check(err)
			_, err = io.WriteString(part, ts.ReadFile(file))
			ts.Check(err)
		}
		ts.Check(form.Close())
		kind = form.FormDataContentType()
	}
	e := &exchange{done: make(chan struct{})}
	go func() {
		defer close(e.done)
		e.status, e.body, e.err = answered(http.Post(url, kind, &body))
	}()
	return e
}

// sameRows ANSWER ROWS: a service's answer has the rows of predict's JSON lines, but for what
// they say about files.
func sameRows(ts *testscript.TestScript, _ bool, args []string) {
	var answer struct{ Rows []map[string]any }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &answer))
	var rows []map[string]any
	for decoder := json.NewDecoder(strings.NewReader(ts.ReadFile(args[1]))); ; {
		var row map[string]any
		err := decoder.Decode(&row)
		if errors.Is(err, io.EOF) {
			break
		}
		ts.Check(err)
		rows = append(rows, row)
	}
	for _, list := range [][]map[string]any{answer.Rows, rows} {
		for _, row := range list {
			row["path"] = filepath.Base(row["path"].(string))
			for _, key := range []string{"bytes", "modified", "heatmap"} {
				if _, there := row[key]; !there {
					ts.Fatalf("a row has no %s", key)
				}
				delete(row, key)
			}
		}
	}
	if len(rows) == 0 || !reflect.DeepEqual(answer.Rows, rows) {
		ts.Fatalf("the service's rows are\n%v\npredict's are\n%v", answer.Rows, rows)
	}
}

// terminate: sends SIGTERM to the program that was started last in the background.
func terminate(ts *testscript.TestScript, _ bool, _ []string) { send(ts, syscall.SIGTERM) }

// hangup: sends SIGHUP to it.
func hangUp(ts *testscript.TestScript, _ bool, _ []string) { send(ts, syscall.SIGHUP) }

func send(ts *testscript.TestScript, signal syscall.Signal) {
	started := ts.BackgroundCmds()
	ts.Check(started[len(started)-1].Process.Signal(signal))
}

// metric URL LINE: waits until the metrics have the line.
func metric(ts *testscript.TestScript, _ bool, args []string) {
	var body []byte
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var err error
		_, body, err = answered(http.Get(args[0]))
		ts.Check(err)
		if bytes.Contains(body, []byte("\n"+args[1]+"\n")) {
			return
		}
	}
	ts.Fatalf("no %s in %s", args[1], body)
}
