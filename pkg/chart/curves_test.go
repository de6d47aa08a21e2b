package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/events"
	"acdclip/pkg/report"
)

// logged returns the log of a run with two epochs of two steps.
func logged(t testing.TB, validation bool) string {
	t.Helper()
	var out bytes.Buffer
	writer := events.NewWriter(&out, nil)
	write := func(event events.Event) {
		if err := writer.Write(event); err != nil {
			t.Fatal(err)
		}
	}
	for epoch := 1; epoch <= 2; epoch++ {
		for i := 1; i <= 2; i++ {
			step := 2*(epoch-1) + i
			write(events.TrainStep{Epoch: epoch, Step: step, Steps: 4, Loss: 2 / float64(step), Parts: events.Values{{Name: "focal", Value: 1}}})
		}
		write(events.TrainEpoch{Epoch: epoch, Epochs: 2, Loss: 1 / float64(epoch), Parts: events.Values{{Name: "focal", Value: 0.5}, {Name: "dice", Value: 0.25}}})
		if validation {
			write(events.Validation{Epoch: epoch, HeldOut: []string{"a"}, ImageAUROC: new(0.5), Mean: new(0.5), Best: epoch == 1})
		}
	}
	return out.String()
}

func TestRead(t *testing.T) {
	want := &Run{
		Steps:      []Point{{1, 2}, {2, 1}, {3, 2. / 3}, {4, 0.5}},
		Loss:       Curve{"loss", []Point{{2, 1}, {4, 0.5}}},
		Parts:      []Curve{{"focal", []Point{{2, 0.5}, {4, 0.5}}}, {"dice", []Point{{2, 0.25}, {4, 0.25}}}},
		Validation: []Curve{{"image AUROC", []Point{{2, 0.5}, {4, 0.5}}}, {"mean", []Point{{2, 0.5}, {4, 0.5}}}},
		Best:       2, Epochs: 2,
	}
	got, err := Read(strings.NewReader(logged(t, true)))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	// An incomplete last line is ignored; an incomplete line before it is an error.
	torn, err := Read(strings.NewReader(logged(t, true) + `{"event":"step","ep`))
	if err != nil || !reflect.DeepEqual(torn, want) {
		t.Errorf("a torn line: %+v, %v", torn, err)
	}
	lines := strings.SplitAfter(logged(t, false), "\n")
	damaged := strings.Join(slices.Insert(lines, 2, "{\n"), "")
	if _, err := Read(strings.NewReader(damaged)); err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("damage: %v", err)
	}
	for _, nothing := range []string{"", "{}\n", `{"event":"notice","text":"x"}` + "\n"} {
		if _, err := Read(strings.NewReader(nothing)); !errors.Is(err, ErrNoSteps) {
			t.Errorf("%q: %v", nothing, err)
		}
	}
}

func TestDraw(t *testing.T) {
	heights := map[bool]int{}
	for _, validation := range []bool{false, true} {
		run, err := Read(strings.NewReader(logged(t, validation)))
		if err != nil {
			t.Fatal(err)
		}
		var picture, again bytes.Buffer
		if err := errors.Join(run.Draw(&picture, "a.PNG", "a run"), run.Draw(&again, "a.png", "a run")); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(picture.Bytes(), again.Bytes()) {
			t.Error("two drawings differ")
		}
		drawn, err := png.Decode(&picture)
		if err != nil {
			t.Fatal(err)
		}
		heights[validation] = drawn.Bounds().Dy()
		var text bytes.Buffer
		if err := run.Draw(&text, "a.svg", "a <run>"); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"a &lt;run&gt;", "loss per step", "epoch means: loss", "focal", "dice"} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("the SVG has no %q", want)
			}
		}
		if strings.Contains(text.String(), "best epoch") != validation {
			t.Error("the best epoch")
		}
		if err := xml.Unmarshal(text.Bytes(), new(struct{ XMLName xml.Name })); err != nil {
			t.Errorf("the SVG is no XML: %v", err)
		}
	}
	if difference := heights[true] - 2*heights[false]; difference < -1 || difference > 1 {
		t.Errorf("heights %v", heights)
	}
}

