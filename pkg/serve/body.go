package serve

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/sync/semaphore"

	"acdclip/pkg/report"
)

// upload is a picture of a request.
type upload struct {
	name    string // of its file, escaped; "" for none
	content []byte
}

// held is the memory that a request holds of what all may hold.
type held struct {
	room  *semaphore.Weighted
	most  int64 // bytes that all may hold
	mutex sync.Mutex
	bytes int64
}

// take takes memory if there is room for it.
func (h *held) take(bytes int) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.bytes+int64(bytes) > h.most { // no later try would succeed
		return problemf(http.StatusRequestEntityTooLarge, kindLarge, "the request and its answer take more than the %d bytes that the service has for all; ask for fewer pictures at a time, for a smaller max_side or without map or heatmap", h.most)
	}
	if !h.room.TryAcquire(int64(bytes)) {
		return problemf(http.StatusTooManyRequests, kindBusy, "the service is busy with other large requests; try again later")
	}
	h.bytes += int64(bytes)
	return nil
}

func (h *held) release() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.room.Release(h.bytes)
	h.bytes = 0
}

// read reads to the end. It takes memory as bytes come, whatever length the client promises.
func (h *held) read(r io.Reader) ([]byte, error) {
	const least = 32 << 10
	var content []byte
	for {
		if len(content) == cap(content) {
			more := max(least, len(content))
			if err := h.take(more); err != nil {
				return nil, err
			}
			content = append(make([]byte, 0, len(content)+more), content...)
		}
		n, err := r.Read(content[len(content):cap(content)])
		content = content[:len(content)+n]
		switch {
		case err == io.EOF:
			return content, nil
		case err != nil:
			return nil, err
		}
	}
}

// read reads what a request asks and its pictures. The caller releases h.
func (e exchange) read(w http.ResponseWriter, r *http.Request, h *held) (asked, []upload, error) {
	read := &reader{asked: asked{class: e.options.Class, domain: e.options.Domain, maxSide: largestSide}}
	if err := read.query(r.URL.RawQuery); err != nil {
		return asked{}, nil, err
	}
	limit := e.options.Limits.BodyBytes
	if r.ContentLength > limit {
		return asked{}, nil, &http.MaxBytesError{Limit: limit}
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if !strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "multipart/") { // which may be malformed behind that
		content, err := h.read(r.Body)
		if err == nil && len(content) == 0 {
			err = problemf(http.StatusBadRequest, kindRequest, "the request has no picture; send one as the body, or several as multipart/form-data")
		}
		if err != nil {
			err = bodyError(err, "the body of the request is malformed") // its chunks are
		}
		return read.asked, []upload{{content: content}}, err
	}
	if err != nil || kind != "multipart/form-data" || parameters["boundary"] == "" {
		return asked{}, nil, problemf(http.StatusBadRequest, kindRequest, "the Content-Type must be multipart/form-data with a boundary")
	}
	body := &counted{Reader: r.Body, memory: h}
	uploads, err := e.parts(multipart.NewReader(body, parameters["boundary"]), read, h, body)
	if err == nil { // net/http sees that a client hangs up only after the end of the body
		if _, err = io.Copy(io.Discard, r.Body); err != nil {
			err = formError(err)
		}
	}
	return read.asked, uploads, err
}

// counted takes memory for what is read while it counts: all of a form but the contents of
// its parts, for which held.read takes it, or which are short.
type counted struct {
	io.Reader
	memory *held
	counts bool
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	if c.counts {
		if full := c.memory.take(n); full != nil {
			return n, full
		}
	}
	return n, err
}

// parts reads the fields and the pictures of a form. Parts with a file name are pictures.
func (e exchange) parts(form *multipart.Reader, read *reader, h *held, body *counted) (uploads []upload, err error) {
	for {
		body.counts = true
		part, err := form.NextRawPart()
		body.counts = false
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, formError(err)
		}
		if part.FileName() == "" {
			value, err := io.ReadAll(io.LimitReader(part, fieldBytes+1))
			if err != nil {
				return nil, formError(err)
			}
			if len(value) > fieldBytes {
				return nil, problemf(http.StatusBadRequest, kindRequest, "the field %q is longer than %d bytes; a picture needs a file name", shortened(part.FormName()), fieldBytes)
			}
			if err := read.set(part.FormName(), string(value)); err != nil {
				return nil, err
			}
			continue
		}
		if len(uploads) == e.options.Limits.Parts {
			return nil, problemf(http.StatusRequestEntityTooLarge, kindLarge, "the request has more than %d pictures", e.options.Limits.Parts)
		}
		if len(part.FileName()) > fileNameBytes {
			return nil, problemf(http.StatusBadRequest, kindRequest, "a file name is longer than %d bytes: %q", fileNameBytes, shortened(part.FileName()))
		}
		content, err := h.read(part)
		if err != nil {
			return nil, formError(err)
		}
		uploads = append(uploads, upload{report.EscapeName(part.FileName()), content})
	}
	if uploads == nil {
		err = problemf(http.StatusBadRequest, kindRequest, "the form has no picture; a picture is a part with a file name")
	}
	return uploads, err
}

// formError says that a form is malformed, unless the error says more.
func formError(err error) error {
	if errors.Is(err, multipart.ErrMessageTooLarge) {
		return problemf(http.StatusRequestEntityTooLarge, kindLarge, "the headers of a part are too large")
	}
	return bodyError(err, "the form is malformed")
}

// bodyError blames the client for an error of reading its request, with a text if the error
// says no more.
func bodyError(err error, text string) error {
	if problemOf(err).Kind != kindInternal {
		return err
	}
	return problemf(http.StatusBadRequest, kindRequest, "%s", text)
}
