package weights

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// This package reads the zip directory itself, because archive/zip hides the position of
// local headers and does not limit the directory. So every entry is known to be inside the
// file, without overlapping others, before it is used. An entry's CRC-32 is verified when
// the entry is read. If all CRC-32 are zero, the archive has none, as with
// torch.serialization.set_crc32_options(False).
const (
	maxZipEntries = 100_000
	maxZipName    = 1024
	// maxDeflate is the maximum expansion factor of deflate, rounded up.
	maxDeflate = 1040

	zipStored   = 0
	zipDeflated = 8

	localSignature     = 0x04034b50
	directorySignature = 0x02014b50
	endSignature       = 0x06054b50
	locator64Signature = 0x07064b50
	end64Signature     = 0x06064b50

	localLength     = 30
	directoryLength = 46
	endLength       = 22
	locator64Length = 20
	end64Length     = 56
	maxZipComment   = math.MaxUint16
)

// zipEntry is one file of an archive, before and after its local header is checked.
type zipEntry struct {
	name   string
	method uint16
	header int64 // offset of the local header in the file
	storage
}

// zipDirectory is the position of an archive's list of entries.
type zipDirectory struct {
	entries, offset, size int64
}

// readZip returns the entries of an archive by name.
func readZip(r io.ReaderAt, size int64) (map[string]*storage, error) {
	directory, err := findDirectory(r, size)
	if err != nil {
		return nil, err
	}
	entries, err := directory.read(r)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b *zipEntry) int { return cmp.Compare(a.header, b.header) })
	byName := make(map[string]*storage, len(entries))
	summed := slices.ContainsFunc(entries, func(e *zipEntry) bool { return e.crc != 0 })
	free := int64(0) // the first byte after the previous entries
	for _, e := range entries {
		if e.header < free {
			return nil, malformed("zip entry %.200q overlaps another", e.name)
		}
		if err := e.locate(r, directory.offset); err != nil {
			return nil, err
		}
		free = e.offset + e.packed
		e.summed = summed
		if _, twice := byName[e.name]; twice {
			return nil, malformed("duplicate zip entry %.200q", e.name)
		}
		byName[e.name] = &e.storage
	}
	return byName, nil
}

// findDirectory finds the end record, which must be at the end of the file.
func findDirectory(r io.ReaderAt, size int64) (zipDirectory, error) {
	tail := make([]byte, min(size, endLength+maxZipComment))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return zipDirectory{}, fmt.Errorf("reading the zip directory: %w", err)
	}
	for at := len(tail) - endLength; at >= 0; at-- {
		record := tail[at:]
		if binary.LittleEndian.Uint32(record) != endSignature ||
			int(binary.LittleEndian.Uint16(record[20:])) != len(record)-endLength {
			continue
		}
		return directoryAt(r, record, size-int64(len(tail)-at))
	}
	return zipDirectory{}, malformed("the zip archive has no directory at its end (a truncated or padded file)")
}

// directoryAt reads the end record at byte end, or its 64-bit form if there is one.
func directoryAt(r io.ReaderAt, record []byte, end int64) (zipDirectory, error) {
	d := zipDirectory{
		entries: int64(binary.LittleEndian.Uint16(record[10:])),
		size:    int64(binary.LittleEndian.Uint32(record[12:])),
		offset:  int64(binary.LittleEndian.Uint32(record[16:])),
	}
	wide, found, err := find64(r, end)
	if err != nil {
		return d, err
	}
	if found {
		end = wide
		if d, err = directory64(r, end); err != nil {
			return d, err
		}
	}
	return d, d.check(end)
}

