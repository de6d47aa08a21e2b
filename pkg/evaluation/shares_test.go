package evaluation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/internal/drawn"
	"acdclip/internal/golden"
	"acdclip/pkg/conditions"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/evaluation/finished"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
)

// shared runs the shares of an evaluation in the given order in a folder, and returns the
// number of pictures that each share scored, by its index.
func shared(t *testing.T, o Options, folder string, order []int, change func(*Options)) map[int]int {
	t.Helper()
	pictures := map[int]int{}
	for _, index := range order {
		part := o
		part.Share = finished.Share{Index: index, Of: len(order)}
		scorer := &fakes{machine: machine()}
		part.Detectors = scorer
		if change != nil {
			change(&part)
		}
		result, scores := evaluate(t, part, filepath.Join(folder, part.Share.Folder()))
		counted := 0
		for _, r := range result.Results {
			counts := r.Mean().Counts
			counted += counts.Normal + counts.Anomalous + counts.Failed
			for _, row := range r.Classes {
				if len(row.Metrics) != 0 {
					t.Errorf("share %s has metrics of its own: %v", part.Share, row.Metrics)
				}
			}
		}
		pictures[index] = len(scorer.prompts)
		if counted != len(scorer.prompts) || len(scores) != counted {
			t.Errorf("share %s counts %d pictures, has %d scores, and scored %d", part.Share, counted, len(scores), len(scorer.prompts))
		}
	}
	return pictures
}

