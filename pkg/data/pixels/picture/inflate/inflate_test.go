package inflate

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
)

// contents returns data of many kinds: empty, short, random, repeated at all small distances,
// and like the rows of a photo.
func contents() map[string][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 100_000)
	photo := make([]byte, 300_000)
	for i := range noise {
		noise[i] = uint8(random.Uint32())
	}
	for i := range photo {
		photo[i] = uint8(random.NormFloat64() * 4)
	}
	all := map[string][]byte{"empty": {}, "one": {7}, "noise": noise, "photo": photo, "zeros": make([]byte, 1<<20)}
	for distance := 1; distance < 20; distance++ {
		all[fmt.Sprint("period ", distance)] = bytes.Repeat(noise[:distance], 5000/distance)
	}
	// Almost all bytes are one value, so that the codes of the others are long.
	rare := make([]byte, 1<<18)
	for i := range rare {
		if exponent := int(random.ExpFloat64() * 20); exponent > 0 {
			rare[i] = uint8(min(exponent, 255))
		}
	}
	all["rare"] = rare
	return all
}

// packed compresses b with a level of compress/flate.
func packed(t testing.TB, b []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(b)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestInflate covers all kinds of blocks. Data may follow the stream.
func TestInflate(t *testing.T) {
	for name, want := range contents() {
		for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
			stream := packed(t, want, level)
			got := make([]byte, len(want))
			used, err := Inflate(got, append(stream[:len(stream):len(stream)], "and more, longer than a word"...))
			if err != nil || used != len(stream) || !bytes.Equal(got, want) {
				t.Errorf("%s, level %d: %v, %d bytes used of %d, the same content: %v", name, level, err, used, len(stream), bytes.Equal(got, want))
			}
		}
	}
}

// TestInflateChecksSize: content that is one byte too long or too short, and a stream that is
// cut short anywhere, are errors.
func TestInflateChecksSize(t *testing.T) {
	for name, content := range contents() {
		stream := packed(t, content, flate.DefaultCompression)
		for _, size := range []int{len(content) - 1, len(content) + 1} {
			if size < 0 {
				continue
			}
			if _, err := Inflate(make([]byte, size), stream); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s of %d bytes into %d: %v", name, len(content), size, err)
			}
		}
		for cut := 0; cut < len(stream); cut += 1 + len(stream)/200 {
			if _, err := Inflate(make([]byte, len(content)), stream[:cut]); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s, %d bytes of %d: %v", name, cut, len(stream), err)
			}
		}
	}
}

// TestZlib changes each part of a zlib stream.
func TestZlib(t *testing.T) {
	content := contents()["photo"][:1000]
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(content)
	w.Close()
	stream := out.Bytes()
	got := make([]byte, len(content))
	if err := Zlib(got, stream); err != nil || !bytes.Equal(got, content) {
		t.Fatalf("%v, the same content: %v", err, bytes.Equal(got, content))
	}
	changed := func(at int, xor ...byte) []byte {
		b := bytes.Clone(stream)
		for i, v := range xor {
			b[at+i] ^= v
		}
		return b
	}
	for name, b := range map[string][]byte{
		"another method":     changed(0, 1, 1),
		"a larger window":    append([]byte{0x88, 0x1c}, stream[2:]...),
		"a dictionary":       append([]byte{0x78, 0xbb}, stream[2:]...),
		"a wrong header sum": changed(1, 1),
		"a wrong checksum":   changed(len(stream)-1, 1),
		"too short":          stream[:len(stream)-1],
		"too long":           append(bytes.Clone(stream), 0),
		"nothing":            nil,
	} {
		if err := Zlib(got, b); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzInflate: it accepts exactly the streams of that size which compress/flate accepts, and
// gives the same content.
func FuzzInflate(f *testing.F) {
	for name, content := range contents() {
		if len(content) < 10_000 || name == "rare" {
			for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, flate.DefaultCompression} {
				f.Add(packed(f, content[:min(len(content), 5000)], level), uint16(len(content)))
			}
		}
	}
	f.Add([]byte{0x63, 0x00, 0x00}, uint16(1))                                   // fixed codes
	f.Add([]byte("\x05\xc0\x81\x00\x00\x00\x00\x00\x10\xff\xd6\x08"), uint16(1)) // a single code of one bit
	f.Fuzz(func(t *testing.T, stream []byte, size uint16) {
		in := bytes.NewReader(stream)
		want, err := io.ReadAll(io.LimitReader(flate.NewReader(in), 1<<17))
		if err == nil && len(want) < 1<<16 {
			size = uint16(len(want)) // else few inputs would be right
		}
		got := make([]byte, size)
		used, ourErr := Inflate(got, stream)
		if (err == nil && len(want) == int(size)) != (ourErr == nil) {
			t.Fatalf("error %v for %d bytes; compress/flate gives %d, error %v", ourErr, size, len(want), err)
		}
		if ourErr != nil {
			return
		}
		if rest := in.Len(); !bytes.Equal(got, want) || used != len(stream)-rest {
			t.Errorf("%d bytes used of %d, and %d by compress/flate; the same content: %v", used, len(stream), len(stream)-rest, bytes.Equal(got, want))
		}
	})
}

// BenchmarkInflate compares with compress/flate.
func BenchmarkInflate(b *testing.B) {
	content := contents()["photo"]
	stream := packed(b, content, flate.DefaultCompression)
	dst := make([]byte, len(content))
	b.Run("own", func(b *testing.B) {
		b.SetBytes(int64(len(content)))
		for b.Loop() {
			if _, err := Inflate(dst, stream); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("standard", func(b *testing.B) {
		b.SetBytes(int64(len(content)))
		for b.Loop() {
			if _, err := io.ReadFull(flate.NewReader(bytes.NewReader(stream)), dst); err != nil {
				b.Fatal(err)
			}
		}
	})
}
