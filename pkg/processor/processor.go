// Package processor describes the CPU, as Linux does in /proc/cpuinfo.
package processor

import (
	"os"
	"path/filepath"
	"strings"
)

// Processor is the CPU of a machine.
type Processor struct {
	Name  string   // such as "Intel(R) Xeon(R) Platinum 8488C"; "" if Linux does not say
	Flags []string // its instruction sets, as Linux names them, such as avx2
}

// Read reads the description in the folder proc, which is /proc except in tests. Of a
// description that cannot be read, everything is empty.
func Read(proc string) (p Processor) {
	text, err := os.ReadFile(filepath.Join(proc, "cpuinfo"))
	if err != nil {
		return p
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(name) {
		case "model name":
			p.Name = strings.TrimSpace(value)
		case "flags", "Features":
			p.Flags = strings.Fields(value)
		}
	}
	return p
}
