package data

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/config"
)

// published is one layout of a benchmark on disk, as published or repacked.
type published struct {
	name    string
	key     string
	folder  string // the folder's name
	inside  string // the folder given to Discover, below that one
	tree    []string
	want    []string // expected rows
	layout  string
	content bool // the benchmark is recognised without its name and its folder's name
	renamed bool // its class names differ from the benchmark's
	mask    uint8
}

// publications are the original layout of each benchmark, and its repacks.
var publications = []published{
	{
		name: "MVTec-AD as published", key: "MVTec", folder: "mvtec_anomaly_detection", layout: "mvtec", content: true,
		tree: []string{"{bottle,grid}/train/good/{000..002}.png", "bottle/test/{good,broken_large}/000.png", "bottle/ground_truth/broken_large/000_mask.png", "grid/test/{good,glue}/009.png", "grid/ground_truth/glue/009_mask.png", "license.txt", "bottle/readme.txt"},
		want: []string{"bottle broken_large bottle/test/broken_large/000.png bottle/ground_truth/broken_large/000_mask.png", "bottle - bottle/test/good/000.png", "grid glue grid/test/glue/009.png grid/ground_truth/glue/009_mask.png", "grid - grid/test/good/009.png"},
	},
	{
		name: "MVTec-AD packed by Bayes-PFL", key: "MVTec", folder: "mvtec", layout: "mvtec", content: true,
		tree: []string{"{tile,wood}/{train/good,test/good,test/anomaly}/0.bmp", "{tile,wood}/ground_truth/anomaly/0.png"},
		want: []string{"tile anomaly tile/test/anomaly/0.bmp tile/ground_truth/anomaly/0.png", "tile - tile/test/good/0.bmp", "wood anomaly wood/test/anomaly/0.bmp wood/ground_truth/anomaly/0.png", "wood - wood/test/good/0.bmp"},
	},
	{
		name: "VisA laid again by spot-diff", key: "VisA", folder: "VisA_pytorch", layout: "mvtec", content: true,
		tree: []string{"1cls/{candle,pcb1}/{train/good,test/good,test/bad}/000.JPG", "1cls/{candle,pcb1}/ground_truth/bad/000.png"},
		want: []string{"candle bad candle/test/bad/000.JPG candle/ground_truth/bad/000.png", "candle - candle/test/good/000.JPG", "pcb1 bad pcb1/test/bad/000.JPG pcb1/ground_truth/bad/000.png", "pcb1 - pcb1/test/good/000.JPG"},
	},
	{
		name: "VisA laid again by anomalib", key: "VisA", folder: "visa", layout: "mvtec", content: true,
		tree: []string{"visa_pytorch/{candle,pcb1}/test/{good,bad}/000.JPG", "visa_pytorch/{candle,pcb1}/ground_truth/bad/000.png"},
		want: []string{"candle bad candle/test/bad/000.JPG candle/ground_truth/bad/000.png", "candle - candle/test/good/000.JPG", "pcb1 bad pcb1/test/bad/000.JPG pcb1/ground_truth/bad/000.png", "pcb1 - pcb1/test/good/000.JPG"},
	},
	{
		name: "BTAD as published", key: "BTAD", folder: "BTech_Dataset_transformed", layout: "mvtec", content: true,
		tree: []string{"01/{train/ok,test/ok,test/ko}/0000.bmp", "01/ground_truth/ko/0000.png", "02/{train/ok,test/ok,test/ko}/0001.png", "02/ground_truth/ko/0001.png", "03/{train/ok,test/ok,test/ko}/0002.bmp", "03/ground_truth/ko/0002.bmp"},
		want: []string{"01 ko 01/test/ko/0000.bmp 01/ground_truth/ko/0000.png", "01 - 01/test/ok/0000.bmp", "02 ko 02/test/ko/0001.png 02/ground_truth/ko/0001.png", "02 - 02/test/ok/0001.png", "03 ko 03/test/ko/0002.bmp 03/ground_truth/ko/0002.bmp", "03 - 03/test/ok/0002.bmp"},
	},
	{
		name: "BTAD from anomalib, all png", key: "BTAD", folder: "BTech", layout: "mvtec", content: true,
		tree: []string{"{01,02,03}/{train/ok,test/ok,test/ko,ground_truth/ko}/0000.png"},
		want: []string{"01 ko 01/test/ko/0000.png 01/ground_truth/ko/0000.png", "01 - 01/test/ok/0000.png", "02 ko 02/test/ko/0000.png 02/ground_truth/ko/0000.png", "02 - 02/test/ok/0000.png", "03 ko 03/test/ko/0000.png 03/ground_truth/ko/0000.png", "03 - 03/test/ok/0000.png"},
	},
	{
		name: "BTAD packed by Bayes-PFL under names of its own", key: "BTAD", folder: "BTAD", layout: "mvtec", content: true, renamed: true,
		tree: []string{"{metal1,wood,metal2}/{train/good,test/good,test/anomaly}/a.bmp", "{metal1,wood,metal2}/ground_truth/anomaly/a.png"},
		want: []string{"01 anomaly metal1/test/anomaly/a.bmp metal1/ground_truth/anomaly/a.png", "01 - metal1/test/good/a.bmp", "02 anomaly wood/test/anomaly/a.bmp wood/ground_truth/anomaly/a.png", "02 - wood/test/good/a.bmp", "03 anomaly metal2/test/anomaly/a.bmp metal2/ground_truth/anomaly/a.png", "03 - metal2/test/good/a.bmp"},
	},
	{
		name: "MPDD as published", key: "MPDD", folder: "MPDD", layout: "mvtec", content: true,
		tree: []string{"MPDD/{connector,tubes}/{train/good,test/good}/000.png", "MPDD/connector/test/parts_mismatch/000.png", "MPDD/connector/ground_truth/parts_mismatch/000_mask.png", "MPDD/tubes/test/anomalous/000.png", "MPDD/tubes/ground_truth/anomalous/000_mask.png"},
		want: []string{"connector - connector/test/good/000.png", "connector parts_mismatch connector/test/parts_mismatch/000.png connector/ground_truth/parts_mismatch/000_mask.png", "tubes anomalous tubes/test/anomalous/000.png tubes/ground_truth/anomalous/000_mask.png", "tubes - tubes/test/good/000.png"},
	},
	{
		name: "RSDDs as published", key: "RSDD", folder: "RSDDs dataset", layout: "rsdds", content: true, mask: 128,
		tree: []string{"{Type-I,Type-II} RSDDs dataset/{Rail surface images,GroundTruth}/rail_{1..2}.jpg"},
		want: []string{
			"Type-I  Type-I RSDDs dataset/Rail surface images/rail_1.jpg Type-I RSDDs dataset/GroundTruth/rail_1.jpg", "Type-I  Type-I RSDDs dataset/Rail surface images/rail_2.jpg Type-I RSDDs dataset/GroundTruth/rail_2.jpg",
			"Type-II  Type-II RSDDs dataset/Rail surface images/rail_1.jpg Type-II RSDDs dataset/GroundTruth/rail_1.jpg", "Type-II  Type-II RSDDs dataset/Rail surface images/rail_2.jpg Type-II RSDDs dataset/GroundTruth/rail_2.jpg",
		},
	},
	{
		name: "one type of RSDDs", key: "RSDD", folder: "RSDD", inside: "Type-II RSDDs dataset", layout: "rsdds", content: true, mask: 128,
		tree: []string{"{Type-I,Type-II} RSDDs dataset/{Rail surface images,GroundTruth}/rail_1.jpg"},
		want: []string{"Type-II  Rail surface images/rail_1.jpg GroundTruth/rail_1.jpg"},
	},
	{
		name: "RSDD as Bayes-PFL crops it", key: "RSDD", folder: "RSDD", layout: "mvtec",
		tree: []string{"Metal15/test/anomaly/RSDD_I-metal-defect-000001_0000000000.bmp", "Metal15/ground_truth/anomaly/RSDD_I-metal-defect-000001_0000000000.png", "Metal15/{train,test}/good/RSDD_I-metal-000002_0.bmp"},
		want: []string{"Metal15 anomaly Metal15/test/anomaly/RSDD_I-metal-defect-000001_0000000000.bmp Metal15/ground_truth/anomaly/RSDD_I-metal-defect-000001_0000000000.png", "Metal15 - Metal15/test/good/RSDD_I-metal-000002_0.bmp"},
	},
	{
		name: "BMAD A, as its README shows it", key: "Brain", folder: "Brain_AD", layout: "bmad", content: true,
		tree: []string{"Brain/test/{good/img/00100_60,Ungood/{img,anomaly_mask}/01302_68}.png", "Brain/train/good/00001_60.png"},
		want: []string{"Brain ungood Brain/test/Ungood/img/01302_68.png Brain/test/Ungood/anomaly_mask/01302_68.png", "Brain - Brain/test/good/img/00100_60.png"},
	},
	{
		name: "BMAD B, old release of Brain", key: "Brain", folder: "Brain_AD", layout: "bmad", content: true,
		tree: []string{"BraTS2021_slice/test/{good/img/00100_60,good/label/00100_60,Ungood/{img,label}/01302_68}.png", "BraTS2021_slice/{train,valid}/good/img/00001_60.png", "BraTS2021_slice/valid/Ungood/{img,label}/00002_60.png"},
		want: []string{"Brain ungood BraTS2021_slice/test/Ungood/img/01302_68.png BraTS2021_slice/test/Ungood/label/01302_68.png", "Brain - BraTS2021_slice/test/good/img/00100_60.png"},
	},
	{
		name: "BMAD B, old release of Liver: the role before the state", key: "Liver", folder: "Liver_AD", layout: "bmad", content: true,
		tree: []string{"hist_DIY/{test,valid}/{img/good/1_45,img/Ungood/2_46,label/good/1_45,label/Ungood/2_46}.png", "hist_DIY/train/good/9_9.png"},
		want: []string{"Liver ungood hist_DIY/test/img/Ungood/2_46.png hist_DIY/test/label/Ungood/2_46.png", "Liver - hist_DIY/test/img/good/1_45.png"},
	},
	{
		name: "BMAD B, old release of Retina: test inside test", key: "Retina", folder: "Retina_RESC_AD", layout: "bmad", content: true,
		tree: []string{"RESC/Test/test/{good/1_1,Ungood/2_2}.png", "RESC/Test/test_label/Ungood/2_2.png", "RESC/Val/val/{good/3_3,Ungood/4_4}.png", "RESC/Val/val_label/Ungood/4_4.png", "RESC/Train/train/good/5_5.png"},
		want: []string{"Retina ungood RESC/Test/test/Ungood/2_2.png RESC/Test/test_label/Ungood/2_2.png", "Retina - RESC/Test/test/good/1_1.png"},
	},
	{
		name: "BMAD B, the inner folder of Retina alone", key: "Retina", folder: "Retina_RESC_AD", inside: "RESC/Test/test", layout: "bmad", content: true,
		tree: []string{"RESC/Test/test/{good/1_1,Ungood/2_2}.png", "RESC/Test/test_label/Ungood/2_2.png"},
		want: []string{"Retina ungood Ungood/2_2.png ../test_label/Ungood/2_2.png", "Retina - good/1_1.png"},
	},
	{
		name: "BMAD C, new release of Liver", key: "Liver", folder: "Liver_AD", layout: "bmad", content: true,
		tree: []string{"hist_DIY/{test,valid}/{good,ungood}/{img,label}/1_45.png", "hist_DIY/test/ungood/{img,label}/1_46.png"},
		want: []string{"Liver - hist_DIY/test/good/img/1_45.png", "Liver ungood hist_DIY/test/ungood/img/1_45.png hist_DIY/test/ungood/label/1_45.png", "Liver ungood hist_DIY/test/ungood/img/1_46.png hist_DIY/test/ungood/label/1_46.png"},
	},
	{
		name: "BMAD C, new release of Retina", key: "Retina", folder: "Retina_RESC_AD", layout: "bmad", content: true,
		tree: []string{"RESC/{test,val}/{good/img/1_1,ungood/{img,label}/2_2}.png", "RESC/train/good/5_5.png"},
		want: []string{"Retina - RESC/test/good/img/1_1.png", "Retina ungood RESC/test/ungood/img/2_2.png RESC/test/ungood/label/2_2.png"},
	},
	{
		name: "BMAD D, MVFA-AD's pack", key: "Retina", folder: "Retina_RESC_AD", layout: "bmad",
		tree: []string{"{valid,test}/{good/img/1_1,Ungood/{img,anomaly_mask}/2_2}.png"},
		want: []string{"Retina ungood test/Ungood/img/2_2.png test/Ungood/anomaly_mask/2_2.png", "Retina - test/good/img/1_1.png"},
	},
	{
		name: "BMAD E, anomalib's pack of three sets", key: "Liver", folder: "BMAD", layout: "bmad",
		tree: []string{"{Brain,Liver,Retina_RESC}/{train/good/0,valid/good/img/1,valid/Ungood/img/2,test/good/img/1_1,test/good/label/1_1,test/Ungood/{img,label}/2_2}.png"},
		want: []string{"Liver ungood test/Ungood/img/2_2.png test/Ungood/label/2_2.png", "Liver - test/good/img/1_1.png"},
	},
	{
		name: "BMAD F, the folders of AA-CLIP's lists", key: "Retina", folder: "MedAD", layout: "bmad",
		tree: []string{"{Brain,Liver,Retina_RESC}_AD/test/{good/img/1_1,Ungood/{img,label}/2_2}.png"},
		want: []string{"Retina ungood test/Ungood/img/2_2.png test/Ungood/label/2_2.png", "Retina - test/good/img/1_1.png"},
	},
	{
		name: "BMAD G, the folder test of the fork's lists", key: "Liver", folder: "Liver_AD", inside: "test", layout: "bmad", content: true,
		tree: []string{"test/{good/img/1_1,ungood/{img,label}/2_2}.png", "train/good/3_3.png"},
		want: []string{"Liver - good/img/1_1.png", "Liver ungood ungood/img/2_2.png ungood/label/2_2.png"},
	},
	{
		name: "CVC-ColonDB from figshare", key: "Colon_colonDB", folder: "CVC-ColonDB", layout: "images and masks",
		tree: []string{"{images,masks}/{1..2}.png"},
		want: []string{"Colon_colonDB  images/1.png masks/1.png", "Colon_colonDB  images/2.png masks/2.png"},
	},
	{
		name: "CVC-ColonDB packed by AdaCLIP", key: "Colon_colonDB", folder: "CVC-ColonDB", layout: "mvtec",
		tree: []string{"ColonDB/{test,ground_truth}/defect/1.png"},
		want: []string{"Colon_colonDB defect ColonDB/test/defect/1.png ColonDB/ground_truth/defect/1.png"}, renamed: true,
	},
	{
		name: "CVC-ColonDB packed by Bayes-PFL", key: "Colon_colonDB", folder: "ColonDB", layout: "mvtec",
		tree: []string{"colon/test/anomaly/1.bmp", "colon/ground_truth/anomaly/1.png"},
		want: []string{"Colon_colonDB anomaly colon/test/anomaly/1.bmp colon/ground_truth/anomaly/1.png"}, renamed: true,
	},
	{
		name: "CVC-ClinicDB from figshare", key: "Colon_clinicDB", folder: "CVC-ClinicDB", layout: "images and masks",
		tree: []string{"{images,masks}/612.png"},
		want: []string{"Colon_clinicDB  images/612.png masks/612.png"},
	},
	{
		name: "CVC-ClinicDB as published, a blank in a folder's name", key: "Colon_clinicDB", folder: "CVC-ClinicDB", layout: "images and masks",
		tree: []string{"{Original,Ground Truth}/{1..2}.tif"},
		want: []string{"Colon_clinicDB  Original/1.tif Ground Truth/1.tif", "Colon_clinicDB  Original/2.tif Ground Truth/2.tif"},
	},
	{
		name: "CVC-ClinicDB packed by AdaCLIP", key: "Colon_clinicDB", folder: "CVC-ClinicDB", layout: "mvtec",
		tree: []string{"ClinicDB/{test,ground_truth}/polyp/1.tif", "ClinicDB/train/good/"},
		want: []string{"Colon_clinicDB polyp ClinicDB/test/polyp/1.tif ClinicDB/ground_truth/polyp/1.tif"}, renamed: true,
	},
	{
		name: "Kvasir-SEG as published", key: "Colon_Kvasir", folder: "Kvasir-SEG", layout: "images and masks",
		tree: []string{"{images,masks}/cju0qkwl35piu0993l0dewei2.jpg", "kavsir_bboxes.json"},
		want: []string{"Kvasir  images/cju0qkwl35piu0993l0dewei2.jpg masks/cju0qkwl35piu0993l0dewei2.jpg"},
	},
	{
		name: "CVC-300 beside the other polyp sets", key: "Colon_cvc300", folder: "Colon", layout: "images and masks",
		tree: []string{"{CVC-300,CVC-ClinicDB,CVC-ColonDB,ETIS-LaribPolypDB,Kvasir}/{images,masks}/{149..150}.png"},
		want: []string{"CVC-300  images/149.png masks/149.png", "CVC-300  images/150.png masks/150.png"},
	},
}