// TestDrawOne: a run with one step or one epoch is visible, and so is its best epoch.
func TestDrawOne(t *testing.T) {
	const greyMark, firstMark = `style="fill:#A0A0A0"`, `style="fill:#0072B2"`
	drawn := func(run *Run) string {
		t.Helper()
		var picture bytes.Buffer
		if err := errors.Join(run.Draw(&picture, "a.svg", ""), run.Draw(io.Discard, "a.png", "")); err != nil {
			t.Fatal(err)
		}
		return picture.String()
	}
	step := Run{Steps: []Point{{1, 2}}}
	if text := drawn(&step); !strings.Contains(text, greyMark) {
		t.Error("one step is not seen")
	}
	epoch := Run{Steps: []Point{{1, 2}, {2, 1}}, Loss: Curve{"loss", []Point{{2, 1.5}}}, Validation: []Curve{{"mean", []Point{{2, 0.7}}}}, Best: 2, Epochs: 1}
	text := drawn(&epoch)
	if strings.Contains(text, greyMark) || strings.Count(text, firstMark) != 4 { // two curves, each also in the legend
		t.Errorf("marks of one epoch: %d", strings.Count(text, firstMark))
	}
	dashed := regexp.MustCompile(`M([\d.]+),([\d.]+)L([\d.]+),([\d.]+)" style="[^"]*stroke-dasharray`).FindStringSubmatch(text)
	if dashed == nil || dashed[1] != dashed[3] || dashed[2] == dashed[4] { // the legend's line is horizontal, this one is vertical
		t.Errorf("the mark of the best epoch is %q", dashed)
	}
}

// TestSVGIsWhite: the background is white, from edge to edge.
func TestSVGIsWhite(t *testing.T) {
	var curves, gates bytes.Buffer
	run := &Run{Steps: []Point{{1, 2}}}
	if err := errors.Join(run.Draw(&curves, "a.svg", ""), DrawGates(&gates, "a.svg", "", []report.GateMeans{{Groups: 1, Omega: []float64{1, 1}}})); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"curves": curves.String(), "gates": gates.String()} {
		parts := regexp.MustCompile(`(?s)viewBox="0 0 ([\d.]+) ([\d.]+)".*?<g [^>]*>\s*(<[^>]*>)`).FindStringSubmatch(text)
		if parts == nil {
			t.Fatalf("%s: %s", name, text)
		}
		width, height := parts[1], parts[2]
		if want := `<path d="M0,0L` + width + `,0L` + width + `,` + height + `L0,` + height + `Z" style="fill:#FFFFFF" />`; parts[3] != want {
			t.Errorf("%s: first is %s, want %s", name, parts[3], want)
		}
	}
}

func TestFormats(t *testing.T) {
	for name, want := range map[string]error{"a.png": nil, "b/A.SVG": nil, "a.gif": ErrFormat, "png": ErrFormat, "": ErrFormat} {
		if err := CheckFormat(name); !errors.Is(err, want) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// FuzzRead: any log gives an error or can be drawn.
func FuzzRead(f *testing.F) {
	f.Add([]byte(logged(f, true)))
	f.Add([]byte(`{"event":"step","step":-9223372036854775808,"loss":1e308}` + "\n" + `{"event":"epoch","epoch":1,"mean_loss":-1e308}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		run, err := Read(bytes.NewReader(content))
		if err == nil {
			err = run.Draw(io.Discard, "a.svg", "")
		}
		if err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
	})
}

func TestWholeTicks(t *testing.T) {
	for _, c := range []struct {
		from, to float64
		want     string
	}{
		{0, 3, "0 1 2 3"},
		{0, 10, "0 1 2 3 4 5 6 7 8 9 10"},
		{0, 27, "0 5 10 15 20 25"},
		{0, 20.4, "0 5 10 15 20"},
		{0, 1000, "0 100 200 300 400 500 600 700 800 900 1000"},
		{40, 61, "40 45 50 55 60"},
	} {
		var labels []string
		for _, tick := range wholeTicks(c.from, c.to) {
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != c.want {
			t.Errorf("from %v to %v: %s, want %s", c.from, c.to, got, c.want)
		}
	}
}
