package data

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestScoreMaps(t *testing.T) {
	maps := plant(t, "maps", "bolt/crack/0.npy", "bolt/good/0.png.npy", "nut/good/0.npy")
	pairs := func() []MapPair {
		return []MapPair{{Map: filepath.Join(maps, "bolt/crack/0.npy")}, {Map: filepath.Join(maps, "bolt/good/0.png.npy")}, {Map: filepath.Join(maps, "nut/good/0.npy")}}
	}
	for name, c := range map[string]struct{ text, says string }{
		"all":               {"path,score\nd/bolt/crack/0.png,0.5\nbolt/good/0.png,0.25\n/x/nut/good/0.jpg,1e-3\nothers/1.png,0.1\nfailed.png,\n", ""},
		"other columns":     {"class,score,path\na,0.5,bolt/crack/0.png\nb,0.25,bolt/good/0.png\nc,1e-3,nut/good/0.png\n", ""},
		"a byte-order mark": {"\ufeffpath,score\nd/bolt/crack/0.png,0.5\nbolt/good/0.png,0.25\n/x/nut/good/0.jpg,1e-3\n", ""},
		"a map is missing":  {"path,score\nbolt/crack/0.png,0.5\nbolt/good/0.png,0.25\nxnut/good/0.png,0.1\n", "maps without a row: 1 (nut/good/0)"},
		"a failed picture":  {"path,score\nbolt/crack/0.png,0.5\nbolt/good/0.png,0.25\nnut/good/0.png,\n", "maps without a row: 1 (nut/good/0)"},
		"two rows":          {"path,score\nbolt/crack/0.png,0.5\nbolt/good/0.png,0.25\na/nut/good/0.png,0\nb/nut/good/0.png,0\n", "maps with several rows: 1 (nut/good/0)"},
		"no header":         {"", "reading the header row"},
		"no score":          {"path,value\n", "the columns path and score"},
		"NaN":               {"path,score\nbolt/crack/0.png,NaN\n", `line 2: the score "NaN" is not a finite number`},
		"text":              {"path,score\n\nbolt/crack/0.png,high\n", `line 3: the score "high"`},
	} {
		found := pairs()
		err := ScoreMaps(found, maps, writeFile(t, t.TempDir(), "scores.csv", c.text))
		if c.says != "" {
			if !errors.Is(err, ErrScores) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || *found[0].Score != 0.5 || *found[1].Score != 0.25 || *found[2].Score != 1e-3 {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}

// FuzzReadScores: no content makes it panic, and all scores are finite.
func FuzzReadScores(f *testing.F) {
	f.Add("path,score\na.png,0.5\n")
	f.Add("score,path\n,\n1e400,b\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := readScores(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, row := range rows {
			if row.score-row.score != 0 {
				t.Errorf("%+v", row)
			}
		}
	})
}