// Each publication is recognised by the benchmark's key in a folder of any name,
// by its own folder's name alone, and, where possible, by its content.
func TestPublications(t *testing.T) {
	for _, p := range publications {
		t.Run(p.name, func(t *testing.T) {
			several := slices.Contains([]string{"BMAD", "MedAD", "Colon"}, p.folder) // not a name of one dataset
			root := plant(t, p.folder, p.tree...)
			if !several {
				p.check(t, discover(t, "mine", config.Root{Path: filepath.Join(root, p.inside)}))
			}
			somewhere := filepath.Join(t.TempDir(), "somewhere")
			if err := os.Rename(root, somewhere); err != nil {
				t.Fatal(err)
			}
			given := config.Root{Path: filepath.Join(somewhere, p.inside)}
			p.check(t, discover(t, p.key, given))
			d, err := Discover(context.Background(), "mine", given, nil)
			switch {
			case several:
				if !errors.Is(err, ErrSeveral) {
					t.Errorf("error %v, want one that wraps %q", err, ErrSeveral)
				}
			case err != nil:
				t.Error(err)
			case p.content && p.inside == "":
				p.check(t, d)
			case !p.content && d.Benchmark != nil:
				t.Errorf("taken for %s, which nothing proves", d.Benchmark.Key)
			}
		})
	}
}

