// Package plural writes how many things there are.
package plural

import (
	"fmt"
	"strings"
)

// Of is "1 class" or "2 classes", by the words for one and for many.
func Of(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Few names the first few of many.
func Few(names []string) string {
	const shown = 3
	text := strings.Join(names[:min(shown, len(names))], ", ")
	if len(names) > shown {
		text += ", ..."
	}
	return text
}
