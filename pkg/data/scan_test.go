package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestScan(t *testing.T) {
	tests := []struct {
		name  string
		tree  []string
		paths []string // below the tree
		skip  string
		want  []string // "path = relative path", with "!" before an unreadable one
	}{
		{
			name:  "a file is taken whatever its name says",
			tree:  []string{"notes.txt", "a.png"},
			paths: []string{"notes.txt", "a.png"},
			want:  []string{"notes.txt = notes.txt", "a.png = a.png"},
		},
		{
			name:  "a folder is walked in natural order, pictures only",
			tree:  []string{"in/10.png", "in/2.PNG", "in/b/1.webp", "in/a/1.jpg", "in/note.txt", "in/.hidden.png", "in/.git/1.png", "in/__MACOSX/1.png"},
			paths: []string{"in"},
			want:  []string{"in/2.PNG = 2.PNG", "in/10.png = 10.png", "in/a/1.jpg = a/1.jpg", "in/b/1.webp = b/1.webp"},
		},
		{
			name:  "what is given is taken even when it is hidden",
			tree:  []string{".in/1.png", ".2.png"},
			paths: []string{".in", ".2.png"},
			want:  []string{".in/1.png = 1.png", ".2.png = .2.png"},
		},
		{
			name:  "the output folder is not entered, also through a link",
			tree:  []string{"in/1.png", "in/out/heatmaps/1.png", "in/alias -> out"},
			paths: []string{"in"},
			skip:  "in/out",
			want:  []string{"in/1.png = 1.png"},
		},
		{
			name:  "loops end and each file comes once",
			tree:  []string{"in/1.png", "in/up -> ..", "in/self -> .", "in/twin.png -> 1.png", "other/2.png", "in/x -> ../other", "in/y -> ../other"},
			paths: []string{"in", "in/1.png", "in", "other"},
			want:  []string{"in/1.png = 1.png", "in/up/other/2.png = up/other/2.png"},
		},
		{
			name:  "a folder inside one that was given before",
			tree:  []string{"in/1.png", "in/b/2.png"},
			paths: []string{"in/b", "in"},
			want:  []string{"in/b/2.png = 2.png", "in/1.png = 1.png"},
		},
		{
			name:  "paths that meet get their folders' names, with a number where these meet too",
			tree:  []string{"a/test/1.png", "b/test/1.png", "c/1.png", "d/9.png"},
			paths: []string{"a/test", "b/test", "c/1.png", "d"},
			want:  []string{"a/test/1.png = test/1.png", "b/test/1.png = test-2/1.png", "c/1.png = c/1.png", "d/9.png = 9.png"},
		},
		{
			name:  "a prefix that is taken",
			tree:  []string{"a/b/1.png", "b/1.png", "c/1.png"},
			paths: []string{"a", "b", "c"},
			want:  []string{"a/b/1.png = b/1.png", "b/1.png = b-2/1.png", "c/1.png = c/1.png"},
		},
		{
			name:  "a link to nowhere is a failed picture",
			tree:  []string{"in/1.png", "in/2.png -> gone.png", "in/3.png -> 3.png", "in/dead -> gone"},
			paths: []string{"in"},
			want:  []string{"in/1.png = 1.png", "!in/2.png = 2.png", "!in/3.png = 3.png"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := writeTree(t, test.tree...)
			var paths []string
			for _, path := range test.paths {
				paths = append(paths, filepath.Join(root, path))
			}
			var o ScanOptions
			if test.skip != "" {
				o.Skip = filepath.Join(root, test.skip)
			}
			found, err := Scan(context.Background(), paths, o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				line := relative(root, f.Path) + " = " + filepath.ToSlash(f.Rel)
				if f.Err != nil {
					line = "!" + line
				}
				got = append(got, line)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func TestScanKeepsPathsAsGiven(t *testing.T) {
	t.Chdir(writeTree(t, "in/1.png", "2.png"))
	found, err := Scan(context.Background(), []string{"./in/", "../set/2.png"}, ScanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Found{{Path: filepath.Join("in", "1.png"), Rel: "1.png"}, {Path: "../set/2.png", Rel: "2.png"}}
	if !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
}

// TestScanRelativeLoop: Scan also ends on a loop of links below a relative path.
func TestScanRelativeLoop(t *testing.T) {
	t.Chdir(writeTree(t, "in/1.png", "in/again -> ../in", "in/twin.png -> 1.png"))
	found, err := Scan(context.Background(), []string{"in"}, ScanOptions{})
	if err != nil || len(found) != 1 || found[0].Path != filepath.Join("in", "1.png") {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestScanErrors(t *testing.T) {
	root := writeTree(t, "empty/", "notes/a.txt", "out/1.png", "good/1.png")
	if err := syscall.Mkfifo(filepath.Join(root, "pipe.png"), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path string
		want error
	}{
		{"nowhere", fs.ErrNotExist},
		{"empty", ErrNoPictures},
		{"notes", ErrNoPictures},
		{"pipe.png", errNotRegular},
		{"out", nil}, // the output folder itself
	}
	for _, test := range tests {
		path := filepath.Join(root, test.path)
		_, err := Scan(context.Background(), []string{filepath.Join(root, "good"), path}, ScanOptions{Skip: filepath.Join(root, "out")})
		var input *InputError
		if !errors.As(err, &input) || input.Path != path || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want one about it that is %v", test.path, err, test.want)
		}
	}
	_, err := Scan(context.Background(), []string{filepath.Join(root, "nowhere"), filepath.Join(root, "empty"), ""}, ScanOptions{})
	for _, want := range []string{"nowhere", "empty", "an empty path"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
	if _, err := Scan(context.Background(), nil, ScanOptions{}); !errors.Is(err, ErrNoPictures) {
		t.Errorf("no path at all: error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Scan(ctx, []string{root}, ScanOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

func TestScanUnreadable(t *testing.T) {
	root := writeTree(t, "in/1.png", "in/shut/2.png", "in/z.png")
	forbid(t, filepath.Join(root, "in/shut"))
	found, err := Scan(context.Background(), []string{filepath.Join(root, "in")}, ScanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 3 || found[1].Rel != "shut" || !errors.Is(found[1].Err, fs.ErrPermission) {
		t.Errorf("found %v: want the unreadable folder as a failed row between two pictures", found)
	}
	_, err = Scan(context.Background(), []string{filepath.Join(root, "in/shut")}, ScanOptions{})
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("an unreadable input: error %v", err)
	}
}

// In random trees with random links between folders, Scan lists every file exactly
// once for any input paths, and all relative paths differ.
func TestScanRandomTrees(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		root := t.TempDir()
		folders := []string{root}
		want := map[string]bool{}
		for range 3 + r.IntN(12) {
			parent := folders[r.IntN(len(folders))]
			folder := filepath.Join(parent, fmt.Sprint(r.IntN(4)))
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			folders = append(folders, folder)
			path := filepath.Join(folder, fmt.Sprintf("%d.png", r.IntN(3)))
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
			want[path] = true
		}
		for i := range r.IntN(8) {
			link := filepath.Join(folders[r.IntN(len(folders))], fmt.Sprintf("link%d", i))
			if err := os.Symlink(folders[r.IntN(len(folders))], link); err != nil {
				t.Fatal(err)
			}
		}
		inputs := []string{root}
		for range r.IntN(4) {
			inputs = append(inputs, folders[r.IntN(len(folders))])
		}
		r.Shuffle(len(inputs), func(i, j int) { inputs[i], inputs[j] = inputs[j], inputs[i] })
		found, err := Scan(context.Background(), inputs, ScanOptions{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		rels := map[string]bool{}
		for _, f := range found {
			real, err := filepath.EvalSymlinks(f.Path)
			if err != nil {
				t.Fatal(err)
			}
			if !want[real] {
				t.Errorf("seed %d: %s is a second time there or unasked for", seed, f.Path)
			}
			delete(want, real)
			if rels[f.Rel] || !filepath.IsLocal(f.Rel) {
				t.Errorf("seed %d: relative path %s of %s is taken or leads outside", seed, f.Rel, f.Path)
			}
			rels[f.Rel] = true
		}
		if len(want) > 0 {
			t.Errorf("seed %d: lost %v", seed, want)
		}
	}
}

func TestScanTellsOfOtherFiles(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a.png", "b.heic", ".hidden.txt", "in/c", "out/d.txt"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var others []string
	found, err := Scan(context.Background(), []string{root}, ScanOptions{
		Skip: filepath.Join(root, "out"), Other: func(path string) { others = append(others, filepath.Base(path)) },
	})
	if err != nil || len(found) != 1 || !slices.Equal(others, []string{"b.heic", "c"}) {
		t.Errorf("found %v and passed over %q (%v)", found, others, err)
	}
}

// TestScanApart: folders that the caller keeps apart are not entered, and refused where they are given.
func TestScanApart(t *testing.T) {
	root := plant(t, "tree", "in/1.png", "in/out/2.png", "in/b/out/3.png")
	options := ScanOptions{Apart: func(path string) bool { return filepath.Base(path) == "out" }}
	found, err := Scan(context.Background(), []string{filepath.Join(root, "in")}, options)
	if err != nil || len(found) != 1 || found[0].Rel != "1.png" {
		t.Errorf("found %v, %v", found, err)
	}
	if _, err := Scan(context.Background(), []string{filepath.Join(root, "in", "out")}, options); err == nil || !strings.Contains(err.Error(), "output of acdclip") {
		t.Errorf("a given folder: %v", err)
	}
}
