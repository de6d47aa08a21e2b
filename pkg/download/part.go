package download

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"syscall"

	"acdclip/pkg/atomicfile"
	"acdclip/pkg/regularfile"
)

// part is the partial file.
type part interface {
	io.ReadWriteSeeker
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// openPart opens or creates the partial file. It follows no link.
func openPart(path string) (part, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o644)
}

// origin says where the bytes of the partial file come from.
type origin struct {
	URL      string `json:"url"`                // without a password
	SHA256   string `json:"sha256"`             // of the complete file
	Total    int64  `json:"total,omitempty"`    // bytes of the complete file, as the server said; 0 if unknown
	ETag     string `json:"etag,omitempty"`     // "" or a strong one
	Modified string `json:"modified,omitempty"` // Last-Modified
}

// validator is the value of If-Range; "" if the server gave none.
func (o origin) validator() string {
	if o.ETag != "" {
		return o.ETag
	}
	return o.Modified
}

// job is one download.
type job struct {
	File
	Options

	client *http.Client

	part  part
	sum   hash.Hash // of the partial file
	have  int64     // bytes in the partial file
	from  origin    // of these bytes; the zero value for none
	mixed bool      // they come from more than one answer
}

func (j *job) partPath() string   { return j.Path + ".part" }
func (j *job) originPath() string { return j.Path + ".part.json" }

// total is the number of bytes of the complete file, 0 if it is unknown.
func (j *job) total() int64 {
	if j.Size > 0 {
		return j.Size
	}
	return j.from.Total
}

// open opens what an earlier try has left, if it belongs to the same file.
func (j *job) open(ctx context.Context) (err error) {
	if _, err := regularfile.Stat(j.partPath()); err != nil && !errors.Is(err, os.ErrNotExist) { // opening a pipe would block
		return fmt.Errorf("opening the partial file: %w", err)
	}
	if j.part, err = j.create(j.partPath()); err != nil {
		return fmt.Errorf("opening the partial file: %w", diskFull(err))
	}
	if err = j.read(ctx); err != nil {
		return errors.Join(fmt.Errorf("reading the partial file %s: %w", j.partPath(), err), j.part.Close())
	}
	return nil
}

// read hashes the partial file, or empties it if it belongs to another file.
func (j *job) read(ctx context.Context) error {
	text, err := regularfile.Head(j.originPath(), 1<<16)
	if err != nil || json.Unmarshal(text, &j.from) != nil || j.from.SHA256 != j.SHA256 {
		return j.empty()
	}
	if j.from.URL != Shown(j.URL) { // another server has the same bytes, but its own names for them
		j.from.URL, j.from.ETag, j.from.Modified = Shown(j.URL), "", ""
	}
	j.sum = sha256.New()
	if j.have, err = io.Copy(j.sum, &reader{ctx: ctx, r: j.part, each: func(int64) {}}); err != nil {
		return err
	}
	if j.have > j.most() {
		return j.empty()
	}
	j.mixed = j.have > 0
	return nil
}

// empty starts the partial file anew.
func (j *job) empty() error {
	j.sum, j.have, j.from, j.mixed = sha256.New(), 0, origin{}, false
	if err := j.part.Truncate(0); err != nil {
		return err
	}
	_, err := j.part.Seek(0, io.SeekStart)
	return err
}

// begin records where the following bytes come from, before the first of them is written.
func (j *job) begin(from origin) error {
	if from == j.from {
		return nil
	}
	j.from = from
	err := atomicfile.Write(j.originPath(), func(w io.Writer) error { return json.NewEncoder(w).Encode(from) })
	return diskFull(err)
}

// write appends to the partial file.
func (j *job) write(b []byte) error {
	n, err := j.part.Write(b)
	j.sum.Write(b[:n])
	j.have += int64(n)
	if err != nil {
		return fatal{fmt.Errorf("writing %s: %w", j.partPath(), diskFull(err))}
	}
	return nil
}

// finish gives the complete file its name, if its content is the expected one. Otherwise
// it empties the partial file: the error is errAgain if the bytes come from several
// answers, which may have been of different files, else it wraps ErrWrongBytes.
func (j *job) finish() error {
	if got := hex.EncodeToString(j.sum.Sum(nil)); got != j.SHA256 {
		if j.mixed {
			return fmt.Errorf("the parts do not belong together: %w", errAgain)
		}
		return fatal{errors.Join(
			fmt.Errorf("%s: the SHA-256 of what was sent is %s, not %s: %w; nothing is kept", Shown(j.URL), got, j.SHA256, ErrWrongBytes), j.discard(),
		)}
	}
	if err := j.part.Sync(); err != nil {
		return fatal{fmt.Errorf("writing %s: %w", j.partPath(), diskFull(err))}
	}
	if err := atomicfile.Rename(j.partPath(), j.Path); err != nil {
		return fatal{err}
	}
	if err := os.Remove(j.originPath()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fatal{err}
	}
	return nil
}

// discard removes the partial file.
func (j *job) discard() error {
	err := os.Remove(j.partPath())
	if origin := os.Remove(j.originPath()); !errors.Is(origin, os.ErrNotExist) {
		err = errors.Join(err, origin)
	}
	return err
}

// close closes the partial file, and removes it if it is empty.
func (j *job) close() error {
	err := j.part.Close()
	if j.have == 0 {
		_ = j.discard() // it may be gone already
	}
	return err
}

// diskFull wraps an error that means a lack of space in ErrDiskFull.
func diskFull(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	}
	return err
}
