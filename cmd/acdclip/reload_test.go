//go:build unix

package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"acdclip/cgo/torch"
	"acdclip/internal/systemd"
)

// catchHangUps keeps a hang-up from ending the tests.
func catchHangUps(t *testing.T) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(caught) })
}

func hangUpSelf(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// Hang-ups that come while one is worked on are one more, never at the same time.
func TestHangUpsAreCollected(t *testing.T) {
	catchHangUps(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a, begins, goes := newApp(&bytes.Buffer{}, &bytes.Buffer{}, false), make(chan struct{}, 9), make(chan struct{})
	var running, together atomic.Int32
	done := a.onHangUp(ctx, func() {
		if running.Add(1) > 1 {
			together.Add(1)
		}
		begins <- struct{}{}
		<-goes
		running.Add(-1)
	})
	hangUpSelf(t)
	<-begins
	for range 3 {
		hangUpSelf(t)
		time.Sleep(20 * time.Millisecond) // until it has come
	}
	goes <- struct{}{}
	<-begins
	goes <- struct{}{}
	time.Sleep(50 * time.Millisecond)
	if more := len(begins); more != 0 || together.Load() != 0 {
		t.Errorf("%d were done too often, %d at the same time", more, together.Load())
	}
	close(goes)
	cancel()
	<-done
}

// safeText is a buffer for several goroutines.
type safeText struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (s *safeText) Write(b []byte) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.text.Write(b)
}

func (s *safeText) String() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.text.String()
}

// A reload reads the token again and frees the old model, and the service manager is told.
func TestReloadFreesTheModel(t *testing.T) {
	catchHangUps(t)
	folder := t.TempDir()
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(folder, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	t.Setenv(systemd.SocketVariable, filepath.Join(folder, "notify"))
	t.Setenv("ACDCLIP_THREADS", "1")
	t.Setenv("ACDCLIP_DEVICE", "cpu")
	told := func(want ...string) {
		t.Helper()
		for _, want := range want {
			message := make([]byte, 1000)
			_ = manager.SetReadDeadline(time.Now().Add(time.Minute))
			n, err := manager.Read(message)
			if got, _, _ := strings.Cut(string(message[:n]), "\n"); err != nil || got != want {
				t.Fatalf("the service manager is told %q, want %s, %v", message[:n], want, err)
			}
		}
	}
	token := filepath.Join(folder, "token")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(token, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first")

	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	ask := func(token string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/v1/model", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		status, _, err := answered(http.DefaultClient.Do(r))
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	before := torch.LiveHandles()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended, log := make(chan int, 1), &safeText{}
	go func() {
		ended <- newApp(log, log, false).run(ctx, []string{"serve", "--listen", address, "--token-file", token})
	}()
	told("READY=1")
	live := torch.LiveHandles()
	if live <= before {
		t.Errorf("%d tensors with a model, %d without", live, before)
	}
	for _, next := range []string{"second", "third"} {
		write(next)
		hangUpSelf(t)
		told("RELOADING=1", "READY=1")
		if status := ask(next); status != http.StatusOK {
			t.Errorf("the token %s: %d", next, status)
		}
		if status := ask("first"); status != http.StatusUnauthorized {
			t.Errorf("the first token is still valid: %d", status)
		}
		eventually(t, "the old model is freed", func() bool { return torch.LiveHandles() == live })
	}
	write("two tokens")
	hangUpSelf(t)
	told("RELOADING=1", "READY=1")
	if status := ask("third"); status != http.StatusOK || torch.LiveHandles() != live {
		t.Errorf("after a reload that failed: %d, %d tensors, want %d", status, torch.LiveHandles(), live)
	}
	cancel()
	told("STOPPING=1")
	if status := <-ended; status != 0 || torch.LiveHandles() != before {
		t.Errorf("exit status %d, %d tensors are left, there were %d: %s", status, torch.LiveHandles(), before, log)
	}
}
