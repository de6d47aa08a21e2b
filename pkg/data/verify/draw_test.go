package verify

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"acdclip/pkg/config"
	"acdclip/pkg/data"
)

// tree is a dataset: the path of each file and a description of its content (see content).
type tree map[string]string

// raw is the prefix of literal file content.
const raw = "raw "

// discover creates the tree's files in a folder of that name and discovers the dataset.
func (files tree) discover(t testing.TB, name string, root config.Root) *data.Dataset {
	t.Helper()
	folder := filepath.Join(t.TempDir(), name)
	for path, what := range files {
		path = filepath.Join(folder, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if what == "a folder" {
			if err := os.Mkdir(path, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, content(t, path, what), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root.Path = folder
	d, err := data.Discover(t.Context(), name, root, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// content returns the file that what describes: a kind, an optional size "WxH"
// (default 8x6), and grey values, drawn as one pixel each from the top left corner on
// black, as in "grey 8x6 1 2 9".
func content(t testing.TB, path, what string) []byte {
	t.Helper()
	if bytes, isRaw := strings.CutPrefix(what, raw); isRaw {
		return []byte(bytes)
	}
	switch kind, rest, _ := strings.Cut(what, " "); kind {
	case "nothing":
		return nil
	case "list": // its second row names a folder and its third no mask
		return []byte(`{"image_path": "a.png", "label": 0, "class_name": "x"}
{"image_path": "b.png", "label": 0, "class_name": "x"}
{"image_path": "c.png", "label": 1, "class_name": "y", "mask_path": "m.png"}
`)
	case "text":
		return []byte("no picture\n")
	case "promise": // a header with a huge size
		return append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x10\x00\x00\x00\x10\x00\x00\x08\x00\x00\x00\x00"), make([]byte, 40)...)
	case "cut":
		whole := content(t, path, rest)
		return whole[:len(whole)/2]
	}
	words := strings.Fields(what)
	width, height := 8, 6
	var values []uint16
	for _, word := range words[1:] {
		if w, h, isSize := strings.Cut(word, "x"); isSize {
			width, height = number(t, w), number(t, h)
			continue
		}
		values = append(values, uint16(number(t, word)))
	}
	return encode(t, path, draw(t, words[0], image.Rect(0, 0, width, height), values))
}

func number(t testing.TB, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func draw(t testing.TB, kind string, bounds image.Rectangle, values []uint16) image.Image {
	t.Helper()
	at := func(i int) (x, y int) { return i % bounds.Dx(), i / bounds.Dx() }
	switch kind {
	case "grey":
		m := image.NewGray(bounds)
		for i, v := range values {
			m.Pix[i] = uint8(v)
		}
		return m
	case "grey16":
		m := image.NewGray16(bounds)
		for i, v := range values {
			x, y := at(i)
			m.SetGray16(x, y, color.Gray16{Y: v})
		}
		return m
	case "palette": // index 1 is red
		m := image.NewPaletted(bounds, color.Palette{color.RGBA{A: 255}, color.RGBA{R: 255, A: 255}})
		for i, v := range values {
			m.Pix[i] = uint8(v)
		}
		return m
	case "inverted", "blue": // index 1 is black
		first := map[string]color.Color{"inverted": color.RGBA{255, 255, 255, 255}, "blue": color.RGBA{0, 0, 4, 255}}[kind]
		m := image.NewPaletted(bounds, color.Palette{first, color.RGBA{A: 255}})
		if kind == "blue" {
			m.Palette[1] = color.RGBA{255, 255, 255, 255}
		}
		for i, v := range values {
			m.Pix[i] = uint8(v)
		}
		return m
	case "white":
		m := image.NewGray(bounds)
		for i := range m.Pix {
			m.Pix[i] = 255
		}
		for i, v := range values {
			m.Pix[i] = uint8(v)
		}
		return m
	case "alpha": // white, with the values as alpha
		m := image.NewNRGBA(bounds)
		for i := range bounds.Dx() * bounds.Dy() {
			x, y := at(i)
			c := color.NRGBA{255, 255, 255, 0}
			if i < len(values) {
				c.A = uint8(values[i])
			}
			m.SetNRGBA(x, y, c)
		}
		return m
	case "rgb", "rgba": // rgb is grey; rgba has bluish values and alpha 255, like the output of BMAD's script
		m := image.NewNRGBA(bounds)
		for i := range bounds.Dx() * bounds.Dy() {
			x, y := at(i)
			c := color.NRGBA{A: 255}
			if i < len(values) {
				v := uint8(values[i])
				c = color.NRGBA{v, v, v, 255}
				if kind == "rgba" {
					c.B = uint8(min(255, int(v)+20))
				}
			}
			m.SetNRGBA(x, y, c)
		}
		if kind == "rgba" {
			return translucent{m}
		}
		return m
	}
	t.Fatalf("what is a %q?", kind)
	return nil
}

// translucent makes image/png write an alpha channel for an opaque picture.
type translucent struct{ *image.NRGBA }

func (translucent) Opaque() bool { return false }

func encode(t testing.TB, path string, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	if strings.EqualFold(filepath.Ext(path), ".jpg") {
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 60})
	} else {
		err = png.Encode(&b, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
