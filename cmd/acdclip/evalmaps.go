package main

import (
	"image"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"acdclip/internal/rundir"
	"acdclip/pkg/anomalymap"
	"acdclip/pkg/data"
	"acdclip/pkg/digest"
	"acdclip/pkg/evaluation"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/report"
)

func (o *evalOptions) registerMaps(flags *pflag.FlagSet) {
	o.maps.register(flags, "also save each anomaly map in maps/, and the mask at the same size in masks/")
}

// mapFiles writes anomaly maps, and the masks that belong to them, as `acdclip metrics` reads them.
type mapFiles struct {
	folder  *rundir.Evaluation
	format  mapFormat
	several map[string]bool // the targets that are scored with more than one checkpoint
	sizes   bool            // the models have different sizes, so each has masks of its own
}

// saveMaps is what receives the anomaly maps of a plan; nil where they are not saved.
func (o *evalOptions) saveMaps(plan *evalPlan, folder *rundir.Evaluation) (func(evaluation.Job, data.Item, *anomalymap.Map, []uint8) error, error) {
	if o.maps == "" {
		return nil, nil
	}
	m := &mapFiles{folder: folder, format: o.maps, several: map[string]bool{}}
	seen := map[*data.Dataset]bool{}
	for _, job := range plan.jobs {
		m.sizes = m.sizes || job.Checkpoint.Options.Input().Size != plan.jobs[0].Checkpoint.Options.Input().Size
		if seen[job.Set] {
			m.several[job.Set.Name] = true
			continue
		}
		seen[job.Set] = true
		if err := m.checkNames(job.Set); err != nil {
			return nil, err
		}
	}
	return m.save, nil
}

// checkNames refuses a dataset in which two pictures' files would have one name.
func (m *mapFiles) checkNames(set *data.Dataset) error {
	taken := map[string]string{}
	for _, item := range set.Items {
		name := m.name(set, item)
		if other, twice := taken[name]; twice {
			return usagef("--save-maps: %s and %s would be saved under the same name; rename one of them", other, item.Path)
		}
		taken[name] = item.Path
	}
	return nil
}

// name is a picture's path in its dataset without the extension, as a path that stays inside a folder.
func (m *mapFiles) name(set *data.Dataset, item data.Item) string {
	relative := set.Relative(item.Path)
	relative = strings.TrimSuffix(relative, path.Ext(relative))
	return strings.ReplaceAll(strings.TrimPrefix(relative, "/"), "..", "__")
}

// save writes one map and its mask.
func (m *mapFiles) save(job evaluation.Job, item data.Item, anomaly *anomalymap.Map, mask []uint8) error {
	name := m.name(job.Set, item)
	target := job.Set.Name
	if m.several[target] {
		target = filepath.Join(target, folderName(job.Checkpoint.Source))
	}
	err := m.folder.Write(filepath.Join(rundir.MapTree, target, name+m.format.extension()), func(w io.Writer) error { return m.format.write(w, anomaly) })
	if err != nil || mask == nil || !item.HasPixelTruth() {
		return err
	}
	picture := image.NewGray(image.Rect(0, 0, anomaly.Width, anomaly.Height))
	for i, value := range mask {
		if value != 0 {
			picture.Pix[i] = 255
		}
	}
	truth := job.Set.Name
	if m.sizes {
		truth = target
	}
	return m.folder.Write(filepath.Join(rundir.TrueMaskTree, truth, name+".png"), func(w io.Writer) error { return heatmap.EncodePNG(w, picture) })
}

// folderName tells a target's checkpoints apart in a file's or folder's name.
func folderName(c report.Checkpoint) string {
	const digits = 12
	hash := strings.TrimPrefix(c.Fingerprint, digest.Prefix)
	name := hash[:min(digits, len(hash))]
	if c.Model != "" {
		name = strings.NewReplacer("/", "_", `\`, "_").Replace(c.Model) + "-" + name
	}
	return name
}
