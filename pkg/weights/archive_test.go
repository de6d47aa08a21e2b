package weights

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// entry is one file of an archive built for a test.
type entry struct {
	name    string
	content string
	method  uint16
	claims  uint64 // declared uncompressed size, if it is wrong on purpose
}

func archive(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		packed := []byte(e.content)
		if e.method == zip.Deflate {
			packed = deflated(t, e.content)
		}
		size := uint64(len(e.content))
		if e.claims != 0 {
			size = e.claims
		}
		part, err := w.CreateRaw(&zip.FileHeader{
			Name: e.name, Method: e.method, CRC32: crc32.ChecksumIEEE([]byte(e.content)),
			CompressedSize64: uint64(len(packed)), UncompressedSize64: size,
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(packed); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func deflated(t *testing.T, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// stateDict returns a data.pkl with one float32 tensor "a" over storage "0" with the given number of elements.
func stateDict(elements, offset int, shape, strides string) string {
	return "\x80\x02}X\x01\x00\x00\x00a" +
		"ctorch._utils\n_rebuild_tensor_v2\n(" +
		"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu" + integer(elements) + "tQ" +
		integer(offset) + "(" + shape + "t(" + strides + "t\x89}tRs."
}

func integer(n int) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func torchArchive(t *testing.T, pickle, data string) []byte {
	t.Helper()
	return archive(t, entry{name: "m/data.pkl", content: pickle}, entry{name: "m/data/0", content: data})
}

var eightFloats = strings.Repeat("\x00\x00\x80\x3f", 8)

func TestHostileArchives(t *testing.T) {
	good := stateDict(8, 0, integer(8), integer(1))
	goodEntry := entry{name: "m/data.pkl", content: good}
	sound := torchArchive(t, good, eightFloats)
	if _, err := openBytes(t, sound); err != nil {
		t.Fatalf("a sound archive was refused: %v", err)
	}
	patch := func(content []byte, at int, with ...byte) []byte {
		patched := bytes.Clone(content)
		copy(patched[at:], with)
		return patched
	}
	directory := bytes.Index(sound, []byte("PK\x01\x02"))
	second := directory + 4 + bytes.Index(sound[directory+4:], []byte("PK\x01\x02"))
	end := bytes.Index(sound, []byte("PK\x05\x06"))
	cases := []struct {
		name    string
		content []byte
		kind    error
		says    string
	}{
		{"no data.pkl", archive(t, entry{name: "m/readme", content: "x"}), ErrNotWeights, "without a data.pkl"},
		{"data.pkl at the top", archive(t, entry{name: "data.pkl", content: good}), ErrNotWeights, "without a data.pkl"},
		{"two data.pkl", archive(t, goodEntry, entry{name: "n/data.pkl", content: good}), ErrMalformed, "more than one"},
		{"name twice", archive(t, goodEntry, goodEntry), ErrMalformed, "duplicate"},
		{"big-endian", archive(t, goodEntry, entry{name: "m/byteorder", content: "big"}), ErrUnsupported, "big-endian"},
		{"odd byte order", archive(t, goodEntry, entry{name: "m/byteorder", content: "middle"}), ErrMalformed, "middle"},
		{"method", archive(t, goodEntry, entry{name: "m/data/0", content: eightFloats, method: 12}), ErrUnsupported, "method 12"},
		{"stored size lies", archive(t, goodEntry, entry{name: "m/data/0", content: "x", claims: 32}), ErrMalformed, "declares 32"},
		{"impossible inflation", archive(t, goodEntry, entry{name: "m/data/0", content: "x", method: zip.Deflate, claims: 1 << 40}), ErrMalformed, "too many for its"},
		{"64-bit size overflows", archive(t, goodEntry, entry{name: "m/data/0", content: "x", method: zip.Deflate, claims: 1 << 63}), ErrMalformed, "overflows"},
		{"pickle unpacks to more", archive(t, entry{name: "m/data.pkl", content: good + strings.Repeat(".", 5000), method: zip.Deflate, claims: uint64(len(good))}, entry{name: "m/data/0", content: eightFloats}), ErrMalformed, "more than"},
		{"pickle unpacks to less", archive(t, entry{name: "m/data.pkl", content: good, method: zip.Deflate, claims: uint64(len(good)) + 9}), ErrMalformed, "ends early"},
		{"huge pickle", archive(t, entry{name: "m/data.pkl", content: strings.Repeat("\x00", maxPickle+1), method: zip.Deflate}), ErrMalformed, "the maximum is"},
		{"storage of another size", torchArchive(t, good, eightFloats[4:]), ErrMalformed, "28 bytes"},
		{"storage missing", archive(t, goodEntry), ErrMalformed, `storage "0"`},
		{"encrypted", patch(sound, directory+8, 1), ErrUnsupported, "encrypted"},
		{"local header moved", patch(sound, second+42, 1), ErrMalformed, "overlaps"},
		{"entries overlap", patch(sound, second+42, sound[directory+42:directory+46]...), ErrMalformed, "overlaps"},
		{"header outside", patch(sound, second+42, 0xff, 0xff, 0xff, 0x7f), ErrMalformed, "outside"},
		{"data outside", patch(sound, second+20, 0, 0, 0, 1, 0, 0, 0, 1), ErrMalformed, "outside"},
		{"other local name", patch(sound, 30, 'n'), ErrMalformed, "another name"},
		{"no local header", patch(sound, 0, 'P', 'K', 3, 4)[1:], ErrNotWeights, ""},
		{"too many entries", patch(sound, end+10, 0xff, 0xff), ErrMalformed, "too short"},
		{"directory elsewhere", patch(sound, end+16, 0, 0, 0, 0), ErrMalformed, "does not end"},
		{"directory damaged", patch(sound, second, 'X'), ErrMalformed, "damaged"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := openBytes(t, c.content)
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestHostileLayouts(t *testing.T) {
	const most = 1<<63 - 1
	cases := []struct {
		name           string
		offset         int
		shape, strides string
		says           string
	}{
		{"beyond the end", 1, integer(8), integer(1), "exceed"},
		{"stride beyond the end", 0, integer(2), integer(8), "exceed"},
		{"negative offset", -1, integer(1), integer(1), "negative"},
		{"negative size", 0, integer(-2), integer(1), "negative"},
		{"negative stride", 7, integer(8), integer(-1), "negative"},
		{"shape overflows", 0, integer(1<<40) + integer(1<<40), integer(0) + integer(0), "overflows"},
		{"reach overflows", 0, integer(3), integer(most / 2), "exceed"},
		{"reach overflows more", 1, integer(3), integer(most), "overflow"},
		{"offset overflows", most, integer(2), integer(1), "overflow"},
		{"repeats too often", 0, integer(1 << 30), integer(0), "too often"},
		{"strides missing", 0, integer(2) + integer(2), integer(1), "strides"},
		{"too many dimensions", 0, strings.Repeat(integer(1), 40), strings.Repeat(integer(1), 40), "dimensions"},
		{"shape of text", 0, "X\x01\x00\x00\x00a", integer(1), "not an integer"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := openBytes(t, torchArchive(t, stateDict(8, c.offset, c.shape, c.strides), eightFloats))
			if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
	_, err := openBytes(t, torchArchive(t, stateDict(1<<61+8, 0, integer(8), integer(1)), eightFloats))
	if !errors.Is(err, ErrMalformed) {
		t.Errorf("a storage whose bytes overflow: %v", err)
	}
}

// A storage is decompressed only when it is read, so a wrong declared size is found then.
func TestDeflatedStorageThatLies(t *testing.T) {
	for name, content := range map[string]string{
		"more": strings.Repeat(eightFloats, 1000),
		"less": eightFloats[:16],
	} {
		file, err := openBytes(t, archive(t,
			entry{name: "m/data.pkl", content: stateDict(8, 0, integer(4), integer(2))},
			entry{name: "m/data/0", content: content, method: zip.Deflate, claims: 32}))
		if err != nil {
			t.Fatal(err)
		}
		err = file.Tensors[0].ReadFloat32(make([]float32, 4))
		if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "m/data/0") {
			t.Errorf("%s: %v", name, err)
		}
	}
	sound := archive(t,
		entry{name: "m/data.pkl", content: stateDict(8, 0, integer(8), integer(1))},
		entry{name: "m/data/0", content: eightFloats, method: zip.Deflate})
	sound[bytes.Index(sound, []byte("m/data/0"))+len("m/data/0")] = 7 // a block type that does not exist
	if file, err := openBytes(t, sound); err != nil {
		t.Fatal(err)
	} else if err := file.Tensors[0].ReadFloat32(make([]float32, 8)); !errors.Is(err, ErrMalformed) {
		t.Errorf("corrupt deflate data: %v", err)
	}
}

// An archive of more than 65,535 entries or 4 GB has the 64-bit end record; torch always writes it.
func TestArchive64(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join("testdata", "nested.pth"))
	if err != nil {
		t.Fatal(err)
	}
	locator := bytes.Index(whole, []byte("PK\x06\x07"))
	record := bytes.Index(whole, []byte("PK\x06\x06"))
	if locator < 0 || record < 0 {
		t.Fatal("the fixture has no 64-bit end record")
	}
	for name, at := range map[string]int{
		"locator points outside": locator + 14,
		"entries overflow":       record + 39,
		"directory size":         record + 47,
		"directory offset":       record + 55,
	} {
		broken := bytes.Clone(whole)
		broken[at] = 0xff
		if _, err := openBytes(t, broken); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
