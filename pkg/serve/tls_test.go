package serve

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"acdclip/pkg/inspection"
)

// certificate writes a certificate and its key, and returns them with what trusts them.
func certificate(t *testing.T) (*TLS, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})
	for name, content := range map[string][]byte{"cert.pem": public, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	secure, err := LoadTLS(filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LoadTLS(filepath.Join(folder, "key.pem"), filepath.Join(folder, "key.pem")); err == nil {
		t.Error("a key as a certificate is accepted")
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(public)
	return secure, pool
}

// healthy asks for the service's health, over HTTPS if the service has a certificate.
func (s *service) healthy(client *http.Client) error {
	url := s.url
	if s.server.secure {
		url = "https" + strings.TrimPrefix(url, "http")
	}
	response, err := client.Get(url + "/healthz")
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// clientOf returns a client that trusts a certificate and has connections of its own.
func clientOf(trusted *x509.CertPool) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}
}

// New connections get the certificate of the present Revision.
func TestTLS(t *testing.T) {
	secure, trusted := certificate(t)
	s := start(t, &fake{}, func(o *setup, _ *inspection.Options) { o.TLS = secure })
	if err := s.healthy(clientOf(trusted)); err != nil {
		t.Error(err)
	}
	renewed, trustedNow := certificate(t)
	if err := s.server.Reload(t.Context(), func(context.Context) (*Revision, error) {
		r := revision(inspection.New(&fake{}, inspection.Options{}))
		r.TLS = renewed
		return r, nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.healthy(clientOf(trustedNow)); err != nil {
		t.Error(err)
	}
	if err := s.healthy(clientOf(trusted)); err == nil {
		t.Error("the old certificate is still used")
	}
}
