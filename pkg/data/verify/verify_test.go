package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"acdclip/internal/golden"
	"acdclip/internal/goroutines"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
)

// sound returns a dataset without problems.
func sound() tree {
	return tree{
		"c/test/good/0.png":              "rgb 8x6 200 100",
		"c/test/hole/0.png":              "rgb 8x6 90",
		"c/ground_truth/hole/0_mask.png": "grey 8x6 255 255",
	}
}

// with returns a sound dataset in which some files are replaced.
func with(pairs ...string) tree {
	files := sound()
	for i := 0; i < len(pairs); i += 2 {
		files[pairs[i]] = pairs[i+1]
	}
	return files
}

// parted returns a sound dataset in which the mask is a folder of these files.
func parted(masks ...string) tree {
	files := sound()
	delete(files, mask)
	for i, mask := range masks {
		files[fmt.Sprintf("c/ground_truth/hole/0/%d.png", i)] = mask
	}
	return files
}

const (
	good = "c/test/good/0.png"
	hole = "c/test/hole/0.png"
	mask = "c/ground_truth/hole/0_mask.png"
)

func TestRun(t *testing.T) {
	tests := []struct {
		name  string
		files tree
		set   string      // the dataset's name; "" means "own"
		root  config.Root // the test sets its Path
		size  int         // Options.ImageSize; 0 means 6
		want  []string    // "code path: detail", or a prefix of it
		quick []string    // the same with Options.Quick; nil: same as want
	}{
		{name: "nothing to find", files: sound()},
		{name: "a picture of no bytes", files: with(good, "nothing"), want: []string{"undecodable " + good + ": not a picture: it contains nothing (the file is empty)"}},
		{name: "a picture that is text", files: with(good, "text"), want: []string{"undecodable " + good + ": not a picture: it contains text"}},
		{name: "a picture cut short", files: with(hole, "cut rgb 64x64 1 2 3"), want: []string{
			"undecodable " + hole + ": the PNG file is damaged or cut short",
		}, quick: []string{"mask_size_mismatch " + mask}},
		{name: "a mask cut short", files: with(mask, "cut grey 8x6 255"), want: []string{"undecodable " + mask + ": the PNG file is damaged"}, quick: []string{}},
		{name: "a header that promises too much", files: with(good, "promise"), want: []string{"undecodable " + good + ": picture is too large: the PNG header declares 1048576 x 1048576"}},
		{name: "a mask of another size", files: with(mask, "grey 4x3 255"), size: 3, want: []string{"mask_size_mismatch " + mask + ": 4 x 3 pixels, its picture has 8 x 6"}},
		{name: "a mask of another shape", files: with(mask, "grey 8x8 255"), size: 8, want: []string{"mask_size_mismatch " + mask + ": 8 x 8 pixels, its picture has 8 x 6; the aspect ratios differ"}},
		{name: "an empty mask", files: with(mask, "grey"), want: []string{"empty_mask " + mask + ": all values are 0"}, quick: []string{}},
		{name: "a tiny defect is lost by scaling", files: with(hole, "rgb 64x48 9", mask, "grey 64x48 255"), size: 4, want: []string{
			"empty_mask " + mask + ": only after scaling to 4 x 4: none of its 1 anomalous pixels remains",
		}, quick: []string{}},
		{name: "VisA's class ids look black and are no empty mask", files: with(mask, "grey 8x6 1 2 9"), want: []string{
			"faint_mask " + mask + ": the largest value is 9", "non_binary_mask " + mask + ": PNG L; 0: 93.75 %, 1: 2.08 %, 2: 2.08 %, and 1 more",
		}, quick: []string{}},
		{name: "values above 127 are lost by scaling", files: with(hole, "rgb 12x6 9", mask, "grey 12x6 255 1"), want: []string{
			"faint_mask " + mask + ": after scaling to 6 x 6 the largest value is 1; 1 of its 2 anomalous pixels are above 127", "non_binary_mask " + mask,
		}, quick: []string{}},
		{name: "a threshold above the class ids", files: with(mask, "grey 8x6 1 2 9"), root: config.Root{MaskThreshold: 128}, want: []string{
			"empty_mask " + mask + ": no value of at least 128; the largest is 9", "non_binary_mask " + mask,
		}, quick: []string{}},
		{name: "Kvasir's fringe", files: with(mask, "grey 8x6 255 248 7 3"), want: []string{"non_binary_mask " + mask + ": PNG L; 0: 91.67 %"}, quick: []string{}},
		{name: "Brain's RGBA: alpha is no defect", files: with(mask, "rgba 8x6 58 122 255"), want: []string{"non_binary_mask " + mask + ": PNG RGBA with color; 0: 93.75 %"}, quick: []string{}},
		{name: "Brain's RGBA without a tumor", files: with(mask, "rgba 8x6"), want: []string{"empty_mask " + mask, "non_binary_mask " + mask + ": PNG RGBA; 0: 100.00 %"}, quick: []string{}},
		{name: "a label that a threshold of 128 would lose", files: with(mask, "rgba 8x6 50"), want: []string{"faint_mask " + mask + ": the largest value is 52", "non_binary_mask " + mask}, quick: []string{}},
		{name: "anomalib's three equal channels are no color", files: with(mask, "rgb 8x6 255")},
		{name: "a header that promises too much of a mask", files: with(mask, "promise"), want: []string{"undecodable " + mask + ": picture is too large"}},
		{name: "a mask without bytes", files: with(mask, "nothing"), want: []string{"undecodable " + mask + ": not a picture: it contains nothing"}},
		{name: "a mask that is text, of a picture that is too", files: with(mask, "text", hole, "text"), want: []string{"undecodable " + hole, "undecodable " + mask}},
		{name: "a palette", files: with(mask, "palette 8x6 1 1"), want: []string{"faint_mask " + mask + ": the largest value is 76", "non_binary_mask " + mask + ": PNG P with color; 0: 95.83 %, 76: 4.17 %"}, quick: []string{}},
		{name: "a palette whose first color is white", files: with(mask, "inverted 8x6 1 1"), want: []string{"marked_background " + mask + ": the first color is #ffffff, read as grey value 255"}, quick: []string{}},
		{name: "a palette of white alone", files: with(mask, "inverted 8x6"), want: []string{
			"full_mask " + mask + ": 255: 100.00 %", "marked_background " + mask + ": the first color is #ffffff, read as grey value 255",
		}, quick: []string{}},
		{name: "a palette whose first color is a blue that is no grey", files: with(mask, "blue 8x6 1"), want: []string{"non_binary_mask " + mask + ": PNG P with color; 0: 97.92 %"}, quick: []string{}},
		{name: "a mask that marks everything", files: with(mask, "white 8x6"), want: []string{"full_mask " + mask + ": 255: 100.00 %"}, quick: []string{}},
		{name: "a mask that was drawn into its alpha", files: with(mask, "alpha 8x6 255 255"), want: []string{
			"full_mask " + mask + ": 255: 100.00 %; its alpha channel is ignored", "non_binary_mask " + mask + ": PNG RGBA; 255: 100.00 %",
		}, quick: []string{}},
		{name: "a mask that marks everything by the threshold alone", files: with(mask, "white 8x6 200 199"), root: config.Root{MaskThreshold: 199}, want: []string{"full_mask " + mask, "non_binary_mask " + mask}, quick: []string{}},
		{name: "a mask of several files: nothing is odd", files: parted("grey 8x6 255", "grey 8x6 0 255", "grey 8x6")},
		{name: "a mask of several files: none marks anything", files: parted("grey", "grey"), want: []string{"empty_mask c/ground_truth/hole/0: all values are 0"}, quick: []string{}},
		{name: "a mask of several files: all together mark everything", files: parted("grey 2x1 0 255", "grey 2x1 255 0"), want: []string{
			"mask_size_mismatch c/ground_truth/hole/0/0.png: 2 x 1 pixels, its picture has 8 x 6; the aspect ratios differ", "mask_size_mismatch c/ground_truth/hole/0/1.png", "full_mask c/ground_truth/hole/0: 255: 100.00 %",
		}, quick: []string{"mask_size_mismatch c/ground_truth/hole/0/0.png", "mask_size_mismatch c/ground_truth/hole/0/1.png"}},
		{name: "a mask of several files: values that differ per file", files: parted("grey 8x6 254", "grey 8x6 3 253"), want: []string{
			"non_binary_mask c/ground_truth/hole/0/0.png: PNG L; 0: 97.92 %, 254: 2.08 %", "non_binary_mask c/ground_truth/hole/0/1.png: PNG L; 0: 95.83 %",
		}, quick: []string{}},
		{name: "a mask of several files: one is damaged", files: parted("grey", "text"), want: []string{"undecodable c/ground_truth/hole/0/1.png"}},
		{name: "a picture in a format that is not read", files: with("c/test/hole/1.heic", "text"), want: []string{"unread_picture c/test/hole/1.heic: HEIC"}},
		{name: "16 bits: a value of 1 counts, and is faint", files: with(mask, "grey16 8x6 1"), want: []string{
			"faint_mask " + mask + ": the largest value is 1", "non_binary_mask " + mask + ": PNG L;16; 0: 97.92 %, 1: 2.08 %",
		}, quick: []string{}},
		{name: "16 bits: a value of 1 is below 128", files: with(mask, "grey16 8x6 1"), root: config.Root{MaskThreshold: 128}, want: []string{"empty_mask " + mask}, quick: []string{}},
		{name: "16 bits: 0 and 65535 are the bytes' ends", files: with(mask, "grey16 8x6 65535")},
		{name: "a normal picture's mask is never opened", files: with("c/ground_truth/good/0_mask.png", "text")},
		{name: "no masks at all", files: tree{good: "rgb", hole: "rgb"}},
		{name: "a missing mask is found once", files: with("c/test/hole/1.png", "rgb"), want: []string{"missing_mask c/test/hole/1.png"}},
		{
			name: "a JPEG mask's fringe", set: "rsdd",
			files: tree{
				"Type-I RSDDs dataset/Rail surface images/rail_1.jpg": "grey 16x32 200 200 200 200",
				"Type-I RSDDs dataset/GroundTruth/rail_1.jpg":         "grey 16x32 255 255 255 255 255 255 255 255",
			},
			want: []string{"one_class_set ", "note ", "non_binary_mask Type-I RSDDs dataset/GroundTruth/rail_1.jpg: JPEG L; 0: "}, size: 32,
			quick: []string{"one_class_set ", "note "},
		},
		{
			name: "a JPEG mask's fringe is no defect at 128", set: "rsdd", size: 32,
			files: tree{
				"Type-I RSDDs dataset/Rail surface images/rail_1.jpg": "grey 16x32",
				"Type-I RSDDs dataset/GroundTruth/rail_1.jpg":         "grey 16x32 90 0 90 0 90",
			},
			want:  []string{"one_class_set ", "note ", "empty_mask Type-I RSDDs dataset/GroundTruth/rail_1.jpg: no value of at least 128; the largest is ", "non_binary_mask "},
			quick: []string{"one_class_set ", "note "},
		},
		{
			name: "a JPEG mask's fringe is a defect where nothing but 0 is none", set: "rsdd", size: 32, root: config.Root{MaskThreshold: 1},
			files: tree{
				"Type-I RSDDs dataset/Rail surface images/rail_1.jpg": "grey 16x32",
				"Type-I RSDDs dataset/GroundTruth/rail_1.jpg":         "grey 16x32 90 0 90 0 90",
			},
			want:  []string{"one_class_set ", "note ", "faint_mask ", "non_binary_mask "},
			quick: []string{"one_class_set ", "note "},
		},
		{
			name: "what several rows name is read once, and compared with each",
			files: tree{
				"own.jsonl": raw + `{"image_path": "a.png", "label": 1, "class_name": "x", "mask_path": "a_mask.png"}
{"image_path": "b.png", "label": 1, "class_name": "x", "mask_path": "a_mask.png"}
{"image_path": "c.png", "label": 0, "class_name": "x"}
{"image_path": "c.png", "label": 0, "class_name": "y"}
`,
				"a.png": "rgb", "b.png": "rgb 9x9", "c.png": "text", "a_mask.png": "grey 8x6 3",
			},
			want: []string{
				"pairing_disagrees b.png", "duplicate_path c.png", "duplicate_path b.png", "one_class_set ",
				"faint_mask a_mask.png", "non_binary_mask a_mask.png", "mask_size_mismatch a_mask.png: 8 x 6 pixels, its picture has 9 x 9", "undecodable c.png",
			},
			quick: []string{
				"pairing_disagrees b.png", "duplicate_path c.png", "duplicate_path b.png", "one_class_set ",
				"mask_size_mismatch a_mask.png", "undecodable c.png",
			},
		},
		{
			name: "the mask of a picture that is not there is read",
			files: tree{
				"own.jsonl": raw + `{"image_path": "a.png", "label": 0, "class_name": "x"}
{"image_path": "b.png", "label": 1, "class_name": "x", "mask_path": "b_mask.png"}
`,
				"a.png": "rgb", "b_mask.png": "grey",
			},
			want:  []string{"missing_image b.png", "empty_mask b_mask.png"},
			quick: []string{"missing_image b.png"},
		},
		{
			name: "a listed picture that is not there is found once, a folder in its place is no picture",
			files: tree{
				"own.jsonl": "list", "a.png": "rgb", "b.png": "a folder", "m.png": "grey 255",
			},
			want: []string{"missing_image b.png: line 2", "missing_image c.png: line 3", "pairing_disagrees c.png: listed with m.png", "one_class_set ", "one_class_set "},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.set == "" {
				test.set = "own"
			}
			if test.size == 0 {
				test.size = 6
			}
			if test.quick == nil {
				test.quick = test.want
			}
			d := test.files.discover(t, test.set, test.root)
			for _, quick := range []bool{false, true} {
				want := test.want
				if quick {
					want = test.quick
				}
				got := texts(run(t, d, Options{Quick: quick, ImageSize: test.size}))
				same := slices.EqualFunc(got, want, func(got, want string) bool { return strings.HasPrefix(got, want) })
				if !same {
					t.Errorf("quick %v: findings\n%s\nwant\n%s", quick, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
		})
	}
}

// TestMasksTurn: EXIF mirrors a picture and its mask, which changes the column that scaling drops.
func TestMasksTurn(t *testing.T) {
	mirrored, err := os.ReadFile("../pixels/picture/testdata/pictures/exif2.jpg") // 16 x 11
	if err != nil {
		t.Fatal(err)
	}
	d := with("c/test/hole/1.jpg", raw+string(mirrored), "c/ground_truth/hole/1.png", "grey 16x11 255").discover(t, "own", config.Root{})
	for exif, want := range map[bool][]string{false: {"empty_mask c/ground_truth/hole/1.png: only after scaling to 8 x 8: none of its 1 anomalous pixels remains"}, true: {"turned_mask c/ground_truth/hole/1.png: 16 x 11 pixels"}} {
		if got := texts(run(t, d, Options{ImageSize: 8, Decode: picture.DecodeOptions{EXIF: exif}})); !slices.Equal(got, want) {
			t.Errorf("EXIF %v: %q, want %q", exif, got, want)
		}
	}
}

// TestNoFiles replaces discovered files by pipes or folders, or removes them.
func TestNoFiles(t *testing.T) {
	for what, replace := range map[string]func(path string) error{
		"it is a pipe":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"it is a folder": func(path string) error { return os.Mkdir(path, 0o700) },
		"no such file":   func(string) error { return nil },
	} {
		d := sound().discover(t, "own", config.Root{})
		var want []string
		for _, path := range []string{hole, mask} {
			absolute := filepath.Join(d.Root, path)
			if err := errors.Join(os.Remove(absolute), replace(absolute)); err != nil {
				t.Fatal(err)
			}
			want = append(want, "undecodable "+path+": ")
		}
		for _, quick := range []bool{false, true} {
			got := texts(run(t, d, Options{Quick: quick}))
			if !slices.EqualFunc(got, want, func(got, want string) bool { return strings.HasPrefix(got, want) && strings.Contains(got, what) }) {
				t.Errorf("quick %v, %s: findings %q", quick, what, got)
			}
			if strings.Contains(strings.Join(got, ""), d.Root) {
				t.Errorf("%q names the dataset's folder", got)
			}
		}
	}
}

// TestMaskDrawnUpright: a picture is stored rotated, and its mask was drawn over the upright picture.
func TestMaskDrawnUpright(t *testing.T) {
	lying, err := os.ReadFile("../pixels/picture/testdata/pictures/exif6.jpg") // 16 x 11, upright 11 x 16
	if err != nil {
		t.Fatal(err)
	}
	const path = "c/ground_truth/hole/1.png"
	differs := "mask_size_mismatch " + path + ": %s pixels, its picture has %s; the aspect ratios differ"
	for _, test := range []struct {
		mask  string
		exif  bool
		want  []string
		quick []string
	}{
		{mask: "grey 11x16 255 255 255", exif: true},
		{mask: "grey 16x11 255 255 255", exif: true},
		{mask: "grey 16x11 255 255 255", exif: false},
		{mask: "grey 11x16 255 255 255", exif: false, want: []string{fmt.Sprintf(differs, "11 x 16", "16 x 11")}, quick: []string{fmt.Sprintf(differs, "11 x 16", "16 x 11")}},
		{mask: "grey 12x12 255 255 255", exif: true, want: []string{fmt.Sprintf(differs, "12 x 12", "16 x 11")}, quick: []string{fmt.Sprintf(differs, "12 x 12", "16 x 11")}},
	} {
		d := with("c/test/hole/1.jpg", raw+string(lying), path, test.mask).discover(t, "own", config.Root{})
		for quick, want := range map[bool][]string{false: test.want, true: test.quick} {
			if got := texts(run(t, d, Options{Quick: quick, Decode: picture.DecodeOptions{EXIF: test.exif}})); !slices.Equal(got, want) {
				t.Errorf("%s, EXIF %v, quick %v: %q, want %q", test.mask, test.exif, quick, got, want)
			}
		}
	}
}

// TestBinary lists the modes that are valid for masks.
func TestBinary(t *testing.T) {
	sound := picture.Grey{Width: 2, Height: 1, Pix: []uint8{0, 255}}
	for mode, want := range map[string]bool{"1": true, "L": true, "P": true, "RGB": true, "L;16": true, "RGB;16": true, "LA": false, "RGBA": false, "LA;16": false, "RGBA;16": false} {
		m := maskFile{info: picture.Info{Mode: mode}, grey: &sound, values: histogram(sound.Pix)}
		if m.binary() != want {
			t.Errorf("%s is binary: %v", mode, !want)
		}
		if m.color.Colored = true; m.binary() {
			t.Errorf("%s with color is binary", mode)
		}
	}
}

func run(t testing.TB, d *data.Dataset, o Options) *Report {
	t.Helper()
	r, err := Run(t.Context(), d, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func texts(r *Report) []string {
	var list []string
	for _, f := range r.Findings {
		text := string(f.Code) + " " + f.Path
		if f.Detail != "" {
			text += ": " + f.Detail
		}
		list = append(list, text)
	}
	return list
}

// TestRunFindsWhatIsNoFile: a dead link and a pipe become findings, and other findings stay.
func TestRunFindsWhatIsNoFile(t *testing.T) {
	files := sound()
	d := files.discover(t, "own", config.Root{})
	folder := filepath.Join(d.Root, "c", "test", "good")
	if err := os.Symlink("nowhere", filepath.Join(folder, "dead.png")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe.png"), 0o600); err != nil {
		t.Skip(err)
	}
	d, err := data.Discover(t.Context(), "own", config.Root{Path: d.Root}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"undecodable c/test/good/dead.png: no such file or directory", "undecodable c/test/good/pipe.png: not a picture: it is a pipe"}
	for _, quick := range []bool{false, true} {
		if got := texts(run(t, d, Options{Quick: quick, ImageSize: 6})); !slices.Equal(got, want) {
			t.Errorf("quick %v: findings %q, want %q", quick, got, want)
		}
	}
}

func TestStats(t *testing.T) {
	d := with("c/test/good/1.png", "grey 20x4 3", "c/test/hole/1.png", "palette 5x5 1", "c/ground_truth/hole/1.png", "grey 5x5 7 7").discover(t, "own", config.Root{})
	var last [2]int
	r := run(t, d, Options{ImageSize: 6, Progress: func(done, total int) { last = [2]int{done, total} }})
	pictures := FileStats{Files: 4, Modes: map[string]int{"PNG RGB": 2, "PNG L": 1, "PNG P": 1}, Smallest: [2]int{5, 4}, Largest: [2]int{20, 6}}
	masks := FileStats{Files: 2, Modes: map[string]int{"PNG L": 2}, Smallest: [2]int{5, 5}, Largest: [2]int{8, 6}}
	masks.Values[0], masks.Values[7], masks.Values[255] = 48+25-4, 2, 2
	if !reflect.DeepEqual(r.Pictures, pictures) || !reflect.DeepEqual(r.Masks, masks) {
		t.Errorf("pictures %+v\nmasks %+v", r.Pictures, r.Masks)
	}
	if r.Quick || r.MaskThreshold != 1 {
		t.Errorf("quick %v, threshold %d", r.Quick, r.MaskThreshold)
	}
	if last != [2]int{6, 6} {
		t.Errorf("progress ended at %v", last)
	}
}

func TestHistogram(t *testing.T) {
	for _, n := range []int{0, 1, 3, 4, 5, 1027} {
		pix := make([]uint8, n)
		var want [256]int64
		for i := range pix {
			pix[i] = uint8(i * 37)
			want[pix[i]]++
		}
		if histogram(pix) != want {
			t.Errorf("%d values: other counts", n)
		}
	}
}

// TestRunDoesNotDependOnWorkers also checks that no goroutine remains after cancelling.
func TestRunDoesNotDependOnWorkers(t *testing.T) {
	files := sound()
	for i := range 30 {
		files[fmt.Sprintf("c/test/hole/x%02d.png", i)] = []string{"rgb", "text", "cut rgb 9x9 1 2 3 4"}[i%3]
		files[fmt.Sprintf("c/ground_truth/hole/x%02d.png", i)] = []string{"grey", "grey 1 2", "grey 9x9 255"}[i%3]
	}
	d := files.discover(t, "own", config.Root{})
	want := run(t, d, Options{Workers: 1, ImageSize: 6})
	for _, workers := range []int{0, 2, 7, 100} {
		if got := run(t, d, Options{Workers: workers, ImageSize: 6}); !reflect.DeepEqual(got, want) {
			t.Errorf("%d workers: another report", workers)
		}
	}
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Run(ctx, d, Options{Workers: 3, Progress: func(done, _ int) {
		if done > 5 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	goroutines.NoneLeft(t, before)
}

// TestMagneticTile: known oddities of real pictures, counted with Pillow and NumPy.
func TestMagneticTile(t *testing.T) {
	d, err := data.Discover(t.Context(), "magnetic_tile", config.Root{Path: golden.SharedData(t, "magnetic_tile")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, d, Options{ImageSize: 336})
	counts := map[data.Code]int{}
	var faint []string
	for _, f := range r.Findings {
		counts[f.Code]++
		if f.Code == data.FaintMask {
			faint = append(faint, f.Path+": "+f.Detail)
		}
	}
	if want := (map[data.Code]int{data.NonBinaryMask: 180, data.FaintMask: 1}); !reflect.DeepEqual(counts, want) {
		t.Errorf("findings %v, want %v", counts, want)
	}
	// Only one pixel of this mask is above 127, and scaling drops it.
	if want := []string{"magnetic_tile/ground_truth/uneven/008_mask.png: after scaling to 336 x 336 the largest value is 43; 1 of its 26 anomalous pixels are above 127"}; !slices.Equal(faint, want) {
		t.Errorf("faint masks %q", faint)
	}
	for _, workers := range []int{1, 4} {
		if !reflect.DeepEqual(run(t, d, Options{ImageSize: 336, Workers: workers}), r) {
			t.Errorf("%d workers: another report", workers)
		}
	}
	// The values of all masks.
	var pixels int64
	for _, count := range r.Masks.Values {
		pixels += count
	}
	if pixels != 18930824 || r.Masks.Values[0] != 17560111 || r.Masks.Values[255] != 1296195 {
		t.Errorf("%d pixels, values %v", pixels, r.Masks.Values)
	}
	if r.Pictures.Files != 360 || r.Masks.Files != 180 || r.Pictures.Modes["JPEG L"] != 360 || r.Masks.Modes["PNG L"] != 180 {
		t.Errorf("pictures %v, masks %v", r.Pictures.Modes, r.Masks.Modes)
	}
}
