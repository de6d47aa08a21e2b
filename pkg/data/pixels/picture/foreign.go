package picture

import "acdclip/pkg/sniff"

// wayOut is the advice after the names of unsupported picture formats.
const wayOut = ", which is not supported: convert it to PNG or JPEG"

// foreign names common file contents that are not a supported picture.
var foreign = []sniff.Kind{
	{Name: "a HEIC picture" + wayOut, Is: brand("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1")},
	{Name: "an AVIF picture" + wayOut, Is: brand("avif", "avis")},
	{Name: "a Canon CR3 raw picture" + wayOut, Is: brand("crx ")},
	{Name: "a video (MP4 or QuickTime), which is not supported: save its frames as PNG or JPEG", Is: sniff.At(4, "ftyp")},
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

// brand matches an MP4 container with one of the given brands.
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
