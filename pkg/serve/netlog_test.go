package serve

import (
	"log/slog"
	"strings"
	"testing"
)

// The operator reads of the server's troubles, and not of connections that clients broke.
func TestNetLog(t *testing.T) {
	var b safeBuffer
	l := newNetLog(slog.New(slog.NewTextHandler(&b, nil)))
	for text, want := range map[string]bool{
		"http: Accept error: accept tcp 127.0.0.1:8080: accept4: too many open files; retrying in 5ms":                     true,
		"http: TLS handshake error from 192.0.2.1:5: remote error: tls: bad certificate":                                   true,
		"http: TLS handshake error from 192.0.2.1:5: EOF":                                                                  false,
		"http: TLS handshake error from 192.0.2.1:5: read tcp 192.0.2.2:8080->192.0.2.1:5: read: connection reset by peer": false,
		"http: TLS handshake error from 192.0.2.1:5: read tcp 192.0.2.2:8080->192.0.2.1:5: i/o timeout":                    false,
	} {
		before := len(b.String())
		l.Print(text)
		if logged := b.String()[before:]; (logged != "") != want || want && !strings.Contains(logged, "level=WARN") {
			t.Errorf("%s: the log is %q", text, logged)
		}
	}
}
