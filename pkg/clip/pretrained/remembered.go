package pretrained

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"acdclip/pkg/atomicfile"
)

// rememberFrom is the number of values from which an identity is worth a file of its own:
// those of a smaller CLIP are hashed in an instant.
const rememberFrom = 16 << 20

// remembered is an Identity on disk.
type remembered struct {
	Fingerprint string `json:"fingerprint"`
	Earlier     string `json:"earlier"`
}

// Remember has Identity keep its result in a folder for large CLIPs, and take it from there as
// long as the weight files have not changed: then reading tensors hashes nothing. Call it
// before tensors are read. A folder that cannot be read or written only costs time.
func (c *Checkpoint) Remember(folder string) { c.rememberIn(folder, rememberFrom) }

// rememberIn is Remember for CLIPs of at least so many values.
func (c *Checkpoint) rememberIn(folder string, least int64) {
	values := int64(0)
	for _, t := range c.Tensors {
		values += t.NumElements()
	}
	version := c.file.Version()
	if folder == "" || version == "" || values < least {
		return
	}
	key := sha256.New()
	fmt.Fprintf(key, "%s%d %d %v %d %v\n", version, c.Arch.VisionHeads, c.Arch.TextHeads, c.Normalisation, c.Arch.HashedTokens, c.KeptTokens)
	for _, t := range c.Tensors {
		fmt.Fprintf(key, "%s %v\n", t.Name, t.Shape)
	}
	c.memory = filepath.Join(folder, hex.EncodeToString(key.Sum(nil)[:16])+".json")
	content, err := os.ReadFile(c.memory)
	if err != nil {
		return
	}
	var found remembered
	if json.Unmarshal(content, &found) == nil && found.Fingerprint != "" && found.Earlier != "" {
		c.identity = &Identity{Fingerprint: found.Fingerprint, earlier: found.Earlier}
		c.seen.off = true
	}
}

// remember keeps an identity on disk, if Remember was called.
func (c *Checkpoint) remember(i Identity) {
	if c.memory == "" || os.MkdirAll(filepath.Dir(c.memory), 0o700) != nil {
		return
	}
	_ = atomicfile.Write(c.memory, func(w io.Writer) error {
		return json.NewEncoder(w).Encode(remembered{i.Fingerprint, i.earlier})
	})
}
