package synth

import "fmt"

// medical returns the layouts of the medical benchmarks: BMAD's datasets as first
// released, and the endoscopy datasets as in the polyp pack.
func medical() []layout {
	return []layout{
		{
			benchmark: "Brain", folder: "MedAD/Brain_AD", drawn: []class{section(rgb(150, 150, 150))},
			places: []placement{
				{part: trainNormal, least: 2, stem: brainStem(0), picture: file{"BraTS2021_slice/train/good/{stem}.png", bone}},
				brainPlace(validNormal, 1, "valid/good", brainStem(1)),
				brainPlace(validAnomalous, 1, "valid/Ungood", brainStem(2)),
				brainPlace(testNormal, 0, "test/good", brainStem(3)),
				brainPlace(testAnomalous, 0, "test/Ungood", brainStem(4)),
			},
		},
		{
			benchmark: "Liver", folder: "MedAD/Liver_AD", drawn: []class{section(rgb(130, 130, 130))},
			places: []placement{
				{part: trainNormal, stem: scanStem(10, 45), picture: file{"hist_DIY/train/good/{stem}.png", grays}},
				{
					part: testNormal, stem: scanStem(10, 45),
					picture: file{"hist_DIY/test/img/good/{stem}.png", grays},
					mask:    file{"hist_DIY/test/label/good/{stem}.png", marked},
				},
				{
					part: testAnomalous, stem: scanStem(10, 46),
					picture: file{"hist_DIY/test/img/Ungood/{stem}.png", grays},
					mask:    file{"hist_DIY/test/label/Ungood/{stem}.png", marked},
				},
			},
		},
		{
			benchmark: "Retina", folder: "MedAD/Retina_RESC_AD", drawn: []class{tissue(rgb(120, 120, 120))},
			places: []placement{
				{part: trainNormal, least: 2, stem: scanStem(15, 1), picture: file{"RESC/Train/train/good/{stem}.png", grays}},
				{part: validNormal, least: 1, stem: scanStem(15, 1), picture: file{"RESC/Val/val/good/{stem}.png", grays}},
				{
					part: validAnomalous, least: 1, stem: scanStem(15, 2),
					picture: file{"RESC/Val/val/Ungood/{stem}.png", grays},
					mask:    file{"RESC/Val/val_label/Ungood/{stem}.png", lesions},
				},
				{part: testNormal, stem: scanStem(15, 1), picture: file{"RESC/Test/test/good/{stem}.png", grays}},
				{
					part: testAnomalous, stem: scanStem(15, 2),
					picture: file{"RESC/Test/test/Ungood/{stem}.png", grays},
					mask:    file{"RESC/Test/test_label/Ungood/{stem}.png", lesions},
				},
			},
		},
		colon("Colon_colonDB", "CVC-ColonDB", marked, counting("", 1), 380),
		colon("Colon_clinicDB", "CVC-ClinicDB", marked, counting("", 1), 612),
		colon("Colon_Kvasir", "Kvasir", fringed, kvasirStem, 0),
		colon("Colon_cvc300", "CVC-300", marked, counting("", 149), 60),
	}
}

// brainPlace is a folder of pictures with their masks, which normal ones have too. One
// anomalous slice shows no tumor, as in the original.
func brainPlace(p part, least int, folder string, stem func(int) string) placement {
	return placement{
		part: p, least: least, stem: stem, blank: 3,
		picture: file{"BraTS2021_slice/" + folder + "/img/{stem}.png", bone},
		mask:    file{"BraTS2021_slice/" + folder + "/label/{stem}.png", tumor},
	}
}

// brainStem returns a function that names slices; each group has its own subjects.
func brainStem(group int) func(int) string {
	const each, groups = 5, 5 // slices per subject
	return func(number int) string {
		return fmt.Sprintf("%05d_%d", groups*(number/each)+group, 60+8*(number%each))
	}
}

// scanStem returns a function that names every second slice of the given number of scans, from slice first on.
func scanStem(scans, first int) func(int) string {
	return func(number int) string { return fmt.Sprintf("%d_%d", 1+number%scans, first+2*(number/scans)) }
}

// colon is the layout of an endoscopy dataset, in which all pictures are anomalous. A
// dataset with numbered pictures has at most most pictures.
func colon(benchmark, folder string, masks look, stem func(int) string, most int) layout {
	return layout{
		benchmark: benchmark, folder: "Colon/" + folder, drawn: []class{tissue(rgb(190, 100, 84))},
		places: []placement{{
			part: testAnomalous, stem: stem, most: most,
			picture: file{"images/{stem}.png", colors},
			mask:    file{"masks/{stem}.png", masks},
		}},
	}
}

// kvasirStem returns a name in the style of Kvasir-SEG: 25 characters that begin with cj or ck.
func kvasirStem(number int) string {
	return [...]string{"cj", "cj", "ck"}[number%3] + fmt.Sprintf("u0qkwl35piu0993l0%06d", number)
}
