package evaluation

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"sync"
	"testing"

	"acdclip/pkg/anomalymap"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/domain"
	"acdclip/pkg/evaluation/finished"
	"acdclip/pkg/events"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/card"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
	"acdclip/pkg/trained"
)

// fakes replaces Detectors with a CLIP. Its detectors read real pictures, and their numbers
// depend on a picture's pixels, its prompt, the domain and the checkpoint. It counts open
// detectors, so that tests find those that were not closed.
type fakes struct {
	machine scoring.Machine
	refuse  error                                      // Open's
	broken  error                                      // Detector's
	before  func(ctx context.Context, batch int) error // is asked before each batch of a call to ScoreAll
	spoil   func(*scoring.Scored)                      // changes the result of each picture
	short   int                                        // pictures at the end that are kept back

	lock    sync.Mutex
	opened  int            // calls of Open less those of Close
	inUse   int            // detectors that are not closed
	asked   []string       // the checkpoints, in the order in which detectors were asked for
	batches [][]int        // indexes of the pictures of each batch, over all calls
	prompts []string       // each prompt with which a picture was scored
	scored  map[string]int // how often a picture was scored, by its path
}

func (f *fakes) Open(ctx context.Context, checkpoints []*trained.Model) (scoring.Machine, error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.opened++
	if len(checkpoints) == 0 {
		return scoring.Machine{}, errors.New("no checkpoint was asked for")
	}
	return f.machine, errors.Join(f.refuse, ctx.Err())
}

func (f *fakes) Detector(_ context.Context, m *trained.Model) (scoring.Detector, error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.broken != nil {
		return nil, f.broken
	}
	if f.opened != 1 || f.inUse != 0 {
		return nil, fmt.Errorf("opened %d times, and %d detectors are open", f.opened, f.inUse)
	}
	f.inUse++
	f.asked = append(f.asked, m.Path)
	return &fake{f, m}, nil
}

func (f *fakes) Close() {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.opened--
}

// closed fails t if anything is still open.
func (f *fakes) closed(t *testing.T) {
	t.Helper()
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.opened != 0 || f.inUse != 0 {
		t.Errorf("opened %d times more than closed, %d detectors are open", f.opened, f.inUse)
	}
}

// fake is the detector of one checkpoint.
type fake struct {
	of    *fakes
	model *trained.Model
}

func (f *fake) Close() {
	f.of.lock.Lock()
	defer f.of.lock.Unlock()
	f.of.inUse--
}

func (f *fake) Size() int { return f.model.Options.Input().Size }

// ScoreAll works like that of detect.Detector.
func (f *fake) ScoreAll(ctx context.Context, w scoring.Work, each func(scoring.Scored) error) error {
	if len(w.Batches) == 0 {
		return nil
	}
	w.Load.Size = f.Size()
	w.Load.Order = slices.Concat(w.Batches...)
	w.Load.Ahead = len(w.Batches[0])
	batch, left := 0, len(w.Load.Order)-f.of.short
	var waiting []scoring.Scored
	for picture := range pixels.Load(ctx, w.Items, w.Load) {
		waiting = append(waiting, scoring.Scored{Picture: picture, Err: picture.Err})
		w.Costs.Reading.Add(picture.Took)
		if len(waiting) < len(w.Batches[batch]) {
			continue
		}
		if f.of.before != nil {
			if err := f.of.before(ctx, batch); err != nil {
				return err
			}
		}
		f.note(waiting, w)
		for i := range waiting {
			s := &waiting[i]
			if s.Err == nil {
				f.score(s, w.Classes.Prompts[w.ClassOf[s.Picture.Index]], w.Classes.Domain)
			}
			if f.of.spoil != nil {
				f.of.spoil(s)
			}
			w.Costs.Model.Add(1)
			if left--; left < 0 {
				return nil
			}
			if err := each(*s); err != nil {
				return err
			}
		}
		batch, waiting = batch+1, waiting[:0]
	}
	return ctx.Err()
}

// note records the requested work.
func (f *fake) note(batch []scoring.Scored, w scoring.Work) {
	f.of.lock.Lock()
	defer f.of.lock.Unlock()
	var places []int
	for _, s := range batch {
		places = append(places, s.Picture.Index)
		f.of.prompts = append(f.of.prompts, w.Classes.Prompts[w.ClassOf[s.Picture.Index]])
		if f.of.scored == nil {
			f.of.scored = map[string]int{}
		}
		f.of.scored[s.Picture.Item.Path]++
	}
	f.of.batches = append(f.of.batches, places)
}