func merge(t *testing.T, folder string) (*report.Evaluation, []report.Score) {
	t.Helper()
	result, scores, err := Merge(t.Context(), folder, metrics.Options{Memory: 1}, func(events.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	return result, scores
}

// TestSharesGiveTheSameBits checks that merged shares give the same files as one run,
// regardless of the number and order of shares, batches, readers and memory.
func TestSharesGiveTheSameBits(t *testing.T) {
	o := threeJobs(t)
	r := rand.New(rand.NewPCG(1, 2))
	for _, of := range []int{1, 2, 3, 4, 5, 7, 31} {
		o.Batch = 1 + r.IntN(6)
		r.Shuffle(len(o.Jobs), func(i, j int) { o.Jobs[i], o.Jobs[j] = o.Jobs[j], o.Jobs[i] })
		o.Detectors = &fakes{machine: machine()}
		whole, all := evaluate(t, o, "")
		folder := t.TempDir()
		order := r.Perm(of)
		for i := range order {
			order[i]++
		}
		pictures := shared(t, o, folder, order, func(part *Options) {
			part.Load.Workers = 1 + r.IntN(4)
			part.Pixels.Memory = 1 << r.IntN(30)
		})
		sum, least, most := 0, len(all), 0
		for _, count := range pictures {
			sum, least, most = sum+count, min(least, count), max(most, count)
		}
		if len(pictures) != of || sum != len(all) || of == 2 && most-least > o.Batch {
			t.Errorf("%d shares of %d pictures have %v", of, len(all), pictures)
		}
		result, scores := merge(t, folder)
		golden.SameText(t, fmt.Sprintf("%d shares, batches of %d", of, o.Batch), files(t, result, scores), files(t, whole, all))
	}
}

// TestMergeTells checks that Merge reports each class once, and the pictures that failed.
func TestMergeTells(t *testing.T) {
	o := threeJobs(t)
	folder := t.TempDir()
	shared(t, o, folder, []int{1, 2, 3}, nil)
	var seen eventList
	if _, _, err := Merge(t.Context(), folder, metrics.Options{}, seen.emit); err != nil {
		t.Fatal(err)
	}
	started, progress := of[events.StageStarted](seen), of[events.Progress](seen)
	if len(started) != 1 || started[0].Unit != "classes" || started[0].Total != 6 || len(progress) != 6 || progress[5].Done != 6 || len(of[events.StageDone](seen)) != 1 {
		t.Errorf("events %v", seen)
	}
	if warnings := seen.warnings(); len(warnings) != 2 || !strings.Contains(warnings[0], o.Jobs[0].Set.Items[1].Path) {
		t.Errorf("warnings %q", warnings)
	}
	for stop := range 6 {
		ctx, cancel := context.WithCancel(t.Context())
		_, _, err := Merge(ctx, folder, metrics.Options{}, func(event events.Event) {
			if progress, is := event.(events.Progress); stop == 0 || is && progress.Done == stop {
				cancel()
			}
		})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("stopped after %d classes: %v", stop, err)
		}
	}
}

// TestSharesGoOn checks that a stopped share can be resumed like an evaluation.
func TestSharesGoOn(t *testing.T) {
	o := threeJobs(t)
	whole, all := evaluate(t, o, "")
	folder := t.TempDir()
	for stop := 1; stop < 12; stop += 2 {
		for index := 1; index <= 2; index++ {
			part := o
			part.Share = finished.Share{Index: index, Of: 2}
			part.Detectors = &fakes{machine: machine()}
			ctx, cancel := context.WithCancel(t.Context())
			part.Emit = func(event events.Event) {
				if progress, is := event.(events.Progress); is && progress.Done == stop {
					cancel()
				}
			}
			_, _, err := runIn(ctx, part, filepath.Join(folder, part.Share.Folder()))
			cancel()
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
	}
	for index := 1; index <= 2; index++ {
		o.Share = finished.Share{Index: index, Of: 2}
		evaluate(t, o, filepath.Join(folder, o.Share.Folder()))
	}
	result, scores := merge(t, folder)
	golden.SameText(t, "shares that were stopped", files(t, result, scores), files(t, whole, all))
}

// TestCheckpointsOfShares checks that the checkpoint's path may differ between shares.
func TestCheckpointsOfShares(t *testing.T) {
	o := evaluating(t, drawn.Set(t, synth.Objects))
	o.Extras, o.Batch = []string{report.Gates}, 2
	whole, all := evaluate(t, o, "")
	folder := t.TempDir()
	shared(t, o, folder, []int{1, 2}, func(part *Options) {
		if part.Share.Index == 2 {
			moved := *part.Jobs[0].Checkpoint
			moved.Path, moved.Source.Path = "elsewhere", "elsewhere"
			part.Jobs = []Job{{Set: part.Jobs[0].Set, Checkpoint: &moved}}
		}
	})
	result, scores := merge(t, folder)
	golden.SameText(t, "a checkpoint that lies elsewhere", files(t, result, scores), files(t, whole, all))
}

// TestSavedMapsOfShares checks that maps count as saved only if all shares saved them in the same format.
func TestSavedMapsOfShares(t *testing.T) {
	o := evaluating(t, drawn.Set(t, synth.Objects))
	for _, c := range []struct{ formats, want string }{{"npy npy npy", "npy"}, {"npy - npy", ""}, {"- - -", ""}, {"npy npy png16", ""}, {"png16 npy png16", ""}} {
		folder := t.TempDir()
		formats := strings.Split(strings.ReplaceAll(c.formats, "-", ""), " ")
		shared(t, o, folder, []int{1, 2, 3}, func(part *Options) { part.FilesAre = formats[part.Share.Index-1] })
		result, _ := merge(t, folder)
		got := result.Conditions.Named(conditions.Record{{Name: report.FilesCondition}})
		if len(got) != 1 || got[0].Value != c.want {
			t.Errorf("%s: %+v, want %q", c.formats, got, c.want)
		}
	}
}

// TestNamesOfAnyBytes checks that names that are not UTF-8 stay distinct, and are the same
// in the files of one run, of shares, and of a resumed evaluation.
func TestNamesOfAnyBytes(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
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
	result, scores := evaluate(t, o, "")
	want := files(t, result, scores)
	if row := result.Results[0].Classes; row[0].Class != `x\xfe` || row[1].Class != `x\xff` || row[0].Normal != 2 {
		t.Errorf("rows %+v", row)
	}
	folder := t.TempDir()
	for range 2 {
		result, scores = evaluate(t, o, filepath.Join(folder, "unfinished"))
		golden.SameText(t, "kept", files(t, result, scores), want)
	}
	shared(t, o, folder, []int{1, 2}, nil)
	result, scores = merge(t, folder)
	golden.SameText(t, "merged", files(t, result, scores), want)
}

func TestMergeRefuses(t *testing.T) {
	o := evaluating(t, drawn.Set(t, synth.Objects))
	folder := t.TempDir()
	share := func(index int, change func(*Options)) {
		t.Helper()
		part := o
		part.Jobs = slices.Clone(o.Jobs)
		part.Share = finished.Share{Index: index, Of: 2}
		part.Detectors = &fakes{machine: machine()}
		path := filepath.Join(folder, part.Share.Folder())
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		change(&part)
		if _, _, err := runIn(t.Context(), part, path); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(what string, want error, says string) {
		t.Helper()
		_, _, err := Merge(t.Context(), folder, metrics.Options{}, func(events.Event) {})
		if !errors.Is(err, want) || !strings.Contains(fmt.Sprint(err), says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("nothing", finished.ErrNoShares, "has no folder shard-1-of-N")
	if err := os.Mkdir(filepath.Join(folder, "shard-1-of-2"), 0o755); err != nil {
		t.Fatal(err)
	}
	refused("a share that was not started", finished.ErrNoShares, "shard-1-of-2 is the folder of a share that was not started")
	share(1, func(*Options) {})
	whole := filepath.Join(folder, "shard-7-of-9")
	if _, err := finished.Create(whole, finished.Plan{}, nil); err != nil {
		t.Fatal(err)
	}
	refused("a whole one", finished.ErrNoShares, "shard-7-of-9 holds a whole evaluation, not a share")
	if err := os.RemoveAll(whole); err != nil {
		t.Fatal(err)
	}
	refused("half", finished.ErrNoShares, "lacks 2/2")
	if err := os.CopyFS(filepath.Join(folder, "shard-2-of-2"), os.DirFS(filepath.Join(folder, "shard-1-of-2"))); err != nil {
		t.Fatal(err)
	}
	refused("a copy", finished.ErrDiffers, "shard-2-of-2 holds share 1/2; rename the folder to shard-1-of-2")
	for _, other := range otherEvaluations(t) {
		share(2, other.change)
		if other.name == "maps" {
			merge(t, folder) // they may be saved beside some shares alone
			continue
		}
		says := other.says
		if was, is, both := strings.Cut(says, " there, "); both { // the second share's value is the one "there"
			name, _, _ := strings.Cut(was, ": ")
			says = name + ": " + strings.TrimSuffix(is, " here")
		}
		refused(other.name, finished.ErrDiffers, says)
	}
	share(2, func(part *Options) { part.Jobs = append(part.Jobs, part.Jobs[0]) })
	refused("more results", finished.ErrDiffers, "2 results there, 1 here")
	share(2, func(*Options) {})
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
	_, _, err = Merge(t.Context(), folder, metrics.Options{}, func(events.Event) {})
	if err == nil || !strings.Contains(err.Error(), kept[0]) {
		t.Errorf("damaged pixels: %v", err)
	}
	if err := os.Remove(kept[0]); err != nil {
		t.Fatal(err)
	}
	refused("a class that is not finished", finished.ErrNoShares, "share 2/2 is not finished")
}
