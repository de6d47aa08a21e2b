package anomalymap

import (
	"io"

	"acdclip/pkg/sniff"
)

const (
	// headBytes is how much of a file's start is looked at to find its format.
	headBytes = 64
	// wanted is the advice that fits whatever is wrong with a file.
	wanted = "float32 of shape (H, W): np.save(path, scores.astype(np.float32))"
)

// format is one kind of file: how it is recognised and read.
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

// foreign are contents that people mistake for maps that are read.
func foreign() []sniff.Kind {
	return []sniff.Kind{
		{Name: "a ZIP archive, as .npz and .pt files are", Is: sniff.Starts("PK")},
		{Name: "a Python pickle", Is: sniff.Starts("\x80")},
		{Name: "a JPEG picture, whose values are not exact", Is: sniff.Starts("\xff\xd8\xff")},
		{Name: "an HDF5 file", Is: sniff.Starts("\x89HDF\r\n\x1a\n")},
		{Name: "gzip-compressed data", Is: sniff.Starts("\x1f\x8b")},
		{Name: "an OpenEXR picture", Is: sniff.Starts("\x76\x2f\x31\x01")},
		{Name: "a git-lfs pointer (`git lfs pull` fetches the file)", Is: sniff.Starts("version https://git-lfs")},
	}
}
