package pretrained

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"acdclip/pkg/builtin"
	"acdclip/pkg/published"
	"acdclip/pkg/weights"
)

// fileNames are the names of the weight files of transformers and open_clip, in order of
// precedence for a folder with several.
var fileNames = []string{
	"model.safetensors",
	"pytorch_model.bin",
	"open_clip_model.safetensors",
	"open_clip_pytorch_model.bin",
}

// Options are the properties of a CLIP that the user can set if its files do not state them.
type Options struct{ Heads Heads }

// Open opens a CLIP: a weight file of any name, the index of several files, or the folder
// of a Hugging Face CLIPModel or of open_clip. Format and naming are detected by content,
// and the architecture is derived from the tensors' shapes. A configuration beside the
// weights is optional; it must match them and sets heads and activation. Its unknown keys
// and unsupported features are errors, and so are missing, unexpected and wrongly shaped
// tensors. Such errors name the problem and wrap ErrNotCLIP; errors of damaged files are
// those of package weights. Open reads no values except single numbers. The caller must
// close the Checkpoint.
func Open(path string) (*Checkpoint, error) { return OpenWith(path, Options{}) }

// OpenWith is Open with Options.
func OpenWith(path string, o Options) (*Checkpoint, error) {
	if builtin.Is(path) {
		return openBuiltin(path, o)
	}
	weightFile, err := locate(path)
	if err != nil {
		return nil, err
	}
	if err := refuseByConfiguration(weightFile); err != nil {
		return nil, fmt.Errorf("opening the CLIP in %s: %w", weightFile, err)
	}
	open := weights.Open
	if strings.HasSuffix(weightFile, weights.IndexEnding) {
		open = weights.OpenShards
	}
	file, err := open(weightFile)
	if err != nil {
		return nil, err
	}
	checkpoint, err := bind(file, o, configurationFor)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("opening the CLIP in %s: %w", weightFile, err)
	}
	return checkpoint, nil
}

// openBuiltin opens a CLIP that is part of the program.
func openBuiltin(name string, o Options) (*Checkpoint, error) {
	content, err := builtin.OpenCLIP(name)
	if err != nil {
		return nil, fmt.Errorf("opening a CLIP: %w", err)
	}
	file, err := weights.OpenBytes(name, content.Weights)
	if err != nil {
		return nil, err
	}
	checkpoint, err := bind(file, o, func(string, string) (*configuration, error) {
		c := &configuration{path: name}
		return c, json.Unmarshal(content.Config, &c.tree)
	})
	if err != nil {
		return nil, fmt.Errorf("opening the CLIP %s: %w", name, err)
	}
	return checkpoint, nil
}

// locate finds the weight file or the index of several files in a folder.
func locate(path string) (string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		shown := path
		if name, ok := hubNameOf(path); ok { // not as a path of the current folder
			shown = name
		}
		return "", fmt.Errorf("opening a CLIP: the file or folder %s does not exist; %s: %w", shown, insteadOf(path), fs.ErrNotExist)
	}
	if err != nil {
		return "", fmt.Errorf("opening a CLIP: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	for _, ending := range []string{"", weights.IndexEnding} {
		for _, name := range fileNames {
			if candidate := filepath.Join(path, name+ending); exists(candidate) {
				return candidate, nil
			}
		}
	}
	return "", fmt.Errorf("opening a CLIP: the folder %s contains none of %s: %w", path, strings.Join(fileNames, ", "), ErrNotCLIP)
}

// insteadOf says what to do if a path of a CLIP does not exist.
func insteadOf(path string) string {
	hub, isHub := hubNameOf(path)
	hub = strings.TrimPrefix(strings.TrimPrefix(hub, "hf-hub:"), "hf:")
	known, found := published.All().OnHub(hub)
	if name := filepath.Base(path); !found && !slices.Contains(fileNames, name) { // a usual name says nothing
		known, found = published.All().InFile(name)
	}
	switch {
	case found:
		return fmt.Sprintf("these weights are published as %s (%s): run `%s`, and give --clip %s", known.Name, known.Bytes(), known.Command(""), known.Name)
	case isHub:
		return fmt.Sprintf("if %s is the name of a model on Hugging Face, download its files first, as with `hf download %s --local-dir clip`, and give their folder", hub, hub)
	}
	return "`acdclip weights list` shows the CLIPs that can be downloaded by name"
}

