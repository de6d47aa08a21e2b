package pretrained

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"acdclip/pkg/weights"
)

// fileNames are what transformers and open_clip call their weight files, in the
// order in which a folder that holds several is used.
var fileNames = []string{
	"model.safetensors",
	"pytorch_model.bin",
	"open_clip_model.safetensors",
	"open_clip_pytorch_model.bin",
}

// Open opens a CLIP: a weight file of any name, or the folder of a Hugging Face
// CLIPModel or of open_clip. Format and naming come from the content, the
// architecture from the tensors' shapes. A configuration beside the weights, where
// there is one, must agree with them and says the activation. A missing, extra or
// mis-shaped tensor is an error that names it and wraps ErrNotCLIP; a broken file's
// error is that of package weights. The caller closes the Checkpoint.
func Open(path string) (*Checkpoint, error) {
	weightFile, err := locate(path)
	if err != nil {
		return nil, err
	}
	file, err := weights.Open(weightFile)
	if err != nil {
		return nil, err
	}
	checkpoint, err := bind(file)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("opening the CLIP in %s: %w", weightFile, err)
	}
	return checkpoint, nil
}

// locate finds the weight file of a folder.
func locate(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("opening a CLIP: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	for _, name := range fileNames {
		if candidate := filepath.Join(path, name); exists(candidate) {
			return candidate, nil
		}
	}
	for _, name := range fileNames {
		if index := filepath.Join(path, name+".index.json"); exists(index) {
			return "", fmt.Errorf("opening a CLIP: %s lists weights in several files, which is not read: "+
				"save them as one with save_pretrained(max_shard_size=...): %w", index, ErrNotCLIP)
		}
	}
	return "", fmt.Errorf("opening a CLIP: the folder %s holds none of %s: %w", path, strings.Join(fileNames, ", "), ErrNotCLIP)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// bind finds CLIP's tensors in an open file and reads the configuration beside it.
func bind(file *weights.File) (*Checkpoint, error) {
	names, err := namingOf(file)
	if err != nil {
		return nil, err
	}
	b := &binder{file: file, naming: names}
	arch, err := b.arch()
	if err != nil {
		return nil, err
	}
	tensors, err := b.tensors(arch)
	if err != nil {
		return nil, err
	}
	checkpoint := &Checkpoint{Path: file.Path, Container: file.Format, Arch: arch, Tensors: tensors, file: file}
	return checkpoint, checkpoint.identify(names)
}

func namingOf(file *weights.File) (naming, error) {
	for _, names := range []naming{openAI(), huggingFace()} {
		if slices.ContainsFunc(file.Tensors, func(t *weights.Tensor) bool { return strings.HasPrefix(t.Name, names.marker) }) {
			return names, nil
		}
	}
	return naming{}, fmt.Errorf("no tensor begins with %q or %q, so there is no vision tower: %w",
		openAI().marker, huggingFace().marker, ErrNotCLIP)
}

// identify sets the format and the activation and holds a configuration against the weights.
func (c *Checkpoint) identify(names naming) error {
	folder, name := filepath.Split(c.Path)
	named := slices.Contains(fileNames, name)
	switch {
	case names.marker == huggingFace().marker:
		c.Format = FormatHuggingFace
		if config := filepath.Join(folder, "config.json"); named && exists(config) {
			return c.Arch.agreeWithHuggingFace(config)
		}
	case c.Container == weights.FormatTorchScript:
		c.Format = FormatTorchScript
		c.Arch.Activation = QuickGELU
	default:
		c.Format = FormatStateDict
		if strings.HasPrefix(name, "open_clip_") {
			c.Format = FormatOpenCLIP
		}
		if config := filepath.Join(folder, "open_clip_config.json"); named && exists(config) {
			c.Format = FormatOpenCLIP
			return c.Arch.agreeWithOpenCLIP(config)
		}
	}
	return nil
}
