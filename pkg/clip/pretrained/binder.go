package pretrained

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"acdclip/pkg/weights"
)

// binder finds the canonical tensors in a file of one naming.
type binder struct {
	prefix string        // of every name in the file, where something wraps the model
	inside []namedTensor // the file's tensors without it
	byName map[string]*weights.Tensor
	naming naming
}

// newBinder looks through what wraps the model, and finds how the file names tensors.
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
	return nil, fmt.Errorf("no tensor begins with %q or %q, so there is no vision tower: %w", openAI().marker, huggingFace().marker, ErrNotCLIP)
}

// arch reads the architecture, but for heads and activation, off the shapes. What
// the shapes do not agree on comes out when every tensor is held against it.
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
			return Arch{}, fmt.Errorf("%s has shape %v, which no CLIP has: %w", b.sourceName(tensor.name), shape, ErrNotCLIP)
		}
		shapes[tensor.name] = shape
	}
	positions := shapes["visual.positional_embedding"][0] - 1
	grid := int(math.Round(math.Sqrt(float64(positions))))
	if grid < 1 || int64(grid)*int64(grid) != positions {
		return Arch{}, fmt.Errorf("%s has %d rows, which is no square number of patches and a class token: %w",
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

// mlp is the inner width of a tower's first MLP; 0 where it is the usual one, or no width at all.
func (b *binder) mlp(tower string, width int) int {
	shape, err := b.shape(tower + ".resblocks.0.mlp.c_fc.bias")
	if err != nil || len(shape) != 1 || shape[0] < 1 || shape[0] > maxSize || shape[0] == int64(4*width) {
		return 0
	}
	return int(shape[0])
}

// sourceName is what the file calls a canonical tensor.
func (b *binder) sourceName(canonical string) string {
	return b.prefix + strings.Join(b.naming.source(canonical).names, ", ")
}

// shape is a canonical tensor's shape; it must not be one of several parts.
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

// layers is one more than the highest block number, as far as the file could hold
// so many. A tensor of a higher block is an unexpected one.
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

// tensors finds every canonical tensor, and no other, in its shape.
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

// want is the shape that each of the container's tensors has for a canonical one.
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
		return nil, wrong("tensor %s has shape %v, not %v", b.prefix+name, t.Shape, shape)
	}
	switch t.DType {
	case weights.F16, weights.BF16, weights.F32, weights.F64:
		return t, nil
	default:
		return nil, wrong("tensor %s holds %s, not floating point", b.prefix+name, t.DType)
	}
}

// extra accepts the buffers that libraries store beside the parameters. OpenAI's
// numbers are held against the shapes.
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
		return wrong("buffer %s does not say %d, as the shapes do", t.tensor.Name, want)
	}
	return nil
}

// maxListed is how many problems an error spells out.
const maxListed = 5

// problem is something wrong with a file, put into words only where it is listed:
// a hostile file has a hundred thousand.
type problem struct {
	format string
	args   []any
}

func wrong(format string, args ...any) *problem { return &problem{format, args} }

// problems collects what is wrong with a file.
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
