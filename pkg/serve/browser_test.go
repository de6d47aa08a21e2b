package serve

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"acdclip/internal/browsertest"
	"acdclip/pkg/inspection"
)

// browser opens a browser, which may complain of answers with an error status.
func browser(t *testing.T) context.Context {
	t.Helper()
	refused := func(complaint string) bool {
		return strings.Contains(complaint, "the server responded with a status of 4")
	}
	return browsertest.Open(t, browsertest.Options{Width: 900, Height: 1100, Timeout: time.Minute, Expected: refused})
}

// text is the text of the first element that a selector finds.
func text(t *testing.T, ctx context.Context, selector string) string {
	t.Helper()
	return browsertest.Value[string](t, ctx, fmt.Sprintf("document.querySelector(%q).textContent", selector))
}

// until waits until an expression in the page is true.
func until(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	// Not by chromedp.Poll and its like, which make functions of texts: the page's policy forbids that.
	promise := "new Promise(done => { const look = () => (" + expression + ") ? done(true) : setTimeout(look, 20); look() })"
	browsertest.Value[bool](t, ctx, promise)
}

// The page scores pictures, shows their maps and what is wrong with others, and asks for the
// token where one is needed.
func TestPage(t *testing.T) {
	ctx := browser(t)
	s := start(t, &fake{}, func(o *setup, _ *inspection.Options) { o.Token = "right" })
	folder := t.TempDir()
	files := []string{filepath.Join(folder, "<b>plate.png"), filepath.Join(folder, "text.png")}
	for i, content := range [][]byte{plain(t, 60, 30, 204), []byte("a text")} {
		if err := os.WriteFile(files[i], content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	browsertest.Run(t, ctx, chromedp.Navigate(s.url+"/"))
	until(t, ctx, `document.getElementById("token").offsetWidth > 0`)
	browsertest.Run(t, ctx, chromedp.SetUploadFiles("#files", files[:1]))
	until(t, ctx, `document.querySelector("#results .error")`)
	if asked := text(t, ctx, "#results .error"); !strings.Contains(asked, "needs the header Authorization") {
		t.Errorf("without a token: %s", asked)
	}
	browsertest.Enter(t, ctx, "token", "right", "change")
	until(t, ctx, `document.getElementById("model").textContent.includes("pictures are scaled to")`)
	for id, text := range map[string]string{"class": "metal nut", "threshold": "0.5", "pixel_threshold": "0.75"} {
		browsertest.Enter(t, ctx, id, text, "change")
	}
	browsertest.Run(t, ctx, chromedp.SetUploadFiles("#files", files))
	until(t, ctx, `document.querySelectorAll("#results li").length === 3 && !document.querySelector("#results").textContent.includes("is being scored") && document.querySelector("#results img").naturalWidth > 0`)
	if got := text(t, ctx, "#results li:nth-child(2)"); got != "<b>plate.pngscore 0.800 anomalous at 0.5, 1 region from 0.75" {
		t.Errorf("the picture: %q", got)
	}
	if got := text(t, ctx, "#results li:nth-child(1)"); !strings.HasPrefix(got, "text.pngnot a picture") {
		t.Errorf("the text: %q", got)
	}
	size := browsertest.Value[[]int](t, ctx, `(i => [i.naturalWidth, i.naturalHeight])(document.querySelector("#results img"))`)
	if !slices.Equal(size, []int{60, 30}) {
		t.Errorf("the map has %v pixels", size)
	}
	const drop = `(d => { d.items.add(new File(["a text"], "dropped.txt")); return document.getElementById("drop").dispatchEvent(new DragEvent("drop", {dataTransfer: d, cancelable: true, bubbles: true})) })(new DataTransfer())`
	if browsertest.Value[bool](t, ctx, drop) {
		t.Error("the browser opens what is dropped")
	}
	until(t, ctx, `document.querySelector("#results li strong")?.textContent === "dropped.txt"`)
	if browsertest.Value[bool](t, ctx, strings.Replace(drop, `document.getElementById("drop")`, "document.body", 1)) {
		t.Error("the browser opens what is dropped beside the field")
	}
	for threshold, want := range map[string]string{"0.8": "score 0.800", "0.80004": "score 0.8 normal at 0.80004", "0.7996": "score 0.8 anomalous at 0.7996"} {
		browsertest.Enter(t, ctx, "threshold", threshold, "change")
		browsertest.Run(t, ctx, chromedp.SetUploadFiles("#files", files[:1]))
		until(t, ctx, fmt.Sprintf(`document.querySelector("#results li:first-child p")?.textContent.includes("at %s,")`, threshold))
		if got := text(t, ctx, "#results li:first-child p"); !strings.HasPrefix(got, want) {
			t.Errorf("at the threshold %s: %q", threshold, got)
		}
	}
	browsertest.Run(t, ctx, chromedp.SendKeys("#threshold", "e"))
	browsertest.Run(t, ctx, chromedp.SetUploadFiles("#files", files[:1]))
	until(t, ctx, `document.querySelector("#results li:first-child .error")?.textContent === "Threshold for pictures: this is not a number"`)
	browsertest.Keep(t, "serve.png", browsertest.Run(t, ctx, chromedp.CaptureScreenshot()))
	browsertest.Value[bool](t, ctx, `(window.fetch = () => Promise.reject(new TypeError("Failed to fetch")), true)`)
	browsertest.Enter(t, ctx, "token", "right", "change")
	until(t, ctx, `document.getElementById("model").textContent === "the service cannot be reached"`)
}

// The page runs only its own program, and can be neither framed nor changed.
func TestPagePolicy(t *testing.T) {
	s := start(t, &fake{}, nil)
	got := s.send(http.MethodGet, "/", "", nil)
	policy := got.header.Get("Content-Security-Policy")
	for _, says := range []string{"default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "connect-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, says) {
			t.Errorf("no %s in %s", says, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(got.body, "http://") || strings.Contains(got.body, "https://") {
		t.Error("the page uses what is not its own")
	}
	if got := s.send(http.MethodGet, "/other", "", nil); got.status != http.StatusNotFound {
		t.Errorf("%+v", got)
	}
}
