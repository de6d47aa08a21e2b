package main

import "testing"

func TestParseBeside(t *testing.T) {
	one, two := []string{"mvtec"}, []string{"a", "a:b"}
	for _, c := range []struct {
		text    string
		targets []string
		want    [3]string // target, name, path
	}{
		{"r.json", one, [3]string{"mvtec", "r", "r.json"}},
		{"x/patch.core.json", one, [3]string{"mvtec", "patch.core", "x/patch.core.json"}},
		{"PatchCore=x/r.json", one, [3]string{"mvtec", "PatchCore", "x/r.json"}},
		{"mvtec:PatchCore=r.json", one, [3]string{"mvtec", "PatchCore", "r.json"}},
		{"mvtec:r.json", one, [3]string{"mvtec", "r", "r.json"}},
		{"./mvtec:r.json", one, [3]string{"mvtec", "mvtec:r", "./mvtec:r.json"}},
		{"x/a=b.json", one, [3]string{"mvtec", "a=b", "x/a=b.json"}},
		{"N=a=b.json", one, [3]string{"mvtec", "N", "a=b.json"}},
		{"r.json", two, [3]string{"", "r", "r.json"}},
		{"c:N=r.json", two, [3]string{"", "c:N", "r.json"}},
		{"a:b:N=r.json", two, [3]string{"a:b", "N", "r.json"}},
		{"a:N=r.json", two, [3]string{"a", "N", "r.json"}},
		{"", one, [3]string{"mvtec", "", ""}},
		{"N=", one, [3]string{"mvtec", "N", ""}},
		{"=r.json", one, [3]string{"mvtec", "", "r.json"}},
		{"mvtec:", one, [3]string{"mvtec", "", ""}},
	} {
		target, name, path := parseBeside(c.text, c.targets)
		if got := [3]string{target, name, path}; got != c.want {
			t.Errorf("%q gives %q, want %q", c.text, got, c.want)
		}
	}
}
