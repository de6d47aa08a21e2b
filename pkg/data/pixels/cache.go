package pixels

import (
	"sync"

	"acdclip/pkg/data/pixels/picture"
)

// Cache keeps decoded pictures, so that the next pass over the same items need not
// decode them again. A cache is valid for one list of items and one LoadOptions.
//
// It stores pictures until it is full and never evicts: with a new random order in
// each epoch, no other strategy has more hits. A nil *Cache stores nothing. It is safe
// for concurrent use.
type Cache struct {
	mutex sync.Mutex
	free  int64 // bytes
	held  map[int]decoded
}

// NewCache returns a cache for at most the given number of bytes of pixels.
func NewCache(bytes int64) *Cache {
	return &Cache{free: bytes, held: map[int]decoded{}}
}

func (c *Cache) get(index int) (decoded, bool) {
	if c == nil {
		return decoded{}, false
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	d, held := c.held[index]
	return d, held
}

func (c *Cache) put(index int, d decoded) {
	if c == nil {
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if _, held := c.held[index]; held || d.bytes() > c.free {
		return
	}
	c.held[index] = d
	c.free -= d.bytes()
}

// Held returns the number of cached pictures and their size in bytes.
func (c *Cache) Held() (pictures int, bytes int64) {
	if c == nil {
		return 0, 0
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, d := range c.held {
		bytes += d.bytes()
	}
	return len(c.held), bytes
}

// decoded is the part of a picture that is the same in all epochs.
type decoded struct {
	width, height int
	image         *picture.Image // at its original size, the input of augmentation; nil without augmentation
	pix           []uint8        // [S, S, 3]; nil with augmentation
	mask          []uint8        // [S, S]; nil for a normal picture, and if masks are not loaded
	fit           MaskFit
	reading       picture.Reading
}

func (d decoded) bytes() int64 {
	const record = 128 // bytes of the map entry and the slice headers
	size := int64(len(d.pix) + len(d.mask) + record)
	if d.image != nil {
		size += int64(len(d.image.Pix))
	}
	return size
}
