package download

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// fatal is an error that another try would not change.
type fatal struct{ error }

func (e fatal) Unwrap() error { return e.error }

var (
	// errAgain asks for a try from the first byte on.
	errAgain = errors.New("starting again from the first byte")
	// errStalled ends a try that gets no data.
	errStalled = errors.New("no data arrived")
)

// later is a failure that may pass, after a time that the server names; 0 if it names none.
type later struct {
	error
	after time.Duration
}

func (e later) Unwrap() error { return e.error }

// run tries until the file is complete.
func (j *job) run(ctx context.Context) error {
	failures, again := 0, 0
	for {
		before := j.have
		err := j.try(ctx)
		var hopeless fatal
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return j.kept(ctx.Err())
		case errors.As(err, &hopeless):
			return j.kept(hopeless.error)
		case errors.Is(err, errAgain) && again < retries:
			again++
			j.Notice(err.Error())
			if err := j.empty(); err != nil {
				return fmt.Errorf("emptying the partial file: %w", err)
			}
			continue
		}
		if j.have-before >= worthwhile {
			failures = 0
		}
		if failures++; failures > retries {
			return j.kept(err)
		}
		wait := j.Wait(failures)
		if named, ok := errors.AsType[later](err); ok && named.after > wait {
			wait = named.after
		}
		wait = min(wait, maxWait)
		j.Notice(fmt.Sprintf("%v; trying again in %v", err, wait))
		select {
		case <-ctx.Done():
			return j.kept(ctx.Err())
		case <-time.After(wait):
		}
	}
}

// kept adds to an error what the partial file is good for.
func (j *job) kept(err error) error {
	if errors.Is(err, ErrWrongBytes) {
		return err
	}
	again := "repeat the command to continue"
	if errors.Is(err, ErrDiskFull) {
		again = "make room and " + again
	}
	if j.have == 0 {
		return fmt.Errorf("downloading %s: %w", Shown(j.URL), err)
	}
	return fmt.Errorf("downloading %s: %w; the %d bytes that are there are kept in %s: %s", Shown(j.URL), err, j.have, j.partPath(), again)
}

// try gets the bytes that are missing, in one request, and finishes the file.
func (j *job) try(ctx context.Context) error {
	j.Progress(j.have, j.total())
	if total := j.total(); total > 0 && j.have == total {
		return j.finish()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(j.Stall, func() { cancel(fmt.Errorf("%w for %v", errStalled, j.Stall)) })
	defer watch.Stop()
	answer, err := j.ask(ctx)
	if err != nil {
		return j.reason(ctx, err)
	}
	defer answer.Body.Close()
	watch.Reset(j.Stall)
	from, err := j.judge(answer)
	if err != nil {
		return err
	}
	if answer.StatusCode == http.StatusOK && j.have > 0 {
		j.Notice("the server cannot continue: " + errAgain.Error())
		if err := j.empty(); err != nil {
			return fatal{err}
		}
	}
	j.mixed = j.have > 0
	if err := j.begin(from); err != nil {
		return fatal{err}
	}
	if err := j.receive(ctx, answer.Body, func() { watch.Reset(j.Stall) }); err != nil {
		return err
	}
	return j.finish()
}

// receive appends the body to the partial file. progress is called after each piece.
func (j *job) receive(ctx context.Context, body io.Reader, progress func()) error {
	buffer := make([]byte, 1<<18)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			progress()
			room := j.most() - j.have
			if writing := j.write(buffer[:min(int64(n), room)]); writing != nil {
				return writing
			}
			j.Progress(j.have, j.total())
			if int64(n) > room {
				return j.tooMuch()
			}
		}
		switch total := j.total(); {
		case err == nil:
		case !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return j.reason(ctx, err)
		case total > 0 && j.have < total:
			return later{error: fmt.Errorf("the server ended after %d of %d bytes", j.have, total)}
		default:
			return nil
		}
	}
}

// tooMuch is the error of a body that is longer than the file. Its beginning may be right,
// but it is another file's.
func (j *job) tooMuch() error {
	most := j.most()
	return fatal{errors.Join(fmt.Errorf("%s sends more than %d bytes: %w; nothing is kept", Shown(j.URL), most, ErrWrongBytes), j.empty())}
}

