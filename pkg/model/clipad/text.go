package clipad

import (
	"context"
	"fmt"
	"math"

	"acdclip/cgo/torch"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/clipad/dbscan"
	"acdclip/pkg/model/clipad/options"
	"acdclip/pkg/model/prompt"
	"acdclip/pkg/plural"
)

// Prepare computes the text features [K, 2, E] of classes: for each state, the unit
// representative vector of its prompts' unit embeddings.
func (m *Model) Prepare(ctx context.Context, s *torch.Scope, classes domain.Classes) (model.Prepared, error) {
	return prompt.Prepare(s, classes, func(s *torch.Scope, name string) (torch.Tensor, error) { return m.encodeText(ctx, s, name) })
}

// Join concatenates lists of classes; see model.Method.
func (m *Model) Join(s *torch.Scope, parts []model.Prepared) (model.Prepared, error) {
	return prompt.Join(s, parts)
}

// encodeText returns the text [2, E] of a class, which belongs to s.
func (m *Model) encodeText(ctx context.Context, s *torch.Scope, name string) (torch.Tensor, error) {
	var values []float32
	for state := range prompt.States {
		embeddings, err := m.embed(ctx, s, name, state)
		if err != nil {
			return torch.Tensor{}, err
		}
		width := m.clip.Arch.EmbedDim
		chosen, doubts := choose(embeddings, width, m.options.Text)
		for _, doubt := range doubts {
			m.warn(fmt.Sprintf("%s: of its %s prompts, %s", name, stateNames[state], doubt))
		}
		values = append(values, unitMean(embeddings, width, chosen)...)
	}
	return s.FromFloat32(values, prompt.States, int64(m.clip.Arch.EmbedDim)), nil
}

// embed returns the unit embeddings [P, E] of a class's prompts of one state, row-major.
func (m *Model) embed(ctx context.Context, s *torch.Scope, name string, state int) (values []float32, err error) {
	err = s.Within(func(inner *torch.Scope) error {
		ids := prompt.Tokenize(m.clip.Text, m.tokenizer, prompts().Texts(name, state))
		embeddings, err := prompt.Embed(ctx, inner, m.clip.Text, ids)
		if err == nil {
			values = embeddings.Normalize(-1).Float32s() // the clusters are found on the host
		}
		return err
	})
	return values, err
}

// stateNames name the states in messages.
var stateNames = [prompt.States]string{prompt.Normal: "normal", prompt.Abnormal: "abnormal"}

// roundingMargin is a bound of what rounding changes of a distance between embeddings.
const roundingMargin = 1e-6

// choose returns the indexes of the embeddings that represent a state, of P unit embeddings
// of the given width. Where no prompt has enough neighbours for a cluster, all are chosen.
// doubts say so, and also if another machine may choose others.
func choose(embeddings []float32, width int, o options.Text) (chosen []int, doubts []string) {
	if o.Select == options.Cluster {
		if pairs := dbscan.Undecided(embeddings, width, o.Radius, roundingMargin); pairs > 0 {
			doubts = append(doubts, fmt.Sprintf("%s as far apart as model.text.radius says, to the last digits, so that another computer may choose other prompts and give slightly different scores", plural.Of(pairs, "pair is", "pairs are")))
		}
		if largest := dbscan.Largest(dbscan.Cluster(embeddings, width, o.Radius, o.Count)); largest != nil {
			return largest, doubts
		}
		doubts = append(doubts, fmt.Sprintf("none has %d neighbours within %g, so there is no cluster, and the mean of all is used; raise model.text.radius or lower model.text.count", o.Count, o.Radius))
	}
	all := make([]int, len(embeddings)/width)
	for i := range all {
		all[i] = i
	}
	return all, doubts
}

// unitMean returns the unit mean of the chosen embeddings, [width].
func unitMean(embeddings []float32, width int, chosen []int) []float32 {
	mean := make([]float64, width)
	for _, i := range chosen {
		for j, value := range embeddings[i*width:][:width] {
			mean[j] += float64(value)
		}
	}
	norm := 0.0
	for _, value := range mean {
		norm += value * value
	}
	norm = math.Sqrt(norm)
	unit := make([]float32, width)
	for j, value := range mean {
		unit[j] = float32(value / norm)
	}
	return unit
}
