package torch

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

const askHardware = "ACDCLIP_TEST_HARDWARE"

// TestHardware checks that Hardware reports a libtorch limited to fewer instructions.
func TestHardware(t *testing.T) {
	found, err := Hardware(CPU)
	if err != nil || found == "" || strings.ContainsAny(found, "\n\x00") {
		t.Fatalf("%q, %v", found, err)
	}
	if want := os.Getenv(askHardware); want != "" {
		if !strings.EqualFold(found, want) {
			t.Errorf("%q, want %q", found, want)
		}
		return
	}
	command := exec.Command(os.Args[0], "-test.run=^TestHardware$")
	command.Env = append(os.Environ(), askHardware+"=default", "ATEN_CPU_CAPABILITY=default")
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
