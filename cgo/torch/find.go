package torch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Names of the environment variables for the locations of the libraries.
const (
	LibtorchVariable = "LIBTORCH"          // the folder that holds lib/libtorch_cpu.so
	NativeVariable   = "LIBACDCLIP_NATIVE" // the path of libacdclip_native.so
)

const nativeName = "libacdclip_native.so"

// ErrNotFound reports that libtorch, or our native library, was not found.
var ErrNotFound = errors.New("libtorch not found")

// Library gives the locations of the native libraries.
type Library struct {
	Libtorch string // folder of libtorch_cpu.so
	Native   string // path of libacdclip_native.so
	CUDA     bool   // libtorch_cuda.so is there too and the machine has a driver
}

// Find looks for the native libraries without loading them. Our library is
// $LIBACDCLIP_NATIVE, or in ../build/current or ../lib/acdclip relative to the program's
// folder. libtorch is in $LIBTORCH, or in the folder that the file libtorch.path next to
// our library names.
func Find() (Library, error) {
	native, err := findNative()
	if err != nil {
		return Library{}, err
	}
	folder, err := findLibtorch(filepath.Dir(native))
	if err != nil {
		return Library{Native: native}, err
	}
	return Library{Libtorch: folder, Native: native, CUDA: hasDriver() && isFile(filepath.Join(folder, "libtorch_cuda.so"))}, nil
}

func findNative() (string, error) {
	if path := os.Getenv(NativeVariable); path != "" {
		if !isFile(path) {
			return "", fmt.Errorf("%w: $%s is %s, but there is no such file", ErrNotFound, NativeVariable, path)
		}
		return path, nil
	}
	var tried []string
	for _, folder := range nativeFolders() {
		path := filepath.Join(folder, nativeName)
		if isFile(path) {
			return path, nil
		}
		tried = append(tried, folder)
	}
	return "", fmt.Errorf("%w: no %s in %s; build it with `make build` or set $%s to its path",
		ErrNotFound, nativeName, strings.Join(tried, ", "), NativeVariable)
}

// nativeFolders lists the folders where our library may be, the most likely first.
func nativeFolders() []string {
	var folders []string
	if program, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(program); err == nil {
			program = real
		}
		above := filepath.Dir(filepath.Dir(program))
		folders = append(folders, filepath.Join(above, "build", "current"), filepath.Join(above, "lib", "acdclip"))
	}
	return folders
}

// findLibtorch returns the folder of libtorch_cpu.so; beside is the folder of our library.
func findLibtorch(beside string) (string, error) {
	if root := os.Getenv(LibtorchVariable); root != "" {
		folder := filepath.Join(root, "lib")
		if !isFile(filepath.Join(folder, "libtorch_cpu.so")) {
			return "", fmt.Errorf("%w: $%s is %s, but it contains no lib/libtorch_cpu.so", ErrNotFound, LibtorchVariable, root)
		}
		return folder, nil
	}
	record := filepath.Join(beside, "libtorch.path")
	text, err := os.ReadFile(record)
	if err != nil {
		return "", fmt.Errorf("%w: %w; set $%s to the folder that contains lib/libtorch_cpu.so", ErrNotFound, err, LibtorchVariable)
	}
	folder := strings.TrimSpace(string(text))
	if !filepath.IsAbs(folder) {
		real, err := filepath.EvalSymlinks(beside)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrNotFound, err)
		}
		folder = filepath.Join(real, folder)
	}
	if !isFile(filepath.Join(folder, "libtorch_cpu.so")) {
		return "", fmt.Errorf("%w: %s names %s, which contains no libtorch_cpu.so; repair it with `make build`", ErrNotFound, record, folder)
	}
	return folder, nil
}

// hasDriver reports whether the machine has NVIDIA's driver, also in a container or under WSL.
func hasDriver() bool {
	for _, path := range []string{"/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg"} {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return false
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// loaded is the result of loading the libraries.
type loaded struct {
	err  error // nothing can run
	cuda error // why CUDA cannot be used although the machine has a driver; the CPU can be used
}

// load loads libtorch into the process once. Later calls return the first result.
func load() error { return libraries().err }

// CUDAProblem returns why CUDA cannot be used on a machine that has a driver; nil if it can
// be used or there is no driver. It loads libtorch.
func CUDAProblem() error { return libraries().cuda }

var libraries = sync.OnceValue(func() (l loaded) {
	library, err := Find()
	if err != nil {
		return loaded{err: err}
	}
	if err := setWaiting(); err != nil {
		return loaded{err: fmt.Errorf("setting how threads wait: %w", err)}
	}
	open := func(path string) error {
		if err := openLibrary(path); err != nil {
			return fmt.Errorf("loading %s: %w", path, err)
		}
		return nil
	}
	for _, name := range []string{"libc10.so", "libtorch_cpu.so"} {
		if err := open(filepath.Join(library.Libtorch, name)); err != nil {
			return loaded{err: err}
		}
	}
	if library.CUDA {
		l.cuda = open(filepath.Join(library.Libtorch, "libtorch_cuda.so"))
	}
	if l.err = open(library.Native); l.err != nil {
		return l
	}
	if err := bindSlots(); err != nil {
		l.err = fmt.Errorf("loading %s: %w; repair it with `make build`", library.Native, err)
		return l
	}
	l.err = sameVersion(library)
	return l
})

// sameVersion returns an error if libtorch has another minor version than the one that our
// library was built with, because their C++ types differ.
func sameVersion(library Library) error {
	built, found, err := versions()
	if err == nil && minor(built) != minor(found) {
		err = fmt.Errorf("the libtorch in %s has version %s, but %s was built for %s; repair it with `make build`", library.Libtorch, found, library.Native, built)
	}
	return err
}

// minor returns "2.11" for "2.11.0".
func minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}
