package weights

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

const (
	// A file of at least holesMatter bytes of which less than one in maxHoles is on
	// the disk holds nothing that was trained: the rest is holes, which read as zeros.
	holesMatter = 64 << 20
	maxHoles    = 16
	// maxExtents bounds how long is looked.
	maxExtents = 100_000
)

// checkHoles refuses a file that is mostly holes, as an unfinished download into
// reserved space is, or a small file that pretends to be a large one. Where the
// file system cannot tell, there are none.
func checkHoles(file *os.File, size int64) error {
	if size < holesMatter {
		return nil
	}
	held, at := int64(0), int64(0)
	for range maxExtents {
		begin, err := unix.Seek(int(file.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) { // holes up to the end
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
	return malformed("only %d of the file's %d bytes are on the disk, the rest are holes (an unfinished download?)", held, size)
}
