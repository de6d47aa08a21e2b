package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// doctor asks for /readyz of a service, whatever its certificate on a loopback address, and
// follows it nowhere else.
func TestExamineService(t *testing.T) {
	for _, c := range []struct {
		status   int
		location string
		secure   bool
		says     string // in the problem; "" for none
	}{
		{http.StatusOK, "", false, ""},
		{http.StatusOK, "", true, ""},
		{http.StatusServiceUnavailable, "", false, "status 503"},
		{http.StatusFound, "/healthz", false, "status 302"},
	} {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/below/readyz" {
				w.Header().Set("Location", c.location)
				w.WriteHeader(c.status)
			}
		})
		start := httptest.NewServer
		if c.secure {
			start = httptest.NewTLSServer
		}
		server := start(handler)
		got, err := examineService(t.Context(), server.URL+"/below/")
		server.Close()
		if err != nil || got.Ready != (c.says == "") || !strings.Contains(got.Problem, c.says) {
			t.Errorf("%+v: %+v, %v", c, got, err)
		}
	}
}
