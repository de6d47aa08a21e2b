package rundir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/gofrs/flock"

	"acdclip/pkg/atomicfile"
	"acdclip/pkg/regularfile"
)

// Held is a folder that this process alone writes, until Close or the end of the
// process, however it ends. All methods may be called from several goroutines.
type Held struct {
	dir  Dir
	lock *flock.Flock

	mutex    sync.Mutex
	listed   manifest
	manifest *os.File
	written  map[string]bool // files, by this process
}

// Hold makes the folder and takes its lock. The error wraps ErrInUse where
// another program holds it. A file system that knows no locks is no error.
// Check must be asked again afterwards: another program may have come and gone.
func (d Dir) Hold() (*Held, error) {
	if err := os.MkdirAll(filepath.Join(d.Path, OwnFolder), 0o755); err != nil {
		return nil, fmt.Errorf("creating the %s: %w", d.Kind, err)
	}
	// A pipe in the place of the lock or the manifest would be waited for.
	for _, name := range []string{lockName, manifestName} {
		if err := notLink(d.own(name)); err != nil {
			return nil, fmt.Errorf("locking the %s: %w", d.Kind, err)
		}
		if _, err := regularfile.Stat(d.own(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("locking the %s: %w", d.Kind, err)
		}
	}
	h := &Held{dir: d, lock: flock.New(d.own(lockName), flock.SetPermissions(0o644)), written: map[string]bool{}}
	taken, err := h.lock.TryLock()
	switch {
	case err == nil && !taken:
		return nil, fmt.Errorf("the %s %s: %w", d.Kind, d.root(), ErrInUse)
	case err != nil && !knowsNoLocks(err):
		return nil, fmt.Errorf("locking the %s %s: %w", d.Kind, d.root(), err)
	}
	if err := h.begin(); err != nil {
		return nil, errors.Join(err, h.lock.Close())
	}
	return h, nil
}

// begin opens the manifest, and removes what programs that died left half written.
func (h *Held) begin() (err error) {
	if h.listed, err = readManifest(h.dir.own(manifestName)); err != nil {
		return err
	}
	if err := h.dir.checkKind(h.listed); err != nil {
		return err
	}
	halves := h.dir.own(halvesName)
	if err := notLink(halves); err != nil {
		return err
	}
	if err := os.RemoveAll(halves); err != nil {
		return fmt.Errorf("removing what was left half written: %w", err)
	}
	if err := os.Mkdir(halves, 0o755); err != nil {
		return fmt.Errorf("creating a folder for files that are being written: %w", err)
	}
	return h.openManifest()
}

// openManifest opens the manifest to be added to, and writes its title.
func (h *Held) openManifest() (err error) {
	path := h.dir.own(manifestName)
	if h.manifest, err = os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o644); err != nil {
		return fmt.Errorf("opening the list of the folder's own files: %w", err)
	}
	info, err := h.manifest.Stat()
	if err != nil {
		return fmt.Errorf("opening the list of the folder's own files: %w", err)
	}
	if info.Size() == 0 {
		h.listed.kind = h.dir.Kind
		return h.addLine(titleStart + h.dir.Kind + titleEnd)
	}
	last := make([]byte, 1)
	if _, err := h.manifest.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
		return h.addLine("\n") // the line that was cut off is none
	}
	return nil
}

func (h *Held) addLine(text string) error {
	if _, err := h.manifest.WriteString(text); err != nil {
		return fmt.Errorf("writing the list of the folder's own files: %w", err)
	}
	return nil
}

// Dir describes the folder.
func (h *Held) Dir() Dir { return h.dir }

// Own lists a file, by its path inside the folder, as acdclip's own. It is called
// before the file is written. A file that is there and not listed is somebody
// else's: the error is ErrOccupied.
func (h *Held) Own(name string) error {
	name = filepath.Clean(name)
	if !isInside(name) {
		return fmt.Errorf("%s: %q is no file of it", h.dir.Path, name)
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.listed.files[name] {
		return nil
	}
	if _, err := os.Lstat(filepath.Join(h.dir.Path, name)); err == nil && !(h.dir.Part != "" && h.dir.listedByPart(name)) {
		return h.dir.foreign(name)
	}
	return h.list(name)
}

// Adopt lists a file that is there and that the caller knows to be acdclip's own,
// such as one that an older version wrote.
func (h *Held) Adopt(name string) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.listed.files[name] {
		return nil
	}
	return h.list(name)
}

func (h *Held) list(name string) error {
	if err := h.addLine(line(name)); err != nil {
		return err
	}
	h.listed.files[name] = true
	return nil
}

// listedByPart says whether one of the parts that fill the folder together has
// listed a file: they may have some in common, such as a picture's mask.
func (d Dir) listedByPart(name string) bool {
	manifests, _ := filepath.Glob(filepath.Join(d.Path, OwnFolder, "?*."+manifestName)) // the pattern is sound
	for _, path := range manifests {
		if listed, err := readManifest(path); err == nil && listed.files[name] {
			return true
		}
	}
	return false
}

// Owns says whether a file is listed as acdclip's own.
func (h *Held) Owns(name string) bool {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.listed.files[filepath.Clean(name)]
}

