package data

import (
	"os"
	"path"
	"path/filepath"
	"strings"
)

// fallback says how a listed path was found where it is not where the list says; "" for found there.
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

// resolver finds the files that a list names on the disk.
type resolver struct {
	root    string
	foreign bool                           // the list may name paths of its author's machine, or of the folder above
	folders map[string]map[string][]string // folder: lower-case name: names; of the folders that a fallback looked into
}

func newResolver(root string, foreign bool) *resolver {
	return &resolver{root: root, foreign: foreign, folders: map[string]map[string][]string{}}
}

// find gives a listed path's place on the disk, and how it was found. The steps are
// those that the lists of ACD-CLIP, its fork, AA-CLIP, AnomalyCLIP and Bayes-PFL need.
func (r *resolver) find(listed string) (string, fallback, bool) {
	type candidate struct {
		path string
		how  fallback
	}
	candidates := []candidate{{r.below(listed), asListed}}
	if r.foreign {
		candidates = append(candidates, candidate{filepath.Join(r.root, "..", filepath.FromSlash(listed)), besideFolder})
		if path.IsAbs(listed) {
			candidates = append(candidates, candidate{filepath.FromSlash(listed), absolutePath})
		}
	}
	candidates = append(candidates, candidate{r.below("test/" + listed), insideTest})
	if shorter, ok := strings.CutPrefix(listed, "test/"); ok {
		candidates = append(candidates, candidate{r.below(shorter), withoutTest})
	}
	if r.foreign {
		for rest := listed; ; {
			_, shorter, ok := strings.Cut(rest, "/")
			if !ok {
				break
			}
			candidates = append(candidates, candidate{r.below(shorter), fewerSegments})
			rest = shorter
		}
	}
	for _, c := range candidates {
		if isFile(c.path) {
			return c.path, c.how, true
		}
	}
	for _, c := range candidates {
		if found, ok := r.anyCase(c.path); ok {
			return found, otherCase, true
		}
	}
	for _, c := range candidates {
		if found, ok := r.anyExtension(c.path); ok {
			return found, otherExtension, true
		}
	}
	return "", asListed, false
}

func (r *resolver) below(listed string) string {
	return filepath.Join(r.root, filepath.FromSlash(listed))
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// names gives what is in a folder, by lower-case names.
func (r *resolver) names(folder string) map[string][]string {
	if known, ok := r.folders[folder]; ok {
		return known
	}
	names := map[string][]string{}
	entries, _ := readFolder(folder) // one that cannot be read holds nothing that is found
	for _, entry := range entries {
		lower := strings.ToLower(entry.Name())
		names[lower] = append(names[lower], entry.Name())
	}
	r.folders[folder] = names
	return names
}

// folderInAnyCase finds a folder below the root whose letters' case may be another.
func (r *resolver) folderInAnyCase(folder string) (string, bool) {
	inside, below := strings.CutPrefix(folder, r.root+string(filepath.Separator))
	if folder == r.root || !below {
		return folder, folder == r.root
	}
	found := r.root
	for segment := range strings.SplitSeq(inside, string(filepath.Separator)) {
		names := r.names(found)[strings.ToLower(segment)]
		if len(names) == 0 {
			return "", false
		}
		found = filepath.Join(found, names[0])
	}
	return found, true
}

func (r *resolver) anyCase(path string) (string, bool) {
	folder, ok := r.folderInAnyCase(filepath.Dir(path))
	if !ok {
		return "", false
	}
	for _, name := range r.names(folder)[strings.ToLower(filepath.Base(path))] {
		if found := filepath.Join(folder, name); isFile(found) {
			return found, true
		}
	}
	return "", false
}

func (r *resolver) anyExtension(path string) (string, bool) {
	folder, ok := r.folderInAnyCase(filepath.Dir(path))
	if !ok {
		return "", false
	}
	return r.withStem(folder, stemAlone(path))
}

// withStem finds a picture of that stem in a folder, whatever its extension.
func (r *resolver) withStem(folder, wanted string) (string, bool) {
	for _, extension := range pictureExtensions {
		for _, name := range r.names(folder)[strings.ToLower(wanted)+extension] {
			if found := filepath.Join(folder, name); isFile(found) {
				return found, true
			}
		}
	}
	return "", false
}
