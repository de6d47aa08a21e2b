// Package report holds the results of an evaluation or a prediction, and everything that
// writes them: tables, CSV, JSON, JSON lines. It prints nothing by itself.
//
// Metrics and scores are fractions in [0, 1] in every file, and percent in
// tables for reading. A metric that is not defined is a nil pointer: null in
// JSON, an empty field in CSV, "n/a" in tables, and left out of means.
package report
