package tokenizer

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

var (
	numericReference = regexp.MustCompile(`^&#(?:([0-9]+)|[xX]([0-9a-fA-F]+));?`)
	namedReference   = regexp.MustCompile(`^&[0-9A-Za-z]+;?`)
	wholeEntity      = regexp.MustCompile(`&#?[0-9A-Za-z]{1,24};`)
)

// unescapeHTML resolves HTML 5 character references once, with or without a semicolon,
// like Python's html.unescape. It differs from Go's only for numeric references: those of
// control characters are removed, and overflow is handled.
func unescapeHTML(text string) string {
	var out strings.Builder
	for {
		start := strings.IndexByte(text, '&')
		if start < 0 {
			out.WriteString(text)
			return out.String()
		}
		out.WriteString(text[:start])
		text = text[start:]
		end := 1
		if match := numericReference.FindStringSubmatch(text); match != nil {
			end = len(match[0])
			out.WriteString(numbered(match[1], match[2]))
		} else {
			if name := namedReference.FindString(text); name != "" {
				end = len(name)
			}
			out.WriteString(html.UnescapeString(text[:end]))
		}
		text = text[end:]
	}
}

// numbered returns the character of a decimal or hexadecimal reference.
func numbered(decimal, hexadecimal string) string {
	digits, base := decimal, 10
	if digits == "" {
		digits, base = hexadecimal, 16
	}
	number, err := strconv.ParseUint(digits, base, 32)
	switch {
	case err != nil, number == 0, number > utf8.MaxRune, number >= 0xD800 && number <= 0xDFFF:
		return "\uFFFD" // also for an overflow
	case number >= 0x80 && number <= 0x9F:
		return string(fromC1(rune(number)))
	case isNoCharacter(rune(number)):
		return ""
	}
	return string(rune(number))
}

// isNoCharacter reports whether HTML does not allow a code point.
func isNoCharacter(r rune) bool {
	return r <= 0x08 || r == 0x0B || r >= 0x0E && r <= 0x1F || r == 0x7F ||
		r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE
}

// unescapeEntities resolves only unambiguous references, like ftfy: those with a
// semicolon, and HTML 5 names in capitals (&EACUTE;).
func unescapeEntities(text string) string {
	return wholeEntity.ReplaceAllStringFunc(text, func(entity string) string {
		if strings.HasPrefix(entity, "&#") {
			if resolved := unescapeHTML(entity); !strings.Contains(resolved, ";") {
				return resolved
			}
			return entity
		}
		if character, ok := namedEntity(entity); ok {
			return character
		}
		if html.UnescapeString(entity) != entity || strings.ToUpper(entity) != entity {
			return entity
		}
		if character, ok := namedEntity(strings.ToLower(entity)); ok {
			return cases.Upper(language.Und).String(character)
		}
		return entity
	})
}

// namedEntity returns the character of an entity that HTML 5 names, semicolon included.
func namedEntity(entity string) (string, bool) {
	character := html.UnescapeString(entity)
	// An unknown or partly known entity keeps its semicolon.
	return character, entity == "&semi;" || !strings.HasSuffix(character, ";")
}
