package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/anomalymap"
	"acdclip/pkg/data"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
	"acdclip/pkg/shard"
)

// files are results.json and scores.csv, as the program writes them.
func files(t *testing.T, result *report.Evaluation, scores []report.Score) string {
	t.Helper()
	var out bytes.Buffer
	if err := errors.Join(result.WriteJSON(&out), report.WriteScoresCSV(&out, scores), report.WriteGatesCSV(&out, result.GateMeans(scores))); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// same names the first line that differs.
func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Errorf("%s: line %d is\n%s\nwant\n%s", what, i+1, gotLines[i], wantLines[i])
			return
		}
	}
	t.Errorf("%s: %d lines, want %d", what, len(gotLines), len(wantLines))
}

// twoJobs scores two targets with two checkpoints; one picture cannot be read.
func twoJobs(t *testing.T) EvaluateOptions {
	t.Helper()
	set := drawn(t, synth.Objects)
	if err := os.WriteFile(set.Items[1].Path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	o := evaluating(t, set)
	second := evaluating(t, drawn(t, synth.Textures), "seed=1")
	o.Gates = true
	o.Jobs = append(o.Jobs, second.Jobs[0], Job{Set: set, Checkpoint: second.Jobs[0].Checkpoint})
	o.Batch = 2
	return o
}

// TestSharesGiveTheSameBits: joined shares give the very files of one run, however many there are.
func TestSharesGiveTheSameBits(t *testing.T) {
	o := twoJobs(t)
	whole, all := evaluate(t, o)
	want := files(t, whole, all)
	for _, of := range []int{1, 2, 3, 7} {
		folder := t.TempDir()
		var pictures []int // of each share
		for index := of; index >= 1; index-- {
			part := o
			part.Emit = func(event events.Event) {
				if started, is := event.(events.StageStarted); is {
					pictures = append(pictures, started.Total)
				}
			}
			part.Share = shard.Share{Index: index, Of: of}
			part.Load.Workers = index
			part.Pixels.Memory = 1 << (20 + index)
			part.Finished = func(plan shard.Plan) (*shard.Folder, error) {
				return shard.Create(filepath.Join(folder, part.Share.Folder()), plan, nil)
			}
			result, _ := evaluate(t, part)
			if result.Results[0].Classes[0].ImageAUROC != nil {
				t.Error("a share has metrics of its own")
			}
		}
		result, scores, err := Merge(context.Background(), folder, metrics.Options{Memory: 1}, func(events.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		if len(pictures) != of || slices.Max(pictures)-slices.Min(pictures) > o.Batch {
			t.Errorf("%d shares have %v pictures", of, pictures)
		}
		same(t, fmt.Sprintf("%d shares", of), files(t, result, scores), want)
	}
}

// TestEvaluationGoesOn: stopped after any number of pictures, it goes on after the
// last finished class, scores no picture of a finished one, and ends in the same files.
func TestEvaluationGoesOn(t *testing.T) {
	o := twoJobs(t)
	result, scores := evaluate(t, o)
	want := files(t, result, scores)
	folder := filepath.Join(t.TempDir(), "unfinished")
	o.Finished = func(plan shard.Plan) (*shard.Folder, error) { return shard.Create(folder, plan, nil) }
	last := 0 // pictures left when it began last
	for stop := 1; ; stop += 3 {
		ctx, cancel := context.WithCancel(context.Background())
		o.Emit = func(event events.Event) {
			switch event := event.(type) {
			case events.StageStarted:
				if stop > 1 && event.Total > last {
					t.Errorf("%d pictures are left, before it were %d", event.Total, last)
				}
				last = event.Total
			case events.Progress:
				if event.Done == stop {
					cancel()
				}
			}
		}
		result, scores, err := Evaluate(ctx, o)
		cancel()
		if err == nil {
			same(t, "after interruptions", files(t, result, scores), want)
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	// Everything is finished now: nothing is scored, and the failed picture is named again.
	var seen eventList
	o.Emit = seen.emit
	again, scores := evaluate(t, o)
	same(t, "a finished evaluation", files(t, again, scores), want)
	warnings := slices.DeleteFunc(slices.Clone(seen), func(event events.Event) bool { _, is := event.(events.Warning); return !is })
	if len(warnings) != 2 || slices.ContainsFunc(seen, func(event events.Event) bool { _, is := event.(events.Progress); return is }) {
		t.Errorf("events %v", seen)
	}
}

// TestFinishedClassesAreOfOneEvaluation: what was computed under other conditions is not taken.
func TestFinishedClassesAreOfOneEvaluation(t *testing.T) {
	o := evaluating(t, drawn(t, synth.Objects))
	folder := filepath.Join(t.TempDir(), "unfinished")
	o.Finished = func(plan shard.Plan) (*shard.Folder, error) { return shard.Create(folder, plan, nil) }
	evaluate(t, o)
	o.Batch = 3
	if _, _, err := Evaluate(context.Background(), o); !errors.Is(err, shard.ErrDiffers) || !strings.Contains(err.Error(), "--batch: 4 there, 3 here") {
		t.Errorf("another batch: %v", err)
	}
	o.Batch = 4
	o.Jobs[0].Set.Items = o.Jobs[0].Set.Items[1:]
	if _, _, err := Evaluate(context.Background(), o); !errors.Is(err, shard.ErrDiffers) || !strings.Contains(err.Error(), "list_hash") {
		t.Errorf("other pictures: %v", err)
	}
}

func TestMergeRefuses(t *testing.T) {
	o := evaluating(t, drawn(t, synth.Objects))
	folder := t.TempDir()
	share := func(index int, change func(*EvaluateOptions)) {
		part := o
		part.Jobs = slices.Clone(o.Jobs)
		part.Share = shard.Share{Index: index, Of: 2}
		part.Finished = func(plan shard.Plan) (*shard.Folder, error) {
			path := filepath.Join(folder, part.Share.Folder())
			if err := os.RemoveAll(path); err != nil {
				return nil, err
			}
			return shard.Create(path, plan, nil)
		}
		change(&part)
		evaluate(t, part)
	}
	refused := func(what string, want error, says string) {
		t.Helper()
		_, _, err := Merge(context.Background(), folder, metrics.Options{}, func(events.Event) {})
		if !errors.Is(err, want) || !strings.Contains(fmt.Sprint(err), says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("nothing", shard.ErrNoShares, "holds no folder shard-1-of-N")
	if err := os.Mkdir(filepath.Join(folder, "shard-1-of-2"), 0o755); err != nil {
		t.Fatal(err)
	}
	refused("a share that was not begun", shard.ErrNoShares, "shard-1-of-2 is a folder of a share that was not begun")
	share(1, func(*EvaluateOptions) {})
	whole := filepath.Join(folder, "shard-7-of-9")
	if _, err := shard.Create(whole, shard.Plan{}, nil); err != nil {
		t.Fatal(err)
	}
	refused("a whole one", shard.ErrNoShares, "shard-7-of-9 holds no share")
	if err := os.RemoveAll(whole); err != nil {
		t.Fatal(err)
	}
	refused("half", shard.ErrNoShares, "lacks 2/2")
	share(2, func(part *EvaluateOptions) { part.Batch = 1 })
	refused("another batch", shard.ErrDiffers, "--batch: 1 there, 4 here")
	share(2, func(part *EvaluateOptions) { part.Version = "other" })
	refused("another version", shard.ErrDiffers, "version: other there, test here")
	share(2, func(part *EvaluateOptions) {
		set := *part.Jobs[0].Set
		set.Items = set.Items[1:]
		part.Jobs[0].Set = &set
	})
	refused("other pictures", shard.ErrDiffers, "list_hash")
	share(2, func(part *EvaluateOptions) {
		checkpoint := *part.Jobs[0].Checkpoint
		checkpoint.Model.Score.Map -= 0.25
		part.Jobs[0].Checkpoint = &checkpoint
	})
	refused("another model", shard.ErrDiffers, "model.score.map: 0.25 there, 0.5 here")
	share(2, func(*EvaluateOptions) {})
	kept, err := filepath.Glob(filepath.Join(folder, "shard-2-of-2", "*.pixels"))
	if err != nil || len(kept) != 2 {
		t.Fatalf("%v, %v", kept, err)
	}
	content, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(kept[0], content, 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, err = Merge(context.Background(), folder, metrics.Options{}, func(events.Event) {})
	if err == nil || !strings.Contains(err.Error(), kept[0]) {
		t.Errorf("damaged pixels: %v", err)
	}
	if err := os.Remove(kept[0]); err != nil {
		t.Fatal(err)
	}
	refused("a class that is not finished", shard.ErrNoShares, "share 2/2 is not finished")
}

// TestGates: each picture has weights that sum to 1 over the text levels, where it was asked for and there is a gateway.
func TestGates(t *testing.T) {
	o := evaluating(t, drawn(t, synth.Objects))
	if _, scores := evaluate(t, o); scores[0].Gates != nil {
		t.Error("weights that nobody asked for")
	}
	o.Gates = true
	result, scores := evaluate(t, o)
	for _, score := range scores {
		if len(score.Gates) != 2*2*2 {
			t.Fatalf("%s: %d weights", score.Path, len(score.Gates))
		}
	}
	for _, mean := range result.GateMeans(scores) {
		for i := range 2 {
			for state := range 2 {
				if sum := mean.At(i, 0, state) + mean.At(i, 1, state); math.Abs(sum-1) > 1e-6 {
					t.Errorf("class %q, group %d, state %d: the weights sum to %v", mean.Class, i, state, sum)
				}
			}
		}
	}
	o = evaluating(t, drawn(t, synth.Objects), "model.fusion.kind=static")
	o.Gates = true
	if result, scores := evaluate(t, o); result.GateMeans(scores) != nil {
		t.Error("weights of a gateway that is not there")
	}
}

// TestMapsAreHandedOut: each map with its mask, once.
func TestMapsAreHandedOut(t *testing.T) {
	set := drawn(t, synth.Objects)
	o := evaluating(t, set)
	seen := map[string]int{}
	o.Map = func(job Job, item data.Item, anomaly *anomalymap.Map, mask []uint8) error {
		seen[item.Path]++
		if anomaly.Width != 35 || anomaly.Height != 35 || len(anomaly.Scores) != 35*35 || len(mask) != 35*35 || slices.Contains(mask, 1) != item.Anomalous {
			t.Errorf("%s: a map of %d and a mask of %d pixels", item.Path, len(anomaly.Scores), len(mask))
		}
		return nil
	}
	evaluate(t, o)
	if len(seen) != len(set.Items) {
		t.Errorf("maps of %d pictures", len(seen))
	}
	full := errors.New("the disk is full")
	o.Map = func(Job, data.Item, *anomalymap.Map, []uint8) error { return full }
	if _, _, err := Evaluate(context.Background(), o); !errors.Is(err, full) {
		t.Errorf("a map that cannot be written: %v", err)
	}
}

// TestNamesOfAnyBytes: names that are no UTF-8 stay apart, and are the same in the
// files of one run, of shares, and of an evaluation that went on.
func TestNamesOfAnyBytes(t *testing.T) {
	set := drawn(t, synth.Objects)
	set.Name = "set\xfd"
	for i := range set.Classes {
		for j := range set.Items {
			if set.Items[j].Class == set.Classes[i].Name {
				set.Items[j].Class = "x" + string([]byte{0xfe + byte(i)})
			}
		}
		set.Classes[i].Name, set.Classes[i].Prompt = "x"+string([]byte{0xfe + byte(i)}), "x"
	}
	odd := set.Items[0].Path + "\xff.png"
	if err := os.Rename(set.Items[0].Path, odd); err != nil {
		t.Skip(err)
	}
	set.Items[0].Path = odd
	o := evaluating(t, set)
	result, scores := evaluate(t, o)
	want := files(t, result, scores)
	folder := t.TempDir()
	o.Finished = func(plan shard.Plan) (*shard.Folder, error) {
		return shard.Create(filepath.Join(folder, "unfinished"), plan, nil)
	}
	for range 2 {
		result, scores = evaluate(t, o)
		same(t, "kept", files(t, result, scores), want)
	}
	for index := 1; index <= 2; index++ {
		o.Share = shard.Share{Index: index, Of: 2}
		o.Finished = func(plan shard.Plan) (*shard.Folder, error) {
			return shard.Create(filepath.Join(folder, o.Share.Folder()), plan, nil)
		}
		evaluate(t, o)
	}
	merged, scores, err := Merge(context.Background(), folder, metrics.Options{}, func(events.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "merged", files(t, merged, scores), want)
}

// TestFinishedPicturesAreWhereTheyLieNow: a dataset may be moved before an evaluation goes on.
func TestFinishedPicturesAreWhereTheyLieNow(t *testing.T) {
	set := drawn(t, synth.Objects)
	o := evaluating(t, set)
	folder := filepath.Join(t.TempDir(), "unfinished")
	o.Finished = func(plan shard.Plan) (*shard.Folder, error) { return shard.Create(folder, plan, nil) }
	evaluate(t, o)
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
	_, scores := evaluate(t, o)
	for i, score := range scores {
		if score.Path != set.Items[i].Path {
			t.Errorf("%s is said to be %s", set.Items[i].Path, score.Path)
		}
	}
	if slices.ContainsFunc(seen, func(event events.Event) bool { _, is := event.(events.Progress); return is }) {
		t.Error("moved pictures were scored again")
	}
}

// TestChangedCheckpoint: numbers are never those of another file than the results say.
func TestChangedCheckpoint(t *testing.T) {
	o := evaluating(t, drawn(t, synth.Objects))
	other, _ := trainedOn(t, "seed=1")
	if err := os.Rename(other, o.Jobs[0].Checkpoint.Path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Evaluate(context.Background(), o); !errors.Is(err, errChanged) || !strings.Contains(err.Error(), o.Jobs[0].Checkpoint.Path) {
		t.Errorf("got %v", err)
	}
}
