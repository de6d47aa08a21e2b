package weights

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// sniffLength is how much of a file's beginning decides what it is.
const sniffLength = 512

type content int

const (
	contentOther content = iota
	contentSafetensors
	contentZip
)

// sniff tells the two containers that are read from everything else.
func sniff(head []byte) content {
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return contentZip
	}
	if len(head) > 8 && head[8] == '{' && !looksTextual(head[:8]) {
		return contentSafetensors
	}
	return contentOther
}

// looksTextual says that eight bytes are printable text, which no sensible
// safetensors header length is: as a number they exceed any file.
func looksTextual(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

// torchMagic opens a torch.save file from before torch 1.6: protocol 2, then a ten-byte long.
var torchMagic = []byte("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")

var signatures = []struct{ prefix, what string }{
	{"version https://git-lfs", "a git-lfs pointer: fetch the real file with `git lfs pull`"},
	{"PK\x05\x06", "an empty zip archive"},
	{"\x1f\x8b", "gzip-compressed data"},
	{"BZh", "bzip2-compressed data"},
	{"\xfd7zXZ\x00", "xz-compressed data"},
	{"\x28\xb5\x2f\xfd", "zstd-compressed data"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive"},
	{"Rar!", "a RAR archive"},
	{"\x89HDF\r\n\x1a\n", "an HDF5 file"},
	{"\x93NUMPY", "a NumPy array"},
	{"GGUF", "a GGUF file"},
	{"\x89PNG", "a PNG picture"},
	{"\xff\xd8\xff", "a JPEG picture"},
	{"%PDF", "a PDF document"},
	{"\x7fELF", "a program or shared library"},
	{"\x80", "a plain pickle, not an archive of torch.save"},
}

// refuse says what a file is that is no weight file.
func refuse(head []byte, size int64) error {
	if size == 0 {
		return fmt.Errorf("the file is empty: %w", ErrNotWeights)
	}
	if bytes.HasPrefix(head, torchMagic) {
		return unsupported("a torch.save file in the format from before torch 1.6: " +
			"load it with a current torch and save it again")
	}
	if len(head) >= 262 && string(head[257:262]) == "ustar" {
		return fmt.Errorf("looks like a tar archive: %w", ErrNotWeights)
	}
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.prefix)) {
			return fmt.Errorf("looks like %s: %w", s.what, ErrNotWeights)
		}
	}
	return fmt.Errorf("looks like %s: %w", describe(head), ErrNotWeights)
}

// describe names content that no signature gives away.
func describe(head []byte) string {
	start := bytes.ToLower(bytes.TrimLeft(head, " \t\r\n\ufeff"))
	switch {
	case bytes.HasPrefix(start, []byte("<!doctype html")), bytes.HasPrefix(start, []byte("<html")):
		return "a web page (HTML), perhaps an error page saved instead of the file"
	case bytes.HasPrefix(start, []byte("<")):
		return "XML or HTML"
	case bytes.HasPrefix(start, []byte("{")), bytes.HasPrefix(start, []byte("[")):
		return "JSON"
	case bytes.Count(head, []byte{0}) == len(head):
		return "zero bytes, perhaps an unfinished download"
	case isText(head):
		return "text"
	case len(head) >= 8:
		return fmt.Sprintf("data of an unknown kind (first bytes % x)", head[:8])
	default:
		return "data of an unknown kind"
	}
}

// isText allows for a rune cut in two at the end of head.
func isText(head []byte) bool {
	for cut := range min(utf8.UTFMax, len(head)) {
		if utf8.Valid(head[:len(head)-cut]) {
			return !bytes.ContainsAny(head, "\x00\x01\x02\x03\x04\x05\x06\x07\x08")
		}
	}
	return false
}
