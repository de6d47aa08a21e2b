package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"acdclip/pkg/data"
)

// newDatasetsTopic is a page of help that says what a dataset is.
func newDatasetsTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "datasets",
		Short: "The benchmarks and layouts that are known, and how to give a dataset of your own",
		Long: `A dataset is given as NAME=PATH, as PATH, or under data.roots of a configuration.
PATH is a folder or a list of pictures. Test pictures alone are used, normal and
anomalous ones; folders named train, valid, val and validation are not read.

The benchmarks, in the folders that their sites give and in the usual packs:
` + benchmarkLines() + `
Any other set, in one of these shapes:
  <class>/test/good/..., <class>/test/<defect>/...,
  <class>/ground_truth/<defect>/<stem>[_mask|_gt|_label].<ext>  as MVTec-AD
  good/..., <anything>/..., [masks/[<defect>/]<stem>...]      good and bad pictures
  images/<stem>..., masks/<stem>...                           all are anomalous
Folders of other names: data.roots: {bolts: {path: /data/bolts, normal: ok,
anomalous: nok, masks: truth}}. good, ok and normal mean normal.

A folder of masks may be called masks, labels, gt, ground_truth, annotations or
segmentations, in the singular too and in any case. It may also lie in the folder
test, or in a defect's folder; it is no defect's, unless masks lie in a folder of its
name. One that is not used is told of.

A mask belongs to the picture of its stem: a file, or a folder of that name with
several files, of which any marks a pixel (<stem>/000.png, as MVTec LOCO). It is read
as grey, a palette's colors applied and alpha ignored, and any value but zero is
anomalous; mask_threshold: 128 in data.roots asks for more. A set without masks has
image metrics only.

With data.exif_orientation pictures are turned as their EXIF says. A mask of the
stored picture's size (or aspect ratio, where it is scaled) is turned likewise; one of
the turned picture's size stays; one that fits both, as a square does, is turned.

The domain, industrial or medical, is what data.roots says, else the file data.names,
else the benchmark's, else industrial. A set is a benchmark by its NAME, by the name
of its folder, or by its classes or pictures, but not by one class folder that is
called brain, liver or retina.

Lists, known by their content (data.roots: {path, list}, a file as PATH, or
<NAME>.jsonl or meta.json in the folder): JSON lines with image_path, label,
class_name and mask_path, as ACD-CLIP and AA-CLIP have them and ` + "`acdclip data index`" + `
writes them; the meta.json of AnomalyCLIP, AdaCLIP and Bayes-PFL. A list that lies
in the folder is passed over, with a warning, where more than 1 % of its paths are
not there.

Pictures and masks are png, jpg, jpeg, jpe, jfif, bmp, tif or tiff files; others, such
as HEIC or camera raw, are counted and left out. A dataset of one class without a
folder for it is called by its NAME in the prompts; data.names gives other names.`,
	}
}

func benchmarkLines() string {
	var b strings.Builder
	for _, benchmark := range data.Benchmarks() {
		normal, anomalous := benchmark.Counts()
		counts := fmt.Sprintf("%d normal, %d anomalous", normal, anomalous)
		if benchmark.Uncounted {
			counts = "no public list"
		}
		fmt.Fprintf(&b, "  %-15s %-13s %-11s %s\n", benchmark.Key, benchmark.Title, benchmark.Domain, counts)
	}
	return b.String()
}
