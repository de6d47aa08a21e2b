// Package digest formats hashes as text with their method.
package digest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// Prefix is the prefix of a SHA-256 in text.
const Prefix = "sha256:"

// SHA256 formats a SHA-256 of 32 bytes: "sha256:" and 64 hexadecimal digits.
func SHA256(sum []byte) string { return Prefix + hex.EncodeToString(sum) }

// ForPolicy names the content of a script or style element as a Content-Security-Policy does.
func ForPolicy(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
