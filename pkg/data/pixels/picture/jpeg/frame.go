package jpeg

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"io"
)

const (
	blockSide = 8
	blockSize = blockSide * blockSide
	// maxSide is libjpeg's maximum width and height of a picture.
	maxSide = 65500
	// maxSampling is the largest sampling factor.
	maxSampling = 4
)

// block is the coefficients of 8x8 samples, in natural order.
type block [blockSize]int16

// frame is the content of the frame header, with the components that the scans fill.
type frame struct {
	progressive      bool
	width, height    int
	components       []component
	maxH, maxV       int // the largest sampling factors
	mcusAcross, mcus int // MCUs per row and in total, for scans of several components
}

// component is one channel of a frame.
type component struct {
	id, slot    byte // slot is the index of its quantization table
	h, v        int  // sampling factors
	plane       plane
	blocks      image.Point // number of blocks with samples of the picture
	stride      int         // blocks per row of coefficients, including padding to whole MCUs
	quant       *[blockSize]uint16
	coefficient []block // nil if the frame has a single scan
	// accuracy is the lowest known bit of each coefficient in zigzag order; -1 if none
	// is known. before is the same before the component's last scan.
	accuracy [blockSize]int8
	before   [smoothed]int8
}

// at returns the coefficients of a block.
func (c *component) at(x, y int) *block { return &c.coefficient[y*c.stride+x] }

// samples returns the component's samples, starting at the first one of a block.
func (c *component) samples(x, y int) []uint8 {
	return c.plane.pix[(y*c.plane.stride+x)*blockSide:]
}

// startsFrame reports whether a segment with the marker is a frame header.
func startsFrame(marker byte) bool {
	if marker == markerDHT || marker == markerDAC {
		return false
	}
	return marker >= markerSOF0 && marker <= markerSOF15 || marker == markerLS
}

// checkCoding returns an error if the kind of frame is not supported.
func checkCoding(marker byte) error {
	switch marker {
	case markerSOF0, markerSOF0 + 1, markerSOF2:
		return nil
	case markerSOF0 + 3, markerSOF0 + 11:
		return notRead("lossless JPEG")
	case markerSOF0 + 9, markerSOF0 + 10:
		return notRead("JPEG with arithmetic coding")
	case markerJPG:
		return notRead("an extension of JPEG")
	case markerLS:
		return notRead("JPEG-LS")
	}
	return notRead("hierarchical JPEG")
}

// parseFrame reads a frame header.
func parseFrame(marker byte, body []byte) (*frame, error) {
	if err := checkCoding(marker); err != nil {
		return nil, err
	}
	const head = 6 // precision 1, height 2, width 2, number of components 1
	if len(body) < head || len(body) != head+3*int(body[5]) {
		return nil, fmt.Errorf("the frame header has an invalid length of %d bytes", len(body))
	}
	if body[0] != 8 {
		return nil, notRead(fmt.Sprintf("JPEG with %d bits per sample", body[0]))
	}
	f := &frame{
		progressive: marker == markerSOF2,
		height:      int(body[1])<<8 | int(body[2]),
		width:       int(body[3])<<8 | int(body[4]),
	}
	if f.height == 0 {
		return nil, notRead("JPEG that declares its height after the pixels (DNL)")
	}
	switch body[5] {
	case 1, 3, 4:
	default:
		return nil, notRead(fmt.Sprintf("JPEG with %d components", body[5]))
	}
	for b := body[head:]; len(b) > 0; b = b[3:] {
		f.components = append(f.components, component{id: b[0], h: int(b[1] >> 4), v: int(b[1] & 15), slot: b[2]})
	}
	return f, f.checkSampling()
}

