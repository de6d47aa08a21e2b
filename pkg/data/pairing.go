package data

import (
	"path/filepath"
	"strings"
)

// maskSuffixes are what a mask's stem may add to its picture's.
var maskSuffixes = [...]string{"", "_mask", "_gt"}

// pairing is which mask belongs to which picture of one folder.
type pairing struct {
	masks         []string // a picture's mask, or ""; in the order of the pictures
	orphans       []string // names of masks that no picture has
	lookLikeMasks []string // names of pictures that are named as another picture's mask
	problems      []pairingProblem
}

type pairingProblem struct{ path, what string }

// pairMasks pairs by stem, never by position: the mask of <folder>/<stem> is
// <truth>/<stem>, <stem>_mask or <stem>_gt, whatever its extension. Below
// sub-folders the sub-folder is part of the stem.
func pairMasks(folder string, pictures []string, truth string, masks []string) pairing {
	result := pairing{masks: make([]string, len(pictures))}
	owners := make(map[string]int, len(pictures)) // a picture's stem to its index
	for i, path := range pictures {
		key := stem(relative(folder, path))
		if other, taken := owners[key]; taken {
			// Without masks two pictures of one stem are just two pictures.
			if len(masks) > 0 {
				result.problems = append(result.problems, pairingProblem{path, "has the same stem as " + filepath.Base(pictures[other]) + ": it cannot be told whose mask is whose"})
			}
			continue
		}
		owners[key] = i
	}
	for _, path := range masks {
		owner, ok := maskOwner(owners, stem(relative(truth, path)))
		switch {
		case !ok:
			result.orphans = append(result.orphans, relative(truth, path))
		case result.masks[owner] != "":
			result.problems = append(result.problems, pairingProblem{pictures[owner], "has two masks: " + filepath.Base(result.masks[owner]) + " and " + filepath.Base(path)})
		default:
			result.masks[owner] = path
		}
	}
	for _, path := range pictures {
		key := stem(relative(folder, path))
		if picture, ok := maskOwner(owners, key); ok && stem(relative(folder, pictures[picture])) != key {
			result.lookLikeMasks = append(result.lookLikeMasks, relative(folder, path))
		}
	}
	return result
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
