package pretrained

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	// fingerprintPrefix is the prefix of new fingerprints. Those of earlier versions begin
	// with earlierPrefix and cover the first earlierValues of each tensor.
	fingerprintPrefix = "sha256v2:"
	earlierPrefix     = "sha256:"
	earlierValues     = 1024
	// blockValues is the number of values per block; blocks are hashed in parallel.
	blockValues = 1 << 18
)

// Identity identifies a CLIP by its values.
type Identity struct {
	// Fingerprint is independent of the container and of any type that stores the values
	// without loss; see Checkpoint.Identity.
	Fingerprint string
	earlier     string // the fingerprint of earlier versions
}

// Is reports whether a fingerprint stored by this or an earlier version of the program
// belongs to this CLIP.
func (i Identity) Is(stored string) bool {
	if strings.HasPrefix(stored, earlierPrefix) {
		return stored == i.earlier
	}
	return stored == i.Fingerprint
}

// Fingerprint returns Identity's Fingerprint.
func (c *Checkpoint) Fingerprint() (string, error) {
	identity, err := c.Identity()
	return identity.Fingerprint, err
}

// Identity returns the CLIP's fingerprint: "sha256v2:" and the hex digest over the
// numbers of vision and text heads as little-endian uint64, a normalisation of pictures that
// is not CLIP's as text, a cut vocabulary as text, and, for each canonical tensor in order, its name, a zero byte, the number of dimensions and each dimension as
// little-endian uint64, and the digest of its values. That digest is the SHA-256 over the
// SHA-256 digests of each block of 2^18 values as little-endian float32.
//
// Tensors that were already read, for example to load the CLIP, are not read again.
func (c *Checkpoint) Identity() (Identity, error) {
	if c.identity != nil {
		return *c.identity, nil
	}
	identity, err := c.hash()
	if err == nil {
		c.remember(identity)
	}
	return identity, err
}

// hash computes the Identity.
func (c *Checkpoint) hash() (Identity, error) {
	sum, earlier := sha256.New(), sha256.New()
	sum.Write(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(c.Arch.VisionHeads)), uint64(c.Arch.TextHeads)))
	if c.Normalisation != CLIPNormalisation() {
		fmt.Fprintf(sum, "%v", c.Normalisation)
	}
	if c.KeptTokens != nil {
		fmt.Fprintf(sum, "%d %v", c.Arch.HashedTokens, c.KeptTokens)
	}
	var buffer []float32
	for _, t := range c.Tensors {
		seen, known := c.seen.of(t.Name)
		if !known {
			buffer = slices.Grow(buffer[:0], int(t.NumElements()))[:t.NumElements()]
			if err := t.ReadFloat32(buffer); err != nil {
				return Identity{}, fmt.Errorf("fingerprint of %s: %w", c.Path, err)
			}
			seen, _ = c.seen.of(t.Name)
		}
		label := append([]byte(t.Name), 0)
		label = binary.LittleEndian.AppendUint64(label, uint64(len(t.Shape)))
		for _, size := range t.Shape {
			label = binary.LittleEndian.AppendUint64(label, uint64(size))
		}
		sum.Write(label)
		sum.Write(seen.sum[:])
		earlier.Write(label)
		earlier.Write(putValues(make([]byte, 4*len(seen.first)), seen.first))
	}
	return Identity{Fingerprint: fingerprintPrefix + hexOf(sum), earlier: earlierPrefix + hexOf(earlier)}, nil
}

func hexOf(sum hash.Hash) string { return hex.EncodeToString(sum.Sum(nil)) }

// digest is the data of a tensor's values that a fingerprint needs.
type digest struct {
	sum   [sha256.Size]byte // SHA-256 over the blocks' SHA-256
	first []float32         // at most earlierValues
}

// digests is the digests of the tensors read so far. It is safe for concurrent use, but
// hashes one tensor at a time.
type digests struct {
	off     bool // the identity is known without them
	lock    sync.Mutex
	byName  map[string]digest
	buffers [][]byte // one per hashing goroutine
}

func (d *digests) of(name string) (digest, bool) {
	d.lock.Lock()
	defer d.lock.Unlock()
	found, ok := d.byName[name]
	return found, ok
}

// add adds the digest of a tensor's values if it is not present yet.
func (d *digests) add(name string, values []float32) {
	if d.off {
		return
	}
	d.lock.Lock()
	defer d.lock.Unlock()
	if _, known := d.byName[name]; known {
		return
	}
	if d.byName == nil {
		d.byName = map[string]digest{}
	}
	d.byName[name] = digest{sum: d.sumOf(values), first: slices.Clone(values[:min(earlierValues, len(values))])}
}

// pieceValues is the number of values converted to bytes at a time.
const pieceValues = 1 << 12

// sumOf hashes the blocks of values in parallel on all cores.
func (d *digests) sumOf(values []float32) [sha256.Size]byte {
	count := (len(values) + blockValues - 1) / blockValues
	sums := make([]byte, count*sha256.Size)
	var next atomic.Int64
	var workers sync.WaitGroup
	for i := range min(count, runtime.GOMAXPROCS(0)) {
		if i == len(d.buffers) {
			d.buffers = append(d.buffers, make([]byte, 4*pieceValues))
		}
		buffer := d.buffers[i]
		workers.Go(func() {
			for block := int(next.Add(1)) - 1; block < count; block = int(next.Add(1)) - 1 {
				one := sha256.New()
				for piece := range slices.Chunk(values[block*blockValues:min((block+1)*blockValues, len(values))], pieceValues) {
					one.Write(putValues(buffer, piece))
				}
				one.Sum(sums[block*sha256.Size : block*sha256.Size])
			}
		})
	}
	workers.Wait()
	return sha256.Sum256(sums)
}

// putValues stores values in b as little-endian float32, and returns the bytes.
func putValues(b []byte, values []float32) []byte {
	b = b[:4*len(values)]
	for i, v := range values {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
	}
	return b
}
