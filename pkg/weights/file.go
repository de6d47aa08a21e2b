// Package weights reads tensors from model files: safetensors, and the zip archives of
// torch.save (state dicts and TorchScript).
//
// The format of a file is detected by content, never by name. Open reads only the list
// of tensors; a tensor's values are streamed into the caller's slice in small chunks, so a
// model needs little more memory than its parameters. Pickles never run code: the
// package's own interpreter supports only the few globals that tensors need, and returns
// an error that names any other. Every size is checked against the file before memory is
// allocated: the values of all tensors together are at most eight times as large as the
// file, or 16 MiB (see maxExpansion).
package weights

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"acdclip/pkg/regularfile"
)

var (
	// ErrNotWeights is wrapped by Open's errors for content of another kind:
	// a web page, a git-lfs pointer, an archive of something else, ...
	ErrNotWeights = errors.New("not a weight file")
	// ErrMalformed is wrapped by errors about an inconsistent weight file: truncated,
	// padded, corrupt or malicious.
	ErrMalformed = errors.New("malformed weight file")
	// ErrUnsupported is wrapped by errors about a valid file with an unsupported
	// feature: the pre-zip torch format, big-endian data, a sparse or quantised tensor,
	// an unknown pickle global.
	ErrUnsupported = errors.New("unsupported weight file")
)

// Format is the container format of a file.
type Format string

const (
	FormatSafetensors Format = "safetensors"
	FormatTorch       Format = "torch.save archive"
	FormatTorchScript Format = "TorchScript archive"
)

// File is an open weight file. It keeps no tensor values in memory. Its methods and those
// of its tensors are safe for concurrent use, except Close; tensors cannot be read after
// Close.
type File struct {
	Path   string
	Format Format
	// Metadata is the safetensors header's __metadata__; nil in torch files.
	Metadata map[string]string
	// Scalars are the bool, int64, float64 and string values of a torch file, by dotted
	// name. Empty for safetensors.
	Scalars map[string]any
	// Tensors are the tensors, by data offset in safetensors, in pickle order in torch files.
	Tensors []*Tensor

	byName  map[string]*Tensor
	closer  io.Closer
	version string
}

// Version returns a text that changes when the content of the files may have changed; "" if
// that cannot be told, as for files that were written just now.
func (f *File) Version() string { return f.version }

// Open opens the weight file at path and reads its list of tensors. Its errors name the
// path and wrap ErrNotWeights, ErrMalformed, ErrUnsupported or the file system's error. The
// caller must close the File.
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
	file.name(path)
	file.closer = disk
	file.version = versionOf(path, info)
	return file, nil
}

// OpenBytes is Open for a file in memory, which must not change afterwards; name stands for
// its path in messages.
func OpenBytes(name string, content []byte) (*File, error) {
	file, err := read(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, fmt.Errorf("opening weights %s: %w", name, err)
	}
	file.name(name)
	return file, nil
}

// name sets the path that messages show.
func (f *File) name(path string) {
	f.Path = path
	for _, t := range f.Tensors {
		t.path = path
	}
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

// index builds the map for Lookup; a duplicate name is an error.
func (f *File) index() error {
	f.byName = make(map[string]*Tensor, len(f.Tensors))
	for _, t := range f.Tensors {
		if _, twice := f.byName[t.Name]; twice {
			return malformed("duplicate tensor %.200q", t.Name)
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

// Close closes the file; its tensors cannot be read afterwards.
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
