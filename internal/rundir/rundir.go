// Package rundir looks after the folders that a verb writes: one program at a
// time writes into a folder, and --overwrite removes what a manifest lists and
// nothing else.
//
// All that this takes lies in OwnFolder inside the output folder, apart from what is
// cleared: the lock; the manifest, to which each file's name is added before the
// file is written; and files while they are being written.
package rundir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// OwnFolder is the folder inside an output folder that holds its lock and its manifest.
const OwnFolder = ".acdclip"

var (
	// ErrInUse reports a folder that another acdclip is writing.
	ErrInUse = errors.New("another acdclip is writing there")
	// ErrOccupied reports a folder that holds files which must not be replaced.
	ErrOccupied = errors.New("the folder cannot be written")
	// ErrReplaced reports a file, or its folder, that was removed or replaced while it was being written.
	ErrReplaced = errors.New("it was removed or replaced while it was being written")
)

// occupied is an ErrOccupied whose text says all that there is to say.
type occupied struct{ error }

func (e occupied) Unwrap() error        { return e.error }
func (e occupied) Is(target error) bool { return target == ErrOccupied }

func occupiedf(format string, values ...any) error { return occupied{fmt.Errorf(format, values...)} }

// Dir describes an output folder, or the part of one that one of several programs writes.
type Dir struct {
	Path string
	Kind string // what messages call it, such as "run folder"

	// Part is the subfolder that this program fills, where others fill theirs
	// beside it; "" where the whole folder is one program's.
	Part string

	Resumable bool // the verb can go on with what is there, which messages mention
}

// root is the folder that must hold nothing but the program's own files.
func (d Dir) root() string { return filepath.Join(d.Path, d.Part) }

// own is the path of the lock or the manifest.
func (d Dir) own(name string) string {
	if d.Part != "" {
		name = d.Part + "." + name
	}
	return filepath.Join(d.Path, OwnFolder, name)
}

// Check refuses a folder that is not empty, unless it may be overwritten and
// holds nothing but files that its manifest lists as those of this kind of folder.
// It changes nothing. The error is ErrOccupied, or says why the folder cannot be read.
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
		return occupiedf("the %s %s is not empty; --resume goes on with what is there, --overwrite replaces it, --out names another", d.Kind, d.root())
	case !overwrite:
		return occupiedf("the %s %s is not empty; give another with --out, or --overwrite to replace what is there", d.Kind, d.root())
	}
	return d.checkOwn("")
}

// isEmpty says that a folder holds nothing that was put there to be kept.
func (d Dir) isEmpty(entries []fs.DirEntry) bool {
	for _, entry := range entries {
		if entry.Name() != OwnFolder && !strings.HasPrefix(entry.Name(), probeName) {
			return false
		}
	}
	return true
}

// CheckFile refuses a file or a folder in the folder, by its name, unless the
// manifest lists it, or all files in it.
func (d Dir) CheckFile(name string) error {
	if _, err := os.Lstat(filepath.Join(d.Path, name)); err != nil {
		return nil // it is not there
	}
	return d.checkOwn(name)
}

// checkOwn refuses files below the folder, or below one name in it, that the
// manifest does not list.
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

// checkKind refuses a folder of another kind: another verb's files are not to be replaced.
func (d Dir) checkKind(listed manifest) error {
	if listed.kind == "" || listed.kind == d.Kind {
		return nil
	}
	return occupiedf("%s is a %s, written by another acdclip command: give another folder with --out", d.root(), listed.kind)
}

// foreign is the error of a file that is not the folder's own.
func (d Dir) foreign(name string) error {
	if d.listedByPart(name) {
		return occupiedf("the %s %s holds %s, which a part of another work wrote, and --overwrite leaves that alone: give another folder with --out", d.Kind, d.Path, name)
	}
	return occupiedf("the %s %s holds %s, which acdclip did not write (or an older version did: the files to replace are listed in %s): give another folder with --out, or remove that file yourself",
		d.Kind, d.Path, name, d.own(manifestName))
}

// probeName begins the names of the files that Probe makes.
const probeName = ".probe"

// Probe finds out whether files can be written into the folder, and leaves it as it was.
func (d Dir) Probe() error {
	absent := missingFolders(d.Path)
	defer func() {
		for _, folder := range absent {
			_ = os.Remove(folder) // only while it is empty
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

// missingFolders lists a folder and those above it that are not there, the innermost first.
func missingFolders(path string) []string {
	var list []string
	for path = filepath.Clean(path); ; path = filepath.Dir(path) {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) || path == filepath.Dir(path) {
			return list
		}
		list = append(list, path)
	}
}

// StillAt says whether the file at path is the one that is open; else the error
// wraps ErrReplaced.
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
