package verify

import "acdclip/pkg/data"

// repeats maps each file that several rows name to the first of these rows. It uses
// the dataset's findings on repeated pictures and shared masks, and so needs no memory
// for the other files.
func repeats(d *data.Dataset) map[string]int {
	again := map[string]bool{} // relative paths of pictures
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
