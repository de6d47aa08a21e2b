package main

import (
	"github.com/spf13/pflag"

	"acdclip/pkg/conditions"
	"acdclip/pkg/config"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/tiling"
)

// defaultOverlap is the share of a tile that it has in common with the next one.
const defaultOverlap = 0.25

// tileHelp explains these flags.
const tileHelp = `--tile SIZE finds small defects in large pictures, which are lost when the whole picture
is scaled to the model's input. A picture with a side longer than SIZE is cut into
overlapping squares of SIZE pixels (of its shorter side, if that is shorter than SIZE),
and each is scored like a picture. The picture's score and class probability are the
largest of its tiles', since one bad place makes a picture bad; the maps are blended into
one of at most 16 million values. A picture of more tiles is more likely to have a high
score by chance: calibrate with the same --tile, on pictures of the same size.
Of pictures with more than 67 million pixels only one is in memory at a time. One of
20,000 x 20,000 pixels takes 1 GB as a JPEG and 2 GB as a PNG in color; 1 GB more if it is
progressive or EXIF turns it, and 3 GB more for a heat map without --max-side. More than
200 million pixels need, for example, --set data.max_pixels=400000000.`

// registerTiles adds the flags that cut large pictures.
func (o *detectorOptions) registerTiles(flags *pflag.FlagSet) {
	flags.IntVar(&o.tiles.Size, "tile", 0, "`SIZE` cut larger pictures into tiles of SIZE x SIZE pixels of the picture; 0: score each picture as a whole")
	flags.Float64Var(&o.tiles.Overlap, "overlap", defaultOverlap, "`F` with --tile: share of a tile that it has in common with the next one, from 0 to 0.75")
}

// checkTiles checks these flags.
func (o *detectorOptions) checkTiles() error {
	switch size, overlap := o.tiles.Size, o.tiles.Overlap; {
	case size == 0 && o.config.flags.Changed("overlap"):
		return usagef("--overlap needs --tile, the size of the tiles that overlap")
	case size != 0 && size < tiling.LeastSize:
		return usagef("--tile is %d, but must be at least %d pixels, or 0 to score each picture as a whole", size, tiling.LeastSize)
	case !(overlap >= 0 && overlap <= tiling.MostOverlap):
		return usagef("--overlap is %v, but must be from 0 to %v", overlap, tiling.MostOverlap)
	}
	return nil
}

// loadOptions say how pictures are read and cut.
func (o *detectorOptions) loadOptions(c config.Config) pixels.LoadOptions {
	load := loadOptions(c)
	load.Tiles = o.tiles
	return load
}

// tileConditions are the conditions of these flags; none for pictures that are scored as a whole.
func (o *detectorOptions) tileConditions() conditions.Record {
	if o.tiles.Size == 0 {
		return nil
	}
	return conditions.Record{conditions.Of(conditions.Numbers, "--tile", o.tiles.Size), conditions.Of(conditions.Numbers, "--overlap", o.tiles.Overlap)}
}
