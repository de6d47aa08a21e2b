package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// counts are how often things happened, by kind. Its zero value is empty; any number of
// goroutines may use it.
type counts struct {
	mutex sync.Mutex
	of    map[string]map[string]int
}

// add counts what happened to one of a kind.
func (c *counts) add(kind, how string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.of == nil {
		c.of = make(map[string]map[string]int)
	}
	if c.of[kind] == nil {
		c.of[kind] = make(map[string]int)
	}
	c.of[kind][how]++
}

// total is how many of a kind there were.
func (c *counts) total(kind string) (total int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, n := range c.of[kind] {
		total += n
	}
	return total
}

// String has a line for each kind.
func (c *counts) String() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	var out strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(c.of)) {
		fmt.Fprintf(&out, "  %s:", kind)
		for i, how := range slices.Sorted(maps.Keys(c.of[kind])) {
			if i > 0 {
				out.WriteByte(',')
			}
			fmt.Fprintf(&out, " %d %s", c.of[kind][how], how)
		}
		out.WriteByte('\n')
	}
	return out.String()
}
