package weights

import (
	"fmt"
	"io"
	"strings"
)

// maxPickle is far above the size of any model's data.pkl, in bytes (ViT-L/14: 0.2 MB).
const maxPickle = 16 << 20

// readTorch lists the tensors of a torch.save or TorchScript archive: PREFIX/data.pkl is
// the object, PREFIX/data/KEY are its storages.
func readTorch(r io.ReaderAt, size int64) (*File, error) {
	entries, err := readZip(r, size)
	if err != nil {
		return nil, err
	}
	prefix, err := archivePrefix(entries)
	if err != nil {
		return nil, err
	}
	if err := checkByteOrder(entries[prefix+"byteorder"]); err != nil {
		return nil, err
	}
	program, err := entries[prefix+"data.pkl"].bytes(maxPickle)
	if err != nil {
		return nil, err
	}
	root, err := unpickle(program, func(key string) (*storage, bool) {
		s, ok := entries[prefix+"data/"+key]
		return s, ok
	})
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	file := &File{Format: FormatTorch}
	if _, scripted := root.(*record); scripted {
		file.Format = FormatTorchScript
	}
	if err := file.flatten(root); err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	return file, checkExpansion(file.Tensors, size)
}

// archivePrefix returns the top folder of the archive, with a trailing slash.
func archivePrefix(entries map[string]*storage) (string, error) {
	found := ""
	for name := range entries {
		prefix, ok := strings.CutSuffix(name, "data.pkl")
		if !ok || strings.Count(prefix, "/") != 1 || !strings.HasSuffix(prefix, "/") {
			continue
		}
		if found != "" {
			return "", malformed("the archive contains more than one data.pkl")
		}
		found = prefix
	}
	if found == "" {
		return "", fmt.Errorf("looks like a zip archive without a data.pkl, not a torch.save archive: %w", ErrNotWeights)
	}
	return found, nil
}

// checkByteOrder checks the byte order entry that torch 2.1 and later write. Earlier versions wrote the machine's order, assumed to be little-endian.
func checkByteOrder(entry *storage) error {
	if entry == nil {
		return nil
	}
	order, err := entry.bytes(16)
	if err != nil {
		return err
	}
	switch string(order) {
	case "little":
		return nil
	case "big":
		return unsupported("the archive was saved on a big-endian machine: save it again on a little-endian one")
	default:
		return malformed("unknown byte order %q of the archive", order)
	}
}
