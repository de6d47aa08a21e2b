package anomalymap

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// npyFile returns an array with the given version, header and values.
func npyFile(version byte, header, values string) []byte {
	b := []byte{0x93, 'N', 'U', 'M', 'P', 'Y', version, 0}
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(header)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(header)))
	}
	return append(b, header+values...)
}

func npyHeaderOf(descr, shape string) string {
	return fmt.Sprintf("{'descr': %s, 'fortran_order': False, 'shape': %s, }\n", descr, shape)
}

// TestUnusualHeaders covers headers of other programs that write the format.
func TestUnusualHeaders(t *testing.T) {
	for _, header := range []string{
		"{'descr':'<f4','fortran_order':False,'shape':(2,1)}",
		`{"shape": (2, 1,), "fortran_order": False, "descr": "<f4"}`,
		"  { 'descr' : '<f4' ,'fortran_order' : False , 'shape' : ( 2 , 1 ) }  \n\n",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 1L), }",
		"{'descr': '<f4', 'fortran_order': True, 'shape': ((2), 1), }\n",
	} {
		for version := byte(1); version <= 3; version++ {
			m, err := decode(npyFile(version, header, "\x00\x00\x80\x3f\x00\x00\x00\xc0"))
			if err != nil || !same(m, &Map{1, 2, []float32{1, -2}}) {
				t.Errorf("%q: %v, %v", header, m, err)
			}
		}
	}
}

// TestAmbiguousShape: [1, H, 1] is read as [1, H, W] with W = 1.
func TestAmbiguousShape(t *testing.T) {
	m, err := decode(npyFile(1, npyHeaderOf("'|u1'", "(1, 3, 1)"), "\x01\x02\x03"))
	if err != nil || !same(m, &Map{1, 3, []float32{1, 2, 3}}) {
		t.Errorf("%v, %v", m, err)
	}
}

func TestHostileShapes(t *testing.T) {
	for shape, says := range map[string]string{
		"(100000, 100000)":                      "too large",
		"(4294967296, 4294967296)":              "too large",
		"(3037000500, 3037000500)":              "too large",
		"(9223372036854775807, 2)":              "too large",
		"(9223372036854775807, 1)":              "too large",
		"(99999999999999999999999999, 1)":       "too large",
		"(-99999999999999999999999999, 1)":      "at least 1",
		"(-1, -1)":                              "at least 1",
		"(-4, 4)":                               "at least 1",
		"(0, 4)":                                "at least 1",
		"(4, 0)":                                "at least 1",
		"(10000, 10000)":                        "declares 400000000 bytes of scores, but it has 16",
		"(2, 3)":                                "declares 24 bytes of scores, but it has 16",
		"(1, 3)":                                "declares 12 bytes of scores, but it has 16",
		"(2, 2, 1, 1)":                          "shape is (2, 2, 1, 1)",
		"(1, 1, 1, 2, 2)":                       "shape is (1, 1, 1, 2, 2)",
		"(" + strings.Repeat("1, ", 3000) + ")": "shape is (1, 1,",
		"[2, 2]":                                "not a tuple",
		"(4)":                                   "not a tuple",
		"4":                                     "not a tuple",
		"(2, True)":                             "not a tuple",
		"(2, (2,))":                             "not a tuple",
		"(2, None)":                             "not a tuple",
		"(2, '2')":                              "not a tuple",
		"(2.0, 2)":                              `unexpected ".0, 2), }"`,
		"(2 2)":                                 "unexpected",
		"(2,, 2)":                               "unexpected",
		"(2, 2":                                 "unexpected",
		"(2, -)":                                "unexpected",
		"(+2, 2)":                               "unexpected",
		"(2, 2]":                                "unexpected",
		"(0x2, 2)":                              "unexpected",
		"{}":                                    "unexpected",
		strings.Repeat("(", 5000):               "unexpected",
		strings.Repeat("[", 4000) + "(2, 2)":    "unexpected",
		strings.Repeat("2", maxNPYHeader):       "header declares",
		"__import__('os').system('echo was run')":  "unexpected",
		"(2, 2), 'shape': (2, 2)":                  `duplicate key "shape"`,
		"(2, 2), 'order': 'C'":                     "must have exactly the keys",
		"(2, 2)} {":                                "unexpected",
		"(2, 2), ":                                 "", // one comma too many
		"(2, 2), 'a\\'b': 1":                       "unsupported characters",
		"(2, 2), 'a\x1b[2J': 1":                    "unsupported characters",
		"(2, 2), 'open: 1":                         "is unterminated",
		"(2, 2), 3: 1":                             "unexpected",
		"(2, 2), b'x': 1":                          "unexpected",
		"(2, 2), 'x' 1":                            "unexpected",
		"(2, 2), 'x': ":                            "unexpected",
		"(2, 2), 'x': Truth":                       "unexpected",
		"(2, 2), 'x': [1, 'a', None, (True,), ()]": "must have exactly the keys",
	} {
		mustRefuse(t, shape[:min(40, len(shape))], npyFile(1, npyHeaderOf("'<f4'", shape), "0123456789abcdef"), says)
	}
}

