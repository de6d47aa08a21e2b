package synth

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/config"
	"acdclip/pkg/data"
	pictures "acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/card"
)

// wantLayout is the expected content of one layout.
type wantLayout struct {
	benchmark, folder string
	classes           []string // nil: the benchmark's
	normal            bool     // whether it has normal pictures
	// mask replaces a picture's path by its mask's.
	mask [2]string
	// files are all kinds of files, as "paths format mode", where paths is a regular
	// expression; the first match counts.
	files [][3]string
}

var wantLayouts = []wantLayout{
	{
		benchmark: "MVTec", folder: "mvtec_ad", normal: true,
		mask: [2]string{`^(\w+)/test/(\w+)/(\d{3})\.png$`, "$1/ground_truth/$2/${3}_mask.png"},
		files: [][3]string{
			{`^\w+/ground_truth/[a-z]+/\d{3}_mask\.png$`, "PNG", "L"},
			{`^(grid|screw|zipper)/(test/[a-z]+|train/good)/\d{3}\.png$`, "PNG", "L"},
			{`^\w+/(test/[a-z]+|train/good)/\d{3}\.png$`, "PNG", "RGB"},
		},
	},
	{
		benchmark: "VisA", folder: "VisA_20220922", normal: true,
		mask: [2]string{`^(\w+)/Data/Images/Anomaly/(\d{3})\.JPG$`, "$1/Data/Masks/Anomaly/$2.png"},
		files: [][3]string{
			{`^(candle|macaroni[12]|pcb[1-4])/Data/Images/Normal/\d{4}\.JPG$`, "JPEG", "RGB"},
			{`^(capsules|cashew|chewinggum|fryum|pipe_fryum)/Data/Images/Normal/\d{3}\.JPG$`, "JPEG", "RGB"},
			{`^\w+/Data/Images/Anomaly/\d{3}\.JPG$`, "JPEG", "RGB"},
			{`^\w+/Data/Masks/Anomaly/\d{3}\.png$`, "PNG", "L"},
			{`^split_csv/1cls\.csv$`, "", ""},
			{`^\w+/image_anno\.csv$`, "", ""},
		},
	},
	{
		benchmark: "BTAD", folder: "BTech_Dataset_transformed", normal: true,
		mask: [2]string{`^(0[123])/test/ko/(000[0234])\.\w+$`, "$1/ground_truth/ko/$2."},
		files: [][3]string{
			{`^0[13]/(test|train)/(ok|ko)/000[0234]\.bmp$`, "BMP", "RGB"},
			{`^02/(test|train)/(ok|ko)/000[0234]\.png$`, "PNG", "RGB"},
			{`^0[12]/ground_truth/ko/000[0234]\.png$`, "PNG", "L"},
			{`^03/ground_truth/ko/000[0234]\.bmp$`, "BMP", "L"},
		},
	},
	{
		benchmark: "MPDD", folder: "MPDD", normal: true,
		mask: [2]string{`^(\w+)/test/(\w+)/(\d{3})\.png$`, "$1/ground_truth/$2/${3}_mask.png"},
		files: [][3]string{
			{`^\w+/ground_truth/[a-z]+/\d{3}_mask\.png$`, "PNG", "L"},
			{`^\w+/(test/[a-z]+|train/good)/\d{3}\.png$`, "PNG", "RGB"},
		},
	},
	{
		benchmark: "RSDD", folder: "RSDD", classes: []string{"Type-I", "Type-II"},
		mask:  [2]string{`^(.*)/Rail surface images/(rail_\d+\.jpg)$`, "$1/GroundTruth/$2"},
		files: [][3]string{{`^RSDDs dataset/Type-II? RSDDs dataset/(Rail surface images|GroundTruth)/rail_[1-9]\d*\.jpg$`, "JPEG", "L"}},
	},
	{
		benchmark: "Brain", folder: "MedAD/Brain_AD", normal: true,
		mask: [2]string{`^(BraTS2021_slice/test/Ungood)/img/(.*)$`, "$1/label/$2"},
		files: [][3]string{
			{`^BraTS2021_slice/(test|valid)/(good|Ungood)/(img|label)/\d{5}_\d{2}\.png$`, "PNG", "RGBA"},
			{`^BraTS2021_slice/train/good/\d{5}_\d{2}\.png$`, "PNG", "RGBA"},
		},
	},
	{
		benchmark: "Liver", folder: "MedAD/Liver_AD", normal: true,
		mask: [2]string{`^hist_DIY/test/img/Ungood/(.*)$`, "hist_DIY/test/label/Ungood/$1"},
		files: [][3]string{
			{`^hist_DIY/test/(img|label)/(good|Ungood)/\d+_\d+\.png$`, "PNG", "L"},
			{`^hist_DIY/train/good/\d+_\d+\.png$`, "PNG", "L"},
		},
	},
	{
		benchmark: "Retina", folder: "MedAD/Retina_RESC_AD", normal: true,
		mask: [2]string{`^RESC/Test/test/Ungood/(.*)$`, "RESC/Test/test_label/Ungood/$1"},
		files: [][3]string{
			{`^RESC/(Test/test|Val/val)/(good|Ungood)/\d+_\d+\.png$`, "PNG", "L"},
			{`^RESC/(Test/test|Val/val)_label/Ungood/\d+_\d+\.png$`, "PNG", "L"},
			{`^RESC/Train/train/good/\d+_\d+\.png$`, "PNG", "L"},
		},
	},
	wantColon("Colon_colonDB", "CVC-ColonDB", `[1-4]`),
	wantColon("Colon_clinicDB", "CVC-ClinicDB", `[1-4]`),
	wantColon("Colon_Kvasir", "Kvasir", `c[jk][a-z0-9]{23}`),
	wantColon("Colon_cvc300", "CVC-300", `149|150|151|152`),
}

