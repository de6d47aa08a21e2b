// Package options defines ACD-CLIP's configuration: its model: and loss: sections and its
// presets. It also recognises the files that its authors' code writes. It is pure Go.
package options

import (
	"fmt"

	"acdclip/pkg/clip/activation"
	"acdclip/pkg/config/section"
	"acdclip/pkg/domain"
)

// Model holds the model's options: everything in which the presets and the ablations
// differ. The rest of the model is fixed.
//
// Notation in the comments: X are a group's patch tokens [B, L, C] (L = G*G patches, C the
// vision width), r is Rank, r_c ConvRank, K Kernels, N Groups, D the embedding width, tau
// the Temperature, and p the probability of being abnormal.
type Model struct {
	ImageSize      int                   `json:"image_size" range:"[1,16384]" runtime:"yes" doc:"side in pixels of the square that pictures are resized to; a multiple of CLIP's patch size"`
	Groups         int                   `json:"groups" range:"[1,64]" doc:"N: number of groups that the blocks of each tower are divided into; must divide both depths"`
	Activation     activation.Activation `json:"activation" runtime:"yes" doc:"the towers' activation; auto: the one that the CLIP file names"`
	Adapter        Adapter               `json:"adapter"`
	Fusion         Fusion                `json:"fusion"`
	Classification Classification        `json:"classification"`
	Score          Score                 `json:"score"`
}

// Adapter is the trainable part inside the towers: Conv-LoRA after each vision
// group (Eq. 1-3) and low-rank adaptation after each text group.
//
// Conv-LoRA: low = X W_down; for k in K, h = conv_k(low) to r_c channels on the
// patch grid, u = conv_k(h) back to r, branch_k = u W_up; dX = a 1x1 convolution
// of the branches, joined on channels, to C.
type Adapter struct {
	Kind        AdapterKind `json:"kind" doc:"conv_lora, or lora: dX = s X W_down W_up, without convolutions"`
	Projections Projections `json:"projections" doc:"W_down and W_up of the convolution branches: shared, or per_branch"`
	Scale       Scale       `json:"scale" doc:"inverse_kernel: 1/k after each convolution; alpha_over_rank: alpha/conv_rank after the second, alpha/sqrt(rank) after W_up"`
	Merge       Merge       `json:"merge" doc:"residual: X + dX; rescale: dX is scaled to the norm of X, then blended with X by a learned w"`
	Init        Init        `json:"init" initial:"yes" doc:"initial values: paper starts from plain CLIP; released is as in the authors' code"`
	Rank        int         `json:"rank" range:"[1,65536]" doc:"r: inner width of W_down and W_up"`
	ConvRank    int         `json:"conv_rank" range:"[1,65536]" doc:"r_c: channels between the two convolutions of a branch"`
	Kernels     []int       `json:"kernels" range:"[1,63]" doc:"K: kernel sizes, odd, one branch per size"`
	Alpha       float64     `json:"alpha" range:"(0,inf)" doc:"alpha in the scales alpha/r and alpha/sqrt(r)"`
	Hidden      int         `json:"hidden" range:"[0,1048576]" open:"zero" doc:"h: hidden width of the projections' MLPs and the gates; 0: a quarter of CLIP's vision width"`
}

// HiddenFor returns h for a vision tower of width C: Hidden, or C/4 if Hidden is 0.
func (a Adapter) HiddenFor(width int) int {
	if a.Hidden > 0 {
		return a.Hidden
	}
	return width / 4
}

// Fusion determines how vision levels are compared with text levels and combined to one
// anomaly map (Eq. 4-6).
type Fusion struct {
	Kind        FusionKind `json:"kind" doc:"dfg: gates mix the text levels for each vision level; static: vision level i uses only text level i"`
	Similarity  Similarity `json:"similarity" doc:"cosine: the fused text is normalised again; dot: it is not normalised"`
	Average     Average    `json:"average" doc:"probabilities: mean of the levels' softmax; logits: softmax of the levels' mean, after upsampling"`
	Smoothing   Smoothing  `json:"smoothing" runtime:"yes" doc:"gaussian: the patch-grid maps are smoothed when scoring (kernel 7, sigma 1; medical 9, 1.5)"`
	Temperature float64    `json:"temperature" range:"(0,inf)" doc:"tau, which similarities are divided by"`
}

