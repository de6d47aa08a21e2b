package main

import "testing"

func TestParseDataset(t *testing.T) {
	for text, want := range map[string]datasetArgument{
		"visa":         {"visa", ""},
		"visa=/d/v":    {"visa", "/d/v"},
		"visa=d=v":     {"visa", "d=v"},
		"/data/bolts":  {"bolts", "/data/bolts"},
		"./bolts/":     {"bolts", "./bolts/"},
		"/data/a=b/c":  {"c", "/data/a=b/c"},
		"mvtec.v2=./x": {"mvtec.v2", "./x"},
	} {
		if got, err := parseDataset("--target", text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "=x", "x="} {
		if _, err := parseDataset("--target", text); statusOf(err) != statusUsage {
			t.Errorf("%q: %v", text, err)
		}
	}
}
