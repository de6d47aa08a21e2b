package pretrained

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"acdclip/pkg/weights"
)

// WriteRandom writes a randomly initialised CLIP, with the distributions of OpenAI's
// code, as a Hugging Face folder that Open and transformers can load. Matrices are
// float16, all other tensors float32. The bytes depend only on arch and seed. The folder
// is written atomically; an existing folder must be empty and not the current one. An
// Activation of "" means QuickGELU, as in OpenAI's models.
func WriteRandom(dir string, arch Arch, seed uint64) error {
	if arch.Activation == "" {
		arch.Activation = QuickGELU
	}
	if err := arch.validate(); err != nil {
		return fmt.Errorf("writing a random CLIP: %w", err)
	}
	if err := mustBeFree(dir); err != nil {
		return err
	}
	if err := writeFolder(filepath.Clean(dir), arch, seed); err != nil {
		return fmt.Errorf("writing a random CLIP to %s: %w", dir, err)
	}
	return nil
}

func mustBeFree(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("writing a random CLIP: %w", err)
	}
	if folder, err := os.Stat(dir); err == nil {
		// The folder is replaced by a new one, so the caller's current folder would vanish.
		if current, err := os.Stat("."); err == nil && os.SameFile(folder, current) {
			return fmt.Errorf("writing a random CLIP: %s is the current folder, which cannot be replaced; give another folder", dir)
		}
	}
	if len(entries) > 0 {
		return fmt.Errorf("writing a random CLIP: the folder %s is not empty: %w", dir, fs.ErrExist)
	}
	return nil
}

// writeFolder creates dir and its parents.
func writeFolder(dir string, arch Arch, seed uint64) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	return cause(writeBeside(dir, arch, seed))
}

// cause returns a file system error without its path, which is a temporary one.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	default:
		return err
	}
}

// writeBeside writes a temporary folder beside dir and renames it to dir.
func writeBeside(dir string, arch Arch, seed uint64) (err error) {
	temporary, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(temporary)
		}
	}()
	if err := os.Chmod(temporary, 0o755); err != nil {
		return err
	}
	err = writeFile(filepath.Join(temporary, "config.json"), func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(arch.huggingFace())
	})
	if err != nil {
		return err
	}
	err = writeFile(filepath.Join(temporary, "model.safetensors"), func(w io.Writer) error {
		return writeRandomTensors(w, arch, seed)
	})
	if err != nil {
		return err
	}
	// os.Rename does not replace folders, not even empty ones.
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(temporary, dir)
}

// writeFile writes a new file through a buffer and syncs it. It returns the first error.
func writeFile(path string, write func(io.Writer) error) error {
	disk, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(disk, 64<<10)
	return cmp.Or(write(buffered), buffered.Flush(), disk.Sync(), disk.Close())
}

// draw is one stored tensor and the distribution of its values.
type draw struct {
	weights.Spec
	initial initial
}

func writeRandomTensors(w io.Writer, arch Arch, seed uint64) error {
	draws := arch.draws()
	specs := make([]weights.Spec, len(draws))
	for i, d := range draws {
		specs[i] = d.Spec
	}
	writer, err := weights.NewWriter(w, map[string]string{"format": "pt"}, specs)
	if err != nil {
		return err
	}
	for _, d := range draws {
		if err := d.write(writer, seed); err != nil {
			return err
		}
	}
	return writer.Close()
}

// draws lists the tensors with Hugging Face's names, float32 before float16 so that all are aligned.
func (a Arch) draws() []draw {
	var vectors, matrices []draw
	for _, s := range a.slots() {
		from := huggingFaceSource(s.name)
		for _, name := range from.names {
			d := draw{weights.Spec{Name: name, DType: weights.F32, Shape: from.want(s.shape)}, s.initial}
			if len(d.Shape) < 2 {
				vectors = append(vectors, d)
				continue
			}
			d.DType = weights.F16
			matrices = append(matrices, d)
		}
	}
	return slices.Concat(vectors, matrices)
}

// write draws the values in small pieces. Each tensor has its own generator, so its values
// do not depend on the others.
func (d draw) write(w *weights.Writer, seed uint64) error {
	name := fnv.New64a()
	io.WriteString(name, d.Name)
	random := rand.New(rand.NewPCG(seed, name.Sum64()))
	left := 1
	for _, n := range d.Shape {
		left *= int(n)
	}
	piece := make([]float32, 4096)
	for left > 0 {
		piece = piece[:min(left, len(piece))]
		for i := range piece {
			piece[i] = float32(d.initial.value(random))
		}
		if err := w.WriteFloat32(piece); err != nil {
			return err
		}
		left -= len(piece)
	}
	return nil
}

func (in initial) value(random *rand.Rand) float64 {
	switch {
	case in.std > 0:
		return in.std * random.NormFloat64()
	case in.bound > 0:
		return in.bound * (2*random.Float64() - 1)
	default:
		return in.constant
	}
}

// huggingFace returns the configuration with which transformers loads the folder. The
// start and end tokens are the last two of the vocabulary, as in OpenAI's CLIP.
func (a Arch) huggingFace() huggingFaceConfig {
	return huggingFaceConfig{
		Architectures: []string{"CLIPModel"},
		ModelType:     "clip",
		DType:         "float32",
		ProjectionDim: new(a.EmbedDim),
		LogitScale:    new(math.Log(1 / 0.07)),
		Text: &huggingFaceTower{
			ModelType: "clip_text_model", Activation: new(a.Activation), Width: new(a.TextWidth),
			MLPWidth: new(mlpOr(a.TextMLP, a.TextWidth)), Layers: new(a.TextLayers), Heads: new(a.TextHeads),
			Epsilon: new(epsilon), ProjectionDim: new(a.EmbedDim),
			ContextLength: new(a.ContextLength), VocabSize: new(a.VocabSize),
			StartToken: new(a.VocabSize - 2), EndToken: new(a.VocabSize - 1), PadToken: new(a.VocabSize - 1),
		},
		Vision: &huggingFaceTower{
			ModelType: "clip_vision_model", Activation: new(a.Activation), Width: new(a.VisionWidth),
			MLPWidth: new(mlpOr(a.VisionMLP, a.VisionWidth)), Layers: new(a.VisionLayers), Heads: new(a.VisionHeads),
			Epsilon: new(epsilon), ProjectionDim: new(a.EmbedDim),
			ImageSize: new(a.ImageSize), Patch: new(a.Patch), Channels: new(3),
		},
	}
}
