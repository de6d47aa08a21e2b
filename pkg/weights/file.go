// Package weights reads tensors from the files that models are published in:
// safetensors, and torch.save's zip archives (state dicts and TorchScript).
//
// A file is opened by its content, never by its name. Opening reads the list of
// tensors alone; a tensor's values are streamed into the caller's slice in small
// chunks, so a model needs little more memory than its own parameters.
// No pickle runs code: a small machine of our own knows the few globals that
// tensors need and refuses every other by name. Every size is checked against
// the file before anything is allocated for it: the values of all tensors together
// are at most eight times as large as the file, or 16 MiB (see maxExpansion).
package weights

import (
	"errors"
	"fmt"
	"io"

	"acdclip/pkg/regularfile"
)

var (
	// ErrNotWeights is wrapped by Open's errors for content of another kind:
	// a web page, a git-lfs pointer, an archive of something else, ...
	ErrNotWeights = errors.New("not a weight file")
	// ErrMalformed is wrapped by errors about a weight file that contradicts
	// itself: truncated, padded, corrupt or hostile.
	ErrMalformed = errors.New("malformed weight file")
	// ErrUnsupported is wrapped by errors about a sound file that uses something
	// this package does not read: the pre-zip torch format, big-endian data, a
	// sparse or quantised tensor, a pickle global outside the list.
	ErrUnsupported = errors.New("unsupported weight file")
)

// Format is the container that a file turned out to be.
type Format string

const (
	FormatSafetensors Format = "safetensors"
	FormatTorch       Format = "torch.save archive"
	FormatTorchScript Format = "TorchScript archive"
)

// File is an open weight file. It holds no tensor values. Its methods and those
// of its tensors may be called from several goroutines; Close ends all of them.
type File struct {
	Path   string
	Format Format
	// Metadata is the safetensors header's __metadata__; nil in torch files.
	Metadata map[string]string
	// Scalars holds what a torch file stores beside its tensors, under dotted
	// names: bool, int64, float64 and string values. Empty for safetensors.
	Scalars map[string]any
	// Tensors lists the tensors: by data offset in safetensors, in pickle order in torch files.
	Tensors []*Tensor

	byName map[string]*Tensor
	closer io.Closer
}

// Open opens the weight file at path and reads its list of tensors. Its errors
// name the path and wrap ErrNotWeights, ErrMalformed, ErrUnsupported or what the
// system said. The caller closes the File.
func Open(path string) (*File, error) {
	disk, info, err := regularfile.Open(path)
	if other, ok := errors.AsType[*regularfile.OtherError](err); ok {
		return nil, fmt.Errorf("opening weights: %s is %s: %w", path, other.Kind, ErrNotWeights)
	}
	if err != nil {
		return nil, fmt.Errorf("opening weights: %w", err)
	}
	file, err := read(disk, info.Size())
	if err == nil {
		err = checkHoles(disk, info.Size())
	}
	if err != nil {
		disk.Close()
		return nil, fmt.Errorf("opening weights %s: %w", path, err)
	}
	file.Path = path
	for _, t := range file.Tensors {
		t.path = path
	}
	file.closer = disk
	return file, nil
}

// read lists the tensors of a weight file of the given size.
func read(r io.ReaderAt, size int64) (*File, error) {
	head := make([]byte, min(size, sniffLength))
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), head); err != nil {
		return nil, fmt.Errorf("reading the first bytes: %w", err)
	}
	var file *File
	var err error
	switch contentOf(head) {
	case contentSafetensors:
		file, err = readSafetensors(r, size)
	case contentZip:
		file, err = readTorch(r, size)
	default:
		return nil, refuse(head, size)
	}
	if err != nil {
		return nil, err
	}
	return file, file.index()
}

// index builds the map that Lookup uses; two tensors of one name are an error.
func (f *File) index() error {
	f.byName = make(map[string]*Tensor, len(f.Tensors))
	for _, t := range f.Tensors {
		if _, twice := f.byName[t.Name]; twice {
			return malformed("tensor %.200q is there twice", t.Name)
		}
		f.byName[t.Name] = t
	}
	return nil
}

// Lookup returns the tensor of that name.
func (f *File) Lookup(name string) (*Tensor, bool) {
	t, ok := f.byName[name]
	return t, ok
}

// Close closes the file; its tensors cannot be read any more.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

func malformed(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrMalformed)...)
}

func unsupported(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrUnsupported)...)
}
