package pretrained

import "slices"

// A small CLIP can do without most of the vocabulary. The configuration of one with a cut
// vocabulary has in its text_config
//
//	"hashed_tokens": H, "kept_tokens": [ids, rising]
//
// The token embedding has H rows that all other tokens share, then one for each kept token.
// The start and the end token are kept, so that the end token has the last row.
const (
	hashedKey = "hashed_tokens"
	keptKey   = "kept_tokens"
)

// wholeVocabulary is the number of ids of CLIP's tokenizer; the last two start and end a text.
const wholeVocabulary = 49408

// keptTokens reads a cut vocabulary, sets a.HashedTokens and returns the kept ids; nil if the
// vocabulary is whole.
func (c *configuration) keptTokens(a *Arch) ([]int32, error) {
	text, err := c.section(c.tree, "text_config")
	if err != nil || text[keptKey] == nil && text[hashedKey] == nil {
		return nil, err
	}
	hashed, missing, err := c.positive("text_config.", text, hashedKey)
	if err != nil {
		return nil, err
	}
	list, isList := text[keptKey].([]any)
	if missing || !isList || hashed+len(list) != a.VocabSize {
		return nil, c.refuse("sets text_config.%s and %s, which together must be the %d tokens of the weights", hashedKey, keptKey, a.VocabSize)
	}
	kept := make([]int32, len(list))
	for i, value := range list {
		id, isNumber := value.(float64)
		if !isNumber || id < 0 || id >= wholeVocabulary || id != float64(int32(id)) || i > 0 && int32(id) <= kept[i-1] {
			return nil, c.refuse("sets text_config.%s to a list with %s at %d, expected rising ids below %d", keptKey, brief(value), i, wholeVocabulary)
		}
		kept[i] = int32(id)
	}
	if n := len(kept); n < 2 || kept[n-2] != wholeVocabulary-2 || kept[n-1] != wholeVocabulary-1 {
		return nil, c.refuse("sets text_config.%s to a list without the start and the end token", keptKey)
	}
	a.HashedTokens = hashed
	return kept, nil
}

// TokenRows returns the row of the token embedding of every id, 0 to 49407, if the vocabulary
// is cut; nil if it is whole, where the row is the id.
func (c *Checkpoint) TokenRows() []int64 {
	if c.KeptTokens == nil {
		return nil
	}
	rows := make([]int64, wholeVocabulary)
	for id := range rows {
		rows[id] = int64(id % c.Arch.HashedTokens)
		if at, kept := slices.BinarySearch(c.KeptTokens, int32(id)); kept {
			rows[id] = int64(c.Arch.HashedTokens + at)
		}
	}
	return rows
}
