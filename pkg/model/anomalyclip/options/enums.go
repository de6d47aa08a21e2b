package options

// An option with a fixed set of values has its own string type. The type's Values method
// lists the permitted values in the order used in messages.

// Position is the interpolation that resizes the vision tower's position embedding to
// another image size. Corners are not aligned.
type Position string

const (
	Bilinear         Position = "bilinear"          // without antialiasing, as in the released code
	Bicubic          Position = "bicubic"           // without antialiasing
	BicubicAntialias Position = "bicubic_antialias" // as in ACD-CLIP
)

// Values lists the interpolations.
func (Position) Values() []string {
	return []string{string(Bilinear), string(Bicubic), string(BicubicAntialias)}
}

// DeepTokens is the number format in which the deep tokens enter the text tower.
type DeepTokens string

const (
	Half  DeepTokens = "half"  // rounded to float16, and their gradients too, as in the released code
	Float DeepTokens = "float" // float32
)

// Values lists the formats.
func (DeepTokens) Values() []string { return []string{string(Half), string(Float)} }
