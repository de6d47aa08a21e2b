package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"acdclip/pkg/config"
)

// decode reads Metadata strictly: an option that this program does not know
// might change the numbers.
func decode(text string) (Metadata, error) {
	var version struct {
		Format int           `json:"format"`
		Method config.Method `json:"method"`
	}
	if err := json.Unmarshal([]byte(text), &version); err != nil {
		return Metadata{}, fmt.Errorf("its metadata cannot be read: %w", err)
	}
	if version.Format != FormatVersion {
		return Metadata{}, fmt.Errorf("its format is %d and this program reads %d: %w", version.Format, FormatVersion, config.ErrOtherVersion)
	}
	if version.Method != config.ACDCLIP {
		return Metadata{}, fmt.Errorf("it was made by the method %q, which this program does not have", version.Method)
	}
	var sections struct {
		Model, Loss json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &sections); err != nil {
		return Metadata{}, fmt.Errorf("its metadata cannot be read: %w", err)
	}
	// The sections' own decoding refuses options that are missing or impossible.
	if _, err := config.Decode[config.Model](string(sections.Model)); err != nil {
		return Metadata{}, fmt.Errorf("its model section: %w", err)
	}
	if _, err := config.Decode[config.Loss](string(sections.Loss)); err != nil {
		return Metadata{}, fmt.Errorf("its loss section: %w", err)
	}
	var metadata Metadata
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&metadata); err != nil {
		return Metadata{}, fmt.Errorf("its metadata cannot be read: %w", errors.Join(err, config.ErrOtherVersion))
	}
	return metadata, nil
}

// hashFile gives "sha256:..." of a file's content.
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
