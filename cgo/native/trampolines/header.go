package main

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	comment   = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)
	directive = regexp.MustCompile(`(?m)^[ \t]*#(?:\\\r?\n|[^\n])*`)
	linkage   = regexp.MustCompile(`extern\s+"C"\s*\{|\}`)
	prototype = regexp.MustCompile(`^[A-Za-z_][\w\s*]*?[\s*]([A-Za-z_]\w*)\s*\([^()]*\)$`)
)

// functions returns the names of the functions that a plain C header declares, in order. A
// declaration that it does not understand is an error, so that no function is silently
// skipped.
func functions(header string) ([]string, error) {
	text := comment.ReplaceAllString(header, " ")
	text = directive.ReplaceAllString(text, "")
	text = linkage.ReplaceAllString(text, "")
	var names []string
	for declaration := range strings.SplitSeq(text, ";") {
		declaration = strings.TrimSpace(declaration)
		if declaration == "" || strings.HasPrefix(declaration, "typedef ") {
			continue
		}
		match := prototype.FindStringSubmatch(declaration)
		if match == nil {
			return nil, fmt.Errorf("not a function prototype that this tool can read: %q", declaration)
		}
		names = append(names, match[1])
	}
	return names, nil
}
