package bmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/pkg/data/pixels/picture/unsupported"
)

// file returns a BMP of 4 x 2 pixels with a grey palette.
func file(bits, compression int, pixels string) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("BM\x00\x00\x00\x00\x00\x00\x00\x00"), 14+40+4*4)
	for _, v := range []int{40, 4, 2, bits<<16 | 1, compression, 0, 0, 0, 4, 0} {
		b = le.AppendUint32(b, uint32(v))
	}
	for i := range byte(4) {
		b = append(b, i, i, i, 0)
	}
	return append(b, pixels...)
}

// TestRuns: where Pillow fails or deviates, files are read as the format's documentation defines.
func TestRuns(t *testing.T) {
	for name, test := range map[string]struct {
		compression int
		data        string
		want        string // in the file's row order
	}{
		"runs":                     {1, "\x04\x01\x00\x00\x04\x02\x00\x01", "\x01\x01\x01\x01\x02\x02\x02\x02"},
		"an end before the last":   {1, "\x04\x01\x00\x01", "\x01\x01\x01\x01\x00\x00\x00\x00"},
		"an empty row":             {1, "\x00\x00\x04\x02\x00\x01", "\x00\x00\x00\x00\x02\x02\x02\x02"},
		"no line end":              {1, "\x04\x01\x04\x02\x00\x01", "\x01\x01\x01\x01\x00\x00\x00\x00"},
		"beyond the row":           {1, "\x09\x01\x00\x00\x09\x02\x00\x01", "\x01\x01\x01\x01\x02\x02\x02\x02"},
		"a jump":                   {1, "\x01\x03\x00\x02\x01\x01\x02\x02\x00\x01", "\x03\x00\x00\x00\x00\x00\x02\x02"},
		"a jump beyond all":        {1, "\x04\x01\x00\x02\xff\xff\x04\x02\x00\x01", "\x01\x01\x01\x01\x00\x00\x00\x00"},
		"single values":            {1, "\x00\x03\x01\x02\x03\x00\x01\x01\x00\x00\x04\x02\x00\x01", "\x01\x02\x03\x01\x02\x02\x02\x02"},
		"single beyond the row":    {1, "\x00\x05\x01\x02\x03\x01\x02\x00\x00\x00\x04\x02\x00\x01", "\x01\x02\x03\x01\x02\x02\x02\x02"},
		"no end":                   {1, "\x04\x01\x00\x00\x04\x02", "\x01\x01\x01\x01\x02\x02\x02\x02"},
		"pairs":                    {2, "\x04\x12\x00\x00\x03\x31\x00\x01", "\x01\x02\x01\x02\x03\x01\x03\x00"},
		"an odd number of nibbles": {2, "\x00\x03\x12\x30\x01\x22\x00\x00\x04\x11\x00\x01", "\x01\x02\x03\x02\x01\x01\x01\x01"},
	} {
		m, err := Decode(file(8, test.compression, test.data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := string(m.(*image.Gray).Pix); got[4:]+got[:4] != test.want {
			t.Errorf("%s: % x, from the top", name, got)
		}
	}
	for name, data := range map[string]string{
		"nothing": "", "half a pair": "\x04", "no second row": "\x04\x01\x00\x00", "no length of a jump": "\x00\x02\x01", "too few single values": "\x00\x03\x01\x02",
	} {
		if m, err := Decode(file(8, 1, data)); err == nil || !strings.Contains(err.Error(), "run lengths end in row") {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
}

func TestDamaged(t *testing.T) {
	sound := file(8, 0, "01230123")
	if m, err := Decode(sound); err != nil || string(m.(*image.Gray).Pix) != "01230123" {
		t.Fatalf("the sound one: %v, %v", m, err)
	}
	for name, test := range map[string]struct {
		at   int
		put  string
		says string
	}{
		"no width":              {18, "\x00\x00\x00\x00", "0 x 2 pixels"},
		"no height":             {22, "\x00\x00\x00\x00", "4 x 0 pixels"},
		"wider than the file":   {18, "\xff\xff\xff\xff", "unexpected EOF"},
		"higher than the file":  {22, "\x00\x00\x00\x80", "unexpected EOF"},
		"pixels behind the end": {10, "\xff\xff\xff\xff", "unexpected EOF"},
		"a header of 0 bytes":   {14, "\x00\x00\x00\x00", "a BMP header of 0 bytes"},
		"masks that are split":  {28, "\x20\x00\x03", "not contiguous"},
	} {
		b := bytes.Clone(sound)
		copy(b[test.at:], test.put)
		if test.at == 28 {
			copy(b[54:], "\x05\x00\x00\x00")
		}
		if m, err := Decode(b); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, error %v; want one that says %q", name, m, err, test.says)
		}
	}
}

// FuzzDecode: any bytes give an error or a picture of the size in the header, without a panic.
func FuzzDecode(f *testing.F) {
	paths, _ := filepath.Glob("../testdata/bmp/*.bmp")
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(file(8, 1, "\x00\x03\x01\x02\x03\x00\x00\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeConfig(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if !errors.Is(err, unsupported.Err) && !strings.Contains(err.Error(), "damaged") {
				t.Errorf("neither damaged nor not supported: %v", err)
			}
			return
		}
		if c.Width > 1<<16 || c.Height > 1<<16/max(c.Width, 1) {
			return
		}
		m, err := Decode(b)
		if err == nil && m.Bounds() != image.Rect(0, 0, c.Width, c.Height) {
			t.Errorf("%v, promised %d x %d", m.Bounds(), c.Width, c.Height)
		}
	})
}
