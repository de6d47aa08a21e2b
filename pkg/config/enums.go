package config

import (
	"strconv"
	"strings"
)

// An option of few values is a string type of its own. Its Values method lists
// what it may be, in the order in which a message names them.

// Precision is the number format of the frozen towers' matrices. What is trained
// is float32 always.
type Precision string

const (
	PrecisionAuto Precision = "auto" // the best that the device does without changing results: fp32
	PrecisionFP32 Precision = "fp32"
)

// Format is the number format that p stands for: fp32 for auto and the zero value.
func (p Precision) Format() Precision {
	if p == PrecisionAuto || p == "" {
		return PrecisionFP32
	}
	return p
}

// Device names where the model runs: auto (a GPU when there is one), cpu, cuda or cuda:N.
type Device string

// DeviceAuto takes a GPU when there is one.
const DeviceAuto Device = "auto"

// Values lists the devices; cuda:N is meant for every N.
func (Device) Values() []string { return []string{"auto", "cpu", "cuda", "cuda:0"} }

// accepts says whether text is a device; other types of few values accept their Values alone.
func (Device) accepts(text string) bool {
	if index, ok := strings.CutPrefix(text, "cuda:"); ok {
		n, err := strconv.Atoi(index)
		return err == nil && strconv.Itoa(n) == index && n >= 0
	}
	return text == "auto" || text == "cpu" || text == "cuda"
}
