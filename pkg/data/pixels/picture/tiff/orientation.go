package tiff

import "acdclip/pkg/data/pixels/picture/orientation"

// maxXMP is the maximum number of bytes of the XMP block that are searched.
const maxXMP = 16 << 20

// orientation reads the orientation tag or, if it is missing, the XMP block, like Pillow
// when it loads a TIFF. An invalid value means Upright; a value beyond the end of the
// file is an error.
func (d *directory) orientation() (orientation.Orientation, error) {
	if f, there := d.fields[orientationTag]; there {
		if f.kind == kindByte || f.kind == kindUndefined {
			return orientation.Upright, nil // not a number for Pillow
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
