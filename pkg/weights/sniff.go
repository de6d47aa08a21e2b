package weights

import (
	"bytes"
	"fmt"

	"acdclip/pkg/sniff"
)

// sniffLength is the number of bytes that are read to detect a file's format.
const sniffLength = 512

type content int

const (
	contentOther content = iota
	contentSafetensors
	contentZip
)

// contentOf detects the two supported containers.
func contentOf(head []byte) content {
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return contentZip
	}
	if len(head) > 8 && head[8] == '{' && !looksTextual(head[:8]) {
		return contentSafetensors
	}
	return contentOther
}

// looksTextual reports whether eight bytes are printable text, which cannot be a
// safetensors header length: as a number it exceeds any file.
func looksTextual(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

// torchMagic is the start of a torch.save file from before torch 1.6: protocol 2, then a ten-byte long.
var torchMagic = []byte("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")

// foreign are file contents that are easily mistaken for supported weights.
func foreign() []sniff.Kind {
	return []sniff.Kind{
		{Name: "a tar archive", Is: sniff.At(257, "ustar")},
		{Name: "a git-lfs pointer (download the real file with `git lfs pull`)", Is: sniff.Starts("version https://git-lfs")},
		{Name: "an empty zip archive", Is: sniff.Starts("PK\x05\x06")},
		{Name: "gzip-compressed data", Is: sniff.Starts("\x1f\x8b")},
		{Name: "bzip2-compressed data", Is: sniff.Starts("BZh")},
		{Name: "xz-compressed data", Is: sniff.Starts("\xfd7zXZ\x00")},
		{Name: "zstd-compressed data", Is: sniff.Starts("\x28\xb5\x2f\xfd")},
		{Name: "a 7z archive", Is: sniff.Starts("7z\xbc\xaf\x27\x1c")},
		{Name: "a RAR archive", Is: sniff.Starts("Rar!")},
		{Name: "an HDF5 file", Is: sniff.Starts("\x89HDF\r\n\x1a\n")},
		{Name: "a NumPy array", Is: sniff.Starts("\x93NUMPY")},
		{Name: "a GGUF file", Is: sniff.Starts("GGUF")},
		{Name: "a PNG picture", Is: sniff.Starts("\x89PNG")},
		{Name: "a JPEG picture", Is: sniff.Starts("\xff\xd8\xff")},
		{Name: "a PDF document", Is: sniff.Starts("%PDF")},
		{Name: "a program or shared library", Is: sniff.Starts("\x7fELF")},
		{Name: "a plain pickle, not a torch.save archive", Is: sniff.Starts("\x80")},
	}
}

// refuse returns an error that describes a file that is not a weight file.
func refuse(head []byte, size int64) error {
	if size == 0 {
		return fmt.Errorf("the file is empty: %w", ErrNotWeights)
	}
	if bytes.HasPrefix(head, torchMagic) {
		return unsupported("a torch.save file in the format before torch 1.6: " +
			"load it with a current torch and save it again")
	}
	name, known := sniff.Name(head, foreign())
	if !known {
		name = describe(head)
	}
	return fmt.Errorf("looks like %s: %w", name, ErrNotWeights)
}

// describe describes content that foreign does not list.
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
	case sniff.IsText(head):
		return "text"
	case len(head) >= 8:
		return fmt.Sprintf("data of an unknown kind (first bytes % x)", head[:8])
	default:
		return "data of an unknown kind"
	}
}
