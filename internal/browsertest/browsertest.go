// Package browsertest opens HTML pages in Chromium, for tests.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Options configure a browser.
type Options struct {
	Width, Height int // of its window in pixels
	Timeout       time.Duration
	Expected      func(complaint string) bool // reports whether the browser may say so; nil: it may say nothing
}

// Open opens Chromium, and skips the test where there is none. What a page's program or the
// browser complains of fails the test. The browser closes at the end of the test.
func Open(t *testing.T, o Options) context.Context {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(chromium(t)), chromedp.WindowSize(o.Width, o.Height),
		chromedp.Flag("disable-dev-shm-usage", true)) // containers have little of it
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox does not start as root
	}
	ctx, cancel := context.WithTimeout(context.Background(), o.Timeout)
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
			if o.Expected == nil || !o.Expected(event.Entry.Text) {
				t.Errorf("the browser says: %s %s", event.Entry.Text, event.Entry.URL)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

// chromium returns the path of the browser.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("Chromium is not installed")
	return ""
}

// Run runs an action.
func Run[T any](t *testing.T, ctx context.Context, action chromedp.Action[T]) T {
	t.Helper()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Value evaluates an expression in the page, and waits for it if it is a promise.
func Value[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	return Run(t, ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Act runs statements in the page.
func Act(t *testing.T, ctx context.Context, statements string) {
	t.Helper()
	Value[chromedp.Void](t, ctx, "(() => {"+statements+"})()")
}

// Enter changes the control with an id as a user does, which is an event such as "change".
func Enter(t *testing.T, ctx context.Context, id, text, event string) {
	t.Helper()
	Act(t, ctx, fmt.Sprintf("const e = document.getElementById(%q); e.value = %q; e.dispatchEvent(new Event(%q))", id, text, event))
}

// Keep writes what a test has seen into the folder ACDCLIP_PAGE_OUT, if that is set, for people
// to look at.
func Keep(t *testing.T, name string, content []byte) {
	t.Helper()
	if folder := os.Getenv("ACDCLIP_PAGE_OUT"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
