package anomalymap

import (
	"io"

	"acdclip/pkg/sniff"
)

const (
	// headBytes is the number of bytes that are read to detect a file's format.
	headBytes = 64
	// wanted is the general advice in error messages.
	wanted = "float32 of shape (H, W): np.save(path, scores.astype(np.float32))"
)

// format is one file format, with its functions to detect and read files.
type format struct {
	magic sniff.Match
	read  func(r io.ReaderAt, size int64, o Options) (*Map, error)
}

func formats() []format {
	return []format{
		{sniff.Starts("\x93NUMPY"), readNPY},
		{sniff.Starts("II*\x00", "MM\x00*"), readTIFF},
		{sniff.Starts("II+\x00", "MM\x00+"), refuseBigTIFF},
		{sniff.Starts("\x89PNG\r\n\x1a\n"), readPNG},
	}
}

// foreign are file contents that are easily mistaken for supported maps.
func foreign() []sniff.Kind {
	return []sniff.Kind{
		{Name: "a ZIP archive, such as a .npz or .pt file", Is: sniff.Starts("PK")},
		{Name: "a Python pickle", Is: sniff.Starts("\x80")},
		{Name: "a JPEG picture, whose values are not exact", Is: sniff.Starts("\xff\xd8\xff")},
		{Name: "an HDF5 file", Is: sniff.Starts("\x89HDF\r\n\x1a\n")},
		{Name: "gzip-compressed data", Is: sniff.Starts("\x1f\x8b")},
		{Name: "an OpenEXR picture", Is: sniff.Starts("\x76\x2f\x31\x01")},
		{Name: "a git-lfs pointer (download the file with `git lfs pull`)", Is: sniff.Starts("version https://git-lfs")},
	}
}
