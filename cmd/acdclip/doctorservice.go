package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"acdclip/internal/ui"
	"acdclip/pkg/report"
)

// serviceTime is the longest time for a service to say how it is.
const serviceTime = 10 * time.Second

// errNotReady says that a service takes no pictures.
var errNotReady = errors.New("the service takes no pictures; see the problem above")

// serviceState is what doctor says of a service.
type serviceState struct {
	Service string `json:"service"` // its URL
	Ready   bool   `json:"ready"`
	Problem string `json:"problem"` // why it is not ready; "" if it is
}

// examineService asks whether a service takes pictures.
func examineService(ctx context.Context, address string) (serviceState, error) {
	service, err := url.Parse(address)
	if err != nil || service.Scheme != "http" && service.Scheme != "https" || service.Host == "" {
		return serviceState{}, usagef("--service %q must be a URL such as http://127.0.0.1:8080", address)
	}
	state := serviceState{Service: address}
	if err := askReady(ctx, service); err != nil {
		state.Problem = err.Error()
	}
	state.Ready = state.Problem == ""
	return state, nil
}

// askReady returns why a service does not take pictures.
func askReady(ctx context.Context, service *url.URL) error {
	ctx, cancel := context.WithTimeout(ctx, serviceTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, service.JoinPath("readyz").String(), nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	if service.Hostname() == "localhost" || net.ParseIP(service.Hostname()).IsLoopback() {
		// The certificate is for the name by which others call this machine. Nothing is sent.
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: status %s", request.URL, response.Status)
	}
	return nil
}

func (s serviceState) write(w io.Writer, format doctorFormat) error {
	if format == doctorJSON {
		return report.WriteIndented(w, s)
	}
	text := "is ready"
	if !s.Ready {
		text = "is not ready: " + s.Problem
	}
	_, err := fmt.Fprintf(w, "%s %s\n", ui.Visible(s.Service), ui.Visible(text))
	return err
}

func runServiceCheck(ctx context.Context, o *doctorOptions) error {
	state, err := examineService(ctx, o.service)
	if err != nil {
		return err
	}
	if err := state.write(o.app.out, o.format); err != nil {
		return err
	}
	if !state.Ready {
		return errNotReady
	}
	return nil
}
