package rundir

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"acdclip/pkg/regularfile"
)

const (
	manifestName = "files"
	lockName     = "lock"

	manifestTitle = "# The files that acdclip wrote into this folder. --overwrite removes these and nothing else.\n"
	maxManifest   = 1 << 30 // bytes
)

// manifest is the set of files that acdclip wrote into a folder, by their paths
// inside it.
type manifest map[string]bool

// readManifest reads a manifest; one that is missing lists nothing. Each line
// after the title is a quoted path. What is no path inside the folder is left
// out, and so is a last line that was cut off.
func readManifest(path string) (manifest, error) {
	content, err := regularfile.Head(path, maxManifest+1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return manifest{}, nil
	case err != nil:
		return nil, fmt.Errorf("reading the list of the folder's own files: %w", err)
	case len(content) > maxManifest:
		return nil, fmt.Errorf("reading the list of the folder's own files: %s is larger than %d bytes", path, maxManifest)
	}
	listed := manifest{}
	for line := range strings.Lines(string(content)) {
		text, whole := strings.CutSuffix(line, "\n")
		if name, err := strconv.Unquote(text); err == nil && whole && isInside(name) {
			listed[filepath.Clean(name)] = true
		}
	}
	return listed, nil
}

// isInside says that a path names a file inside the folder, and none of OwnFolder.
func isInside(name string) bool {
	name = filepath.Clean(name)
	return filepath.IsLocal(name) && name != "." && name != OwnFolder && !strings.HasPrefix(name, OwnFolder+string(filepath.Separator))
}

// has says whether a file is listed, or was being written under a name that is.
func (m manifest) has(name string) bool {
	return m[name] || slices.ContainsFunc(finalNames(name), func(final string) bool { return m[final] })
}

// line is a file's line.
func line(name string) string { return strconv.Quote(name) + "\n" }
