// Package torchtest holds what the tests of packages that use libtorch share.
package torchtest

import (
	"fmt"
	"os"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
)

// Main runs a package's tests and fails when they leave a native tensor behind.
// TestMain calls it.
func Main(m *testing.M) {
	golden.UseNative(torch.NativeVariable)
	code := m.Run()
	if left := torch.LiveHandles(); left != 0 {
		fmt.Fprintf(os.Stderr, "%d tensors were never freed\n", left)
		code = 1
	}
	os.Exit(code)
}
