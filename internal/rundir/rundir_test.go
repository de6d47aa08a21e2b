package rundir

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func keepNothing(string) bool { return false }

// put writes files that do not belong to acdclip.
func put(t *testing.T, folder string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("mine"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// write writes files that belong to acdclip.
func write(t *testing.T, d Dir, names ...string) {
	t.Helper()
	held, err := d.Hold()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := held.Write(name, func(w io.Writer) error { _, err := io.WriteString(w, "ours"); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
}

// files lists all files below a folder except those in OwnFolder.
func files(t *testing.T, folder string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(folder, path)
		if err == nil && entry.Name() == OwnFolder {
			return fs.SkipDir
		}
		if err == nil && name != "." {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestOverwrite(t *testing.T) {
	for _, c := range []struct {
		name      string
		own, mine []string
		refused   string // the file that --overwrite refuses; "" if it succeeds
	}{
		{"empty", nil, nil, ""},
		{"its own", []string{"rows.csv", "maps/a/b.png", "odd\nname\xff.png"}, nil, ""},
		{"one half written", []string{"rows.csv"}, []string{OwnFolder + "/" + halvesName + "/.rows.csv4711"}, ""},
		{"one that looks half written", []string{"rows.csv"}, []string{".rows.csv4711"}, ".rows.csv4711"},
		{"another file", []string{"rows.csv"}, []string{"notes.txt"}, "notes.txt"},
		{"a file of a name that a verb writes", nil, []string{"predictions.csv"}, "predictions.csv"},
		{"another file in a tree", []string{"masks/a.png"}, []string{"masks/b.png"}, "masks/b.png"},
		{"a name that only begins alike", []string{"rows.csv"}, []string{"rows.csv.bak"}, "rows.csv.bak"},
		{"a folder where its own file was", nil, []string{"rows.csv/x"}, "rows.csv/x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Dir{Path: t.TempDir(), Kind: "folder"}
			if c.own != nil {
				write(t, d, c.own...)
			}
			put(t, d.Path, c.mine...)
			before := files(t, d.Path)
			if err := d.Check(false); (err == nil) != (len(before) == 0) || err != nil && !errors.Is(err, ErrOccupied) {
				t.Errorf("without --overwrite: %v", err)
			}
			err := d.Check(true)
			if (err == nil) != (c.refused == "") || err != nil && (!strings.Contains(err.Error(), "holds "+c.refused+",") || !errors.Is(err, ErrOccupied)) {
				t.Fatalf("with --overwrite: %v, want %q named", err, c.refused)
			}
			held, err := d.Hold()
			if err != nil {
				t.Fatal(err)
			}
			defer held.Close()
			if err := held.Clear(keepNothing); err != nil {
				t.Fatal(err)
			}
			// Whatever Check returned, only the folder's own files are removed.
			for _, name := range files(t, d.Path) {
				if info, err := os.Stat(filepath.Join(d.Path, name)); err == nil && !info.IsDir() && !slices.Contains(c.mine, name) {
					t.Errorf("%s is left", name)
				}
			}
			for _, name := range c.mine {
				_, err := os.Stat(filepath.Join(d.Path, name))
				if (err == nil) != (c.refused != "") {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// TestKeep checks that kept files stay listed and can be replaced later.
func TestKeep(t *testing.T) {
	d := Dir{Path: t.TempDir(), Kind: "folder"}
	write(t, d, "a", "trees/b", "trees/c/d")
	held, err := d.Hold()
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Clear(func(name string) bool { return name == "a" }); err != nil {
		t.Fatal(err)
	}
	if err := held.Own("e"); err != nil {
		t.Fatal(err)
	}
	if left := files(t, d.Path); !slices.Equal(left, []string{"a"}) || !d.Lists("a") || !d.Lists("e") || d.Lists("trees/b") {
		t.Errorf("left %v", left)
	}
	if err := errors.Join(held.Close(), d.Check(true)); err != nil {
		t.Error(err)
	}
}

// TestLinks checks that the target of a link is not the folder's own and is never removed.
func TestLinks(t *testing.T) {
	other := t.TempDir()
	put(t, other, "b.png")
	d := Dir{Path: t.TempDir(), Kind: "folder"}
	write(t, d, "maps/b.png")
	if err := errors.Join(os.RemoveAll(filepath.Join(d.Path, "maps")), os.Symlink(other, filepath.Join(d.Path, "maps"))); err != nil {
		t.Skip(err)
	}
	if err := d.Check(true); err == nil {
		t.Error("a link was taken for the folder's own")
	}
	held, err := d.Hold()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	_ = held.Clear(keepNothing)
	if _, err := os.Stat(filepath.Join(other, "b.png")); err != nil {
		t.Error("a file was removed through a link")
	}
}

// TestHostileManifest checks that files outside the folder are not removed, even if a manifest lists them.
func TestHostileManifest(t *testing.T) {
	outer := t.TempDir()
	put(t, outer, "victim", "out/in")
	d := Dir{Path: filepath.Join(outer, "out"), Kind: "folder"}
	for _, content := range []string{
		titleStart + "folder" + titleEnd + line("../victim"), line("../victim"), line(filepath.Join(outer, "victim")), line("a/../../victim"), line("."), line(""), line(OwnFolder + "/lock"),
		"\"in", "in\n", "\x00\xff\n", strings.Repeat("\"", 1000) + "\n",
	} {
		put(t, d.Path, filepath.Join(OwnFolder, manifestName))
		if err := os.WriteFile(d.own(manifestName), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		held, err := d.Hold()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(held.Clear(keepNothing), held.Close()); err != nil {
			t.Errorf("%q: %v", content, err)
		}
		for _, name := range []string{"victim", "out/in", "out"} {
			if _, err := os.Stat(filepath.Join(outer, name)); err != nil {
				t.Fatalf("%q removed %s", content, name)
			}
		}
	}
}

// TestOneAtATime checks that the second of two programs in one folder stops, and that parts do not block each other.
func TestOneAtATime(t *testing.T) {
	d := Dir{Path: t.TempDir(), Kind: "folder"}
	first, err := d.Hold()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Hold(); !errors.Is(err, ErrInUse) {
		t.Errorf("a second program: %v", err)
	}
	part := Dir{Path: d.Path, Kind: "part", Part: "one"}
	write(t, part, "one/a", "maps/a")
	if err := part.Check(true); err != nil {
		t.Errorf("the part: %v", err)
	}
	if err := d.Check(true); !errors.Is(err, ErrOccupied) {
		t.Errorf("the whole, which lists nothing of a part: %v", err)
	}
	// Clearing replaces the manifest, and the lock stays.
	if err := first.Clear(keepNothing); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Hold(); !errors.Is(err, ErrInUse) {
		t.Errorf("after Clear: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := d.Hold()
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestFolderGone checks that a folder that was removed is not silently created again
// without the earlier files.
func TestFolderGone(t *testing.T) {
	d := Dir{Path: filepath.Join(t.TempDir(), "out"), Kind: "folder"}
	held, err := d.Hold()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	file, err := os.Create(filepath.Join(d.Path, "rows"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := StillAt(file.Name(), file); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(d.Path); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		StillAt(file.Name(), file),
		held.Write("a", func(io.Writer) error { return nil }),
		held.WriteQuickly("a", func(io.Writer) error { return nil }),
	} {
		if !errors.Is(err, ErrReplaced) {
			t.Errorf("%v", err)
		}
	}
	put(t, d.Path, "rows")
	if err := StillAt(file.Name(), file); !errors.Is(err, ErrReplaced) {
		t.Errorf("another file in its place: %v", err)
	}
}

// TestProbe checks that Probe leaves the folder unchanged.
func TestProbe(t *testing.T) {
	d := Dir{Path: filepath.Join(t.TempDir(), "a", "b"), Kind: "folder"}
	if err := d.Probe(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(d.Path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder above it is there: %v", err)
	}
	put(t, d.Path, "a")
	if err := d.Probe(); err != nil || len(files(t, d.Path)) != 1 {
		t.Errorf("%v, %v", files(t, d.Path), err)
	}
}

// TestOwnBesideAHolder checks that a file can be listed while another program holds the folder.
func TestOwnBesideAHolder(t *testing.T) {
	d := Dir{Path: t.TempDir(), Kind: "folder"}
	held, err := d.Hold()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Own("curves.png"), d.Own("curves.png"), held.Own("b"), held.Close()); err != nil {
		t.Fatal(err)
	}
	if !d.Lists("curves.png") || !d.Lists("b") {
		t.Error("not listed")
	}
}

// TestPipes checks that pipes with the names of the folder's own files do not block.
func TestPipes(t *testing.T) {
	for _, name := range []string{lockName, manifestName} {
		d := Dir{Path: t.TempDir(), Kind: "folder"}
		if err := errors.Join(os.Mkdir(filepath.Join(d.Path, OwnFolder), 0o755), syscall.Mkfifo(d.own(name), 0o600)); err != nil {
			t.Skip(err)
		}
		if _, err := d.Hold(); err == nil || !strings.Contains(err.Error(), "it is a pipe") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOtherKind checks that another command's folder is never overwritten, whatever is listed.
func TestOtherKind(t *testing.T) {
	run := Dir{Path: t.TempDir(), Kind: "run folder"}
	write(t, run, "last.safetensors")
	results := Dir{Path: run.Path, Kind: "results folder"}
	if err := results.Check(true); !errors.Is(err, ErrOccupied) || !strings.Contains(err.Error(), "is a run folder, written by another acdclip command") {
		t.Errorf("Check: %v", err)
	}
	if _, err := results.Hold(); !errors.Is(err, ErrOccupied) {
		t.Errorf("Hold: %v", err)
	}
	if err := results.Own("curves.png"); !errors.Is(err, ErrOccupied) {
		t.Errorf("Own: %v", err)
	}
}

// TestPlantedLinks checks that nothing is written through links that a downloaded folder
// may contain with the names of acdclip's files.
func TestPlantedLinks(t *testing.T) {
	for _, planted := range []string{OwnFolder, OwnFolder + "/" + manifestName, OwnFolder + "/" + lockName, OwnFolder + "/" + halvesName} {
		outer := t.TempDir()
		put(t, outer, "docs/files", "docs/lock")
		d := Dir{Path: filepath.Join(outer, "out"), Kind: "folder"}
		link, target := filepath.Join(d.Path, planted), filepath.Join(outer, "docs", filepath.Base(planted))
		if planted == OwnFolder || planted == OwnFolder+"/"+halvesName {
			target = filepath.Join(outer, "docs")
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o755), os.Symlink(target, link)); err != nil {
			t.Skip(err)
		}
		if held, err := d.Hold(); err == nil {
			t.Errorf("%s: the folder is taken", planted)
			_ = held.Close()
		} else if !strings.Contains(err.Error(), "is a link") {
			t.Errorf("%s: %v", planted, err)
		}
		for _, name := range []string{"docs/files", "docs/lock"} {
			if content, err := os.ReadFile(filepath.Join(outer, name)); err != nil || string(content) != "mine" {
				t.Errorf("%s: %s is %q, %v", planted, name, content, err)
			}
		}
	}
}

// TestOwnRefusesOthers checks that an existing file of another origin is not overwritten.
func TestOwnRefusesOthers(t *testing.T) {
	d := Dir{Path: t.TempDir(), Kind: "folder"}
	held, err := d.Hold()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	put(t, d.Path, "maps/a.png")
	if err := held.Write("maps/a.png", func(io.Writer) error { return nil }); !errors.Is(err, ErrOccupied) {
		t.Errorf("Write: %v", err)
	}
	if content, err := os.ReadFile(filepath.Join(d.Path, "maps/a.png")); err != nil || string(content) != "mine" {
		t.Errorf("%q, %v", content, err)
	}
	if err := errors.Join(held.Adopt("maps/a.png"), held.Own("maps/a.png")); err != nil {
		t.Errorf("what was adopted: %v", err)
	}
}

// TestPartsShareFiles checks that the parts of one folder may write the same file, but not
// a file of a program that writes the whole folder.
func TestPartsShareFiles(t *testing.T) {
	path := t.TempDir()
	write(t, Dir{Path: path, Kind: "share", Part: "one"}, "one/a", "masks/a.png")
	write(t, Dir{Path: path, Kind: "share", Part: "two"}, "two/a", "masks/a.png")
	write(t, Dir{Path: path, Kind: "results"}, "maps/a.png")
	held, err := (Dir{Path: path, Kind: "share", Part: "two"}).Hold()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := held.Own("maps/a.png"); !errors.Is(err, ErrOccupied) {
		t.Errorf("a file of the whole: %v", err)
	}
	if err := (Dir{Path: path, Kind: "results"}).Check(true); err == nil || !strings.Contains(err.Error(), "holds masks/a.png, which another program's share wrote") {
		t.Errorf("the whole over parts: %v", err)
	}
}

// TestComplete checks that missing files are detected.
func TestComplete(t *testing.T) {
	d := Dir{Path: t.TempDir(), Kind: "folder"}
	held, err := d.Hold()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	for _, name := range []string{"a", "maps/b"} {
		if err := held.WriteQuickly(name, func(io.Writer) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(held.Complete(), d.Complete()); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(filepath.Join(d.Path, "maps")); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{held.Complete(), d.Complete()} {
		if !errors.Is(err, ErrReplaced) || !strings.Contains(err.Error(), "1 of 2 written files are missing, such as") {
			t.Errorf("%v", err)
		}
	}
}

// TestLinkedFolder checks that --out may be a link to a folder.
func TestLinkedFolder(t *testing.T) {
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Skip(err)
	}
	d := Dir{Path: link, Kind: "folder"}
	write(t, d, "a", "b/c")
	if err := d.Check(true); err != nil {
		t.Error(err)
	}
}

// TestCutManifest checks that an incomplete line does not affect other lines.
func TestCutManifest(t *testing.T) {
	d := Dir{Path: t.TempDir(), Kind: "folder"}
	write(t, d, "a")
	content, err := os.ReadFile(d.own(manifestName))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.own(manifestName), append(content, `"zz`...), 0o644); err != nil {
		t.Fatal(err)
	}
	write(t, d, "b")
	if !d.Lists("a") || !d.Lists("b") || d.Check(true) != nil {
		t.Error("a file is not listed")
	}
}

// FuzzManifest checks that no manifest makes files outside the folder listed or removed.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(titleStart + "folder" + titleEnd + line("in") + line("a/b")))
	f.Add([]byte(titleStart + "other" + titleEnd + line("../victim") + "\"cut"))
	f.Add([]byte("\x00\n\"\\xff\"\n\"/\"\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		outer := t.TempDir()
		put(t, outer, "victim", "out/in")
		d := Dir{Path: filepath.Join(outer, "out"), Kind: "folder"}
		put(t, d.Path, OwnFolder+"/"+manifestName)
		if err := os.WriteFile(d.own(manifestName), content, 0o644); err != nil {
			t.Fatal(err)
		}
		listed, err := readManifest(d.own(manifestName))
		if err != nil {
			t.Fatal(err)
		}
		for name := range listed.files {
			if !filepath.IsLocal(name) || name == "." || strings.HasPrefix(name, OwnFolder) && !strings.HasPrefix(name, OwnFolder+"-") && filepath.Dir(name) == OwnFolder {
				t.Errorf("%q is listed", name)
			}
		}
		held, err := d.Hold()
		if err != nil {
			return // another kind of folder
		}
		_ = held.Clear(keepNothing)
		_ = held.Close()
		if _, err := os.Stat(filepath.Join(outer, "victim")); err != nil {
			t.Error("a file outside the folder is gone")
		}
		if _, err := os.Stat(filepath.Join(d.Path, "in")); err != nil && !listed.files["in"] {
			t.Error("a file that is not listed is gone")
		}
	})
}

// TestIsOutput: folders of predict and eval have output pictures, those of other commands do not.
func TestIsOutput(t *testing.T) {
	for kind, want := range map[string]bool{outputKind: true, resultsKind: true, shareKind: true, "run folder": false, "folder of drawings": false} {
		path := t.TempDir()
		if IsOutput(path) {
			t.Errorf("an empty folder is output")
		}
		dir := Dir{Path: path, Kind: kind}
		if kind == shareKind {
			dir.Part = "share-1-of-2"
		}
		held, err := dir.Hold()
		if err != nil {
			t.Fatal(err)
		}
		if err := held.Close(); err != nil {
			t.Fatal(err)
		}
		if got := IsOutput(path); got != want {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
}
