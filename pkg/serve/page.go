package serve

import (
	_ "embed"
	"net/http"
	"strings"

	"acdclip/pkg/digest"
)

//go:embed page.html
var pageHTML string

// pagePolicy is the page's Content-Security-Policy. Of programs and styles it runs only its
// own, and it talks to nobody but this service.
func pagePolicy() string {
	return "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" +
		"; script-src '" + digest.ForPolicy(contentOf("script")) + "'; style-src '" + digest.ForPolicy(contentOf("style")) + "'"
}

// contentOf is the content of the page's only element with a tag.
func contentOf(tag string) string {
	_, rest, _ := strings.Cut(pageHTML, "<"+tag+">")
	content, _, _ := strings.Cut(rest, "</"+tag+">")
	return content
}

// page answers GET / with a page to try the service.
func (e exchange) page(w http.ResponseWriter, _ *http.Request) error {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", e.pagePolicy)
	header.Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write([]byte(pageHTML)) // who does not read it has gone
	return nil
}
