package verify

import "acdclip/pkg/data"

// repeats gives the files that several rows name, each with the first of these
// rows. The findings of a dataset tell which pictures are listed again or share
// their masks, so that nothing is remembered of the others.
func repeats(d *data.Dataset) map[string]int {
	again := map[string]bool{} // pictures, by relative path
	for _, f := range d.Findings {
		if f.Code == data.DuplicatePath {
			again[f.Path] = true
		}
	}
	if len(again) == 0 {
		return nil
	}
	first := map[string]int{}
	const none = -1
	for _, item := range d.Items {
		if again[d.Relative(item.Path)] {
			for _, path := range files(item) {
				first[path] = none
			}
		}
	}
	for row, item := range d.Items {
		for _, path := range files(item) {
			if known, repeated := first[path]; repeated && known == none {
				first[path] = row
			}
		}
	}
	return first
}
