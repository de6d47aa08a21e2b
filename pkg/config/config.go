// Package config holds the program's configuration as Go types: what each
// option means, the presets, the reading of YAML files, environment and
// command line, and the form that goes into run folders and checkpoints.
//
// The structs are the single list of keys. A field's json tag names its key,
// range its permitted interval, doc its meaning in a line; runtime marks an
// option of the model that may differ between training and scoring, resume one
// that may differ when a training is resumed, path one whose text is a file, was an
// earlier name, which is still read. A method's sections have more: see package section.
// Everything else (strict decoding, environment names, documentation, metadata)
// is derived from them.
package config

import (
	"acdclip/pkg/config/section"
	"acdclip/pkg/domain"
)

// Config is the complete configuration of a run. Start from a Catalog's Preset or Load:
// the zero value is not valid. Paths in it are absolute. The method's own sections are
// shared by copies of a Config: to change one, put a Clone in its place.
type Config struct {
	Preset      string              `json:"preset" doc:"where every value starts from"`
	Method      string              `json:"method" doc:"the anomaly detection method"`
	Clip        string              `json:"clip" path:"source" resume:"yes" doc:"CLIP's weights: a file, or a Hugging Face or open_clip folder"`
	ClipHeads   ClipHeads           `json:"clip_heads"`
	Device      Device              `json:"device" resume:"yes" doc:"where the model runs: auto, cpu, cuda or cuda:N"`
	Precision   Precision           `json:"precision" doc:"number format of the frozen towers' matrices; auto: fp32; bf16 takes half the memory and gives slightly other results"`
	Threads     int                 `json:"threads" range:"[0,1024]" resume:"yes" doc:"threads of the model on the CPU; 0: one a core"`
	Seed        uint64              `json:"seed" doc:"seed of initial values, shuffling and augmentation"`
	Model       section.Model       `json:"model"`
	Loss        section.Section     `json:"loss"` // nil where the method learns nothing
	Train       Train               `json:"train"`
	Data        Data                `json:"data"`
	Checkpoints map[string][]string `json:"checkpoints" path:"file" resume:"yes" doc:"auxiliary dataset: the checkpoints trained on it"`
}

// ClipHeads are the numbers of attention heads in CLIP's towers, for weights whose
// heads no configuration beside them says and whose sizes no published model has.
type ClipHeads struct {
	Vision int `json:"vision" range:"[0,1048576]" doc:"attention heads of CLIP's vision tower, where no configuration beside the weights says them; 0: those of the published models, else one for 64 of the width"`
	Text   int `json:"text" range:"[0,1048576]" doc:"attention heads of CLIP's text tower, likewise"`
}

// Train is the training recipe. What it does not name is fixed: see AdamBeta1
// and its neighbours.
type Train struct {
	Auxiliary string   `json:"auxiliary" doc:"name of the dataset to train on, one of data.roots"`
	Classes   []string `json:"classes" doc:"only these classes of it; none: all"`
	Limit     int      `json:"limit" range:"[0,inf)" doc:"at most so many pictures of it, spread over classes and labels; 0: all"`
	Validate  []string `json:"validate" doc:"what of it is not learned from but measured after each epoch: classes, one number of them, or a share of its pictures as in 20%; none: no validation"`
	Epochs    int      `json:"epochs" range:"[1,100000]" resume:"yes" doc:"passes over the auxiliary dataset"`
	Batch     int      `json:"batch" range:"[1,65536]" doc:"pictures a batch; the last short one is kept"`
	LR        LR       `json:"lr"`
	LRDecay   float64  `json:"lr_decay" range:"(0,1]" doc:"factor on both learning rates after each epoch"`
	Augment   bool     `json:"augment" doc:"vary each picture at random: noise, color, rotation, shift, flips"`

	Accumulate int  `json:"accumulate" range:"[1,65536]" doc:"batches a step: their gradients are added up, weighted so that they are those of one batch so many times as large, for the memory of one"`
	Recompute  bool `json:"recompute" was:"checkpoint_activations" resume:"yes" doc:"keep only the inputs of CLIP's blocks for the gradient and compute the rest again: much less memory, about 1.4 times the time, the same results"`

	InitFrom      string  `json:"init_from" path:"file" doc:"a checkpoint whose adapters training begins with; none: fresh values"`
	SkipNonfinite bool    `json:"skip_nonfinite" resume:"yes" doc:"leave out, and count, steps whose loss or gradient is not a finite number, where training would stop"`
	SaveMinutes   float64 `json:"save_minutes" range:"[0,inf)" resume:"yes" doc:"the most minutes between two saves of the state that train --resume goes on from; 0: after every step"`
}