// Classification determines the class logits.
type Classification struct {
	Feature Feature `json:"feature" doc:"cls: compares CLIP's image embedding with the last text level; detection: compares the mean of each group's detection tokens with the group's text level, without temperature"`
}

// Score holds the weights of the image score, Classification * p + Map * max of the anomaly
// map. Both weights are at least 0 and their sum is at most 1, so that the score is in
// [0, 1].
type Score struct {
	Classification float64      `json:"classification" range:"[0,1]" runtime:"yes" doc:"weight of the class probability in the image score"`
	Map            float64      `json:"map" range:"[0,1]" runtime:"yes" doc:"weight of the anomaly map's maximum in the image score"`
	Medical        MedicalScore `json:"medical"`
}

// MedicalScore holds the two weights for datasets of the medical domain.
type MedicalScore struct {
	Classification float64 `json:"classification" range:"[0,1]" runtime:"yes" doc:"weight of the class probability for medical datasets"`
	Map            float64 `json:"map" range:"[0,1]" runtime:"yes" doc:"weight of the anomaly map's maximum for medical datasets"`
}

// Weights returns the two weights for a domain; an unknown domain counts as industrial.
func (s Score) Weights(of domain.Domain) (classification, anomalyMap float64) {
	if of == domain.Medical {
		return s.Medical.Classification, s.Medical.Map
	}
	return s.Classification, s.Map
}

// Loss is the training objective (Eq. 7, 8):
//
//	L = Focal * Focal(M) + Dice * Dice(M) + Classification * CE(class logits, label)
type Loss struct {
	Focal          float64   `json:"focal" range:"[0,inf)" doc:"weight of the focal term (lambda of Eq. 7)"`
	Dice           float64   `json:"dice" range:"[0,inf)" doc:"weight of the dice term (lambda of Eq. 7)"`
	Classification float64   `json:"classification" range:"[0,inf)" doc:"weight of the cross-entropy of the class logits (lambda of Eq. 8)"`
	DiceForm       DiceForm  `json:"dice_form" doc:"abnormal: compares the abnormal map with the mask; both: also the normal map with 1 - mask"`
	FocalForm      FocalForm `json:"focal_form" doc:"probability: pt is the map's probability of the true state; one_hot: pt with the released code's clamped one-hot mask"`
}

// BlendGradientNorm is the norm that the gradient g of each blending vector w is clipped to:
// g * min(1, 1/(|g| + 1e-6)). It is fixed, with the released code's value.
const BlendGradientNorm = 1.0

// Input returns how CLIP must be loaded.
func (m *Model) Input() section.Input {
	return section.Input{Size: m.ImageSize, Activation: m.Activation}
}

// Variant identifies the model by N, the adapter and the fusion.
func (m *Model) Variant() section.Variant {
	label := fmt.Sprintf("N=%d", m.Groups)
	return section.Variant{
		Slug: fmt.Sprintf("n%d", m.Groups), Label: label, Long: fmt.Sprintf("%s %s+%s", label, m.Adapter.Kind, m.Fusion.Kind),
		Fields: []section.Field{{Name: "groups", Value: m.Groups}, {Name: "adapter", Value: string(m.Adapter.Kind)}, {Name: "fusion", Value: string(m.Fusion.Kind)}},
	}
}

// Facts describe the model to a reader.
func (m *Model) Facts() []section.Fact {
	a := m.Adapter
	return []section.Fact{
		{Name: "groups", Text: fmt.Sprint(m.Groups)},
		{Name: "adapter", Text: fmt.Sprintf("%s, rank %d, conv rank %d, kernels %v, hidden width %d", a.Kind, a.Rank, a.ConvRank, a.Kernels, a.Hidden)},
		{Name: "image size", Text: fmt.Sprint(m.ImageSize)},
	}
}
