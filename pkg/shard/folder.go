package shard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"acdclip/pkg/atomicfile"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
)

const planName = "plan.json"

// Class is one finished class of a result.
type Class struct {
	Row    report.Row     `json:"row"`    // of a share: counts alone
	Scores []report.Score `json:"scores"` // in the order of the target's pictures
}

// keptClass is a Class as its file holds it.
type keptClass struct {
	Key    string `json:"key"`
	Pixels bool   `json:"pixels"` // whether the scores of pixels lie beside it
	Class
}

// Folder is the finished classes of one plan on disk.
type Folder struct {
	Plan Plan
	path string
}

// Create makes the folder for a plan, or goes on with one that is there. Where
// that was made under other conditions, or for a target and checkpoint that the plan
// lacks or scores in another way, the error wraps ErrDiffers and says so: what was
// finished for them would be lost. There may be more than before, and in another order.
func Create(path string, plan Plan) (*Folder, error) {
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
	f := &Folder{plan, path}
	return f, f.write(planName, plan)
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
	if c := kept.Row.Counts; len(kept.Scores) != c.Normal+c.Anomalous+c.Failed {
		return nil, fmt.Errorf("%s has the scores of %d pictures and counts others; remove it", f.file(key+".json"), len(kept.Scores))
	}
	if _, err := os.Stat(f.file(key + ".pixels")); kept.Pixels && err != nil {
		return nil, nil // its pixels did not reach the disk
	}
	for i := range kept.Scores { // what the key says already is not kept
		score := &kept.Scores[i]
		score.Target, score.Class, score.Checkpoint = r.Target, row.Class, r.Checkpoint.Path
	}
	return &kept.Class, nil
}

// Keep writes a finished class. pixels are those of a share, and nil for a whole class.
func (f *Folder) Keep(result, class int, c Class, pixels *metrics.Pixels) error {
	key := f.Plan.Key(result, class)
	if pixels != nil {
		err := atomicfile.Write(f.file(key+".pixels"), func(w io.Writer) error {
			_, err := pixels.WriteTo(w)
			return err
		})
		if err != nil {
			return err
		}
	}
	return f.write(key+".json", keptClass{key, pixels != nil, c}) // last: it says that the class is finished
}

// ReadPixels adds the pixels that were kept with a finished class.
func (f *Folder) ReadPixels(result, class int, into *metrics.Pixels) error {
	path := f.file(f.Plan.Key(result, class) + ".pixels")
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading the pixels of a share: %w", err)
	}
	defer file.Close()
	if _, err := into.ReadFrom(file); err != nil {
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

// Remove deletes the folder and all that is finished in it.
func (f *Folder) Remove() error {
	if err := os.RemoveAll(f.path); err != nil {
		return fmt.Errorf("removing finished classes that are no longer needed: %w", err)
	}
	return nil
}

func (f *Folder) file(name string) string { return filepath.Join(f.path, name) }

func (f *Folder) write(name string, v any) error {
	return atomicfile.Write(f.file(name), func(w io.Writer) error { return json.NewEncoder(w).Encode(v) })
}

func (f *Folder) read(name string, v any) error {
	content, err := os.ReadFile(f.file(name))
	if err != nil {
		return fmt.Errorf("reading finished classes: %w", err)
	}
	if err := json.Unmarshal(content, v); err != nil {
		return fmt.Errorf("%s is damaged: %w; remove it, and --resume goes on without it", f.file(name), err)
	}
	return nil
}
