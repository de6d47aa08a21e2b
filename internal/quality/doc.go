// Package quality tests that the methods detect: that a short training finds defects which the
// frozen CLIP does not. Golden tests compare numbers step by step; these tests fail if the steps
// together do not learn.
package quality
