package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"acdclip/pkg/plural"
)

// Verification is the result of reading all files of some datasets.
type Verification struct {
	Datasets []VerifiedDataset `json:"datasets"`
}

// VerifiedDataset is one dataset that was verified.
type VerifiedDataset struct {
	Dataset
	Quick         bool           `json:"quick"`          // only headers were read
	MaskThreshold int            `json:"mask_threshold"` // smallest grey value of a mask that counts as anomalous
	ImageSize     int            `json:"image_size"`     // side in pixels that masks were scaled to for the finding empty_mask
	Pictures      VerifiedFiles  `json:"pictures"`
	Masks         VerifiedFiles  `json:"masks"`
	Groups        []FindingGroup `json:"findings"`
}

// VerifiedFiles summarises the pictures or masks that could be read.
type VerifiedFiles struct {
	Files    int            `json:"files"`
	Modes    map[string]int `json:"modes"`              // number of files by mode, such as "PNG RGB"
	Smallest [2]int         `json:"smallest,omitempty"` // smallest width and smallest height in pixels
	Largest  [2]int         `json:"largest,omitempty"`
	Values   map[int]int64  `json:"values,omitempty"` // masks only: number of pixels by grey value
}

// FindingGroup holds all findings with one code.
type FindingGroup struct {
	Level   string    `json:"level"`
	Code    string    `json:"code"`
	Meaning string    `json:"meaning"`
	Count   int       `json:"count"`
	Files   []Finding `json:"findings"`
}

// Finding is one problem or oddity that was found.
type Finding struct {
	Class  string `json:"class,omitempty"`
	Path   string `json:"path,omitempty"` // relative to the dataset's folder
	Detail string `json:"detail,omitempty"`
}

// Count counts the findings of a level.
func (v *Verification) Count(level string) int {
	count := 0
	for _, set := range v.Datasets {
		for _, group := range set.Groups {
			if group.Level == level {
				count += group.Count
			}
		}
	}
	return count
}

// Write writes the verification as text or JSON.
func (v *Verification) Write(w io.Writer, format Format) error {
	if format == FormatJSON {
		return WriteIndented(w, v)
	}
	var b strings.Builder
	for i := range v.Datasets {
		if i > 0 {
			b.WriteByte('\n')
		}
		v.Datasets[i].text(&b)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the verification: %w", err)
	}
	return nil
}

// text writes one dataset: its name, a summary of its files, and the findings.
func (d *VerifiedDataset) text(b *strings.Builder) {
	title := printable(d.Name)
	if d.Benchmark != "" && d.Benchmark != d.Name {
		title += " (" + d.Benchmark + ")"
	}
	if d.Layout == "" {
		fmt.Fprintf(b, "%s at %s\n", title, printable(d.Path))
	} else {
		d.textOfFiles(b, title)
	}
	if len(d.Groups) == 0 {
		b.WriteString("  no findings\n")
		return
	}
	t := &table{heading: []string{"level", "code", "count", "what"}, names: 4}
	var rows [][]string
	for _, group := range d.Groups {
		rows = append(rows, []string{group.Level, group.Code, fmt.Sprint(group.Count), group.Meaning})
		const shown = 3
		for i, finding := range group.Files {
			if i == shown {
				rows = append(rows, []string{"", "", "", fmt.Sprintf("  and %d more (--format json lists all)", len(group.Files)-shown)})
				break
			}
			rows = append(rows, []string{"", "", "", "  " + printable(finding.text())})
		}
	}
	t.sections = [][][]string{rows}
	for line := range strings.Lines(strings.TrimRight(t.text(), "\n")) {
		b.WriteString("  " + strings.TrimRight(line, " \n") + "\n")
	}
}

// textOfFiles writes the dataset's counts and a summary of its files.
func (d *VerifiedDataset) textOfFiles(b *strings.Builder, title string) {
	fmt.Fprintf(b, "%s: %s at %s\n", title, printable(d.Layout), printable(d.Path))
	counts := fmt.Sprintf("%s, %d normal and %d anomalous pictures", plural.Of(d.Classes, "class", "classes"), d.Normal, d.Anomalous)
	if d.MatchesPublicList {
		counts += ", as in the public list"
	}
	fmt.Fprintf(b, "  %s\n", counts)
	fmt.Fprintf(b, "  pictures: %s\n", d.Pictures.text())
	if d.Masks.Files > 0 {
		fmt.Fprintf(b, "  masks: %s; values of at least %d are anomalous\n", d.Masks.text(), d.MaskThreshold)
		if histogram := d.Masks.histogram(); histogram != "" {
			fmt.Fprintf(b, "  mask values: %s\n", histogram)
		}
	}
	if d.Quick {
		b.WriteString("  only headers were read; pixel data and the content of masks were not checked\n")
	}
}

func (f Finding) text() string {
	switch {
	case f.Path == "":
		return f.Detail
	case f.Detail == "":
		return f.Path
	}
	return f.Path + ": " + f.Detail
}

// text returns a summary such as "180 files, 103 x 222 to 632 x 403 pixels, JPEG L 180".
func (f VerifiedFiles) text() string {
	if f.Files == 0 {
		return "none could be read"
	}
	size := fmt.Sprintf("%d x %d", f.Smallest[0], f.Smallest[1])
	if f.Smallest != f.Largest {
		size += fmt.Sprintf(" to %d x %d", f.Largest[0], f.Largest[1])
	}
	var modes []string
	for _, mode := range slices.Sorted(maps.Keys(f.Modes)) {
		modes = append(modes, fmt.Sprintf("%s %d", mode, f.Modes[mode]))
	}
	return fmt.Sprintf("%s, %s pixels, %s", plural.Of(f.Files, "file", "files"), size, strings.Join(modes, ", "))
}

// histogram lists the most frequent values with their shares of the pixels.
func (f VerifiedFiles) histogram() string {
	var all int64
	values := slices.Sorted(maps.Keys(f.Values))
	for _, count := range f.Values {
		all += count
	}
	if all == 0 {
		return ""
	}
	slices.SortStableFunc(values, func(a, b int) int { return int(min(1, max(-1, f.Values[b]-f.Values[a]))) })
	const shown = 6
	var parts []string
	rest := all
	for _, value := range values[:min(shown, len(values))] {
		parts = append(parts, fmt.Sprintf("%d: %s", value, share(f.Values[value], all)))
		rest -= f.Values[value]
	}
	if more := len(values) - shown; more > 0 {
		parts = append(parts, fmt.Sprintf("%d more: %s", more, share(rest, all)))
	}
	return strings.Join(parts, ", ")
}

func share(part, all int64) string { return fmt.Sprintf("%.2f %%", 100*float64(part)/float64(all)) }