// hubName matches OWNER/MODEL, optionally with the prefix that open_clip and others use.
var hubName = regexp.MustCompile(`^(?:hf-hub:|hf:)?[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$`)

// hubNameOf reports whether a path that does not exist is probably the name of a model on
// Hugging Face, and returns the name: two plain words, of which the first is not an
// existing folder.
func hubNameOf(path string) (name string, ok bool) {
	if here, err := os.Getwd(); err == nil && filepath.IsAbs(path) {
		if inside, err := filepath.Rel(here, path); err == nil {
			path = inside
		}
	}
	name = filepath.ToSlash(path)
	weightFile := slices.Contains([]string{".pt", ".pth", ".bin", ".safetensors", ".json"}, filepath.Ext(name))
	return name, hubName.MatchString(name) && !weightFile && !exists(filepath.Dir(path))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// bind finds CLIP's tensors in an open file and compares its configuration with them, which
// configured returns for the file's path and format, or nil.
func bind(file *weights.File, o Options, configured func(path, format string) (*configuration, error)) (*Checkpoint, error) {
	b, err := newBinder(file)
	if err != nil {
		return nil, err
	}
	arch, err := b.arch()
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{Path: file.Path, Container: file.Format, Format: b.format(file), Arch: arch, Normalisation: CLIPNormalisation(), file: file, seen: &digests{}}
	c.Arch.Activation = namedActivation(c.Format, file)
	beside, err := configured(file.Path, b.naming.format)
	if err != nil {
		return nil, err
	}
	var heads Heads
	if beside != nil {
		c.Format = b.naming.format
		if heads, err = beside.agree(c.Format, &c.Arch); err != nil {
			return nil, err
		}
		if c.KeptTokens, err = beside.keptTokens(&c.Arch); err != nil {
			return nil, err
		}
		if c.Normalisation, err = beside.normalised(c.Format); err != nil {
			return nil, err
		}
	}
	if c.Note, err = c.Arch.setHeads(o.Heads, heads); err != nil {
		if beside != nil {
			err = fmt.Errorf("%s: %w", beside.path, err)
		}
		return nil, err
	}
	if passed := passedOver(file.Path); passed != "" {
		c.Note = strings.TrimPrefix(c.Note+"; "+passed, "; ")
	}
	if err := c.Arch.validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrNotCLIP)
	}
	if c.Tensors, err = b.tensors(c.Arch); err != nil {
		return nil, err
	}
	for i := range c.Tensors {
		c.Tensors[i].seen = c.seen
	}
	return c, nil
}

// format returns the format of a file, determined from the file alone.
func (b *binder) format(file *weights.File) string {
	switch {
	case b.naming.format == FormatHuggingFace:
		return FormatHuggingFace
	case file.Format == weights.FormatTorchScript:
		return FormatTorchScript
	case strings.HasPrefix(filepath.Base(file.Path), "open_clip_"), b.naming.marker == customText().marker, trainedByOpenCLIP(file):
		return FormatOpenCLIP
	}
	return FormatStateDict
}

// trainedByOpenCLIP reports whether a file has the entries that open_clip's training
// program writes (save_checkpoint in open_clip_train/main.py), as in its older releases.
func trainedByOpenCLIP(file *weights.File) bool {
	_, epoch := file.Scalars["epoch"].(int64)
	_, name := file.Scalars["name"].(string)
	return epoch && name && slices.ContainsFunc(file.Tensors, func(t *weights.Tensor) bool { return strings.HasPrefix(t.Name, "state_dict.") })
}
