package pretrained

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"acdclip/pkg/weights"
)

// binder maps the tensors of a file, in its naming, to the canonical tensors.
type binder struct {
	prefix string        // name prefix of the CLIP's tensors if the file wraps the model; else ""
	inside []namedTensor // the CLIP's tensors, named without the prefix
	byName map[string]*weights.Tensor
	naming naming
}

// newBinder finds the prefix of the model's tensors and detects their naming.
func newBinder(file *weights.File) (*binder, error) {
	prefix, inside, err := unwrap(file)
	if err != nil {
		return nil, err
	}
	b := &binder{prefix: prefix, inside: inside, byName: make(map[string]*weights.Tensor, len(inside))}
	for _, t := range inside {
		b.byName[t.name] = t.tensor
	}
	if err := b.refuseForeign(); err != nil {
		return nil, err
	}
	for _, names := range []naming{customText(), openAI(), huggingFace()} {
		if slices.ContainsFunc(inside, func(t namedTensor) bool { return strings.HasPrefix(t.name, names.marker) }) {
			b.naming = names
			return b, nil
		}
	}
	return nil, fmt.Errorf("no tensor name begins with %q or %q, so the file has no vision tower: %w", openAI().marker, huggingFace().marker, ErrNotCLIP)
}

// arch derives the architecture, except heads and activation, from the shapes of some
// tensors. Contradictions become errors when tensors compares all shapes with it.
func (b *binder) arch() (Arch, error) {
	shapes := make(map[string][]int64)
	for _, tensor := range []struct {
		name string
		dims int
	}{
		{"visual.conv1.weight", 4}, {"visual.positional_embedding", 2}, {"visual.proj", 2},
		{"token_embedding.weight", 2}, {"positional_embedding", 2},
	} {
		shape, err := b.shape(tensor.name)
		if err != nil {
			return Arch{}, err
		}
		if len(shape) != tensor.dims || slices.ContainsFunc(shape, func(n int64) bool { return n < 1 || n > maxSize }) {
			return Arch{}, fmt.Errorf("%s has the shape %v, which is invalid for a CLIP: %w", b.sourceName(tensor.name), shape, ErrNotCLIP)
		}
		shapes[tensor.name] = shape
	}
	positions := shapes["visual.positional_embedding"][0] - 1
	grid := int(math.Round(math.Sqrt(float64(positions))))
	if grid < 1 || int64(grid)*int64(grid) != positions {
		return Arch{}, fmt.Errorf("%s has %d rows, expected a square number of patches plus a class token: %w",
			b.sourceName("visual.positional_embedding"), positions+1, ErrNotCLIP)
	}
	arch := Arch{
		Patch:         int(shapes["visual.conv1.weight"][3]),
		VisionWidth:   int(shapes["visual.conv1.weight"][0]),
		VisionLayers:  b.layers(b.naming.visionBlock),
		EmbedDim:      int(shapes["visual.proj"][1]),
		VocabSize:     int(shapes["token_embedding.weight"][0]),
		TextWidth:     int(shapes["token_embedding.weight"][1]),
		TextLayers:    b.layers(b.naming.textBlock),
		ContextLength: int(shapes["positional_embedding"][0]),
	}
	arch.ImageSize = grid * arch.Patch
	arch.VisionMLP = b.mlp("visual.transformer", arch.VisionWidth)
	arch.TextMLP = b.mlp("transformer", arch.TextWidth)
	return arch, nil
}

// mlp returns the hidden width of a tower's first MLP; 0 if it is 4*width or invalid.
func (b *binder) mlp(tower string, width int) int {
	shape, err := b.shape(tower + ".resblocks.0.mlp.c_fc.bias")
	if err != nil || len(shape) != 1 || shape[0] < 1 || shape[0] > maxSize || shape[0] == int64(4*width) {
		return 0
	}
	return int(shape[0])
}

// sourceName returns the name of a canonical tensor in the file.
func (b *binder) sourceName(canonical string) string {
	return b.prefix + strings.Join(b.naming.source(canonical).names, ", ")
}

// shape returns the shape of a canonical tensor, which must be a single tensor in the file.
func (b *binder) shape(canonical string) ([]int64, error) {
	from := b.naming.source(canonical)
	tensor, ok := b.byName[from.names[0]]
	if !ok {
		return nil, fmt.Errorf("missing tensor %s: %w", b.prefix+from.names[0], ErrNotCLIP)
	}
	shape := slices.Clone(tensor.Shape)
	if from.turned {
		slices.Reverse(shape)
	}
	return shape, nil
}

