package anomalymap

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"
)

const (
	// headBytes is how much of a file's start is looked at to find its format.
	headBytes = 64
	// wanted is the advice that fits whatever is wrong with a file.
	wanted = "float32 of shape (H, W): np.save(path, scores.astype(np.float32))"
)

// format is one kind of file: how it is recognised and read.
type format struct {
	magic func(head []byte) bool
	read  func(r io.ReaderAt, size int64, o Options) (*Map, error)
}

func formats() []format {
	return []format{
		{starts("\x93NUMPY"), readNPY},
		{starts("II*\x00", "MM\x00*"), readTIFF},
		{starts("II+\x00", "MM\x00+"), refuseBigTIFF},
		{starts("\x89PNG\r\n\x1a\n"), readPNG},
	}
}

func starts(prefixes ...string) func([]byte) bool {
	return func(head []byte) bool {
		for _, prefix := range prefixes {
			if bytes.HasPrefix(head, []byte(prefix)) {
				return true
			}
		}
		return false
	}
}

// describe says in words what the start of another file looks like.
func describe(head []byte) string {
	if len(head) == 0 {
		return "nothing (the file is empty)"
	}
	for _, f := range []struct{ prefix, what string }{
		{"PK", "a ZIP archive, as .npz and .pt files are"},
		{"\x80", "a Python pickle"},
		{"\xff\xd8\xff", "a JPEG picture, whose values are not exact"},
		{"\x89HDF\r\n\x1a\n", "an HDF5 file"},
		{"\x1f\x8b", "gzip-compressed data"},
		{"\x76\x2f\x31\x01", "an OpenEXR picture"},
		{"version https://git-lfs", "a git-lfs pointer (`git lfs pull` fetches the file)"},
	} {
		if bytes.HasPrefix(head, []byte(f.prefix)) {
			return f.what
		}
	}
	if isText(head) {
		return fmt.Sprintf("text that starts with %.24q", head)
	}
	return fmt.Sprintf("an unknown format that starts with the bytes % x", head[:min(8, len(head))])
}

// isText allows for a character cut in two at the end of head.
func isText(head []byte) bool {
	for cut := range min(utf8.UTFMax, len(head)) {
		if utf8.Valid(head[:len(head)-cut]) {
			return !bytes.ContainsAny(head, "\x00\x01\x02\x03\x04\x05\x06\x07\x08")
		}
	}
	return false
}
