package picture

import (
	"fmt"
	"io"
	"runtime"
)

const (
	// maxBytesPerPixel is the size of the largest uncompressed pixel: four 32-bit channels.
	maxBytesPerPixel = 16
	// maxExtraBytes allows for data besides the pixels: profiles, previews, further pages.
	maxExtraBytes = 256 << 20
)

// readPicture checks that the header declares at most o.MaxPixels, then reads the whole
// file at path. Every error names the path.
func readPicture(path string, o DecodeOptions) ([]byte, error) {
	file, found, promised, err := openPicture(path, o)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	pixels := int64(promised.Width) * int64(promised.Height)
	if (found.Size()-maxExtraBytes)/maxBytesPerPixel > pixels {
		return nil, fmt.Errorf("%s: %w: %d bytes for %d pixels", path, ErrTooLarge, found.Size(), pixels)
	}
	if pixels >= largePixels {
		runtime.GC() // frees the last large picture; see Stored.collect
	}
	b := make([]byte, found.Size())
	if _, err := io.ReadFull(file, b); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return b, nil
}
