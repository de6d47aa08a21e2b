package layers

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// listed is the output of `go list` for one of our packages.
type listed struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
	Deps                               []string // all direct and indirect imports
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports,Deps", "acdclip/...")
	command.Env = append(os.Environ(), "CGO_ENABLED=1") // without it files that import "C" are not listed; no compiler is needed
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

// TestOnlyTorchMeetsC checks that only cgo/torch uses C, unsafe pointers and gotorch.
func TestOnlyTorchMeetsC(t *testing.T) {
	met := false
	for _, p := range listPackages(t) {
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if imported != "C" && imported != "unsafe" && !strings.HasPrefix(imported, "github.com/wangkuiyi/gotorch") {
				continue
			}
			met = met || imported == "C"
			if p.ImportPath != "acdclip/cgo/torch" {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
	if !met {
		t.Error("no package imports C, so go list does not report it")
	}
}

// leaves are small packages that every other package may import.
func leaves() []string {
	return []string{
		"pkg/builtin", "pkg/clip/activation", "pkg/conditions", "pkg/config/section", "pkg/digest", "pkg/domain", "pkg/float16", "pkg/model/card", "pkg/plural", "pkg/present", "pkg/published",
		"pkg/regularfile", "pkg/sealed", "pkg/sniff", "pkg/spelling", "pkg/strictjson",
	}
}

// TestFoundations checks that the packages below each folder import, directly or
// indirectly, only packages of that folder, the listed ones and the leaves. None uses C,
// so all work without libtorch.
func TestFoundations(t *testing.T) {
	all := listPackages(t)
	results := []string{"pkg/report", "pkg/paper", "pkg/metrics"}
	for folder, others := range map[string][]string{
		"pkg/atomicfile":     nil,
		"pkg/metrics":        nil,
		"pkg/paper":          nil,
		"pkg/events":         nil,
		"pkg/clip/tokenizer": nil,
		"pkg/anomalymap":     nil,
		"pkg/config":         nil,
		"pkg/contents":       nil,
		"pkg/page":           nil,
		"pkg/weights":        nil,

		"pkg/calibration":         {"pkg/metrics"},
		"pkg/heatmap":             {"pkg/anomalymap"},
		"pkg/tiling":              {"pkg/anomalymap"},
		"pkg/report":              results,
		"pkg/chart":               append([]string{"pkg/events", "pkg/heatmap", "pkg/anomalymap"}, results...),
		"pkg/download":            {"pkg/atomicfile"},
		"pkg/outbox":              {"pkg/atomicfile", "pkg/events"},
		"pkg/fetch":               {"pkg/download", "pkg/checkpoint", "pkg/config", "pkg/contents", "pkg/weights", "pkg/atomicfile"},
		"pkg/checkpoint":          {"pkg/config", "pkg/contents", "pkg/weights", "pkg/atomicfile"},
		"pkg/evaluation/finished": append([]string{"pkg/atomicfile"}, results...),

		"cgo":         nil,
		"internal/ui": {"pkg/events"},
	} {
		holdApart(t, all, folder, func(reached string) bool {
			return below(reached, "") && !below(reached, folder) && !belowAny(reached, others) && !belowAny(reached, leaves())
		})
	}
	for _, method := range methodFolders(all) { // what the program needs to know about a method without libtorch
		options := path.Join(method, "options")
		holdApart(t, all, options, func(reached string) bool {
			return below(reached, "") && !below(reached, options) && !belowAny(reached, leaves())
		})
	}
	for _, leaf := range leaves() {
		holdApart(t, all, leaf, func(reached string) bool {
			return below(reached, "") && !below(reached, leaf) && !belowAny(reached, leaves())
		})
	}
}

// TestImportsFollowOneDirection checks that no package below a folder imports, directly or
// indirectly, one below the folders it must not use, except leaves. Pictures go from data
// through detect to evaluation and report; training uses both sides. batching and inspection
// stand between scoring, whose interface they use, and detect, which hands them a model; serve
// stands on them, and knows no model.
func TestImportsFollowOneDirection(t *testing.T) {
	all := listPackages(t)
	for _, rule := range []struct {
		from  string
		never []string
	}{
		{"pkg/data", []string{"pkg/clip", "pkg/model", "pkg/checkpoint", "pkg/scoring", "pkg/metrics", "pkg/report"}},
		{"pkg/clip", []string{"pkg/data", "pkg/config", "pkg/model", "pkg/checkpoint", "pkg/metrics", "pkg/report"}},
		{"pkg/model", []string{"pkg/data", "pkg/scoring", "pkg/detect", "pkg/metrics", "pkg/report"}},
		{"pkg/checkpoint", []string{"pkg/data", "pkg/clip", "pkg/model", "pkg/metrics"}},
		{"pkg/scoring", []string{"pkg/model", "pkg/detect", "pkg/evaluation", "pkg/training", "cgo"}},
		{"pkg/batching", []string{"pkg/model", "pkg/detect", "pkg/evaluation", "pkg/training", "pkg/inspection", "cgo"}},
		{"pkg/inspection", []string{"pkg/model", "pkg/detect", "pkg/evaluation", "pkg/training", "cgo"}},
		{"pkg/intake", []string{"pkg/model", "pkg/detect", "pkg/evaluation", "pkg/training", "pkg/scoring", "cgo"}},
		{"pkg/serve", []string{"pkg/trained", "pkg/model", "pkg/detect", "pkg/evaluation", "pkg/training", "cgo"}},
		{"pkg/pairing", []string{"pkg/model", "pkg/detect", "pkg/evaluation", "pkg/training", "cgo"}},
		{"pkg/trained", []string{"pkg/model", "pkg/detect", "pkg/evaluation", "pkg/training", "cgo"}},
		{"pkg/detect", []string{"pkg/evaluation", "pkg/training"}},
		{"pkg/evaluation", []string{"pkg/model", "pkg/detect", "pkg/training", "cgo"}},
		{"pkg", []string{"cmd", "internal"}},
		{"cmd", []string{"internal/browsertest", "internal/drawn", "internal/golden", "internal/goroutines", "internal/torchtest", "internal/toymethod"}}, // only for tests
		// Packages that work without libtorch, in addition to the foundations.
		{"internal/rundir", []string{"cgo", "pkg/data"}},
		{"pkg/data", []string{"cgo"}},
		{"pkg/checkpoint", []string{"cgo"}},
		{"pkg/clip/pretrained", []string{"cgo"}},
		{"internal/golden", []string{"cgo"}},
		{"internal/goroutines", []string{"cgo"}},
	} {
		holdApart(t, all, rule.from, func(reached string) bool {
			return belowAny(reached, rule.never) && !belowAny(reached, leaves())
		})
	}
}

// methodFolders lists the methods' folders below pkg/model: those with a folder options.
func methodFolders(all []listed) []string {
	var folders []string
	for _, p := range all {
		if folder, found := strings.CutSuffix(p.ImportPath, "/options"); found && below(folder, "pkg/model") {
			folders = append(folders, strings.TrimPrefix(folder, "acdclip/"))
		}
	}
	return folders
}

// TestOnlyTheTableKnowsTheMethods checks that a method's folder is imported only by itself
// and by the table of methods. (Our benchmarks may use its initial parameters.)
func TestOnlyTheTableKnowsTheMethods(t *testing.T) {
	const table = "acdclip/pkg/model/methods"
	all := listPackages(t)
	known := map[string]bool{}
	for _, p := range all {
		for _, imported := range p.Imports {
			for _, method := range methodFolders(all) {
				if !below(imported, method) {
					continue
				}
				known[method] = known[method] || p.ImportPath == table
				if p.ImportPath != table && !below(p.ImportPath, method) && !below(p.ImportPath, "bench") {
					t.Errorf("%s imports %s", p.ImportPath, imported)
				}
			}
		}
	}
	if len(known) == 0 {
		t.Error("the table of methods imports no method")
	}
	for method, inTable := range known {
		if !inTable {
			t.Errorf("the table of methods does not import %s", method)
		}
	}
}

// holdApart fails t if a package below a folder imports, directly or indirectly, a forbidden one.
func holdApart(t *testing.T, all []listed, folder string, forbidden func(reached string) bool) {
	t.Helper()
	found := false
	for _, p := range all {
		if !below(p.ImportPath, folder) {
			continue
		}
		found = true
		for _, reached := range p.Deps {
			if forbidden(reached) {
				t.Errorf("%s reaches %s", p.ImportPath, reached)
			}
		}
	}
	if !found {
		t.Errorf("no package below %s", folder)
	}
}

func belowAny(importPath string, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return below(importPath, folder) })
}

// below reports whether a package is in one of this module's folders; "" is the module's root.
func below(importPath, folder string) bool {
	return strings.HasPrefix(importPath+"/", path.Join("acdclip", folder)+"/")
}
