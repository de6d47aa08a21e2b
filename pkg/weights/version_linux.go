package weights

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// settled is the least age of a file's last change for its version to be told: the clock of a
// file system may be that coarse.
const settled = 2 * time.Second

// versionOf returns a text that changes when the content of a file may have. Besides size and
// time of modification it has the time of any change, which users cannot set.
func versionOf(path string, info os.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	absolute, err := filepath.Abs(path)
	if !ok || err != nil {
		return ""
	}
	changed := time.Unix(stat.Ctim.Unix())
	if time.Since(changed) < settled {
		return ""
	}
	return fmt.Sprintf("%q %d %d %d %d %d\n", absolute, stat.Dev, stat.Ino, info.Size(), info.ModTime().UnixNano(), changed.UnixNano())
}
