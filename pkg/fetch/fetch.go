// Package fetch downloads published weights into the folder where the program looks for
// them, and makes them ready for use: checkpoints of methods' authors are converted to
// this program's format.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"acdclip/pkg/atomicfile"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/download"
	"acdclip/pkg/model/card"
	"acdclip/pkg/published"
)

// ErrOffline reports weights that are not there and must not be downloaded.
var ErrOffline = errors.New("is not there, and offline nothing is downloaded")

// Options say where to, where from and how. All but Methods may be zero.
type Options struct {
	Cache, Mirror string    // see config.Weights
	Offline       bool      // open no connection
	Methods       card.List // that recognise checkpoints
	Download      download.Options
}

// Get downloads an entry, unless it is there, and checks it either way. It returns the
// path to use and whether it was there. Errors are those of package download, ErrOffline
// and, for a checkpoint, those of package checkpoint.
func Get(ctx context.Context, e published.Entry, o Options) (path string, there bool, err error) {
	folder, err := published.Folder(o.Cache)
	if err != nil {
		return "", false, err
	}
	f, err := File(e, folder, o.Mirror)
	if err != nil {
		return "", false, err
	}
	if e.Kind == published.Checkpoint {
		path = e.Path(folder)
		there, err = o.checkpoint(ctx, e, f, path)
		return path, there, err
	}
	there, err = o.file(ctx, e, f)
	return f.Path, there, err
}

// File is the download of an entry.
func File(e published.Entry, folder, mirror string) (download.File, error) {
	address, err := e.Address(mirror)
	f := download.File{URL: address, Path: e.Download(folder), SHA256: e.SHA256, Size: e.Size}
	if e.About {
		f.Size, f.Limit = 0, e.Size+e.Size/10
	}
	return f, err
}

// file gets the publisher's file.
func (o Options) file(ctx context.Context, e published.Entry, f download.File) (there bool, err error) {
	if !o.Offline {
		outcome, err := download.Get(ctx, f, o.Download)
		return outcome == download.Present, err
	}
	err = download.Verify(ctx, f, o.Download.Checking)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%s %w: put the publisher's file at %s, or leave --offline out", e.Name, ErrOffline, f.Path)
	}
	return err == nil, err
}

// checkpoint gets the publisher's file and converts it to path, where it is found later.
func (o Options) checkpoint(ctx context.Context, e published.Entry, f download.File, path string) (there bool, err error) {
	if o.converted(e, path) == nil { // without the lock, which a folder that is read-only cannot hold
		return true, nil
	}
	if !o.Offline {
		lock, err := download.Hold(ctx, path, o.notice)
		if err != nil {
			return false, err
		}
		defer lock.Close() // fails only for a file that is closed
	}
	switch err := o.converted(e, path); {
	case err == nil:
		return true, nil
	case !errors.Is(err, os.ErrNotExist):
		o.notice(fmt.Sprintf("%v; replacing it", err))
	}
	if _, err := o.file(ctx, e, f); err != nil {
		return false, err
	}
	err = atomicfile.Write(path, func(w io.Writer) error {
		return checkpoint.Convert(w, f.Path, o.Methods, checkpoint.Training{Auxiliary: e.Auxiliary, Epoch: e.Epoch})
	})
	if err == nil {
		err = o.converted(e, path)
	}
	if err != nil {
		return false, fmt.Errorf("converting %s: %w", e.Name, err)
	}
	if o.Offline { // the user put it there
		return false, nil
	}
	for _, done := range []string{f.Path, f.Path + ".lock"} { // nobody waits for the lock: this process holds that of path
		if err := os.Remove(done); err != nil && !errors.Is(err, os.ErrNotExist) {
			return false, fmt.Errorf("removing what is not needed any more: %w", err)
		}
	}
	return false, nil
}

// converted checks that path is the entry, converted.
func (o Options) converted(e published.Entry, path string) error {
	c, err := checkpoint.Open(path, o.Methods)
	if err != nil {
		return err
	}
	defer c.Close()
	if m := c.Metadata; m.Method != e.For[0] || m.Auxiliary != e.Auxiliary || m.Epoch != e.Epoch {
		return fmt.Errorf("%s is not %s, but a checkpoint of %s, trained on %s", path, e.Name, m.Method, m.Auxiliary)
	}
	return nil
}

func (o Options) notice(text string) {
	if o.Download.Notice != nil {
		o.Download.Notice(text)
	}
}
