// Package activation names the non-linearities of CLIP's towers.
package activation

// Activation is the towers' non-linearity.
type Activation string

// The activations.
const (
	GELU      Activation = "gelu"       // x * Phi(x), with the exact erf
	QuickGELU Activation = "quick_gelu" // x * sigmoid(1.702 x), as in OpenAI's models
	Auto      Activation = "auto"       // the activation that the CLIP file names
)

// Values lists the activations.
func (Activation) Values() []string {
	return []string{string(GELU), string(QuickGELU), string(Auto)}
}
