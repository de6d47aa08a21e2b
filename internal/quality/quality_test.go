package quality

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/internal/rundir"
	"acdclip/internal/torchtest"
	"acdclip/pkg/builtin"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/detect"
	"acdclip/pkg/evaluation"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
	"acdclip/pkg/training"
	"acdclip/pkg/weights"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

// The size of the pictures and the training of every method.
const (
	side  = 80
	batch = 12
)

// part is a number of pictures of some classes of a set.
type part struct {
	set               string
	classes           []string
	normal, anomalous int
}

// dataset draws parts as one dataset.
func dataset(t *testing.T, parts ...part) *data.Dataset {
	t.Helper()
	root := filepath.Join(t.TempDir(), "drawn")
	for _, p := range parts {
		folder := filepath.Join(t.TempDir(), "part")
		if _, err := synth.Write(t.Context(), folder, synth.Options{Set: p.set, Classes: p.classes, Normal: p.normal, Anomalous: p.anomalous, Size: 112, Seed: 9}); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(root, os.DirFS(folder)); err != nil {
			t.Fatal(err)
		}
	}
	set, err := data.Discover(t.Context(), "drawn", config.Root{Path: root}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// load returns the configuration of a method on a CLIP.
func load(t *testing.T, table methods.Table, set *data.Dataset, clip string, settings ...string) config.Loaded {
	t.Helper()
	settings = append([]string{
		"device=cpu", "threads=2", "clip=" + clip, fmt.Sprintf("model.image_size=%d", side), "train.auxiliary=" + set.Name, fmt.Sprintf("train.batch=%d", batch),
	}, settings...)
	loaded, err := table.Catalog().Load(config.Sources{Set: settings, Flags: map[string]any{"data.roots." + set.Name: set.Root}})
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// frozenAUROC returns the mean pixel AUROC of classes with sentences alone.
func frozenAUROC(t *testing.T, set *data.Dataset, classes []string, clip string) float64 {
	t.Helper()
	table := append(slices.Clone(methods.All()), frozenRow())
	loaded := load(t, table, set, clip, "method=frozen")
	detector, err := detect.Open(t.Context(), detect.Options{Methods: table, Config: loaded, Emit: func(events.Event) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer detector.Close()
	_, held, err := set.HoldOut(classes)
	if err != nil {
		t.Fatal(err)
	}
	result := report.Result{Target: held.Name, Classes: evaluation.Rows(held, loaded.Config.Model)}
	var all []evaluation.Batches
	for i := range held.Classes {
		all = append(all, evaluation.BatchesOf(held, i, batch))
	}
	run := evaluation.ByClass{
		Scorer: detector, Set: held, Model: loaded.Config.Model, Batch: batch, Result: result, Costs: &scoring.Costs{},
		Warn: func(events.Event) {}, Scored: func(scoring.Scored) {},
		Finished: func(c *evaluation.Class) error {
			err := c.ComputeMetrics()
			result.Classes[c.Place] = c.Row
			return err
		},
	}
	if err := run.Run(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	return *result.Mean().Metrics.Get(metrics.PixelAUROC)
}

// trainedAUROC trains a method on all classes but the held-out ones, and returns the mean
// pixel AUROC of these after the last epoch.
func trainedAUROC(t *testing.T, set *data.Dataset, held []string, clip string, settings []string) float64 {
	t.Helper()
	table := methods.All()
	c := load(t, table, set, clip, append(slices.Clone(settings), "train.validate="+strings.Join(held, ","))...).Config
	last := 0.0
	emit := func(event events.Event) {
		if v, ok := event.(events.Validation); ok && v.PixelAUROC != nil {
			last = *v.PixelAUROC
		}
	}
	folder := &rundir.Training{Dir: rundir.TrainingDir(filepath.Join(t.TempDir(), "run")), Emit: emit, Methods: table.Cards()}
	defer folder.Close()
	var err error
	if folder.Config, err = c.YAML(); err != nil {
		t.Fatal(err)
	}
	if err := training.Train(t.Context(), training.Options{Methods: table, Config: c, Set: set, Folder: folder, Version: "test", Emit: emit}); err != nil {
		t.Fatal(err)
	}
	return last
}

// clustered writes the built-in CLIP, changed so that all sentences have nearly the same
// direction, as those of large CLIPs do: CLIP-AD, AnomalyCLIP and AdaCLIP multiply differences
// of cosines by 14 to 100, which the built-in CLIP's opposed states would saturate.
func clustered(t *testing.T) string {
	t.Helper()
	clip, err := builtin.OpenCLIP(builtin.Tiny)
	if err != nil {
		t.Fatal(err)
	}
	file, err := weights.OpenBytes(builtin.Tiny, clip.Weights)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var values []weights.Value
	for _, tensor := range file.Tensors {
		v := weights.Value{Name: tensor.Name, Shape: tensor.Shape, Float32: make([]float32, tensor.NumElements())}
		if err := tensor.ReadFinite(v.Float32); err != nil {
			t.Fatal(err)
		}
		if v.Name == "text_model.final_layer_norm.bias" {
			for i := range v.Float32 {
				v.Float32[i] += 40 * float32(1-2*(i%2)) // the normalised values are about 1
			}
		}
		values = append(values, v)
	}
	var content bytes.Buffer
	if err := weights.WriteSafetensors(&content, file.Metadata, values); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, content := range map[string][]byte{"model.safetensors": content.Bytes(), "config.json": clip.Config} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// TestTrainingImproves: what a method learns from drawn objects in less than half a minute
// finds defects in objects that it has not seen, better than the frozen CLIP does. It fails if
// a loss has the wrong sign, if the adapters' output is merged wrongly, or if masks are read
// wrongly.
func TestTrainingImproves(t *testing.T) {
	learned, err := synth.Classes(synth.SeenObjects)
	if err != nil {
		t.Fatal(err)
	}
	held := []string{"flat_washer", "spur_gear", "hex_bolt"}
	set := dataset(t, part{synth.SeenObjects, learned, 2, 9}, part{synth.Objects, held, 16, 24})
	const tiny = builtin.Tiny
	others := clustered(t)
	frozen := map[string]float64{}
	for _, clip := range []string{tiny, others} {
		frozen[clip] = frozenAUROC(t, set, held, clip)
		if frozen[clip] < 0.75 { // masks that are read wrongly mislead the training and the evaluation alike
			t.Errorf("pixel AUROC %.3f of the frozen CLIP, want at least 0.75", frozen[clip])
		}
	}
	for _, c := range []struct {
		name, clip string
		settings   []string
		margin     float64 // over the frozen CLIP, in pixel AUROC: about half of what was seen
	}{
		{"acdclip paper", tiny, []string{"model.groups=3", "train.epochs=2", "loss.focal=30", "loss.dice=0.3", "train.lr.text=0.0001"}, 0.02},
		{"acdclip released", tiny, []string{"preset=released", "model.groups=3", "train.epochs=2"}, 0.007},
		{"clip_ad", others, []string{"method=clip_ad", "model.sigma=2", "train.epochs=2", "train.lr.vision=0.003"}, 0.03},
		// It learns two sentences alone, and reads blocks with changed attention, which a CLIP this
		// small suffers from; untrained it has 0.13.
		{"anomalyclip", others, []string{"method=anomalyclip", "model.depth=6", "model.sigma=2", "model.temperature=0.02", "loss.lambda=4", "train.epochs=5", "train.lr.text=0.005"}, -0.03},
		{"adaclip", others, []string{"method=adaclip", "model.sigma=1", "train.epochs=1", "train.lr.vision=0.001", "train.lr.text=0.001"}, 0.03},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, after := frozen[c.clip], trainedAUROC(t, set, held, c.clip, c.settings)
			t.Logf("pixel AUROC: %.3f frozen, %.3f trained", before, after)
			if after < before+c.margin {
				t.Errorf("pixel AUROC %.3f after the training, %.3f of the frozen CLIP; want at least %.3f", after, before, before+c.margin)
			}
		})
	}
}
