package sealed

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

type content struct {
	Name   string    `json:"name"`
	Scores []float64 `json:"scores"`
	Seed   uint64    `json:"seed"`
}

func TestRoundTrip(t *testing.T) {
	want := content{"a <b> \u2028 ü", []float64{0, 1e-300, 1. / 3, math.MaxFloat64}, math.MaxUint64}
	for name, marshal := range map[string]func(any) ([]byte, error){"line": Marshal, "indented": MarshalIndent} {
		text, err := marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got content
		if err := Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		again, err := marshal(got)
		if err != nil || string(again) != string(text) {
			t.Errorf("%s: written again it is %s (%v)", name, again, err)
		}
	}
}

// TestSpelling: rewriting the JSON without changing values keeps it valid.
func TestSpelling(t *testing.T) {
	text, err := Marshal(content{"ü", []float64{1, 0.00001}, 7})
	if err != nil {
		t.Fatal(err)
	}
	spelled := strings.NewReplacer("ü", `\u00fc`, "0.00001", "1.0e-5", "[1,", "[ 1.0 ,", ":7", ": 7").Replace(string(text))
	if spelled == string(text) {
		t.Fatal("nothing was spelled anew")
	}
	var got content
	if err := Unmarshal([]byte(spelled), &got); err != nil {
		t.Error(err)
	}
}

func TestDamage(t *testing.T) {
	text, err := Marshal(content{"a", []float64{0.5}, 7})
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	for name, text := range map[string]string{
		"a value":    strings.Replace(good, "0.5", "0.6", 1),
		"a name":     strings.Replace(good, "seed", "sead", 1),
		"an addend":  strings.Replace(good, "{", `{"more":1,`, 1),
		"cut off":    good[:len(good)/2],
		"no sum":     `{"name":"a"}`,
		"other sum":  `{"name":"a","sha256":"00"}`,
		"no text":    `{"name":"a","sha256":0}`,
		"empty":      "",
		"no object":  "[1]",
		"no entries": `{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}`,
		"a seed":     strings.Replace(good, ":7", ":18446744073709551615", 1),
		"an order":   strings.Replace(strings.Replace(good, `"name":"a",`, "", 1), "{", `{"seed":7,"name":"a",`, 1),
		"two values": good + good,
	} {
		var got content
		if err := Unmarshal([]byte(text), &got); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if errors.Is(Unmarshal([]byte(text), &got), ErrNoSum) != (name == "no sum" || name == "no text") {
			t.Errorf("%s: whether it has a sum is told wrong", name)
		}
	}
}

func TestMarshalRefuses(t *testing.T) {
	for _, v := range []any{[]int{1}, 7, map[string]int{}, math.NaN(), json.RawMessage("{")} {
		if text, err := Marshal(v); err == nil {
			t.Errorf("%v became %s", v, text)
		}
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	text, err := Marshal(content{Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	var got content
	if err := Read(path, int64(len(text)), &got); err != nil || got.Name != "a" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := Read(path, int64(len(text))-1, &got); !errors.Is(err, ErrDamaged) {
		t.Errorf("beyond the limit: %v", err)
	}
	pipe := path + ".pipe"
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	if err := Read(pipe, 10, &got); err == nil {
		t.Error("a pipe was read")
	}
}

// FuzzUnmarshal: any accepted object has a correct checksum.
func FuzzUnmarshal(f *testing.F) {
	text, err := Marshal(content{"a", []float64{0.5}, 7})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"a":{"sha256":"x"},"sha256":"y"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var got map[string]any
		if Unmarshal(text, &got) != nil {
			return
		}
		sum := got[Key]
		delete(got, Key)
		again, err := Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var written map[string]any
		if err := Unmarshal(again, &written); err != nil || written[Key] != sum {
			t.Errorf("%q became %q: %v", text, again, err)
		}
	})
}
