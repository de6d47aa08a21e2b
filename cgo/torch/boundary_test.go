package torch

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// TestOnlyThisPackageMeetsC keeps C, unsafe pointers and gotorch inside cgo/.
func TestOnlyThisPackageMeetsC(t *testing.T) {
	command := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "acdclip/...")
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := 0
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; packages++ {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.ImportPath == "acdclip/cgo/torch" {
			continue
		}
		for _, imported := range append(append(p.Imports, p.TestImports...), p.XTestImports...) {
			if imported == "C" || imported == "unsafe" || strings.HasPrefix(imported, "github.com/wangkuiyi/gotorch") {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
	if packages < 2 {
		t.Errorf("go list named %d packages", packages)
	}
}