// score returns, for each pixel, the distance of its brightness from the picture's mean
// plus noise that depends on everything that a real score depends on.
func (f *fake) score(s *scoring.Scored, prompt string, of domain.Domain) {
	size, pix := f.Size(), s.Picture.Pix
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%q", []string{prompt, string(of), f.model.Source.Fingerprint, fmt.Sprint(f.model.Options)})
	_, _ = hash.Write(pix)
	drawn := hash.Sum64()
	next := func(below uint64) uint64 { // an LCG's upper bits
		drawn = drawn*6364136223846793005 + 1442695040888963407
		return drawn >> 33 % below
	}
	mean := 0
	for _, v := range pix {
		mean += int(v)
	}
	mean /= len(pix)
	s.Map = &anomalymap.Map{Width: size, Height: size, Scores: make([]float32, size*size)}
	for p := range s.Map.Scores {
		away := 0
		for _, v := range pix[3*p : 3*p+3] {
			away += max(int(v)-mean, mean-int(v))
		}
		s.Map.Scores[p] = float32(uint64(away)+next(64)) / (3*255 + 64)
		s.MapMax = max(s.MapMax, s.Map.Scores[p])
	}
	s.ClassProbability = new(float32(next(1000)) / 1000)
	s.Score = (s.MapMax + *s.ClassProbability) / 2
	s.Extras = map[string][]float32{"unasked": {1}}
	if m := f.model.Options.(*options.Model); m.Fusion.Kind == options.DFG {
		gates := make([]float32, m.Groups*m.Groups*2)
		for k := range gates {
			gates[k] = 1 / float32(m.Groups)
		}
		for i := range m.Groups {
			for state := range 2 {
				shift := float32(next(1000)) / 5000
				gates[i*m.Groups*2+state] += shift
				gates[i*m.Groups*2+2+state] -= shift
			}
		}
		s.Extras[report.Gates] = gates
	}
}

// load reads a configuration in the same way as the program.
func load(t *testing.T, set ...string) config.Loaded {
	t.Helper()
	catalog := config.Catalog{Methods: card.List{options.Card()}, Precisions: []string{"fp32", "bf16"}}
	loaded, err := catalog.Load(config.Sources{Set: append([]string{"device=cpu", "threads=1"}, set...), OwnModel: true})
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// checkpointOf describes a checkpoint with that name and content, without a file.
func checkpointOf(t *testing.T, c config.Loaded, path string, change func(*checkpoint.Metadata, *options.Model)) *trained.Model {
	t.Helper()
	m, loss, _ := options.Preset(options.Paper)
	m.ImageSize, m.Groups = 28, 2
	metadata := checkpoint.Metadata{
		Format: checkpoint.FormatVersion, Method: options.Name, Preset: options.Paper, Model: &m, Loss: &loss,
		Auxiliary: synth.Textures, Prompts: []string{"wood"}, CLIP: "sha256v2:c", Seed: new(uint64(7)), Epoch: 1,
	}
	if change != nil {
		change(&metadata, &m)
	}
	described, err := trained.Describe(&checkpoint.Checkpoint{Path: path, Metadata: metadata, Fingerprint: "sha256:" + path}, c)
	if err != nil {
		t.Fatal(err)
	}
	return &described
}

// loaded is the configuration of the models.
func (o *Options) loaded() config.Loaded { return o.Jobs[0].Checkpoint.Loaded }

// use changes the configuration of all models.
func (o *Options) use(c config.Loaded) {
	changed := map[*trained.Model]*trained.Model{}
	o.Jobs = slices.Clone(o.Jobs)
	for i, job := range o.Jobs {
		if changed[job.Checkpoint] == nil {
			m := *job.Checkpoint
			m.Loaded = c
			changed[job.Checkpoint] = &m
		}
		o.Jobs[i].Checkpoint = changed[job.Checkpoint]
	}
}

// machine is the machine that the fakes report.
func machine() scoring.Machine {
	return scoring.Machine{CLIP: report.Source{Path: "clip", Fingerprint: "sha256v2:c"}, Activation: activation.QuickGELU, Device: "cpu", Threads: 1, Libtorch: "2.11.0", Hardware: "avx2"}
}

// evaluating returns options that score a set with one checkpoint.
func evaluating(t *testing.T, set *data.Dataset) Options {
	t.Helper()
	c := load(t)
	return Options{
		Jobs:      []Job{{Set: set, Checkpoint: checkpointOf(t, c, "a.safetensors", nil)}},
		Detectors: &fakes{machine: machine()}, Version: "test", Batch: 4, Load: pixels.LoadOptions{Workers: 2}, Emit: func(events.Event) {},
	}
}

// begin starts an evaluation, which is closed when the test ends.
func begin(t *testing.T, o Options) *Evaluation {
	t.Helper()
	e, err := Begin(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// runIn runs an evaluation that saves its finished classes in a folder; "" for none.
func runIn(ctx context.Context, o Options, path string) (*report.Evaluation, []report.Score, error) {
	e, err := Begin(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	defer e.Close()
	var folder *finished.Folder
	if path != "" {
		if folder, err = finished.Create(path, e.Plan(), nil); err != nil {
			return nil, nil, err
		}
	}
	return e.Run(ctx, folder)
}

// evaluate runs an evaluation to its end, with or without a folder.
func evaluate(t *testing.T, o Options, path string) (*report.Evaluation, []report.Score) {
	t.Helper()
	result, scores, err := runIn(t.Context(), o, path)
	if err != nil {
		t.Fatal(err)
	}
	o.Detectors.(*fakes).closed(t)
	return result, scores
}

// eventList collects the emitted events.
type eventList []events.Event

func (l *eventList) emit(event events.Event) { *l = append(*l, event) }

// warnings returns the texts of the emitted warnings.
func (l eventList) warnings() []string {
	var texts []string
	for _, event := range l {
		if warning, is := event.(events.Warning); is {
			texts = append(texts, warning.Text)
		}
	}
	return texts
}

// of returns the events of one type.
func of[T events.Event](list eventList) []T {
	var some []T
	for _, event := range list {
		if one, is := event.(T); is {
			some = append(some, one)
		}
	}
	return some
}

// near reports whether two numbers differ only by rounding.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12 }
