package conditions

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func record() Record {
	return Record{
		Of(Bits, "threads", 2), Of(Numbers, "precision", "fp32"), Of(Numbers, "CLIP", "sha256:aa"), Of(Extras, "--save-maps", ""),
	}
}

func TestCompare(t *testing.T) {
	change := func(name, value string) Record {
		r := record()
		for i := range r {
			if r[i].Name == name {
				r[i].Value = value
			}
		}
		return r
	}
	reversed := record()
	for i, c := range record() {
		reversed[len(reversed)-1-i] = c
	}
	for _, c := range []struct {
		name  string
		other Record
		says  string // the error; "" if the records are equal
	}{
		{"the same", record(), ""},
		{"another order", reversed, ""},
		{"a value", change("threads", "1"), "threads: 2 there, 1 here"},
		{"none before", change("--save-maps", "npy"), "--save-maps: none there, npy here"},
		{"a hash is only named", change("CLIP", "sha256:bb"), "CLIP"},
		{"a hash on one side", change("CLIP", "unknown"), "CLIP"},
		{"fewer", record()[1:], "threads: 2 there, not recorded here"},
		{"one hash fewer", record().Without("CLIP"), "CLIP: a value there, not recorded here"},
		{"more", append(record(), Of(Bits, "device", "cpu")), "device: not recorded there, cpu here"},
		{"several", append(change("threads", "1")[:3], Of(Extras, "--save-maps", "png")), "threads: 2 there, 1 here; --save-maps: none there, png here"},
	} {
		err := record().Compare(c.other)
		if (err == nil) != (c.says == "") || err != nil && err.Error() != c.says {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
		if same := record().Text() == c.other.Text(); same != (c.says == "") {
			t.Errorf("%s: the texts are the same: %v", c.name, same)
		}
	}
}

// TestUnusual: the usual value is as if there were no condition.
func TestUnusual(t *testing.T) {
	for value, says := range map[int]string{0: "", 12: "data.depth: not recorded there, 12 here"} {
		err := record().Compare(append(record(), Unusual(Numbers, "data.depth", value, 0)...))
		if (err == nil) != (says == "") || err != nil && err.Error() != says {
			t.Errorf("%d: %v, want %q", value, err, says)
		}
	}
}

func TestParts(t *testing.T) {
	r := record()
	if got := r.Only(Numbers, Extras); len(got) != 3 || got[0].Name != "precision" {
		t.Errorf("%v", got)
	}
	if got := r.Without("CLIP"); len(got) != 3 || len(r) != 4 {
		t.Errorf("%v", got)
	}
	if got := r.Named(Record{Of(Bits, "CLIP", "x"), Of(Bits, "other", "y")}); len(got) != 1 || got[0].Value != "sha256:aa" {
		t.Errorf("%v", got)
	}
}

func TestJSON(t *testing.T) {
	text, err := json.Marshal(record())
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"bits":{"threads":"2"},"extras":{"--save-maps":""},"numbers":{"CLIP":"sha256:aa","precision":"fp32"}}`
	if string(text) != want {
		t.Errorf("%s", text)
	}
	var got Record
	if err := json.Unmarshal(text, &got); err != nil || got.Compare(record()) != nil {
		t.Errorf("%v, %v", got, err)
	}
	if err := json.Unmarshal([]byte(`[1]`), &got); err == nil {
		t.Error("a list was read")
	}
}

func TestFlattened(t *testing.T) {
	got, err := Flattened(Numbers, "model.", map[string]any{"groups": 3, "score": map[string]any{"map": 0.5, "kind": "max"}, "kernels": []int{3, 5}, "empty": map[string]any{}})
	want := Record{Of(Numbers, "model.groups", 3), Of(Numbers, "model.kernels", "[3,5]"), Of(Numbers, "model.score.kind", "max"), Of(Numbers, "model.score.map", 0.5)}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := Flattened(Numbers, "", strings.NewReader); err == nil {
		t.Error("a function was flattened")
	}
}

// A digest is that of the conditions, in any order.
func TestDigest(t *testing.T) {
	a := Record{Of(Numbers, "class", "bolt"), Of(Bits, "threads", 2)}
	b := Record{a[1], a[0]}
	if a.Digest() != b.Digest() || !strings.HasPrefix(a.Digest(), "sha256:") || len(a.Digest()) != len("sha256:")+64 {
		t.Errorf("%s and %s", a.Digest(), b.Digest())
	}
	for _, other := range []Record{{a[0]}, {a[0], Of(Bits, "threads", 3)}, {a[0], Of(Numbers, "threads", 2)}, nil} {
		if other.Digest() == a.Digest() {
			t.Errorf("%v has the digest of %v", other, a)
		}
	}
}