func wantColon(benchmark, folder, stems string) wantLayout {
	return wantLayout{
		benchmark: benchmark, folder: "Colon/" + folder,
		mask:  [2]string{`^images/(.*)$`, "masks/$1"},
		files: [][3]string{{`^images/(` + stems + `)\.png$`, "PNG", "RGB"}, {`^masks/(` + stems + `)\.png$`, "PNG", "L"}},
	}
}

var layoutOptions = Options{Seed: 4, Normal: 2, Anomalous: 4, TrainNormal: 1, Size: 64}

// Discover finds each benchmark with its classes, test pictures and masks, by its name
// and by its folder's name, and its files have the expected formats.
func TestLayouts(t *testing.T) {
	o := layoutOptions
	o.Layout = All
	all, summary := write(t, o)
	if !slices.Equal(append(summary.Layouts, All), Layouts()) || len(summary.Layouts) != len(wantLayouts) {
		t.Errorf("layouts %v, want %v", summary.Layouts, Layouts())
	}
	normal, anomalous := 0, 0
	for i, want := range wantLayouts {
		if got := Layouts()[i]; got != strings.ToLower(want.benchmark) {
			t.Errorf("layout %d is %s, want %s", i, got, want.benchmark)
		}
		t.Run(want.benchmark, func(t *testing.T) {
			folder := filepath.Join(all, want.folder)
			for _, name := range []string{want.benchmark, ""} {
				d, err := data.Discover(context.Background(), name, config.Root{Path: folder}, nil)
				if err != nil {
					t.Fatal(err)
				}
				want.checkDataset(t, d)
				n, a := d.Total()
				normal, anomalous = normal+n, anomalous+a
			}
			want.checkFiles(t, folder)
			alone := layoutOptions
			b, _ := data.FindBenchmark(want.benchmark)
			alone.Layout = b.Title
			if want.benchmark == "Brain" || want.benchmark == "Retina" || want.benchmark == "Liver" {
				alone.Layout = strings.ToUpper(b.Key)
			}
			dir, _ := write(t, alone)
			sameFiles(t, contents(t, dir), contents(t, folder))
		})
	}
	if normal != 2*summary.Normal || anomalous != 2*summary.Anomalous {
		t.Errorf("summary %+v, but found twice are %d and %d", summary, normal, anomalous)
	}
}