// Write writes one of the folder's own files as atomicfile.Write does, and makes
// the folders that its name, a path inside the folder, needs.
func (h *Held) Write(name string, write func(io.Writer) error) error {
	if err := h.prepare(name); err != nil {
		return err
	}
	if err := h.manifest.Sync(); err != nil { // after a power cut, too, it is known whose the file is
		return fmt.Errorf("writing the list of the folder's own files: %w", err)
	}
	return h.done(name, atomicfile.WriteFrom(h.dir.own(halvesName), filepath.Join(h.dir.Path, name), write))
}

// WriteQuickly is Write for a file that can be made again, such as a drawing: it
// appears whole or not at all, and a power cut may lose it.
func (h *Held) WriteQuickly(name string, write func(io.Writer) error) error {
	if err := h.prepare(name); err != nil {
		return err
	}
	return h.done(name, atomicfile.WriteQuickly(h.dir.own(halvesName), filepath.Join(h.dir.Path, name), write))
}

// prepare lists a file that is to be written and makes its folder.
func (h *Held) prepare(name string) error {
	if err := h.intact(); err != nil {
		return err
	}
	if err := h.Own(name); err != nil {
		return err
	}
	path := filepath.Join(h.dir.Path, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("creating a folder for %s: %w", path, err)
	}
	return nil
}

// done notes that a file was written.
func (h *Held) done(name string, err error) error {
	if err == nil {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		h.written[filepath.Clean(name)] = true
	}
	return err
}

// intact says that the folder is still there: made again, it would lack what was
// written before.
func (h *Held) intact() error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if err := StillAt(h.dir.own(manifestName), h.manifest); err != nil {
		return fmt.Errorf("the %s: %w", h.dir.Kind, err)
	}
	return nil
}

// Complete says that all files that were written through Write and WriteQuickly are
// still there; else the error wraps ErrReplaced.
func (h *Held) Complete() error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return gone(h.dir.Path, slices.Sorted(maps.Keys(h.written)))
}

// Complete says that all files that the manifest lists are there; else the error
// wraps ErrReplaced.
func (d Dir) Complete() error {
	listed, err := readManifest(d.own(manifestName))
	if err != nil {
		return err
	}
	return gone(d.Path, slices.Sorted(maps.Keys(listed.files)))
}

// gone is the error of files that are not there.
func gone(folder string, names []string) error {
	var missing []string
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(folder, name)); err != nil {
			missing = append(missing, name)
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("%d of the %d files that were written are gone, such as %s: %w", len(missing), len(names), filepath.Join(folder, missing[0]), ErrReplaced)
}

// Clear removes the folder's own files but those that keep chooses by their
// paths inside it, and the folders that are empty then. It never follows a link
// out of the folder.
func (h *Held) Clear(keep func(name string) bool) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	root, err := os.OpenRoot(h.dir.Path)
	if err != nil {
		return fmt.Errorf("clearing the %s: %w", h.dir.Kind, err)
	}
	defer root.Close()
	folders := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(h.listed.files)) {
		if keep(name) {
			continue
		}
		if err := root.Remove(name); err != nil && !isAbsent(err) {
			return fmt.Errorf("clearing the %s: %w", h.dir.Kind, err)
		}
		delete(h.listed.files, name)
		delete(h.written, name)
		for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
			folders[dir] = true
		}
	}
	deepestFirst := slices.Sorted(maps.Keys(folders))
	slices.Reverse(deepestFirst)
	for _, dir := range deepestFirst {
		_ = root.Remove(dir) // one that is not empty stays
	}
	return h.rewriteManifest()
}

// isAbsent says that there is no such file, or a file where its folder would be.
func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) || isNotFolder(err) }

// rewriteManifest lists what is left.
func (h *Held) rewriteManifest() error {
	err := atomicfile.WriteFrom(h.dir.own(halvesName), h.dir.own(manifestName), func(w io.Writer) error {
		if _, err := io.WriteString(w, titleStart+h.dir.Kind+titleEnd); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(h.listed.files)) {
			if _, err := io.WriteString(w, line(name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return errors.Join(h.manifest.Close(), h.openManifest())
}

// Close lets other programs write into the folder. A nil Held has nothing to close.
func (h *Held) Close() error {
	if h == nil {
		return nil
	}
	_ = os.Remove(h.dir.own(halvesName)) // it is empty, or of use to whoever looks for what went wrong
	return errors.Join(h.manifest.Close(), h.lock.Close())
}

// Own lists a file in the manifest of a folder that another program may be
// writing. It does so without the lock: a line is added whole. Errors are Held.Own's.
func (d Dir) Own(name string) error {
	listed, err := readManifest(d.own(manifestName))
	if err != nil || listed.files[filepath.Clean(name)] {
		return err
	}
	if err := d.checkKind(listed); err != nil {
		return err
	}
	h := &Held{dir: d, listed: listed}
	if err := os.MkdirAll(filepath.Join(d.Path, OwnFolder), 0o755); err != nil {
		return fmt.Errorf("listing %s as acdclip's own: %w", name, err)
	}
	if err := h.openManifest(); err != nil {
		return err
	}
	return errors.Join(h.Own(name), h.manifest.Close())
}

// Lists says whether the folder's manifest lists a file.
func (d Dir) Lists(name string) bool {
	listed, err := readManifest(d.own(manifestName))
	return err == nil && listed.files[filepath.Clean(name)]
}
