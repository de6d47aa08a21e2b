package serve

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"regexp"
)

//go:embed page.html
var pageHTML []byte

// page answers GET / with a page to try the service. Of programs and styles it runs only its
// own, and it talks to nobody but this service.
func (s *Server) page(w http.ResponseWriter, _ *http.Request) error {
	policy := "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" +
		"; script-src '" + hashOf("script") + "'; style-src '" + hashOf("style") + "'"
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(pageHTML) // who does not read it has gone
	return nil
}

// hashOf names the content of the page's only element with a tag as a Content-Security-Policy
// does.
func hashOf(tag string) string {
	content := regexp.MustCompile("(?s)<" + tag + ">(.*)</" + tag + ">").FindSubmatch(pageHTML)[1]
	sum := sha256.Sum256(content)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
