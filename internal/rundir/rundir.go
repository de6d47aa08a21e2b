// Package rundir manages the output folders of commands: only one program at a time writes
// into a folder, and --overwrite removes only the files that a manifest lists.
//
// OwnFolder inside the output folder holds the lock, the manifest, to which each file's
// name is added before the file is written, and partly written files.
package rundir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// OwnFolder is the folder inside an output folder that holds its lock and manifest.
const OwnFolder = ".acdclip"

var (
	// ErrInUse reports a folder that another acdclip is writing.
	ErrInUse = errors.New("another acdclip is writing there")
	// ErrOccupied reports a folder with files that must not be replaced.
	ErrOccupied = errors.New("the folder cannot be written")
	// ErrReplaced reports a file or folder that was removed or replaced while it was being written.
	ErrReplaced = errors.New("it was removed or replaced while it was being written")
)

// occupied is an ErrOccupied with a message of its own.
type occupied struct{ error }

func (e occupied) Unwrap() error        { return e.error }
func (e occupied) Is(target error) bool { return target == ErrOccupied }

func occupiedf(format string, values ...any) error { return occupied{fmt.Errorf(format, values...)} }

// Dir describes an output folder, or the part of one that this program writes.
type Dir struct {
	Path string
	Kind string // its name in messages, such as "run folder"

	// Part is the subfolder that this program writes if several programs share the folder;
	// "" if one program writes the whole folder.
	Part string

	Resumable bool // the command can resume from the folder's content; messages mention it
}

// root returns the folder that may contain only the program's own files.
func (d Dir) root() string { return filepath.Join(d.Path, d.Part) }

// own returns the path of a file in OwnFolder.
func (d Dir) own(name string) string {
	if d.Part != "" {
		name = d.Part + "." + name
	}
	return filepath.Join(d.Path, OwnFolder, name)
}

// Check returns an error if the folder is not empty, unless overwrite is true and it
// contains only files that its manifest, of the same kind of folder, lists. It changes
// nothing. The error is ErrOccupied, or says why the folder cannot be read.
func (d Dir) Check(overwrite bool) error {
	entries, err := os.ReadDir(d.root())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return occupiedf("the %s cannot be used: %w", d.Kind, err)
	}
	if d.isEmpty(entries) {
		return nil
	}
	switch {
	case !overwrite && d.Resumable:
		return occupiedf("the %s %s is not empty; use --resume to continue, --overwrite to replace its files, or --out to choose another folder", d.Kind, d.root())
	case !overwrite:
		return occupiedf("the %s %s is not empty; choose another folder with --out, or use --overwrite to replace its files", d.Kind, d.root())
	}
	return d.checkOwn("")
}

// isEmpty reports whether a folder contains nothing but OwnFolder and leftovers of Probe.
func (d Dir) isEmpty(entries []fs.DirEntry) bool {
	for _, entry := range entries {
		if entry.Name() != OwnFolder && !strings.HasPrefix(entry.Name(), probeName) {
			return false
		}
	}
	return true
}

// CheckFile returns an error if a file or subfolder of that name exists and the manifest
// does not list it, or not all files in it.
func (d Dir) CheckFile(name string) error {
	if _, err := os.Lstat(filepath.Join(d.Path, name)); err != nil {
		return nil // it is not there
	}
	return d.checkOwn(name)
}

// checkOwn returns an error if there are files below the folder, or below name in it, that
// the manifest does not list.
func (d Dir) checkOwn(name string) error {
	listed, err := readManifest(d.own(manifestName))
	if err != nil {
		return err
	}
	if err := d.checkKind(listed); err != nil {
		return err
	}
	root, err := filepath.EvalSymlinks(d.Path) // --out may be a link to a folder
	if err != nil {
		return fmt.Errorf("looking through the %s: %w", d.Kind, err)
	}
	foreign := ""
	err = filepath.WalkDir(filepath.Join(root, d.Part, name), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path == filepath.Join(root, OwnFolder):
			return filepath.SkipDir
		case entry.IsDir():
			return nil
		}
		inside, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if listed.files[inside] || strings.HasPrefix(inside, probeName) && entry.Type().IsRegular() {
			return nil
		}
		foreign = inside
		return filepath.SkipAll
	})
	if err != nil {
		return fmt.Errorf("looking through the %s: %w", d.Kind, err)
	}
	if foreign != "" {
		return d.foreign(foreign)
	}
	return nil
}

// checkKind returns an error for a folder of another kind, because the files of another
// command must not be replaced.
func (d Dir) checkKind(listed manifest) error {
	if listed.kind == "" || listed.kind == d.Kind {
		return nil
	}
	return occupiedf("%s is a %s, written by another acdclip command; choose another folder with --out", d.root(), listed.kind)
}

// foreign returns the error for a file that is not the folder's own.
func (d Dir) foreign(name string) error {
	if d.listedByPart(name) {
		return occupiedf("the %s %s holds %s, which another program's share wrote and --overwrite does not replace; choose another folder with --out", d.Kind, d.Path, name)
	}
	return occupiedf("the %s %s holds %s, which acdclip did not write (or an older version did; %s lists the files that may be replaced); choose another folder with --out, or remove that file yourself",
		d.Kind, d.Path, name, d.own(manifestName))
}

// probeName is the prefix of the files that Probe creates.
const probeName = ".probe"

// Probe checks whether files can be written into the folder and leaves it unchanged.
func (d Dir) Probe() error {
	absent := missingFolders(d.Path)
	defer func() {
		for _, folder := range absent {
			_ = os.Remove(folder) // fails if it is not empty
		}
	}()
	if err := os.MkdirAll(d.Path, 0o755); err != nil {
		return fmt.Errorf("creating the %s: %w", d.Kind, err)
	}
	file, err := os.CreateTemp(d.Path, probeName)
	if err != nil {
		return fmt.Errorf("writing into the %s: %w", d.Kind, err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// missingFolders lists the missing folders among path and its parents, the innermost first.
func missingFolders(path string) []string {
	var list []string
	for path = filepath.Clean(path); ; path = filepath.Dir(path) {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) || path == filepath.Dir(path) {
			return list
		}
		list = append(list, path)
	}
}

// StillAt checks that path is still the open file. Otherwise the error wraps ErrReplaced.
func StillAt(path string, file *os.File) error {
	there, err := os.Stat(path)
	if err == nil {
		var open os.FileInfo
		if open, err = file.Stat(); err == nil && os.SameFile(there, open) {
			return nil
		}
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = ErrReplaced
	}
	return fmt.Errorf("%s: %w", path, err)
}
