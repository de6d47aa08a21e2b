package data

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"acdclip/pkg/config"
)

// writeTree creates empty files in a new folder and returns the folder. A name that
// ends in a slash is a folder; "a -> b" is a link at a to b, which is relative to
// a's folder.
func writeTree(t testing.TB, names ...string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "set")
	growTree(t, root, names...)
	return root
}

func growTree(t testing.TB, root string, names ...string) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.MkdirAll(root, 0o755))
	last := root
	empty := "" // the first file; hard links to it are created much faster than files
	for _, name := range names {
		if link, target, ok := cutLink(name); ok {
			check(os.MkdirAll(filepath.Dir(filepath.Join(root, link)), 0o755))
			check(os.Symlink(target, filepath.Join(root, link)))
			continue
		}
		path := filepath.Join(root, name)
		if name[len(name)-1] == '/' {
			check(os.MkdirAll(path, 0o755))
			continue
		}
		if parent := filepath.Dir(path); parent != last {
			check(os.MkdirAll(parent, 0o755))
			last = parent
		}
		if empty == "" || os.Link(empty, path) != nil {
			check(os.WriteFile(path, nil, 0o644))
			empty = path
		}
	}
}

func cutLink(name string) (link, target string, ok bool) {
	for i := range len(name) - 4 {
		if name[i:i+4] == " -> " {
			return name[:i], name[i+4:], true
		}
	}
	return "", "", false
}

// forbid removes all permissions from a path until the test ends. It skips the test
// if that has no effect (the superuser reads everything).
func forbid(t testing.TB, path string) {
	t.Helper()
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(path, 0o755) })
	if _, err := os.ReadDir(path); err == nil {
		t.Skip("this user reads folders without any right to")
	}
}

// expand expands braces in names like a shell: "{a,b/{1..3}}.png" gives four names.
func expand(patterns ...string) []string {
	var names []string
	for _, pattern := range patterns {
		open := strings.IndexByte(pattern, '{')
		if open < 0 {
			names = append(names, pattern)
			continue
		}
		var options []string
		start, end, depth := open+1, open+1, 1
		for ; depth > 0; end++ {
			c := pattern[end]
			switch c {
			case '{':
				depth++
			case '}':
				depth--
			}
			if depth == 1 && c == ',' || depth == 0 {
				options = append(options, pattern[start:end])
				start = end + 1
			}
		}
		if first, last, ok := strings.Cut(options[0], ".."); ok && !strings.Contains(first, "{") {
			options = numbers(first, last)
		}
		for _, option := range options {
			names = append(names, expand(pattern[:open]+option+pattern[end:])...)
		}
	}
	return names
}

// numbers returns the numbers from first to last, padded to the digits of first.
func numbers(first, last string) []string {
	from, _ := strconv.Atoi(first)
	to, _ := strconv.Atoi(last)
	var list []string
	for n := from; n <= to; n++ {
		list = append(list, fmt.Sprintf("%0*d", len(first), n))
	}
	return list
}

// plant creates a tree, with braces expanded, in a new folder of the given name and returns the folder.
func plant(t testing.TB, folder string, patterns ...string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), folder)
	growTree(t, root, expand(patterns...)...)
	return root
}

// writeFile writes a file below a folder and returns its path.
func writeFile(t testing.TB, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// discover calls Discover and fails the test on an error.
func discover(t testing.TB, name string, root config.Root) *Dataset {
	t.Helper()
	d, err := Discover(context.Background(), name, root, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// isRefused checks an error against want (nil for none) and message, a part of its
// text, and reports whether there is an error.
func isRefused(t testing.TB, err, want error, message string) bool {
	t.Helper()
	if !errors.Is(err, want) || (err == nil) != (want == nil) {
		t.Fatalf("error %v, want %v", err, want)
	}
	if err != nil && !strings.Contains(err.Error(), message) {
		t.Errorf("error %q does not say %q", err, message)
	}
	return err != nil
}

// checkRows checks a dataset's rows, including their order.
func checkRows(t testing.TB, d *Dataset, want ...string) {
	t.Helper()
	if got := rows(d); !slices.Equal(got, want) {
		t.Errorf("rows\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// checkFindings checks a dataset's findings, as "code path" or "code detail" in any
// order. It ignores findings that small trees always have (counts that differ from
// the public list, classes of one label, notes) and those on the format of a list,
// which package list tests.
func checkFindings(t testing.TB, d *Dataset, want ...string) {
	t.Helper()
	got := slices.DeleteFunc(findings(d), func(finding string) bool {
		code, _, _ := strings.Cut(finding, " ")
		return slices.Contains([]Code{CountMismatch, OneClassSet, Note, LabelFormat}, Code(code))
	})
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("findings\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// keyOf returns the key of the dataset's benchmark; "" for none.
func keyOf(d *Dataset) string {
	if d.Benchmark == nil {
		return ""
	}
	return d.Benchmark.Key
}
