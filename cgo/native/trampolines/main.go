// Command trampolines lists the C functions that the program calls through slots, for
// trampolines.c: it writes one line SLOT(index, name) for each prototype in the given C
// headers.
//
//	go run ./cgo/native/trampolines -o FILE HEADER [HEADER ...]
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

// Functions that are written by hand in trampolines.c, because gotorch calls them before
// libtorch is loaded.
var byHand = map[string]bool{"SetNumThreads": true, "GCPrepared": true}

func main() {
	output := flag.String("o", "", "the file to write")
	flag.Parse()
	if err := run(*output, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "trampolines:", err)
		os.Exit(1)
	}
}

func run(output string, headers []string) error {
	if output == "" || len(headers) == 0 {
		return fmt.Errorf("usage: trampolines -o FILE HEADER [HEADER ...]")
	}
	var names []string
	for _, header := range headers {
		text, err := os.ReadFile(header)
		if err != nil {
			return fmt.Errorf("reading a header: %w", err)
		}
		found, err := functions(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", header, err)
		}
		names = append(names, found...)
	}
	slots, err := list(names)
	if err != nil {
		return err
	}
	if err := os.WriteFile(output, []byte(slots), 0o644); err != nil {
		return fmt.Errorf("writing the slots: %w", err)
	}
	return nil
}

// list returns the SLOT lines for the functions, numbered in order.
func list(names []string) (string, error) {
	var b strings.Builder
	seen := map[string]bool{}
	for _, name := range names {
		if byHand[name] {
			continue
		}
		if seen[name] {
			return "", fmt.Errorf("two headers declare %s", name)
		}
		fmt.Fprintf(&b, "SLOT(%d, %s)\n", len(seen), name)
		seen[name] = true
	}
	if len(seen) == 0 {
		return "", fmt.Errorf("the headers declare no functions")
	}
	return b.String(), nil
}
