package detect

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"acdclip/pkg/data/pixels"
	"acdclip/pkg/events"
	"acdclip/pkg/scoring"
	"acdclip/pkg/tiling"
)

// manyTiles is the number of tiles from which a picture has its own progress.
const manyTiles = 100

// scoreTiles scores a picture that is cut into tiles. Its score, class probability and raw
// maximum are the largest of its tiles', its map is blended from theirs. The returned error
// ends the work; the picture's own is in Scored.
func (d *Detector) scoreTiles(ctx context.Context, p pixels.Picture, w scoring.Work) (scoring.Scored, error) {
	start := time.Now()
	tiles, err := pixels.OpenTiles(p.Item, w.Load)
	w.Costs.Reading.Add(time.Since(start))
	scored := scoring.Scored{Picture: p, Err: err}
	if err != nil {
		return scored, nil
	}
	scored.Picture.Width, scored.Picture.Height, scored.Picture.Reading = tiles.Plan.Width, tiles.Plan.Height, tiles.Reading
	progress := startTiles(w, p.Item.Path, tiles.Plan.Count())
	if scored.Err, err = d.blendTiles(ctx, &scored, tiles, w, progress); err != nil {
		return scored, err
	}
	progress.end()
	return scored, nil
}

// blendTiles scores tiles batch by batch into scored. failed is the picture's own error; err
// ends the work.
func (d *Detector) blendTiles(ctx context.Context, scored *scoring.Scored, tiles *pixels.Tiles, w scoring.Work, progress *tileProgress) (failed, err error) {
	blend, done := tiling.NewBlend(tiles.Plan, d.Size()), 0
	classOf := slices.Repeat([]int{w.ClassOf[scored.Picture.Index]}, w.TileBatch)
	var waiting []pixels.Picture
	for tile, err := range tiles.All() {
		if err != nil {
			return err, nil
		}
		waiting = append(waiting, pixels.Picture{Pix: tile})
		if len(waiting) < w.TileBatch && done+len(waiting) < tiles.Plan.Count() {
			continue
		}
		start := time.Now()
		results, err := d.Score(ctx, w.Classes, waiting, classOf[:len(waiting)])
		w.Costs.Model.Add(time.Since(start))
		if err != nil {
			return nil, err
		}
		for _, result := range results {
			if result.Err != nil {
				return fmt.Errorf("the tile at %v: %w", tiles.Plan.At(done).Min, result.Err), nil
			}
			blend.Add(done, result.Map)
			takeLargest(scored, result)
			done++
		}
		progress.at(done)
		waiting = waiting[:0]
	}
	scored.Map = blend.Map()
	scored.MapMax = withinOne(slices.Max(scored.Map.Scores))
	return nil, nil
}

// takeLargest raises the scores of a picture to those of one of its tiles.
func takeLargest(scored *scoring.Scored, tile scoring.Scored) {
	scored.Score = max(scored.Score, tile.Score)
	for _, value := range []struct {
		of   **float32
		tile *float32
	}{{&scored.ClassProbability, tile.ClassProbability}, {&scored.RawMapMax, tile.RawMapMax}} {
		if value.tile != nil && (*value.of == nil || **value.of < *value.tile) {
			*value.of = value.tile
		}
	}
}

// tileProgress reports the progress of a picture with many tiles as a stage of its own.
type tileProgress struct {
	emit  func(events.Event) // nil: it has few
	stage string
	total int
	start time.Time
}

// startTiles begins the stage. at is called as tiles are done, and end if the work goes on.
func startTiles(w scoring.Work, path string, total int) *tileProgress {
	p := &tileProgress{stage: "tiles of " + filepath.Base(path), total: total, start: time.Now()}
	if total < manyTiles || w.Emit == nil {
		return p
	}
	p.emit = w.Emit
	p.emit(events.StageStarted{Stage: p.stage, Unit: "tiles", Total: total, Within: w.Stage})
	return p
}

func (p *tileProgress) at(done int) {
	if p.emit != nil {
		p.emit(events.Progress{Stage: p.stage, Done: done, Total: p.total})
	}
}

func (p *tileProgress) end() {
	if p.emit != nil {
		p.emit(events.StageDone{Stage: p.stage, Seconds: time.Since(p.start).Seconds()})
	}
}
