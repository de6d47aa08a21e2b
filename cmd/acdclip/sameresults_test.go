package main

import (
	"encoding/csv"
	"io/fs"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"acdclip/pkg/anomalymap"
)

// samescores TOLERANCE SCORES PREDICTIONS [COLUMN...]: each picture of predict's rows has the
// same numbers in eval's, for 0 to the last digit.
func sameScores(ts *testscript.TestScript, negated bool, args []string) {
	tolerance := fraction(ts, args[0])
	columns := args[3:]
	if len(columns) == 0 {
		columns = []string{"score", "class_probability", "map_max"}
	}
	evaluated, predicted := numbersOf(ts, args[1], columns), numbersOf(ts, args[2], columns)
	if len(predicted) == 0 {
		ts.Fatalf("%s has no rows", args[2])
	}
	var first string
	for path, numbers := range predicted {
		if evaluated[path] == nil {
			ts.Fatalf("%s has no row of %s", args[1], path)
		}
		for i, number := range numbers {
			if number != evaluated[path][i] && !near(fraction(ts, number), fraction(ts, evaluated[path][i]), tolerance) {
				first = path + ": " + columns[i] + " is " + evaluated[path][i] + " in eval and " + number + " in predict"
			}
		}
	}
	judge(ts, negated, first)
}

// samemaps TOLERANCE EVALUATED PREDICTED: each map of predict's folder has the same values in
// eval's, which writes x.npy for x.png.npy.
func sameMaps(ts *testscript.TestScript, negated bool, args []string) {
	tolerance, root := fraction(ts, args[0]), ts.MkAbs(args[2])
	count, first := 0, ""
	ts.Check(filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		picture := strings.TrimSuffix(relative, ".npy")
		other, err := anomalymap.Read(filepath.Join(ts.MkAbs(args[1]), strings.TrimSuffix(picture, filepath.Ext(picture))+".npy"), anomalymap.Options{})
		if err != nil {
			return err
		}
		own, err := anomalymap.Read(path, anomalymap.Options{})
		if err != nil {
			return err
		}
		count++
		if len(own.Scores) != len(other.Scores) {
			ts.Fatalf("%s has %d values in predict and %d in eval", relative, len(own.Scores), len(other.Scores))
		}
		for i, value := range own.Scores {
			if !near(float64(value), float64(other.Scores[i]), tolerance) {
				first = relative + " differs"
			}
		}
		return nil
	}))
	if count == 0 {
		ts.Fatalf("%s has no maps", args[2])
	}
	judge(ts, negated, first)
}

// near reports whether two numbers differ by at most the tolerance.
func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

// judge fails the script unless a difference is there exactly where one is wanted.
func judge(ts *testscript.TestScript, wanted bool, difference string) {
	if wanted == (difference == "") {
		ts.Fatalf("difference: %q; wanted one: %t", difference, wanted)
	}
}

// numbersOf returns the texts of some columns of a CSV file by the column path.
func numbersOf(ts *testscript.TestScript, file string, columns []string) map[string][]string {
	rows, err := csv.NewReader(strings.NewReader(ts.ReadFile(file))).ReadAll()
	ts.Check(err)
	place := map[string]int{}
	for i, name := range rows[0] {
		place[name] = i
	}
	numbers := map[string][]string{}
	for _, row := range rows[1:] {
		key := ts.MkAbs(row[place["path"]])
		for _, column := range columns {
			at, known := place[column]
			if !known {
				ts.Fatalf("%s has no column %s", file, column)
			}
			numbers[key] = append(numbers[key], row[at])
		}
	}
	return numbers
}

func fraction(ts *testscript.TestScript, text string) float64 {
	value, err := strconv.ParseFloat(text, 64)
	ts.Check(err)
	return value
}
