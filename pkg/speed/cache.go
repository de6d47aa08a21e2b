package speed

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"acdclip/pkg/atomicfile"
)

// Key is everything that the times depend on.
type Key struct {
	CPU          string   `json:"cpu"`          // its name
	Instructions string   `json:"instructions"` // the instruction set that libtorch uses
	Threads      int      `json:"threads"`
	Libtorch     string   `json:"libtorch"` // its version
	Native       string   `json:"native"`   // the version of this program's native library
	Gradients    bool     `json:"gradients"`
	Width        int      `json:"width"`
	Heads        int      `json:"heads"`
	Tokens       int      `json:"tokens"`
	Formats      []string `json:"formats"` // that were measured, in their order
}

// Cache is a file with the times of earlier measurements. It is optional: a file that
// cannot be read or is damaged counts as empty, and one that cannot be written stays as it
// is. If two programs write at once, the last one wins.
type Cache struct {
	Path string // "" for none
}

// DefaultCache returns the cache in the user's cache folder, none if the system has no such
// folder.
func DefaultCache() Cache {
	folder, err := os.UserCacheDir()
	if err != nil {
		return Cache{}
	}
	return Cache{filepath.Join(folder, "acdclip", "speed.json")}
}

// entry is one measurement.
type entry struct {
	Key   Key   `json:"key"`
	Times Times `json:"times"`
}

// valid reports whether the times are those of the key's formats.
func (e entry) valid() bool {
	if len(e.Times) == 0 || len(e.Times) != len(e.Key.Formats) {
		return false
	}
	for i, each := range e.Times {
		if each.Format == "" || each.Format != e.Key.Formats[i] || !(each.Seconds >= leastSeconds && each.Seconds <= mostSeconds) {
			return false
		}
	}
	return true
}

// Bounds of a time, in seconds, within which ratios are numbers.
const (
	leastSeconds = 1e-9
	mostSeconds  = 1e6
)

// Bounds of the file; a user has few machines and models.
const (
	maxEntries = 256
	maxBytes   = 1 << 20
)

// file is the content of the file.
type file struct {
	Entries []entry `json:"entries"` // the newest last
}

// Find returns the times that were kept for a key.
func (c Cache) Find(key Key) (Times, bool) {
	entries := c.read()
	i := slices.IndexFunc(entries, func(e entry) bool { return reflect.DeepEqual(e.Key, key) })
	if i < 0 {
		return nil, false
	}
	return entries[i].Times, true
}

// Keep stores the times for a key, instead of earlier ones.
func (c Cache) Keep(key Key, times Times) {
	kept := entry{key, times}
	if c.Path == "" || !kept.valid() {
		return
	}
	entries := slices.DeleteFunc(c.read(), func(e entry) bool { return reflect.DeepEqual(e.Key, key) })
	entries = append(entries, kept)
	text, err := json.MarshalIndent(file{entries[max(0, len(entries)-maxEntries):]}, "", "  ")
	if err != nil || os.MkdirAll(filepath.Dir(c.Path), 0o700) != nil {
		return
	}
	_ = atomicfile.WriteQuickly("", c.Path, func(w io.Writer) error { // the cache is optional
		_, err := w.Write(text)
		return err
	})
}

// read returns the file's entries.
func (c Cache) read() []entry {
	info, err := os.Stat(c.Path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxBytes {
		return nil
	}
	text, err := os.ReadFile(c.Path)
	if err != nil {
		return nil
	}
	return decode(text)
}

// decode returns the valid entries of the file's content.
func decode(text []byte) []entry {
	var content file
	if json.Unmarshal(text, &content) != nil {
		return nil
	}
	return slices.DeleteFunc(content.Entries, func(e entry) bool { return !e.valid() })
}
