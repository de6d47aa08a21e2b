package outbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// KeyHeader is the header with a message's id, as in the IETF's draft
// draft-ietf-httpapi-idempotency-key-header, but without quotes.
const KeyHeader = "Idempotency-Key"

// Receiver is where messages are posted. A message is delivered when the answer has a status
// from 200 to 299. Redirections are not followed, so that nobody else gets messages or the token.
type Receiver struct {
	URL       *url.URL          // see ParseURL
	Token     string            // for Authorization: Bearer; "" for none
	Timeout   time.Duration     // of a request; 0: 30 s
	Transport http.RoundTripper // nil: one that respects the proxy variables of the environment
}

const defaultTimeout = 30 * time.Second

// ErrURL reports a text that is no address to post to. It does not show the text, which may
// hold a secret.
var ErrURL = errors.New("the address must be like https://host/path")

// ParseURL reads the address of a receiver. User and password are refused, since addresses are
// seen by others.
func ParseURL(text string) (*url.URL, error) {
	parsed, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, ErrURL // without the cause, which quotes a part of the text
	case parsed.User != nil:
		return nil, fmt.Errorf("%w, without user and password", ErrURL)
	case parsed.Scheme != "http" && parsed.Scheme != "https", parsed.Hostname() == "", parsed.Fragment != "":
		return nil, ErrURL
	}
	return parsed, nil
}

// Name is the receiver in messages: its scheme and host, because the rest may hold a secret.
func (r Receiver) Name() string { return r.URL.Scheme + "://" + r.URL.Host }

// Discloses reports whether others in the network could read the messages and the token.
func (r Receiver) Discloses() bool {
	if r.URL.Scheme == "https" || r.URL.Hostname() == "localhost" {
		return false
	}
	address := net.ParseIP(r.URL.Hostname())
	return address == nil || !address.IsLoopback()
}

// later is a failure that may pass, after a time that the receiver names; 0 if it names none.
type later struct {
	error
	after time.Duration
}

func (e later) Unwrap() error { return e.error }

// client returns what posts requests. The caller closes its idle connections.
func (r Receiver) client() *http.Client {
	transport := r.Transport
	if transport == nil {
		transport = http.DefaultTransport
		if standard, ok := transport.(*http.Transport); ok {
			transport = standard.Clone()
		}
	}
	timeout := r.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	return &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// post posts a message. An error that is no later is the receiver's refusal of this message.
func (r Receiver) post(ctx context.Context, client *http.Client, m Message) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL.String(), bytes.NewReader(m.Body))
	if err != nil {
		return later{error: err}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "acdclip")
	request.Header.Set(KeyHeader, m.ID)
	if r.Token != "" {
		request.Header.Set("Authorization", "Bearer "+r.Token)
	}
	answer, err := client.Do(request)
	if err != nil {
		if asked, ok := errors.AsType[*url.Error](err); ok {
			err = asked.Err // without the address
		}
		return later{error: err}
	}
	defer answer.Body.Close()
	const most = 64 << 10 // bytes; the connection of a longer answer is not used again
	text, _ := io.ReadAll(io.LimitReader(answer.Body, most))
	return r.judge(answer, text)
}

// judge says what an answer means. An answer that would be the same for any message, because the
// address or the token is wrong, does not mean that this one is refused.
func (r Receiver) judge(answer *http.Response, text []byte) error {
	code := answer.StatusCode
	said := strings.TrimSpace(fmt.Sprintf("the receiver answers %d %s", code, http.StatusText(code)))
	switch {
	case code >= 200 && code < 300:
		return nil
	case code < 400:
		return later{error: fmt.Errorf("%s, but redirections are not followed; give the address that it means", said)}
	}
	if shown := r.shown(text); shown != "" {
		said += ": " + shown
	}
	err := errors.New(said)
	if code >= 500 || slices.Contains(passing(), code) {
		return later{err, retryAfter(answer.Header.Get("Retry-After"), time.Now())}
	}
	return err
}

// passing lists the statuses from 400 to 499 that may pass, or that are of the address or the token.
func passing() []int {
	return []int{
		http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired, http.StatusGone,
	}
}

// retryAfter reads a Retry-After: seconds or a date; 0 for none, and at most maxRetryAfter.
func retryAfter(text string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil {
		wait = time.Duration(min(seconds, int64(maxRetryAfter/time.Second))) * time.Second
	} else if date, err := http.ParseTime(text); err == nil {
		wait = date.Sub(now)
	}
	return max(0, min(wait, maxRetryAfter))
}

// maxRetryAfter is the longest time for which a receiver can put off a message.
const maxRetryAfter = time.Hour

// shown is what an answer says, on one short line and without the token.
func (r Receiver) shown(text []byte) string {
	const most = 200 // characters
	line := strings.ToValidUTF8(string(text), "\uFFFD")
	if r.Token != "" {
		line = strings.ReplaceAll(line, r.Token, "***")
	}
	line = strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return ' '
	}, line)), " ")
	if utf8.RuneCountInString(line) > most {
		line = string([]rune(line)[:most]) + "..."
	}
	return line
}
