package options

// An option with a fixed set of values has its own string type. The type's Values method
// lists the permitted values in the order used in messages.

// AdapterKind is the kind of the vision adapters.
type AdapterKind string

const (
	ConvLoRA AdapterKind = "conv_lora" // Eq. 1-3
	LoRA     AdapterKind = "lora"      // dX = s X W_down W_up; s = alpha/r with residual, alpha/sqrt(r) with rescale
)

// Values lists the adapter kinds.
func (AdapterKind) Values() []string { return names(ConvLoRA, LoRA) }

// Projections determines how many W_down [C, r] and W_up [r, C] a Conv-LoRA has.
type Projections string

const (
	SharedProjections Projections = "shared"     // one pair for all branches
	PerBranch         Projections = "per_branch" // one pair per branch
)

// Values lists the choices.
func (Projections) Values() []string { return names(SharedProjections, PerBranch) }

// Scale determines the scaling factors in a Conv-LoRA's branches.
type Scale string

const (
	InverseKernel Scale = "inverse_kernel"  // 1/k after each of the two convolutions (Eq. 2, 3)
	AlphaOverRank Scale = "alpha_over_rank" // alpha/r_c after the second convolution, alpha/sqrt(r) after W_up
)

// Values lists the scales.
func (Scale) Values() []string { return names(InverseKernel, AlphaOverRank) }

// Merge determines how an adapter's output is combined with the tokens, in both towers.
type Merge string

const (
	// Residual: X + dX in vision; x + (alpha/r) x A B in text.
	Residual Merge = "residual"
	// Rescale: dX is rescaled, token by token, to the norm of X, then
	// (1-w) X + w dX with w learned per channel, initially 0.2. In text dX is
	// x A B * alpha/sqrt(r). Gradients flow through both norms.
	Rescale Merge = "rescale"
)

// Values lists the merges.
func (Merge) Values() []string { return names(Residual, Rescale) }

// Init determines the initial values of the trainable parameters. Parameters that are not
// listed below have PyTorch's defaults.
type Init string

const (
	// InitPaper: W_down and A Kaiming uniform (a = sqrt 5, fan-in = their inputs),
	// W_up and B zero: training starts at plain CLIP.
	InitPaper Init = "paper"
	// InitReleased: W_down and A Kaiming uniform (a = 0, fan-in = r), both
	// convolutions Kaiming uniform (a = 0), W_up and B normal (0, 0.02).
	InitReleased Init = "released"
)

// Values lists the initial values.
func (Init) Values() []string { return names(InitPaper, InitReleased) }

// FusionKind determines which text levels a vision level is compared with.
type FusionKind string

const (
	DFG    FusionKind = "dfg"    // T_i^s = sum_j omega_ij^s T_j^s, omega from the Dynamic Fusion Gateway (Eq. 4-6)
	Static FusionKind = "static" // only T_i, without gates
)

// Values lists the fusion kinds.
func (FusionKind) Values() []string { return names(DFG, Static) }

// Similarity determines how the logit of a patch token and the fused text is computed.
type Similarity string

const (
	Cosine Similarity = "cosine" // unit patch . unit fused text / tau
	Dot    Similarity = "dot"    // unit patch . fused text / tau, the fused text as the gates mix it
)

// Values lists the similarities.
func (Similarity) Values() []string { return names(Cosine, Dot) }

// Average determines how N levels are averaged to one map.
type Average string

const (
	Probabilities Average = "probabilities" // softmax of each level on the patch grid, mean over levels, upsampled
	Logits        Average = "logits"        // mean of the levels' logits, (smoothed,) upsampled, softmax
)

// Values lists the averages.
func (Average) Values() []string { return names(Probabilities, Logits) }

// Smoothing is applied to patch-grid maps when scoring, never in training.
type Smoothing string

const (
	NoSmoothing Smoothing = "none"
	Gaussian    Smoothing = "gaussian" // kernel 7, sigma 1; medical: kernel 9, sigma 1.5; reflect padding
)

// Values lists the smoothings.
func (Smoothing) Values() []string { return names(NoSmoothing, Gaussian) }

// Feature is the image feature that the class logits compare with text.
type Feature string

const (
	// CLSFeature: the class token after the last block, ln_post, proj, unit
	// norm, against the last group's text T_N: cosine / tau.
	CLSFeature Feature = "cls"
	// DetectionFeature: for each group, the mean over patches of the unit detection tokens
	// (which have their own MLP and LayerNorm) . T_i; then the mean of the logits over
	// groups; no temperature.
	DetectionFeature Feature = "detection"
)

// Values lists the features.
func (Feature) Values() []string { return names(CLSFeature, DetectionFeature) }

// DiceForm selects the maps p and masks y of the dice term, 1 - mean_b (2 sum(p y) + 1)/(sum p + sum y + 1).
type DiceForm string

const (
	DiceAbnormal DiceForm = "abnormal" // the abnormal map and the mask
	DiceBoth     DiceForm = "both"     // the normal map and 1 - mask, plus the abnormal map and the mask
)

// Values lists the dice forms.
func (DiceForm) Values() []string { return names(DiceAbnormal, DiceBoth) }

// FocalForm defines pt in the focal term, the mean over pixels of -(1-pt)^2 log pt.
type FocalForm string

const (
	// FocalProbability: pt = M where the mask is set, else 1 - M; the logarithm's argument is at least 1e-5.
	FocalProbability FocalForm = "probability"
	// FocalOneHot: pt = sum over both channels of onehot * p, plus 1e-5, the one-hot clamped to [1e-5, 1 - 1e-5].
	FocalOneHot FocalForm = "one_hot"
)

// Values lists the focal forms.
func (FocalForm) Values() []string { return names(FocalProbability, FocalOneHot) }

func names[S ~string](values ...S) []string {
	list := make([]string, len(values))
	for i, value := range values {
		list[i] = string(value)
	}
	return list
}
