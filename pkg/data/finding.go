package data

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Level says what a Finding means for the dataset's use.
type Level string

// The levels, the gravest last.
const (
	Info    Level = "info"    // worth knowing; legitimate in some benchmarks
	Warning Level = "warning" // probably not meant, or numbers will not compare
	Error   Level = "error"   // the dataset cannot be used as it is
)

// Code names a kind of Finding.
type Code string

// What is found while a dataset is listed.
const (
	Unlisted         Code = "unlisted"
	MissingImage     Code = "missing_image"
	MissingMask      Code = "missing_mask"
	NoMaskListed     Code = "no_mask_listed"
	DuplicatePath    Code = "duplicate_path"
	AmbiguousMask    Code = "ambiguous_mask"
	CountMismatch    Code = "count_mismatch"
	KnownSubset      Code = "known_subset"
	OneClassSet      Code = "one_class_set"
	PairingDisagrees Code = "pairing_disagrees"
	PathFallback     Code = "path_fallback"
	LabelFormat      Code = "label_format"
	ListIgnored      Code = "list_ignored"
	Unlabelled       Code = "unlabelled"
	OrphanMask       Code = "orphan_mask"
	MaskLikePicture  Code = "mask_like_picture"
	LinkedFolder     Code = "linked_folder"
	UnreadPicture    Code = "unread_picture"
	EmptyClass       Code = "empty_class"
	RenamedClass     Code = "renamed_class"
	Note             Code = "note"
)

// What is found when its files are read (package verify).
const (
	Undecodable      Code = "undecodable"
	MaskSizeMismatch Code = "mask_size_mismatch"
	EmptyMask        Code = "empty_mask"
	FullMask         Code = "full_mask"
	MarkedBackground Code = "marked_background"
	TurnedMask       Code = "turned_mask"
	NonBinaryMask    Code = "non_binary_mask"
	FaintMask        Code = "faint_mask"
)

// codeKind is what every Finding of a Code has in common.
type codeKind struct {
	code    Code
	level   Level
	meaning string // in the plural
}

// codeKinds lists the codes in the order in which they are shown within a level.
var codeKinds = []codeKind{
	{Unlisted, Error, "datasets cannot be listed"},
	{MissingImage, Error, "listed pictures are not there"},
	{MissingMask, Error, "anomalous pictures have no mask, where others have (it is named <stem>, <stem>_mask or <stem>_gt)"},
	{Undecodable, Error, "files cannot be read as pictures"},
	{DuplicatePath, Error, "pictures are listed twice, or share one mask"},
	{AmbiguousMask, Error, "pictures have more than one mask"},
	{KnownSubset, Warning, "counts are those of another set"},
	{CountMismatch, Warning, "normal/anomalous counts are not the public list's, so numbers do not compare with published ones"},
	{ListIgnored, Warning, "lists cannot be used (more than 1 % of their paths are not there, or they are none), and the folders were read instead"},
	{NoMaskListed, Warning, "anomalous pictures have no mask listed and are left out of pixel metrics"},
	{PairingDisagrees, Warning, "listed masks are named otherwise than their pictures"},
	{MaskSizeMismatch, Warning, "masks have another size than their pictures"},
	{EmptyMask, Warning, "masks of anomalous pictures mark nothing"},
	{FullMask, Warning, "masks of anomalous pictures mark every pixel"},
	{MarkedBackground, Warning, "masks have a palette whose first color is not black, so that their background counts as anomalous"},
	{OrphanMask, Warning, "masks belong to no picture"},
	{MaskLikePicture, Warning, "pictures are named as masks of others beside them, and are taken as pictures"},
	{Unlabelled, Warning, "pictures lie in no normal and no anomalous folder and are left out"},
	{LinkedFolder, Warning, "folders are links to others of the dataset and are left out"},
	{UnreadPicture, Warning, "pictures are in formats that are not read, and are left out: convert them to PNG or JPEG"},
	{EmptyClass, Warning, "classes have no test pictures and are left out"},
	{OneClassSet, Info, "classes have pictures of one label only"},
	{NonBinaryMask, Info, "masks hold other values than 0 and 255, or color or alpha"},
	{FaintMask, Info, "masks have no value above 127, at their own size or scaled: a threshold of 128 would lose them"},
	{TurnedMask, Info, "masks fit their pictures both as these are stored and as EXIF turns them, and are turned with them"},
	{PathFallback, Info, "listed paths were found elsewhere than the list says"},
	{RenamedClass, Info, "classes are called otherwise than in the benchmark"},
	{LabelFormat, Info, "entries of the list are unusual, and were understood"},
	{Note, Info, "to know about this benchmark"},
}

func (c Code) kind() codeKind {
	for _, kind := range codeKinds {
		if kind.code == c {
			return kind
		}
	}
	return codeKind{code: c, level: Error}
}

// Finding is something that a person should know about a dataset's files.
type Finding struct {
	Code   Code
	Level  Level
	Class  string // "" where it concerns the whole dataset
	Path   string // relative to the dataset's root, with forward slashes; "" where it concerns no file
	Detail string // what exactly, in words; may be ""
}

// NewFinding makes a Finding with its code's level.
func NewFinding(code Code, class, path, detail string) Finding {
	return Finding{Code: code, Level: code.kind().level, Class: class, Path: path, Detail: detail}
}

// about is what a Finding names: its file, or what it says.
func (f Finding) about() string {
	switch {
	case f.Path == "":
		return f.Detail
	case f.Detail == "":
		return f.Path
	}
	return f.Path + ": " + f.Detail
}

// Summary is all Findings of one code and level.
type Summary struct {
	Code     Code
	Level    Level
	Meaning  string // what they have in common, in the plural
	Findings []Finding
}

// String reads "masks belong to no picture: a.png; b.png; c.png; and 4 more".
func (s Summary) String() string {
	const few = 3
	var b strings.Builder
	b.WriteString(s.head())
	separator := ": "
	for _, finding := range s.Findings[:min(few, len(s.Findings))] {
		b.WriteString(separator + finding.about())
		separator = "; "
	}
	if more := len(s.Findings) - few; more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// head is what the findings have in common. Of pictures that are not read it tells
// how many there are of each format, which is the detail of their findings.
func (s Summary) head() string {
	if s.Code != UnreadPicture {
		return s.Meaning
	}
	formats := make([]string, len(s.Findings))
	for i, finding := range s.Findings {
		formats[i] = finding.Detail
	}
	return UnreadText(formats)
}

// Summarize groups findings, the gravest first.
func Summarize(findings []Finding) []Summary {
	type group struct {
		Code
		Level
	}
	place := map[group]int{}
	var list []Summary
	for _, f := range findings {
		key := group{f.Code, f.Level}
		at, known := place[key]
		if !known {
			at = len(list)
			place[key] = at
			list = append(list, Summary{Code: f.Code, Level: f.Level, Meaning: f.Code.kind().meaning})
		}
		list[at].Findings = append(list[at].Findings, f)
	}
	slices.SortStableFunc(list, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(b.Level.rank(), a.Level.rank()), cmp.Compare(a.Code.rank(), b.Code.rank()))
	})
	return list
}

func (l Level) rank() int { return slices.Index([]Level{Info, Warning, Error}, l) }

func (c Code) rank() int {
	return slices.IndexFunc(codeKinds, func(kind codeKind) bool { return kind.code == c })
}
