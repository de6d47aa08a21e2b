package weights

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/float16"
)

// Written values are read back bit for bit, and writing twice gives the same bytes.
func TestRoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		metadata, values := randomValues(random)
		var first, second bytes.Buffer
		if err := WriteSafetensors(&first, metadata, values); err != nil {
			t.Fatal(err)
		}
		if err := WriteSafetensors(&second, metadata, values); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("round %d: two writings differ (%v)", round, err)
		}
		file, err := openBytes(t, first.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if len(file.Tensors) != len(values) || fmt.Sprint(file.Metadata) != fmt.Sprint(metadata) {
			t.Fatalf("round %d: %d tensors, metadata %v; want %d, %v", round, len(file.Tensors), file.Metadata, len(values), metadata)
		}
		for _, v := range values {
			readBack(t, file, v)
		}
	}
}

func randomValues(random *rand.Rand) (map[string]string, []Value) {
	metadata := map[string]string{}
	for i := range random.IntN(5) {
		metadata[fmt.Sprintf("key %d <&> \"ü\"\n", i)] = strings.Repeat("x", random.IntN(40))
	}
	values := make([]Value, random.IntN(8))
	for i := range values {
		shape := make([]int64, random.IntN(4))
		count := 1
		for d := range shape {
			shape[d] = random.Int64N(6)
			count *= int(shape[d])
		}
		values[i] = Value{Name: fmt.Sprintf("näme.%d.\"weight\"", i), Shape: shape}
		if random.IntN(3) == 0 {
			values[i].Int64 = make([]int64, count)
			for k := range values[i].Int64 {
				values[i].Int64[k] = int64(random.Uint64())
			}
			continue
		}
		values[i].Float32 = make([]float32, count)
		for k := range values[i].Float32 {
			values[i].Float32[k] = math.Float32frombits(random.Uint32())
		}
	}
	return metadata, values
}

func readBack(t *testing.T, file *File, v Value) {
	t.Helper()
	tensor, ok := file.Lookup(v.Name)
	if !ok || !slices.Equal(tensor.Shape, v.Shape) {
		t.Fatalf("%s: %v, want shape %v", v.Name, tensor, v.Shape)
	}
	if v.Int64 != nil {
		want := make([]float32, len(v.Int64))
		for i, value := range v.Int64 {
			want[i] = float32(value)
		}
		if got := floats(t, tensor); tensor.DType != I64 || !slices.Equal(got, bitsOf(want)) {
			t.Fatalf("%s: %s %x, want %v", v.Name, tensor.DType, got, v.Int64)
		}
		return
	}
	if got := floats(t, tensor); !slices.Equal(got, bitsOf(v.Float32)) {
		t.Fatalf("%s: %x, want %x", v.Name, got, v.Float32)
	}
}

func TestOrderOfTensors(t *testing.T) {
	var out bytes.Buffer
	values := []Value{
		{Name: "z", Shape: []int64{1}, Float32: []float32{1}},
		{Name: "n", Shape: []int64{1}, Int64: []int64{1}},
		{Name: "a", Shape: []int64{1}, Float32: []float32{2}},
	}
	if err := WriteSafetensors(&out, nil, values); err != nil {
		t.Fatal(err)
	}
	want := `{"n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},` +
		`"z":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"a":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}`
	if header := strings.TrimRight(string(out.Bytes()[8:out.Len()-16]), " "); header != want {
		t.Errorf("%s", header)
	}
	if (out.Len()-16)%8 != 0 {
		t.Error("the data is not aligned")
	}
}

