package winclip

import (
	"acdclip/pkg/model/prompt"
	"acdclip/pkg/model/winclip/options"
)

// ensemble returns the prompts of an implementation. anomalib's templates lack two of the
// paper's 22 and have one twice, which then counts double.
func ensemble(of options.Prompts) prompt.Ensemble {
	e := prompt.Ensemble{Phrases: [prompt.States][]string{
		prompt.Normal: {
			"{}", "flawless {}", "perfect {}", "unblemished {}", "{} without flaw", "{} without defect", "{} without damage",
		},
		prompt.Abnormal: {"damaged {}", "{} with flaw", "{} with defect", "{} with damage"},
	}}
	if of == options.CaoYunkang {
		e.Templates = []string{
			"a cropped photo of the {}", "a cropped photo of a {}", "a close-up photo of a {}", "a close-up photo of the {}",
			"a bright photo of a {}", "a bright photo of the {}", "a dark photo of the {}", "a dark photo of a {}",
			"a jpeg corrupted photo of a {}", "a jpeg corrupted photo of the {}", "a blurry photo of the {}", "a blurry photo of a {}",
			"a photo of a {}", "a photo of the {}", "a photo of a small {}", "a photo of the small {}",
			"a photo of a large {}", "a photo of the large {}", "a photo of the {} for visual inspection", "a photo of a {} for visual inspection",
			"a photo of the {} for anomaly detection", "a photo of a {} for anomaly detection",
		}
		return e
	}
	e.Templates = []string{
		"a cropped photo of the {}.", "a close-up photo of a {}.", "a close-up photo of the {}.",
		"a bright photo of a {}.", "a bright photo of the {}.", "a dark photo of the {}.", "a dark photo of a {}.",
		"a jpeg corrupted photo of the {}.", "a jpeg corrupted photo of the {}.", "a blurry photo of the {}.", "a blurry photo of a {}.",
		"a photo of a {}.", "a photo of the {}.", "a photo of a small {}.", "a photo of the small {}.",
		"a photo of a large {}.", "a photo of the large {}.", "a photo of the {} for visual inspection.", "a photo of a {} for visual inspection.",
		"a photo of the {} for anomaly detection.", "a photo of a {} for anomaly detection.",
	}
	return e
}
