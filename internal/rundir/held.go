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

// Held is a folder that this process has locked for writing until Close or the end of the
// process. It is safe for concurrent use.
type Held struct {
	dir  Dir
	lock *flock.Flock

	mutex    sync.Mutex
	listed   manifest
	manifest *os.File
	written  map[string]bool // files written by this process
}

// Hold creates and locks the folder. The error wraps ErrInUse if another program holds
// the lock. A file system without locks is not an error. Call Check again afterwards,
// because another program may have written in between.
func (d Dir) Hold() (*Held, error) {
	if err := os.MkdirAll(filepath.Join(d.Path, OwnFolder), 0o755); err != nil {
		return nil, fmt.Errorf("creating the %s: %w", d.Kind, err)
	}
	// Opening a pipe with the name of the lock or the manifest would block.
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

// begin opens the manifest and removes partly written files of programs that were killed.
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
		return fmt.Errorf("removing partly written files: %w", err)
	}
	if err := os.Mkdir(halves, 0o755); err != nil {
		return fmt.Errorf("creating the folder for partly written files: %w", err)
	}
	return h.openManifest()
}

// openManifest opens the manifest for appending and writes its title if it is new.
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
		return h.addLine("\n") // ends an incomplete line, which readManifest ignores
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

// Own lists a file, by its path relative to the folder, as acdclip's own. It must be called
// before the file is written. An existing file that is not listed is not acdclip's: the
// error is ErrOccupied.
func (h *Held) Own(name string) error {
	name = filepath.Clean(name)
	if !isInside(name) {
		return fmt.Errorf("%s: %q is not a path inside the folder", h.dir.Path, name)
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

// Adopt lists an existing file that the caller knows to be acdclip's own, such as one
// written by an older version.
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

// listedByPart reports whether another part of the folder has listed a file. Parts may
// write the same files, such as a picture's mask.
func (d Dir) listedByPart(name string) bool {
	manifests, _ := filepath.Glob(filepath.Join(d.Path, OwnFolder, "?*."+manifestName)) // the pattern is valid
	for _, path := range manifests {
		if listed, err := readManifest(path); err == nil && listed.files[name] {
			return true
		}
	}
	return false
}

// Owns reports whether a file is listed as acdclip's own.
func (h *Held) Owns(name string) bool {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.listed.files[filepath.Clean(name)]
}

// Write lists and atomically writes a file like atomicfile.Write. name is its path
// relative to the folder; missing folders are created.
func (h *Held) Write(name string, write func(io.Writer) error) error {
	if err := h.prepare(name); err != nil {
		return err
	}
	if err := h.manifest.Sync(); err != nil { // so that the manifest lists the file even after a power cut
		return fmt.Errorf("writing the list of the folder's own files: %w", err)
	}
	return h.done(name, atomicfile.WriteFrom(h.dir.own(halvesName), filepath.Join(h.dir.Path, name), write))
}

// WriteQuickly is like Write, for files that can be recreated, such as drawings: the file
// is written atomically, but a power cut may lose it.
func (h *Held) WriteQuickly(name string, write func(io.Writer) error) error {
	if err := h.prepare(name); err != nil {
		return err
	}
	return h.done(name, atomicfile.WriteQuickly(h.dir.own(halvesName), filepath.Join(h.dir.Path, name), write))
}

// prepare lists a file and creates its folder.
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

// done records a written file, if err is nil, and returns err.
func (h *Held) done(name string, err error) error {
	if err == nil {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		h.written[filepath.Clean(name)] = true
	}
	return err
}

// intact checks that the folder is still the one that was locked. A folder that was
// removed and created again would lack the earlier files.
func (h *Held) intact() error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if err := StillAt(h.dir.own(manifestName), h.manifest); err != nil {
		return fmt.Errorf("the %s: %w", h.dir.Kind, err)
	}
	return nil
}

// Complete checks that all files written by Write and WriteQuickly still exist. Otherwise
// the error wraps ErrReplaced.
func (h *Held) Complete() error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return gone(h.dir.Path, slices.Sorted(maps.Keys(h.written)))
}

// Complete checks that all files in the manifest exist. Otherwise the error wraps
// ErrReplaced.
func (d Dir) Complete() error {
	listed, err := readManifest(d.own(manifestName))
	if err != nil {
		return err
	}
	return gone(d.Path, slices.Sorted(maps.Keys(listed.files)))
}

// gone returns an error if any of the files is missing.
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
	return fmt.Errorf("%d of %d written files are missing, such as %s: %w", len(missing), len(names), filepath.Join(folder, missing[0]), ErrReplaced)
}

// Clear removes the folder's own files, except those for which keep returns true, and
// folders that become empty. It never follows a link out of the folder.
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
		_ = root.Remove(dir) // fails for a folder that is not empty, which stays
	}
	return h.rewriteManifest()
}

// isAbsent reports whether a file does not exist, or a part of its path is not a folder.
func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) || isNotFolder(err) }

// rewriteManifest writes the manifest with the remaining files.
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

// Close unlocks the folder. Closing a nil Held does nothing.
func (h *Held) Close() error {
	if h == nil {
		return nil
	}
	_ = os.Remove(h.dir.own(halvesName)) // fails if files are left in it, which help to find out what went wrong
	return errors.Join(h.manifest.Close(), h.lock.Close())
}

// Own lists a file in the manifest of a folder that another program may be writing. It
// needs no lock, because a line is appended in one write. It returns the same errors as
// Held.Own.
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

// Lists reports whether the folder's manifest lists a file.
func (d Dir) Lists(name string) bool {
	listed, err := readManifest(d.own(manifestName))
	return err == nil && listed.files[filepath.Clean(name)]
}
