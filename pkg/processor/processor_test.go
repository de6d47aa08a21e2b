package processor

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		cpuinfo string
		want    Processor
	}{
		{"processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu avx2\n\nprocessor\t: 1\n", Processor{"Some CPU @ 2 GHz", []string{"fpu", "avx2"}}},
		{"processor\t: 0\nFeatures\t: fp asimd\n", Processor{"", []string{"fp", "asimd"}}},
		{"", Processor{}},
	} {
		proc := t.TempDir()
		if err := os.WriteFile(filepath.Join(proc, "cpuinfo"), []byte(c.cpuinfo), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := Read(proc); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %+v", c.cpuinfo, got)
		}
	}
	if got := Read(filepath.Join(t.TempDir(), "none")); !reflect.DeepEqual(got, Processor{}) {
		t.Errorf("without a file: %+v", got)
	}
}
