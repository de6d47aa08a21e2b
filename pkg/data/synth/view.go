package synth

// view is the square part of a scene that a picture shows.
type view struct {
	x, y float64 // upper left corner
	side float64
	size int // pixels per side
}

// px returns the width of a pixel.
func (v view) px() float64 { return v.side / float64(v.size) }

// at returns the centre of pixel i.
func (v view) at(i int) (x, y float64) {
	px := v.px()
	return v.x + (float64(i%v.size)+0.5)*px, v.y + (float64(i/v.size)+0.5)*px
}

// depth returns the distance of a point from the view's border, positive inside.
func (v view) depth(p point) float64 {
	return min(p.x-v.x, v.x+v.side-p.x, p.y-v.y, v.y+v.side-p.y)
}