func TestHostileHeaders(t *testing.T) {
	good := npyHeaderOf("'<f4'", "(1, 1)")
	mustRefuse(t, "unknown version", npyFile(4, good, "1234"), "version 4.0")
	minor := npyFile(1, good, "1234")
	minor[7] = 1
	mustRefuse(t, "minor version", minor, "version 1.1")
	mustRefuse(t, "length beyond the file", slices.Concat([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), []byte(good)), "header declares 4294967295 bytes")
	mustRefuse(t, "header cut short", npyFile(1, good, "")[:40], "header declares")
	mustRefuse(t, "magic alone", []byte("\x93NUMPY"), "truncated in its header")
	mustRefuse(t, "trailing bytes", npyFile(1, good, "12345"), "declares 4 bytes of scores, but it has 5")
	mustRefuse(t, "not UTF-8", npyFile(3, "{'\xff': 1}", "1234"), "not UTF-8")
	mustRefuse(t, "latin-1", npyFile(1, "{'\xe9': 1}", "1234"), "é")
	for header, says := range map[string]string{
		"":                                  "does not start with {",
		"   ":                               "does not start with {",
		"{":                                 "unexpected end",
		"{}":                                "must have exactly the keys",
		"None":                              "does not start with {",
		"{'descr': '<f4', 'shape': (1, 1)}": "must have exactly the keys",
		"{'descr': '<f4', 'fortran_order': False}":                  "must have exactly the keys",
		"{'fortran_order': False, 'shape': (1, 1)}":                 "must have exactly the keys",
		"{'descr': '<f4', 'fortran_order': 0, 'shape': (1, 1)}":     "expected True or False",
		"{'descr': '<f4', 'fortran_order': None, 'shape': (1, 1)}":  "expected True or False",
		"{'descr': '<f4', 'fortran_order': 'no', 'shape': (1, 1)}":  "expected True or False",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1":   "unexpected",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1)":  "unexpected end",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1),": "unexpected end",
	} {
		mustRefuse(t, header, npyFile(1, header+strings.Repeat(" ", 8), "1234"), says)
	}
	for descr, says := range map[string]string{
		"''":             `dtype ""`,
		"'f4'":           `dtype "f4"`,
		"'=f4'":          `dtype "=f4"`,
		"'|f4'":          `dtype "|f4"`,
		"'<f16'":         `dtype "<f16"`,
		"'<i1'":          `dtype "<i1"`,
		"'<f4 '":         `dtype "<f4 "`,
		"('<f4', (2,))":  "dtype ('<f4', (2,)) is structured",
		"[('', '<f4')]":  "dtype [('', '<f4')] is structured",
		"None":           "dtype None is structured",
		"'<f4', 'x': 12": "must have exactly the keys",
	} {
		mustRefuse(t, descr, npyFile(1, npyHeaderOf(descr, "(1, 1)"), "1234"), says)
	}
}
