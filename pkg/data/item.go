package data

// Item is one picture to be scored or trained on.
type Item struct {
	Path      string // the picture's file
	Class     string // the dataset's class name; "" for a picture that belongs to no dataset
	Anomalous bool   // the picture's label
	Defect    string // the kind of defect; "" for a normal picture, and where that is not said
	Mask      string // the mask's file, or the folder of MaskParts; "" for a normal picture and where there is none

	// MaskParts are the files of a mask that is a folder, as in MVTec LOCO: what
	// any of them marks is marked. nil where the mask is one file.
	MaskParts []string
}

// MaskFiles are the files of the mask; none where there is no mask.
func (i Item) MaskFiles() []string {
	switch {
	case i.Mask == "":
		return nil
	case i.MaskParts == nil:
		return []string{i.Mask}
	}
	return i.MaskParts
}

// HasPixelTruth reports whether it is known of each pixel whether it is anomalous.
func (i Item) HasPixelTruth() bool { return !i.Anomalous || i.Mask != "" }

// Class is one class of a dataset.
type Class struct {
	Name   string // as the dataset's folders call it
	Prompt string // as the text prompts call it
}
