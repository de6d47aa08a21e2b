package report

import (
	"io"
	"strconv"
)

// Datasets are the known benchmarks and a user's own datasets, and what was
// found of each.
type Datasets struct {
	List []Dataset `json:"datasets"`
}

// Dataset is one dataset that was looked for.
type Dataset struct {
	Name      string `json:"name"`                // as the configuration calls it; the benchmark's key where it was not given
	Benchmark string `json:"benchmark,omitempty"` // its title; "" for a set of one's own
	Domain    string `json:"domain"`
	Path      string `json:"path,omitempty"`   // "" where it was not given
	Layout    string `json:"layout,omitempty"` // "" where it was not found
	Error     string `json:"error,omitempty"`  // why it was not found
	// Classes, Normal and Anomalous are what was found.
	Classes           int             `json:"classes"`
	Normal            int             `json:"normal"`
	Anomalous         int             `json:"anomalous"`
	PublicList        *PublicList     `json:"public_list,omitempty"` // nil where there is none
	MatchesPublicList bool            `json:"matches_public_list"`   // in every class
	Findings          []FindingCounts `json:"finding_counts,omitempty"`
}

// PublicList is what the public list of a benchmark's test pictures holds.
type PublicList struct {
	Classes   int `json:"classes"`
	Normal    int `json:"normal"`
	Anomalous int `json:"anomalous"`
}

// FindingCounts is how often something was found.
type FindingCounts struct {
	Level string `json:"level"`
	Code  string `json:"code"`
	Count int    `json:"count"`
}

// Write writes the datasets in the given format.
func (d *Datasets) Write(w io.Writer, format Format) error {
	return writeAs(w, format, only(d.table), func(w io.Writer) error { return WriteIndented(w, d) })
}

func (d *Datasets) table() *table {
	t := &table{
		heading: []string{"dataset", "benchmark", "domain", "found", "at", "classes", "normal", "anomalous", "listed normal", "listed anomalous"},
		names:   5,
		notes:   []string{"\"listed\" counts are those of the public list of a benchmark's test pictures, where there is one."},
	}
	var rows [][]string
	given := false
	for _, set := range d.List {
		given = given || set.Path != ""
		row := []string{printable(set.Name), orDash(set.Benchmark), set.Domain, set.state(), orDash(printable(set.Path))}
		if set.Layout == "" {
			row = append(row, "-", "-", "-")
		} else {
			row = append(row, strconv.Itoa(set.Classes), strconv.Itoa(set.Normal), strconv.Itoa(set.Anomalous))
		}
		if set.PublicList == nil {
			row = append(row, "-", "-")
		} else {
			row = append(row, strconv.Itoa(set.PublicList.Normal), strconv.Itoa(set.PublicList.Anomalous))
		}
		rows = append(rows, row)
	}
	t.sections = [][][]string{rows}
	if !given {
		t.notes = append(t.notes, "Say where they are: NAME=PATH here, a folder that holds several, or data.roots in a configuration (--config).")
	}
	return t
}

// state is what was found, in a word or two.
func (d *Dataset) state() string {
	switch {
	case d.Error != "":
		return "error"
	case d.Path == "":
		return "not given"
	case d.PublicList == nil:
		return d.Layout
	case d.MatchesPublicList:
		return d.Layout + ", as listed"
	}
	return d.Layout + ", other counts"
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
