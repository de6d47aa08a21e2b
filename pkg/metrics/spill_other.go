//go:build !linux

package metrics

const nameless = 0 // not supported
