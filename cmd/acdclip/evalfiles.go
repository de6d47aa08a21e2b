package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"acdclip/internal/rundir"
	"acdclip/internal/ui"
	"acdclip/pkg/config/section"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/digest"
	"acdclip/pkg/evaluation"
	"acdclip/pkg/events"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
)

// evalFiles are the files that eval writes for each picture.
type evalFiles struct {
	maps     mapFormat // "" where anomaly maps are not saved
	figures  bool
	html     bool
	colorMap heatmap.ColorMap
}

func (o *evalFiles) register(flags *pflag.FlagSet) {
	o.maps.register(flags, "also save each anomaly map in maps/, and the mask at the same size in masks/")
	flags.BoolVar(&o.html, "html", false, "write index.html, a page that shows all pictures, curves and metrics, and opens without a network")
	flags.BoolVar(&o.figures, "figures", false, "write figures: picture, mask and anomaly map side by side, with a caption")
	ui.Choice(flags, &o.colorMap, "colormap", heatmap.ColorMaps(), "colors of figures and the page")
}

// any reports whether any file is written for each picture.
func (o *evalFiles) any() bool { return o.maps != "" || o.figures || o.html }

// condition says which files are written; finished classes have the same.
func (o *evalFiles) condition() string {
	var list []string
	if o.maps != "" {
		list = append(list, string(o.maps))
	}
	for _, drawn := range []struct {
		wanted bool
		name   string
	}{{o.figures, "figures"}, {o.html, "html"}} {
		if drawn.wanted {
			list = append(list, drawn.name+" "+string(o.colorMap))
		}
	}
	return strings.Join(list, ", ")
}

// pictureFiles writes the files of an evaluation's pictures. Anomaly maps and masks are
// saved as `acdclip metrics` reads them.
type pictureFiles struct {
	evalFiles
	folder  *rundir.Evaluation
	decode  picture.DecodeOptions
	emit    func(events.Event)
	several map[string]bool // the targets that are scored with more than one checkpoint
	sizes   bool            // the models have different sizes, so each has masks of its own
}

// pictureFiles is what writes the files of a plan's pictures; nil where there are none.
func (o *evalOptions) pictureFiles(plan *evalPlan, folder *rundir.Evaluation) (*pictureFiles, error) {
	if !o.any() {
		return nil, nil
	}
	m := &pictureFiles{evalFiles: o.evalFiles, folder: folder, decode: loadOptions(plan.loaded.Config).Decode, emit: o.app.emit, several: map[string]bool{}}
	seen := map[*data.Dataset]bool{}
	for _, job := range plan.jobs {
		m.sizes = m.sizes || job.Checkpoint.Options.Input().Size != plan.jobs[0].Checkpoint.Options.Input().Size
		if seen[job.Set] {
			m.several[job.Set.Name] = true
			continue
		}
		seen[job.Set] = true
		if err := checkNames(job.Set); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// checkNames refuses a dataset in which two pictures' files would have one name.
func checkNames(set *data.Dataset) error {
	taken := map[string]string{}
	for _, item := range set.Items {
		name := fileOf(set, item)
		if other, twice := taken[name]; twice {
			return usagef("%s and %s would have files of the same name; rename one of them, or leave out --save-maps, --figures and --html", other, item.Path)
		}
		taken[name] = item.Path
	}
	return nil
}

// fileOf is a picture's path in its dataset without the extension, as a path that stays inside a folder.
func fileOf(set *data.Dataset, item data.Item) string {
	relative := set.Relative(item.Path)
	relative = strings.TrimSuffix(relative, path.Ext(relative))
	return strings.ReplaceAll(strings.TrimPrefix(relative, "/"), "..", "__")
}

// target is the folder of a job's files.
func (m *pictureFiles) target(job evaluation.Job) string {
	if m.several[job.Set.Name] {
		return path.Join(job.Set.Name, folderName(job.Checkpoint.Source))
	}
	return job.Set.Name
}

// write writes the files of one picture.
func (m *pictureFiles) write(job evaluation.Job, scored scoring.Scored) error {
	if m.maps != "" {
		if err := m.saveMap(job, scored); err != nil {
			return err
		}
	}
	if !m.figures && !m.html {
		return nil
	}
	err := m.draw(job, scored)
	if errors.Is(err, syscall.ENAMETOOLONG) || errors.As(err, new(changedPicture)) { // of this picture alone; its score stands
		m.emit(events.Warning{Text: fmt.Sprintf("%s is not drawn: %s", scored.Picture.Item.Path, withoutPath(err, scored.Picture.Item.Path))})
		return nil
	}
	return err
}

// saveMap writes a map, the method's own if it is there, and its mask.
func (m *pictureFiles) saveMap(job evaluation.Job, scored scoring.Scored) error {
	item, name, target := scored.Picture.Item, fileOf(job.Set, scored.Picture.Item), m.target(job)
	anomaly := cmp.Or(scored.RawMap, scored.Map)
	err := m.folder.Write(filepath.Join(rundir.MapTree, target, name+m.maps.extension()), func(w io.Writer) error { return m.maps.write(w, anomaly) })
	if err != nil || scored.Picture.Mask == nil || !item.HasPixelTruth() {
		return err
	}
	mask := whiteMask(scored.Picture.Mask, anomaly.Width, anomaly.Height)
	truth := job.Set.Name
	if m.sizes {
		truth = target
	}
	return m.folder.Write(filepath.Join(rundir.TrueMaskTree, truth, name+".png"), func(w io.Writer) error { return heatmap.EncodePNG(w, mask) })
}

// draw draws a picture's figure and what the page shows of it.
func (m *pictureFiles) draw(job evaluation.Job, scored scoring.Scored) error {
	item := scored.Picture.Item
	decoded, err := picture.Open(item.Path, m.decode)
	if err != nil {
		return changedPicture{err}
	}
	low, high := section.MapScale(job.Checkpoint.Options)
	d := drawer{write: m.folder.WriteQuickly, style: heatmap.Style{Scale: heatmap.Scale{Low: low, High: high}, Map: m.colorMap}}
	drawn := drawable{picture: decoded, anomaly: scored.Map}
	if mask := scored.Picture.Mask; mask != nil && item.HasPixelTruth() && slices.Contains(mask, 1) {
		drawn.truth = &picture.Grey{Width: scored.Map.Width, Height: scored.Map.Height, Pix: mask}
	}
	file := path.Join(m.target(job), filepath.ToSlash(fileOf(job.Set, item)))
	if m.figures {
		label := "normal"
		if item.Anomalous {
			label = "anomalous"
		}
		caption := []string{job.Set.Relative(item.Path), fmt.Sprintf("score %.3f, labelled %s", scored.Score, label)}
		if err := d.figure(filepath.Join(rundir.FigureTree, file+".png"), drawn, caption); err != nil {
			return err
		}
	}
	if !m.html {
		return nil
	}
	return d.forPage(file, drawn)
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
