// Package page writes the results of predict and eval as an HTML page that opens from disk
// without a network. The page is one file with its styles, its program and the results; the
// pictures that it shows lie beside it.
package page

import (
	"acdclip/pkg/digest"
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// Index is the page's file name. The trees beside it hold what it shows of each picture, at
// the picture's file name below the tree plus an extension.
const (
	Index         = "index.html"
	ThumbnailTree = "thumbnails"    // .jpg, the picture
	PictureTree   = "page/pictures" // .jpg, the picture in a larger size
	MapTree       = "page/maps"     // .png, its anomaly map in colors, square or of any proportions
	OutlineTree   = "page/outlines" // .png, the outlines of its regions, transparent elsewhere
	MaskTree      = "page/masks"    // .png, the outlines of what is marked as anomalous, likewise
)

// The largest sides of the pictures beside a page, in pixels.
const (
	ThumbnailSide = 256
	PictureSide   = 1024
	MapSide       = 256
)

// Page is what a page says apart from its pictures.
type Page struct {
	Title   string
	Summary string   // a sentence
	Facts   []Fact   // what made the results
	Colors  []string // of maps, from the low to the high end, as CSS writes colors
	Labels  bool     // the pictures are labelled: the page shows how well scores tell them apart
	Sets    []Set    // at least one
}

// Fact is a named text.
type Fact struct{ Name, Value string }

// Set is one result: pictures scored by one model.
type Set struct {
	Name      string
	Facts     []Fact
	Low, High float32  // map values at both ends of the colors
	Threshold *float32 // of scores; nil for none
	Table     *Table   // of metrics; nil for none
}

// Table is a table of texts. Mean says that its last row is a mean.
type Table struct {
	Columns []string
	Rows    [][]string
	Mean    bool
}

// Picture is one picture's result. Its texts may hold anything: the page shows them as text.
type Picture struct {
	Set           int // index in Page.Sets
	Path, Class   string
	Score, MapMax *float32 // nil if it could not be scored
	Anomalous     bool     // its label, with Page.Labels
	Regions       *int     // nil without a threshold for pixels
	Area          *float64 // their share of the picture
	Box           string   // of the strongest, "x y width height"
	Width, Height int      // in pixels; 0 if unknown
	File          string   // its path below the trees, with slashes and without the extension; "" if nothing was drawn
	Mask          bool     // there is a file in MaskTree
	Error         string
}

//go:embed assets/page.html
var document string

//go:embed assets/page.css
var style string

// The program's parts, in their order.
var (
	//go:embed assets/pictures.js
	picturesScript string
	//go:embed assets/charts.js
	chartsScript string
	//go:embed assets/grid.js
	gridScript string
	//go:embed assets/main.js
	mainScript string
)

// Writer writes a page, picture by picture.
type Writer struct {
	w     *bufio.Writer
	rest  string // the document after the pictures
	wrote bool   // a picture
}

// Begin writes a page up to its pictures. The caller owns w and closes it.
func Begin(w io.Writer, p Page) (*Writer, error) {
	head, err := json.Marshal(headOf(p))
	if err != nil {
		return nil, fmt.Errorf("writing a page: %w", err)
	}
	script := picturesScript + chartsScript + gridScript + mainScript
	// Only this program and these styles run, and nothing is loaded but pictures beside the page.
	policy := fmt.Sprintf("default-src 'none'; img-src 'self' file:; script-src '%s'; style-src '%s'", digest.ForPolicy(script), digest.ForPolicy(style))
	fill := strings.NewReplacer("POLICY", policy, "STYLE", style, "HEAD", string(head), "SCRIPT", script)
	before, after, _ := strings.Cut(document, "ROWS")
	page := &Writer{w: bufio.NewWriter(w), rest: fill.Replace(after)}
	_, err = page.w.WriteString(fill.Replace(before) + "[")
	return page, err
}

// Add writes a picture.
func (w *Writer) Add(p Picture) error {
	// JSON for HTML: <, > and & are escaped, so no text can end the script element.
	row, err := json.Marshal(p.values())
	if err != nil {
		return fmt.Errorf("writing a page: %w", err)
	}
	if w.wrote {
		row = append([]byte(",\n"), row...)
	}
	w.wrote = true
	_, err = w.w.Write(row)
	return err
}

// Close ends the page.
func (w *Writer) Close() error {
	if _, err := w.w.WriteString("]" + w.rest); err != nil {
		return err
	}
	return w.w.Flush()
}

// columns are the names of values, as the page's program knows them.
var columns = [...]string{"set", "path", "class", "score", "map_max", "label", "regions", "area", "box", "width", "height", "file", "mask", "error"}

func (p *Picture) values() [len(columns)]any {
	return [...]any{p.Set, p.Path, p.Class, p.Score, p.MapMax, p.Anomalous, p.Regions, p.Area, p.Box, p.Width, p.Height, address(p.File), p.Mask, p.Error}
}

// address returns the relative URL of a file. Names need not be valid UTF-8.
func address(file string) string {
	parts := strings.Split(file, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}

// head is a Page as its program reads it.
type head struct {
	Title      string    `json:"title"`
	Summary    string    `json:"summary"`
	Facts      []Fact    `json:"facts"`
	Colors     []string  `json:"colors"`
	Labelled   bool      `json:"labelled"`
	Sets       []headSet `json:"sets"`
	Columns    []string  `json:"columns"`
	Thumbnails string    `json:"thumbnails"`
	Pictures   string    `json:"pictures"`
	Maps       string    `json:"maps"`
	Outlines   string    `json:"outlines"`
	Masks      string    `json:"masks"`
}

type headSet struct {
	Name      string     `json:"name"`
	Facts     []Fact     `json:"facts"`
	Low       float32    `json:"low"`
	High      float32    `json:"high"`
	Threshold *float32   `json:"threshold"`
	Table     *headTable `json:"table"`
}

type headTable struct {
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
	Mean    bool       `json:"mean"`
}

func headOf(p Page) head {
	h := head{
		Title: p.Title, Summary: p.Summary, Facts: append([]Fact{}, p.Facts...), Colors: p.Colors, Labelled: p.Labels, Columns: columns[:],
		Thumbnails: ThumbnailTree + "/", Pictures: PictureTree + "/", Maps: MapTree + "/", Outlines: OutlineTree + "/", Masks: MaskTree + "/",
	}
	for _, set := range p.Sets {
		h.Sets = append(h.Sets, headSet{set.Name, append([]Fact{}, set.Facts...), set.Low, set.High, set.Threshold, (*headTable)(set.Table)})
	}
	return h
}

// MarshalJSON writes a fact as a pair.
func (f Fact) MarshalJSON() ([]byte, error) { return json.Marshal([2]string{f.Name, f.Value}) }
