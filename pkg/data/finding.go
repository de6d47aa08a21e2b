package data

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Level is the severity of a Finding.
type Level string

// The levels, in ascending severity.
const (
	Info    Level = "info"    // worth knowing; legitimate in some benchmarks
	Warning Level = "warning" // probably a mistake, or numbers are not comparable with published ones
	Error   Level = "error"   // the dataset cannot be used until this is fixed
)

// Code names a kind of Finding.
type Code string

// Codes of findings from listing a dataset.
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

// Codes of findings from reading its files (package verify).
const (
	Undecodable      Code = "undecodable"
	MaskSizeMismatch Code = "mask_size_mismatch"
	EmptyMask        Code = "empty_mask"
	FullMask         Code = "full_mask"
	MarkedBackground Code = "marked_background"
	TurnedMask       Code = "turned_mask"
	NonBinaryMask    Code = "non_binary_mask"
	FaintMask        Code = "faint_mask"
	DimPicture       Code = "dim_picture"
)

// codeKind describes a Code.
type codeKind struct {
	code    Code
	level   Level
	meaning string // a description in the plural
}

// codeKinds lists the codes in their display order within a level.
var codeKinds = []codeKind{
	{Unlisted, Error, "datasets cannot be listed"},
	{MissingImage, Error, "listed pictures do not exist"},
	{MissingMask, Error, "anomalous pictures have no mask although others have one (expected name: <stem>, <stem>_mask, <stem>_gt or <stem>_label)"},
	{Undecodable, Error, "files cannot be read as pictures"},
	{DuplicatePath, Error, "pictures are listed more than once or share a mask"},
	{AmbiguousMask, Error, "pictures have more than one mask"},
	{KnownSubset, Warning, "counts are those of another dataset"},
	{CountMismatch, Warning, "normal/anomalous counts differ from the public list, so results are not comparable with published ones"},
	{ListIgnored, Warning, "lists were ignored and the folders read instead (more than 1 % of the listed paths do not exist, or the file is no valid list)"},
	{NoMaskListed, Warning, "anomalous pictures have no mask in the list and are excluded from pixel metrics"},
	{PairingDisagrees, Warning, "listed masks have other names than their pictures"},
	{MaskSizeMismatch, Warning, "masks have another size than their pictures"},
	{EmptyMask, Warning, "masks of anomalous pictures mark no pixel"},
	{FullMask, Warning, "masks of anomalous pictures mark every pixel"},
	{MarkedBackground, Warning, "masks have a palette whose first color is not black, so their background counts as anomalous"},
	{DimPicture, Warning, "pictures of 16 bits use less than a quarter of their range and are read as almost black; set data.depth to the bits that they use"},
	{OrphanMask, Warning, "masks belong to no picture"},
	{MaskLikePicture, Warning, "pictures have names like masks of other pictures; they are used as pictures"},
	{Unlabelled, Warning, "pictures are in neither a normal nor an anomalous folder and are skipped"},
	{LinkedFolder, Warning, "folders are links to other folders of the dataset and are skipped"},
	{UnreadPicture, Warning, "pictures are in unsupported formats and are skipped: convert them to PNG or JPEG"},
	{EmptyClass, Warning, "classes have no test pictures and are skipped"},
	{OneClassSet, Info, "classes have pictures of one label only"},
	{NonBinaryMask, Info, "masks hold other values than 0 and 255, or color or alpha"},
	{FaintMask, Info, "masks have no value above 127, at their own size or scaled: a threshold of 128 would empty them"},
	{TurnedMask, Info, "masks match the size of their pictures with and without the EXIF orientation, and are rotated with the pictures"},
	{PathFallback, Info, "listed paths were found at another path than listed"},
	{RenamedClass, Info, "classes have other names than in the benchmark"},
	{LabelFormat, Info, "entries of the list are unusual but were read"},
	{Note, Info, "notes on this benchmark"},
}

func (c Code) kind() codeKind {
	for _, kind := range codeKinds {
		if kind.code == c {
			return kind
		}
	}
	return codeKind{code: c, level: Error}
}

// Finding is one problem or note about a dataset's files.
type Finding struct {
	Code   Code
	Level  Level
	Class  string // "" if it concerns the whole dataset
	Path   string // relative to the dataset's root, with forward slashes; "" if it concerns no file
	Detail string // details for the reader; may be ""
}

// NewFinding returns a Finding with its code's level.
func NewFinding(code Code, class, path, detail string) Finding {
	return Finding{Code: code, Level: code.kind().level, Class: class, Path: path, Detail: detail}
}

// about returns the text that a summary shows for a Finding: its path, its detail, or both.
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
	Meaning  string // what the findings have in common, in the plural
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

// head returns what the findings have in common. For pictures in unsupported formats
// it gives the number per format, which is the detail of their findings.
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

// Summarize groups findings by code and level, the most severe first.
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
