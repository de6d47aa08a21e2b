package ui

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestFlags(t *testing.T) {
	type color string
	for _, c := range []struct {
		argument string
		color    color
		score    string // "" for none
		says     string // part of the error; "" for none
	}{
		{"", "red", "", ""},
		{"--color=blue", "blue", "", ""},
		{"--color=green", "red", "", "it must be one of red, blue"},
		{"--threshold=0.25", "red", "0.25", ""},
		{"--threshold=0.3999999999", "red", "0.4", ""},
		{"--threshold=1", "red", "1", ""},
		{"--threshold=1.1", "red", "", "it must be a number from 0 to 1, as scores are"},
		{"--threshold=NaN", "red", "", "it must be a number from 0 to 1, as scores are"},
		{"--threshold=40%", "red", "", "as scores are; write 0.4 for 40%"},
	} {
		chosen, threshold := color("red"), Score{}
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		flags.SetOutput(io.Discard)
		Choice(flags, &chosen, "color", []color{"red", "blue"}, "a color")
		flags.Var(&threshold, "threshold", "a score")
		err := flags.Parse(strings.Fields(c.argument))
		if (err == nil) != (c.says == "") || err != nil && !strings.HasSuffix(err.Error(), c.says) {
			t.Errorf("%s: error %v, want %q", c.argument, err, c.says)
		}
		if chosen != c.color || threshold.String() != c.score {
			t.Errorf("%s: %s and %q, want %s and %q", c.argument, chosen, &threshold, c.color, c.score)
		}
		if kind := flags.Lookup("color").Value.Type(); kind != "red|blue" {
			t.Errorf("the help shows %s", kind)
		}
	}
}

// The placeholder stands after the flag and not in the text; defaults of lists stay hidden.
func TestPlaceholders(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	out := flags.String("out", "runs", "`DIR` folder for the results")
	flags.StringArray("set", nil, "`KEY=VALUE` set a key")
	flags.Bool("resume", false, "continue")
	Placeholders(flags)
	const want = "      --out DIR         folder for the results (default runs)\n" +
		"      --resume          continue\n" +
		"      --set KEY=VALUE   set a key\n"
	if got := flags.FlagUsages(); got != want {
		t.Errorf("help is\n%swant\n%s", got, want)
	}
	if err := flags.Parse([]string{"--out", "x"}); err != nil || *out != "x" {
		t.Errorf("after --out x: %q, %v", *out, err)
	}
}
