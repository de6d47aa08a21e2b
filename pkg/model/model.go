// Package model defines the interface between anomaly detection methods and the rest of the
// program.
package model

import (
	"context"
	"errors"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/config/section"
	"acdclip/pkg/domain"
)

// Options are the inputs for building a method.
type Options struct {
	CLIP      *clip.Model // loaded for Model's InputSize
	Tokenizer *tokenizer.Tokenizer
	Model     section.Model   // of the method's own type
	Loss      section.Section // of the method's own type
	Values    Values          // values of the parameters; nil: initial values for training
	Seed      uint64          // seed of the initial values

	FeatureCache FeatureCache

	AllowOtherCLIP bool              // parameters that were trained on another CLIP are a warning, not an error
	Warn           func(text string) // receives what the user should know; nil: nobody
}

// Warned tells the user something, if somebody listens.
func (o Options) Warned(text string) {
	if o.Warn != nil {
		o.Warn(text)
	}
}

// FeatureCache says how training keeps vision features between epochs.
type FeatureCache struct {
	Bytes int64 // at most; 0: none
	Half  bool  // as float16, which rounds them
}

// ErrOtherCLIP reports parameters that were trained on another CLIP than the given one.
var ErrOtherCLIP = errors.New("the checkpoint was trained on another CLIP")

// Values is a source of parameter values, such as a checkpoint or a training state.
type Values interface {
	// Match returns an error unless the source has exactly the wanted tensors.
	Match(wanted []checkpoint.Spec) error
	// Has reports whether the source has a tensor of that name.
	Has(name string) bool
	// Read copies a tensor's values into values, row-major.
	Read(name string, values []float32) error
}

// Input describes the pictures that a method expects.
type Input struct {
	Size      int        // side in pixels; pictures are resized to Size x Size without keeping the aspect ratio
	Mean, Std [3]float32 // of red, green and blue, for values in [0, 1]
}

// Prepared holds what a method computes once for a list of classes: its text features. Only
// the method that made it can read it. It is valid as long as the Scope it was made in.
type Prepared any

// Scores are a method's results for B pictures. All values but those of RawMaps are in
// [0, 1]; larger values are more anomalous.
type Scores struct {
	Maps               torch.Tensor // [B, Size, Size]
	RawMaps            torch.Tensor // [B, Size, Size]: the method's own maps, of which Maps are increasing functions; undefined if they are the same
	Image              torch.Tensor // [B]: the image score, by the method's own rule
	ClassProbabilities torch.Tensor // [B]: probability of being anomalous; undefined if the method has none
	Extras             []Extra      // further outputs of the method
}

// Extra is a named output of a method in addition to its scores.
type Extra struct {
	Name   string
	Values torch.Tensor // [B, ...]
}

// Method is a zero-shot anomaly detector on a frozen CLIP. Prepare, Join and Score must be
// called inside Runtime.Do. None of them reads values back from the device, unless the
// method says so.
type Method interface {
	// Input describes the pictures that the method expects.
	Input() Input
	// Prepare computes what depends only on the classes. The result belongs to s.
	Prepare(ctx context.Context, s *torch.Scope, classes domain.Classes) (Prepared, error)
	// Join concatenates several Prepared of one domain to one for all their classes. The
	// result belongs to s. The scores of a class have the same bits, whatever classes it
	// was prepared or joined with.
	Join(s *torch.Scope, parts []Prepared) (Prepared, error)
	// Score scores normalised pictures [B, 3, Size, Size]; classOf[b] is the index of
	// picture b's class in the prepared list.
	Score(s *torch.Scope, pictures torch.Tensor, classOf []int, prepared Prepared) (Scores, error)
}

// Batch is a batch of training pictures.
type Batch struct {
	Pictures torch.Tensor   // [B, 3, Size, Size], normalised
	Masks    torch.Tensor   // [B, Size, Size], 1 where anomalous, else 0
	Labels   []int64        // [B], 1 for an anomalous picture, else 0
	ClassOf  []int          // [B], the index of each picture's class in Classes
	Keys     []int          // [B], a number for each picture that is the same in every epoch, or NoKey; nil if pictures are augmented
	Classes  domain.Classes // the classes of this batch
}

// NoKey is the key of a picture that is not the same in every epoch.
const NoKey = -1

// Loss is a loss to minimise and its unweighted terms.
type Loss struct {
	Total torch.Tensor // one value
	Parts []LossPart
}

// LossPart is one named term of a loss.
type LossPart struct {
	Name  string
	Value torch.Tensor // one value
}

// Parameter is one trainable tensor.
type Parameter struct {
	Name   string
	Tensor torch.Tensor
}

// Side is one of the two sides of a method. Each has its own learning rate.
type Side string

// The sides. Parts that join both, such as a fusion gateway, belong to vision.
const (
	TextSide   Side = "text"
	VisionSide Side = "vision"
)

// ParameterGroup holds parameters with the same learning rate.
type ParameterGroup struct {
	Side       Side
	Parameters []Parameter
}

// Trainable is a Method that can be trained on an auxiliary dataset.
type Trainable interface {
	Method
	// Loss computes the loss of a batch and records its graph.
	Loss(ctx context.Context, s *torch.Scope, batch Batch) (Loss, error)
	// Groups lists the trainable parameters. The tensors are the method's own, not copies.
	Groups() []ParameterGroup
}

// FeatureKeeper is a Trainable that keeps vision features between epochs; see
// Options.FeatureCache.
type FeatureKeeper interface {
	// KeptFeatures returns the number of pictures whose features are kept, and their bytes.
	KeptFeatures() (pictures int, bytes int64)
}

// GradientLimiter is a Trainable that clips its gradients.
type GradientLimiter interface {
	// LimitGradients is called between the backward pass and the optimiser's step.
	LimitGradients()
}

// Normalize converts uint8 pictures [B, Size, Size, 3] to the method's float32 input [B, 3, Size, Size].
func Normalize(s *torch.Scope, pictures torch.Tensor, input Input) torch.Tensor {
	mean := s.FromFloat32(input.Mean[:], 1, 3, 1, 1)
	std := s.FromFloat32(input.Std[:], 1, 3, 1, 1)
	x := pictures.To(torch.Float32).Permute(0, 3, 1, 2).Contiguous()
	return x.Div(s.Full(255, 1)).Sub(mean).Div(std)
}