// find64 reads the locator of the 64-bit end record, directly before the end record.
func find64(r io.ReaderAt, end int64) (at int64, found bool, err error) {
	locator := end - locator64Length
	if locator < 0 {
		return 0, false, nil
	}
	b := make([]byte, locator64Length)
	if _, err := r.ReadAt(b, locator); err != nil {
		return 0, false, fmt.Errorf("reading the zip directory: %w", err)
	}
	if binary.LittleEndian.Uint32(b) != locator64Signature {
		return 0, false, nil
	}
	at = int64(binary.LittleEndian.Uint64(b[8:]))
	if at < 0 || at > locator-end64Length {
		return 0, false, malformed("the zip archive's 64-bit end record is outside the file")
	}
	return at, true, nil
}

func directory64(r io.ReaderAt, end int64) (zipDirectory, error) {
	b := make([]byte, end64Length)
	if _, err := r.ReadAt(b, end); err != nil {
		return zipDirectory{}, fmt.Errorf("reading the zip directory: %w", err)
	}
	if binary.LittleEndian.Uint32(b) != end64Signature {
		return zipDirectory{}, malformed("the zip archive has no 64-bit end record at its declared offset")
	}
	return zipDirectory{
		entries: int64(binary.LittleEndian.Uint64(b[32:])),
		size:    int64(binary.LittleEndian.Uint64(b[40:])),
		offset:  int64(binary.LittleEndian.Uint64(b[48:])),
	}, nil
}

// check checks the directory against the limits, and that it is directly before the end record.
func (d zipDirectory) check(end int64) error {
	switch {
	case d.entries < 0 || d.entries > maxZipEntries:
		return malformed("the zip archive lists %d entries, the maximum is %d", uint64(d.entries), maxZipEntries)
	case d.offset < 0 || d.size < 0 || d.offset > end || d.size != end-d.offset:
		return malformed("the zip directory (offset %d, %d bytes) does not end at the end record (offset %d)", d.offset, d.size, end)
	case d.size < d.entries*directoryLength:
		return malformed("the zip directory of %d bytes is too short for %d entries", d.size, d.entries)
	case d.size > d.entries*(directoryLength+maxZipName+2*math.MaxUint16):
		return malformed("the zip directory of %d bytes is too long for %d entries", d.size, d.entries)
	}
	return nil
}

// read lists the entries that are files, in the directory's order.
func (d zipDirectory) read(r io.ReaderAt) ([]*zipEntry, error) {
	section := io.NewSectionReader(r, d.offset, d.size)
	entries := make([]*zipEntry, 0, d.entries)
	head := make([]byte, directoryLength)
	for range d.entries {
		if _, err := io.ReadFull(section, head); err != nil {
			return nil, malformed("the zip directory is truncated (%v)", err)
		}
		if binary.LittleEndian.Uint32(head) != directorySignature {
			return nil, malformed("the zip directory is damaged after %d entries", len(entries))
		}
		nameLength := int(binary.LittleEndian.Uint16(head[28:]))
		extraLength := int(binary.LittleEndian.Uint16(head[30:]))
		commentLength := int64(binary.LittleEndian.Uint16(head[32:]))
		if nameLength > maxZipName {
			return nil, malformed("a zip entry's name has %d bytes, the maximum is %d", nameLength, maxZipName)
		}
		variable := make([]byte, nameLength+extraLength)
		if _, err := io.ReadFull(section, variable); err != nil {
			return nil, malformed("the zip directory is truncated (%v)", err)
		}
		if _, err := section.Seek(commentLength, io.SeekCurrent); err != nil {
			return nil, fmt.Errorf("reading the zip directory: %w", err)
		}
		entry, err := parseEntry(head, string(variable[:nameLength]), variable[nameLength:])
		if err != nil {
			return nil, err
		}
		entry.storage.file = r
		if !strings.HasSuffix(entry.name, "/") { // not a folder
			entries = append(entries, entry)
		}
	}
	if at, _ := section.Seek(0, io.SeekCurrent); at != d.size {
		return nil, malformed("the zip directory has %d bytes, but its entries have %d", d.size, at)
	}
	return entries, nil
}

