package checkpoint

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"acdclip/pkg/config"
	"acdclip/pkg/model/card"
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
		return Metadata{}, fmt.Errorf("its format version is %d, expected %d: %w", version.Format, FormatVersion, config.ErrOtherVersion)
	}
	method, err := methods.Find(version.Method)
	if err != nil {
		return Metadata{}, fmt.Errorf("it belongs to the method %q, which this version of acdclip does not have", version.Method)
	}
	metadata := empty(method)
	var sections struct {
		Model, Loss json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &sections); err != nil {
		return Metadata{}, fmt.Errorf("its metadata cannot be read: %w", err)
	}
	// config.Decode rejects missing and invalid options.
	if err := config.Decode("model", cmp.Or(string(sections.Model), "{}"), metadata.Model); err != nil {
		return Metadata{}, sectionError("model", err)
	}
	if metadata.Loss != nil {
		if err := config.Decode("loss", cmp.Or(string(sections.Loss), "{}"), metadata.Loss); err != nil {
			return Metadata{}, sectionError("loss", err)
		}
	}
	metadata = empty(method)
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&metadata); err != nil {
		return Metadata{}, fmt.Errorf("its metadata cannot be read: %w: %w", config.ErrOtherVersion, err)
	}
	if missing := missingEntry(text, metadata); missing != "" {
		return Metadata{}, fmt.Errorf("its metadata has no entry %s: %w", missing, config.ErrOtherVersion)
	}
	return metadata, nil
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
	if errors.Is(err, config.ErrOtherVersion) {
		return fmt.Errorf("its %s section: %w", section, err)
	}
	return fmt.Errorf("its %s section: %v", section, err)
}

// missingEntry returns the first entry that the encoding of decoded has but text, the
// JSON it was decoded from, lacks; "" if none is missing.
func missingEntry(text string, decoded any) string {
	var given, whole map[string]any
	written, err := json.Marshal(decoded)
	if err := errors.Join(err, json.Unmarshal(written, &whole), json.Unmarshal([]byte(text), &given)); err != nil {
		return err.Error()
	}
	return missingKey(given, whole, "")
}

func missingKey(given, whole map[string]any, prefix string) string {
	for _, name := range slices.Sorted(maps.Keys(whole)) {
		value, found := given[name]
		if !found {
			return prefix + name
		}
		part, isObject := whole[name].(map[string]any)
		if !isObject {
			continue
		}
		inner, _ := value.(map[string]any)
		if missing := missingKey(inner, part, prefix+name+"."); missing != "" {
			return missing
		}
	}
	return ""
}

// hashFile returns "sha256:..." of a file's content.
func hashFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
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
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}
