package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"acdclip/pkg/regularfile"
)

// IndexEnding is the suffix of files that list a model's weights in several files.
const IndexEnding = ".index.json"

const (
	// maxIndex is about fifty times the size of the largest CLIP's index, in bytes.
	maxIndex = 16 << 20
	// maxShards is the maximum number of open files.
	maxShards = 128
)

// OpenShards opens the weights that an index of transformers lists: JSON whose
// "weight_map" maps tensors to files, which must be beside the index. The File has the
// tensors of all files, in the order of the files' names; its Path is the index. Each
// tensor must be in its listed file, and no file may contain others. Errors are Open's,
// about the index or a file.
func OpenShards(path string) (*File, error) {
	index, err := readIndex(path)
	if err != nil {
		return nil, fmt.Errorf("opening weights %s: %w", path, err)
	}
	joined := &File{Path: path, Scalars: map[string]any{}}
	var parts closers
	known := true // the versions of all files
	joined.closer = &parts
	for _, name := range slices.Sorted(maps.Keys(index)) {
		shard, err := Open(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			joined.Close()
			return nil, fmt.Errorf("the file %s listed in %s: %w", name, path, err)
		}
		parts = append(parts, shard)
		if err := shard.holds(index[name]); err != nil {
			joined.Close()
			return nil, fmt.Errorf("the file %s listed in %s: %w", name, path, err)
		}
		joined.Format = shard.Format
		known = known && shard.version != ""
		joined.version += shard.version
		joined.Tensors = append(joined.Tensors, shard.Tensors...)
	}
	if !known {
		joined.version = ""
	}
	if err := joined.index(); err != nil {
		joined.Close()
		return nil, fmt.Errorf("opening weights %s: %w", path, err)
	}
	return joined, nil
}

// readIndex returns the tensors of each file that an index lists.
func readIndex(path string) (map[string][]string, error) {
	text, err := regularfile.Head(path, maxIndex+1)
	if other, ok := errors.AsType[*regularfile.OtherError](err); ok {
		return nil, fmt.Errorf("it is %s: %w", other.Kind, ErrNotWeights)
	}
	if err != nil {
		return nil, err
	}
	if len(text) > maxIndex {
		return nil, malformed("the index is larger than %d bytes", maxIndex)
	}
	return parseIndex(text)
}

func parseIndex(text []byte) (map[string][]string, error) {
	var index struct {
		Files map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return nil, malformed("the index is not a JSON list of weights (%.200v)", err)
	}
	if len(index.Files) == 0 || len(index.Files) > maxTensors {
		return nil, malformed("the index's weight_map lists %d tensors, expected 1 to %d", len(index.Files), maxTensors)
	}
	tensors := map[string][]string{}
	for _, tensor := range slices.Sorted(maps.Keys(index.Files)) {
		file := index.Files[tensor]
		if file == "" || file == "." || file == ".." || len(file) > 255 || strings.ContainsAny(file, "/\\\x00") {
			return nil, malformed("the index lists the file %.200q, expected the name of a file beside the index", file)
		}
		if tensors[file] = append(tensors[file], tensor); len(tensors) > maxShards {
			return nil, malformed("the index lists more than %d files", maxShards)
		}
	}
	return tensors, nil
}

// holds checks that a file has exactly the tensors with these names.
func (f *File) holds(names []string) error {
	for _, name := range names {
		if _, ok := f.Lookup(name); !ok {
			return malformed("it lacks the tensor %.200q, which the index lists for it", name)
		}
	}
	listed := make(map[string]bool, len(names))
	for _, name := range names {
		listed[name] = true
	}
	for _, t := range f.Tensors {
		if !listed[t.Name] {
			return malformed("its tensor %.200q is not in the index", t.Name)
		}
	}
	return nil
}

// closers closes several files.
type closers []io.Closer

func (c *closers) Close() error {
	var all error
	for _, one := range *c {
		all = errors.Join(all, one.Close())
	}
	return all
}
