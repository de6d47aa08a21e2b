package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program around trampolines.c, in the place of torch's loader and gotorch. Its
// arguments use every register class and the stack.
const program = `
#include <stdio.h>

double mixed(int a, double b, long c, float d, int e, int f, int g, int h, int i, int j);
const char *unfilled(void);
extern void *acdclip_slots[];
extern const char *const acdclip_slot_names[];
extern const int acdclip_slot_count;

static double real(int a, double b, long c, float d, int e, int f, int g, int h, int i, int j) {
  return a + b + c + d + e + f + g + h + 100 * i + 1000 * j;
}

int main(void) {
  for (int i = 0; i < acdclip_slot_count; i++) printf("%d %s\n", i, acdclip_slot_names[i]);
  acdclip_slots[1] = (void *)real;
  printf("%g\n", mixed(1, 0.5, 1, 0.25, 1, 1, 1, 1, 2, 3));
  fflush(stdout);
  unfilled();
}
`

func TestTrampolines(t *testing.T) {
	compiler, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc on this machine")
	}
	dir := t.TempDir()
	slots, err := list([]string{"unfilled", "mixed"})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"slots.inc": slots, "main.c": program} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bin := filepath.Join(dir, "program")
	build := exec.Command(compiler, "-Wall", "-Werror", "-fPIE", "-pie", "-I"+dir, "-o", bin, filepath.Join(dir, "main.c"), "../trampolines.c")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var stdout, stderr strings.Builder
	run := exec.Command(bin)
	run.Stdout, run.Stderr = &stdout, &stderr
	if err := run.Run(); err == nil {
		t.Error("a call through a slot that is not filled returned")
	}
	if got, want := stdout.String(), "0 unfilled\n1 mixed\n3206.75\n"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
	if got, want := stderr.String(), "acdclip: unfilled used before torch.Open\n"; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}
