package data

import (
	"strings"

	"acdclip/pkg/domain"
)

// The medical benchmarks; see industrial.
var medical = []Benchmark{
	{
		Key: "Brain", Title: "BrainMRI", Domain: domain.Medical,
		Spellings: []string{"brainad", "brainmri", "brainmribmad", "brats2021slice", "bras2021"},
		Classes:   []BenchmarkClass{{Name: "Brain", Prompt: "brain MRI slice", Normal: 640, Anomalous: 3075}},
		stem:      isBrainStem, commonWord: true,
		Others: []OtherSet{{
			What:    "the yes/no brain tumor dataset of Kaggle, which other projects call BrainMRI; this benchmark is BMAD's Brain (BraTS2021 slices)",
			Names:   []string{"brain_tumor_dataset", "brain_mri", "brain ct", "yes", "no"},
			Refused: true,
		}},
	},
	{
		Key: "Liver", Title: "Liver CT", Domain: domain.Medical,
		Spellings:  []string{"liverad", "liverct", "histdiy"},
		Classes:    []BenchmarkClass{{Name: "Liver", Prompt: "liver CT slice", Normal: 833, Anomalous: 660}},
		commonWord: true,
	},
	{
		Key: "Retina", Title: "Retina OCT", Domain: domain.Medical,
		Spellings:  []string{"retinarescad", "retinaresc", "retinaoct", "retinaad", "resc"},
		Classes:    []BenchmarkClass{{Name: "Retina", Prompt: "retinal OCT slice", Normal: 1041, Anomalous: 764}},
		Others:     []OtherSet{{What: "its validation and test pictures together", Normal: 1086, Anomalous: 834}},
		commonWord: true,
	},
	{
		Key: "Colon_colonDB", Title: "CVC-ColonDB", Domain: domain.Medical,
		Spellings: []string{"cvccolondb", "colondb"},
		Classes:   []BenchmarkClass{{Name: "Colon_colonDB", Prompt: colonPrompt, Anomalous: 380}},
		Others:    []OtherSet{{What: "the 300 frames of the original CVC page", Anomalous: 300}},
		stem:      numbered(1, 380),
	},
	{
		Key: "Colon_clinicDB", Title: "CVC-ClinicDB", Domain: domain.Medical,
		Spellings: []string{"cvcclinicdb", "clinicdb"},
		Classes:   []BenchmarkClass{{Name: "Colon_clinicDB", Prompt: colonPrompt, Anomalous: 612}},
		Others:    []OtherSet{{What: "PraNet's test part of it", Anomalous: 62}},
		stem:      numbered(1, 612),
	},
	{
		Key: "Colon_Kvasir", Title: "Kvasir", Domain: domain.Medical,
		Spellings: []string{"kvasir", "kvasirseg"},
		Classes:   []BenchmarkClass{{Name: "Kvasir", Prompt: colonPrompt, Anomalous: 1000}},
		Others:    []OtherSet{{What: "PraNet's test part of it", Anomalous: 100}},
		stem:      isKvasirStem,
	},
	{
		Key: "Colon_cvc300", Title: "CVC-300", Domain: domain.Medical,
		Spellings: []string{"cvc300", "endoscene"},
		Classes:   []BenchmarkClass{{Name: "CVC-300", Prompt: colonPrompt, Anomalous: 60}},
		Note:      "not independent of CVC-ColonDB: EndoScene contains frames of it; do not average the two",
		stem:      numbered(149, 208),
	},
}

const colonPrompt = "endoscopic view of the colon"

// isBrainStem reports whether stem is a name of BMAD's brain slices: <5-digit subject>_<slice>.
func isBrainStem(stem string) bool {
	const length = len("00000_00")
	if len(stem) != length {
		return false
	}
	for i, c := range []byte(stem) {
		if i == 5 && c != '_' || i != 5 && !isDigit(c) {
			return false
		}
	}
	return true
}

// isKvasirStem reports whether stem is a name of Kvasir-SEG: 25 characters that begin with cj or ck.
func isKvasirStem(stem string) bool {
	const length = 25
	return len(stem) == length && (strings.HasPrefix(stem, "cj") || strings.HasPrefix(stem, "ck"))
}
