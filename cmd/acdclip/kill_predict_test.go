package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"acdclip/internal/rundir"
	"acdclip/pkg/report"
)

// TestPredictSurvivesKills kills a predict again and again, at random moments, and resumes
// it. In the end each picture has one row and one heat map, those of a run that was left alone.
func TestPredictSurvivesKills(t *testing.T) {
	const kills, pictures = 10, 400
	p := newProgram(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range pictures {
		writeGrey(t, filepath.Join(p.folder, "photos", fmt.Sprint(i, ".png")), random)
	}
	command := func(out string) []string {
		return []string{"predict", "--resume", "--heatmaps", "--batch", "1", "--out", out, "photos"}
	}
	p.run(command("whole")...)
	killed := 0
	for range kills {
		rows := p.rows("killed")
		if rows > pictures { // all, and the header
			break
		}
		if p.killed(command("killed"), func() {
			for deadline := time.Now().Add(time.Minute); p.rows("killed") == rows && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Duration(random.IntN(250)) * time.Millisecond)
		}) {
			killed++
		}
	}
	if killed < kills/2 {
		t.Errorf("%d kills, want at least %d", killed, kills/2)
	}
	t.Logf("%d kills; %d of %d rows after the last", killed, p.rows("killed"), pictures)
	p.run(command("killed")...)

	sorted := func(out string) []string {
		rows := strings.SplitAfter(string(p.read(out, rundir.PredictionsFile(report.PredictionCSV))), "\n")
		slices.Sort(rows)
		return rows
	}
	if whole, resumed := sorted("whole"), sorted("killed"); !slices.Equal(whole, resumed) {
		t.Errorf("the resumed run has %d rows, want those %d of a run that was left alone", len(resumed), len(whole))
	}
	if run := string(p.read("killed", rundir.RunFile)); !strings.Contains(run, fmt.Sprintf(`"pictures": %d,`, pictures)) {
		t.Errorf("run.json does not have %d pictures: %s", pictures, run)
	}
	for i := range pictures {
		name := filepath.Join(rundir.HeatmapTree, fmt.Sprint(i, ".png.png"))
		if !bytes.Equal(p.read("whole", name), p.read("killed", name)) {
			t.Errorf("%s is not that of a run that was left alone", name)
		}
	}
}

// writeGrey writes a small picture of random values.
func writeGrey(t *testing.T, path string, random *rand.Rand) {
	t.Helper()
	grey := image.NewGray(image.Rect(0, 0, 16, 16))
	for j := range grey.Pix {
		grey.Pix[j] = uint8(random.IntN(256))
	}
	var content bytes.Buffer
	if err := png.Encode(&content, grey); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// rows counts the lines in a folder's file of predictions.
func (p program) rows(out string) int {
	content, _ := os.ReadFile(filepath.Join(p.folder, out, rundir.PredictionsFile(report.PredictionCSV))) // there may be none yet
	return bytes.Count(content, []byte("\n"))
}