func (p published) check(t *testing.T, d *Dataset) {
	t.Helper()
	checkRows(t, d, p.want...)
	renamed := slices.ContainsFunc(d.Findings, func(f Finding) bool { return f.Code == RenamedClass })
	d.Findings = slices.DeleteFunc(d.Findings, func(f Finding) bool { return f.Code == RenamedClass })
	checkFindings(t, d)
	benchmark, _ := FindBenchmark(p.key)
	threshold := max(p.mask, 1)
	if keyOf(d) != p.key || d.Layout != p.layout || d.Domain != benchmark.Domain || d.MaskThreshold != threshold || renamed != p.renamed {
		t.Errorf("benchmark %q, layout %q, domain %q, masks from %d, renamed %v; want %q, %q, %q, %d, %v", keyOf(d), d.Layout, d.Domain, d.MaskThreshold, renamed, p.key, p.layout, benchmark.Domain, threshold, p.renamed)
	}
	if err := d.Usable(); err != nil {
		t.Error(err)
	}
}

// Files that archives and file managers leave behind, and links in place of
// folders, do not change the result.
func TestPublicationsWithRubbishAndLinks(t *testing.T) {
	for _, p := range publications {
		t.Run(p.name, func(t *testing.T) {
			root := plant(t, p.folder, p.tree...)
			var folders []string
			err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
				if err == nil && entry.IsDir() {
					folders = append(folders, relative(root, path))
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, folder := range folders {
				growTree(t, filepath.Join(root, folder), "._000.png", "Thumbs.db", "desktop.ini", "000.png.txt", "__MACOSX/000.png")
			}
			p.check(t, discover(t, p.key, config.Root{Path: filepath.Join(root, p.inside)}))

			// Each direct subfolder of the given folder becomes a link to a folder elsewhere.
			given := filepath.Join(root, p.inside)
			store := t.TempDir()
			entries, err := os.ReadDir(given)
			if err != nil {
				t.Fatal(err)
			}
			for i, entry := range entries {
				path, moved := filepath.Join(given, entry.Name()), filepath.Join(store, numbers("0", "999")[i])
				if !entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
					continue
				}
				if err := errors.Join(os.Rename(path, moved), os.Symlink(moved, path)); err != nil {
					t.Fatal(err)
				}
			}
			p.check(t, discover(t, p.key, config.Root{Path: given}))
		})
	}
}
