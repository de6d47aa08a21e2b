// Package data finds datasets on disk, and lists their pictures and masks. It is pure Go.
package data

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"acdclip/pkg/digest"
	"acdclip/pkg/domain"
)

// What Discover, Usable, Select, HoldOut and Scan fail with, wrapped with what and where.
var (
	ErrNoLayout     = errors.New("no known dataset layout")
	ErrNoPictures   = errors.New("no pictures")
	ErrOtherSet     = errors.New("this is another dataset")
	ErrFaulty       = errors.New("the dataset has faults")
	ErrUnknownClass = errors.New("no such class")
	ErrHoldOut      = errors.New("cannot be held out")
)

// Dataset is the test split of one dataset: normal and anomalous pictures
// together, which is what is trained on (auxiliary) and scored (target).
type Dataset struct {
	Name          string
	Root          string // the folder that the rows' relative paths start from
	Layout        string // the name of the Layout that was found, or the list's path
	Domain        domain.Domain
	Benchmark     *Benchmark // the benchmark that it is; nil for a set of one's own
	Classes       []Class    // in natural order of their names; each has a picture
	Items         []Item     // by class, then by the bytes of their paths
	MaskThreshold uint8      // the least grey value of a mask that is anomalous
	Findings      []Finding

	whole *Dataset // what Select chose from; nil for all that Discover found
}

// Usable returns an error that wraps ErrFaulty where a finding says that the
// dataset cannot be used as it is.
func (d *Dataset) Usable() error {
	var faults []string
	for _, summary := range Summarize(d.Findings) {
		if summary.Level == Error {
			faults = append(faults, summary.String())
		}
	}
	if faults == nil {
		return nil
	}
	return fmt.Errorf("dataset %s: %w: %s; `acdclip data verify` lists them all", d.Name, ErrFaulty, strings.Join(faults, "; "))
}

// Missing gives the listed pictures that are not there, by their relative paths.
func (d *Dataset) Missing() map[string]bool {
	missing := map[string]bool{}
	for _, f := range d.Findings {
		if f.Code == MissingImage {
			missing[f.Path] = true
		}
	}
	return missing
}

// WithoutMissing returns the dataset without the rows whose picture is not there.
func (d *Dataset) WithoutMissing() *Dataset {
	missing := d.Missing()
	if len(missing) == 0 {
		return d
	}
	rest := d.keep(func(_ int, item Item) bool { return !missing[relative(d.Root, item.Path)] })
	for i, f := range rest.Findings {
		if f.Code == MissingImage {
			rest.Findings[i].Level = Warning
		}
	}
	rest.whole = nil
	return rest
}

// WithPixelTruth returns the dataset without the anomalous rows that have no mask.
func (d *Dataset) WithPixelTruth() *Dataset {
	if !slices.ContainsFunc(d.Items, func(item Item) bool { return !item.HasPixelTruth() }) {
		return d
	}
	return d.keep(func(_ int, item Item) bool { return item.HasPixelTruth() })
}

// Whole is the dataset that d was selected from; d itself where nothing was selected.
func (d *Dataset) Whole() *Dataset {
	if d.whole != nil {
		return d.whole
	}
	return d
}

// HasMasks reports whether the anomalous pictures have masks.
func (d *Dataset) HasMasks() bool {
	for _, item := range d.Items {
		if item.Mask != "" {
			return true
		}
	}
	return false
}

// Count is how many pictures of each label a class has.
type Count struct {
	Class             string
	Normal, Anomalous int
}

// Counts counts the rows, one Count a class in the order of d.Classes.
func (d *Dataset) Counts() []Count {
	counts := make([]Count, len(d.Classes))
	index := make(map[string]int, len(d.Classes))
	for i, class := range d.Classes {
		counts[i].Class = class.Name
		index[class.Name] = i
	}
	for _, item := range d.Items {
		count := &counts[index[item.Class]]
		if item.Anomalous {
			count.Anomalous++
		} else {
			count.Normal++
		}
	}
	return counts
}

// Total sums Counts.
func (d *Dataset) Total() (normal, anomalous int) {
	for _, count := range d.Counts() {
		normal, anomalous = normal+count.Normal, anomalous+count.Anomalous
	}
	return normal, anomalous
}

// ListHash names the rows: "sha256:" and a hash over each row's relative path,
// class, label and relative mask path (of a mask that is a folder, its files'
// too), in order. It depends neither on where
// the dataset lies nor on what it is called, nor on the pictures' contents.
func (d *Dataset) ListHash() string {
	hash := sha256.New()
	for _, item := range d.Items {
		mask := ""
		if item.Mask != "" {
			mask = relative(d.Root, item.Mask)
		}
		// Quoted, so that no name can imitate the border between two fields.
		_, _ = io.WriteString(hash, strings.Join([]string{
			strconv.Quote(relative(d.Root, item.Path)), strconv.Quote(item.Class),
			strconv.FormatBool(item.Anomalous), strconv.Quote(mask) + d.quotedParts(item),
		}, "\t")+"\n")
	}
	return digest.SHA256(hash.Sum(nil))
}

// quotedParts is what names the parts of a mask in ListHash; "" where it is one file.
func (d *Dataset) quotedParts(item Item) string {
	text := ""
	for _, part := range item.MaskParts {
		text += "\t" + strconv.Quote(relative(d.Root, part))
	}
	return text
}

// Relative is a file's path as seen from the dataset's root, with forward slashes.
func (d *Dataset) Relative(path string) string { return relative(d.Root, path) }

// relative is path as seen from root, with forward slashes on every system.
func relative(root, path string) string {
	if inside, ok := strings.CutPrefix(path, root+string(filepath.Separator)); ok {
		return filepath.ToSlash(inside)
	}
	inside, err := filepath.Rel(root, path)
	if err != nil {
		inside = path
	}
	return filepath.ToSlash(inside)
}
