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
	Row    report.Row     `json:"row"`    // of a share: counts alone
	Scores []report.Score `json:"scores"` // in the order of the target's pictures

	pixels string // what names the content of its file of pixels
}

// keptClass is a Class as its file holds it.
type keptClass struct {
	Key    string `json:"key"`
	Pixels string `json:"pixels"` // names the content of the file of pixels beside it; "" where there is none
	Class
}

// maxFile limits what is read, in bytes: a plan, or a class of 200,000 pictures, has less.
const maxFile = 64 << 20

// WriteFile writes a file of the folder, by its name in it, whole or not at all.
type WriteFile func(name string, write func(io.Writer) error) error

// Folder is the finished classes of one plan on disk.
type Folder struct {
	Plan      Plan
	path      string
	writeFile WriteFile // nil: the folder is only read
}

// Create makes the folder for a plan, or goes on with one that is there; write
// writes its files, and nil stands for atomicfile.Write. Where
// that was made under other conditions, or for a target and checkpoint that the plan
// lacks or scores in another way, the error wraps ErrDiffers and says so: what was
// finished for them would be lost. There may be more than before, and in another order.
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

// IsFolder says whether an evaluation keeps its finished classes at path.
func IsFolder(path string) bool {
	_, err := os.Lstat(filepath.Join(path, planName))
	return err == nil
}

// Open reads the plan of a folder. A folder without one is fs.ErrNotExist.
func Open(path string) (*Folder, error) {
	f := &Folder{path: path}
	if err := f.read(planName, &f.Plan); err != nil {
		return nil, err
	}
	if err := f.Plan.check(); err != nil {
		return nil, fmt.Errorf("%s cannot be used: %w", f.file(planName), err)
	}
	return f, nil
}

// Finished gives a class of a result where it is finished, and nil where not.
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
		return nil, fmt.Errorf("%s is of another class than its name says; remove it", f.file(key+".json"))
	}
	if err := kept.check(); err != nil {
		return nil, fmt.Errorf("%s cannot be used: %w; remove it, and --resume goes on without it", f.file(key+".json"), err)
	}
	if _, err := os.Stat(f.file(key + ".pixels")); kept.Pixels != "" && err != nil {
		return nil, nil // its pixels did not reach the disk
	}
	kept.Class.pixels = kept.Pixels
	for i := range kept.Scores { // what the key says already is not kept
		score := &kept.Scores[i]
		score.Target, score.Class, score.Checkpoint = r.Target, row.Class, r.Checkpoint.Path
	}
	return &kept.Class, nil
}

// check finds numbers that no class can have.
func (c *Class) check() error {
	if n := c.Row.Counts; len(c.Scores) != n.Normal+n.Anomalous+n.Failed {
		return fmt.Errorf("it has the scores of %d pictures and counts others", len(c.Scores))
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

// Keep writes a finished class. pixels are those of a share, and nil for a whole class.
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
	return f.write(kept.Key+".json", kept) // last: it says that the class is finished
}

func sumText(sum hash.Hash) string { return "sha256:" + hex.EncodeToString(sum.Sum(nil)) }

// ReadPixels adds the pixels that were kept with a class that Finished gave.
func (f *Folder) ReadPixels(result, class int, c *Class, into *metrics.Pixels) error {
	path := f.file(f.Plan.Key(result, class) + ".pixels")
	file, _, err := regularfile.Open(path)
	if err != nil {
		return fmt.Errorf("reading the pixels of a share: %w", err)
	}
	defer file.Close()
	sum := sha256.New()
	_, err = into.ReadFrom(io.TeeReader(file, sum))
	if err == nil && sumText(sum) != c.pixels {
		err = sealed.ErrDamaged
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w; remove it, and --resume of its share computes the class again", path, err)
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
		return fmt.Errorf("%s carries no sum of its content: an older version of acdclip wrote it, or it was changed; begin again in another folder", f.file(name))
	case err != nil:
		return fmt.Errorf("%s is damaged: %w; remove it, and --resume goes on without it", f.file(name), err)
	}
	return nil
}
