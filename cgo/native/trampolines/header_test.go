package main

import (
	"slices"
	"strings"
	"testing"
)

func TestFunctions(t *testing.T) {
	tests := map[string]struct {
		header string
		want   []string
	}{
		"empty":                {"#pragma once\n", nil},
		"plain":                {"void f(void);", []string{"f"}},
		"no arguments":         {"uint8_t GCPrepared();", []string{"GCPrepared"}},
		"pointer result":       {"const char *Tensor_Dim(Tensor t, int64_t *dim);", []string{"Tensor_Dim"}},
		"star beside the name": {"void **f(int);", []string{"f"}},
		"trailing underscore":  {"const char *Add_(Tensor a, Tensor other, float alpha, Tensor *result);", []string{"Add_"}},
		"over several lines":   {"const char *Conv2d(Tensor input,\n    int64_t *stride,\n    Tensor *result);", []string{"Conv2d"}},
		"comments":             {"/* void a(void); */\n// void b(void);\nvoid c(int /* d(); */ x); // e();", []string{"c"}},
		"directives":           {"#define F(x) \\\n  g(x);\n#ifdef __cplusplus\n#include <a.h>\n#endif\nvoid h(void);", []string{"h"}},
		"linkage":              {"extern \"C\" {\nvoid a(void);\nint b(int);\n}\n", []string{"a", "b"}},
		"typedefs":             {"typedef void *Tensor;\ntypedef std::vector<char> *Bytes;\nvoid f(Tensor);", []string{"f"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := functions(test.header)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestFunctionsRefuses(t *testing.T) {
	tests := map[string]string{
		"callback":   "void f(void (*callback)(int));",
		"variable":   "extern int count;",
		"definition": "static int f(void) { return 1; }",
		"C++":        "std::string f(int);",
	}
	for name, header := range tests {
		t.Run(name, func(t *testing.T) {
			if names, err := functions(header); err == nil {
				t.Errorf("got %v, want an error", names)
			}
		})
	}
}

func TestList(t *testing.T) {
	got, err := list([]string{"SetNumThreads", "Add", "GCPrepared", "acd_log"})
	if err != nil {
		t.Fatal(err)
	}
	if want := "SLOT(0, Add)\nSLOT(1, acd_log)\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, names := range [][]string{nil, {"GCPrepared"}, {"Add", "Add"}} {
		if got, err := list(names); err == nil {
			t.Errorf("list(%v) = %q, want an error", names, got)
		}
	}
}

func TestRun(t *testing.T) {
	if err := run("", nil); err == nil || !strings.Contains(err.Error(), "usage") {
		t.Errorf("got %v, want the usage", err)
	}
	if err := run(t.TempDir()+"/slots.inc", []string{"../../torch/native.h"}); err != nil {
		t.Errorf("our own header: %v", err)
	}
}
