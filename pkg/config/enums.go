package config

import (
	"strconv"
	"strings"
)

// An option with a fixed set of values has its own string type. The type's Values
// method lists the permitted values in the order used in messages.

// Precision is the number format of the frozen towers' matrices. Trained parameters
// are always float32.
type Precision string

const (
	PrecisionAuto    Precision = "auto"    // fp32, which gives the same results on every machine
	PrecisionFastest Precision = "fastest" // the fastest on this machine, by a measurement
	PrecisionFP32    Precision = "fp32"
	PrecisionBF16    Precision = "bf16"
)

// Format resolves p to a number format: fp32 for auto and the zero value. PrecisionFastest
// stays as it is, because only a measurement can resolve it.
func (p Precision) Format() Precision {
	if p == PrecisionAuto || p == "" {
		return PrecisionFP32
	}
	return p
}

// FeatureFormat is the number format in which training keeps vision features between epochs.
type FeatureFormat string

const (
	FeaturesFP32 FeatureFormat = "fp32"
	FeaturesFP16 FeatureFormat = "fp16"
)

// Values lists the formats.
func (FeatureFormat) Values() []string { return []string{string(FeaturesFP32), string(FeaturesFP16)} }

// MaskResize is how masks are scaled to the size of the maps.
type MaskResize string

const (
	MasksNearest  MaskResize = "nearest"  // Pillow's nearest pixel
	MasksBilinear MaskResize = "bilinear" // Pillow's bilinear; a pixel is anomalous from half of 255 on
)

// Values lists both ways.
func (MaskResize) Values() []string { return []string{string(MasksNearest), string(MasksBilinear)} }

// EXIFOrientation says whether pictures are rotated and flipped by their EXIF orientation.
type EXIFOrientation string

const (
	EXIFAuto  EXIFOrientation = "auto" // people's own pictures are, those of datasets are not
	EXIFApply EXIFOrientation = "true"
	EXIFNone  EXIFOrientation = "false"
)

// Values lists auto, and what YAML reads as booleans.
func (EXIFOrientation) Values() []string {
	return []string{string(EXIFAuto), string(EXIFApply), string(EXIFNone)}
}

// Own resolves auto for people's own pictures, which are seen as their camera shows them.
func (o EXIFOrientation) Own() EXIFOrientation {
	if o == EXIFAuto {
		return EXIFApply
	}
	return o
}

// Applies reports whether pictures are rotated. Auto is for datasets, as Pillow and the
// published code read them: they are not.
func (o EXIFOrientation) Applies() bool { return o == EXIFApply }

// Depth is the number of bits that pictures with 16 bits per channel use: auto or a number.
type Depth string

// DepthAuto reads all 16 bits.
const DepthAuto Depth = "auto"

// Values lists auto, and the numbers from 8 to 16.
func (Depth) Values() []string {
	list := []string{string(DepthAuto)}
	for bits := 8; bits <= 16; bits++ {
		list = append(list, strconv.Itoa(bits))
	}
	return list
}

// Bits returns the number, 0 for auto.
func (d Depth) Bits() int {
	bits, _ := strconv.Atoi(string(d)) // auto and the zero value are no numbers
	return bits
}

// Device names where the model runs: auto (a GPU when there is one), cpu, cuda or cuda:N.
type Device string

// DeviceAuto chooses a GPU if there is one, else the CPU.
const DeviceAuto Device = "auto"

// Values lists the devices; cuda:0 stands for cuda:N with any N.
func (Device) Values() []string { return []string{"auto", "cpu", "cuda", "cuda:0"} }

// accepts reports whether text is a device. String types without this method accept
// exactly their Values.
func (Device) accepts(text string) bool {
	if index, ok := strings.CutPrefix(text, "cuda:"); ok {
		n, err := strconv.Atoi(index)
		return err == nil && strconv.Itoa(n) == index && n >= 0
	}
	return text == "auto" || text == "cpu" || text == "cuda"
}