// layers returns the highest block number plus one, limited by the number of tensors in
// the file. Tensors of higher blocks are then reported as unexpected.
func (b *binder) layers(prefix string) int {
	count, limit := 0, min(len(b.inside), maxLayers)
	for _, t := range b.inside {
		rest, ok := strings.CutPrefix(t.name, prefix)
		if !ok {
			continue
		}
		digits, _, _ := strings.Cut(rest, ".")
		if n, err := strconv.Atoi(digits); err == nil && n >= 0 && n < limit {
			count = max(count, n+1)
		}
	}
	return count
}

// tensors returns all canonical tensors. Missing, unexpected or wrongly shaped tensors
// are errors.
func (b *binder) tensors(arch Arch) ([]Tensor, error) {
	var found []Tensor
	var all problems
	used := make(map[string]bool, len(b.inside))
	for _, s := range arch.slots() {
		tensor := Tensor{Name: s.name, Shape: s.shape}
		from := b.naming.source(s.name)
		for _, name := range from.names {
			used[name] = true
			part, problem := b.part(name, from.want(s.shape))
			if problem != nil {
				all.add(problem)
				continue
			}
			if from.turned {
				var err error
				if part, err = part.Transpose(); err != nil {
					return nil, err
				}
			}
			tensor.parts = append(tensor.parts, part)
		}
		if len(tensor.parts) > 0 {
			tensor.DType = tensor.parts[0].DType
		}
		found = append(found, tensor)
	}
	for _, t := range b.inside {
		if !used[t.name] {
			all.add(b.extra(t, arch))
		}
	}
	return found, all.err()
}

// want returns the expected shape of each of the file's tensors for a canonical shape.
func (s source) want(canonical []int64) []int64 {
	shape := slices.Clone(canonical)
	if len(s.names) > 1 {
		shape[0] /= int64(len(s.names))
	}
	if s.turned {
		slices.Reverse(shape)
	}
	return shape
}

func (b *binder) part(name string, shape []int64) (*weights.Tensor, *problem) {
	t, ok := b.byName[name]
	if !ok {
		return nil, wrong("missing tensor %s", b.prefix+name)
	}
	if !slices.Equal(t.Shape, shape) {
		return nil, wrong("tensor %s has the shape %v, expected %v", b.prefix+name, t.Shape, shape)
	}
	switch t.DType {
	case weights.F16, weights.BF16, weights.F32, weights.F64:
		return t, nil
	default:
		return nil, wrong("tensor %s has the type %s, expected floating point", b.prefix+name, t.DType)
	}
}

// extra accepts the buffers that libraries store besides the parameters, and returns a
// problem for any other tensor. It compares OpenAI's numbers with the shapes.
func (b *binder) extra(t namedTensor, arch Arch) *problem {
	stated := map[string]int{
		"input_resolution": arch.ImageSize, "context_length": arch.ContextLength, "vocab_size": arch.VocabSize,
	}
	_, leaf := cutLast("." + t.name)
	if leaf == "position_ids" || t.name == "attn_mask" || t.name == "text.attn_mask" {
		return nil
	}
	want, known := stated[t.name]
	if !known {
		return wrong("unexpected tensor %s", t.tensor.Name)
	}
	value := make([]float32, 1)
	if t.tensor.NumElements() != 1 || t.tensor.ReadFloat32(value) != nil || value[0] != float32(want) {
		return wrong("buffer %s must be %d to match the shapes", t.tensor.Name, want)
	}
	return nil
}

// maxListed is the maximum number of problems that an error lists.
const maxListed = 5

// problem is an error in a file. Its text is formatted only when listed, because a
// malicious file can have a hundred thousand problems.
type problem struct {
	format string
	args   []any
}

func wrong(format string, args ...any) *problem { return &problem{format, args} }

// problems collects the errors in a file.
type problems struct {
	listed []string
	count  int
}

func (p *problems) add(found *problem) {
	if found == nil {
		return
	}
	if p.count++; len(p.listed) < maxListed {
		p.listed = append(p.listed, fmt.Sprintf(found.format, found.args...))
	}
}

func (p *problems) err() error {
	if p.count == 0 {
		return nil
	}
	text := strings.Join(p.listed, "; ")
	if more := p.count - len(p.listed); more > 0 {
		text += fmt.Sprintf("; and %d more (%d problems in all)", more, p.count)
	}
	return fmt.Errorf("%s: %w", text, ErrNotCLIP)
}
