// Package download downloads one file with a known SHA-256 over HTTP. An interrupted
// download continues where it stopped, also in a later process, and the file appears under
// its name only when it is complete and its content is the expected one.
//
// Beside the file's Path it keeps Path.part (what has been downloaded), Path.part.json
// (where from) and Path.lock, which only one process holds at a time.
package download

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"acdclip/pkg/atomicfile"
)

// Errors of this package, wrapped with context. All but ErrWrongBytes leave what was
// downloaded, so that a repetition continues there.
var (
	// ErrWrongBytes reports a file whose content is not the expected one.
	ErrWrongBytes = errors.New("its content is not that of the published file")
	// ErrDiskFull reports a disk without space, or a quota that is used up.
	ErrDiskFull = errors.New("the disk is full")
	// ErrServer reports an answer of the server that a repetition would not change.
	ErrServer = errors.New("the server does not send the file")
)

// File says what to download, and where to.
type File struct {
	URL    string // http or https; a redirection from https to http is an error
	Path   string // where the complete file will be; missing folders are created
	SHA256 string // of the content: 64 lower-case hexadecimal digits
	Size   int64  // of the content in bytes; 0 if it is not known exactly
	Limit  int64  // if Size is 0: no more than so many bytes are written
}

// Shown is a URL for messages, without a password.
func Shown(address string) string {
	if parsed, err := url.Parse(address); err == nil {
		return parsed.Redacted()
	}
	return address
}

// most is the maximum number of bytes of the file.
func (f File) most() int64 {
	if f.Size > 0 {
		return f.Size
	}
	return f.Limit
}

// Options are how to download. The zero value is ready to use.
type Options struct {
	// Progress is called with the number of bytes that are there and the total, 0 while it
	// is unknown: at the start, which shows how much an earlier try has left, and after each
	// piece. May be nil.
	Progress func(done, total int64)
	// Checking is called while an existing file is read. May be nil.
	Checking func(done, total int64)
	// Notice receives what the user should know, such as that a try failed. May be nil.
	Notice func(text string)

	Stall     time.Duration                    // longest time without any data before a try fails; 0: 30 s
	Wait      func(failures int) time.Duration // how long to wait before the next try; nil: 1 s, 2 s, 4 s, ...
	Transport http.RoundTripper                // nil: one that respects the proxy variables of the environment

	create func(path string) (part, error) // opens the partial file; nil: openPart
}

const (
	defaultStall = 30 * time.Second
	retries      = 5       // failed tries in succession after which it gives up
	worthwhile   = 1 << 16 // bytes: a try that gets so many is not one in succession
	maxRedirects = 10
	maxWait      = 60 * time.Second // also where the server asks for more
)

// Outcome says what Get found.
type Outcome int

// The outcomes.
const (
	Downloaded Outcome = iota // the file was downloaded
	Present                   // it was there already, with the expected content
)

// Get downloads a file, unless it is there with the expected content. It tries again after
// failures that may pass, and waits for another process that downloads the same file. An
// existing file with other content is replaced. After an error nothing has the name of the
// file that was not there before. The error says whether a repetition continues; if ctx
// ends, it wraps ctx's error.
func Get(ctx context.Context, f File, o Options) (Outcome, error) {
	o = o.withDefaults()
	if _, err := url.Parse(f.URL); err != nil {
		return Downloaded, fmt.Errorf("downloading: %w", err)
	}
	if err := Verify(ctx, f, o.Checking); err == nil { // without the lock, which a folder that is read-only cannot hold
		return Present, nil
	}
	lock, err := Hold(ctx, f.Path, o.Notice)
	if err != nil {
		return Downloaded, err
	}
	defer lock.Close() // fails only for a file that is closed
	if err := atomicfile.Check(f.Path); err != nil {
		return Downloaded, err
	}
	switch err := Verify(ctx, f, o.Checking); {
	case err == nil:
		return Present, nil
	case errors.Is(err, ErrWrongBytes):
		o.Notice(fmt.Sprintf("%v; downloading it again", err))
	case !errors.Is(err, os.ErrNotExist):
		return Downloaded, err
	}
	j := &job{File: f, Options: o, client: &http.Client{Transport: o.Transport, CheckRedirect: checkRedirect}}
	defer j.client.CloseIdleConnections()
	if err := j.open(ctx); err != nil {
		return Downloaded, err
	}
	return Downloaded, errors.Join(j.run(ctx), j.close())
}

func (o Options) withDefaults() Options {
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	if o.Checking == nil {
		o.Checking = func(int64, int64) {}
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if o.Stall == 0 {
		o.Stall = defaultStall
	}
	if o.Wait == nil {
		o.Wait = func(failures int) time.Duration { return time.Second << (failures - 1) }
	}
	if o.Transport == nil {
		o.Transport = newTransport()
	}
	if o.create == nil {
		o.create = openPart
	}
	return o
}

// newTransport is the standard one, with its own connections. It respects HTTP_PROXY,
// HTTPS_PROXY and NO_PROXY.
func newTransport() http.RoundTripper {
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		return standard.Clone()
	}
	return http.DefaultTransport
}
