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

// listen runs a server until it is shut down. It always returns an error.
func (s *Server) listen(server *http.Server, l net.Listener) error {
	if !s.secure {
		return server.Serve(l)
	}
	server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return &s.present.revision().TLS.certificate, nil
	}}
	return server.ServeTLS(l, "", "")
}
