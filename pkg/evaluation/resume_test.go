package evaluation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"acdclip/internal/drawn"
	"acdclip/internal/golden"
	"acdclip/pkg/atomicfile"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/data"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/domain"
	"acdclip/pkg/evaluation/finished"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/report"
	"acdclip/pkg/trained"
)

// TestEvaluationGoesOn stops an evaluation after any number of pictures and checks that the
// resumed one continues after the last finished class, scores no picture of a finished
// class, and ends in the same files.
func TestEvaluationGoesOn(t *testing.T) {
	o := threeJobs(t)
	result, scores := evaluate(t, o, "")
	want := files(t, result, scores)
	const pictures, class = 30, 5
	for stop := 1; stop <= pictures; stop++ {
		path := filepath.Join(t.TempDir(), "unfinished")
		ctx, cancel := context.WithCancel(t.Context())
		first := o
		first.Detectors = &fakes{machine: machine()}
		first.Emit = func(event events.Event) {
			if progress, is := event.(events.Progress); is && progress.Done == stop {
				cancel()
			}
		}
		_, _, err := runIn(ctx, first, path)
		cancel()
		if err != nil && !errors.Is(err, context.Canceled) || err == nil && stop < pictures {
			t.Fatalf("stopped at picture %d: %v", stop, err)
		}
		first.Detectors.(*fakes).closed(t)
		kept, err := countClasses(path)
		if err != nil || kept > stop/class || kept < (stop-1-2*o.Batch)/class { // what waits to be counted is lost
			t.Errorf("stopped at picture %d: %d classes are kept, %v", stop, kept, err)
		}
		again := o
		fresh := &fakes{machine: machine()}
		again.Detectors = fresh
		var seen eventList
		again.Emit = seen.emit
		result, scores := evaluate(t, again, path)
		golden.SameText(t, fmt.Sprintf("stopped at picture %d", stop), files(t, result, scores), want)
		if scored := len(of[events.Progress](seen)); scored != pictures-kept*class {
			t.Errorf("stopped at picture %d: %d classes were finished, and %d pictures are scored after", stop, kept, scored)
		}
		if told := fmt.Sprintf("%d of 6 classes are already finished", kept); kept > 0 != slices.Contains(of[events.Notice](seen), events.Notice{Text: told}) {
			t.Errorf("stopped at picture %d: notices %q", stop, of[events.Notice](seen))
		}
		if warnings := seen.warnings(); len(warnings) != 2 { // the picture that cannot be read, with either checkpoint
			t.Errorf("stopped at picture %d: warnings %q", stop, warnings)
		}
	}
}

func countClasses(path string) (int, error) {
	folder, err := finished.Open(path)
	if err != nil {
		return 0, err
	}
	return folder.Classes()
}

// TestFinishedEvaluationScoresNothing checks that a finished evaluation does not even open a checkpoint.
func TestFinishedEvaluationScoresNothing(t *testing.T) {
	o := threeJobs(t)
	path := filepath.Join(t.TempDir(), "unfinished")
	result, scores := evaluate(t, o, path)
	want := files(t, result, scores)
	if pixels, err := filepath.Glob(filepath.Join(path, "*.pixels")); err != nil || pixels != nil {
		t.Errorf("pixels that nobody joins are kept: %v, %v", pixels, err)
	}
	fresh := &fakes{machine: machine(), broken: errors.New("nothing is left to score")}
	o.Detectors = fresh
	var seen eventList
	o.Emit = seen.emit
	result, scores = evaluate(t, o, path)
	golden.SameText(t, "a finished evaluation", files(t, result, scores), want)
	if len(seen) != 3 || len(seen.warnings()) != 2 || len(of[events.Notice](seen)) != 1 {
		t.Errorf("events %v", seen)
	}
	// An evaluation with more targets in another order reuses the finished classes.
	more := o
	more.Detectors = &fakes{machine: machine()}
	more.Jobs = append([]Job{{Set: o.Jobs[1].Set, Checkpoint: o.Jobs[0].Checkpoint}}, o.Jobs...)
	slices.Reverse(more.Jobs)
	more.Emit = func(events.Event) {}
	evaluate(t, more, path)
	if asked := more.Detectors.(*fakes); !slices.Equal(asked.asked, []string{"a.safetensors"}) || len(asked.prompts) != 10 {
		t.Errorf("with another target %q were opened, and %d pictures scored", asked.asked, len(asked.prompts))
	}
}