func TestWriterRefuses(t *testing.T) {
	one := []float32{1}
	cases := []struct {
		name   string
		values []Value
		says   string
	}{
		{"name twice", []Value{{"a", []int64{1}, one, nil}, {"a", []int64{1}, one, nil}}, "duplicate"},
		{"reserved name", []Value{{"__metadata__", []int64{1}, one, nil}}, "__metadata__"},
		{"name of no text", []Value{{"\xff", []int64{1}, one, nil}}, "invalid tensor name"},
		{"values missing", []Value{{"a", []int64{2}, one, nil}}, "1 values"},
		{"values left", []Value{{"a", []int64{0}, one, nil}}, "1 values"},
		{"negative shape", []Value{{"a", []int64{-1}, one, nil}}, "-1"},
		{"both types", []Value{{"a", []int64{1}, one, []int64{1}}}, "2 values"},
	}
	for _, c := range cases {
		err := WriteSafetensors(&bytes.Buffer{}, nil, c.values)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := WriteSafetensors(&bytes.Buffer{}, map[string]string{"k": "\xff"}, nil); err == nil {
		t.Error("metadata of no text was written")
	}
}

func TestWriterInPieces(t *testing.T) {
	specs := []Spec{{"a", F32, []int64{5}}, {"none", F32, []int64{0}}, {"b", F16, []int64{3}}}
	var out bytes.Buffer
	w, err := NewWriter(&out, nil, specs)
	if err != nil {
		t.Fatal(err)
	}
	all := []float32{1, 2, 3, 4, 5, 0.5, 0.1, -2}
	for i, piece := range [][]float32{all[:2], all[2:7], nil, all[7:]} {
		if err := w.WriteFloat32(piece); err != nil {
			t.Fatal(err)
		}
		if complete := w.Close() == nil; complete != (i == 3) {
			t.Fatalf("after piece %d complete is %v", i, complete)
		}
	}
	if err := w.WriteFloat32(all[:1]); err == nil {
		t.Error("a value too many was written")
	}
	file, err := openBytes(t, out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	half, _ := file.Lookup("b")
	if got := floats(t, half); !slices.Equal(got, bitsOf([]float32{0.5, float16.ToFloat32(0x2e66), -2})) {
		t.Errorf("%x", got)
	}
	if _, err := NewWriter(&out, nil, []Spec{{"a", F16, nil}, {"b", F32, nil}}); err == nil {
		t.Error("a wider type after a narrower one was accepted")
	}
	if w, _ := NewWriter(&out, nil, []Spec{{"a", I64, []int64{1}}}); w.WriteFloat32(all[:1]) == nil {
		t.Error("a float was written as an integer")
	}
}

// Reading a large tensor needs memory only for chunks of the file besides the caller's
// slice, whether it is row-major, transposed or deflated.
func TestReadingAllocatesChunksOnly(t *testing.T) {
	const rows, columns = 2048, 1024 // 8 MB
	path := filepath.Join(t.TempDir(), "large.safetensors")
	disk, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWriter(disk, nil, []Spec{{"a", F32, []int64{rows, columns}}, {"b", F16, []int64{rows, columns}}})
	if err != nil {
		t.Fatal(err)
	}
	row := make([]float32, columns)
	for range 2 * rows {
		if err := w.WriteFloat32(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	disk.Close()
	dst := make([]float32, rows*columns)
	var file *File
	if bytes := allocated(t, func() { file = open(t, path) }); bytes > 256<<10 {
		t.Errorf("opening allocates %d bytes", bytes)
	}
	F16.decodeFloat32(make([]float32, 1), make([]byte, 2)) // the first use makes a table
	for _, name := range []string{"a", "b"} {
		tensor, _ := file.Lookup(name)
		turned, err := tensor.Transpose()
		if err != nil {
			t.Fatal(err)
		}
		if bytes := allocated(t, func() { err = tensor.ReadFloat32(dst) }); err != nil || bytes > uint64(1+runtime.GOMAXPROCS(0))*chunkSize { // a chunk on each core
			t.Errorf("%s: reading allocates %d bytes (%v)", name, bytes, err)
		}
		if bytes := allocated(t, func() { err = turned.ReadFloat32(dst) }); err != nil || bytes > 4*chunkSize {
			t.Errorf("%s transposed: reading allocates %d bytes (%v)", name, bytes, err)
		}
	}
}

func TestReadingDeflatedAllocatesChunksOnly(t *testing.T) {
	const count = 1 << 21
	content := strings.Repeat("\x00\x00\x80\x3f", count)
	file, err := openBytes(t, archive(t,
		entry{name: "m/data.pkl", content: stateDict(count, 0, integer(2)+integer(count/2), integer(1)+integer(2))},
		entry{name: "m/data/0", content: content, method: 8}))
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, count)
	if bytes := allocated(t, func() { err = file.Tensors[0].ReadFloat32(dst) }); err != nil || bytes > 512<<10 {
		t.Errorf("reading allocates %d bytes (%v)", bytes, err)
	}
	if slices.ContainsFunc(dst, func(v float32) bool { return v != 1 }) {
		t.Error("some values differ")
	}
}

// allocated returns the number of bytes that a call allocates in total, freed or not.
func allocated(t *testing.T, call func()) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
