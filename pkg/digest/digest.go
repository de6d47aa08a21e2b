// Package digest writes hashes as text that names their method.
package digest

import "encoding/hex"

// Prefix is what the text of a SHA-256 begins with.
const Prefix = "sha256:"

// SHA256 is the text of a SHA-256 of 32 bytes: "sha256:" and 64 hexadecimal digits.
func SHA256(sum []byte) string { return Prefix + hex.EncodeToString(sum) }
