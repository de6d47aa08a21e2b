package synth

import (
	"fmt"
	"path"
	"strings"
)

// plan is all files to write. Its paths are relative to the folder given to Write,
// with forward slashes.
type plan struct {
	jobs    []job
	texts   []textFile
	summary Summary
}

// job is one picture to draw.
type job struct {
	name          picture
	class         *class
	place         *placement
	defect        string // "" for a normal picture
	picture, mask string // paths; mask is "" if there is none
}

// textFile is a text file of a dataset.
type textFile struct {
	path string
	text []byte
}

func newPlan(o Options, list []dataset) (plan, error) {
	var p plan
	var written []dataset
	for _, d := range list {
		jobs := d.jobs(o)
		if len(jobs) == 0 {
			continue
		}
		p.add(d, jobs)
		written = append(written, d)
	}
	if len(p.jobs) == 0 {
		return plan{}, ErrNothing
	}
	if strings.EqualFold(o.Layout, All) {
		p.texts = append(p.texts, roots(written))
	}
	return p, nil
}

// add adds one dataset; the jobs' paths are relative to the dataset's folder.
func (p *plan) add(d dataset, jobs []job) {
	if d.layout.texts != nil {
		for _, t := range d.layout.texts(jobs) {
			p.texts = append(p.texts, textFile{path.Join(d.folder, t.path), t.text})
		}
	}
	for _, j := range jobs {
		p.summary.count(j.place.part)
		j.picture = path.Join(d.folder, j.picture)
		if j.mask != "" {
			j.mask = path.Join(d.folder, j.mask)
		}
		p.jobs = append(p.jobs, j)
	}
	for _, c := range d.classes {
		p.summary.Classes = append(p.summary.Classes, c.name)
	}
	if d.layout.benchmark != "" {
		p.summary.Layouts = append(p.summary.Layouts, d.layout.name())
	}
}

// jobs lists the dataset's pictures, class by class.
func (d dataset) jobs(o Options) []job {
	var jobs []job
	next := map[string]int{} // folder to its next number
	for i := range d.classes {
		for k := range d.layout.places {
			c, place := &d.classes[i], &d.layout.places[k]
			if place.of != nil && !place.of(c.name) {
				continue
			}
			for n := range o.count(*place) {
				defect := ""
				if place.part.anomalous() {
					defect = c.defects[n%len(c.defects)]
				}
				folder := path.Dir(place.picture.at(c.name, defect, ""))
				jobs = append(jobs, newJob(o.Seed, c, place, defect, next[folder]))
				next[folder]++
			}
		}
	}
	return jobs
}

// newJob returns the job of one picture, by its number in the folder of a placement and defect.
func newJob(seed uint64, c *class, place *placement, defect string, number int) job {
	stem := place.stem(number)
	j := job{
		name:    picture{seed: seed, class: c.name, split: place.picture.folder(defect), index: number},
		class:   c,
		place:   place,
		defect:  defect,
		picture: place.picture.at(c.name, defect, stem),
		mask:    place.mask.at(c.name, defect, stem),
	}
	if place.blank > 0 && number == place.blank {
		j.defect = ""
	}
	return j
}

// paths returns the paths of all files.
func (p plan) paths() []string {
	var paths []string
	for _, j := range p.jobs {
		paths = append(paths, j.picture)
		if j.mask != "" {
			paths = append(paths, j.mask)
		}
	}
	for _, t := range p.texts {
		paths = append(paths, t.path)
	}
	return paths
}

// roots returns the configuration file that lists the datasets under their benchmarks' names.
func roots(list []dataset) textFile {
	text := "# Synthetic datasets in the benchmarks' layouts, to try out the program:\n" +
		"#   acdclip eval --config " + ConfigFile + " --clip FILE --checkpoint FILE\n" +
		"# Paths are relative to this file.\n\ndata:\n  roots:\n"
	for _, d := range list {
		text += fmt.Sprintf("    %s: %s\n", d.layout.name(), d.folder)
	}
	return textFile{ConfigFile, []byte(text)}
}
