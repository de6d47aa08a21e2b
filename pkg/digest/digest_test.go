package digest

import (
	"crypto/sha256"
	"testing"
)

// TestSHA256 uses the SHA-256 of the empty message (FIPS 180-4).
func TestSHA256(t *testing.T) {
	sum := sha256.Sum256(nil)
	if got := SHA256(sum[:]); got != "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Error(got)
	}
}

// TestForPolicy uses the same message: the digits of above in base64.
func TestForPolicy(t *testing.T) {
	if got := ForPolicy(""); got != "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" {
		t.Error(got)
	}
}
