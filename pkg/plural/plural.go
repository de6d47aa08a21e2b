// Package plural writes how many things there are.
package plural

import "fmt"

// Of is "1 class" or "2 classes", by the words for one and for many.
func Of(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
