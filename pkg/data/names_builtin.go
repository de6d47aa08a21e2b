package data

// BuiltinNames is the project's own table, for the public benchmarks. It is
// built anew at each call.
func BuiltinNames() *Names {
	return &Names{
		domains: map[string]Domain{
			"brain": Medical, "liver": Medical, "retina": Medical,
			"colonclinicdb": Medical, "coloncolondb": Medical, "colonkvasir": Medical, "coloncvc300": Medical,
		},
		classes: map[string]map[string]string{
			"mvtec": {
				"bottle":     "glass bottle seen from above",
				"cable":      "cross-section of a three-wire cable",
				"capsule":    "two-colored medicine capsule",
				"carpet":     "woven carpet",
				"grid":       "wire mesh",
				"hazelnut":   "hazelnut",
				"leather":    "piece of leather",
				"metal_nut":  "metal nut with four lugs",
				"pill":       "white speckled pill",
				"screw":      "metal screw",
				"tile":       "stone tile",
				"toothbrush": "head of a toothbrush",
				"transistor": "transistor with three legs",
				"wood":       "wooden board",
				"zipper":     "closed zipper",
			},
			"visa": {
				"candle":     "round wax candles",
				"capsules":   "soft gel capsules",
				"cashew":     "roasted cashew",
				"chewinggum": "piece of chewing gum",
				"fryum":      "wheel-shaped fried snack",
				"macaroni1":  "row of dry macaroni",
				"macaroni2":  "dry macaroni",
				"pcb1":       "circuit board with two ultrasonic transducers",
				"pcb2":       "small circuit board with chips",
				"pcb3":       "circuit board with infrared diodes",
				"pcb4":       "circuit board of a battery charger",
				"pipe_fryum": "tube-shaped fried snack",
			},
			"btad": {
				"01": "round machined part", "metal1": "round machined part",
				"02": "ribbed wooden surface", "wood": "ribbed wooden surface",
				"03": "ring-shaped machined part", "metal2": "ring-shaped machined part",
			},
			"mpdd": {
				"bracket_black": "black painted metal bracket",
				"bracket_brown": "brown painted metal bracket",
				"bracket_white": "white painted metal bracket",
				"connector":     "metal hose clamp",
				"metal_plate":   "flat metal plate",
				"tubes":         "metal tubes",
			},
			"rsdd": {
				"dent": "rail surface", "crush": "rail surface", "scratch": "rail surface", "damage": "rail surface",
				"metal15": "rail surface",
			},
			"brain":         {"brain": "brain MRI slice"},
			"liver":         {"liver": "liver CT slice"},
			"retina":        {"retina": "retinal OCT slice"},
			"colonclinicdb": colonNames("colon_clinicdb", "clinicdb", "cvc-clinicdb"),
			"coloncolondb":  colonNames("colon_colondb", "colondb", "cvc-colondb"),
			"colonkvasir":   colonNames("colon_kvasir", "kvasir"),
			"coloncvc300":   colonNames("colon_cvc300", "cvc-300"),
		},
	}
}

// colonNames gives the spellings of an endoscopy set's one class its prompt name.
func colonNames(spellings ...string) map[string]string {
	names := map[string]string{"colon": "endoscopic view of the colon"}
	for _, spelling := range spellings {
		names[spelling] = "endoscopic view of the colon"
	}
	return names
}
