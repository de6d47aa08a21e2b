package data

import (
	"path"
	"path/filepath"
	"strings"
)

// maskSuffixes are the suffixes that a mask's stem may add to its picture's; case is ignored.
var maskSuffixes = [...]string{"", "_mask", "_gt", "_label"}

// pairing assigns masks to pictures.
type pairing struct {
	masks         []string         // mask file or folder per picture, in the order of the pictures; "" for none
	parts         map[int][]string // picture index to the files of a mask that is a folder; nil for none
	orphans       []string         // masks without a picture
	lookLikeMasks []string         // pictures with the name of another picture's mask
	problems      []pairingProblem
}

type pairingProblem struct {
	code       Code
	path, what string
}

// stems defines the part of the paths by which pictures and masks pair.
type stems struct {
	picture, mask func(path string) string
	folder        func(path string) string // returns the key of a mask's folder; "" if it cannot be one picture's mask folder
	folderFirst   bool                     // a picture's mask folder takes precedence over a mask file with the picture's name
}

// stemsBelow pairs by the stems relative to two folders, subfolders included.
func stemsBelow(pictures, masks string) stems {
	return stems{picture: stemBelow(pictures), mask: stemBelow(masks), folder: func(mask string) string {
		return namedFolder(path.Dir(relative(masks, mask)))
	}}
}

// stemsAlone pairs by the stems of the file names alone, wherever the masks are below
// the folder masks. In a mask folder of one picture, the files' own names are ignored.
func stemsAlone(masks string) stems {
	return stems{picture: stemAlone, mask: stemAlone, folderFirst: true, folder: func(mask string) string {
		return namedFolder(path.Base(path.Dir(relative(masks, mask))))
	}}
}

func namedFolder(name string) string {
	if name == "." || strings.HasPrefix(name, "..") || isBMADMasks(name) || isNormalFolder(name) || strings.EqualFold(name, "ungood") {
		return ""
	}
	return name
}

// pairMasks pairs by stem, never by position: the mask of a picture <stem> is <stem>,
// <stem>_mask, <stem>_gt or <stem>_label with any extension, or all files in a folder
// of such a name.
func pairMasks(pictures, masks []string, by stems) pairing {
	result := pairing{masks: make([]string, len(pictures))}
	if len(masks) == 0 && len(pictures) > 0 && !anyLooksLikeMask(pictures) {
		return result // without masks, two pictures may have the same stem
	}
	owners := make(map[string]int, len(pictures)) // a picture's stem to its index
	for i, path := range pictures {
		key := by.picture(path)
		if other, taken := owners[key]; taken {
			if len(masks) > 0 {
				result.problems = append(result.problems, pairingProblem{DuplicatePath, path, "has the same stem as " + filepath.Base(pictures[other]) + ": their masks cannot be assigned"})
			}
			continue
		}
		owners[key] = i
	}
	for _, path := range masks {
		if owner, part, ok := by.owner(owners, path); !ok {
			result.orphans = append(result.orphans, path)
		} else if other := result.add(owner, path, part); other != "" {
			result.problems = append(result.problems, pairingProblem{AmbiguousMask, pictures[owner], "has two masks: " + filepath.Base(other) + " and " + filepath.Base(path)})
		}
	}
	for _, path := range pictures {
		key := by.picture(path)
		if owner, ok := maskOwner(owners, key); ok && by.picture(pictures[owner]) != key {
			result.lookLikeMasks = append(result.lookLikeMasks, path)
		}
	}
	return result
}

// owner returns the index of the picture that a mask file belongs to; part reports
// that it is in the picture's mask folder.
func (by stems) owner(owners map[string]int, mask string) (owner int, part, ok bool) {
	own := func() bool {
		owner, ok = maskOwner(owners, by.mask(mask))
		return ok
	}
	folder := func() bool {
		name := by.folder(mask)
		if name == "" {
			return false
		}
		owner, ok = maskOwner(owners, name)
		part = ok
		return ok
	}
	if by.folderFirst {
		_ = folder() || own()
	} else {
		_ = own() || folder()
	}
	return owner, part, ok
}

// add sets a file as a picture's mask or adds it as a part. If the picture already has
// another mask, add keeps and returns that one.
func (p *pairing) add(picture int, file string, part bool) (other string) {
	mask := &p.masks[picture]
	switch {
	case !part && *mask == "":
		*mask = file
	case part && (*mask == "" || p.parts[picture] != nil && *mask == filepath.Dir(file)):
		*mask = filepath.Dir(file)
		if p.parts == nil {
			p.parts = map[int][]string{}
		}
		p.parts[picture] = append(p.parts[picture], file)
	default:
		return *mask
	}
	return ""
}

// anyLooksLikeMask reports whether at least one name has a mask suffix.
func anyLooksLikeMask(paths []string) bool {
	for _, path := range paths {
		name := stemAlone(path)
		for _, suffix := range maskSuffixes[1:] {
			if _, cut := cutSuffixFold(name, suffix); cut {
				return true
			}
		}
	}
	return false
}

// maskOwner finds the picture of a mask by its stem. A match with a suffix takes
// precedence: a_mask is the mask of a, even beside a picture a_mask.
func maskOwner(owners map[string]int, key string) (int, bool) {
	for i := len(maskSuffixes) - 1; i >= 0; i-- {
		if bare, cut := cutSuffixFold(key, maskSuffixes[i]); cut {
			if owner, ok := owners[bare]; ok {
				return owner, true
			}
		}
	}
	return 0, false
}

// cutSuffixFold is strings.CutSuffix for an ASCII suffix, ignoring case.
func cutSuffixFold(text, suffix string) (before string, found bool) {
	at := len(text) - len(suffix)
	if at < 0 || !strings.EqualFold(text[at:], suffix) {
		return text, false
	}
	return text[:at], true
}
