package data

import "acdclip/pkg/domain"

// The industrial benchmarks. Counts are those of the public test lists (ACD-CLIP,
// AA-CLIP, Bayes-PFL); prompt names are this project's own words.
var industrial = []Benchmark{
	{
		Key: "MVTec", Title: "MVTec-AD", Domain: domain.Industrial,
		Spellings: []string{"mvtecad", "mvtecanomalydetection", "mvdataset"},
		Classes: []BenchmarkClass{
			{Name: "bottle", Prompt: "glass bottle seen from above", Normal: 20, Anomalous: 63},
			{Name: "cable", Prompt: "cross-section of a three-wire cable", Normal: 58, Anomalous: 92},
			{Name: "capsule", Prompt: "two-colored medicine capsule", Normal: 23, Anomalous: 109},
			{Name: "carpet", Prompt: "woven carpet", Normal: 28, Anomalous: 89},
			{Name: "grid", Prompt: "wire mesh", Normal: 21, Anomalous: 57},
			{Name: "hazelnut", Prompt: "hazelnut", Normal: 40, Anomalous: 70},
			{Name: "leather", Prompt: "piece of leather", Normal: 32, Anomalous: 92},
			{Name: "metal_nut", Prompt: "metal nut with four lugs", Normal: 22, Anomalous: 93},
			{Name: "pill", Prompt: "white speckled pill", Normal: 26, Anomalous: 141},
			{Name: "screw", Prompt: "metal screw", Normal: 41, Anomalous: 119},
			{Name: "tile", Prompt: "stone tile", Normal: 33, Anomalous: 84},
			{Name: "toothbrush", Prompt: "head of a toothbrush", Normal: 12, Anomalous: 30},
			{Name: "transistor", Prompt: "transistor with three legs", Normal: 60, Anomalous: 40},
			{Name: "wood", Prompt: "wooden board", Normal: 19, Anomalous: 60},
			{Name: "zipper", Prompt: "closed zipper", Normal: 32, Anomalous: 119},
		},
	},
	{
		Key: "VisA", Title: "VisA", Domain: domain.Industrial,
		Spellings: []string{"visa20220922", "visapytorch", "visa1cls", "1cls"},
		Classes: []BenchmarkClass{
			{Name: "candle", Prompt: "round wax candles", Normal: 100, Anomalous: 100},
			{Name: "capsules", Prompt: "soft gel capsules", Normal: 60, Anomalous: 100},
			{Name: "cashew", Prompt: "roasted cashew", Normal: 50, Anomalous: 100},
			{Name: "chewinggum", Prompt: "piece of chewing gum", Normal: 50, Anomalous: 100},
			{Name: "fryum", Prompt: "wheel-shaped fried snack", Normal: 50, Anomalous: 100},
			{Name: "macaroni1", Prompt: "row of dry macaroni", Normal: 100, Anomalous: 100},
			{Name: "macaroni2", Prompt: "dry macaroni", Normal: 100, Anomalous: 100},
			{Name: "pcb1", Prompt: "circuit board with two ultrasonic transducers", Normal: 100, Anomalous: 100},
			{Name: "pcb2", Prompt: "small circuit board with chips", Normal: 100, Anomalous: 100},
			{Name: "pcb3", Prompt: "circuit board with infrared diodes", Normal: 101, Anomalous: 100},
			{Name: "pcb4", Prompt: "circuit board of a battery charger", Normal: 101, Anomalous: 100},
			{Name: "pipe_fryum", Prompt: "tube-shaped fried snack", Normal: 50, Anomalous: 100},
		},
	},
	{
		Key: "BTAD", Title: "BTAD", Domain: domain.Industrial,
		Spellings: []string{"btech", "btechdatasettransformed"},
		defects:   []string{"ko", "anomaly"}, // as published, as Bayes-PFL packs it; class folders that are only numbers do not identify BTAD
		Classes: []BenchmarkClass{
			{Name: "01", Prompt: "round machined part", Aliases: []string{"metal1"}, Normal: 21, Anomalous: 49},
			{Name: "02", Prompt: "ribbed wooden surface", Aliases: []string{"wood"}, Normal: 30, Anomalous: 200},
			{Name: "03", Prompt: "ring-shaped machined part", Aliases: []string{"metal2"}, Normal: 400, Anomalous: 41},
		},
	},
	{
		Key: "MPDD", Title: "MPDD", Domain: domain.Industrial,
		Classes: []BenchmarkClass{
			{Name: "bracket_black", Prompt: "black painted metal bracket", Normal: 32, Anomalous: 47},
			{Name: "bracket_brown", Prompt: "brown painted metal bracket", Normal: 26, Anomalous: 51},
			{Name: "bracket_white", Prompt: "white painted metal bracket", Normal: 30, Anomalous: 30},
			{Name: "connector", Prompt: "metal hose clamp", Normal: 30, Anomalous: 14},
			{Name: "metal_plate", Prompt: "flat metal plate", Normal: 26, Anomalous: 71},
			{Name: "tubes", Prompt: "metal tubes", Normal: 32, Anomalous: 69},
		},
	},
	{
		Key: "RSDD", Title: "RSDD", Domain: domain.Industrial, Uncounted: true, jpegThreshold: rsddJPEGThreshold,
		Spellings: []string{"rsdds", "rsddsdataset"},
		Note:      "the name of three different datasets; the paper's list is not public, so the numbers are not comparable with the paper's",
		Classes: []BenchmarkClass{
			{Name: "Dent", Prompt: "rail surface"}, {Name: "Crush", Prompt: "rail surface"}, // the released code's classes
			{Name: "Scratch", Prompt: "rail surface"}, {Name: "Damage", Prompt: "rail surface"},
			{Name: "Metal15", Prompt: "rail surface"},                                           // Bayes-PFL's crops
			{Name: "Type-I", Prompt: "rail surface"}, {Name: "Type-II", Prompt: "rail surface"}, // as RSDDs was published
		},
	},
}

// rsddJPEGThreshold removes the grey fringe that JPEG compression leaves around RSDDs' masks.
const rsddJPEGThreshold = 128
