package options

// An option with a fixed set of values has its own string type. The type's Values method
// lists the permitted values in the order used in messages.

// Tokens is the kind of the learned tokens that enter a tower.
type Tokens string

const (
	StaticDynamic Tokens = "static_dynamic" // the sum of both
	Static        Tokens = "static"         // parameters, different ones for each block
	Dynamic       Tokens = "dynamic"        // linear maps of the picture's class embedding, the same ones for all blocks
	NoTokens      Tokens = "none"           // the tower is CLIP's own
)

// Values lists the kinds.
func (Tokens) Values() []string { return names(StaticDynamic, Static, Dynamic, NoTokens) }

// HasStatic reports whether static tokens are part of the kind.
func (t Tokens) HasStatic() bool { return t == StaticDynamic || t == Static }

// HasDynamic reports whether dynamic tokens are part of the kind.
func (t Tokens) HasDynamic() bool { return t == StaticDynamic || t == Dynamic }

// Names is the rule by which prompts name classes.
type Names string

const (
	FolderNames Names = "folder" // as in the released code
	TableNames  Names = "table"  // as in the other methods
)

// Values lists the rules.
func (Names) Values() []string { return names(FolderNames, TableNames) }

// Precision is the number format that learned tokens are rounded to before they enter a tower.
type Precision string

const (
	Half  Precision = "half"  // float16, and their gradients alike, as in the released code
	Float Precision = "float" // float32: they are not rounded
)

// Values lists the formats.
func (Precision) Values() []string { return names(Half, Float) }

// Position is a way to resize the vision tower's position embedding, by the name of
// clip.PositionResizes.
type Position string

// The ways.
const (
	Bicubic          Position = "bicubic"
	BicubicAntialias Position = "bicubic_antialias"
	Bilinear         Position = "bilinear"
)

// Values lists the ways.
func (Position) Values() []string { return names(Bicubic, BicubicAntialias, Bilinear) }

// DiceOver selects over what the dice term is a mean.
type DiceOver string

const (
	DiceAuto    DiceOver = "auto"    // Rows in a batch of one picture, else Pictures
	DiceRows    DiceOver = "rows"    // rows of pixels, as the released code computes it for its batches of one picture
	DicePicture DiceOver = "picture" // whole pictures
)

// Values lists the choices.
func (DiceOver) Values() []string { return names(DiceAuto, DiceRows, DicePicture) }

// Rows reports whether the dice term of a batch of that size is a mean over rows.
func (d DiceOver) Rows(batch int) bool { return d == DiceRows || d == DiceAuto && batch == 1 }

func names[S ~string](values ...S) []string {
	list := make([]string, len(values))
	for i, value := range values {
		list[i] = string(value)
	}
	return list
}
