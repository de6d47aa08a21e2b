package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"acdclip/internal/golden"
)

const context = 77

func newTokenizer(t testing.TB) *Tokenizer {
	t.Helper()
	tokenizer, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

type row struct {
	Text string  `json:"text"`
	IDs  []int32 `json:"ids"` // up to the first end token, inclusive
}

func readRows(t testing.TB, path string) []row {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	if err := json.Unmarshal(content, &rows); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no rows", path)
	}
	return rows
}

func compare(t *testing.T, tokenizer *Tokenizer, rows []row) {
	t.Helper()
	for _, row := range rows {
		got := tokenizer.Encode(row.Text, context)
		if len(got) != context {
			t.Errorf("%q: %d ids", row.Text, len(got))
		}
		if got := upToEnd(got); !slices.Equal(got, row.IDs) {
			t.Errorf("%q:\n got %v\nwant %v", row.Text, got, row.IDs)
		}
	}
}

func upToEnd(ids []int32) []int32 {
	return ids[:slices.Index(ids, EndOfText)+1]
}

func TestGoldenTokens(t *testing.T) {
	golden.Run(t, []string{"tokens.json"}, func(t *testing.T, folder golden.Folder) {
		compare(t, newTokenizer(t), readRows(t, folder.File("tokens.json")))
	})
}

// scripts/reference/make_tokens.py writes the texts and ids with open_clip's tokenizer.
func TestEncodeHostile(t *testing.T) {
	compare(t, newTokenizer(t), readRows(t, filepath.Join("testdata", "hostile.json")))
}

func TestEncodeContext(t *testing.T) {
	tokenizer := newTokenizer(t)
	const crack, dent = 10334, 23136
	tests := []struct {
		text    string
		context int
		want    []int32
	}{
		{"crack", 5, []int32{StartOfText, crack, EndOfText, 0, 0}},
		{"crack", 3, []int32{StartOfText, crack, EndOfText}},
		{"crack crack", 3, []int32{StartOfText, crack, EndOfText}},
		{"crack", 2, []int32{StartOfText, EndOfText}},
		{"", 2, []int32{StartOfText, EndOfText}},
		{"crack", 1, []int32{EndOfText}},
		{"", 1, []int32{EndOfText}},
		{"crack", 0, nil},
		{"crack", -1, nil},
	}
	for _, test := range tests {
		if got := tokenizer.Encode(test.text, test.context); !slices.Equal(got, test.want) {
			t.Errorf("%q in %d: got %v, want %v", test.text, test.context, got, test.want)
		}
	}
}

// The caller owns what Encode returns: changing it must not change the cache.
func TestEncodeReturnsFreshIDs(t *testing.T) {
	tokenizer := newTokenizer(t)
	want := tokenizer.Encode("crack", context)
	clear(tokenizer.Encode("crack", context))
	if got := tokenizer.Encode("crack", context); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEncodeConcurrently(t *testing.T) {
	tokenizer := newTokenizer(t)
	rows := readRows(t, filepath.Join("testdata", "hostile.json"))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() { compare(t, tokenizer, rows) })
	}
	group.Wait()
}

// Every id except the special tokens is a byte sequence that some text encodes to.
func TestMergesCoverTheVocabulary(t *testing.T) {
	merges := newTokenizer(t).merges
	if got := len(merges.merged); got != mergeCount {
		t.Errorf("%d merges, want %d", got, mergeCount)
	}
	seen := make(map[int32]bool)
	for pair, id := range merges.merged {
		if pair.left >= id || pair.right >= id {
			t.Fatalf("merge %d joins %v, which come later", id, pair)
		}
		seen[id] = true
	}
	for _, id := range merges.bytes {
		seen[id], seen[id+byteIDs] = true, true
	}
	if len(seen) != VocabularySize-2 {
		t.Errorf("%d ids, want %d", len(seen), VocabularySize-2)
	}
}

func TestCacheIsBounded(t *testing.T) {
	tokenizer := newTokenizer(t)
	letters := []byte("abcdefghijklmnopqrstuvwxyz")
	var text strings.Builder
	for i := range 30000 {
		for n := i + 26*26*26; n > 0; n /= 26 {
			text.WriteByte(letters[n%26])
		}
		text.WriteByte(' ')
	}
	text.WriteString(strings.Repeat("a", 100*cachedWordBytes))
	tokenizer.Encode(text.String(), 1<<20)
	if got := len(tokenizer.words); got != cachedWords {
		t.Errorf("%d words cached, want %d", got, cachedWords)
	}
	for word := range tokenizer.words {
		if len(word) > cachedWordBytes {
			t.Fatalf("a word of %d bytes is cached", len(word))
		}
	}
}

func FuzzEncode(f *testing.F) {
	for _, row := range readRows(f, filepath.Join("testdata", "hostile.json")) {
		f.Add(row.Text, context)
	}
	f.Add("\xff\xfe&#", 2)
	tokenizer := newTokenizer(f)
	f.Fuzz(func(t *testing.T, text string, context int) {
		context = 2 + int(uint(context)%200)
		ids := tokenizer.Encode(text, context)
		if len(ids) != context || ids[0] != StartOfText {
			t.Fatalf("%d of %d ids, from %d", len(ids), context, ids[0])
		}
		if !slices.Contains(ids, EndOfText) {
			t.Fatal("no end of text")
		}
		for _, id := range ids {
			if id < 0 || id >= VocabularySize {
				t.Fatalf("id %d", id)
			}
		}
		if again := tokenizer.Encode(text, context); !slices.Equal(ids, again) {
			t.Fatalf("%v, then %v", ids, again)
		}
	})
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := New(); err != nil {
			b.Fatal(err)
		}
	}
}
