// Package model says what an anomaly detection method is to the rest of the program.
package model

import (
	"context"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/config/section"
	"acdclip/pkg/domain"
)

// Options say what a method is built from.
type Options struct {
	CLIP      *clip.Model // loaded for Model's InputSize
	Tokenizer *tokenizer.Tokenizer
	Model     section.Model   // of the method's own type
	Loss      section.Section // likewise
	Values    Values          // of the parameters; nil: those that training begins with
	Seed      uint64          // of these
}

// Values is where the values of a method's parameters come from, as a checkpoint
// or the state of a training.
type Values interface {
	// Match returns an error unless they are those of exactly the parameters wanted.
	Match(wanted []checkpoint.Spec) error
	// Read writes one parameter's values, row-major.
	Read(name string, values []float32) error
}

// Input is what a method wants its pictures to be.
type Input struct {
	Size      int        // side in pixels; pictures are squashed to Size x Size
	Mean, Std [3]float32 // of red, green and blue, for values in [0, 1]
}

// Prepared is what a method computed once for a list of classes: its text
// features. Only the method that made it can read it. It lives as long as the
// Scope that it was made in.
type Prepared any

// Scores is what a method says of B pictures. The values lie in [0, 1], the
// larger the more anomalous.
type Scores struct {
	Maps               torch.Tensor // [B, Size, Size]
	Image              torch.Tensor // [B]: the image score, by the method's own rule
	ClassProbabilities torch.Tensor // [B]: probability of being anomalous; undefined where the method has none
	Extras             []Extra      // what else the method can tell of each picture
}

// Extra is a named output of a method beside its scores.
type Extra struct {
	Name   string
	Values torch.Tensor // [B, ...]
}

// Method is a zero-shot anomaly detector on a frozen CLIP. Prepare, Join and Score are
// called inside Runtime.Do; neither reads a value back from the device.
type Method interface {
	// Input states what pictures must be.
	Input() Input
	// Prepare computes what depends on the classes alone, into s.
	Prepare(ctx context.Context, s *torch.Scope, classes domain.Classes) (Prepared, error)
	// Join makes one Prepared of several of one domain, for the list of all their classes,
	// in s. A class scores to the same bits, whatever it was prepared or joined with.
	Join(s *torch.Scope, parts []Prepared) (Prepared, error)
	// Score scores pictures [B, 3, Size, Size], normalised; classOf[b] is the
	// place of picture b's class in the list that was prepared.
	Score(s *torch.Scope, pictures torch.Tensor, classOf []int, prepared Prepared) (Scores, error)
}

// Batch is what one training step sees.
type Batch struct {
	Pictures torch.Tensor   // [B, 3, Size, Size], normalised
	Masks    torch.Tensor   // [B, Size, Size], 1 where anomalous, else 0
	Labels   []int64        // [B], 1 for an anomalous picture, else 0
	ClassOf  []int          // [B], the place of each picture's class in Classes
	Classes  domain.Classes // the classes of this batch
}

// Loss is a loss to be minimised and the parts that it was made of, unweighted.
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

// Side is one of the two sides of a method, each with a learning rate of its own.
type Side string

// The sides. What joins both, as a gateway, belongs to vision.
const (
	TextSide   Side = "text"
	VisionSide Side = "vision"
)

// ParameterGroup is the parameters that share a learning rate.
type ParameterGroup struct {
	Side       Side
	Parameters []Parameter
}

// Trainable is a Method that learns from an auxiliary dataset.
type Trainable interface {
	Method
	// Loss computes the loss of a batch with its graph.
	Loss(ctx context.Context, s *torch.Scope, batch Batch) (Loss, error)
	// Groups lists the trainable parameters; the tensors are the live ones.
	Groups() []ParameterGroup
}

// GradientLimiter is a Trainable that bounds its gradients.
type GradientLimiter interface {
	// LimitGradients is called between Backward and the optimiser's step.
	LimitGradients()
}

// Normalize turns pictures [B, Size, Size, 3] of uint8 into the method's input [B, 3, Size, Size] of float32.
func Normalize(s *torch.Scope, pictures torch.Tensor, input Input) torch.Tensor {
	mean := s.FromFloat32(input.Mean[:], 1, 3, 1, 1)
	std := s.FromFloat32(input.Std[:], 1, 3, 1, 1)
	x := pictures.To(torch.Float32).Permute(0, 3, 1, 2).Contiguous()
	return x.Div(s.Full(255, 1)).Sub(mean).Div(std)
}
