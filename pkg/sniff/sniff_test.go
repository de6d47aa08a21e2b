package sniff

import (
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	kinds := []Kind{
		{"a tar archive", At(257, "ustar")},
		{"a picture", Starts("GIF87a", "GIF89a")},
		{"a GIF of another version", Starts("GIF")},
	}
	for head, want := range map[string]string{
		"GIF89a...":                        "a picture",
		"GIF90a":                           "a GIF of another version",
		strings.Repeat("x", 257) + "ustar": "a tar archive",
		strings.Repeat("x", 257) + "usta":  "",
		strings.Repeat("x", 257):           "",
		"GI":                               "",
		"":                                 "",
	} {
		if got, known := Name([]byte(head), kinds); got != want || known != (want != "") {
			t.Errorf("%.10q of %d bytes is %q, want %q", head, len(head), got, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	kinds := []Kind{{"a picture", Starts("GIF")}}
	for head, want := range map[string]string{
		"":                            "nothing (the file is empty)",
		"GIF89a":                      "a picture",
		"score\n0.5":                  `text that starts with "score\n0.5"`,
		"\xff23456789":                "an unknown format that starts with the bytes ff 32 33 34 35 36 37 38",
		"\x01\xff":                    "an unknown format that starts with the bytes 01 ff",
		"\xffgr\u00fc":                "an unknown format that starts with the bytes ff 67 72 c3 bc",
		strings.Repeat("\u00e9", 300): `text that starts with "` + strings.Repeat("\u00e9", 24) + `"`,
	} {
		if got := Describe([]byte(head), kinds); got != want {
			t.Errorf("%q is %s, want %s", head, got, want)
		}
	}
}

func TestIsText(t *testing.T) {
	for head, want := range map[string]bool{
		"plain\n\ttext": true, "gr\u00fc\u00df": true,
		"cut \u00fc"[:5]: true, "cut \U0001f600"[:7]: true, // cut inside the last character
		"cut \xf0\x9f": true, "bad \xff in the middle": false, "zero\x00": false, "bell is not told apart\a": false, "": false,
	} {
		if got := IsText([]byte(head)); got != want {
			t.Errorf("%q is text: %v", head, got)
		}
	}
}
