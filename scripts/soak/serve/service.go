package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"acdclip/bench/load"
)

// service is a running acdclip serve.
type service struct {
	command *exec.Cmd
	address string       // host:port
	metrics *load.Client // keeps one connection, so that a flood of others does not keep it out
	log     *os.File
	ended   chan error
}

// start runs a service, whose log goes to a file, and waits until it is ready.
func start(ctx context.Context, program, address, log string, flags ...string) (*service, error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	s := &service{address: address, metrics: load.NewClient("http://"+address, 1), log: file, ended: make(chan error, 1)}
	s.command = exec.Command(program, append([]string{"serve", "--listen", address, "--quiet"}, flags...)...)
	s.command.Stderr = file
	if err := s.command.Start(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	go func() { s.ended <- s.command.Wait() }()
	for {
		if _, err := s.metrics.Get(ctx, "/readyz"); err == nil {
			return s, nil
		}
		select {
		case err := <-s.ended:
			return nil, fmt.Errorf("the service ended at its start (%v); see %s", err, log)
		case <-ctx.Done():
			s.kill()
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop ends the service with SIGTERM. The error is that of its exit status.
func (s *service) stop() error {
	if err := s.signal(syscall.SIGTERM); err != nil {
		return err
	}
	const longest = time.Minute
	select {
	case err := <-s.ended:
		s.metrics.Close()
		return errors.Join(err, s.log.Close())
	case <-time.After(longest):
		s.kill()
		return fmt.Errorf("it did not end within %v", longest)
	}
}

// kill ends the service at once. It does nothing if it has ended.
func (s *service) kill() {
	if s.command.Process.Kill() == nil {
		<-s.ended
	}
	_ = s.log.Close() // which stop may have done
}

func (s *service) signal(sig syscall.Signal) error { return s.command.Process.Signal(sig) }

// rss is the memory that the process has now, in bytes.
func (s *service) rss() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("the process has no VmRSS")
}

// figures are what must be as before when all requests are over.
type figures struct{ goroutines, files float64 }

func (s *service) figures(ctx context.Context) (figures, error) {
	values, err := s.values(ctx)
	return figures{values["go_goroutines"], values["process_open_fds"]}, err
}

// values are the metrics by their names with labels.
func (s *service) values(ctx context.Context) (map[string]float64, error) {
	text, err := s.metrics.Get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	values := make(map[string]float64)
	lines := bufio.NewScanner(strings.NewReader(string(text)))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if strings.HasPrefix(name, "#") {
			continue
		}
		if values[name], err = strconv.ParseFloat(value, 64); err != nil {
			return nil, fmt.Errorf("reading the metric %s: %w", name, err)
		}
	}
	return values, lines.Err()
}