func sameFiles(t *testing.T, got, want map[string][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	for name := range got {
		if !bytes.Equal(got[name], want[name]) {
			t.Errorf("%s is another one", name)
		}
	}
}

// checkDataset checks the dataset discovered in the layout's folder.
func (want wantLayout) checkDataset(t *testing.T, d *data.Dataset) {
	t.Helper()
	if d.Benchmark == nil || d.Benchmark.Key != want.benchmark {
		t.Fatalf("benchmark %+v", d.Benchmark)
	}
	if err := d.Usable(); err != nil {
		t.Error(err)
	}
	for _, f := range d.Findings {
		switch f.Code {
		case data.CountMismatch, data.OneClassSet, data.Note: // expected: it is small, and some have no normal pictures
		default:
			t.Errorf("finding %+v", f)
		}
	}
	classes := want.classes
	if classes == nil {
		for _, c := range d.Benchmark.Classes {
			classes = append(classes, c.Name)
		}
	}
	var counts []data.Count
	for _, name := range slices.Sorted(slices.Values(classes)) {
		count := data.Count{Class: name, Anomalous: layoutOptions.Anomalous}
		if want.normal {
			count.Normal = layoutOptions.Normal
		}
		counts = append(counts, count)
	}
	if got := d.Counts(); !slices.Equal(got, counts) {
		t.Errorf("counts %v, want %v", got, counts)
	}
	rule := regexp.MustCompile(want.mask[0])
	for _, item := range d.Items {
		path, mask := d.Relative(item.Path), ""
		if strings.Contains(strings.ToLower(path), "train") || strings.Contains(strings.ToLower(path), "val") {
			t.Errorf("%s is no test picture", path)
		}
		if item.Anomalous != (item.Mask != "") {
			t.Errorf("row %+v", item)
			continue
		}
		if !item.Anomalous {
			continue
		}
		if mask = d.Relative(item.Mask); strings.HasSuffix(want.mask[1], ".") { // the mask has another extension
			mask = strings.TrimSuffix(mask, filepath.Ext(mask)) + "."
		}
		path = strings.TrimPrefix(path, "RSDDs dataset/")
		if paired := rule.ReplaceAllString(path, want.mask[1]); paired == path || strings.TrimPrefix(mask, "RSDDs dataset/") != paired {
			t.Errorf("%s has the mask %s, want %s", path, mask, paired)
		}
	}
}

// checkFiles checks the path and format of each file.
func (want wantLayout) checkFiles(t *testing.T, folder string) {
	t.Helper()
	used := make([]bool, len(want.files))
	for name := range contents(t, folder) {
		at := slices.IndexFunc(want.files, func(f [3]string) bool { return regexp.MustCompile(f[0]).MatchString(name) })
		if at < 0 {
			t.Errorf("%s has no place here", name)
			continue
		}
		used[at] = true
		if want.files[at][1] == "" {
			continue
		}
		info, err := pictures.Inspect(filepath.Join(folder, name), pictures.DecodeOptions{})
		if err != nil || info.Format != want.files[at][1] || info.Mode != want.files[at][2] {
			t.Errorf("%s: %+v, %v; want %s %s", name, info, err, want.files[at][1], want.files[at][2])
		}
		width, height := 64, 64
		switch {
		case strings.Contains(name, "Type-II "):
			height = 1455
		case strings.Contains(name, "Type-I "):
			height = 400
		}
		if info.Width != width || info.Height != height {
			t.Errorf("%s is %d x %d", name, info.Width, info.Height)
		}
	}
	if at := slices.Index(used, false); at >= 0 {
		t.Errorf("no file fits %s", want.files[at][0])
	}
}

// The configuration names all written datasets, and selecting classes skips the others.
func TestLayoutsConfiguration(t *testing.T) {
	for _, classes := range [][]string{nil, {"Brain", "01", "CVC-300"}} {
		dir, summary := write(t, Options{Layout: "ALL", Classes: classes, Normal: -1, Anomalous: 1, Size: 64})
		loaded, err := config.Catalog{Methods: card.List{options.Card()}}.Load(config.Sources{Files: []string{filepath.Join(dir, ConfigFile)}})
		if err != nil {
			t.Fatal(err)
		}
		roots := map[string]string{}
		for key, root := range loaded.Config.Data.Roots {
			roots[key] = root.Path
		}
		for _, want := range wantLayouts {
			path, listed := roots[strings.ToLower(want.benchmark)]
			if classes != nil && !slices.Contains([]string{"Brain", "BTAD", "Colon_cvc300"}, want.benchmark) {
				if _, err := os.Stat(filepath.Join(dir, want.folder)); listed || !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s was not asked for: %q, %v", want.benchmark, path, err)
				}
				continue
			}
			if path != filepath.Join(dir, want.folder) {
				t.Errorf("%s: %q", want.benchmark, path)
			}
		}
		if len(roots) != len(summary.Layouts) || summary.Normal != 0 {
			t.Errorf("roots %v, summary %+v", roots, summary)
		}
	}
}

