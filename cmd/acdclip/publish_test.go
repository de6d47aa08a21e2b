package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"acdclip/pkg/published"
)

// publishedVariable names the file with the table of acdclip-published.
const publishedVariable = "PUBLISHED_TABLE"

// publishedTable reads that table.
func publishedTable() published.Table {
	var table published.Table
	text, err := os.ReadFile(os.Getenv(publishedVariable))
	if err == nil {
		err = json.Unmarshal(text, &table)
	}
	if err != nil {
		panic(err)
	}
	return table
}

// publish NAME FILE ANSWER...: acdclip-published takes the file for the one that is
// published under the name. A server that stands for its publisher, as a mirror, gives the
// answers, the last again and again: good; cut, which is a half; gone; wrong; stall.
func publish(ts *testscript.TestScript, _ bool, args []string) {
	content := []byte(ts.ReadFile(args[1]))
	answers, requests := args[2:], atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"one"`)
		switch answer := answers[min(int(requests.Add(1)), len(answers))-1]; answer {
		case "cut", "stall":
			w.Header().Set("Content-Length", strconv.Itoa(len(content)))
			_, _ = w.Write(content[:len(content)/2])
			_ = http.NewResponseController(w).Flush()
			if answer == "stall" {
				<-r.Context().Done()
			}
			panic(http.ErrAbortHandler)
		case "gone":
			http.NotFound(w, r)
		case "wrong":
			_, _ = w.Write(bytes.Repeat([]byte{'x'}, len(content)))
		default:
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		}
	}))
	ts.Defer(server.Close)
	table := published.All()
	for i := range table {
		if table[i].Name == args[0] {
			sum := sha256.Sum256(content)
			table[i].SHA256, table[i].Size, table[i].About = hex.EncodeToString(sum[:]), int64(len(content)), false
		}
	}
	text, err := json.Marshal(table)
	ts.Check(err)
	write(ts, "published.json", text)
	ts.Setenv(publishedVariable, ts.MkAbs("published.json"))
	ts.Setenv("ACDCLIP_WEIGHTS_MIRROR", server.URL+"/mirror")
	ts.Setenv("NO_PROXY", strings.TrimPrefix(server.URL, "http://"))
}
