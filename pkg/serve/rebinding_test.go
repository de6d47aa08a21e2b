package serve

import (
	"context"
	"net"
	"net/http"
	"testing"

	"acdclip/pkg/inspection"
)

// hosted asks for a path as another host.
func (s *service) hosted(path, host string) int {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Host = host
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// A page whose host was bound to this machine cannot use the service, unless it has the token.
func TestRebinding(t *testing.T) {
	s := start(t, &fake{}, nil)
	for host, want := range map[string]int{
		"localhost": http.StatusOK, "LOCALHOST:8080": http.StatusOK, "127.0.0.1": http.StatusOK, "127.1.2.3:80": http.StatusOK, "[::1]:8080": http.StatusOK, "[::1]": http.StatusOK,
		"example.org": http.StatusForbidden, "example.org:8080": http.StatusForbidden, "localhost.example.org": http.StatusForbidden, "192.0.2.1": http.StatusForbidden, "127.0.0.1.example.org:80": http.StatusForbidden,
	} {
		for _, path := range []string{"/", "/v1/model", "/metrics", "/openapi.yaml"} {
			if got := s.hosted(path, host); got != want {
				t.Errorf("%s of %s: %d, want %d", path, host, got, want)
			}
		}
		for _, path := range []string{"/healthz", "/readyz"} {
			if got := s.hosted(path, host); got != http.StatusOK {
				t.Errorf("%s of %s: %d", path, host, got)
			}
		}
	}
	if got := start(t, &fake{}, func(o *setup, _ *inspection.Options) { o.Token = "right" }).hosted("/", "example.org"); got != http.StatusOK {
		t.Errorf("with a token: %d", got)
	}
}

// A listener that others reach has any name.
func TestRebindingOfOtherListeners(t *testing.T) {
	l := &pipes{}
	if loopback := ofListener(context.Background(), l).Value(loopbackKey{}).(bool); loopback {
		t.Errorf("%s is taken for this machine alone", l.Addr())
	}
	local, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	if loopback := ofListener(context.Background(), local).Value(loopbackKey{}).(bool); !loopback {
		t.Errorf("%s is not taken for this machine alone", local.Addr())
	}
}
