package data

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"acdclip/pkg/regularfile"
)

// ErrScores reports a file of image scores that does not fit the maps.
var ErrScores = errors.New("the image scores do not fit the maps")

// ScoreMaps sets the image scores of maps from a CSV file with the columns path and score,
// such as those of predict and eval. A row belongs to the map whose path below the folder of
// maps, without extensions, ends the row's path without its extension. Every map needs one
// row; others are ignored.
func ScoreMaps(pairs []MapPair, maps, path string) error {
	file, _, err := regularfile.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	rows, err := readScores(file)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", path, ErrScores, err)
	}
	byName := map[string][]scoredPath{}
	for _, row := range rows {
		byName[lastName(row.stem)] = append(byName[lastName(row.stem)], row)
	}
	folder, err := filepath.Abs(maps)
	if err != nil {
		return err
	}
	folder = filepath.Base(folder)
	var missing, twice []string
	for i, pair := range pairs {
		name := mapStem(relative(maps, pair.Map))
		all := ending(byName[lastName(name)], name)
		found := all
		if len(all) > 1 { // rows of several classes, and maps of one
			found = ending(all, folder+"/"+name)
		}
		switch {
		case len(all) == 0:
			missing = append(missing, name)
		case len(found) == 1:
			pairs[i].Score = &found[0].score
		default: // or none, if the folder does not tell them apart
			twice = append(twice, name)
		}
	}
	var problems []string
	if missing != nil {
		problems = append(problems, "maps without a row: "+countNamed(missing))
	}
	if twice != nil {
		problems = append(problems, "maps with several rows: "+countNamed(twice))
	}
	if problems != nil {
		return fmt.Errorf("%s: %w: %s", path, ErrScores, strings.Join(problems, "; "))
	}
	return nil
}

// ending returns the rows whose paths end with name.
func ending(rows []scoredPath, name string) []scoredPath {
	return slices.DeleteFunc(slices.Clone(rows), func(row scoredPath) bool {
		return row.stem != name && !strings.HasSuffix(row.stem, "/"+name)
	})
}

// scoredPath is a row: a picture's path with slashes and without its extension, and its score.
type scoredPath struct {
	stem  string
	score float32
}

func lastName(stem string) string { return stem[strings.LastIndex(stem, "/")+1:] }

// byteOrderMark may stand before a text: predict writes it for Excel.
const byteOrderMark = "\ufeff"

func readScores(r io.Reader) ([]scoredPath, error) {
	reader := csv.NewReader(r)
	header, err := reader.Read()
	if err != nil {
		return nil, fmt.Errorf("reading the header row: %w", err)
	}
	header[0] = strings.TrimPrefix(header[0], byteOrderMark)
	path, score := slices.Index(header, "path"), slices.Index(header, "score")
	if path < 0 || score < 0 {
		return nil, errors.New("the header row must have the columns path and score")
	}
	var rows []scoredPath
	for {
		row, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		if row[score] == "" { // a picture that could not be scored
			continue
		}
		value, err := strconv.ParseFloat(row[score], 32)
		if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			line, _ := reader.FieldPos(score)
			return nil, fmt.Errorf("line %d: the score %q is not a finite number", line, row[score])
		}
		rows = append(rows, scoredPath{stem(filepath.ToSlash(row[path])), float32(value)})
	}
}
