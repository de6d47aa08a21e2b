package data

import (
	"slices"

	"acdclip/pkg/regularfile"
)

// PictureFiles gives the paths of the dataset's pictures, without those that are not there.
func (d *Dataset) PictureFiles() []string {
	paths := make([]string, len(d.Items))
	for i, item := range d.Items {
		paths[i] = item.Path
	}
	return regularFiles(paths)
}

// MaskFiles is PictureFiles for the masks.
func (d *Dataset) MaskFiles() []string {
	var paths []string
	for _, item := range d.Items {
		paths = append(paths, item.MaskFiles()...)
	}
	return regularFiles(paths)
}

func regularFiles(paths []string) []string {
	return slices.DeleteFunc(paths, func(path string) bool {
		_, err := regularfile.Stat(path)
		return err != nil
	})
}

// PromptNames are the distinct names by which the prompts call the dataset's classes, sorted.
func (d *Dataset) PromptNames() []string {
	var names []string
	for _, class := range d.Classes {
		names = append(names, class.Prompt)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
