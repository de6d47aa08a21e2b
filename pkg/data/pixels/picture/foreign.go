package picture

import (
	"fmt"
	"unicode/utf8"

	"acdclip/pkg/sniff"
)

// wayOut follows the names of pictures that other programs read.
const wayOut = ", which is not read: convert it to PNG or JPEG"

// foreign names some contents that people mistake for pictures that are read.
var foreign = []sniff.Kind{
	{Name: "a HEIC picture" + wayOut, Is: brand("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1")},
	{Name: "an AVIF picture" + wayOut, Is: brand("avif", "avis")},
	{Name: "a Canon CR3 raw picture" + wayOut, Is: brand("crx ")},
	{Name: "a film (MP4 or QuickTime), which is not read: save its pictures as PNG or JPEG", Is: sniff.At(4, "ftyp")},
	{Name: "a JPEG 2000 picture" + wayOut, Is: sniff.Starts("\x00\x00\x00\x0cjP  ", "\xff\x4f\xff\x51")},
	{Name: "a JPEG XL picture" + wayOut, Is: sniff.Starts("\xff\x0a", "\x00\x00\x00\x0cJXL ")},
	{Name: "a JPEG XR picture" + wayOut, Is: sniff.Starts("II\xbc")},
	{Name: "a raw picture of an Olympus camera" + wayOut, Is: sniff.Starts("IIRO", "IIRS", "MMOR")},
	{Name: "a raw picture of a Panasonic camera" + wayOut, Is: sniff.Starts("IIU\x00")},
	{Name: "a raw picture of a Fujifilm camera" + wayOut, Is: sniff.Starts("FUJIFILMCCD-RAW")},
	{Name: "a raw picture of a Minolta camera" + wayOut, Is: sniff.Starts("\x00MRM")},
	{Name: "a raw picture of a Sigma camera" + wayOut, Is: sniff.Starts("FOVb")},
	{Name: "a PSD picture" + wayOut, Is: sniff.Starts("8BPS")},
	{Name: "a GIMP picture (XCF)" + wayOut, Is: sniff.Starts("gimp xcf")},
	{Name: "an OpenEXR picture" + wayOut, Is: sniff.Starts("\x76\x2f\x31\x01")},
	{Name: "a Radiance HDR picture" + wayOut, Is: sniff.Starts("#?RADIANCE", "#?RGBE")},
	{Name: "a DDS picture" + wayOut, Is: sniff.Starts("DDS ")},
	{Name: "a QOI picture" + wayOut, Is: sniff.Starts("qoif")},
	{Name: "a MNG or JNG picture" + wayOut, Is: sniff.Starts("\x8aMNG", "\x8bJNG")},
	{Name: "a PNM picture (PBM, PGM, PPM or PAM)" + wayOut, Is: isPNM},
	{Name: "an SVG drawing" + wayOut, Is: sniff.Starts("<svg")},
	{Name: "an icon (ICO)" + wayOut, Is: sniff.Starts("\x00\x00\x01\x00")},
	{Name: "a DICOM file" + wayOut, Is: sniff.At(128, "DICM")},
	{Name: "a ZIP archive", Is: sniff.Starts("PK\x03\x04")},
	{Name: "gzip data", Is: sniff.Starts("\x1f\x8b")},
	{Name: "a PDF document", Is: sniff.Starts("%PDF")},
	{Name: "a NumPy array", Is: sniff.Starts("\x93NUMPY")},
	{Name: "an HDF5 file", Is: sniff.Starts("\x89HDF")},
}

// brand matches the container of MP4 with one of the given kinds of content.
func brand(names ...string) sniff.Match {
	return func(head []byte) bool {
		for _, name := range names {
			if sniff.At(4, "ftyp"+name)(head) {
				return true
			}
		}
		return false
	}
}

func isPNM(head []byte) bool {
	return len(head) > 2 && head[0] == 'P' && head[1] >= '1' && head[1] <= '7' && (head[2] == '\n' || head[2] == ' ' || head[2] == '\r' || head[2] == '\t')
}

// describe says in words what the start of a file looks like.
func describe(head []byte) string {
	if len(head) == 0 {
		return "nothing (the file is empty)"
	}
	if name, known := sniff.Name(head, foreign); known {
		return name
	}
	if start, isText := textStart(head); isText {
		return fmt.Sprintf("text that starts with %q", start)
	}
	return sniff.Unknown(head)
}

// textStart returns the first characters of head when all of it reads as text.
func textStart(head []byte) (string, bool) {
	const shown = 24
	text := []rune{}
	for rest := head; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r == utf8.RuneError && (len(rest) >= utf8.UTFMax || len(head) < headBytes) {
			return "", false // not merely a character cut at the end of head
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			return "", false
		}
		if len(text) < shown {
			text = append(text, r)
		}
		rest = rest[n:]
	}
	return string(text), true
}
