package page

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"acdclip/internal/browsertest"
	"acdclip/pkg/heatmap"
)

// browser opens a browser.
func browser(t *testing.T) context.Context {
	t.Helper()
	return browsertest.Open(t, browsertest.Options{Width: 1400, Height: 1000, Timeout: 2 * time.Minute})
}

// settled evaluates an expression once the page has drawn what changed.
func settled[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	drawn := "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))).then(() => (" + expression + "))"
	return browsertest.Value[T](t, ctx, drawn)
}

// opened writes a page with the files of its pictures and opens it from disk.
func opened(t *testing.T, ctx context.Context, p Page, pictures []Picture) string {
	t.Helper()
	folder := t.TempDir()
	drawn := image.NewPaletted(image.Rect(0, 0, 40, 30), color.Palette{color.RGBA{200, 100, 50, 255}})
	done := map[string]bool{}
	for _, picture := range pictures {
		if picture.File == "" || done[picture.File] {
			continue
		}
		done[picture.File] = true
		for _, tree := range []string{ThumbnailTree + ".jpg", PictureTree + ".jpg", MapTree + ".png", OutlineTree + ".png", MaskTree + ".png"} {
			path := filepath.Join(folder, strings.TrimSuffix(tree, filepath.Ext(tree)), picture.File+filepath.Ext(tree))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			file, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			format := heatmap.PNG
			if filepath.Ext(tree) == ".jpg" {
				format = heatmap.JPEG
			}
			if err := format.Encode(file, drawn); err != nil {
				t.Fatal(err)
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	index := filepath.Join(folder, Index)
	if err := os.WriteFile(index, []byte(written(t, p, pictures...)), 0o600); err != nil {
		t.Fatal(err)
	}
	browsertest.Run(t, ctx, chromedp.Navigate((&url.URL{Scheme: "file", Path: index}).String()))
	return folder
}

// numbered returns pictures with the scores 0, 1/count, ..., of which those from 1/2 are
// labelled anomalous.
func numbered(count int) []Picture {
	pictures := make([]Picture, count)
	for i := range pictures {
		score := float32(i) / float32(count)
		pictures[i] = Picture{Path: fmt.Sprintf("photos/%05d.png", i), Class: []string{"bolt", "nut"}[i%2], Score: &score, MapMax: &score, Anomalous: 2*i >= count,
			Regions: new(i % 3), Area: new(float64(i) / float64(count)), Box: "1 2 3 4", Width: 40, Height: 30, File: "same.png", Mask: 2*i >= count}
	}
	return pictures
}

func oneSet(labels bool) Page {
	return Page{Title: "Scores", Summary: "Some pictures.", Colors: heatmap.Flame.CSS(), Labels: labels, Facts: []Fact{{"method", "acdclip"}}, Sets: []Set{{Name: "all", High: 1}}}
}

func TestBrowserShowsHostileTexts(t *testing.T) {
	ctx := browser(t)
	var pictures []Picture
	for i, text := range hostile() {
		score := float32(i)
		file := strings.NewReplacer("/", "_", "\x00", "").Replace(text)
		pictures = append(pictures, Picture{Path: text, Class: text, Score: &score, File: file + ".png", Box: text, Regions: new(1)}, Picture{Path: text, Class: "none", Error: text})
	}
	p := oneSet(false)
	p.Title, p.Summary, p.Facts = hostile()[0], hostile()[1], []Fact{{hostile()[0], hostile()[1]}}
	opened(t, ctx, p, pictures)
	if got := settled[string](t, ctx, "document.title + window.harmed"); got != hostile()[0]+"undefined" {
		t.Errorf("title and harm: %q", got)
	}
	shown := browsertest.Value[[]string](t, ctx, `[...document.querySelectorAll(".cell .name")].map(e => e.textContent)`)
	for _, text := range hostile() {
		if !slices.Contains(shown, text) {
			t.Errorf("%q is not shown", text)
		}
	}
	const waiting = `Promise.all([...document.images].map(i => i.decode().then(() => "", () => i.src))).then(all => all.filter(s => s))`
	if broken := settled[[]string](t, ctx, waiting); len(broken) > 0 {
		t.Errorf("pictures that do not load: %q", broken)
	}
	if count := browsertest.Value[int](t, ctx, "document.images.length"); count < 3*len(hostile()) {
		t.Errorf("%d pictures in the document", count)
	}
}

func TestBrowserThreshold(t *testing.T) {
	ctx := browser(t)
	p := oneSet(true)
	opened(t, ctx, p, numbered(100))
	counts := func() string { return settled[string](t, ctx, `document.getElementById("counts").textContent`) }
	if got := counts(); got != "no threshold: nothing is called anomalous" {
		t.Errorf("without a threshold: %q", got)
	}
	if tags := browsertest.Value[int](t, ctx, `document.querySelectorAll(".tag.bad").length`); tags != 0 {
		t.Errorf("%d pictures are called anomalous without a threshold", tags)
	}
	browsertest.Enter(t, ctx, "threshold", "0.4", "change")
	if got := counts(); got != "60 anomalous, 40 not anomalous, 0 of 50 missed, 10 false alarms in 50" { // a score equal to the threshold is anomalous
		t.Errorf("at 0.4: %q", got)
	}
	if title := browsertest.Value[string](t, ctx, `document.getElementById("roc-title").textContent`); !strings.HasSuffix(title, "AUROC 100.0 %") {
		t.Errorf("scores that tell all apart: %q", title)
	}
	browsertest.Keep(t, "labelled.png", browsertest.Run(t, ctx, chromedp.CaptureScreenshot()))
	browsertest.Enter(t, ctx, "slider", "1000", "input")
	if got := counts(); !strings.HasPrefix(got, "1 anomalous, 99 not anomalous, 49 of 50 missed") {
		t.Errorf("at the slider's end: %q", got)
	}
	browsertest.Enter(t, ctx, "show", "missed", "input")
	if got := settled[int](t, ctx, `state.shown.length`); got != 49 {
		t.Errorf("%d missed pictures are shown", got)
	}
	browsertest.Enter(t, ctx, "class", "nut", "change")
	if got := counts(); !strings.Contains(got, "24 of 25 missed") {
		t.Errorf("one class: %q", got)
	}
}

// TestBrowserCurvesWithTies: equal scores are one point of the curves, whatever their order.
func TestBrowserCurvesWithTies(t *testing.T) {
	ctx := browser(t)
	var pictures []Picture
	for _, p := range []struct {
		score     float32
		anomalous bool
	}{{0.1, false}, {0.4, true}, {0.4, false}, {0.4, false}, {0.9, true}} {
		pictures = append(pictures, Picture{Path: "a.png", Score: new(p.score), Anomalous: p.anomalous})
	}
	opened(t, ctx, oneSet(true), pictures)
	titles := settled[[]string](t, ctx, `["roc-title", "pr-title"].map(id => document.getElementById(id).textContent)`)
	// AUROC: of 2 x 3 pairs, 4 are in order and 2 are ties. AP: 1/2 x 1 + 1/2 x 2/4.
	want := []string{"ROC curve of pictures: AUROC 83.3 %", "Precision and recall of pictures: AP 75.0 %"}
	if !slices.Equal(titles, want) {
		t.Errorf("%q, want %q", titles, want)
	}
}

// TestBrowserEnlarges: a picture whose size the page does not know keeps its proportions.
func TestBrowserEnlarges(t *testing.T) {
	ctx := browser(t)
	pictures := numbered(1)
	pictures[0].Width, pictures[0].Height = 0, 0
	opened(t, ctx, oneSet(false), pictures)
	browsertest.Run(t, ctx, chromedp.KeyEvent(kb.Enter))
	const ratio = `document.querySelector("#stage img.base").decode().then(() => { const b = document.querySelector("#stage .stack").getBoundingClientRect(); return b.width / b.height; })`
	if got := settled[float64](t, ctx, ratio); math.Abs(got-40./30) > 0.01 {
		t.Errorf("width / height is %v, want 4/3", got)
	}
}

func TestBrowserKeyboardAndDetail(t *testing.T) {
	ctx := browser(t)
	opened(t, ctx, oneSet(true), numbered(40))
	press := func(keys string) { browsertest.Run(t, ctx, chromedp.KeyEvent(keys)) }
	title := func() string { return settled[string](t, ctx, `document.getElementById("detail-title").textContent`) }
	press(kb.ArrowRight)
	press(kb.Enter)
	if got := title(); got != "photos/00038.png" {
		t.Errorf("the second by score is %q", got)
	}
	if !browsertest.Value[bool](t, ctx, `document.getElementById("detail").open`) {
		t.Error("Enter opens no detail")
	}
	press(kb.ArrowRight)
	if got := title(); got != "photos/00037.png" {
		t.Errorf("the next is %q", got)
	}
	layers := browsertest.Value[int](t, ctx, `document.querySelectorAll("#stage img").length`)
	if layers != 4 { // 37 % 3 = 1 region, and a mask
		t.Errorf("%d layers, want picture, map, outline and mask", layers)
	}
	browsertest.Keep(t, "detail.png", browsertest.Run(t, ctx, chromedp.CaptureScreenshot()))
	press("h")
	if got := settled[string](t, ctx, `getComputedStyle(document.querySelector("#stage img.map")).opacity`); got != "0" {
		t.Errorf("the map's opacity is %s after h", got)
	}
	browsertest.Act(t, ctx, `document.getElementById("close").click()`)
	browsertest.Act(t, ctx, `const box = document.getElementById("masks"); box.focus(); box.click()`)
	press("h")
	if got := settled[string](t, ctx, `document.getElementById("heat").value`); got != "80" {
		t.Errorf("with the focus on a checkbox, h sets the heat map to %s", got)
	}
	if browsertest.Value[bool](t, ctx, `document.getElementById("detail").open`) {
		t.Error("the detail stays open")
	}
}

// TestBrowserHolds10000: only what is in sight is in the document, at the end of the grid too.
func TestBrowserHolds10000(t *testing.T) {
	ctx := browser(t)
	opened(t, ctx, oneSet(false), numbered(10_000))
	elements := func() int { return settled[int](t, ctx, `document.querySelectorAll("*").length`) }
	if got := elements(); got > 1500 {
		t.Errorf("%d elements", got)
	}
	browsertest.Run(t, ctx, chromedp.KeyEvent(kb.End))
	if got := settled[string](t, ctx, `document.querySelector(".cell.cursor .name").textContent`); got != "photos/00000.png" {
		t.Errorf("the last by score is %q", got)
	}
	if got := elements(); got > 1500 {
		t.Errorf("%d elements at the end", got)
	}
	t.Logf("first contentful paint after %.0f ms, relabelling %.0f ms, JavaScript heap %.0f MB",
		settled[float64](t, ctx, `performance.getEntriesByName("first-contentful-paint")[0].startTime`),
		browsertest.Value[float64](t, ctx, `(() => { const t = performance.now(); choosePictures(); choose(); drawHistogram(); showCounts(); drawGrid(true); return performance.now() - t; })()`),
		browsertest.Value[float64](t, ctx, `performance.memory.usedJSHeapSize / 1e6`))
}

func TestBrowserPrints(t *testing.T) {
	ctx := browser(t)
	opened(t, ctx, oneSet(false), numbered(300))
	pdf := browsertest.Run(t, ctx, chromedp.PrintToPDF(chromedp.PDFPrintBackground()))
	if !strings.HasPrefix(string(pdf), "%PDF") {
		t.Errorf("%d bytes that are no PDF", len(pdf))
	}
	if pages := strings.Count(string(pdf), "/Type /Page\n"); pages < 4 || pages > 30 { // 200 pictures, four in a row
		t.Errorf("%d printed pages", pages)
	}
	if pictures := strings.Count(string(pdf), "/Subtype /Image"); pictures == 0 {
		t.Error("no picture is printed")
	}
	browsertest.Keep(t, "printed.pdf", pdf)
}
