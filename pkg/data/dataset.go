// Package data finds datasets on disk and lists their pictures and masks. It is pure Go.
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

	"acdclip/pkg/config/section"
	"acdclip/pkg/digest"
	"acdclip/pkg/domain"
)

// Errors of Discover, Usable, Select, HoldOut and Scan, wrapped with context.
var (
	ErrNoLayout     = errors.New("no known dataset layout")
	ErrNoPictures   = errors.New("no pictures")
	ErrOtherSet     = errors.New("wrong dataset")
	ErrFaulty       = errors.New("the dataset has faults")
	ErrUnknownClass = errors.New("no such class")
	ErrHoldOut      = errors.New("cannot be held out")
)

// Dataset is the test split of one dataset: normal and anomalous pictures.
// Training (auxiliary dataset) and evaluation (target dataset) both use it.
type Dataset struct {
	Name          string
	Root          string // absolute path of the dataset's folder; the rows' relative paths start there
	Layout        string // name of the detected Layout, or the list's path
	Domain        domain.Domain
	Benchmark     *Benchmark // the recognised benchmark; nil for a dataset of the user's own
	Classes       []Class    // in natural order of their names; each has at least one picture
	Items         []Item     // sorted by class, then by the bytes of their paths
	MaskThreshold uint8      // the smallest grey value of a mask that counts as anomalous
	Findings      []Finding

	whole *Dataset // the dataset that Select chose from; nil for the result of Discover
}

// PromptOf returns a class's name in the prompts of a model.
func (d *Dataset) PromptOf(m section.Model, c Class) string {
	of := section.Class{Name: c.Name, Prompt: c.Prompt, Chosen: c.Chosen}
	if d.Benchmark != nil {
		of.Benchmark = d.Benchmark.Key
	}
	return section.PromptName(m, of)
}

// Usable returns an error that wraps ErrFaulty if the dataset has a finding of level Error.
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

// Missing returns the relative paths of the listed pictures that do not exist.
func (d *Dataset) Missing() map[string]bool {
	missing := map[string]bool{}
	for _, f := range d.Findings {
		if f.Code == MissingImage {
			missing[f.Path] = true
		}
	}
	return missing
}

// WithoutMissing returns the dataset without the rows whose picture does not exist.
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

// WithPixelTruth returns the dataset without the anomalous rows that lack a mask.
func (d *Dataset) WithPixelTruth() *Dataset {
	if !slices.ContainsFunc(d.Items, func(item Item) bool { return !item.HasPixelTruth() }) {
		return d
	}
	return d.keep(func(_ int, item Item) bool { return item.HasPixelTruth() })
}

// Whole returns the dataset that Select chose d from, or d itself if it is no selection.
func (d *Dataset) Whole() *Dataset {
	if d.whole != nil {
		return d.whole
	}
	return d
}

// HasMasks reports whether at least one picture has a mask.
func (d *Dataset) HasMasks() bool {
	for _, item := range d.Items {
		if item.Mask != "" {
			return true
		}
	}
	return false
}

// Count is the number of normal and anomalous pictures of a class.
type Count struct {
	Class             string
	Normal, Anomalous int
}

// Counts counts the rows: one Count per class, in the order of d.Classes.
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

// Total returns the sums of Counts.
func (d *Dataset) Total() (normal, anomalous int) {
	for _, count := range d.Counts() {
		normal, anomalous = normal+count.Normal, anomalous+count.Anomalous
	}
	return normal, anomalous
}

// ListHash returns "sha256:" and a hash over the rows in order: relative path,
// class, label and relative mask path, plus the paths of the files of a mask that
// is a folder. The dataset's location, its name and the pictures' contents do not
// change it.
func (d *Dataset) ListHash() string {
	hash := sha256.New()
	for _, item := range d.Items {
		mask := ""
		if item.Mask != "" {
			mask = relative(d.Root, item.Mask)
		}
		// Quoted, so that no name can contain the separator between two fields.
		_, _ = io.WriteString(hash, strings.Join([]string{
			strconv.Quote(relative(d.Root, item.Path)), strconv.Quote(item.Class),
			strconv.FormatBool(item.Anomalous), strconv.Quote(mask) + d.quotedParts(item),
		}, "\t")+"\n")
	}
	return digest.SHA256(hash.Sum(nil))
}

// quotedParts returns the text that ListHash hashes for the parts of a mask; "" if the mask is one file.
func (d *Dataset) quotedParts(item Item) string {
	text := ""
	for _, part := range item.MaskParts {
		text += "\t" + strconv.Quote(relative(d.Root, part))
	}
	return text
}

// Relative returns path relative to the dataset's root, with forward slashes.
func (d *Dataset) Relative(path string) string { return relative(d.Root, path) }

// relative returns path relative to root, with forward slashes on every system.
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
