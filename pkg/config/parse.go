package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"acdclip/pkg/regularfile"
)

// MaxFileSize is the maximum size of a configuration file, in bytes.
const MaxFileSize = 1 << 20

// readFile returns a configuration file's content. A file larger than MaxFileSize, and
// anything but a regular file, is an *Error.
func readFile(path string) ([]byte, error) {
	text, err := regularfile.Head(path, MaxFileSize+1)
	if other, ok := errors.AsType[*regularfile.OtherError](err); ok {
		return nil, &Error{File: path, Problem: "is " + other.Kind + ", not a configuration file"}
	}
	if err != nil {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	if len(text) > MaxFileSize {
		return nil, &Error{File: path, Problem: fmt.Sprintf("is larger than %d bytes, so it is not a configuration file", MaxFileSize)}
	}
	return text, nil
}

// parse reads one YAML document; it returns nil, nil for text without a document.
func parse(text []byte) (node *yaml.Node, problem *Error) {
	defer func() {
		if r := recover(); r != nil { // the YAML library panics on some invalid files
			node, problem = nil, &Error{Problem: fmt.Sprintf("cannot be read as YAML: %v", r)}
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, syntaxError(err, text)
	}
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
		return document.Content[0], nil
	case err != nil:
		return nil, syntaxError(err, text)
	}
	return nil, &Error{Line: second.Line, Problem: "a second YAML document starts here; a configuration file may hold only one"}
}

// syntaxError converts the library's "yaml: line 3: did not find ..." to an *Error.
func syntaxError(err error, text []byte) *Error {
	line, message := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if number, rest, ok := strings.Cut(strings.TrimPrefix(message, "line "), ": "); ok {
		if n, err := strconv.Atoi(number); err == nil {
			line, message = max(n, 1), rest
		}
	}
	problem := "is not valid YAML: " + message
	if lines := strings.Split(string(text), "\n"); line <= len(lines) {
		indent := lines[line-1][:len(lines[line-1])-len(strings.TrimLeft(lines[line-1], " \t"))]
		if strings.Contains(indent, "\t") {
			problem += " (YAML is indented with spaces, not tabs)"
		}
	}
	return &Error{Line: line, Problem: problem}
}
