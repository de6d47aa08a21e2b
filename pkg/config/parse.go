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

// MaxFileSize bounds a configuration file, in bytes.
const MaxFileSize = 1 << 20

// readFile returns a configuration file's bytes, refusing one beyond MaxFileSize
// and what is no regular file.
func readFile(path string) ([]byte, error) {
	text, err := regularfile.Head(path, MaxFileSize+1)
	if other, ok := errors.AsType[*regularfile.OtherError](err); ok {
		return nil, &Error{File: path, Problem: "is " + other.Kind + ": this is no configuration file"}
	}
	if err != nil {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	if len(text) > MaxFileSize {
		return nil, &Error{File: path, Problem: fmt.Sprintf("is larger than %d bytes: this is no configuration file", MaxFileSize)}
	}
	return text, nil
}

// parse reads one YAML document; nil without an error when text holds none.
func parse(text []byte) (node *yaml.Node, problem *Error) {
	defer func() {
		if r := recover(); r != nil { // the YAML library's own defects
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
	return nil, &Error{Line: second.Line, Problem: "a second YAML document begins here; a configuration file holds one"}
}

// syntaxError turns the library's "yaml: line 3: did not find ..." into ours.
func syntaxError(err error, text []byte) *Error {
	line, message := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if place, rest, ok := strings.Cut(strings.TrimPrefix(message, "line "), ": "); ok {
		if n, err := strconv.Atoi(place); err == nil {
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
