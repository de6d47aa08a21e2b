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

// The names in OwnFolder; those of a Part have its name in front.
const (
	manifestName = "files"
	lockName     = "lock"
	halvesName   = "halves" // the folder of files that are being written
)

const (
	titleStart = "# acdclip wrote these files; --overwrite removes these and nothing else. Folder: "
	titleEnd   = "\n"

	maxManifest = 64 << 20 // bytes
)

// manifest is the set of files that acdclip wrote into a folder, by their paths
// inside it.
type manifest struct {
	kind  string // what the folder is, as Dir.Kind; "" where nothing is listed
	files map[string]bool
}

// readManifest reads a manifest; one that is missing lists nothing. Each line
// after the title is a quoted path. What is no path inside the folder is left
// out, and so is a line that was cut off.
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

// isInside says that a path names a file inside the folder, and none of OwnFolder.
func isInside(name string) bool {
	name = filepath.Clean(name)
	return filepath.IsLocal(name) && name != "." && name != OwnFolder && !strings.HasPrefix(name, OwnFolder+string(filepath.Separator))
}

// notLink refuses a symbolic link, and OwnFolder as one: what it leads to may be
// anybody's.
func notLink(path string) error {
	for _, path := range []string{filepath.Dir(path), path} {
		if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink != 0 {
			return fmt.Errorf("%s is a link, which acdclip did not make; remove it", path)
		}
	}
	return nil
}

// line is a file's line.
func line(name string) string { return strconv.Quote(name) + "\n" }