// A larger count only adds pictures, also if two parts share a folder; a dataset with
// numbered pictures has a maximum count.
func TestLayoutsGrow(t *testing.T) {
	few, _ := write(t, Options{Layout: "visa", Classes: []string{"candle"}, Normal: 1, Anomalous: 1, Size: 64})
	more, _ := write(t, Options{Layout: "visa", Classes: []string{"candle", "cashew"}, Normal: 3, Anomalous: 2, TrainNormal: 4, Size: 64})
	known := contents(t, more)
	for name, text := range contents(t, few) {
		if !strings.HasSuffix(name, ".csv") && !bytes.Equal(text, known[name]) {
			t.Errorf("%s depends on the counts", name)
		}
	}
	if pictures := len(known); pictures != 2*(3+2+2+4)+3 {
		t.Errorf("%d files", pictures)
	}
	dir, summary := write(t, Options{Layout: "CVC-300", Anomalous: 70, Size: 64})
	if _, err := os.Stat(filepath.Join(dir, "images", "208.png")); err != nil || summary.Anomalous != 60 || summary.Normal != 0 {
		t.Errorf("summary %+v, %v", summary, err)
	}
}

func TestLayoutsRefuse(t *testing.T) {
	tests := []struct {
		o    Options
		want error
		text string
	}{
		{Options{Layout: "coco"}, ErrUnknown, "colon_cvc300, all"},
		{Options{Layout: "mpdd", Classes: []string{"bottle"}}, ErrUnknown, "layout mpdd has bracket_black"},
		{Options{Layout: "mpdd", Set: Objects}, nil, "set objects"},
		{Options{Layout: "rsdd", Anomalous: -1}, ErrNothing, ""},
		{Options{Layout: "Kvasir", Normal: 5, Anomalous: -1, TrainNormal: 5}, ErrNothing, ""},
	}
	for _, test := range tests {
		dir := filepath.Join(t.TempDir(), "new")
		_, err := Write(context.Background(), dir, test.o)
		if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%+v: error %v", test.o, err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%+v: the folder was made", test.o)
		}
	}
}

func TestLayoutsCancelled(t *testing.T) {
	empty := t.TempDir()
	for _, dir := range []string{filepath.Join(t.TempDir(), "new"), empty} {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		_, err := Write(ctx, dir, Options{Layout: All, Normal: -1, Anomalous: 1, Size: 64, Workers: 2, Progress: func(done, total int) {
			if done == total { // all pictures are written, but no text file
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want %v", err, context.Canceled)
		}
		entries, err := os.ReadDir(dir)
		if dir == empty && (err != nil || len(entries) > 0) || dir != empty && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %d entries are left, %v", dir, len(entries), err)
		}
	}
}
