package torch

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// listed is what `go list` says of one of our packages.
type listed struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
	Deps                               []string // what Imports reach, at any depth
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports,Deps", "acdclip/...")
	var complaints bytes.Buffer
	command.Stderr = &complaints
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaints.String())
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p listed
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 2 {
		t.Fatalf("go list named %d packages", len(packages))
	}
	return packages
}

// TestOnlyThisPackageMeetsC keeps C, unsafe pointers and gotorch inside cgo/.
func TestOnlyThisPackageMeetsC(t *testing.T) {
	for _, p := range listPackages(t) {
		if p.ImportPath == "acdclip/cgo/torch" {
			continue
		}
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if imported == "C" || imported == "unsafe" || strings.HasPrefix(imported, "github.com/wangkuiyi/gotorch") {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
}

// leaves import none of our packages, and every package of pkg may import them.
func leaves() []string {
	return []string{"pkg/regularfile", "pkg/sniff", "pkg/float16", "pkg/spelling"}
}

// TestImportsFollowOneDirection holds the layers apart: none of the packages
// below a folder reaches, at any depth, one below those that it may not.
func TestImportsFollowOneDirection(t *testing.T) {
	all := listPackages(t)
	for _, rule := range []struct {
		from  string
		never []string
	}{
		// A picture's way: data, model, engine, metrics, report, the program.
		{"pkg/data", []string{"pkg/clip", "pkg/model", "pkg/checkpoint", "pkg/engine", "pkg/metrics", "pkg/report"}},
		{"pkg/clip", []string{"pkg/data", "pkg/model", "pkg/checkpoint", "pkg/engine", "pkg/metrics", "pkg/report"}},
		{"pkg/model", []string{"pkg/data", "pkg/engine", "pkg/metrics", "pkg/report"}},
		{"pkg/checkpoint", []string{"pkg/data", "pkg/clip", "pkg/model", "pkg/engine", "pkg/metrics"}},
		{"pkg/metrics", []string{"pkg"}},
		{"pkg/report", []string{"pkg/data", "pkg/clip", "pkg/model", "pkg/checkpoint", "pkg/engine"}},
		{"pkg/config", []string{"pkg"}},
		{"pkg/weights", []string{"pkg"}},
		{"pkg/contents", []string{"pkg"}},
		{"pkg/anomalymap", []string{"pkg"}},
		{"pkg/regularfile", []string{"pkg"}},
		{"pkg/sniff", []string{"pkg"}},
		{"pkg/float16", []string{"pkg"}},
		{"pkg/spelling", []string{"pkg"}},
		{"cgo", []string{"pkg", "internal"}},
		{"pkg", []string{"cmd", "internal"}},
		{"cmd", []string{"internal"}},
		// What a machine without libtorch can use.
		{"pkg/config", []string{"cgo"}},
		{"pkg/data", []string{"cgo"}},
		{"pkg/metrics", []string{"cgo"}},
		{"pkg/report", []string{"cgo"}},
		{"pkg/weights", []string{"cgo"}},
		{"pkg/contents", []string{"cgo"}},
		{"pkg/anomalymap", []string{"cgo"}},
		{"pkg/checkpoint", []string{"cgo"}},
		{"pkg/clip/tokenizer", []string{"cgo"}},
		{"pkg/clip/pretrained", []string{"cgo"}},
		{"internal/golden", []string{"cgo"}},
	} {
		found := false
		for _, p := range all {
			if !below(p.ImportPath, rule.from) {
				continue
			}
			found = true
			for _, reached := range p.Deps {
				forbidden := slices.ContainsFunc(rule.never, func(folder string) bool { return below(reached, folder) })
				isLeaf := slices.ContainsFunc(leaves(), func(leaf string) bool { return below(reached, leaf) })
				// A rule against the whole of pkg leaves a folder its own parts and the leaves.
				if forbidden && !below(reached, rule.from) && !(isLeaf && slices.Equal(rule.never, []string{"pkg"})) {
					t.Errorf("%s reaches %s", p.ImportPath, reached)
				}
			}
		}
		if !found {
			t.Errorf("there is no package below %s", rule.from)
		}
	}
}

// below tells whether a package lies in one of this module's folders.
func below(importPath, folder string) bool {
	return strings.HasPrefix(importPath+"/", "acdclip/"+folder+"/")
}
