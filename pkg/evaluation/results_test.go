package evaluation

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"acdclip/internal/drawn"
	"acdclip/internal/golden"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/data"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
)

// TestExtrasAreKeptWhereAskedFor checks that the gateway's weights are saved if requested and available.
func TestExtrasAreKeptWhereAskedFor(t *testing.T) {
	o := evaluating(t, drawn.Set(t, synth.Objects))
	if _, scores := evaluate(t, o, ""); scores[0].Extras != nil {
		t.Error("extras that nobody asked for")
	}
	o.Extras = []string{report.Gates}
	result, scores := evaluate(t, o, filepath.Join(t.TempDir(), "unfinished"))
	for _, score := range scores {
		if len(score.Extras) != 1 || len(score.Extras[report.Gates]) != 2*2*2 {
			t.Fatalf("%s: %v", score.Path, score.Extras)
		}
	}
	if means := result.GateMeans(scores); len(means) != 3 || means[0].Groups != 2 {
		t.Errorf("means %+v", means)
	}
	o.Jobs[0].Checkpoint = checkpointOf(t, o.loaded(), "static", func(_ *checkpoint.Metadata, m *options.Model) { m.Fusion.Kind = options.Static })
	if result, scores := evaluate(t, o, ""); result.GateMeans(scores) != nil || scores[0].Extras != nil {
		t.Error("weights of a gateway that is not there")
	}
}

// TestMapsAreHandedOut checks that Map receives each map and its mask once, and that an error of Map ends the evaluation.
func TestMapsAreHandedOut(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	o := evaluating(t, set)
	o.Jobs = append(o.Jobs, Job{Set: set, Checkpoint: checkpointOf(t, o.loaded(), "b.safetensors", nil)})
	seen := map[string]int{}
	o.Files = func(job Job, scored scoring.Scored) error {
		item, m, mask := scored.Picture.Item, cmp.Or(scored.RawMap, scored.Map), scored.Picture.Mask
		seen[job.Checkpoint.Path+" "+item.Path]++
		if m.Width != 28 || m.Height != 28 || len(m.Scores) != 28*28 || len(mask) != 28*28 || slices.Contains(mask, 1) != item.Anomalous {
			t.Errorf("%s: a map of %d and a mask of %d pixels", item.Path, len(m.Scores), len(mask))
		}
		return nil
	}
	evaluate(t, o, "")
	if len(seen) != 2*len(set.Items) || slices.Max(slices.Collect(maps.Values(seen))) != 1 {
		t.Errorf("maps of %d pictures", len(seen))
	}
	at := slices.IndexFunc(set.Items, func(item data.Item) bool { return item.Anomalous })
	set.Items[at].Mask = ""
	o.Files = func(_ Job, scored scoring.Scored) error {
		item, mask := scored.Picture.Item, scored.Picture.Mask
		if (mask == nil) != (item.Path == set.Items[at].Path) {
			t.Errorf("%s: a mask of %d pixels", item.Path, len(mask))
		}
		return nil
	}
	evaluate(t, o, "")
}

// TestSeveralCheckpointsAndTargets checks that each checkpoint is opened once, in the order
// of the jobs, and that results are in the order of the jobs, whatever it is.
func TestSeveralCheckpointsAndTargets(t *testing.T) {
	o := threeJobs(t)
	result, scores := evaluate(t, o, "")
	if asked := o.Detectors.(*fakes).asked; !slices.Equal(asked, []string{"a.safetensors", "b.safetensors"}) {
		t.Errorf("detectors for %q", asked)
	}
	by := map[string]string{} // target and checkpoint: its result
	for i, r := range result.Results {
		if r.Target != o.Jobs[i].Set.Name || r.Checkpoint.Path != o.Jobs[i].Checkpoint.Path {
			t.Errorf("result %d is of %s with %s", i, r.Target, r.Checkpoint.Path)
		}
		by[r.Target+" "+r.Checkpoint.Path] = oneResult(t, result, scores, i)
	}
	if len(by) != 3 {
		t.Fatalf("%d results", len(by))
	}
	for _, order := range [][]int{{2, 0, 1}, {1, 2, 0}, {0, 2, 1}, {1, 0, 2}, {2, 1, 0}} {
		other := o
		other.Detectors, other.Jobs = &fakes{machine: machine()}, nil
		for _, at := range order {
			other.Jobs = append(other.Jobs, o.Jobs[at])
		}
		result, scores := evaluate(t, other, "")
		for i, r := range result.Results {
			golden.SameText(t, fmt.Sprintf("order %v, %s %s", order, r.Target, r.Checkpoint.Path), oneResult(t, result, scores, i), by[r.Target+" "+r.Checkpoint.Path])
		}
		if asked := other.Detectors.(*fakes).asked; len(asked) != 2 || asked[0] == asked[1] {
			t.Errorf("order %v: detectors for %q", order, asked)
		}
	}
}

