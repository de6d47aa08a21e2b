package data

// Item is one picture to be scored or trained on.
type Item struct {
	Path      string // the picture's file
	Class     string // class name in the dataset; "" if the picture belongs to no dataset
	Anomalous bool   // the picture's label
	Defect    string // the kind of defect; "" if the picture is normal or the kind is unknown
	Mask      string // the mask's file, or the folder of MaskParts; "" if there is none, as for normal pictures

	// MaskParts are the files of a mask that is a folder, as in MVTec LOCO; the mask
	// is their union. nil if the mask is one file.
	MaskParts []string
}

// MaskFiles returns the files of the mask; none if there is no mask.
func (i Item) MaskFiles() []string {
	switch {
	case i.Mask == "":
		return nil
	case i.MaskParts == nil:
		return []string{i.Mask}
	}
	return i.MaskParts
}

// HasPixelTruth reports whether the label of each pixel is known.
func (i Item) HasPixelTruth() bool { return !i.Anomalous || i.Mask != "" }

// Class is one class of a dataset.
type Class struct {
	Name   string // its name in the dataset's folders
	Prompt string // its name in the text prompts
	Chosen bool   // the user chose Prompt, in a table of names
}
