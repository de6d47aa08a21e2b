package data

import (
	"path/filepath"
	"slices"
	"strings"

	"acdclip/pkg/plural"
)

// jpegExtensions are the extensions of JPEG files.
var jpegExtensions = []string{".jpg", ".jpeg", ".jpe", ".jfif"}

// pictureExtensions are the extensions of the supported pictures and masks.
var pictureExtensions = slices.Concat([]string{".png"}, jpegExtensions, []string{".bmp", ".tif", ".tiff", ".webp", ".gif"})

// isPicture reports whether a file's name has the extension of a supported picture, ignoring case.
func isPicture(name string) bool { return hasExtension(name, pictureExtensions) }

// IsJPEG reports whether a file's name has a JPEG extension, ignoring case.
func IsJPEG(name string) bool { return hasExtension(name, jpegExtensions) }

func hasExtension(name string, extensions []string) bool {
	return slices.Contains(extensions, strings.ToLower(filepath.Ext(name)))
}

// unreadFormats are common picture formats that are not supported, with their file extensions.
var unreadFormats = []struct {
	name       string
	extensions []string
}{
	{"HEIC", []string{".heic", ".heics"}},
	{"HEIF", []string{".heif", ".heifs", ".hif"}},
	{"AVIF", []string{".avif", ".avifs"}},
	{"JPEG 2000", []string{".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".jpm"}},
	{"JPEG XL", []string{".jxl"}},
	{"camera raw", []string{
		".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw",
		".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
	}},
}

// UnreadFormat returns the name of an unsupported picture format by the file's
// extension, such as "HEIC"; "" for every other file.
func UnreadFormat(name string) string {
	for _, format := range unreadFormats {
		if hasExtension(name, format.extensions) {
			return format.name
		}
	}
	return ""
}

// UnreadText describes skipped pictures of unsupported formats: "2 HEIC pictures and
// 1 AVIF picture, which are not supported: convert them to PNG or JPEG". formats
// contains the format of each picture.
func UnreadText(formats []string) string {
	var parts []string
	for _, format := range unreadFormats {
		count := 0
		for _, name := range formats {
			if name == format.name {
				count++
			}
		}
		if count > 0 {
			parts = append(parts, plural.Of(count, format.name+" picture", format.name+" pictures"))
		}
	}
	text := strings.Join(parts, ", ")
	if last := len(parts) - 1; last > 0 {
		text = strings.Join(parts[:last], ", ") + " and " + parts[last]
	}
	if len(formats) == 1 {
		return text + ", which is not supported: convert it to PNG or JPEG"
	}
	return text + ", which are not supported: convert them to PNG or JPEG"
}
