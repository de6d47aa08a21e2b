package report

import (
	"io"
	"strconv"
)

// Datasets lists the known benchmarks and the user's own datasets, and what was found of
// each.
type Datasets struct {
	List []Dataset `json:"datasets"`
}

// Dataset is the result of looking for one dataset.
type Dataset struct {
	Name      string `json:"name"`                // its name in the configuration; the benchmark's key if it was not given
	Benchmark string `json:"benchmark,omitempty"` // its title; "" for a user's own dataset
	Domain    string `json:"domain"`
	Path      string `json:"path,omitempty"`   // "" if it was not given
	Layout    string `json:"layout,omitempty"` // "" if it was not found
	Error     string `json:"error,omitempty"`  // why it was not found
	// Classes, Normal and Anomalous count what was found.
	Classes           int             `json:"classes"`
	Normal            int             `json:"normal"`
	Anomalous         int             `json:"anomalous"`
	PublicList        *PublicList     `json:"public_list,omitempty"` // nil if there is none
	MatchesPublicList bool            `json:"matches_public_list"`   // in every class
	Findings          []FindingCounts `json:"finding_counts,omitempty"`
}

// PublicList gives the counts in the public list of a benchmark's test pictures.
type PublicList struct {
	Classes   int `json:"classes"`
	Normal    int `json:"normal"`
	Anomalous int `json:"anomalous"`
}

// FindingCounts counts the findings with one code.
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
		notes:   []string{"\"listed\": counts in the public list of the benchmark's test pictures, if there is one."},
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
		t.notes = append(t.notes, "Give their folders as NAME=PATH, as a folder that contains several datasets, or with data.roots in a configuration (--config).")
	}
	return t
}

// state says briefly what was found.
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
