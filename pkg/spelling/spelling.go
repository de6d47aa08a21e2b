// Package spelling suggests corrections of mistyped words.
package spelling

import (
	"cmp"
	"slices"
	"strings"
)

// Nearest returns the candidate with the smallest edit distance from text, or "" if all
// distances exceed a third of its length. Candidates must be in lower case; the case of
// text is ignored.
func Nearest(text string, candidates []string) string {
	const longest = 64 // keys are shorter; limits the cost of arbitrary text
	if text == "" || len(text) > longest {
		return ""
	}
	best, least := "", max(1, len(text)/3)+1
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(text), candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// Sorted returns the candidates by edit distance from text, ignoring case. Candidates of
// equal distance keep their order.
func Sorted(text string, candidates []string) []string {
	text = strings.ToLower(text)
	from := func(candidate string) int { return distance(text, strings.ToLower(candidate)) }
	return slices.SortedStableFunc(slices.Values(candidates), func(a, b string) int { return cmp.Compare(from(a), from(b)) })
}

// distance returns the number of insertions, deletions, substitutions and swaps of
// neighbours between the bytes of a and b (optimal string alignment).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			differs := 1
			if a[i-1] == b[j-1] {
				differs = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+differs)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
