package timing

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestStage(t *testing.T) {
	for _, c := range []struct {
		seconds               []float64
		median, least, spread float64
	}{
		{[]float64{3}, 3, 3, 0},
		{[]float64{4, 1}, 2.5, 1, 3},
		{[]float64{9, 1, 2}, 2, 1, 8},
		{[]float64{4, 8, 1, 2}, 3, 1, 7},
	} {
		s := Stage{Seconds: c.seconds}
		if s.Median() != c.median || s.Least() != c.least || s.Spread() != c.spread {
			t.Errorf("%v: median %v, least %v, spread %v", c.seconds, s.Median(), s.Least(), s.Spread())
		}
	}
}

func TestDuration(t *testing.T) {
	for seconds, want := range map[float64]string{
		0: "0.00 µs", 1.5e-6: "1.50 µs", 9.996e-6: "10.0 µs", 99.96e-6: "100 µs", 0.9994e-3: "999 µs", 0.9996e-3: "1.00 ms", 0.0125: "12.5 ms",
		0.9994: "999 ms", 0.9996: "1.00 s", 12.34: "12.3 s", 4321: "4321 s", -0.0125: "-12.5 ms",
	} {
		if got := duration(seconds); got != want {
			t.Errorf("%v: %s, want %s", seconds, got, want)
		}
	}
}

// report is a small report.
func report() *Report {
	r := &Report{
		Version: "v1", Libtorch: "2.11.0", Device: "cpu", CPU: "Some CPU", Instructions: "AVX2", Threads: 2,
		Method: "acdclip", CLIP: "builtin:tiny", ImageSize: 112, Pictures: "a drawn picture", Batch: 1, Rounds: 2, Peaks: true,
	}
	r.Common.Add("decode", "picture", 0.001)
	r.Common.Add("decode", "picture", 0.003)
	for _, format := range []string{"int8", "fp32"} {
		f := Format{Precision: format, PeakMemory: 2e8}
		for round := range 2 {
			slow := map[string]float64{"int8": 1, "fp32": 4}[format]
			f.Stages.Add("load", "", slow*0.5)
			f.Stages.Add("tower", "picture", slow*0.125*float64(1+round))
			if format == "fp32" {
				f.Stages.Add("step", "picture", 3)
				f.TrainingMemory = 1e9
			}
		}
		r.Formats = append(r.Formats, f)
	}
	return r
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := report().WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	const want = `acdclip v1, libtorch 2.11.0, cpu: Some CPU (AVX2), 2 threads
acdclip on builtin:tiny at 112 x 112 pixels, a drawn picture
batch of 1, 2 rounds; "per" is what a time is for

stage                       per      format     median     least    spread  to fp32
decode                      picture  any       2.00 ms   1.00 ms   2.00 ms
load                                 int8       500 ms    500 ms   0.00 µs     0.25
                                     fp32       2.00 s    2.00 s   0.00 µs
tower                       picture  int8       188 ms    125 ms    125 ms     0.25
                                     fp32       750 ms    500 ms    500 ms
step                        picture  fp32       3.00 s    3.00 s   0.00 µs

* the whole forward pass minus the image tower: a difference of two measurements
int8: peak memory 200 MB
fp32: peak memory 200 MB, of a training step 1000 MB
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// TestTableSaysWhatIsMissing checks a report without fp32, known memory or a CPU's name.
func TestTableSaysWhatIsMissing(t *testing.T) {
	r := report()
	r.Formats, r.Peaks, r.CPU = r.Formats[:1], false, ""
	r.Formats[0].PeakMemory = 0
	var b bytes.Buffer
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if !strings.Contains(text, "libtorch 2.11.0, cpu (AVX2), 2 threads\n") || !strings.Contains(text, "holds all that ran before") || strings.Contains(text, "peak memory 0") || strings.Contains(text, "0.25") {
		t.Error(text)
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := report().WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var read struct {
		CPU     string
		Threads int
		Formats []struct {
			Precision  string
			PeakMemory int64 `json:"peak_memory"`
			Stages     []struct {
				Stage, Per            string
				Median, Least, Spread float64
				Seconds               []float64
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	tower := read.Formats[1].Stages[1]
	if read.CPU != "Some CPU" || read.Threads != 2 || read.Formats[0].Precision != "int8" || read.Formats[0].PeakMemory != 2e8 ||
		tower.Stage != "tower" || tower.Per != "picture" || tower.Median != 0.75 || tower.Least != 0.5 || tower.Spread != 0.5 || len(tower.Seconds) != 2 {
		t.Errorf("%+v", read)
	}
}
