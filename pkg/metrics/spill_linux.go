package metrics

import "golang.org/x/sys/unix"

const nameless = unix.O_TMPFILE
