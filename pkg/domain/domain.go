// Package domain names the fields that pictures come from, and the classes of what they show.
package domain

import (
	"fmt"
	"strings"
)

// Domain is the field that a dataset comes from. It decides the smoothing of
// maps and the weights of the image score where a method tells the two apart.
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
	return "", fmt.Errorf("unknown domain %q: it is %q or %q", name, Industrial, Medical)
}

// Classes are kinds of things to look at, all of one domain.
type Classes struct {
	Prompts []string // what the prompts call each, as in "metal nut"
	Domain  Domain
}
