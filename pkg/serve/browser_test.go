package serve

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"acdclip/pkg/inspection"
)

// browser opens Chromium, and skips the test where there is none. What the page's program or
// the browser complains of fails the test, but for answers with an error status.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("Chromium is not installed")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.WindowSize(900, 1100),
		chromedp.Flag("disable-dev-shm-usage", true)) // containers have little of it
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox does not start as root
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	err := chromedp.Listen(ctx, func(event any) {
		switch event := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("the page's program failed: %s", event.ExceptionDetails.Text+" "+event.ExceptionDetails.Exception.Description)
		case *log.EventEntryAdded:
			if !strings.Contains(event.Entry.Text, "the server responded with a status of 4") {
				t.Errorf("the browser says: %s %s", event.Entry.Text, event.Entry.URL)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

// run runs an action.
func run[T any](t *testing.T, ctx context.Context, action chromedp.Action[T]) T {
	t.Helper()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// text is the text of the first element that a selector finds.
func text(t *testing.T, ctx context.Context, selector string) string {
	t.Helper()
	return run(t, ctx, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q).textContent", selector)))
}

// enter changes a control as a user does.
func enter(t *testing.T, ctx context.Context, id, text string) {
	t.Helper()
	run(t, ctx, chromedp.Evaluate[bool](fmt.Sprintf("(e => { e.value = %q; return e.dispatchEvent(new Event(\"change\")) })(document.getElementById(%q))", text, id)))
}

// until waits until an expression in the page is true.
func until(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	// Not by chromedp.Poll and its like, which make functions of texts: the page's policy forbids that.
	promise := "new Promise(done => { const look = () => (" + expression + ") ? done(true) : setTimeout(look, 20); look() })"
	run(t, ctx, chromedp.Evaluate[bool](promise, chromedp.EvalAwaitPromise))
}

// The page scores pictures, shows their maps and what is wrong with others, and asks for the
// token where one is needed.
func TestPage(t *testing.T) {
	ctx := browser(t)
	s := start(t, &fake{}, func(o *Options, _ *inspection.Options) { o.Token = "right" })
	folder := t.TempDir()
	files := []string{filepath.Join(folder, "<b>plate.png"), filepath.Join(folder, "text.png")}
	for i, content := range [][]byte{plain(t, 60, 30, 204), []byte("a text")} {
		if err := os.WriteFile(files[i], content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, ctx, chromedp.Navigate(s.url+"/"))
	until(t, ctx, `document.getElementById("token").offsetWidth > 0`)
	run(t, ctx, chromedp.SetUploadFiles("#files", files[:1]))
	until(t, ctx, `document.querySelector("#results .error")`)
	if asked := text(t, ctx, "#results .error"); !strings.Contains(asked, "needs the header Authorization") {
		t.Errorf("without a token: %s", asked)
	}
	enter(t, ctx, "token", "right")
	until(t, ctx, `document.getElementById("model").textContent.includes("pictures are scaled to")`)
	for id, text := range map[string]string{"class": "metal nut", "threshold": "0.5", "pixel_threshold": "0.75"} {
		enter(t, ctx, id, text)
	}
	run(t, ctx, chromedp.SetUploadFiles("#files", files))
	until(t, ctx, `document.querySelectorAll("#results li").length === 3 && !document.querySelector("#results").textContent.includes("is being scored") && document.querySelector("#results img").naturalWidth > 0`)
	if got := text(t, ctx, "#results li:nth-child(2)"); got != "<b>plate.pngscore 0.800 anomalous at 0.5, 1 region from 0.75" {
		t.Errorf("the picture: %q", got)
	}
	if got := text(t, ctx, "#results li:nth-child(1)"); !strings.HasPrefix(got, "text.pngnot a picture") {
		t.Errorf("the text: %q", got)
	}
	size := run(t, ctx, chromedp.Evaluate[[]int](`(i => [i.naturalWidth, i.naturalHeight])(document.querySelector("#results img"))`))
	if !slices.Equal(size, []int{60, 30}) {
		t.Errorf("the map has %v pixels", size)
	}
	const drop = `(d => { d.items.add(new File(["a text"], "dropped.txt")); return document.getElementById("drop").dispatchEvent(new DragEvent("drop", {dataTransfer: d, cancelable: true, bubbles: true})) })(new DataTransfer())`
	if run(t, ctx, chromedp.Evaluate[bool](drop)) {
		t.Error("the browser opens what is dropped")
	}
	until(t, ctx, `document.querySelector("#results li strong")?.textContent === "dropped.txt"`)
	if run(t, ctx, chromedp.Evaluate[bool](strings.Replace(drop, `document.getElementById("drop")`, "document.body", 1))) {
		t.Error("the browser opens what is dropped beside the field")
	}
	for threshold, want := range map[string]string{"0.8": "score 0.800", "0.80004": "score 0.8 normal at 0.80004", "0.7996": "score 0.8 anomalous at 0.7996"} {
		enter(t, ctx, "threshold", threshold)
		run(t, ctx, chromedp.SetUploadFiles("#files", files[:1]))
		until(t, ctx, fmt.Sprintf(`document.querySelector("#results li:first-child p")?.textContent.includes("at %s,")`, threshold))
		if got := text(t, ctx, "#results li:first-child p"); !strings.HasPrefix(got, want) {
			t.Errorf("at the threshold %s: %q", threshold, got)
		}
	}
	run(t, ctx, chromedp.SendKeys("#threshold", "e"))
	run(t, ctx, chromedp.SetUploadFiles("#files", files[:1]))
	until(t, ctx, `document.querySelector("#results li:first-child .error")?.textContent === "Threshold for pictures: this is not a number"`)
	if folder := os.Getenv("ACDCLIP_PAGE_OUT"); folder != "" { // to look at
		if err := os.WriteFile(filepath.Join(folder, "serve.png"), run(t, ctx, chromedp.CaptureScreenshot()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, ctx, chromedp.Evaluate[bool](`(window.fetch = () => Promise.reject(new TypeError("Failed to fetch")), true)`))
	enter(t, ctx, "token", "right")
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
