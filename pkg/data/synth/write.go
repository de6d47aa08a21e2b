package synth

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/google/renameio/v2"
	"golang.org/x/image/bmp"
	"golang.org/x/sync/errgroup"
)

// write draws all pictures in parallel and then writes the text files.
func (p plan) write(ctx context.Context, dir string, o Options) error {
	if err := makeFolders(dir, p.paths()); err != nil {
		return err
	}
	group, drawing := errgroup.WithContext(ctx)
	group.SetLimit(o.Workers)
	var lock sync.Mutex
	done := 0
	for _, j := range p.jobs {
		if drawing.Err() != nil {
			break
		}
		group.Go(func() error {
			if err := drawing.Err(); err != nil {
				return err
			}
			if err := j.write(dir, o.Size); err != nil {
				return fmt.Errorf("%s: %w", j.picture, err)
			}
			if o.Progress != nil {
				lock.Lock()
				defer lock.Unlock()
				done++
				o.Progress(done, len(p.jobs))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, t := range p.texts {
		if err := renameio.WriteFile(below(dir, t.path), t.text, 0o644); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func makeFolders(dir string, paths []string) error {
	made := map[string]bool{}
	for _, path := range paths {
		folder := filepath.Dir(below(dir, path))
		if made[folder] {
			continue
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		made[folder] = true
	}
	return nil
}

// below returns the file system path of a plan's path.
func below(dir, path string) string { return filepath.Join(dir, filepath.FromSlash(path)) }

// write draws the picture and writes its files.
func (j job) write(dir string, size int) error {
	colors, mask, err := render(j.name, *j.class, j.defect, size)
	if err != nil {
		return err
	}
	if mask == nil {
		mask = make([]uint8, len(colors.Pix)/4)
	}
	d := drawing{colors, &image.Gray{Pix: mask, Stride: colors.Rect.Dx(), Rect: colors.Rect}, j.defect}
	if j.mask != "" {
		if err := encode(below(dir, j.mask), j.place.mask.look(d)); err != nil {
			return err
		}
	}
	return encode(below(dir, j.picture), j.place.picture.look(d))
}

// formats maps file extensions to encoders.
var formats = map[string]func(io.Writer, image.Image) error{
	".png": func(w io.Writer, m image.Image) error {
		encoder := png.Encoder{CompressionLevel: png.BestSpeed} // noisy pictures hardly compress better
		return encoder.Encode(w, m)
	},
	".jpg": func(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, &jpeg.Options{Quality: 90}) },
	".bmp": bmp.Encode,
}

// encode writes a picture atomically.
func encode(path string, m image.Image) error {
	var file bytes.Buffer
	if err := formats[strings.ToLower(filepath.Ext(path))](&file, m); err != nil {
		return err
	}
	return renameio.WriteFile(path, file.Bytes(), 0o644)
}
