// Package data finds pictures, masks and datasets on disk, and turns them into
// the pixels that a model takes. It is pure Go.
package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// What Discover, Select and Scan fail with, wrapped with what and where.
var (
	ErrNoLayout     = errors.New("no known dataset layout")
	ErrNoPictures   = errors.New("no pictures")
	ErrPairing      = errors.New("pictures and masks do not pair")
	ErrUnknownClass = errors.New("no such class")
)

// Dataset is the test split of one dataset: normal and anomalous pictures
// together, which is what is trained on (auxiliary) and scored (target).
type Dataset struct {
	Name     string
	Root     string // the folder that the rows' relative paths start from
	Layout   string // the name of the Layout that was found
	Domain   Domain
	Classes  []Class // in natural order of their names; each has a picture
	Items    []Item  // grouped by class; natural order of folders and files inside
	Warnings []string

	whole *Dataset // what Select chose from; nil for all that Discover found
}

// DiscoverOptions says what the folder itself does not.
type DiscoverOptions struct {
	Domain Domain // "": what Names knows of the dataset, else Industrial
	Names  *Names // prompt names; nil: BuiltinNames
}

// Layout is one way in which a dataset's folders are laid out.
type Layout struct {
	Name    string
	Matches func(root string) (bool, error) // whether root looks like it; opens no picture
	List    func(ctx context.Context, root string) (Listing, error)
}

// Listing is what a Layout finds: the classes' names in natural order, the
// rows grouped by class, and what a person should know.
type Listing struct {
	Classes  []string
	Items    []Item
	Warnings []string
}

// Layouts are the known layouts, in the order in which they are tried.
func Layouts() []Layout { return []Layout{mvtecLayout()} }

// wrappers is how many folders with nothing but one folder in them are opened
// to find a dataset (archives often hold one more than their name says).
const wrappers = 3

// Discover finds the dataset in the folder root and lists its test split. Root
// may also be one class's own folder. It decodes nothing. The name chooses the
// prompt names; "" is the folder's own name.
//
// A dataset without any mask is fine and has no pixel metrics; one where some
// anomalous pictures have a mask and some have none is an ErrPairing.
func Discover(ctx context.Context, name, root string, o DiscoverOptions) (*Dataset, error) {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("dataset at %s: %w", root, err)
	}
	if name == "" {
		name = filepath.Base(absolute)
	}
	root, layout, err := findLayout(filepath.Clean(root))
	if err != nil {
		return nil, fmt.Errorf("dataset %s: %w", name, err)
	}
	listing, err := layout.List(ctx, root)
	if err != nil {
		return nil, fmt.Errorf("dataset %s: %w", name, err)
	}
	if len(listing.Items) == 0 {
		return nil, fmt.Errorf("dataset %s: %s has %s's folders, but no picture lies in their test folders: %w", name, root, layout.Name, ErrNoPictures)
	}
	if err := requireMasks(root, listing.Items); err != nil {
		return nil, fmt.Errorf("dataset %s: %w", name, err)
	}
	names := o.Names
	if names == nil {
		names = BuiltinNames()
	}
	d := &Dataset{Name: name, Root: root, Layout: layout.Name, Domain: o.Domain, Items: listing.Items, Warnings: listing.Warnings}
	if d.Domain == "" {
		d.Domain = names.Domain(name)
	}
	for _, class := range listing.Classes {
		d.Classes = append(d.Classes, Class{Name: class, Prompt: names.Prompt(name, class)})
	}
	d.Warnings = append(d.Warnings, d.oneSided()...)
	return d, nil
}

// findLayout finds the layout of root, or of the folder that it only wraps.
func findLayout(root string) (string, Layout, error) {
	folder := root
	for range wrappers + 1 {
		entries, err := readFolder(folder)
		if err != nil {
			return "", Layout{}, fmt.Errorf("reading the folder: %w", err)
		}
		for _, layout := range Layouts() {
			matches, err := layout.Matches(folder)
			if err != nil {
				return "", Layout{}, err
			}
			if matches {
				return folder, layout, nil
			}
		}
		inner := ""
		for _, entry := range entries {
			if isFolder(folder, entry) {
				if inner != "" {
					inner = ""
					break
				}
				inner = entry.Name()
			}
		}
		if inner == "" {
			break
		}
		folder = filepath.Join(folder, inner)
	}
	return "", Layout{}, fmt.Errorf("%s: %w: expected folders <class>/test/good, <class>/test/<defect> and <class>/ground_truth/<defect> (or one class's own folder); no test folder was found", root, ErrNoLayout)
}

// requireMasks demands that all anomalous pictures have a mask, or none.
func requireMasks(root string, items []Item) error {
	var without []string
	with := 0
	for _, item := range items {
		switch {
		case !item.Anomalous:
		case item.Mask == "":
			without = append(without, relative(root, item.Path))
		default:
			with++
		}
	}
	if with == 0 || len(without) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d anomalous pictures have a mask and these have none: %s; a mask is named <stem>, <stem>_mask or <stem>_gt: add them, or remove all masks to go without pixel metrics", ErrPairing, with, countNamed(without))
}

// oneSided says which classes have pictures of one label only.
func (d *Dataset) oneSided() []string {
	var warnings []string
	for _, count := range d.Counts() {
		switch {
		case count.Normal == 0:
			warnings = append(warnings, fmt.Sprintf("class %s has no normal picture: image metrics are not defined for it", count.Class))
		case count.Anomalous == 0:
			warnings = append(warnings, fmt.Sprintf("class %s has no anomalous picture: neither image nor pixel metrics are defined for it", count.Class))
		}
	}
	return warnings
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

// ListHash names the rows: "sha256:" and a hash over each row's relative path,
// class, label and relative mask path, in order. It depends neither on where
// the dataset lies nor on what it is called, nor on the pictures' contents.
func (d *Dataset) ListHash() string {
	return d.hash(func(Item) string { return "" })
}

// SourceHash names the whole dataset that d was selected from: a hash as
// ListHash over all of its rows and the sizes of their picture files, which tell
// apart two datasets of the same names. Two copies of one dataset have the same.
func (d *Dataset) SourceHash() string {
	if d.whole != nil {
		return d.whole.SourceHash()
	}
	return d.hash(func(item Item) string {
		info, err := os.Stat(item.Path)
		if err != nil {
			return "\t-" // it will fail where it is read
		}
		return "\t" + strconv.FormatInt(info.Size(), 10)
	})
}

// hash goes over the rows, each with what more adds to it.
func (d *Dataset) hash(more func(Item) string) string {
	hash := sha256.New()
	for _, item := range d.Items {
		mask := ""
		if item.Mask != "" {
			mask = relative(d.Root, item.Mask)
		}
		// Quoted, so that no name can imitate the border between two fields.
		_, _ = io.WriteString(hash, strings.Join([]string{
			strconv.Quote(relative(d.Root, item.Path)), strconv.Quote(item.Class),
			strconv.FormatBool(item.Anomalous), strconv.Quote(mask),
		}, "\t")+more(item)+"\n")
	}
	return "sha256:" + hex.EncodeToString(hash.Sum(nil))
}

// relative is path as seen from root, with forward slashes on every system.
func relative(root, path string) string {
	inside, err := filepath.Rel(root, path)
	if err != nil {
		inside = path
	}
	return filepath.ToSlash(inside)
}

// className is the name of the class whose own folder this is.
func className(folder string) (string, error) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	name := filepath.Base(absolute)
	if name == string(os.PathSeparator) {
		return "", fmt.Errorf("%s has no name that could be a class's", folder)
	}
	return name, nil
}