// oneResult returns a result's numbers and scores as written to files.
func oneResult(t *testing.T, all *report.Evaluation, scores []report.Score, i int) string {
	t.Helper()
	r := all.Results[i]
	own := slices.DeleteFunc(slices.Clone(scores), func(s report.Score) bool { return s.Target != r.Target || s.Checkpoint != r.Checkpoint.Path })
	return files(t, &report.Evaluation{Results: []report.Result{r}}, own)
}

// threeJobs scores two targets with two checkpoints; one picture cannot be read.
func threeJobs(t *testing.T) Options {
	t.Helper()
	objects, textures := drawn.Set(t, synth.Objects), drawn.Set(t, synth.Textures)
	if err := os.WriteFile(objects.Items[1].Path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	o := evaluating(t, objects)
	other := checkpointOf(t, o.loaded(), "b.safetensors", func(m *checkpoint.Metadata, _ *options.Model) { m.Seed = new(uint64(8)) })
	o.Jobs = append(o.Jobs, Job{Set: textures, Checkpoint: other, Leak: true}, Job{Set: objects, Checkpoint: other})
	o.Extras, o.Batch = []string{report.Gates}, 2
	return o
}

// TestResultsSayWhatTheyAreOf checks that results record a leak, and why a benchmark's numbers are not comparable.
func TestResultsSayWhatTheyAreOf(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	benchmark, found := data.FindBenchmark("mvtec")
	if !found {
		t.Fatal("no benchmark mvtec")
	}
	o := evaluating(t, set)
	o.Jobs[0].Leak = true
	for _, c := range []struct {
		name   string
		change func(*Job)
		says   []string
	}{
		{"a set of one's own", func(*Job) {}, nil},
		{"a benchmark", func(j *Job) { j.Set.Benchmark = &benchmark }, []string{"scored at 28 pixels", "trained on textures instead of VisA"}},
		{"some of its pictures", func(j *Job) {
			j.Set.Benchmark = &benchmark
			chosen, err := j.Set.Select(nil, 4)
			if err != nil {
				t.Fatal(err)
			}
			j.Set = chosen
		}, []string{"only 4 of its 10 pictures were used", "scored at 28 pixels", "trained on textures instead of VisA"}},
		{"other counts", func(j *Job) {
			j.Set.Benchmark = &benchmark
			j.Set.Findings = []data.Finding{{Code: data.CountMismatch}}
		}, []string{"the counts differ from the public list", "scored at 28 pixels", "trained on textures instead of VisA"}},
		{"the paper's setup", func(j *Job) {
			j.Set.Benchmark = &benchmark
			j.Checkpoint = checkpointOf(t, o.loaded(), "p", func(m *checkpoint.Metadata, model *options.Model) { m.Auxiliary, model.ImageSize = "VisA", 336 })
		}, nil},
		{"an unknown auxiliary dataset", func(j *Job) {
			j.Set.Benchmark = &benchmark
			j.Checkpoint = checkpointOf(t, o.loaded(), "p", func(m *checkpoint.Metadata, model *options.Model) {
				m.Auxiliary, model.ImageSize = checkpoint.Unknown, 518
			})
		}, nil},
	} {
		one := *set
		job := o.Jobs[0]
		job.Set = &one
		c.change(&job)
		r, err := job.result(false)
		if err != nil || !r.Leak || !slices.Equal(r.Deviations, c.says) || (r.Benchmark != "") != (job.Set.Benchmark != nil) {
			t.Errorf("%s: benchmark %q, leak %v, deviations %q, %v", c.name, r.Benchmark, r.Leak, r.Deviations, err)
		}
	}
	result, _ := evaluate(t, o, "")
	if !result.Results[0].Leak {
		t.Error("the leak is not in the results")
	}
}
