package tiff

import "acdclip/pkg/data/pixels/picture/orientation"

// maxXMP is how much of the XMP block is searched.
const maxXMP = 16 << 20

// orientation reads the tag or, where there is none, the XMP block, as Pillow does
// whenever it loads a TIFF. A value without a meaning is upright; one that the file
// ends before is an error.
func (d *directory) orientation() (orientation.Orientation, error) {
	if f, there := d.fields[orientationTag]; there {
		if f.kind == kindByte || f.kind == kindUndefined {
			return orientation.Upright, nil // no number to Pillow
		}
		values, err := d.reals(orientationTag, 1)
		if err != nil {
			return orientation.Upright, err
		}
		return orientation.Of(values[0]), nil
	}
	f, there := d.fields[xmp]
	if !there || f.kind != kindByte && f.kind != kindUndefined {
		return orientation.Upright, nil
	}
	_, b, err := d.content(xmp, maxXMP)
	if err != nil {
		return orientation.Upright, err
	}
	return orientation.InXMP(b), nil
}
