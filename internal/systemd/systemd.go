// Package systemd tells the service manager what a service does, as sd_notify(3) describes it.
// Without a manager that asks for it, nothing is sent.
package systemd

import (
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// SocketVariable is the environment variable by which the manager asks to be told.
const SocketVariable = "NOTIFY_SOCKET"

// Ready says that the service works, after its start or a reload, and in one line how it is.
func Ready(status string) error {
	return notify("READY=1", "STATUS="+strings.ReplaceAll(status, "\n", " "))
}

// Stopping says that the service ends.
func Stopping() error { return notify("STOPPING=1") }

// Reloading says that the service loads its files again. Ready must follow.
func Reloading() error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return fmt.Errorf("reading the clock: %w", err)
	}
	return notify("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/1000))
}

// notify sends assignments as one message.
func notify(assignments ...string) error {
	path := os.Getenv(SocketVariable)
	if path == "" {
		return nil
	}
	connection, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err == nil {
		defer connection.Close()
		_, err = connection.Write([]byte(strings.Join(assignments, "\n")))
	}
	if err != nil {
		return fmt.Errorf("telling the service manager at $%s: %w", SocketVariable, err)
	}
	return nil
}
