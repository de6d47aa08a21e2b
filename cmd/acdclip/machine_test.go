package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReadMachine(t *testing.T) {
	folder := t.TempDir()
	for name, content := range map[string]string{
		"cpuinfo":               "processor\t: 0\nmodel name\t: Fast One\nflags\t\t: fpu sse avx2 fma avx512f\n\n",
		"meminfo":               "MemTotal:  9000000 kB\nMemAvailable:    8000000 kB\n",
		"driver/nvidia/version": "NVRM",
		"memory.max":            "3000000000\n",
		"memory.current":        "1000000000\n",
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m := readMachine(folder, folder)
	if m.Processor != "Fast One" || !slices.Equal(m.Features, []string{"avx2", "fma", "avx512f"}) || m.Cores < 1 || m.FreeMemory != 2e9 || !m.NVIDIADriver {
		t.Errorf("machine %+v", m)
	}
	if advice := m.advice(); len(advice) != 1 || !strings.Contains(advice[0], "2.0 GB of free memory") {
		t.Errorf("advice %q", advice)
	}
	if m := readMachine(folder, t.TempDir()); m.FreeMemory != 8000000<<10 {
		t.Errorf("without a container's limit: %d bytes free", m.FreeMemory)
	}
	if m := readMachine(t.TempDir(), t.TempDir()); m.FreeMemory != 0 || m.Processor != "" || len(m.advice()) != 0 {
		t.Errorf("on a system that says nothing: %+v", m)
	}
}

func TestPeakMemory(t *testing.T) {
	folder := t.TempDir()
	if got := peakMemory(folder); got != 0 {
		t.Errorf("on a system that says nothing: %d", got)
	}
	if err := os.Mkdir(filepath.Join(folder, "self"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "self", "status"), []byte("VmPeak:\t 9000 kB\nVmHWM:\t   2048 kB\nVmRSS:\t 1 kB\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := peakMemory(folder); got != 2<<20 {
		t.Errorf("%d bytes, want 2 MB", got)
	}
}

func TestDiagnosisText(t *testing.T) {
	d := &diagnosis{Version: "v1", Go: "go1.26", System: "linux/amd64", Machine: machine{Cores: 2}, Problems: []string{"no libtorch; run make"}, Advice: []string{"slow"}}
	text := d.text()
	for _, want := range []string{"libtorch  not usable", "problems\n  - no libtorch; run make\n", "advice\n  - slow\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "all is well") {
		t.Error("all is well with a problem")
	}
}
