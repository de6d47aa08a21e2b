package torch

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
)

const onOneCPU = "ACDCLIP_TEST_ON_ONE_CPU"

// TestOnOneCPU runs this package's tests again in a process limited to one CPU, where
// unmodified gotorch aborts before main. It runs in short mode, because the long tests add
// nothing there.
func TestOnOneCPU(t *testing.T) {
	if os.Getenv(onOneCPU) != "" {
		if runtime.NumCPU() != 1 {
			t.Errorf("the process may use %d processors", runtime.NumCPU())
		}
		return
	}
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("there is no taskset (package util-linux)")
	}
	command := exec.Command(taskset, "-c", "0", os.Args[0], "-test.short")
	command.Env = append(os.Environ(), onOneCPU+"=1")
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