// ask sends the request.
func (j *job) ask(ctx context.Context) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, j.URL, nil)
	if err != nil {
		return nil, fatal{err}
	}
	request.Header.Set("User-Agent", "acdclip")
	request.Header.Set("Accept-Encoding", "identity") // the SHA-256 and ranges are those of the file itself
	if j.have > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", j.have))
		if validator := j.from.validator(); validator != "" {
			request.Header.Set("If-Range", validator)
		}
	}
	return j.client.Do(request)
}

// checkRedirect refuses long chains and a way from https to http.
func checkRedirect(next *http.Request, via []*http.Request) error {
	switch last := via[len(via)-1]; {
	case len(via) > maxRedirects:
		return fatal{fmt.Errorf("%w: it redirects more than %d times", ErrServer, maxRedirects)}
	case last.URL.Scheme == "https" && next.URL.Scheme != "https":
		return fatal{fmt.Errorf("%w: it redirects from https to %s, which is not secure", ErrServer, next.URL.Scheme)}
	}
	return nil
}

// judge checks the head of an answer and says where its bytes come from.
func (j *job) judge(answer *http.Response) (origin, error) {
	from := origin{URL: Shown(j.URL), SHA256: j.SHA256, ETag: answer.Header.Get("ETag"), Modified: answer.Header.Get("Last-Modified")}
	if strings.HasPrefix(from.ETag, "W/") {
		from.ETag = "" // a weak one does not mean the same bytes
	}
	switch answer.StatusCode {
	case http.StatusOK:
		from.Total = max(answer.ContentLength, 0)
	case http.StatusPartialContent:
		first, total, ok := contentRange(answer.Header.Get("Content-Range"))
		if j.have == 0 || !ok || first != j.have {
			return from, fmt.Errorf("the server sent another part than byte %d on: %w", j.have, errAgain)
		}
		if j.from.ETag != "" && from.ETag != "" && from.ETag != j.from.ETag {
			return from, fmt.Errorf("the file on the server has changed: %w", errAgain)
		}
		from = j.continued(from, total)
	case http.StatusRequestedRangeNotSatisfiable:
		if j.have > 0 {
			return from, fmt.Errorf("the server has no byte %d: %w", j.have, errAgain)
		}
		return from, refused(answer)
	default:
		return from, refused(answer)
	}
	if coding := answer.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return from, fatal{fmt.Errorf("%w itself, but encoded with %q", ErrServer, coding)}
	}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
		return from, fatal{fmt.Errorf("%w, but a web page; the network may want a login or a proxy", ErrServer)}
	}
	known := j.Size
	if known == 0 && answer.StatusCode == http.StatusPartialContent {
		known = j.from.Total
	}
	switch {
	case from.Total == 0:
	case known > 0 && from.Total != known:
		return from, fatal{fmt.Errorf("%w, but one of %d bytes instead of %d", ErrServer, from.Total, known)}
	case from.Total > j.most():
		return from, fatal{fmt.Errorf("%w, but one of %d bytes, which is more than %d", ErrServer, from.Total, j.most())}
	}
	return from, nil
}

// continued is the origin after a partial answer, which need not repeat what an earlier one said.
func (j *job) continued(from origin, total int64) origin {
	from.Total = cmp.Or(total, j.from.Total)
	from.ETag = cmp.Or(from.ETag, j.from.ETag)
	from.Modified = cmp.Or(from.Modified, j.from.Modified)
	return from
}

// contentRange reads "bytes 10-99/100"; total is 0 for "*".
func contentRange(text string) (first, total int64, ok bool) {
	text, ok = strings.CutPrefix(text, "bytes ")
	span, all, slash := strings.Cut(text, "/")
	begin, end, dash := strings.Cut(span, "-")
	if !ok || !slash || !dash {
		return 0, 0, false
	}
	first, errFirst := strconv.ParseInt(begin, 10, 64)
	last, errLast := strconv.ParseInt(end, 10, 64)
	if errFirst != nil || errLast != nil || first < 0 || last < first {
		return 0, 0, false
	}
	if all == "*" {
		return first, 0, true
	}
	total, err := strconv.ParseInt(all, 10, 64)
	return first, total, err == nil && total > last
}