func parseEntry(head []byte, name string, extra []byte) (*zipEntry, error) {
	e := &zipEntry{
		name:   name,
		method: binary.LittleEndian.Uint16(head[10:]),
		header: int64(binary.LittleEndian.Uint32(head[42:])),
		storage: storage{
			name:   fmt.Sprintf("zip entry %.200q", name),
			packed: int64(binary.LittleEndian.Uint32(head[20:])),
			size:   int64(binary.LittleEndian.Uint32(head[24:])),
			crc:    binary.LittleEndian.Uint32(head[16:]),
		},
	}
	if binary.LittleEndian.Uint16(head[8:])&1 != 0 {
		return nil, unsupported("zip entry %.200q is encrypted", name)
	}
	if err := e.widen(extra); err != nil {
		return nil, err
	}
	switch {
	case e.method == zipStored:
		if e.packed != e.size {
			return nil, malformed("zip entry %.200q is stored without compression in %d bytes but declares %d", name, e.packed, e.size)
		}
	case e.method == zipDeflated:
		e.deflated = true
		if e.size/maxDeflate > e.packed {
			return nil, malformed("zip entry %.200q declares %d bytes, too many for its %d compressed bytes", name, e.size, e.packed)
		}
	default:
		return nil, unsupported("zip entry %.200q has the compression method %d", name, e.method)
	}
	return e, nil
}

// widen replaces 32-bit fields that are all ones by the 64-bit fields of the extra data.
func (e *zipEntry) widen(extra []byte) error {
	fields := make([]*int64, 0, 3)
	for _, field := range []*int64{&e.size, &e.packed, &e.header} {
		if *field == math.MaxUint32 {
			fields = append(fields, field)
		}
	}
	for len(fields) > 0 && len(extra) >= 4 {
		id, length := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		extra = extra[4:]
		if length > len(extra) {
			break
		}
		if id == 1 {
			return e.fill(fields, extra[:length])
		}
		extra = extra[length:]
	}
	return nil
}

func (e *zipEntry) fill(fields []*int64, wide []byte) error {
	for _, field := range fields {
		if len(wide) < 8 {
			return malformed("zip entry %.200q lacks a 64-bit size", e.name)
		}
		if *field = int64(binary.LittleEndian.Uint64(wide)); *field < 0 {
			return malformed("zip entry %.200q has a size or offset that overflows", e.name)
		}
		wide = wide[8:]
	}
	return nil
}

// locate checks the local header against the directory and sets the data's offset; the data must end before limit.
func (e *zipEntry) locate(r io.ReaderAt, limit int64) error {
	if e.header > limit-localLength {
		return malformed("zip entry %.200q is outside the file", e.name)
	}
	head := make([]byte, localLength+len(e.name))
	if _, err := r.ReadAt(head, e.header); err != nil {
		return malformed("zip entry %.200q is outside the file (%v)", e.name, err)
	}
	if binary.LittleEndian.Uint32(head) != localSignature {
		return malformed("zip entry %.200q has no local header at the offset in the directory", e.name)
	}
	nameLength := int64(binary.LittleEndian.Uint16(head[26:]))
	if nameLength != int64(len(e.name)) || string(head[localLength:]) != e.name ||
		binary.LittleEndian.Uint16(head[8:]) != e.method {
		return malformed("zip entry %.200q has another name or method in its local header", e.name)
	}
	e.offset = e.header + localLength + nameLength + int64(binary.LittleEndian.Uint16(head[28:]))
	if e.offset > limit || e.packed > limit-e.offset {
		return malformed("zip entry %.200q (%d bytes at offset %d) extends beyond the file", e.name, e.packed, e.offset)
	}
	return nil
}

// bytes reads and decompresses a small entry and verifies its checksum.
func (s *storage) bytes(limit int64) ([]byte, error) {
	if s.size > limit {
		return nil, malformed("%s has %d bytes, the maximum is %d", s.name, s.size, limit)
	}
	var all bytes.Buffer
	err := s.stream(0, s.size, make([]byte, chunkSize), func(_ int64, raw []byte) { all.Write(raw) })
	return all.Bytes(), err
}
