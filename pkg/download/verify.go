package download

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"acdclip/pkg/regularfile"
)

// Verify compares the file at f.Path with the expected size and SHA-256. If they differ,
// the error wraps ErrWrongBytes; if there is no file, os.ErrNotExist. progress (nil: none)
// is called with the bytes read so far and their total.
func Verify(ctx context.Context, f File, progress func(done, total int64)) error {
	file, info, err := regularfile.Open(f.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	if f.Size > 0 && info.Size() != f.Size {
		return fmt.Errorf("%s has %d bytes, not %d: %w", f.Path, info.Size(), f.Size, ErrWrongBytes)
	}
	sum := sha256.New()
	reading := &reader{ctx: ctx, r: file, each: func(done int64) {
		if progress != nil {
			progress(done, info.Size())
		}
	}}
	if _, err := io.Copy(sum, reading); err != nil {
		return fmt.Errorf("reading %s: %w", f.Path, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != f.SHA256 {
		return fmt.Errorf("%s has the SHA-256 %s, not %s: %w", f.Path, got, f.SHA256, ErrWrongBytes)
	}
	return nil
}

// reader reads until ctx ends, and reports the number of bytes read so far.
type reader struct {
	ctx  context.Context
	r    io.Reader
	each func(done int64)
	done int64
}

func (r *reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(b)
	r.done += int64(n)
	r.each(r.done)
	return n, err
}
