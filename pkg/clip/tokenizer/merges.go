package tokenizer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"strings"
)

//go:embed bpe_simple_vocab_16e6.txt.gz
var compressedMerges []byte

// Ids 0 to 255 are single bytes inside a word, 256 to 511 the same bytes at a word's end;
// then follow one id per merge in order of rank, and the two special tokens.
const (
	byteIDs    = 256
	firstMerge = 2 * byteIDs
	mergeCount = int(StartOfText) - firstMerge
)

const wordEnd = "</w>"

type pair struct{ left, right int32 }

// mergeTable is the byte-pair encoding: it maps pairs of neighbours to the merged id. A
// lower id means an earlier merge.
type mergeTable struct {
	merged map[pair]int32
	bytes  [byteIDs]int32 // id of each byte inside a word
}

// readMerges reads lines 2 to 48895 of the embedded file, with two symbols per line.
func readMerges() (*mergeTable, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(compressedMerges))
	if err != nil {
		return nil, fmt.Errorf("reading the embedded merges: %w", err)
	}
	table := &mergeTable{merged: make(map[pair]int32, mergeCount)}
	ids := make(map[string]int32, VocabularySize)
	for b, letter := range byteLetters() {
		table.bytes[b] = letter.id
		ids[string(letter.symbol)] = letter.id
		ids[string(letter.symbol)+wordEnd] = letter.id + byteIDs
	}
	lines := bufio.NewScanner(unzipped)
	lines.Scan() // the version
	for id := int32(firstMerge); id < StartOfText; id++ {
		if !lines.Scan() {
			return nil, fmt.Errorf("reading the embedded merges: unexpected end after %d of %d: %w", id-firstMerge, mergeCount, lines.Err())
		}
		left, right, _ := strings.Cut(lines.Text(), " ")
		leftID, knownLeft := ids[left]
		rightID, knownRight := ids[right]
		if !knownLeft || !knownRight {
			return nil, fmt.Errorf("reading the embedded merges: %q merges an undefined symbol", lines.Text())
		}
		table.merged[pair{leftID, rightID}] = id
		ids[left+right] = id
	}
	return table, nil
}

type byteLetter struct {
	symbol rune
	id     int32
}

// byteLetters maps each byte to the printable letter that represents it in the merges,
// and to its id: first the printable bytes of Latin-1 as themselves, then the others in
// order as the letters from U+0100 on.
func byteLetters() [byteIDs]byteLetter {
	var letters [byteIDs]byteLetter
	id := int32(0)
	printable := func(b int) bool { return b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE }
	for b := range byteIDs {
		if printable(b) {
			letters[b] = byteLetter{symbol: rune(b), id: id}
			id++
		}
	}
	other := rune(0x100)
	for b := range byteIDs {
		if !printable(b) {
			letters[b] = byteLetter{symbol: other, id: id}
			other++
			id++
		}
	}
	return letters
}

// encode merges a word's bytes: it repeatedly merges all occurrences, from left to right,
// of the pair with the lowest rank, until no pair of neighbours has a merge.
func (t *mergeTable) encode(word string) []int32 {
	ids := make([]int32, len(word))
	for i := range len(word) {
		ids[i] = t.bytes[word[i]]
	}
	if len(ids) > 0 {
		ids[len(ids)-1] += byteIDs
	}
	for {
		best, joined := t.best(ids)
		if joined < 0 {
			return ids
		}
		ids = join(ids, best, joined)
	}
}

// best returns the pair of neighbours with the lowest rank, and its merged id; -1 if there is none.
func (t *mergeTable) best(ids []int32) (pair, int32) {
	var best pair
	joined := int32(-1)
	for i := 1; i < len(ids); i++ {
		candidate := pair{ids[i-1], ids[i]}
		if id, ok := t.merged[candidate]; ok && (joined < 0 || id < joined) {
			best, joined = candidate, id
		}
	}
	return best, joined
}

// join replaces each occurrence of p by id, in place.
func join(ids []int32, p pair, id int32) []int32 {
	kept := ids[:0]
	for i := 0; i < len(ids); i++ {
		if i+1 < len(ids) && ids[i] == p.left && ids[i+1] == p.right {
			kept = append(kept, id)
			i++
			continue
		}
		kept = append(kept, ids[i])
	}
	return kept
}
