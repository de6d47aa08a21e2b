// Package speed compares how fast number formats are on a machine, and keeps what was
// measured in a file, so that each machine measures once. It is pure Go: the caller
// measures.
package speed

import (
	"fmt"
	"slices"
	"strings"
)

// Time is how long a block of CLIP's image tower takes in a number format.
type Time struct {
	Format  string  `json:"format"`
	Seconds float64 `json:"seconds"` // above 0
}

// Times are the times of several formats, in the order in which they are preferred.
type Times []Time

// margin is the share of its time by which a format must differ from another to count as
// faster or slower: less is within what repeated measurements differ by.
const margin = 0.1

// Fastest returns the fastest format. A format is chosen instead of an earlier one only if
// it is clearly faster, because later formats change results more. "" for no times.
func (t Times) Fastest() string {
	if len(t) == 0 {
		return ""
	}
	best := t[0]
	for _, each := range t[1:] {
		if each.Seconds < (1-margin)*best.Seconds {
			best = each
		}
	}
	return best.Format
}

// Slower reports whether a format is clearly slower than the first one, and how many times
// as long it takes; 0 if it is not among the times.
func (t Times) Slower(format string) (times float64, slower bool) {
	i := slices.IndexFunc(t, func(each Time) bool { return each.Format == format })
	if i < 0 {
		return 0, false
	}
	times = t[i].Seconds / t[0].Seconds
	return times, times > 1+margin
}

// String lists the times, as in "fp32 12.1 ms, bf16 7.93 ms".
func (t Times) String() string {
	texts := make([]string, len(t))
	for i, each := range t {
		texts[i] = fmt.Sprintf("%s %.3g ms", each.Format, 1000*each.Seconds)
	}
	return strings.Join(texts, ", ")
}
