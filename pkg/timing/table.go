package timing

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"acdclip/pkg/plural"
)

// WriteJSON writes the report with the seconds of all rounds.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// WriteTable writes the report for people: a line for each stage and format.
func (r *Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "acdclip %s, libtorch %s, %s, %s\n", r.Version, r.Libtorch, r.hardware(), plural.Of(r.Threads, "thread", "threads"))
	fmt.Fprintf(&b, "%s on %s at %d x %d pixels, %s\n", r.Method, r.CLIP, r.ImageSize, r.ImageSize, r.Pictures)
	fmt.Fprintf(&b, "batch of %d, %s; \"per\" is what a time is for\n\n", r.Batch, plural.Of(r.Rounds, "round", "rounds"))
	line(&b, "stage", "per", "format", "median", "least", "spread", "to fp32")
	for _, stage := range r.Common {
		r.stage(&b, stage, "any", stage.Name, "")
	}
	for _, name := range r.names() {
		shown := name
		for _, format := range r.Formats {
			if stage, found := format.Stages.find(name); found {
				r.stage(&b, stage, format.Precision, shown, r.ratio(format, stage))
				shown = ""
			}
		}
	}
	b.WriteString("\n* the whole forward pass minus the image tower: a difference of two measurements\n")
	for _, format := range r.Formats {
		b.WriteString(format.memory())
	}
	if !r.Peaks {
		b.WriteString("This system does not let a program reset its peak memory: that of a format holds all that ran before.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// hardware names the device.
func (r *Report) hardware() string {
	if r.CPU == "" || r.Device != "cpu" {
		return fmt.Sprintf("%s (%s)", r.Device, r.Instructions)
	}
	return fmt.Sprintf("%s: %s (%s)", r.Device, r.CPU, r.Instructions)
}

// names lists the stages of all formats in the order of the work. A format may lack stages:
// int8 has no training.
func (r *Report) names() []string {
	var longest Stages
	for _, format := range r.Formats {
		if len(format.Stages) > len(longest) {
			longest = format.Stages
		}
	}
	names := make([]string, len(longest))
	for i, stage := range longest {
		names[i] = stage.Name
	}
	return names
}

func (r *Report) stage(b *strings.Builder, stage Stage, format, shown, ratio string) {
	per := stage.Per
	if shown == "" {
		per = ""
	}
	line(b, shown, per, format, duration(stage.Median()), duration(stage.Least()), duration(stage.Spread()), ratio)
}

func line(b *strings.Builder, name, per, format, median, least, spread, ratio string) {
	text := fmt.Sprintf("%-28s%-9s%-7s%10s%10s%10s%9s", name, per, format, median, least, spread, ratio)
	b.WriteString(strings.TrimRight(text, " "))
	b.WriteByte('\n')
}

// memory is a line with the peak memory; "" if it is not known.
func (f Format) memory() string {
	if f.PeakMemory == 0 {
		return ""
	}
	text := fmt.Sprintf("%s: peak memory %s", f.Precision, megabytes(f.PeakMemory))
	if f.TrainingMemory > 0 {
		text += ", of a training step " + megabytes(f.TrainingMemory)
	}
	return text + "\n"
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/1e6) }

// duration shows seconds with three digits, in s, ms or µs.
func duration(seconds float64) string {
	value, unit := seconds, "s"
	switch size := math.Abs(seconds); {
	case size < 0.9995e-3:
		value, unit = seconds*1e6, "µs"
	case size < 0.9995:
		value, unit = seconds*1e3, "ms"
	}
	decimals := 2
	for limit := 9.995; decimals > 0 && math.Abs(value) >= limit; limit *= 10 {
		decimals--
	}
	return fmt.Sprintf("%.*f %s", decimals, value, unit)
}
