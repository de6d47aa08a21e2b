// Package report defines the results of evaluations and predictions and writes them as
// tables, CSV, JSON and JSON lines. It prints nothing by itself.
//
// Metrics and scores are fractions in [0, 1] in files and percentages in tables. An
// undefined metric is null in JSON, an empty field in CSV, "n/a" in tables, and left out
// of means.
package report
