package systemd

import (
	"net"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// manager is a socket as the manager's, whose address is in the environment.
func manager(t *testing.T, name string) *net.UnixConn {
	t.Helper()
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	t.Setenv(SocketVariable, name)
	return socket
}

func TestNotify(t *testing.T) {
	// The manager's socket is a file, or has an abstract name.
	for _, name := range []string{filepath.Join(t.TempDir(), "notify"), "@acdclip-test-" + filepath.Base(t.TempDir())} {
		socket := manager(t, name)
		for _, c := range []struct {
			send func() error
			want string
		}{
			{func() error { return Ready("two\nlines") }, `^READY=1\nSTATUS=two lines$`},
			{Stopping, `^STOPPING=1$`},
			{Reloading, `^RELOADING=1\nMONOTONIC_USEC=[1-9]\d*$`},
		} {
			if err := c.send(); err != nil {
				t.Fatal(err)
			}
			_ = socket.SetReadDeadline(time.Now().Add(10 * time.Second))
			message := make([]byte, 1000)
			n, err := socket.Read(message)
			if got := string(message[:n]); err != nil || !regexp.MustCompile(c.want).MatchString(got) {
				t.Errorf("got %q, want %s, %v", got, c.want, err)
			}
		}
	}
}

func TestNoManager(t *testing.T) {
	t.Setenv(SocketVariable, "")
	if err := Ready(""); err != nil {
		t.Error(err)
	}
	t.Setenv(SocketVariable, filepath.Join(t.TempDir(), "none"))
	if err := Ready(""); err == nil {
		t.Error("a socket that is not there is no error")
	}
}
