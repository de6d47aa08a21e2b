package checkpoint

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"acdclip/pkg/builtin"
	"acdclip/pkg/config"
	"acdclip/pkg/digest"
	"acdclip/pkg/model/card"
	"acdclip/pkg/strictjson"
)

// decode decodes Metadata strictly: unknown and missing entries are errors, because they
// could affect the numbers.
func decode(text string, methods card.List) (Metadata, error) {
	var version struct {
		Format int    `json:"format"`
		Method string `json:"method"`
	}
	if err := json.Unmarshal([]byte(text), &version); err != nil {
		return Metadata{}, fmt.Errorf("its metadata cannot be read: %w", err)
	}
	if version.Format != FormatVersion {
		return Metadata{}, fmt.Errorf("its format version is %d, expected %d: %w", version.Format, FormatVersion, ErrOtherVersion)
	}
	method, err := methods.Find(version.Method)
	if err != nil {
		return Metadata{}, fmt.Errorf("it belongs to the method %q, which this version of acdclip does not have", version.Method)
	}
	metadata := empty(method)
	if err := strictjson.Decode(text, &metadata); err != nil {
		return Metadata{}, fmt.Errorf("its metadata %w", otherVersion(err))
	}
	if err := config.Validate("model", metadata.Model); err != nil {
		return Metadata{}, sectionError("model", err)
	}
	if metadata.Loss != nil {
		if err := config.Validate("loss", metadata.Loss); err != nil {
			return Metadata{}, sectionError("loss", err)
		}
	}
	return metadata, nil
}

// ErrOtherVersion reports a file that another version of acdclip wrote.
var ErrOtherVersion = errors.New("written by another version of acdclip")

// otherVersion explains why JSON does not have the expected form. The error continues a
// sentence that names the JSON.
func otherVersion(err error) error {
	key, ok := errors.AsType[*strictjson.KeyError](err)
	switch {
	case !ok:
		return fmt.Errorf("cannot be read: %w: %w", ErrOtherVersion, err)
	case key.Missing:
		return fmt.Errorf("has no entry %s: %w, an older one", key.Key, ErrOtherVersion)
	}
	return fmt.Errorf("has an unknown entry %q: %w, a newer one", key.Key, ErrOtherVersion)
}

// empty returns metadata whose sections have the method's types.
func empty(method card.Card) Metadata {
	preset := method.Presets[0]
	m := Metadata{Model: config.Emptied(preset.Model())}
	if preset.Loss != nil {
		m.Loss = config.Emptied(preset.Loss())
	}
	return m
}

// sectionError names the section of the file that is invalid. Its %v hides a
// *config.Error: an invalid value is a fault of the file, not of the user's configuration.
func sectionError(section string, err error) error {
	return fmt.Errorf("its %s section: %v", section, err)
}

// hashFile returns "sha256:..." of a file's content.
func hashFile(path string) (string, error) {
	if builtin.Is(path) {
		content, err := builtin.Checkpoint(path)
		sum := sha256.Sum256(content)
		return digest.SHA256(sum[:]), err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return digest.SHA256(sum.Sum(nil)), nil
}

// SetupHash returns a hash of the training setup without the seed, the machine and the
// versions of programs: checkpoints with the same hash differ only by chance. It is "" if
// the seed is unknown.
func (m Metadata) SetupHash() (string, error) {
	if m.Seed == nil {
		return "", nil
	}
	m.Seed, m.Threads, m.Device, m.Versions = nil, 0, "", Versions{}
	text, err := json.Marshal(m)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return digest.SHA256(sum[:]), nil
}
