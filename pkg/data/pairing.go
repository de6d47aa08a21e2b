package data

import (
	"path/filepath"
	"strings"
)

// maskSuffixes are what a mask's stem may add to its picture's.
var maskSuffixes = [...]string{"", "_mask", "_gt"}

// pairing is which mask belongs to which of some pictures.
type pairing struct {
	masks         []string // a picture's mask, or ""; in the order of the pictures
	orphans       []string // masks that no picture has
	lookLikeMasks []string // pictures that are named as another picture's mask
	problems      []pairingProblem
}

type pairingProblem struct {
	code       Code
	path, what string
}

// pairMasks pairs by stem, never by position: the mask of a picture <stem> is
// <stem>, <stem>_mask or <stem>_gt, whatever its extension.
func pairMasks(pictures, masks []string, pictureStem, maskStem func(path string) string) pairing {
	result := pairing{masks: make([]string, len(pictures))}
	if len(masks) == 0 && len(pictures) > 0 && !anyLooksLikeMask(pictures) {
		return result // without masks two pictures of one stem are just two pictures
	}
	owners := make(map[string]int, len(pictures)) // a picture's stem to its index
	for i, path := range pictures {
		key := pictureStem(path)
		if other, taken := owners[key]; taken {
			if len(masks) > 0 {
				result.problems = append(result.problems, pairingProblem{DuplicatePath, path, "has the same stem as " + filepath.Base(pictures[other]) + ": it cannot be told whose mask is whose"})
			}
			continue
		}
		owners[key] = i
	}
	for _, path := range masks {
		owner, ok := maskOwner(owners, maskStem(path))
		switch {
		case !ok:
			result.orphans = append(result.orphans, path)
		case result.masks[owner] != "":
			result.problems = append(result.problems, pairingProblem{AmbiguousMask, pictures[owner], "has two masks: " + filepath.Base(result.masks[owner]) + " and " + filepath.Base(path)})
		default:
			result.masks[owner] = path
		}
	}
	for _, path := range pictures {
		key := pictureStem(path)
		if owner, ok := maskOwner(owners, key); ok && pictureStem(pictures[owner]) != key {
			result.lookLikeMasks = append(result.lookLikeMasks, path)
		}
	}
	return result
}

// anyLooksLikeMask reports whether some name ends as only a mask's does.
func anyLooksLikeMask(paths []string) bool {
	for _, path := range paths {
		name := stemAlone(path)
		for _, suffix := range maskSuffixes[1:] {
			if strings.HasSuffix(name, suffix) {
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
		if bare, cut := strings.CutSuffix(key, maskSuffixes[i]); cut {
			if owner, ok := owners[bare]; ok {
				return owner, true
			}
		}
	}
	return 0, false
}