// TestFinishedClassesAreOfTheTarget checks that a finished class with pictures of another class is rejected.
func TestFinishedClassesAreOfTheTarget(t *testing.T) {
	o := evaluating(t, drawn.Set(t, synth.Objects))
	path := filepath.Join(t.TempDir(), "unfinished")
	evaluate(t, o, path)
	e := begin(t, o)
	folder, err := finished.Create(path, e.Plan(), nil)
	e.Close()
	if err != nil {
		t.Fatal(err)
	}
	pictures := len(o.Jobs[0].Set.Items)
	for _, place := range []int{-1, pictures, pictures - 1} { // the last is of the other class
		kept, err := folder.Finished(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		kept.Scores[0].Place = place
		if err := folder.Keep(0, 0, *kept, nil); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("picture %d does not belong to it", place)
		if _, _, err := runIn(t.Context(), o, path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

// TestFinishedPicturesAreWhereTheyLieNow checks that a dataset may be moved before an evaluation is resumed.
func TestFinishedPicturesAreWhereTheyLieNow(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	o := evaluating(t, set)
	path := filepath.Join(t.TempDir(), "unfinished")
	evaluate(t, o, path)
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(set.Root, moved); err != nil {
		t.Fatal(err)
	}
	for i := range set.Items {
		set.Items[i].Path = filepath.Join(moved, set.Relative(set.Items[i].Path))
		if set.Items[i].Mask != "" {
			set.Items[i].Mask = filepath.Join(moved, set.Relative(set.Items[i].Mask))
		}
	}
	set.Root = moved
	var seen eventList
	o.Emit = seen.emit
	_, scores := evaluate(t, o, path)
	for i, score := range scores {
		if score.Path != set.Items[i].Path {
			t.Errorf("%s is said to be %s", set.Items[i].Path, score.Path)
		}
	}
	if of[events.Progress](seen) != nil {
		t.Error("moved pictures were scored again")
	}
}

// otherEvaluations change conditions of the numbers, or the additional outputs. says is the
// expected name of the difference.
func otherEvaluations(t *testing.T) []otherEvaluation {
	otherSet := func(change func(*data.Dataset)) func(*Options) {
		return func(o *Options) {
			set := *o.Jobs[0].Set
			set.Items, set.Classes = slices.Clone(set.Items), slices.Clone(set.Classes)
			change(&set)
			o.Jobs[0].Set = &set
		}
	}
	otherModel := func(change func(*trained.Model)) func(*Options) {
		return func(o *Options) {
			m := *o.Jobs[0].Checkpoint
			m.Options = new(*m.Options.(*options.Model))
			change(&m)
			o.Jobs[0].Checkpoint = &m
		}
	}
	onMachine := func(change func(*fakes)) func(*Options) {
		return func(o *Options) {
			f := &fakes{machine: machine()}
			change(f)
			o.Detectors = f
		}
	}
	return []otherEvaluation{
		{"version", func(o *Options) { o.Version = "other" }, "acdclip's version: test there, other here", false},
		{"list", otherSet(func(s *data.Dataset) { s.Items = s.Items[1:] }), "list_hash", false},
		{"labels", otherSet(func(s *data.Dataset) { s.Items[0].Anomalous = !s.Items[0].Anomalous }), "list_hash", false},
		{"masks", otherSet(func(s *data.Dataset) { s.Items[len(s.Items)-1].Mask = "" }), "list_hash", false},
		{"contents", func(o *Options) { o.Jobs[0].Contents = "sha256:9" }, "the contents of pictures or masks", false},
		{"prompts", otherSet(func(s *data.Dataset) { s.Classes[1].Prompt = "other" }), "the classes or their prompt names", false},
		{"mask policy", otherSet(func(s *data.Dataset) { s.MaskThreshold = 128 }), "the mask threshold: 1 there, 128 here", false},
		{"mask resize", func(o *Options) { o.Load.BilinearMasks = true }, "data.mask_resize: nearest there, bilinear here", false},
		{"domain", otherSet(func(s *data.Dataset) { s.Domain = domain.Medical }), "domain: industrial there, medical here", false},
		{"another target", otherSet(func(s *data.Dataset) { s.Name = "other" }), "target", false},
		{"another checkpoint", otherModel(func(m *trained.Model) { m.Source.Fingerprint = "sha256:z" }), "checkpoint", false},
		{"model", otherModel(func(m *trained.Model) { m.Options.(*options.Model).Score.Map = 0.25 }), "model.score.map: 0.5 there, 0.25 here", false},
		{"size", otherModel(func(m *trained.Model) { m.Options.(*options.Model).ImageSize = 14 }), "model.image_size: 28 there, 14 here", false},
		{"kernels", otherModel(func(m *trained.Model) { m.Options.(*options.Model).Adapter.Kernels = []int{7} }), "model.adapter.kernels: [3,5] there, [7] here", false},
		{"precision", func(o *Options) { o.use(load(t, "precision=bf16")) }, "precision: fp32 there, bf16 here", false},
		{"orientation", func(o *Options) { o.use(load(t, "data.exif_orientation=true")) }, "data.exif_orientation: false there, true here", false},
		{"depth", func(o *Options) { o.use(load(t, "data.depth=12")) }, "data.depth: not recorded there, 12 here", false},
		{"pixels", func(o *Options) { o.use(load(t, "data.max_pixels=99")) }, "data.max_pixels", false},
		{"CLIP", onMachine(func(f *fakes) { f.machine.CLIP.Fingerprint = "sha256v2:d" }), trained.CLIPCondition, false},

		{"batch", func(o *Options) { o.Batch = 3 }, "--batch: 4 there, 3 here", true},
		{"device", onMachine(func(f *fakes) { f.machine.Device = "cuda:0" }), "device: cpu there, cuda here", true},
		{"threads", onMachine(func(f *fakes) { f.machine.Threads = 2 }), "threads: 1 there, 2 here", true},
		{"libtorch", onMachine(func(f *fakes) { f.machine.Libtorch = "9" }), "libtorch's version: 2.11.0 there, 9 here", true},
		{"hardware", onMachine(func(f *fakes) { f.machine.Hardware = "amx" }), "hardware: avx2 there, amx here", true},

		{"gates", func(o *Options) { o.Extras = []string{report.Gates} }, "--gates: false there, true here", false},
		{"another extra", func(o *Options) { o.Extras = []string{"unasked"} }, "unasked", false},
		{"maps", func(o *Options) { o.FilesAre = "npy" }, "--save-maps, --figures and --html: none there, npy here", false},
	}
}

type otherEvaluation struct {
	name   string
	change func(*Options)
	says   string
	bits   bool // it changes bits alone, which a finished result may have from elsewhere
}

// TestFinishedClassesAreOfOneEvaluation checks that classes computed under other conditions
// are not reused, that the error names the difference, and that nothing is lost.
func TestFinishedClassesAreOfOneEvaluation(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	path := filepath.Join(t.TempDir(), "unfinished")
	first := evaluating(t, set)
	result, scores := evaluate(t, first, path)
	for _, other := range otherEvaluations(t) {
		o := evaluating(t, set)
		other.change(&o)
		if _, _, err := runIn(t.Context(), o, path); !errors.Is(err, finished.ErrDiffers) || !strings.Contains(err.Error(), other.says) {
			t.Errorf("%s: %v, want %q", other.name, err, other.says)
		}
		o.Detectors.(*fakes).closed(t)
		// Without the plan, the classes are not reused either.
		beside := filepath.Join(t.TempDir(), "beside")
		if err := os.CopyFS(beside, os.DirFS(path)); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(beside, "plan.json")); err != nil {
			t.Fatal(err)
		}
		o = evaluating(t, set)
		other.change(&o)
		if _, _, err := runIn(t.Context(), o, beside); err != nil {
			t.Fatal(err)
		}
		if scored := len(o.Detectors.(*fakes).prompts); scored == 0 && other.name != "maps" {
			t.Errorf("%s: the finished classes of others were taken", other.name)
		}
	}
	// The index of the device, readers, memory and the path of the checkpoint do not matter.
	o := evaluating(t, set)
	moved := *o.Jobs[0].Checkpoint
	moved.Path, moved.Source.Path = "elsewhere.safetensors", "elsewhere.safetensors"
	o.Jobs[0].Checkpoint, o.Load.Workers, o.Pixels.Memory = &moved, 1, 1
	again, same := evaluate(t, o, path)
	if scored := o.Detectors.(*fakes).prompts; scored != nil {
		t.Errorf("%d pictures were scored again", len(scored))
	}
	if again.Results[0].Checkpoint.Path != moved.Path || !reflect.DeepEqual(again.Results[0].Classes, result.Results[0].Classes) {
		t.Errorf("a checkpoint that lies elsewhere: %+v, want %+v", again.Results[0], result.Results[0])
	}
	for i := range same {
		if same[i].Checkpoint != moved.Path || same[i].Score != scores[i].Score {
			t.Errorf("a checkpoint that lies elsewhere: %+v, want %+v", same[i], scores[i])
		}
	}
}

// TestCheckFinished checks that finished results either match the request or the error names the difference.
func TestCheckFinished(t *testing.T) {
	clip := filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf")
	set := drawn.Set(t, synth.Objects)
	identity, err := trained.IdentifyCLIP(load(t, "clip="+clip).Config)
	if err != nil {
		t.Fatal(err)
	}
	asking := func() Options {
		o := evaluating(t, set)
		o.use(load(t, "clip="+clip))
		o.Detectors.(*fakes).machine.CLIP = report.Source{Path: clip, Fingerprint: identity.Fingerprint}
		return o
	}
	found, _ := evaluate(t, asking(), "")
	path := filepath.Join(t.TempDir(), "results.json")
	if err := atomicfile.Write(path, found.WriteJSON); err != nil {
		t.Fatal(err)
	}
	read, err := report.ReadEvaluation(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckFinished(read, asking()); err != nil {
		t.Errorf("the same: %v", err)
	}
	for _, other := range otherEvaluations(t) {
		o := asking()
		other.change(&o)
		loaded := o.loaded()
		loaded.Config.Clip = clip
		o.use(loaded)
		if other.name == "CLIP" {
			continue // tested below, with the files
		}
		err := CheckFinished(read, o)
		if other.bits && err != nil || !other.bits && (!errors.Is(err, finished.ErrDiffers) || !strings.Contains(err.Error(), other.says)) {
			t.Errorf("%s: %v, want %q", other.name, err, other.says)
		}
	}
	o := asking()
	tiny, err := pretrained.Open(clip)
	if err != nil {
		t.Fatal(err)
	}
	tiny.Close()
	loaded := o.loaded()
	loaded.Config.Clip = filepath.Join(t.TempDir(), "clip")
	o.use(loaded)
	if err := pretrained.WriteRandom(loaded.Config.Clip, tiny.Arch, 5); err != nil {
		t.Fatal(err)
	}
	if err := CheckFinished(read, o); !errors.Is(err, finished.ErrDiffers) || !strings.Contains(err.Error(), trained.CLIPCondition) {
		t.Errorf("another CLIP: %v", err)
	}
	loaded.Config.Clip = ""
	o.use(loaded)
	if err := CheckFinished(read, o); !errors.Is(err, trained.ErrNoCLIP) {
		t.Errorf("no CLIP: %v", err)
	}
	more := asking()
	more.Jobs = append(more.Jobs, Job{Set: set, Checkpoint: checkpointOf(t, more.loaded(), "b", func(*checkpoint.Metadata, *options.Model) {})})
	if err := CheckFinished(read, more); !errors.Is(err, finished.ErrDiffers) || !strings.Contains(err.Error(), "the targets or checkpoints differ") {
		t.Errorf("more jobs: %v", err)
	}
	// Additional outputs that were not requested are no difference.
	rich := asking()
	rich.Extras, rich.FilesAre = []string{report.Gates}, "npy"
	found, _ = evaluate(t, rich, "")
	if err := CheckFinished(found, asking()); err != nil {
		t.Errorf("with more than was asked for: %v", err)
	}
	rich.FilesAre = "png16"
	if err := CheckFinished(found, rich); !errors.Is(err, finished.ErrDiffers) || !strings.Contains(err.Error(), "--save-maps, --figures and --html: npy there, png16 here") {
		t.Errorf("maps of another format: %v", err)
	}
}

// TestFullDisk checks that a class that cannot be saved ends the evaluation with the
// reason, that earlier classes stay, and that the evaluation can be resumed.
func TestFullDisk(t *testing.T) {
	full := errors.New("the disk is full")
	o := threeJobs(t)
	result, scores := evaluate(t, o, "")
	want := files(t, result, scores)
	for _, share := range []finished.Share{{}, {Index: 1, Of: 1}} {
		path := filepath.Join(t.TempDir(), "unfinished")
		o := o
		o.Share = share
		perClass := 1
		if !share.IsWhole() {
			perClass = 2 // its pixels
		}
		for room := 1; room <= 6*perClass; room++ { // files that fit, after the plan
			e := begin(t, o)
			left := room + 1
			folder, err := finished.Create(path, e.Plan(), func(name string, write func(io.Writer) error) error {
				if left--; left < 0 {
					return fmt.Errorf("writing %s: %w", name, full)
				}
				return atomicfile.Write(filepath.Join(path, name), write)
			})
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = e.Run(t.Context(), folder)
			e.Close()
			o.Detectors.(*fakes).closed(t)
			if err == nil {
				break
			}
			if !errors.Is(err, full) || !strings.Contains(err.Error(), "class ") {
				t.Fatalf("share %s, %d files fit: %v", share, room, err)
			}
		}
		result, scores := evaluate(t, o, path)
		if share.IsWhole() {
			golden.SameText(t, "after a full disk", files(t, result, scores), want)
			continue
		}
		if err := os.Rename(path, filepath.Join(filepath.Dir(path), share.Folder())); err != nil {
			t.Fatal(err)
		}
		merged, scores, err := Merge(t.Context(), filepath.Dir(path), metrics.Options{}, func(events.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		golden.SameText(t, "a share after a full disk", files(t, merged, scores), want)
	}
}
