package weights

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

const (
	// In a file of at least holesMatter bytes of which less than one in maxHoles is stored
	// on disk, the weights are missing: the rest is holes, which read as zeros.
	holesMatter = 64 << 20
	maxHoles    = 16
	// maxExtents limits the number of extents to examine.
	maxExtents = 100_000
)

// checkHoles returns an error for a file that is mostly holes, such as an unfinished
// download into reserved space, or a small file with a large apparent size. If the file
// system does not report holes, the file counts as having none.
func checkHoles(file *os.File, size int64) error {
	if size < holesMatter {
		return nil
	}
	held, at := int64(0), int64(0)
	for range maxExtents {
		begin, err := unix.Seek(int(file.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) { // only a hole follows
			break
		}
		if err != nil {
			return nil
		}
		end, err := unix.Seek(int(file.Fd()), begin, unix.SEEK_HOLE)
		if err != nil {
			return nil
		}
		if held, at = held+end-begin, end; held >= size/maxHoles {
			return nil
		}
	}
	return malformed("only %d of the file's %d bytes are stored on disk, the rest are holes (perhaps an unfinished download)", held, size)
}
