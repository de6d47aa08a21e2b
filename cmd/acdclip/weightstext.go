package main

import (
	"cmp"
	"fmt"
	"strings"

	"acdclip/internal/ui"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/plural"
)

// text writes the description as a heading and aligned lines.
func (d *description) text() string {
	facts := []ui.Fact{{"kind", d.Kind}, {"format", d.Format}}
	switch {
	case d.CLIP != nil:
		facts = append(facts, clipFacts(d.CLIP)...)
	case d.Checkpoint != nil:
		facts = append(facts, checkpointFacts(d.Checkpoint, d.Companions)...)
	}
	tensors := fmt.Sprintf("%d with %s parameters", d.Tensors, ui.Grouped(d.Parameters))
	if d.Unused > 0 {
		tensors += fmt.Sprintf(", %s of them not used", ui.Grouped(d.Unused))
	}
	facts = append(facts, ui.Fact{"tensors", tensors}, ui.Fact{"fingerprint", d.Fingerprint})
	if d.Note != "" {
		facts = append(facts, ui.Fact{"note", d.Note})
	}
	if d.Reason != "" {
		facts = append(facts, ui.Fact{"note", "neither a CLIP nor a checkpoint: " + d.Reason})
	}
	return ui.Visible(d.Path) + "\n" + ui.Facts(facts)
}

func clipFacts(a *clipShape) []ui.Fact {
	return []ui.Fact{
		{"vision", fmt.Sprintf("blocks %d, width %d, heads %d, patch %d, image size %d", a.VisionLayers, a.VisionWidth, a.VisionHeads, a.Patch, a.ImageSize)},
		{"text", fmt.Sprintf("blocks %d, width %d, heads %d, context length %d, vocabulary %d", a.TextLayers, a.TextWidth, a.TextHeads, a.ContextLength, a.VocabSize)},
		{"embedding", fmt.Sprintf("width %d", a.EmbedDim)},
		{"activation", cmp.Or(a.Activation, "not said by the file")},
	}
}

func checkpointFacts(m *checkpoint.Metadata, companions []string) []ui.Fact {
	auxiliary, epoch := m.Auxiliary, "unknown"
	if len(companions) > 0 {
		auxiliary += ", together with " + strings.Join(companions, ", ")
	}
	if m.Epoch > 0 {
		epoch = fmt.Sprint(m.Epoch)
	}
	facts := []ui.Fact{
		{"method", m.Method},
		{"preset", m.Preset},
		{"auxiliary", auxiliary},
		{"classes", strings.Join(m.Prompts, ", ")},
		{"epoch", epoch},
	}
	for _, of := range m.Model.Facts() {
		facts = append(facts, ui.Fact{of.Name, of.Text})
	}
	facts = append(facts, ui.Fact{"CLIP", m.CLIP})
	if m.Seed != nil {
		facts = append(facts, ui.Fact{"seed", fmt.Sprint(*m.Seed)})
	}
	if m.Recipe.Batch > 0 { // a .pth says nothing of it
		facts = append(facts, ui.Fact{"recipe", recipeText(m.Recipe)})
	}
	if held := m.Recipe.Validate; len(held) > 0 {
		facts = append(facts, ui.Fact{"held out", strings.Join(held, ", ")})
	}
	if m.Recipe.Precision != "" {
		facts = append(facts, ui.Fact{"precision", m.Recipe.Precision + " of CLIP's matrices in training"})
	}
	if m.Recipe.InitFrom != "" {
		facts = append(facts, ui.Fact{"began with", m.Recipe.InitFrom})
	}
	if len(m.Earlier) > 0 {
		facts = append(facts, ui.Fact{"trained on before", strings.Join(m.Earlier, ", ")})
	}
	if hashes := m.Files.Len(); hashes > 0 {
		facts = append(facts, ui.Fact{"pictures", fmt.Sprintf("content hashes of %s of the auxiliary dataset", plural.Of(hashes, "picture", "pictures"))})
	}
	if m.Versions.Acdclip != "" {
		facts = append(facts, ui.Fact{"trained with", fmt.Sprintf("acdclip %s, libtorch %s on %s, %s",
			m.Versions.Acdclip, m.Versions.Libtorch, m.Device, plural.Of(m.Threads, "thread", "threads"))})
	}
	return facts
}

// recipeText says how long, with what and on which part of the dataset was trained.
func recipeText(r checkpoint.Recipe) string {
	text := fmt.Sprintf("%s of batch %d", plural.Of(r.Epochs, "epoch", "epochs"), r.Batch)
	if r.Accumulate > 1 {
		text += fmt.Sprintf(", %d batches a step", r.Accumulate)
	}
	text += fmt.Sprintf(", learning rates text %g and vision %g, times %g after each epoch", r.LR.Text, r.LR.Vision, r.LRDecay)
	if r.Beta1 != nil {
		text += fmt.Sprintf(", beta1 %g", *r.Beta1)
	}
	if r.WeightDecay > 0 {
		text += fmt.Sprintf(", weight decay %g", r.WeightDecay)
	}
	if r.InOrder {
		text += ", not shuffled"
	}
	if r.Mosaic > 0 {
		text += fmt.Sprintf(", mosaics %g", r.Mosaic)
	}
	if r.MaskResize != "" {
		text += fmt.Sprintf(", masks %s", r.MaskResize)
	}
	if r.FeatureFormat != "" {
		text += fmt.Sprintf(", features in %s", r.FeatureFormat)
	}
	if !r.Augment {
		text += ", not augmented"
	}
	if r.Limit > 0 {
		text += fmt.Sprintf(", on %s of all", plural.Of(r.Limit, "picture", "pictures"))
	}
	if r.EXIF {
		text += ", turned as EXIF says"
	}
	if r.Depth > 0 {
		text += fmt.Sprintf(", %d of 16 bits", r.Depth)
	}
	return text
}
