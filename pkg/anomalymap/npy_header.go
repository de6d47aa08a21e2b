package anomalymap

import (
	"fmt"
	"strings"
)

// npyHeader is the content of a NumPy array's header.
type npyHeader struct {
	descr   string // the dtype, such as "<f4"
	fortran bool   // the values are stored column by column
	shape   []int64
	source  string // the shape's text in the header
}

// parseNPYHeader reads the header's dict, which must have exactly the keys descr,
// fortran_order and shape.
func parseNPYHeader(text string) (npyHeader, error) {
	dict, err := parsePythonDict(text)
	if err != nil {
		return npyHeader{}, fmt.Errorf("the array's header %.200q is not a valid NumPy header: %w; save the map as %s", strings.TrimRight(text, " \n"), err, wanted)
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if _, there := dict[key]; !there || len(dict) != 3 {
			return npyHeader{}, fmt.Errorf("the array's header %.200q must have exactly the keys descr, fortran_order and shape; save the map as %s",
				strings.TrimRight(text, " \n"), wanted)
		}
	}
	descr, isText := dict["descr"].value.(string)
	if !isText {
		return npyHeader{}, fmt.Errorf("the array's dtype %.200s is structured, which is not supported; save only the map, as %s", dict["descr"].source, wanted)
	}
	fortran, isBool := dict["fortran_order"].value.(bool)
	if !isBool {
		return npyHeader{}, fmt.Errorf("the array's fortran_order is %.200s, expected True or False; save the map as %s", dict["fortran_order"].source, wanted)
	}
	h := npyHeader{descr: descr, fortran: fortran, source: dict["shape"].source}
	sides, isTuple := dict["shape"].value.(pythonTuple)
	for _, side := range sides {
		n, isInteger := side.(int64)
		isTuple = isTuple && isInteger
		h.shape = append(h.shape, n)
	}
	if !isTuple {
		return npyHeader{}, fmt.Errorf("the array's shape %.200s is not a tuple of integers; save the map as %s", h.source, wanted)
	}
	return h, nil
}

// mapSize returns the height and width of the map in the array. Axes of length 1 do not
// change the order of the values, in C or Fortran order.
func (h npyHeader) mapSize() (height, width int64, err error) {
	switch s := h.shape; {
	case len(s) == 2:
		return s[0], s[1], nil
	case len(s) == 3 && s[0] == 1:
		return s[1], s[2], nil
	case len(s) == 4 && s[0] == 1 && s[1] == 1:
		return s[2], s[3], nil
	case len(s) == 3 && s[2] == 1:
		return s[0], s[1], nil
	}
	return 0, 0, fmt.Errorf("the array's shape is %.200s, expected (H, W), (1, H, W), (1, 1, H, W) or (H, W, 1), with one map per file; save each map as %s", h.source, wanted)
}
