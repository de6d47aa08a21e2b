package data

import (
	"path"
	"path/filepath"
	"strings"
)

// maskSuffixes are what a mask's stem may add to its picture's, in any case.
var maskSuffixes = [...]string{"", "_mask", "_gt", "_label"}

// pairing is which mask belongs to which of some pictures.
type pairing struct {
	masks         []string         // a picture's mask, a file or a folder, or ""; in the order of the pictures
	parts         map[int][]string // the files in the masks that are folders, by the pictures' places; nil for none
	orphans       []string         // masks that no picture has
	lookLikeMasks []string         // pictures that are named as another picture's mask
	problems      []pairingProblem
}

type pairingProblem struct {
	code       Code
	path, what string
}

// stems say by which part of their paths pictures and masks pair.
type stems struct {
	picture, mask func(path string) string
	folder        func(path string) string // names the folder that a mask lies in; "" where that can be no picture's folder of masks
	folderFirst   bool                     // a picture's folder of masks goes before a mask of the picture's own name
}

// stemsBelow pairs by the stems as seen from two folders: sub-folders are part of them.
func stemsBelow(pictures, masks string) stems {
	return stems{picture: stemBelow(pictures), mask: stemBelow(masks), folder: func(mask string) string {
		return namedFolder(path.Dir(relative(masks, mask)))
	}}
}

// stemsAlone pairs by the stems of the files' names alone, wherever below folder
// the masks lie. In a folder of masks a picture the files' own names say nothing.
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

// pairMasks pairs by stem, never by position: the mask of a picture <stem> is
// <stem>, <stem>_mask, <stem>_gt or <stem>_label, whatever its extension, or all
// files in a folder of such a name.
func pairMasks(pictures, masks []string, by stems) pairing {
	result := pairing{masks: make([]string, len(pictures))}
	if len(masks) == 0 && len(pictures) > 0 && !anyLooksLikeMask(pictures) {
		return result // without masks two pictures of one stem are just two pictures
	}
	owners := make(map[string]int, len(pictures)) // a picture's stem to its index
	for i, path := range pictures {
		key := by.picture(path)
		if other, taken := owners[key]; taken {
			if len(masks) > 0 {
				result.problems = append(result.problems, pairingProblem{DuplicatePath, path, "has the same stem as " + filepath.Base(pictures[other]) + ": it cannot be told whose mask is whose"})
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

// owner finds the picture that a mask belongs to, as a whole or, where it lies in
// the picture's folder of masks, as a part.
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

// add makes a file a picture's mask, or one of its parts. Where the mask is another
// already, it stays and is returned.
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

// anyLooksLikeMask reports whether some name ends as only a mask's does.
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

// maskOwner finds the picture that a mask's stem names. A suffix comes before
// none: a_mask is the mask of a, even beside a picture a_mask.
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

// cutSuffixFold is strings.CutSuffix, whatever the case of an ASCII suffix.
func cutSuffixFold(text, suffix string) (before string, found bool) {
	at := len(text) - len(suffix)
	if at < 0 || !strings.EqualFold(text[at:], suffix) {
		return text, false
	}
	return text[:at], true
}
