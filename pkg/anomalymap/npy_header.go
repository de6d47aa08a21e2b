package anomalymap

import (
	"fmt"
	"strings"
)

// npyHeader is what the header of a NumPy array says.
type npyHeader struct {
	descr   string // the dtype, such as "<f4"
	fortran bool   // the values lie column by column
	shape   []int64
	source  string // the shape as it is written
}

// parseNPYHeader reads the header's dict, which has the keys descr,
// fortran_order and shape and no other.
func parseNPYHeader(text string) (npyHeader, error) {
	dict, err := parsePythonDict(text)
	if err != nil {
		return npyHeader{}, fmt.Errorf("the array's header %.200q is not NumPy's: %w; save the map as %s", strings.TrimRight(text, " \n"), err, wanted)
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if _, there := dict[key]; !there || len(dict) != 3 {
			return npyHeader{}, fmt.Errorf("the array's header %.200q must have the keys descr, fortran_order and shape and no other; save the map as %s",
				strings.TrimRight(text, " \n"), wanted)
		}
	}
	descr, isText := dict["descr"].value.(string)
	if !isText {
		return npyHeader{}, fmt.Errorf("the array's dtype %.200s is structured; save the map alone, as %s", dict["descr"].source, wanted)
	}
	fortran, isBool := dict["fortran_order"].value.(bool)
	if !isBool {
		return npyHeader{}, fmt.Errorf("the array's fortran_order %.200s is neither True nor False; save the map as %s", dict["fortran_order"].source, wanted)
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

// mapSize returns the sides of the one map in the array. The order of the
// values is the same without the axes of length 1, in C and in Fortran order.
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
	return 0, 0, fmt.Errorf("the array's shape is %.200s; (H, W), (1, H, W), (1, 1, H, W) and (H, W, 1) are read, one map a file: save each map as %s", h.source, wanted)
}
