//go:build !linux

package metrics

const nameless = 0 // files begin with a name
