package contents

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/google/renameio/v2"
)

// settled is the minimum age of a file's modification time for its hash to be cached. A
// newer file may be written again without a change of that time, because some file
// systems store it in steps of two seconds.
const settled = 2 * time.Second

// DefaultCache returns the user's folder for Hasher.Cache; "" if the system has none.
func DefaultCache() string {
	folder, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(folder, "acdclip", "hashes")
}

// cache is the cached hashes of one dataset. Errors are not reported: an unreadable cache
// counts as empty, and a cache that cannot be written is not saved.
//
// Entries of deleted files stay until there are more than maxEntries; then only the new
// entries are kept.
type cache struct {
	path string // path of the cache file; "" for none
	here string // the folder at which relative paths start
	old  []entry

	mutex sync.Mutex
	added []entry
}

// openCache opens the cache of the dataset at root.
func openCache(folder, root string) *cache {
	if folder == "" {
		return &cache{}
	}
	here, err := filepath.Abs(".")
	if err != nil {
		return &cache{}
	}
	root, err = filepath.Abs(root)
	if err != nil {
		return &cache{}
	}
	name := sha256.Sum256([]byte(root))
	path := filepath.Join(folder, hex.EncodeToString(name[:16]))
	return &cache{path: path, here: here, old: load(path)}
}

// load returns the entries of the cache file; none if it is missing or invalid.
func load(path string) []entry {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > int64(maxEncoded) {
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return decode(content)
}

// key returns a hash of the file's path, size and modification time.
func (c *cache) key(path string, info os.FileInfo) [16]byte {
	if !filepath.IsAbs(path) {
		path = c.here + string(filepath.Separator) + path // not cleaned, because ".." after a link is another folder
	}
	b := make([]byte, 0, len(path)+16)
	b = append(b, path...)
	b = binary.BigEndian.AppendUint64(b, uint64(info.Size()))
	b = binary.BigEndian.AppendUint64(b, uint64(info.ModTime().UnixNano()))
	sum := sha256.Sum256(b)
	return [16]byte(sum[:])
}

func (c *cache) lookup(key [16]byte) (hash [8]byte, found bool) {
	i, found := slices.BinarySearchFunc(c.old, entry{key: key}, entry.compare)
	if !found {
		return hash, false
	}
	return c.old[i].hash, true
}

func (c *cache) add(e entry) {
	if c.path == "" {
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.added = append(c.added, e)
}

// save writes the cache file if there are new entries. If two programs save concurrently,
// the last one wins.
func (c *cache) save() {
	if len(c.added) == 0 {
		return
	}
	entries := c.added
	if len(c.old)+len(c.added) <= maxEntries {
		entries = append(entries, c.old...)
	}
	slices.SortFunc(entries, entry.compare)
	entries = slices.CompactFunc(entries, func(a, b entry) bool { return a.key == b.key })
	folder := filepath.Dir(c.path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return
	}
	file, err := renameio.NewPendingFile(c.path, renameio.WithTempDir(folder), renameio.WithPermissions(0o600))
	if err != nil {
		return
	}
	defer file.Cleanup() // does nothing after the rename
	if _, err := file.Write(encode(entries[:min(len(entries), maxEntries)])); err != nil {
		return
	}
	_ = file.CloseAtomicallyReplace() // the cache is optional
}