func (f *frame) checkSampling() error {
	for _, c := range f.components {
		if c.h < 1 || c.v < 1 || c.h > maxSampling || c.v > maxSampling {
			return fmt.Errorf("a component has the invalid sampling factors %d x %d", c.h, c.v)
		}
		f.maxH, f.maxV = max(f.maxH, c.h), max(f.maxV, c.v)
	}
	for _, c := range f.components {
		if f.maxH%c.h != 0 || f.maxV%c.v != 0 {
			return notRead(fmt.Sprintf("JPEG with sampling factors %d x %d that do not divide the largest, %d x %d", c.h, c.v, f.maxH, f.maxV))
		}
	}
	return nil
}

// allocate allocates the components, whose planes consist of whole MCUs. It returns an
// error if the frame is too large for a file of size bytes, in which each block needs
// at least one bit, so a small file cannot use much memory.
func (f *frame) allocate(severalScans bool, size int) error {
	if f.width == 0 || f.height == 0 || f.width > maxSide || f.height > maxSide {
		return fmt.Errorf("the frame header declares an invalid size: %d x %d pixels", f.width, f.height)
	}
	f.mcusAcross = ceilDiv(f.width, blockSide*f.maxH)
	mcusDown := ceilDiv(f.height, blockSide*f.maxV)
	f.mcus = f.mcusAcross * mcusDown
	if f.mcus/8 > size {
		return fmt.Errorf("the frame header declares %d x %d pixels, too many for a file of %d bytes", f.width, f.height, size)
	}
	for i := range f.components {
		c := &f.components[i]
		c.plane = plane{
			width: ceilDiv(f.width*c.h, f.maxH), height: ceilDiv(f.height*c.v, f.maxV),
			right: f.maxH / c.h, down: f.maxV / c.v,
			stride: f.mcusAcross * c.h * blockSide,
		}
		c.plane.pix = make([]uint8, c.plane.stride*mcusDown*c.v*blockSide)
		c.blocks = image.Point{X: ceilDiv(c.plane.width, blockSide), Y: ceilDiv(c.plane.height, blockSide)}
		c.stride = f.mcusAcross * c.h
		if severalScans {
			c.coefficient = make([]block, c.stride*mcusDown*c.v)
		}
		for k := range c.accuracy {
			c.accuracy[k] = -1
		}
	}
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// DecodeConfig reads a JPEG up to its frame header and returns the size and color model.
// It needs little memory for any content.
func DecodeConfig(r io.Reader) (image.Config, error) {
	const bufferSize = 4096
	in := bufio.NewReaderSize(r, bufferSize)
	if head, err := in.Peek(2); err != nil || head[0] != 0xff || head[1] != markerSOI {
		return image.Config{}, errors.Join(errNoStart, err)
	}
	in.Discard(2)
	for {
		marker, err := readMarker(in)
		if err != nil {
			return image.Config{}, err
		}
		if alone(marker) {
			continue
		}
		if marker == markerSOS {
			return image.Config{}, errors.New("a scan comes before the frame header")
		}
		f, err := readSegment(in, marker)
		if err != nil {
			return image.Config{}, err
		}
		if f != nil {
			return image.Config{Width: f.width, Height: f.height, ColorModel: colorModel(len(f.components))}, nil
		}
	}
}

// readMarker is nextMarker for a stream.
func readMarker(in *bufio.Reader) (byte, error) {
	for last := byte(0); ; {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		if last == 0xff && b != 0xff && b != 0 {
			return b, nil
		}
		last = b
	}
}

// readSegment skips one segment, or parses and returns it if it is a frame header.
func readSegment(in *bufio.Reader, marker byte) (*frame, error) {
	var length [2]byte
	if _, err := io.ReadFull(in, length[:]); err != nil {
		return nil, err
	}
	rest := (int(length[0])<<8 | int(length[1])) - len(length)
	if rest < 0 {
		return nil, fmt.Errorf("a segment has the invalid length %d", rest+len(length))
	}
	if !startsFrame(marker) {
		_, err := in.Discard(rest)
		return nil, err
	}
	body := make([]byte, rest)
	if _, err := io.ReadFull(in, body); err != nil {
		return nil, err
	}
	return parseFrame(marker, body)
}
