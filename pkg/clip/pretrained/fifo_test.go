//go:build unix

package pretrained

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A named pipe instead of a configuration is an error and does not block.
func TestConfigurationIsAPipe(t *testing.T) {
	for container, name := range map[string]string{"hugging_face": "config.json", "open_clip": "open_clip_config.json"} {
		folder := unpack(t, container)
		config := filepath.Join(folder, name)
		if err := os.Remove(config); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(config, 0o600); err != nil {
			t.Skipf("this system makes no named pipes here: %v", err)
		}
		if _, err := Open(folder); !errors.Is(err, ErrNotCLIP) || !strings.Contains(err.Error(), name+" is not a regular file") {
			t.Errorf("%v", err)
		}
	}
}
