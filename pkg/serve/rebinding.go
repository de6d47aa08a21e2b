package serve

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// loopbackKey is the key in a request's context that says that it came to a listener which
// only this machine reaches.
type loopbackKey struct{}

// ofListener marks the requests of a listener which only this machine reaches.
func ofListener(ctx context.Context, l net.Listener) context.Context {
	tcp, ok := l.Addr().(*net.TCPAddr)
	return context.WithValue(ctx, loopbackKey{}, ok && tcp.IP.IsLoopback())
}

// rebound reports whether a request may be of somebody else's page, whose browser was told
// that the page's host is this machine (DNS rebinding). To the browser, page and service have
// one origin then. Only the Host tells: it is the page's.
func (e exchange) rebound(r *http.Request) bool {
	if loopback, _ := r.Context().Value(loopbackKey{}).(bool); !loopback || e.Token != "" {
		return false
	}
	switch r.URL.Path {
	case "/healthz", "/readyz": // which tell nothing, and are asked by what knows other names
		return false
	}
	return !isLoopback(r.Host)
}

// isLoopback reports whether a Host, with or without a port, is this machine's for itself.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}
