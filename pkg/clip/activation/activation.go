// Package activation names the non-linearities of CLIP's towers.
package activation

// Activation is the towers' non-linearity.
type Activation string

// The activations.
const (
	GELU      Activation = "gelu"       // x * Phi(x), by the exact erf
	QuickGELU Activation = "quick_gelu" // x * sigmoid(1.702 x), as OpenAI trained
	Auto      Activation = "auto"       // what the CLIP's file says
)

// Values lists the activations.
func (Activation) Values() []string {
	return []string{string(GELU), string(QuickGELU), string(Auto)}
}
