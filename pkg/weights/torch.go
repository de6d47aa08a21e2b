package weights

import (
	"fmt"
	"io"
	"strings"
)

// maxPickle is far above the size of any model's data.pkl (ViT-L/14: 0.2 MB).
const maxPickle = 16 << 20

// readTorch lists the tensors of a torch.save archive or a TorchScript one:
// PREFIX/data.pkl is the object, PREFIX/data/KEY are the storages it names.
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

// archivePrefix is the top folder of the archive, with its slash.
func archivePrefix(entries map[string]*storage) (string, error) {
	found := ""
	for name := range entries {
		prefix, ok := strings.CutSuffix(name, "data.pkl")
		if !ok || strings.Count(prefix, "/") != 1 || !strings.HasSuffix(prefix, "/") {
			continue
		}
		if found != "" {
			return "", malformed("the archive holds more than one data.pkl")
		}
		found = prefix
	}
	if found == "" {
		return "", fmt.Errorf("looks like a zip archive without a data.pkl, not torch.save's: %w", ErrNotWeights)
	}
	return found, nil
}

// checkByteOrder reads the record that torch 2.1 and later write; earlier ones wrote their machine's order, little-endian.
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
		return malformed("the archive's byte order is %q", order)
	}
}
