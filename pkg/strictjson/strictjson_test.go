package strictjson

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
)

type sample struct {
	A int            `json:"a"`
	B *int           `json:"b"`
	C part           `json:"c"`
	D int            `json:"d,omitempty"`
	M map[string]int `json:"m"`
}

type part struct {
	E []string `json:"e"`
}

func TestDecode(t *testing.T) {
	const good = `{"a":1,"b":null,"c":{"e":["x"]},"m":{"k":2}}`
	for _, test := range []struct{ name, text, want string }{
		{"good", good, ""},
		{"optional", `{"a":1,"b":3,"c":{"e":[]},"d":4,"m":{}}`, ""},
		{"unknown", `{"a":1,"b":null,"c":{"e":[]},"m":{},"z":0}`, "unknown key z"},
		{"unknown inside", `{"a":1,"b":null,"c":{"e":[],"f":1},"m":{}}`, "unknown key c.f"},
		{"another case", `{"A":1,"b":null,"c":{"e":[]},"m":{}}`, "unknown key A"},
		{"missing", `{"b":null,"c":{"e":[]},"m":{}}`, "a is missing"},
		{"missing inside", `{"a":1,"b":null,"c":{},"m":{}}`, "c.e is missing"},
		{"null", `{"a":null,"b":null,"c":{"e":[]},"m":{}}`, "a is missing"},
		{"wrong type", `{"a":"1","b":null,"c":{"e":[]},"m":{}}`, "json: cannot unmarshal string into Go struct field sample.a of type int"},
		{"no object inside", `{"a":1,"b":null,"c":3,"m":{}}`, "c: not a JSON object"},
		{"list", `[]`, "not a JSON object"},
		{"two", good + good, "more than one JSON value"},
		{"rubbish behind", good + "x", "more than one JSON value"},
		{"cut", good[:20], "unexpected EOF"},
	} {
		var got sample
		err := Decode(test.text, &got)
		if text := message(err); text != test.want {
			t.Errorf("%s: %q, want %q", test.name, text, test.want)
		}
	}
	var key *KeyError
	if err := Decode(`{"z":0}`, new(sample)); !errors.As(err, &key) || key.Key != "z" || key.Missing {
		t.Errorf("%v", err)
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// FuzzDecode: what is accepted is accepted again after encoding, as the same.
func FuzzDecode(f *testing.F) {
	f.Add(`{"a":1,"b":null,"c":{"e":["x"]},"m":{"k":2}}`)
	f.Add(`{"a":1,"b":2,"c":{"e":[]},"d":1,"m":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var first, second sample
		if Decode(text, &first) != nil {
			return
		}
		encoded, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		if err := Decode(string(encoded), &second); err != nil || !reflect.DeepEqual(first, second) {
			t.Errorf("%s is %+v, and read back %+v, %v", text, first, second, err)
		}
	})
}
