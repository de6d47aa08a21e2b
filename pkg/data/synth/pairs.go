package synth

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/google/renameio/v2"
	"golang.org/x/sync/errgroup"
)

// PairOptions are the options of WritePairs.
type PairOptions struct {
	Set      string // the classes; "" means Seen
	Seed     uint64
	Count    int // number of pairs, 1 to MaxPairs
	Size     int // side of the pictures in pixels, MinSize to MaxPairSize; default 112
	Workers  int // pairs drawn in parallel; default: number of processors; does not change the output
	Progress func(done, total int)
}

// The limits of PairOptions. A file's arrays are held in memory: 1.8 GB at the largest size.
const (
	MaxPairs    = 5_000_000
	MaxPairSize = 512
)

// pairsPerFile is the number of pairs in one file of arrays.
const pairsPerFile = 1000

// PairInfo describes one pair in the list beside its arrays.
type PairInfo struct {
	Class  string `json:"class"`
	Kind   string `json:"kind"` // "texture" or "object"
	Defect string `json:"defect"`
}

// WritePairs draws pairs of a normal picture and the same picture with a defect, which a
// model can learn to tell apart, into the folder dir, which must not exist or be empty. Every
// thousand pairs are three files, numbered from 000:
//
//	pairs-000.npy  uint8 [pairs, 2, size, size, 3]: normal, with a defect; RGB
//	masks-000.npy  uint8 [pairs, size, size]: 255 at the defect, else 0
//	pairs-000.json a list of PairInfo
//
// A picture is a view of a whole scene or of a part of it. A pair depends only on the seed
// and its number. After an error, or when ctx ends, WritePairs removes the files it wrote.
func WritePairs(ctx context.Context, dir string, o PairOptions) (err error) {
	if o.Set == "" {
		o.Set = Seen
	}
	if o.Size == 0 {
		o.Size = 112
	}
	if o.Size < MinSize || o.Size > MaxPairSize {
		return fmt.Errorf("invalid size %d: it must be %d to %d pixels", o.Size, MinSize, MaxPairSize)
	}
	if o.Count < 1 || o.Count > MaxPairs {
		return fmt.Errorf("%d pairs: it must be 1 to %d", o.Count, MaxPairs)
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	from, err := newPairSource(o)
	if err != nil {
		return err
	}
	missing, err := requireEmpty(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removePairs(dir, missing))
		}
	}()
	for first := 0; first < o.Count; first += pairsPerFile {
		if err := from.writeFile(ctx, dir, first, min(pairsPerFile, o.Count-first)); err != nil {
			return fmt.Errorf("drawing pairs into %s: %w", dir, err)
		}
		if o.Progress != nil {
			o.Progress(min(first+pairsPerFile, o.Count), o.Count)
		}
	}
	return nil
}

// removePairs deletes the files of WritePairs, and the folder itself if whole is true.
func removePairs(dir string, whole bool) error {
	if whole {
		return os.RemoveAll(dir)
	}
	var failed error
	for _, pattern := range []string{"pairs-*.npy", "masks-*.npy", "pairs-*.json"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		failed = errors.Join(failed, err)
		for _, file := range files {
			failed = errors.Join(failed, os.Remove(file))
		}
	}
	return failed
}

// pairSource draws pairs of the classes of a set.
type pairSource struct {
	options           PairOptions
	textures, objects []class
}

func newPairSource(o PairOptions) (pairSource, error) {
	from := pairSource{options: o}
	if _, err := Classes(o.Set); err != nil {
		return from, err
	}
	for _, c := range built(entries(o.Set)) {
		if c.object {
			from.objects = append(from.objects, c)
		} else {
			from.textures = append(from.textures, c)
		}
	}
	return from, nil
}

// writeFile draws the pairs first to first+n-1 and writes their files; the list, which says
// that the file is complete, comes last.
func (s pairSource) writeFile(ctx context.Context, dir string, first, n int) error {
	size := s.options.Size
	area := size * size
	pictures, masks, list := make([]byte, n*2*area*3), make([]byte, n*area), make([]PairInfo, n)
	group, drawing := errgroup.WithContext(ctx)
	group.SetLimit(s.options.Workers)
	for i := range n {
		group.Go(func() error {
			if err := drawing.Err(); err != nil {
				return err
			}
			p, err := drawPair(s.options.Seed, first+i, s.textures, s.objects, size)
			if err != nil {
				return fmt.Errorf("pair %d: %w", first+i, err)
			}
			at := pictures[i*2*area*3:]
			for k := range area {
				copy(at[3*k:3*k+3], p.normal.Pix[4*k:])
				copy(at[3*(area+k):3*(area+k)+3], p.anomalous.Pix[4*k:])
			}
			copy(masks[i*area:], p.mask)
			list[i] = PairInfo{Class: p.class, Kind: p.kind, Defect: p.defect}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	lines, err := json.Marshal(list)
	if err != nil {
		return err
	}
	number := fmt.Sprintf("%03d", first/pairsPerFile)
	if err := writeArray(filepath.Join(dir, "pairs-"+number+".npy"), pictures, n, 2, size, size, 3); err != nil {
		return err
	}
	if err := writeArray(filepath.Join(dir, "masks-"+number+".npy"), masks, n, size, size); err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(dir, "pairs-"+number+".json"), lines, 0o644)
}

// writeArray writes bytes as a NumPy array of the given shape (format version 1.0).
func writeArray(path string, content []byte, shape ...int) error {
	dims := ""
	for _, n := range shape {
		dims += fmt.Sprintf("%d, ", n)
	}
	header := fmt.Appendf(nil, "{'descr': '|u1', 'fortran_order': False, 'shape': (%s), }", dims)
	const start = 10 // bytes before the header, which ends with a line feed at a multiple of 64
	header = append(header, bytes.Repeat([]byte(" "), 63-(start+len(header))%64)...)
	header = append(header, '\n')
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer file.Cleanup()
	prefix := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	for _, part := range [][]byte{prefix, header, content} {
		if _, err := file.Write(part); err != nil {
			return err
		}
	}
	return file.CloseAtomicallyReplace()
}
