package clipad

import "acdclip/pkg/model/prompt"

// prompts are the authors'. The bare name is not among the normal phrases.
func prompts() prompt.Ensemble {
	return prompt.Ensemble{
		Phrases: [prompt.States][]string{
			prompt.Normal: {
				"flawless {}", "perfect {}", "unblemished {}", "{} without flaw", "{} without defect", "{} without damage",
				"{} without scratch", "{} without crack", "{} without contamination",
			},
			prompt.Abnormal: {
				"damaged {}", "imperfect {}", "blemished {}", "broken {}", "{} with flaw", "{} with defect", "{} with damage",
				"{} with scratch", "{} with crack", "{} with contamination",
			},
		},
		Templates: []string{
			"a cropped photo of the {}.", "a cropped photo of a {}.", "a close-up photo of a {}.", "a close-up photo of the {}.",
			"a bright photo of a {}.", "a bright photo of the {}.", "a dark photo of the {}.", "a dark photo of a {}.",
			"a jpeg corrupted photo of a {}.", "a jpeg corrupted photo of the {}.", "a blurry photo of the {}.", "a blurry photo of a {}.",
			"a photo of the {}.", "a photo of a {}.", "a photo of a large {}.", "a photo of the small {}.",
			"a photo of the large {}.", "a photo of a small {}.", "a photo of the {} for visual inspection.", "a photo of a {} for visual inspection.",
			"a photo of the {} for anomaly detection.", "a photo of a {} for anomaly detection.",
		},
	}
}
