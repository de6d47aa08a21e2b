package config

import (
	"reflect"
	"strings"
	"testing"
)

func TestEveryKeyIsDocumentedAndBounded(t *testing.T) {
	environment := map[string]string{}
	for _, key := range keys(t) {
		if key.Doc == "" || key.Wants == "" {
			t.Errorf("%s has no documentation", key.Name)
		}
		if strings.ToLower(key.Name) != key.Name {
			t.Errorf("%s is not lower case, which viper needs", key.Name)
		}
		if other, taken := environment[key.Env]; taken || key.Env == EnvGolden {
			t.Errorf("%s stands for %s and for %s", key.Env, key.Name, other)
		}
		environment[key.Env] = key.Name
	}
	for _, option := range wholeSchema().options() {
		switch option.typ.Kind() {
		case reflect.Int, reflect.Int64, reflect.Float64:
			if !option.interval.bounded {
				t.Errorf("%s permits every number", option.key)
			}
		}
	}
}

func TestKeysNameTheirVariables(t *testing.T) {
	for _, key := range keys(t) {
		if key.Name == "model.adapter.conv_rank" {
			want := Key{
				Name: "model.adapter.conv_rank", Env: "ACDCLIP_MODEL_ADAPTER_CONV_RANK",
				Wants: "a whole number between 1 and 65536", Doc: "r_c: channels between the two convolutions of a branch", Default: "8",
			}
			if key != want {
				t.Errorf("got %+v, want %+v", key, want)
			}
			return
		}
	}
	t.Error("model.adapter.conv_rank is no key")
}

func TestListsSayHowTheyAreWritten(t *testing.T) {
	want := map[string]string{
		"train.classes": "a list, as in a,b or [a, b]", "train.validate": "a list, as in a,b or [a, b]",
		"model.adapter.kernels": "a list, as in a,b or [a, b], each a whole number between 1 and 63",
	}
	for _, key := range keys(t) {
		if words, is := want[key.Name]; is && key.Wants != words {
			t.Errorf("%s wants %q, want %q", key.Name, key.Wants, words)
		}
	}
}

func TestInterval(t *testing.T) {
	cases := []struct {
		text    string
		in, out []float64
		words   string
	}{
		{"[1,64]", []float64{1, 64}, []float64{0, 65}, "between 1 and 64"},
		{"[0,inf)", []float64{0, 1e300}, []float64{-1e-9}, "at least 0"},
		{"(0,inf)", []float64{1e-9}, []float64{0, -1}, "more than 0"},
		{"(0,1]", []float64{0.5, 1}, []float64{0, 1.01}, "more than 0 and at most 1"},
		{"[0,1)", []float64{0, 0.99}, []float64{1}, "at least 0 and less than 1"},
		{"[0,1048576]", []float64{1048576}, []float64{1048577}, "between 0 and 1048576"},
	}
	for _, c := range cases {
		i := parseInterval(c.text)
		if i.String() != c.words {
			t.Errorf("%s reads %q, want %q", c.text, i, c.words)
		}
		for _, x := range c.in {
			if !i.contains(x) {
				t.Errorf("%s lacks %v", c.text, x)
			}
		}
		for _, x := range c.out {
			if i.contains(x) {
				t.Errorf("%s holds %v", c.text, x)
			}
		}
	}
}
