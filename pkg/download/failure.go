package download

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// refused is the error of an answer that is not the file.
func refused(answer *http.Response) error {
	err := fmt.Errorf("%w: it answers %s", ErrServer, answer.Status)
	switch code := answer.StatusCode; {
	case slices.Contains([]int{http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests}, code),
		code >= 500 && code != http.StatusNotImplemented && code != http.StatusHTTPVersionNotSupported:
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After")) // 0 for a date
		return later{err, time.Duration(max(seconds, 0)) * time.Second}
	case code == http.StatusNotFound || code == http.StatusGone:
		return fatal{fmt.Errorf("%w; the file is not there any more", err)}
	case code == http.StatusProxyAuthRequired:
		return fatal{fmt.Errorf("%w; the proxy wants a login: set it in HTTPS_PROXY", err)}
	}
	return fatal{err}
}

// reason says why a request or the reading of its answer failed. ctx is the try's own.
func (j *job) reason(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStalled) {
		return later{error: context.Cause(ctx)}
	}
	if hopeless, ok := errors.AsType[fatal](err); ok {
		return hopeless
	}
	if asked, ok := errors.AsType[*url.Error](err); ok {
		err = asked.Err // the caller names the URL
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fatal{err}
	}
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound {
		return fatal{fmt.Errorf("%w; is there a network, and does it need a proxy (HTTPS_PROXY)?", err)}
	}
	return later{error: err}
}
