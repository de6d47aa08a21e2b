package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"acdclip/pkg/batching"
	"acdclip/pkg/inspection"
)

// Kinds of problems, as answers and metrics name them.
const (
	kindRequest  = "bad_request"
	kindToken    = "unauthorized"
	kindOrigin   = "cross_origin"
	kindNotFound = "not_found"
	kindMethod   = "wrong_method"
	kindSlow     = "too_slow"
	kindLarge    = "too_large"
	kindPicture  = "bad_picture"
	kindBusy     = "busy"
	kindInternal = "internal"
	kindClosing  = "closing"
	kindTimeout  = "timeout"
	kindGone     = "client_gone"
)

// problem is an error that a client may read.
type problem struct {
	status int    // of HTTP
	Kind   string `json:"kind"`
	Text   string `json:"message"`
}

func (p *problem) Error() string { return p.Text }

func problemf(status int, kind, format string, values ...any) *problem {
	return &problem{status, kind, fmt.Sprintf(format, values...)}
}

// retryAfter is what clients are told to wait, in seconds, when there is no room.
const retryAfter = "1"

// statusGone is the status of requests whose clients have gone, for the log and the metrics.
const statusGone = 499

// problemOf says in words for clients what went wrong. It tells nothing of this machine: the
// text of an error that is not known goes to the log only.
func problemOf(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problemf(http.StatusRequestEntityTooLarge, kindLarge, "the request is larger than %d bytes", large.Limit)
	}
	if bad, ok := errors.AsType[*inspection.PictureError](err); ok {
		return problemf(http.StatusUnprocessableEntity, kindPicture, "%s", bad)
	}
	switch {
	case errors.Is(err, batching.ErrBusy):
		return problemf(http.StatusTooManyRequests, kindBusy, "the service is busy; try again later")
	case errors.Is(err, batching.ErrClosed):
		return problemf(http.StatusServiceUnavailable, kindClosing, "the service is being stopped")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problemf(http.StatusRequestTimeout, kindSlow, "the request came too slowly")
	case errors.Is(err, context.DeadlineExceeded):
		return problemf(http.StatusServiceUnavailable, kindTimeout, "the work on the request took longer than the service allows; send fewer pictures a request, or let its operator raise --timeout")
	case errors.Is(err, context.Canceled), isLost(err):
		return problemf(statusGone, kindGone, "the request was cancelled")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return problemf(http.StatusBadRequest, kindRequest, "the body of the request is cut short")
	}
	return problemf(http.StatusInternalServerError, kindInternal, "the service failed; its log says why")
}

// isLost reports whether a connection was reset, or the service closed it. (One that was too
// slow has an error that wraps os.ErrDeadlineExceeded.)
func isLost(err error) bool {
	_, lost := errors.AsType[*net.OpError](err)
	return lost
}
