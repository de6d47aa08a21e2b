package metrics

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// readInto adds part to all by writing and reading it.
func readInto(t *testing.T, all, part *Pixels) {
	t.Helper()
	content := written(t, part)
	if n, err := all.ReadFrom(bytes.NewReader(content)); err != nil || n != int64(len(content)) {
		t.Fatalf("read %d of %d bytes: %v", n, len(content), err)
	}
}

func written(t testing.TB, pixels *Pixels) []byte {
	t.Helper()
	var file bytes.Buffer
	n, err := pixels.WriteTo(&file)
	if err != nil || n != int64(file.Len()) {
		t.Fatalf("wrote %d bytes, and says %d: %v", file.Len(), n, err)
	}
	return file.Bytes()
}

func TestPartialDependsOnNoOption(t *testing.T) {
	pictures := somePictures(rand.New(rand.NewPCG(14, 15)), 6)
	var first []byte
	for _, o := range []Options{{}, {Workers: 3}, {Memory: 1, Folder: t.TempDir()}} {
		pixels := newPixels(t, o)
		addAll(t, pixels, pictures)
		content := written(t, pixels)
		if first == nil {
			first = content
		}
		if !bytes.Equal(first, content) {
			t.Errorf("%+v writes other bytes", o)
		}
	}
}

func TestPartialOfNothing(t *testing.T) {
	pixels := newPixels(t, Options{})
	if _, err := pixels.ReadFrom(bytes.NewReader(written(t, newPixels(t, Options{})))); err != nil {
		t.Error(err)
	}
}

// TestDamagedPartial changes each byte and truncates at each byte: every damage is detected, and nothing is added.
func TestDamagedPartial(t *testing.T) {
	content := smallPartial(t)
	target := newPixels(t, Options{Workers: 1})
	refused := func(name string, content []byte, says string) {
		t.Helper()
		if _, err := target.ReadFrom(bytes.NewReader(content)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range content {
		changed := bytes.Clone(content)
		changed[i] ^= 1 << (i % 8)
		refused("a changed byte", changed, "partial result of pixels: ")
		refused("a cut", content[:i], "unexpected EOF")
	}
	refused("an end", append(bytes.Clone(content), 0), "unexpected data after its end")
	refused("another file", []byte("PNG, or what else is longer"), "it begins with")
	refused("a later version", bytes.Replace(content, []byte(" 1\n"), []byte(" 2\n"), 1), `version "2\n"`)
	if collected(target) != 0 || target.pool.regions != 0 {
		t.Error("something of a damaged file was added")
	}
}

// TestImpossiblePartial uses files with a correct checksum but impossible content.
func TestImpossiblePartial(t *testing.T) {
	const one, two = 0x407fffff, 0x3fffffff // keys of 1 and 2
	anomalous := func(regions uint64, sizes []uint32, keys []uint32, tags ...uint8) []byte {
		b := binary.LittleEndian.AppendUint32([]byte{2}, uint32(len(keys)))
		b = binary.LittleEndian.AppendUint16(b, uint16(len(sizes)))
		for _, word := range append(sizes, keys...) {
			b = binary.LittleEndian.AppendUint32(b, word)
		}
		return binary.LittleEndian.AppendUint64(append(append(b, tags...), 0), regions)
	}
	cases := []struct {
		name, says string
		body       []byte
	}{
		{"class", "class 3", []byte{3}},
		{"no length", "0 pixels", []byte{1, 0, 0, 0, 0}},
		{"huge length", "4294967295 pixels", []byte{1, 255, 255, 255, 255}},
		{"long run that is not there", "unexpected EOF", []byte{1, 0, 0, 4, 0}},
		{"many sizes", "257 sizes", []byte{2, 1, 0, 0, 0, 1, 1}},
		{"size of nothing", "a region has no pixels", anomalous(1, []uint32{0}, []uint32{two}, 0)},
		{"order", "not sorted", anomalous(1, []uint32{2}, []uint32{one, two}, 0, 0)},
		{"infinity", "not a finite number", anomalous(1, []uint32{1}, []uint32{firstKey - 1}, 0)},
		{"tag", "belongs to no region", anomalous(1, []uint32{1}, []uint32{two}, 1)},
		{"too few pixels", "1 regions do not match", anomalous(1, []uint32{2}, []uint32{two}, 0)},
		{"too many pixels", "1 regions do not match", anomalous(1, []uint32{2}, []uint32{two, one, one}, 0, 0, 0)},
		{"many regions", "do not match", anomalous(1<<63, []uint32{2}, []uint32{two, one}, 0, 0)},
		{"right", "", anomalous(1, []uint32{2}, []uint32{two, one}, 0, 0)},
	}
	for _, c := range cases {
		_, err := newPixels(t, Options{}).ReadFrom(bytes.NewReader(sealed(c.body)))
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// sealed adds a header and a checksum to a partial result's body.
func sealed(body []byte) []byte {
	content := append([]byte(partialHeading+partialVersion), body...)
	return binary.LittleEndian.AppendUint32(content, crc32.Checksum(content, castagnoli))
}

// FuzzReadFrom reads any body with a correct header and checksum: accepted content stays equal when written and read again.
func FuzzReadFrom(f *testing.F) {
	content := smallPartial(f)
	f.Add(content[len(partialHeading+partialVersion) : len(content)-4])
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{1, 255, 255, 255, 255})
	f.Add([]byte{2, 1, 0, 0, 0, 1, 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		read, again := newPixels(t, Options{Workers: 1}), newPixels(t, Options{Workers: 1})
		if _, err := read.ReadFrom(bytes.NewReader(sealed(body))); err != nil {
			return
		}
		if pixels := collected(read); pixels > uint64(len(body)/4) {
			t.Fatalf("%d pixels from %d bytes", pixels, len(body))
		}
		if _, err := again.ReadFrom(bytes.NewReader(written(t, read))); err != nil {
			t.Fatal(err)
		}
		want, wantErr := read.Summary()
		if got, err := again.Summary(); got != want || err != wantErr {
			t.Fatalf("%+v %v, first %+v %v", got, err, want, wantErr)
		}
	})
}

// smallPartial returns a partial result with two classes, some regions and several runs.
func smallPartial(t testing.TB) []byte {
	pixels := crampedPixels(t, 1, 20, 1<<20)
	addAll(t, pixels, []picture{
		{[]float32{1, 0.5, 0.25, 0.5, 0.75, -1, 2, 3, 0}, []uint8{1, 0, 1, 0, 0, 0, 1, 1, 0}, 3, 3},
		{make([]float32, 30), nil, 5, 6},
	})
	return written(t, pixels)
}

// TestPartialWriteFails: WriteTo returns the writer's error.
func TestPartialWriteFails(t *testing.T) {
	pixels := newPixels(t, Options{})
	addAll(t, pixels, somePictures(rand.New(rand.NewPCG(16, 17)), 2))
	for room := range 200 {
		if _, err := pixels.WriteTo(&smallDisk{room}); err != io.ErrShortWrite {
			t.Fatalf("after %d bytes: %v", room, err)
		}
	}
}

type smallDisk struct{ room int }

func (d *smallDisk) Write(b []byte) (int, error) {
	n := min(len(b), d.room)
	d.room -= n
	if n < len(b) {
		return n, io.ErrShortWrite
	}
	return n, nil
}
