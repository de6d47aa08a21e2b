package serve

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
)

// TLS is a server's certificate.
type TLS struct{ certificate tls.Certificate }

// LoadTLS reads a certificate and its key from PEM files.
func LoadTLS(certificate, key string) (*TLS, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate %s and its key %s: %w", certificate, key, err)
	}
	return &TLS{pair}, nil
}

// serve runs a server until it is shut down; t may be nil. It always returns an error.
func (t *TLS) serve(server *http.Server, l net.Listener) error {
	if t == nil {
		return server.Serve(l)
	}
	server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{t.certificate}}
	return server.ServeTLS(l, "", "")
}
