package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func run(program string) (*File, error) {
	root, err := unpickle([]byte(program), func(string) (*storage, bool) { return &storage{size: 32}, true })
	if err != nil {
		return nil, err
	}
	file := &File{}
	return file, file.flatten(root)
}

func TestHostilePickles(t *testing.T) {
	word := func(s string) string { return fmt.Sprintf("\x8c%c%s", len(s), s) }
	cycle := "}q\x00" + word("a") + "h\x00s."
	// Each level is a dictionary that contains the next level twice: 2^40 leaves.
	laughs := "}"
	for level := range 40 {
		laughs += fmt.Sprintf("q%c0}%sh%cs%sh%cs", level, word("a"), level, word("b"), level)
	}
	longNames := "}"
	for level := range 30 {
		longNames += fmt.Sprintf("q%c0}%sh%cs", level, word(strings.Repeat("n", 100)), level)
	}
	tensor := "ctorch._utils\n_rebuild_tensor_v2\n"
	pid := "(" + word("storage") + "ctorch\nFloatStorage\n" + word("0") + word("cpu") + "K\x08tQ"
	cases := []struct {
		name, program string
		kind          error
		says          string
	}{
		{"empty", "", ErrMalformed, "unexpected end"},
		{"no stop", "\x80\x02}", ErrMalformed, "unexpected end"},
		{"bytes after the end", "}..", ErrMalformed, "after the pickle"},
		{"nothing left", ".", ErrMalformed, "0 objects"},
		{"two left", "}}.", ErrMalformed, "2 objects"},
		{"mark left", "}(.", ErrMalformed, "stack"},
		{"a system call", "cos\nsystem\n" + word("id") + "\x85R.", ErrUnsupported, `"os.system"`},
		{"the same by protocol 4", "\x80\x04" + word("posix") + word("system") + "\x93.", ErrUnsupported, `"posix.system"`},
		{"a lookalike", "c__torch__x\nsystem\n.", ErrUnsupported, `"__torch__x.system"`},
		{"a dotted walk", "ctorch\n_utils._rebuild_tensor_v2\n.", ErrUnsupported, "torch._utils"},
		{"no text for a global", "K\x01K\x02\x93.", ErrMalformed, "not text"},
		{"global without end", "c" + strings.Repeat("x", 5000), ErrMalformed, "unterminated"},
		{"long global", word("__torch__") + longText(maxName) + "\x93.", ErrMalformed, "more than 1024 bytes"},
		{"too many tensors", tensor + "q\x00(" + pid + "K\x00))tq\x01" + strings.Repeat("h\x00h\x01R0", maxTensors+1), ErrMalformed, "100000 tensors"},
		{"reduce of data", "K\x01)R.", ErrMalformed, "not callable"},
		{"reduce of a class", "ctorch\nTensor\n)R.", ErrMalformed, "torch.Tensor"},
		{"reduce without a tuple", "ccollections\nOrderedDict\n}R.", ErrMalformed, "not a tuple"},
		{"instance opcode", "(ios\nsystem\n.", ErrUnsupported, "0x69"},
		{"object opcode", "(o.", ErrUnsupported, "0x6f"},
		{"extension opcode", "\x82\x01.", ErrUnsupported, "0x82"},
		{"pop of nothing", "0.", ErrMalformed, "empty stack"},
		{"pop through a mark", "}(0.", ErrMalformed, "empty stack"},
		{"pair through a mark", "}}(s.", ErrMalformed, "empty stack"},
		{"no mark", "}u.", ErrMalformed, "mark"},
		{"odd items", "}(K\x01u.", ErrMalformed, "without a value"},
		{"unfilled slot", "h\x05.", ErrMalformed, "slot 5"},
		{"slot of nothing", "q\x00.", ErrMalformed, "empty stack"},
		{"item of a number", "K\x01K\x02K\x03s.", ErrMalformed, "not a dictionary"},
		{"list as a key", "}]K\x01s.", ErrMalformed, "expected text or an integer"},
		{"append to a dictionary", "}K\x01a.", ErrMalformed, "not a list"},
		{"state of a number", "K\x01}b.", ErrMalformed, "has none"},
		{"text of 4 GB", "X\xff\xff\xff\xffabc.", ErrMalformed, "unexpected end"},
		{"text of 2^63 bytes", "\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.", ErrMalformed, "unexpected end"},
		{"text of 2^64 - 1 bytes", "\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc.", ErrMalformed, "unexpected end"},
		{"integer of 4 GB", "\x8b\xff\xff\xff\xff\x01.", ErrMalformed, "unexpected end"},
		{"no UTF-8", "X\x01\x00\x00\x00\xff.", ErrMalformed, "UTF-8"},
		{"marks without end", strings.Repeat("(", 5000), ErrMalformed, "deep"},
		{"too many operations", strings.Repeat("N0", maxOperations), ErrMalformed, "operations"},
		{"cycle", cycle, ErrMalformed, "deep"},
		{"cycle of lists", "]q\x00h\x00a.", ErrMalformed, "deep"},
		{"billion laughs", laughs + ".", ErrMalformed, "more than"},
		{"long names", longNames + word("x") + "K\x01s.", ErrMalformed, "bytes"},
		{"persistent id", "K\x01Q.", ErrMalformed, "not a storage"},
		{"persistent id of lists", "(]]]]]tQ.", ErrMalformed, "not a storage"},
		{"tensor of no storage", tensor + "(K\x01K\x00))tR.", ErrMalformed, "not a storage"},
		{"tensor of few arguments", tensor + ")R.", ErrMalformed, "arguments"},
		{"negative view", tensor + "(" + pid + "K\x00))\x89N}" + word("neg") + "\x88stR.", ErrUnsupported, "negative view"},
		{"rebuild of a rebuild", "ctorch._tensor\n_rebuild_from_type_v2\nq\x00(h\x00NNtR.", ErrMalformed, "not a function that rebuilds a tensor"},
		{"the root is a number", "K\x01.", ErrUnsupported, "no state dict"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := run(c.program)
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

// longText returns pickle code that pushes a text of n bytes.
func longText(n int) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(n))) + strings.Repeat("x", n)
}

