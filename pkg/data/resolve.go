package data

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"acdclip/pkg/present"
)

// fallback describes how a file was found that does not exist at its listed path; "" if it does exist there.
type fallback string

const (
	asListed       fallback = ""
	besideFolder   fallback = "below the parent of the dataset's folder"
	absolutePath   fallback = "as an absolute path"
	insideTest     fallback = "inside the folder test"
	withoutTest    fallback = "without the leading test/"
	fewerSegments  fallback = "with the leading folders dropped"
	otherCase      fallback = "in other letter case"
	otherExtension fallback = "with another extension"
)

// maxDropped is the maximum number of folders that remain when leading folders are
// dropped: no dataset is deeper, and a malicious path has thousands.
const maxDropped = 16

// maxEntered is the maximum number of folders entered in the search for one path.
// Links to parent folders, in two spellings, would make the search endless.
const maxEntered = 1000

// resolver finds listed files on disk.
type resolver struct {
	root    string                 // absolute
	foreign bool                   // the list may contain paths of its author's machine, or relative to the parent folder
	folders map[string]folderNames // cached content of folders that a fallback read
}

// folderNames is the content of a folder, by lower-case name.
type folderNames struct {
	first map[string]string   // the first name; usually the only one
	more  map[string][]string // further names that differ only in case
}

func newResolver(root string, foreign bool) *resolver {
	return &resolver{root: root, foreign: foreign, folders: map[string]folderNames{}}
}

// candidate is a possible location of a listed path.
type candidate struct {
	path string
	how  fallback
}

// candidates returns the locations that the lists of ACD-CLIP, its fork, AA-CLIP,
// AnomalyCLIP and Bayes-PFL need, the most likely first.
func (r *resolver) candidates(listed string) []candidate {
	places := []candidate{{r.below(listed), asListed}}
	if r.foreign {
		places = append(places, candidate{filepath.Join(filepath.Dir(r.root), filepath.FromSlash(listed)), besideFolder})
		if path.IsAbs(listed) {
			places = append(places, candidate{filepath.FromSlash(listed), absolutePath})
		}
	}
	places = append(places, candidate{r.below("test/" + listed), insideTest})
	if shorter, ok := strings.CutPrefix(listed, "test/"); ok {
		places = append(places, candidate{r.below(shorter), withoutTest})
	}
	if r.foreign {
		segments := strings.Split(listed, "/")
		for first := max(1, len(segments)-maxDropped); first < len(segments); first++ {
			places = append(places, candidate{r.below(path.Join(segments[first:]...)), fewerSegments})
		}
	}
	return places
}

// resolve returns the file of a listed path, and how it was found. It does not find
// folders.
func (r *resolver) resolve(listed string) (found string, how fallback, ok bool) {
	if exact := r.below(listed); present.File(exact) { // the usual case, fast for millions of rows
		return exact, asListed, true
	}
	places := r.candidates(listed)
	folder := false
	for _, place := range places {
		info, err := os.Stat(place.path)
		if err == nil && !info.IsDir() {
			return place.path, place.how, true
		}
		folder = folder || err == nil
	}
	if folder {
		return "", asListed, false
	}
	for _, place := range places {
		if found := r.anyCase(place.path); found != "" {
			return found, otherCase, true
		}
	}
	for _, place := range places {
		if found := r.anyExtension(place.path); found != "" {
			return found, otherExtension, true
		}
	}
	return "", asListed, false
}

// folder returns the folder of a listed path.
func (r *resolver) folder(listed string) (string, bool) {
	places := r.candidates(listed)
	at := slices.IndexFunc(places, func(place candidate) bool { return present.Folder(place.path) })
	if at < 0 {
		return "", false
	}
	return places[at].path, true
}

// pictureNames returns the names of the pictures in a folder, in natural order.
func (r *resolver) pictureNames(folder string) []string {
	var pictures []string
	names := r.names(folder)
	for lower, name := range names.first {
		for _, name := range append([]string{name}, names.more[lower]...) {
			if isPicture(name) && present.File(filepath.Join(folder, name)) {
				pictures = append(pictures, name)
			}
		}
	}
	slices.SortFunc(pictures, compareNatural)
	return pictures
}

func (r *resolver) below(listed string) string {
	return filepath.Join(r.root, filepath.FromSlash(listed))
}

// names returns the content of a folder.
func (r *resolver) names(folder string) folderNames {
	if known, ok := r.folders[folder]; ok {
		return known
	}
	names := folderNames{map[string]string{}, map[string][]string{}}
	entries, _ := readFolder(folder) // an unreadable folder counts as empty
	for _, entry := range entries {
		lower := strings.ToLower(entry.Name())
		if _, taken := names.first[lower]; taken {
			names.more[lower] = append(names.more[lower], entry.Name())
		} else {
			names.first[lower] = entry.Name()
		}
	}
	r.folders[folder] = names
	return names
}

// anyCase finds a file below the root, ignoring the case of its path; "" if there is none.
func (r *resolver) anyCase(path string) string {
	return r.descend(path, func(folder, name string) string {
		for _, name := range r.sameName(folder, name) {
			if found := filepath.Join(folder, name); present.File(found) {
				return found
			}
		}
		return ""
	})
}

// anyExtension finds a picture with the path's stem, ignoring extension and case; "" if there is none.
func (r *resolver) anyExtension(path string) string {
	return r.descend(path, func(folder, name string) string { return r.withStem(folder, stem(name)) })
}

// descend calls file for all folders that match the path's folder ignoring case, the
// exact one first, until file returns a result. If a folder exists in two spellings,
// each may contain a part of the files.
func (r *resolver) descend(path string, file func(folder, name string) string) string {
	way := relative(r.root, path)
	if way == ".." || strings.HasPrefix(way, "../") { // no search outside the dataset
		return ""
	}
	segments := strings.Split(way, "/")
	left := maxEntered
	var enter func(folder string, depth int) string
	enter = func(folder string, depth int) string {
		if left--; left < 0 {
			return ""
		}
		if depth == len(segments)-1 {
			return file(folder, segments[depth])
		}
		for _, name := range r.sameName(folder, segments[depth]) {
			if found := enter(filepath.Join(folder, name), depth+1); found != "" {
				return found
			}
		}
		return ""
	}
	return enter(r.root, 0)
}

// withStem finds a picture with the stem in a folder, ignoring its extension; "" if there is none.
func (r *resolver) withStem(folder, wanted string) string {
	for _, extension := range pictureExtensions {
		for _, name := range r.sameName(folder, wanted+extension) {
			if found := filepath.Join(folder, name); present.File(found) {
				return found
			}
		}
	}
	return ""
}

// sameName returns the names in a folder that differ from wanted only in case, those with the exact stem first.
func (r *resolver) sameName(folder, wanted string) []string {
	lower := strings.ToLower(wanted)
	names := r.names(folder)
	first, ok := names.first[lower]
	if !ok {
		return nil
	}
	same := append([]string{first}, names.more[lower]...)
	rank := func(name string) int {
		switch {
		case name == wanted:
			return 0
		case stem(name) == stem(wanted):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(same, func(a, b string) int { return rank(a) - rank(b) })
	return same
}
