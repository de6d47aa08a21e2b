package contents

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"acdclip/pkg/regularfile"
)

// reader hashes files one after another with one buffer.
type reader struct {
	buffer []byte
	sha256 hash.Hash
}

func newReader() *reader {
	return &reader{buffer: make([]byte, 256<<10), sha256: sha256.New()}
}

// hash returns the hash of the file at path, which must still have the given size. Errors
// name the path, except ctx.Err().
func (r *reader) hash(ctx context.Context, path string, size int64) ([8]byte, error) {
	file, _, err := regularfile.Open(path)
	if err != nil {
		return [8]byte{}, err
	}
	defer file.Close()
	r.sha256.Reset()
	total := int64(0)
	for total <= size { // also ends for a file that keeps growing
		if err := ctx.Err(); err != nil {
			return [8]byte{}, err
		}
		n, err := file.Read(r.buffer)
		r.sha256.Write(r.buffer[:n])
		total += int64(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			return [8]byte{}, err
		}
	}
	if total != size {
		return [8]byte{}, fmt.Errorf("%s: the file's size changed while it was read", path)
	}
	return [8]byte(r.sha256.Sum(nil)), nil
}
