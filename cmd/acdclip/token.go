package main

import (
	"fmt"
	"strings"
	"unicode"

	"acdclip/pkg/regularfile"
)

// readToken reads the token in the file of a flag; "" where no file is given.
func readToken(flag, file string) (string, error) {
	if file == "" {
		return "", nil
	}
	const most = 4 << 10 // bytes
	content, err := regularfile.Head(file, most+1)
	if err != nil {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	token := strings.TrimSpace(string(content))
	if token == "" || len(content) > most || strings.ContainsFunc(token, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return "", usagef("%s %s must hold one token, a text without spaces of at most %d bytes", flag, file, most)
	}
	return token, nil
}
