package anomalymap

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
)

// WriteNPY writes m byte for byte like np.save of a float32 array [H, W]: version 1.0,
// "<f4", C order.
func WriteNPY(w io.Writer, m *Map) error {
	if err := m.check(); err != nil {
		return err
	}
	return writeScores(w, npyFileHeader(m.Height, m.Width), m.Scores)
}

// writeScores writes a file's header and the scores as little-endian float32.
func writeScores(w io.Writer, header string, scores []float32) error {
	buffered := bufio.NewWriter(w)
	buffered.WriteString(header) // Flush reports the error
	var b [4]byte
	for _, score := range scores {
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(score))
		buffered.Write(b[:])
	}
	return buffered.Flush()
}

// npyFileHeader returns the bytes before the values.
func npyFileHeader(height, width int) string {
	const (
		align  = 64
		growth = 21 // NumPy reserves this number of digits for growth of the first axis
	)
	dict := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", height, width)
	dict += strings.Repeat(" ", growth-len(fmt.Sprint(height)))
	unpadded := len("\x93NUMPY") + 4 + len(dict) + len("\n")
	dict += strings.Repeat(" ", align-unpadded%align) + "\n"
	return "\x93NUMPY\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(dict)))) + dict
}

// check returns an error if the number of scores does not match the size.
func (m *Map) check() error {
	if m.Height <= 0 || m.Width <= 0 || len(m.Scores)%m.Width != 0 || len(m.Scores)/m.Width != m.Height {
		return fmt.Errorf("a map of height %d and width %d has %d scores, expected one per pixel", m.Height, m.Width, len(m.Scores))
	}
	return nil
}
