package pixels

import (
	"sync"

	"acdclip/pkg/data/pixels/picture"
)

// Cache keeps what decoding gave, so that the next pass over the same items does
// not decode again. It belongs to one list of items and one set of LoadOptions.
//
// It takes in until it is full and never gives anything up: of pictures that
// come in a new order in each epoch any other rule would keep no more. A nil
// *Cache keeps nothing. Any goroutine may use it.
type Cache struct {
	mutex sync.Mutex
	free  int64 // bytes
	held  map[int]decoded
}

// NewCache returns a cache that holds at most so many bytes of pixels.
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

// Held is how many pictures the cache keeps, and their bytes.
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

// decoded is what does not change from one epoch to the next.
type decoded struct {
	width, height int
	image         *picture.Image // at its own size: what augmentation begins with; nil without it
	pix           []uint8        // [S, S, 3]; nil with augmentation
	mask          []uint8        // [S, S]; nil for a normal picture and without masks
	fit           MaskFit
}

func (d decoded) bytes() int64 {
	const record = 128 // of the map's entry and the headers
	size := int64(len(d.pix) + len(d.mask) + record)
	if d.image != nil {
		size += int64(len(d.image.Pix))
	}
	return size
}
