package rundir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"acdclip/pkg/regularfile"
)

// The names in OwnFolder. A Part prefixes them with its name.
const (
	manifestName = "files"
	lockName     = "lock"
	halvesName   = "halves" // the folder of partly written files
	outboxName   = "outbox" // the folder of the rows that wait to be posted
)

const (
	titleStart = "# acdclip wrote these files; --overwrite removes these and nothing else. Folder: "
	titleEnd   = "\n"

	maxManifest = 64 << 20 // bytes
)

// manifest is the set of files that acdclip wrote into a folder, by their paths
// relative to it.
type manifest struct {
	kind  string // kind of the folder, as in Dir.Kind; "" if nothing is listed
	files map[string]bool
}

// readManifest reads a manifest; a missing one lists nothing. Each line after the title is
// a quoted path. Paths outside the folder and an incomplete last line are ignored.
func readManifest(path string) (manifest, error) {
	listed := manifest{files: map[string]bool{}}
	if err := notLink(path); err != nil {
		return listed, err
	}
	content, err := regularfile.Head(path, maxManifest+1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return listed, nil
	case err != nil:
		return listed, fmt.Errorf("reading the list of the folder's own files: %w", err)
	case len(content) > maxManifest:
		return listed, fmt.Errorf("reading the list of the folder's own files: %s is larger than %d bytes", path, maxManifest)
	}
	for line := range strings.Lines(string(content)) {
		if title, ok := strings.CutPrefix(line, titleStart); ok && listed.kind == "" {
			listed.kind, _ = strings.CutSuffix(title, titleEnd)
		}
		text, whole := strings.CutSuffix(line, "\n")
		if name, err := strconv.Unquote(text); err == nil && whole && isInside(name) {
			listed.files[filepath.Clean(name)] = true
		}
	}
	return listed, nil
}

// isInside reports whether a path names a file inside the folder, but not in OwnFolder.
func isInside(name string) bool {
	name = filepath.Clean(name)
	return filepath.IsLocal(name) && name != "." && name != OwnFolder && !strings.HasPrefix(name, OwnFolder+string(filepath.Separator))
}

// notLink returns an error if the path or its folder is a symbolic link, because its
// target may not belong to acdclip.
func notLink(path string) error {
	for _, path := range []string{filepath.Dir(path), path} {
		if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink != 0 {
			return fmt.Errorf("%s is a link that acdclip did not create; remove it", path)
		}
	}
	return nil
}

// line returns the line of a file.
func line(name string) string { return strconv.Quote(name) + "\n" }
