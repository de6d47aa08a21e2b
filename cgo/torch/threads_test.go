package torch

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestCPUQuota(t *testing.T) {
	for name, c := range map[string]struct {
		record string
		files  map[string]string
		want   float64
	}{
		"no control groups":  {"", nil, 0},
		"version 2, no max":  {"0::/\n", map[string]string{"cpu.max": "max 100000\n"}, 0},
		"a container":        {"0::/\n", map[string]string{"cpu.max": "150000 100000\n"}, 1.5},
		"a service":          {"0::/a.slice/b.service\n", map[string]string{"a.slice/b.service/cpu.max": "50000 100000"}, 0.5},
		"the smallest above": {"0::/a/b\n", map[string]string{"a/b/cpu.max": "400000 100000", "a/cpu.max": "200000 100000"}, 2},
		"version 1":          {"4:cpu,cpuacct:/docker/x\n3:memory:/docker/x\n", map[string]string{"cpu,cpuacct/docker/x/cpu.cfs_quota_us": "300000", "cpu,cpuacct/docker/x/cpu.cfs_period_us": "100000"}, 3},
		"version 1, none":    {"4:cpu:/\n", map[string]string{"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 0},
		"another controller": {"4:cpuset:/\n", map[string]string{"cpuset/cpu.cfs_quota_us": "100000", "cpuset/cpu.cfs_period_us": "100000"}, 0},
		"not what it should": {"x\n0::a\n::\n", map[string]string{"cpu.max": "0 0\n"}, 0},
	} {
		root := t.TempDir()
		for file, text := range c.files {
			path := filepath.Join(root, file)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		record := filepath.Join(t.TempDir(), "cgroup")
		if err := os.WriteFile(record, []byte(c.record), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := cpuQuota(record, root); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if got := defaultThreads(); got < 1 {
		t.Errorf("%d threads", got)
	}
}

// TestSetWaiting checks that the user's own variables take precedence.
func TestSetWaiting(t *testing.T) {
	unset := func() {
		for _, name := range waitVariables() {
			t.Setenv(name, "") // which restores it afterwards
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	unset()
	if err := setWaiting(); err != nil || os.Getenv("GOMP_SPINCOUNT") != spinCount {
		t.Errorf("%q, %v", os.Getenv("GOMP_SPINCOUNT"), err)
	}
	for _, name := range waitVariables() {
		unset()
		t.Setenv(name, "7")
		if err := setWaiting(); err != nil {
			t.Error(err)
		}
		for _, other := range waitVariables() {
			if value := os.Getenv(other); (value == "7") != (other == name) || other != name && value != "" {
				t.Errorf("%s was given, and %s is %q", name, other, value)
			}
		}
	}
}
