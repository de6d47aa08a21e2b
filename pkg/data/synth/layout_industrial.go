package synth

import (
	"fmt"
	"slices"
)

// industrial returns the layouts of the industrial benchmarks, as published.
func industrial() []layout {
	gray := []string{"grid", "screw", "zipper"}
	return []layout{
		{
			benchmark: "MVTec", folder: "mvtec_ad", drawn: classic(),
			places: slices.Concat(mvtecTree(colors, noneOf(gray...)), mvtecTree(grays, oneOf(gray...))),
		},
		{benchmark: "VisA", folder: "VisA_20220922", drawn: classic(), places: visaTree(), texts: visaTables},
		{
			benchmark: "BTAD", folder: "BTech_Dataset_transformed", drawn: classic(),
			places: slices.Concat(btadTree(oneOf("01"), "bmp", "png"), btadTree(oneOf("02"), "png", "png"), btadTree(oneOf("03"), "bmp", "bmp")),
		},
		{benchmark: "MPDD", folder: "MPDD", drawn: classic(), places: mvtecTree(colors, nil)},
		{
			// The two types as published; the benchmark's other classes come from other datasets.
			benchmark: "RSDD", folder: "RSDD", names: []string{"Type-I", "Type-II"},
			drawn: []class{rail(160, 1000), rail(55, 1250)},
			places: []placement{{
				part: testAnomalous, stem: counting("rail_", 1),
				picture: file{"RSDDs dataset/{class} RSDDs dataset/Rail surface images/{stem}.jpg", grays},
				mask:    file{"RSDDs dataset/{class} RSDDs dataset/GroundTruth/{stem}.jpg", marked},
			}},
		},
	}
}

// rail is a strip of worn steel with the given proportions.
func rail(width, height float64) class {
	return class{defects: []string{"crack", "dent", "scratch", "stain"}, scene: brushed, tall: height / width}
}

func mvtecTree(l look, of func(string) bool) []placement {
	return []placement{
		{part: trainNormal, of: of, stem: counted(3), picture: file{"{class}/train/good/{stem}.png", l}},
		{part: testNormal, of: of, stem: counted(3), picture: file{"{class}/test/good/{stem}.png", l}},
		{
			part: testAnomalous, of: of, stem: counted(3),
			picture: file{"{class}/test/{defect}/{stem}.png", l},
			mask:    file{"{class}/ground_truth/{defect}/{stem}_mask.png", marked},
		},
	}
}

func btadTree(of func(string) bool, pictures, masks string) []placement {
	holed := func(number int) string { // the numbers have a gap, like the published ones
		if number > 0 {
			number++
		}
		return fmt.Sprintf("%04d", number)
	}
	return []placement{
		{part: trainNormal, of: of, stem: holed, picture: file{"{class}/train/ok/{stem}." + pictures, colors}},
		{part: testNormal, of: of, stem: holed, picture: file{"{class}/test/ok/{stem}." + pictures, colors}},
		{
			part: testAnomalous, of: of, stem: holed,
			picture: file{"{class}/test/ko/{stem}." + pictures, colors},
			mask:    file{"{class}/ground_truth/ko/{stem}." + masks, marked},
		},
	}
}

// visaTree has the normal pictures of test and train in one folder, numbered consecutively.
func visaTree() []placement {
	short := []string{"capsules", "cashew", "chewinggum", "fryum", "pipe_fryum"} // classes with three-digit names of normal pictures
	normals := func(of func(string) bool, digits int) []placement {
		picture := file{"{class}/Data/Images/Normal/{stem}.JPG", colors}
		return []placement{
			{part: testNormal, of: of, stem: counted(digits), picture: picture},
			{part: trainNormal, of: of, stem: counted(digits), picture: picture, least: 2},
		}
	}
	return slices.Concat(normals(noneOf(short...), 4), normals(oneOf(short...), 3), []placement{{
		part: testAnomalous, stem: counted(3),
		picture: file{"{class}/Data/Images/Anomaly/{stem}.JPG", colors},
		mask:    file{"{class}/Data/Masks/Anomaly/{stem}.png", kinds},
	}})
}
