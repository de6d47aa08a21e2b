package picture

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/data/pixels/picture/orientation"
)

// TestScalingAsPillow: the fixtures include tall and wide pictures, unchanged sizes, and single pixels.
func TestScalingAsPillow(t *testing.T) {
	all := readPixels(t, "testdata/pictures.safetensors")
	cases := 0
	for key, in := range all {
		name, isInput := strings.CutSuffix(key, ".in")
		if !isInput {
			continue
		}
		cases++
		t.Run(name, func(t *testing.T) {
			bicubic, nearest := all[name+".bicubic"], all[name+".nearest"]
			height, width := bicubic.shape[0], bicubic.shape[1]
			before := slices.Clone(in.data)
			if got := in.image().ResizeBicubic(width, height); !bytes.Equal(got.Pix, bicubic.data) {
				largest, mean := difference(t, got.Pix, bicubic.data)
				t.Errorf("bicubic: largest difference %d, mean %.4f; want the same bytes", largest, mean)
			}
			if got := in.image().grey().ResizeNearest(width, height); !bytes.Equal(got.Pix, nearest.data) {
				largest, mean := difference(t, got.Pix, nearest.data)
				t.Errorf("nearest: largest difference %d, mean %.4f; want the same bytes", largest, mean)
			}
			if got, want := in.image().grey().ResizeBilinear(width, height), all[name+".bilinear"]; !bytes.Equal(got.Pix, want.data) {
				largest, mean := difference(t, got.Pix, want.data)
				t.Errorf("bilinear: largest difference %d, mean %.4f; want the same bytes", largest, mean)
			}
			if !bytes.Equal(before, in.data) {
				t.Error("scaling changed its input")
			}
		})
	}
	if cases < 10 {
		t.Errorf("only %d cases", cases)
	}
}

func noise(width, height int, seed uint64) *Image {
	random := rand.New(rand.NewPCG(seed, 1))
	im := NewImage(width, height)
	for i := range im.Pix {
		im.Pix[i] = uint8(random.Uint32())
	}
	return im
}

func TestScalingLaws(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		w, h := 1+random.IntN(90), 1+random.IntN(90)
		width, height := 1+random.IntN(90), 1+random.IntN(90)
		t.Run(fmt.Sprintf("%dx%d_to_%dx%d", w, h, width, height), func(t *testing.T) {
			im := noise(w, h, random.Uint64())
			if same := im.ResizeBicubic(w, h); !bytes.Equal(same.Pix, im.Pix) || &same.Pix[0] == &im.Pix[0] {
				t.Error("the same size is not an equal copy")
			}
			constant := NewImage(w, h)
			value := uint8(random.Uint32())
			for i := range constant.Pix {
				constant.Pix[i] = value
			}
			for _, v := range constant.ResizeBicubic(width, height).Pix {
				if v != value {
					t.Fatalf("constant %d became %d", value, v)
				}
			}
			// Transposing before and after swaps the order of the two passes:
			// without clamping, only the rounding between them differs.
			tame := noise(w, h, random.Uint64())
			for i, v := range tame.Pix {
				tame.Pix[i] = 64 + v/2
			}
			got, turned := tame.ResizeBicubic(width, height), turned(turned(tame, orientation.Transposed).ResizeBicubic(height, width), orientation.Transposed)
			if largest, _ := difference(t, got.Pix, turned.Pix); largest > 2 {
				t.Errorf("transposing changes scaling by %d", largest)
			}
			inputs := map[uint8]bool{}
			for _, v := range im.grey().Pix {
				inputs[v] = true
			}
			for _, v := range im.grey().ResizeNearest(width, height).Pix {
				if !inputs[v] {
					t.Fatalf("nearest made up the value %d", v)
				}
			}
		})
	}
}

func TestWeightsSumToOne(t *testing.T) {
	for i, size := range [][2]int{{1, 1}, {700, 518}, {3, 500}, {5000, 7}, {20000, 98}, {700, 98}, {98, 700}} {
		s := newScaling([]kernel{cubic, linear}[i%2], size[0], size[1])
		for i := range s.out {
			weights := s.weights(nil, nil, i)
			first, end := s.span(i)
			if len(weights) != end-first || len(weights) == 0 || len(weights) > s.maxTaps() {
				t.Fatalf("%v: %d weights for pixels [%d, %d)", size, len(weights), first, end)
			}
			sum := 0
			for _, w := range weights {
				sum += int(w)
			}
			// Each weight was rounded on its own.
			if off := sum - 1<<weightBits; max(off, -off) > len(weights) {
				t.Fatalf("%v: the weights of pixel %d sum to %d", size, i, sum)
			}
		}
	}
}

// TestResizeSums compares both passes with sums of one product at a time, on pictures of which
// many sums are below 0 and above 255, for odd and even numbers of rows and bytes.
func TestResizeSums(t *testing.T) {
	for i, size := range [][4]int{{1, 1, 3, 3}, {5, 4, 3, 7}, {4, 5, 9, 3}, {17, 33, 6, 5}, {64, 31, 21, 64}, {31, 64, 31, 20}, {700, 3, 98, 2}} {
		im := noise(size[0], size[1], uint64(i))
		for i, v := range im.Pix {
			im.Pix[i] = v >> 7 * 255
		}
		for i := range im.Pix[:len(im.Pix)/2] { // the upper half is grey
			im.Pix[i] = im.Pix[i/3*3]
		}
		columns, rows := newScaling(cubic, size[0], size[2]), newScaling(cubic, size[1], size[3])
		between := im
		if size[2] != size[0] {
			between = plainSums(im, columns, size[2], size[1], 3, 3*im.Width)
		}
		if got := im.resizeColumns(columns, 0, im.Height); !bytes.Equal(got.Pix, between.Pix) {
			t.Errorf("%v: other columns", size)
		}
		if got, want := between.resizeRows(rows, 0), plainSums(between, rows, size[2], size[3], 3*between.Width, 3); !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%v: other rows", size)
		}
	}
}

// plainSums scales along the axis whose neighbours are step bytes apart; those of the other
// axis are other bytes apart.
func plainSums(im *Image, s scaling, width, height, step, other int) *Image {
	out := NewImage(width, height)
	for y := range height {
		for x := range width {
			along, across := x, y
			if step != 3 {
				along, across = y, x
			}
			from, _ := s.span(along)
			for c := range 3 {
				sum := int64(weightHalf)
				for j, w := range s.weights(nil, nil, along) {
					sum += int64(w) * int64(im.Pix[(from+j)*step+across*other+c])
				}
				out.row(y)[3*x+c] = uint8(min(max(sum>>weightBits, 0), 255))
			}
		}
	}
	return out
}

func BenchmarkResize700To518(b *testing.B) {
	im := noise(700, 700, 1)
	b.SetBytes(int64(len(im.Pix)))
	b.ReportAllocs()
	for b.Loop() {
		im.ResizeBicubic(518, 518)
	}
}

// TestSums: two sums in a word do not change each other.
func TestSums(t *testing.T) {
	for _, low := range []int32{0, 1, -1, 255 << weightBits, -300 << weightBits, 300 << weightBits} {
		for _, high := range []int32{0, -1, 100 << weightBits, 100<<weightBits - 1, -300 << weightBits, 300 << weightBits} {
			sums := uint64(low) + uint64(high)<<32
			if a, b := lowSum(sums), highSum(sums); a != narrowSum(low) || b != narrowSum(high) {
				t.Errorf("%d and %d: %d and %d, want %d and %d", low, high, a, b, narrowSum(low), narrowSum(high))
			}
		}
	}
}