// A memoised key is hashed for each item: a long one would take hours.
func TestLongKeys(t *testing.T) {
	program := longText(8<<20) + "q\x00}" + strings.Repeat("h\x00Ns", 200_000) + "."
	if _, err := run(program); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "dictionary key") {
		t.Errorf("%.200v", err)
	}
}

// Messages that quote text of the file stay one short line.
func TestShortMessages(t *testing.T) {
	long := longText(1 << 20)
	for name, program := range map[string]string{
		"module":  long + "\x8c\x01x\x93.",
		"global":  "\x8c\x01x" + longText(900) + "\x93.",
		"storage": "(\x8c\x07storagectorch\nFloatStorage\n" + long + "\x8c\x03cpuK\x08tQ.",
		"key":     "}" + long + "K\x01s.",
	} {
		_, err := unpickle([]byte(program), func(string) (*storage, bool) { return nil, false })
		if err == nil || len(err.Error()) > 400 {
			t.Errorf("%s: %.500v", name, err)
		}
	}
}

// The arguments and state of a script class are listed under the object's name.
func TestRecordNames(t *testing.T) {
	file, err := run("c__torch__\nA\n}\x8c\x01aK\x01s\x85R}\x8c\x01bK\x02sb.")
	if err != nil || fmt.Sprint(file.Scalars) != "map[a:1 b:2]" {
		t.Errorf("%v, %v", file, err)
	}
}

// The memory for a pickle stays small, however it repeats objects.
func TestPickleMemory(t *testing.T) {
	programs := map[string]string{
		"dictionaries": strings.Repeat("}", 1<<24-1),
		"lists":        strings.Repeat("]", 1<<24-1),
		"slots":        "}" + strings.Repeat("r\x01\x02\x03\x04", 1<<20),
		"long slots":   "}" + strings.Repeat("\x94", 1<<24-2),
		"tuples":       strings.Repeat("N(t", 1<<22),
		"doubling":     "]q\x00" + strings.Repeat("(h\x00h\x00h\x00h\x00h\x00h\x00h\x00h\x00e", 1<<19),
		"recalled arguments": "c__torch__\nA\nq\x00(" + strings.Repeat("N", 500_000) + "tq\x01" +
			strings.Repeat("h\x00h\x01R", 600),
		"recalled tensors": "ctorch._utils\n_rebuild_tensor_v2\nq\x00((" +
			"\x8c\x07storagectorch\nFloatStorage\n\x8c\x010\x8c\x03cpuK\x08tQK\x00(" +
			strings.Repeat("K\x01", maxDims) + "t(" + strings.Repeat("K\x01", maxDims) + "ttq\x01" +
			strings.Repeat("h\x00h\x01R", 350_000),
		"recalled class": "\x8c\x09__torch__q\x00" + longText(1000) + "q\x01" + strings.Repeat("h\x00h\x01\x93", 340_000),
		"recalled long class": "\x8c\x09__torch__q\x00" + longText(1<<23) + "q\x01" +
			strings.Repeat("h\x00h\x01\x93", 1000),
	}
	for name, program := range programs {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := run(program); err == nil || len(err.Error()) > 1024 {
			t.Errorf("%s: no error or one of many bytes", name)
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
			t.Errorf("%s: allocated %d MB", name, used>>20)
		}
	}
}

func TestPickleValues(t *testing.T) {
	program := "\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00(" +
		"\x8c\x01aK\x07" + // 7
		"\x8c\x01bJ\xfe\xff\xff\xff" + // -2
		"\x8c\x01c\x8a\x02\x00\x80" + // -32768
		"\x8c\x01d\x8a\x00" + // 0
		"\x8c\x01eG\x3f\xd0\x00\x00\x00\x00\x00\x00" + // 0.25
		"\x8c\x01f\x8c\x02\xc3\xbc" + // "ü"
		"\x8c\x01gC\x02\xff\xff" + // bytes
		"\x8c\x01h](K\x01\x88e" + // [1, True]
		"\x8c\x01i(K\x05N\x89l" + // [5, None, False]
		"K\x03\x8c\x01j" + // key 3
		"d."
	file, err := run(program)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"a": int64(7), "b": int64(-2), "c": int64(-32768), "d": int64(0), "e": 0.25, "f": "ü",
		"h.0": int64(1), "h.1": true, "i.0": int64(5), "i.2": false, "3": "j",
	}
	if fmt.Sprint(file.Scalars) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", file.Scalars, want)
	}
}

// A flat and a nested name may be equal.
func TestNameTwice(t *testing.T) {
	scalars := "}\x8c\x03a.bK\x01s\x8c\x01a}\x8c\x01bK\x02ss."
	if _, err := run(scalars); !errors.Is(err, ErrMalformed) {
		t.Errorf("values: %v", err)
	}
	one := stateDict(8, 0, integer(8), integer(1))
	body := strings.TrimSuffix(strings.TrimPrefix(one, "\x80\x02}"), ".") // sets "a"
	tensors := "\x80\x02}" + strings.Replace(body, "\x01\x00\x00\x00a", "\x03\x00\x00\x00a.a", 1) +
		"X\x01\x00\x00\x00a}" + body + "s."
	if _, err := openBytes(t, torchArchive(t, tensors, eightFloats)); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "duplicate") {
		t.Errorf("tensors: %v", err)
	}
}
