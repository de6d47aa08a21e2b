package inspection

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/domain"
	"acdclip/pkg/regularfile"
	"acdclip/pkg/scoring"
)

// Model scores single pictures for many goroutines. An Inspector is one.
type Model interface {
	Score(ctx context.Context, p Picture) (*Result, error)
}

// Files scores the pictures of files with a model that others use at the same time. It is a
// scoring.Scorer. Its pictures wait for places in the queue; it has no more of them at a time than
// a batch of its work has pictures, so the others are not refused for it.
type Files struct {
	Model     Model
	Side      int    // of the maps in pixels
	Class     string // of all pictures, in place of the work's
	Domain    domain.Domain
	MostBytes int64 // of a file
}

// Size is the side of the maps in pixels.
func (f Files) Size() int { return f.Side }

// ScoreAll scores the pictures of the work, whole, as the model reads them.
func (f Files) ScoreAll(ctx context.Context, work scoring.Work, each func(scoring.Scored) error) error {
	for _, batch := range work.Batches {
		scored := make([]scoring.Scored, len(batch))
		group, inGroup := errgroup.WithContext(ctx)
		for at, index := range batch {
			group.Go(func() (err error) {
				scored[at], err = f.score(inGroup, work.Items[index])
				scored[at].Picture.Index = index
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		for _, s := range scored {
			if err := each(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// score scores a file. Its own trouble is in the result.
func (f Files) score(ctx context.Context, item data.Item) (scoring.Scored, error) {
	s := scoring.Scored{Picture: pixels.Picture{Item: item}}
	content, err := f.read(item.Path)
	if err != nil {
		s.Err = err
		return s, nil
	}
	result, err := f.Model.Score(ctx, Picture{Encoded: content, Class: f.Class, Domain: f.Domain, Wait: true})
	if own, ok := errors.AsType[*PictureError](err); ok {
		s.Err = own
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Picture.Width, s.Picture.Height, s.Picture.Reading = result.Width, result.Height, result.Reading
	s.Score, s.MapMax, s.ClassProbability, s.Map = result.Score, result.MapMax, result.ClassProbability, result.Map
	return s, nil
}

// read reads a file that is not too large.
func (f Files) read(path string) ([]byte, error) {
	file, info, err := regularfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info.Size() > f.MostBytes {
		return nil, fmt.Errorf("the file has %d bytes, the most are %d", info.Size(), f.MostBytes)
	}
	return io.ReadAll(io.LimitReader(file, f.MostBytes))
}
