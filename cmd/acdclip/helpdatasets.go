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
		Short: "The known benchmarks and folder layouts, and how to use your own datasets",
		Long: `Give a dataset as NAME=PATH, as PATH, or under data.roots in a configuration file.
PATH is a folder or a list of pictures. Only test pictures are used, normal and
anomalous; folders named train, valid, val and validation are not read.

Benchmarks, in the folders that their sites publish and in the usual repackaged forms:
` + benchmarkLines() + `
Your own datasets, in one of these layouts:
  <class>/test/good/..., <class>/test/<defect>/...,
  <class>/ground_truth/<defect>/<stem>[_mask|_gt|_label].<ext>  like MVTec-AD
  good/..., <anything>/..., [masks/[<defect>/]<stem>...]      good and bad pictures
  images/<stem>..., masks/<stem>...                           all are anomalous
Folders named good, ok and normal hold normal pictures. For other folder names, use
data.roots: {bolts: {path: /data/bolts, normal: fine, anomalous: broken, masks: truth}}.

A folder of masks may be called masks, labels, gt, ground_truth, annotations or
segmentations (singular or plural, in any case). It may also lie in the folder test
or in a defect's folder; then it belongs to all defects, unless it has a folder with
the defect's name. A second folder of masks is ignored with a warning.

A mask belongs to the picture with the same stem. It is a file, or a folder with
several files (<stem>/000.png, like MVTec LOCO): a pixel is anomalous if any file
marks it. Masks are read as grey; palette colors are applied and alpha is ignored.
Any value but zero is anomalous; set mask_threshold: 128 in data.roots for masks with
soft edges. A dataset without masks has image metrics only.

Pictures of datasets are read as they are stored, as for published results. With
data.exif_orientation=true, they are turned as their EXIF data says. A mask with the
size (or the aspect ratio) of the stored picture is turned too; a mask with the size
of the turned picture is not; a mask that matches both, such as a square, is.

The domain, industrial or medical, is taken from data.roots, else from the file
data.names, else from the benchmark, else it is industrial. A dataset is recognised
as a benchmark by its NAME, its folder's name, its classes or its pictures, but not
by a single class folder named brain, liver or retina.

Lists of pictures are recognised by their content: a file as PATH, data.roots: {path,
list}, or <NAME>.jsonl or meta.json in the folder. They are JSON lines with
image_path, label, class_name and mask_path, as used by ACD-CLIP and AA-CLIP and
written by ` + "`acdclip data index`" + `, or the meta.json of AnomalyCLIP, AdaCLIP and
Bayes-PFL. A list in the folder is ignored, with a warning, if more than 1 % of its
files are missing.

Pictures and masks are png, jpg, jpeg, jpe, jfif, bmp, tif, tiff, webp or gif files.
Others, such as HEIC or camera raw, are counted and skipped. Pictures with 16 bits per
channel of which a camera uses 12 are almost black; data.depth=12 takes 4095 as white.
Pictures of 32-bit floats (TIFF) must have values from 0 to 1. The prompts use the name
of the class folder, or NAME for a dataset without class folders; data.names sets
other names.`,
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
