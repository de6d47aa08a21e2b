// Package tokenizer converts text to CLIP's token ids: text cleaning, splitting into words
// and byte-pair encoding (OpenAI's clip/simple_tokenizer.py).
package tokenizer

import "sync"

const (
	// StartOfText is the id that begins each encoded text.
	StartOfText int32 = 49406
	// EndOfText is the id that ends each encoded text, the largest of all.
	EndOfText int32 = 49407
	// VocabularySize is the number of ids, 0 to 49407.
	VocabularySize = 49408
)

const (
	startLiteral = "<|startoftext|>"
	endLiteral   = "<|endoftext|>"
)

// The limits of the cache: words longer than this many bytes, or beyond this many words,
// are not cached, so that arbitrary text cannot grow the cache without limit.
const (
	cachedWordBytes = 64
	cachedWords     = 16384
)

// Tokenizer encodes text. It is safe for concurrent use.
type Tokenizer struct {
	cleaner cleaner
	merges  *mergeTable

	mutex sync.RWMutex
	words map[string][]int32
}

// New returns a Tokenizer from the embedded merges. It needs a few megabytes; one per process is enough.
func New() (*Tokenizer, error) {
	merges, err := readMerges()
	if err != nil {
		return nil, err
	}
	return &Tokenizer{cleaner: newCleaner(), merges: merges, words: make(map[string][]int32)}, nil
}

// Encode returns exactly context ids: StartOfText, the text's ids, EndOfText, and zeros as
// padding. A text that is too long is truncated to the first context-1 ids, followed by
// EndOfText. A context below 1 gives no ids.
func (t *Tokenizer) Encode(text string, context int) []int32 {
	if context < 1 {
		return nil
	}
	ids := append(make([]int32, 0, context+1), StartOfText)
	for word := range words(t.cleaner.clean(text)) {
		if ids = append(ids, t.encodeWord(word)...); len(ids) >= context {
			break
		}
	}
	if ids = append(ids, EndOfText); len(ids) > context {
		ids = ids[:context]
		ids[context-1] = EndOfText
	}
	return append(ids, make([]int32, context-len(ids))...)
}

// encodeWord returns a word's ids, which the caller must not change.
func (t *Tokenizer) encodeWord(word string) []int32 {
	switch word {
	case startLiteral:
		return []int32{StartOfText}
	case endLiteral:
		return []int32{EndOfText}
	}
	t.mutex.RLock()
	ids, found := t.words[word]
	t.mutex.RUnlock()
	if found {
		return ids
	}
	ids = t.merges.encode(word)
	if len(word) <= cachedWordBytes {
		t.mutex.Lock()
		if len(t.words) < cachedWords {
			t.words[word] = ids
		}
		t.mutex.Unlock()
	}
	return ids
}
