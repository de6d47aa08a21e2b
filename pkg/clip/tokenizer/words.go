package tokenizer

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// contractions are split off at the start of a word, in this order. Each ends at its last
// letter regardless of what follows: 'single gives 's and ingle.
var contractions = [...]string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}

// words splits cleaned text into the two special tokens, contractions, runs of letters,
// single numerals, and runs of other characters except white space.
func words(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for text != "" {
			length, isWord := nextWord(text)
			if isWord && !yield(text[:length]) {
				return
			}
			text = text[length:]
		}
	}
}

// nextWord returns the length in bytes of the word or white space at the start of text.
func nextWord(text string) (length int, isWord bool) {
	for _, literal := range [...]string{startLiteral, endLiteral} {
		if strings.HasPrefix(text, literal) {
			return len(literal), true
		}
	}
	if length := contraction(text); length > 0 {
		return length, true
	}
	first, size := utf8.DecodeRuneInString(text)
	switch kind := classify(first); kind {
	case space:
		return size, false
	case numeral:
		return size, true
	default:
		end := strings.IndexFunc(text, func(r rune) bool { return classify(r) != kind })
		if end < 0 {
			end = len(text)
		}
		return end, true
	}
}

// contraction returns the length of the contraction at the start of text, or 0. The long s
// counts as an s, as in every case-insensitive comparison.
func contraction(text string) int {
	if !strings.HasPrefix(text, "'") {
		return 0
	}
	const longS = "'ſ"
	if strings.HasPrefix(text, longS) {
		return len(longS)
	}
	for _, ending := range contractions {
		if strings.HasPrefix(text, ending) {
			return len(ending)
		}
	}
	return 0
}

type runeKind uint8

const (
	other runeKind = iota
	letter
	numeral
	space
)

func classify(r rune) runeKind {
	switch {
	case unicode.IsLetter(r):
		return letter
	case unicode.IsNumber(r):
		return numeral
	case unicode.IsSpace(r):
		return space
	default:
		return other
	}
}