// LR holds Adam's initial learning rates.
type LR struct {
	Text   float64 `json:"text" range:"(0,inf)" doc:"learning rate of the text adapters"`
	Vision float64 `json:"vision" range:"(0,inf)" doc:"learning rate of everything on the vision side, gates included"`
}

// The parts of the recipe that are no options (the released code's values).
const (
	AdamBeta1   = 0.9
	AdamBeta2   = 0.999
	AdamEpsilon = 1e-8
)

// Data says where the datasets are and how pictures are read.
type Data struct {
	Roots           map[string]Root   `json:"roots" resume:"yes" doc:"dataset: its folder, or {path, domain, list, normal, anomalous, masks, mask_threshold}"`
	Pairing         map[string]string `json:"pairing" resume:"yes" doc:"target dataset: the auxiliary dataset whose checkpoints score it; \"*\" stands for the others"`
	Names           string            `json:"names" path:"file" resume:"yes" doc:"JSON file of prompt names (dataset, class, name) in place of the built-in table"`
	MaxPixels       int64             `json:"max_pixels" range:"[1,inf)" doc:"a picture whose header promises more pixels is not decoded"`
	EXIFOrientation bool              `json:"exif_orientation" doc:"turn pictures (and masks) as their EXIF orientation says"`
	Workers         int               `json:"workers" range:"[0,1024]" resume:"yes" doc:"goroutines that decode pictures; 0: one a core"`
	Cache           int64             `json:"cache" range:"[0,inf)" resume:"yes" doc:"bytes of decoded pictures that training keeps for the next epoch; 0: none"`
	SkipBad         bool              `json:"skip_bad" resume:"yes" doc:"leave out pictures that are missing or cannot be read, held-out ones too, and count them, where training would stop"`
}

// Root is one dataset's place. In YAML a plain text stands for its path.
type Root struct {
	Path          string        `json:"path" path:"file" doc:"the dataset's folder, or a list file inside it"`
	Domain        domain.Domain `json:"domain,omitempty" doc:"industrial or medical; left out: what the dataset is known as, else industrial"`
	List          string        `json:"list,omitempty" path:"file" doc:"the list of its pictures, where that lies elsewhere"`
	Normal        string        `json:"normal,omitempty" doc:"its folder of normal pictures, where no known layout tells"`
	Anomalous     string        `json:"anomalous,omitempty" doc:"its folder of anomalous pictures, likewise"`
	Masks         string        `json:"masks,omitempty" doc:"its folder of masks, likewise"`
	MaskThreshold int           `json:"mask_threshold,omitempty" range:"[0,255]" doc:"the least grey value of a mask that is anomalous; left out: what the dataset needs, as a rule 1"`
}

// AuxiliaryOf returns the auxiliary dataset that Pairing gives a target, its
// own entry before the one for "*".
func (d Data) AuxiliaryOf(target string) (auxiliary string, ok bool) {
	if auxiliary, ok = d.Pairing[target]; ok {
		return auxiliary, true
	}
	auxiliary, ok = d.Pairing[AnyTarget]
	return auxiliary, ok
}

// AnyTarget is the pairing's entry for every target without its own.
const AnyTarget = "*"
