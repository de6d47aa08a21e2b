package speed

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestFastestIsClearlyFaster(t *testing.T) {
	for _, c := range []struct {
		times       Times
		want        string
		half        float64 // how many times as long bf16 takes as the first
		isHalfSlow  bool
		description string
	}{
		{nil, "", 0, false, ""},
		{Times{{"fp32", 2}}, "fp32", 0, false, "fp32 2e+03 ms"},
		{Times{{"fp32", 2}, {"bf16", 3}}, "fp32", 1.5, true, "fp32 2e+03 ms, bf16 3e+03 ms"},
		{Times{{"fp32", 0.2}, {"bf16", 0.19}}, "fp32", 0.95, false, "fp32 200 ms, bf16 190 ms"},
		{Times{{"fp32", 0.2}, {"bf16", 0.21}}, "fp32", 1.05, false, "fp32 200 ms, bf16 210 ms"},
		{Times{{"fp32", 0.2}, {"bf16", 0.1}, {"int8", 0.095}}, "bf16", 0.5, false, "fp32 200 ms, bf16 100 ms, int8 95 ms"},
		{Times{{"fp32", 0.2}, {"bf16", 0.4}, {"int8", 0.0625}}, "int8", 2, true, "fp32 200 ms, bf16 400 ms, int8 62.5 ms"},
	} {
		if got := c.times.Fastest(); got != c.want {
			t.Errorf("%v: the fastest is %q, want %q", c.times, got, c.want)
		}
		if times, slow := c.times.Slower("bf16"); math.Abs(times-c.half) > 1e-9 || slow != c.isHalfSlow {
			t.Errorf("%v: bf16 takes %v times as long, slower: %v", c.times, times, slow)
		}
		if got := c.times.String(); got != c.description {
			t.Errorf("%q, want %q", got, c.description)
		}
	}
}

var (
	key   = Key{CPU: "a CPU", Threads: 2, Width: 64, Heads: 4, Tokens: 5, Formats: []string{"fp32", "bf16"}}
	times = Times{{"fp32", 0.25}, {"bf16", 0.5}}
)

// TestCacheKeeps checks that times are found by their whole key, and only by it.
func TestCacheKeeps(t *testing.T) {
	cache := Cache{filepath.Join(t.TempDir(), "new", "speed.json")}
	if found, ok := cache.Find(key); ok {
		t.Fatalf("an empty cache has %v", found)
	}
	cache.Keep(key, times)
	if found, ok := cache.Find(key); !ok || !reflect.DeepEqual(found, times) {
		t.Errorf("found %v, %v", found, ok)
	}
	fields := reflect.TypeFor[Key]()
	for i := range fields.NumField() {
		other := key
		switch field := reflect.ValueOf(&other).Elem().Field(i); field.Kind() {
		case reflect.String:
			field.SetString("other")
		case reflect.Int:
			field.SetInt(77)
		case reflect.Bool:
			field.SetBool(true)
		default:
			other.Formats = []string{"fp32"}
		}
		if found, ok := cache.Find(other); ok {
			t.Errorf("with another %s: found %v", fields.Field(i).Name, found)
		}
	}
	better := Times{{"fp32", 0.125}, {"bf16", 0.5}}
	cache.Keep(key, better)
	if found, _ := cache.Find(key); !reflect.DeepEqual(found, better) {
		t.Errorf("after a second measurement: %v", found)
	}
	for _, wrong := range []Times{nil, {{"fp32", 1}}, {{"bf16", 1}, {"fp32", 1}}, {{"fp32", 0}, {"bf16", 1}}, {{"fp32", 1e-320}, {"bf16", 1}}, {{"fp32", 1e300}, {"bf16", 1}}, {{"fp32", math.NaN()}, {"bf16", 1}}, {{"fp32", math.Inf(1)}, {"bf16", 1}}} {
		cache.Keep(key, wrong)
	}
	if found, _ := cache.Find(key); !reflect.DeepEqual(found, better) {
		t.Errorf("wrong times were kept: %v", found)
	}
}

// TestCacheIsBounded checks that the oldest entries go first.
func TestCacheIsBounded(t *testing.T) {
	cache := Cache{filepath.Join(t.TempDir(), "speed.json")}
	numbered := func(i int) Key { other := key; other.CPU = fmt.Sprint(i); return other }
	for i := range maxEntries + 3 {
		cache.Keep(numbered(i), times)
	}
	for i, want := range map[int]bool{0: false, 2: false, 3: true, maxEntries + 2: true} {
		if _, found := cache.Find(numbered(i)); found != want {
			t.Errorf("entry %d: found %v, want %v", i, found, want)
		}
	}
}

// TestCacheIsOptional checks that a file that cannot be read or written is no trouble, and
// that a damaged one is replaced.
func TestCacheIsOptional(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, []byte(`{"entries": [{"key": {}, "times": []}, 7`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", folder, filepath.Join(file, "speed.json")} {
		cache := Cache{path}
		cache.Keep(key, times)
		if found, ok := cache.Find(key); ok {
			t.Errorf("%q: found %v", path, found)
		}
	}
	damaged := Cache{file}
	if _, ok := damaged.Find(key); ok {
		t.Error("a damaged file has the key")
	}
	damaged.Keep(key, times)
	if _, ok := damaged.Find(key); !ok {
		t.Error("a damaged file was not replaced")
	}
}

func TestDefaultCacheIsTheUsers(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", folder)
	if got := DefaultCache().Path; got != filepath.Join(folder, "acdclip", "speed.json") {
		t.Error(got)
	}
}

// FuzzDecode checks that whatever a file holds, only valid times come out of it.
func FuzzDecode(f *testing.F) {
	cache := Cache{filepath.Join(f.TempDir(), "speed.json")}
	cache.Keep(key, times)
	good, err := os.ReadFile(cache.Path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"entries": [{"key": {"formats": ["a"]}, "times": [{"format": "a", "seconds": -1}]}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, e := range decode(text) {
			if fastest := e.Times.Fastest(); fastest == "" {
				t.Errorf("%v has no fastest format", e)
			}
			for _, each := range e.Times {
				if times, _ := e.Times.Slower(each.Format); !(times > 0) {
					t.Errorf("%v: %s takes %v times as long", e, each.Format, times)
				}
			}
		}
	})
}
