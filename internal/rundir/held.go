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
		if _, err := regularfile.Stat(d.own(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("locking the %s: %w", d.Kind, err)
		}
	}
	h := &Held{dir: d, lock: flock.New(d.own(lockName))}
	taken, err := h.lock.TryLock()
	switch {
	case err == nil && !taken:
		return nil, fmt.Errorf("the %s %s: %w", d.Kind, d.root(), ErrInUse)
	case err != nil && !knowsNoLocks(err):
		return nil, fmt.Errorf("locking the %s %s: %w", d.Kind, d.root(), err)
	}
	if h.listed, err = readManifest(d.own(manifestName)); err == nil {
		err = h.openManifest()
	}
	if err != nil {
		return nil, errors.Join(err, h.lock.Close())
	}
	return h, nil
}

// openManifest opens the manifest to be added to, and writes its title.
func (h *Held) openManifest() (err error) {
	path := h.dir.own(manifestName)
	if h.manifest, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644); err != nil {
		return fmt.Errorf("opening the list of the folder's own files: %w", err)
	}
	if info, err := h.manifest.Stat(); err == nil && info.Size() == 0 {
		return h.addLine(manifestTitle)
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
// before the file is written.
func (h *Held) Own(name string) error {
	name = filepath.Clean(name)
	if !isInside(name) {
		return fmt.Errorf("%s: %q is no file of it", h.dir.Path, name)
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.listed[name] {
		return nil
	}
	if err := h.addLine(line(name)); err != nil {
		return err
	}
	h.listed[name] = true
	return nil
}

// Owns says whether a file is listed as acdclip's own.
func (h *Held) Owns(name string) bool {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.listed[filepath.Clean(name)]
}

// Write writes one of the folder's own files as atomicfile.Write does, and makes
// the folders that its name, a path inside the folder, needs.
func (h *Held) Write(name string, write func(io.Writer) error) error {
	return h.write(name, write, atomicfile.Write)
}

// WriteQuickly is Write for a file that can be made again, such as a drawing: it
// appears whole or not at all, and a power cut may lose it.
func (h *Held) WriteQuickly(name string, write func(io.Writer) error) error {
	return h.write(name, write, atomicfile.WriteQuickly)
}

func (h *Held) write(name string, write func(io.Writer) error, file func(string, func(io.Writer) error) error) error {
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
	return file(path, write)
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
	if err := h.removeTemporary(root); err != nil {
		return fmt.Errorf("clearing the %s: %w", h.dir.Kind, err)
	}
	folders := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(h.listed)) {
		if keep(name) {
			continue
		}
		if err := root.Remove(name); err != nil && !isAbsent(err) {
			return fmt.Errorf("clearing the %s: %w", h.dir.Kind, err)
		}
		delete(h.listed, name)
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

// removeTemporary removes what programs that died left half written.
func (h *Held) removeTemporary(root *os.Root) error {
	folders := map[string]bool{}
	for name := range h.listed {
		folders[filepath.Dir(name)] = true
	}
	for dir := range folders {
		entries, err := fs.ReadDir(root.FS(), filepath.ToSlash(dir))
		if err != nil {
			continue // it is gone
		}
		for _, entry := range entries {
			name := filepath.Join(dir, entry.Name())
			if entry.Type().IsRegular() && !h.listed[name] && h.listed.has(name) {
				if err := root.Remove(name); err != nil && !isAbsent(err) {
					return err
				}
			}
		}
	}
	return nil
}

// rewriteManifest lists what is left.
func (h *Held) rewriteManifest() error {
	err := atomicfile.Write(h.dir.own(manifestName), func(w io.Writer) error {
		if _, err := io.WriteString(w, manifestTitle); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(h.listed)) {
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
	return errors.Join(h.manifest.Close(), h.lock.Close())
}

// Own lists a file in the manifest of a folder that another program may be
// writing. It does so without the lock: a line is added whole.
func (d Dir) Own(name string) error {
	listed, err := readManifest(d.own(manifestName))
	if err != nil || listed[filepath.Clean(name)] {
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
	return err == nil && listed[filepath.Clean(name)]
}
