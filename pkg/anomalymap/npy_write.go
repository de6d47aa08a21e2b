package anomalymap

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
)

// WriteNPY writes m as np.save writes an array [H, W] of float32: version 1.0,
// "<f4", C order, byte for byte.
func WriteNPY(w io.Writer, m *Map) error {
	if err := m.check(); err != nil {
		return err
	}
	buffered := bufio.NewWriter(w)
	buffered.WriteString(npyFileHeader(m.Height, m.Width)) // what fails here Flush reports
	var b [4]byte
	for _, score := range m.Scores {
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(score))
		buffered.Write(b[:])
	}
	return buffered.Flush()
}

// npyFileHeader is all that comes before the values.
func npyFileHeader(height, width int) string {
	const (
		align  = 64
		growth = 21 // NumPy leaves room for the first side to grow to so many digits
	)
	dict := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", height, width)
	dict += strings.Repeat(" ", growth-len(fmt.Sprint(height)))
	unpadded := len("\x93NUMPY") + 4 + len(dict) + len("\n")
	dict += strings.Repeat(" ", align-unpadded%align) + "\n"
	return "\x93NUMPY\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(dict)))) + dict
}

// check reports a map whose sides and scores do not fit.
func (m *Map) check() error {
	if m.Height <= 0 || m.Width <= 0 || len(m.Scores)%m.Width != 0 || len(m.Scores)/m.Width != m.Height {
		return fmt.Errorf("a map of height %d and width %d cannot have %d scores; give one score a pixel", m.Height, m.Width, len(m.Scores))
	}
	return nil
}
