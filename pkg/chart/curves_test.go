package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/report"
)

// logged is the log of two epochs of two steps, as a run writes it.
func logged(t testing.TB, validation bool) string {
	t.Helper()
	var out bytes.Buffer
	events := report.NewEventWriter(&out, nil)
	write := func(event report.Event) {
		if err := events.Write(event); err != nil {
			t.Fatal(err)
		}
	}
	for epoch := 1; epoch <= 2; epoch++ {
		for i := 1; i <= 2; i++ {
			step := 2*(epoch-1) + i
			write(report.TrainStep{Epoch: epoch, Step: step, Steps: 4, Loss: 2 / float64(step), Parts: report.Values{{Name: "focal", Value: 1}}})
		}
		write(report.TrainEpoch{Epoch: epoch, Epochs: 2, Loss: 1 / float64(epoch), Parts: report.Values{{Name: "focal", Value: 0.5}, {Name: "dice", Value: 0.25}}})
		if validation {
			write(report.Validation{Epoch: epoch, HeldOut: []string{"a"}, ImageAUROC: new(0.5), Mean: new(0.5), Best: epoch == 1})
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
	// A line that is being written is left out; one inside is damage.
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
		for _, want := range []string{"a &lt;run&gt;", "loss of a step", "epoch means: loss", "focal", "dice"} {
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

// TestDrawFirstStep: a run that has just begun is drawn too.
func TestDrawFirstStep(t *testing.T) {
	run := &Run{Steps: []Point{{1, 2}}}
	var one, two strings.Builder
	if err := errors.Join(run.Draw(io.Discard, "a.png", ""), run.Draw(&one, "a.svg", "")); err != nil {
		t.Error(err)
	}
	if ground := strings.Index(one.String(), `<path d="M0,0L`); ground < 0 || ground > strings.Index(one.String(), "<text") {
		t.Error("the chart has no ground of its own")
	}
	run.Steps = append(run.Steps, Point{2, 2})
	if err := run.Draw(&two, "a.svg", ""); err != nil {
		t.Error(err)
	}
	// The mark is filled; a line of several points has no marks.
	const filled = "fill:#A0A0A0"
	if strings.Count(one.String(), filled) != 1 || strings.Contains(two.String(), filled) {
		t.Errorf("%d marks for one step, %d for two", strings.Count(one.String(), filled), strings.Count(two.String(), filled))
	}
}

func TestFormats(t *testing.T) {
	for name, want := range map[string]error{"a.png": nil, "b/A.SVG": nil, "a.gif": ErrFormat, "png": ErrFormat, "": ErrFormat} {
		if err := CheckFormat(name); !errors.Is(err, want) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// FuzzRead: any log is refused, or can be drawn.
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
