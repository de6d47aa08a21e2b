package ui

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Fact is one line with a name and its value.
type Fact [2]string

// Facts formats facts in two columns, without those that have no value.
func Facts(facts []Fact) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, f := range facts {
		if name, value := f[0], f[1]; value != "" {
			fmt.Fprintf(w, "  %s\t%s\n", name, Visible(value))
		}
	}
	_ = w.Flush() // writing to a Builder cannot fail
	return b.String()
}
