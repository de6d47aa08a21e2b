package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"acdclip/internal/ui"
	"acdclip/pkg/present"
	"acdclip/pkg/processor"
)

// machine is what doctor finds without libtorch.
type machine struct {
	Processor    string   `json:"processor"`
	Features     []string `json:"features"` // of the processor, those that matter for speed
	Cores        int      `json:"cores"`    // that this process may use
	FreeMemory   int64    `json:"free_memory"`
	NVIDIADriver bool     `json:"nvidia_driver"`
}

// readMachine reads Linux's descriptions of the machine; what they do not say stays empty.
func readMachine(proc, cgroup string) machine {
	m := machine{Cores: runtime.NumCPU(), Features: []string{}}
	m.readProcessor(proc)
	m.FreeMemory = freeMemory(proc, cgroup)
	m.NVIDIADriver = present.Any(filepath.Join(proc, "driver/nvidia/version"))
	return m
}

// speedFeatures are the instructions that make matrix products fast, as /proc/cpuinfo calls them.
func speedFeatures() []string {
	return []string{"avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimd", "sve"}
}

func (m *machine) readProcessor(proc string) {
	found := processor.Read(proc)
	m.Processor = found.Name
	for _, feature := range speedFeatures() {
		if slices.Contains(found.Flags, feature) {
			m.Features = append(m.Features, feature)
		}
	}
}

// freeMemory is what can still be used, in bytes: the machine's, or less where a
// container's limit says so. 0 is not known.
func freeMemory(proc, cgroup string) int64 {
	var free int64
	for line := range strings.Lines(readText(proc, "meminfo")) {
		if value, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			free = kilobytes(value)
		}
	}
	limit, err := strconv.ParseInt(strings.TrimSpace(readText(cgroup, "memory.max")), 10, 64)
	if err != nil {
		return free // "max", or no container
	}
	used, err := strconv.ParseInt(strings.TrimSpace(readText(cgroup, "memory.current")), 10, 64)
	if err != nil {
		return free
	}
	return min(free, max(limit-used, 0))
}

// peakMemory is the most that this process has had in memory, in bytes; 0 where Linux does not tell.
func peakMemory(proc string) int64 {
	for line := range strings.Lines(readText(proc, "self/status")) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return kilobytes(value)
		}
	}
	return 0
}

// processMemory knows the peak memory of this process.
type processMemory struct{ proc string }

// Reset begins a new peak at what is in memory now; older Linux and some containers do not
// let a program do that.
func (m processMemory) Reset() bool {
	debug.FreeOSMemory()
	return os.WriteFile(filepath.Join(m.proc, "self/clear_refs"), []byte("5"), 0) == nil
}

// Peak returns the most that was in memory since the last Reset, in bytes.
func (m processMemory) Peak() int64 { return peakMemory(m.proc) }

// kilobytes reads "  1234 kB" as bytes.
func kilobytes(text string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 10, 64)
	return n << 10
}

func readText(folder, name string) string {
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return ""
	}
	return string(text)
}

// advice says what of the machine will make the model slow or fail.
func (m machine) advice() []string {
	const enough = 4 << 30 // ViT-L/14's weights in float32 are 1.7 GB, and activations come on top
	var advice []string
	if m.FreeMemory > 0 && m.FreeMemory < enough {
		advice = append(advice, fmt.Sprintf("%s of free memory may be too little for ViT-L/14, which takes about 3 GB to predict and more to train: lower --batch or train.batch, or model.image_size", ui.Gigabytes(m.FreeMemory)))
	}
	if runtime.GOARCH == "amd64" && m.Processor != "" && !slices.Contains(m.Features, "avx2") {
		advice = append(advice, "the processor has no AVX2: the model will be several times slower")
	}
	return advice
}
