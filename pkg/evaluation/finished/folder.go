package finished

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"acdclip/pkg/atomicfile"
	"acdclip/pkg/metrics"
	"acdclip/pkg/regularfile"
	"acdclip/pkg/report"
	"acdclip/pkg/sealed"
)

const planName = "plan.json"

// Class is one finished class of a result.
type Class struct {
	Row    report.Row     `json:"row"`    // for a share: only counts
	Scores []report.Score `json:"scores"` // in the order of the target's pictures

	pixels string // hash of its pixel file
}

// keptClass is a Class as stored in its file.
type keptClass struct {
	Key    string `json:"key"`
	Pixels string `json:"pixels"` // hash of the pixel file next to it; "" if there is none
	Class
}

// maxFile is the maximum size of a file that is read, in bytes. Plans and classes of
// 200,000 pictures are smaller.
const maxFile = 64 << 20

// WriteFile atomically writes the file with the given name in the folder.
type WriteFile func(name string, write func(io.Writer) error) error

// Folder holds the finished classes of one plan on disk.
type Folder struct {
	Plan      Plan
	path      string
	writeFile WriteFile // nil: the folder is read-only
}

// Create creates the folder for a plan, or reuses an existing one. write writes its files;
// nil is atomicfile.Write. The plan may add targets and checkpoints and change their
// order. If the existing plan has other conditions, or a target and checkpoint that the
// new plan lacks or scores differently, the error wraps ErrDiffers and names the
// difference, because their finished classes would be lost.
func Create(path string, plan Plan, write WriteFile) (*Folder, error) {
	plan.Format = FormatVersion
	if old, err := Open(path); err == nil {
		if err := plan.goesOn(&old.Plan); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("creating a folder for finished classes: %w", err)
	}
	if write == nil {
		write = func(name string, write func(io.Writer) error) error {
			return atomicfile.Write(filepath.Join(path, name), write)
		}
	}
	f := &Folder{plan, path, write}
	return f, f.write(planName, plan)
}

// IsFolder reports whether path is the folder of finished classes of an evaluation.
func IsFolder(path string) bool {
	_, err := os.Lstat(filepath.Join(path, planName))
	return err == nil
}

// Open reads the plan of a folder. The error for a folder without a plan wraps fs.ErrNotExist.
func Open(path string) (*Folder, error) {
	f := &Folder{path: path}
	if err := f.read(planName, &f.Plan); err != nil {
		return nil, err
	}
	if err := f.Plan.check(); err != nil {
		return nil, fmt.Errorf("%s is invalid: %w", f.file(planName), err)
	}
	return f, nil
}

// Finished returns a finished class of a result, nil if it is not finished.
func (f *Folder) Finished(result, class int) (*Class, error) {
	key := f.Plan.Key(result, class)
	var kept keptClass
	if err := f.read(key+".json", &kept); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	r := f.Plan.Evaluation.Results[result]
	row := r.Classes[class]
	if kept.Key != key || kept.Row.Class != row.Class || kept.Row.Prompt != row.Prompt {
		return nil, fmt.Errorf("%s belongs to another class than its name says; remove it", f.file(key+".json"))
	}
	if err := kept.check(); err != nil {
		return nil, fmt.Errorf("%s is invalid: %w; remove it and continue with --resume", f.file(key+".json"), err)
	}
	if _, err := os.Stat(f.file(key + ".pixels")); kept.Pixels != "" && err != nil {
		return nil, nil // the pixel file was not written
	}
	kept.Class.pixels = kept.Pixels
	for i := range kept.Scores { // the file leaves out what the key determines
		score := &kept.Scores[i]
		score.Target, score.Class, score.Checkpoint, score.Model = r.Target, row.Class, r.Checkpoint.Path, r.Checkpoint.Model
	}
	return &kept.Class, nil
}

// check returns an error if a number of the class is invalid.
func (c *Class) check() error {
	if n := c.Row.Counts; len(c.Scores) != n.Normal+n.Anomalous+n.Failed {
		return fmt.Errorf("it has the scores of %d pictures, which does not match its counts", len(c.Scores))
	}
	if err := c.Row.Check(); err != nil {
		return err
	}
	for i := range c.Scores {
		if err := c.Scores[i].Check(); err != nil {
			return fmt.Errorf("score %d: %w", i, err)
		}
	}
	return nil
}

// Keep writes a finished class. pixels are the pixel scores of a share, nil for a whole class.
func (f *Folder) Keep(result, class int, c Class, pixels *metrics.Pixels) error {
	kept := keptClass{Key: f.Plan.Key(result, class), Class: c}
	if pixels != nil {
		sum := sha256.New()
		err := f.writeFile(kept.Key+".pixels", func(w io.Writer) error {
			_, err := pixels.WriteTo(io.MultiWriter(w, sum))
			return err
		})
		if err != nil {
			return err
		}
		kept.Pixels = sumText(sum)
	}
	return f.write(kept.Key+".json", kept) // last, because this file marks the class as finished
}

func sumText(sum hash.Hash) string { return "sha256:" + hex.EncodeToString(sum.Sum(nil)) }

// ReadPixels adds to into the pixels that Keep wrote with a class; c comes from Finished.
func (f *Folder) ReadPixels(result, class int, c *Class, into *metrics.Pixels) error {
	path := f.file(f.Plan.Key(result, class) + ".pixels")
	file, _, err := regularfile.Open(path)
	if err != nil {
		return fmt.Errorf("reading the pixel scores of a share: %w", err)
	}
	defer file.Close()
	sum := sha256.New()
	_, err = into.ReadFrom(io.TeeReader(file, sum))
	if err == nil && sumText(sum) != c.pixels {
		err = sealed.ErrDamaged
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w; remove it and resume its share with --resume to compute the class again", path, err)
	}
	return nil
}

// Classes counts the finished classes on disk.
func (f *Folder) Classes() (int, error) {
	files, err := os.ReadDir(f.path)
	if err != nil {
		return 0, fmt.Errorf("counting finished classes: %w", err)
	}
	count := 0
	for _, file := range files {
		if filepath.Ext(file.Name()) == ".json" && file.Name() != planName {
			count++
		}
	}
	return count, nil
}

func (f *Folder) file(name string) string { return filepath.Join(f.path, name) }

func (f *Folder) write(name string, v any) error {
	return f.writeFile(name, func(w io.Writer) error { return sealed.Write(w, v) })
}

func (f *Folder) read(name string, v any) error {
	err := sealed.Read(f.file(name), maxFile, v)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("reading finished classes: %w", err)
	case errors.Is(err, sealed.ErrNoSum):
		return fmt.Errorf("%s has no checksum: an older version of acdclip wrote it, or it was changed; start again in another folder", f.file(name))
	case err != nil:
		return fmt.Errorf("%s is damaged: %w; remove it and continue with --resume", f.file(name), err)
	}
	return nil
}
