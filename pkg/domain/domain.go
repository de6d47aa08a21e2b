// Package domain defines the domains of datasets, industrial and medical, and lists of classes.
package domain

import (
	"fmt"
	"strings"
)

// Domain is the field that a dataset comes from. In methods that distinguish domains it
// selects the smoothing of maps and the weights of the image score.
type Domain string

// The domains.
const (
	Industrial Domain = "industrial"
	Medical    Domain = "medical"
)

// Values lists the domains.
func (Domain) Values() []string { return []string{string(Industrial), string(Medical)} }

// Parse reads a domain's name in any case.
func Parse(name string) (Domain, error) {
	switch domain := Domain(strings.ToLower(name)); domain {
	case Industrial, Medical:
		return domain, nil
	}
	return "", fmt.Errorf("unknown domain %q: expected %q or %q", name, Industrial, Medical)
}

// Classes are the classes of objects to score, all of one domain.
type Classes struct {
	Prompts []string // each class's name in prompts, as in "metal nut"
	Domain  Domain
}
