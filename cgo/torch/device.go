package torch

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Device is the CPU or one CUDA device. The zero value is the CPU.
type Device struct {
	CUDA  bool
	Index int // index of the CUDA device
}

// ErrNoDevice reports a device that does not exist, or a text that names no device.
var ErrNoDevice = errors.New("no such device")

// CPU is the processor.
var CPU = Device{}

// String returns "cpu" or, for example, "cuda:0".
func (d Device) String() string {
	if !d.CUDA {
		return "cpu"
	}
	return fmt.Sprintf("cuda:%d", d.Index)
}

// ParseDevice parses "auto", "cpu", "cuda" and "cuda:N". "auto" is the first CUDA device if
// there is one, else the CPU. For all but "cpu" it loads libtorch to look for CUDA devices.
func ParseDevice(text string) (Device, error) {
	switch {
	case text == "cpu":
		return CPU, nil
	case text == "auto" || text == "":
		count, err := CUDACount()
		if err != nil || count == 0 {
			return CPU, err
		}
		return Device{CUDA: true}, nil
	}
	index := 0
	if name, number, found := strings.Cut(text, ":"); name != "cuda" {
		return CPU, fmt.Errorf("%w: %q: expected auto, cpu, cuda or cuda:N", ErrNoDevice, text)
	} else if found {
		var err error
		if index, err = strconv.Atoi(number); err != nil || index < 0 {
			return CPU, fmt.Errorf("%w: %q: expected cuda:N with N from 0", ErrNoDevice, text)
		}
	}
	count, err := CUDACount()
	if err != nil {
		return CPU, err
	}
	if problem := CUDAProblem(); problem != nil {
		return CPU, fmt.Errorf("%w: %q: %w; --device cpu runs without it", ErrNoDevice, text, problem)
	}
	if index >= count {
		return CPU, fmt.Errorf("%w: %q: this machine has %d usable CUDA devices; --device cpu runs without one", ErrNoDevice, text, count)
	}
	return Device{CUDA: true, Index: index}, nil
}
