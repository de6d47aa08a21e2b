package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"acdclip/pkg/model/card"
	"acdclip/pkg/weights"
)

// Training is what is known of a training from elsewhere than the checkpoint itself.
type Training struct {
	Auxiliary string // the dataset
	Epoch     int    // epochs trained
}

// Convert writes the file of trained parameters that a method's authors published as one
// of this program: without the tensors that the method does not use, with a checksum, and
// with what is known of the training. Open gives the same parameters for both files.
func Convert(w io.Writer, path string, methods card.List, known Training) error {
	c, err := Open(path, methods)
	if err != nil {
		return err
	}
	defer c.Close()
	if c.Metadata.Format != 0 || len(c.Companions) > 0 {
		return fmt.Errorf("converting checkpoint %s: %w", path, errNotConverted)
	}
	metadata := c.Metadata
	metadata.Auxiliary, metadata.Epoch, metadata.Prompts = known.Auxiliary, known.Epoch, []string{}
	var values []weights.Value
	for _, name := range slices.Sorted(maps.Keys(c.tensors)) {
		t := c.tensors[name]
		value := weights.Value{Name: name, Shape: t.Shape, Float32: make([]float32, t.NumElements())}
		if err := c.Read(name, value.Float32); err != nil {
			return err
		}
		values = append(values, value)
	}
	return Encode(w, metadata, values)
}

// errNotConverted reports a file that is this program's own, or whose further datasets
// Metadata cannot name.
var errNotConverted = errors.New("only files with one auxiliary dataset of methods' authors are converted")
