// Package layers is only tests: they hold the module's packages to one direction
// of imports, and C to one place.
package layers
