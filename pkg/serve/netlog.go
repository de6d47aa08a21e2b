package serve

import (
	"log"
	"log/slog"
	"slices"
	"strings"
)

// netLog writes into the service's log what net/http complains of, such as too many open
// files, but for connections that clients broke, of which there are many in any network.
type netLog struct{ log *slog.Logger }

func newNetLog(to *slog.Logger) *log.Logger { return log.New(netLog{to}, "", 0) }

func (l netLog) Write(b []byte) (int, error) {
	if text := strings.TrimSpace(string(b)); !brokenByClient(text) {
		l.log.Warn("network", slog.String("error", text))
	}
	return len(b), nil
}

// brokenByClient reports whether a text of net/http is of a connection that its client closed
// or let rest.
func brokenByClient(text string) bool {
	return slices.ContainsFunc([]string{": EOF", "unexpected EOF", "connection reset by peer", "broken pipe", "i/o timeout", "use of closed network connection"},
		func(end string) bool { return strings.HasSuffix(text, end) })
}
