// Package config defines the program's configuration as Go types. It documents the
// options, holds the presets, reads YAML files, environment variables and the command
// line, and writes the form that is stored in run folders and checkpoints.
//
// The structs are the only list of keys. Everything else (strict decoding, names of
// environment variables, documentation, metadata) is derived from their tags:
//
//	json    the key
//	range   the permitted interval
//	doc     the meaning, in one line
//	runtime "yes": a model option that may differ between training and scoring
//	resume  "yes": may differ when a training is resumed
//	path    the text is a path: "file", or "source" for a path or the name of weights
//	was     an earlier name of the key, which is still read
//
// A method's sections have further tags: see package section.
package config

import (
	"acdclip/pkg/config/section"
	"acdclip/pkg/domain"
)

// Config is the complete configuration of a run. Start from a Catalog's Preset or Load:
// the zero value is not valid. All paths are absolute. Copies of a Config share the
// method's sections: replace a section with a Clone before changing it.
type Config struct {
	Preset      string              `json:"preset" doc:"the preset that gives every value not set elsewhere"`
	Method      string              `json:"method" doc:"the anomaly detection method"`
	Clip        string              `json:"clip" path:"source" resume:"yes" doc:"CLIP's weights: a file, a Hugging Face or open_clip folder, or a name of acdclip weights list, such as openai:ViT-L/14@336"`
	ClipHeads   ClipHeads           `json:"clip_heads"`
	Device      Device              `json:"device" resume:"yes" doc:"device that the model runs on: auto (a GPU if there is one), cpu, cuda or cuda:N"`
	Precision   Precision           `json:"precision" doc:"number format of the frozen towers' matrices; auto: fp32; bf16: half the memory, slightly different results; int8: a quarter of the image tower's memory, for scoring on a CPU; fastest: what is fastest on this machine"`
	Threads     int                 `json:"threads" range:"[0,1024]" resume:"yes" doc:"CPU threads that the model uses; 0: one per core"`
	Seed        uint64              `json:"seed" doc:"seed of initial values, shuffling and augmentation"`
	Model       section.Model       `json:"model"`
	Loss        section.Section     `json:"loss"` // nil where the method learns nothing
	Train       Train               `json:"train"`
	Data        Data                `json:"data"`
	Weights     Weights             `json:"weights"`
	Checkpoints map[string][]string `json:"checkpoints" path:"source" resume:"yes" doc:"for each auxiliary dataset, the checkpoints trained on it"`
	Models      map[string]string   `json:"models" path:"file" resume:"yes" doc:"models that eval compares: for each name a configuration file, whose keys (method, preset, clip, model, checkpoints) replace those of this configuration"`
}

// ClipHeads are the numbers of attention heads in CLIP's towers. They are needed for
// weights without a configuration file whose sizes match no published model.
type ClipHeads struct {
	Vision int `json:"vision" range:"[0,1048576]" doc:"attention heads of CLIP's vision tower, if no configuration beside the weights gives them; 0: as in the published models, else width/64"`
	Text   int `json:"text" range:"[0,1048576]" doc:"attention heads of CLIP's text tower, with the same rules"`
}

// Train is the training recipe. AdamBeta2 and AdamEpsilon are fixed.
type Train struct {
	Auxiliary string     `json:"auxiliary" doc:"name of the dataset to train on, a key of data.roots"`
	Classes   []string   `json:"classes" doc:"train on these classes of the auxiliary dataset only; none: all classes"`
	Limit     int        `json:"limit" range:"[0,inf)" doc:"maximum number of pictures to train on, spread over classes and labels; 0: all"`
	Validate  []string   `json:"validate" doc:"validation split, held out and scored after each epoch: class names, a number of classes, or a percentage of the pictures such as 20%; none: no validation"`
	Epochs    int        `json:"epochs" range:"[1,100000]" resume:"yes" doc:"passes over the auxiliary dataset"`
	Batch     int        `json:"batch" range:"[1,65536]" doc:"pictures per batch; a smaller last batch is used too"`
	LR        LR         `json:"lr"`
	LRDecay   float64    `json:"lr_decay" range:"(0,1]" doc:"both learning rates are multiplied by this after each epoch"`
	Beta1     float64    `json:"beta1" range:"[0,1)" doc:"Adam's first beta: the share of the running mean of gradients that each step keeps"`
	Decay     float64    `json:"weight_decay" range:"[0,inf)" doc:"decoupled weight decay (AdamW); 0: Adam"`
	Shuffle   bool       `json:"shuffle" doc:"take the pictures of each epoch in a random order; false: in the dataset's order, class by class"`
	Masks     MaskResize `json:"mask_resize" doc:"how masks of the training pictures are scaled: nearest pixel, or bilinear and anomalous from half on"`
	Augment   bool       `json:"augment" doc:"random augmentation of each picture: noise, color, rotation, shift, flips"`

	Mosaic float64 `json:"mosaic" range:"[0,1]" doc:"chance of each training picture to be replaced by a mosaic of four pictures of its class, as AdaCLIP's authors do for MVTec AD and VisA"`

	Accumulate int  `json:"accumulate" range:"[1,65536]" doc:"batches per optimiser step (gradient accumulation): the gradient of a larger batch for the memory of one batch"`
	Recompute  bool `json:"recompute" was:"checkpoint_activations" resume:"yes" doc:"activation recomputation: keep only the inputs of CLIP's blocks for the backward pass; much less memory, about 1.4 times the time, identical results"`

	FeatureCache int64 `json:"feature_cache" range:"[0,inf)" resume:"yes" doc:"bytes of vision features that a method whose vision side learns nothing keeps in memory for the next epochs, if pictures are not augmented; 0: none"`

	FeatureFormat FeatureFormat `json:"feature_format" doc:"number format of the kept vision features; fp16 keeps twice as many and rounds the features of all pictures"`

	InitFrom      string  `json:"init_from" path:"source" doc:"checkpoint whose parameters training starts from; none: random initial values"`
	SkipNonfinite bool    `json:"skip_nonfinite" resume:"yes" doc:"skip and count steps whose loss or gradient is not finite, instead of stopping"`
	SaveMinutes   float64 `json:"save_minutes" range:"[0,inf)" resume:"yes" doc:"maximum minutes between two saves of the state that train --resume needs; 0: save after every step"`
}

// LR holds Adam's initial learning rates.
type LR struct {
	Text   float64 `json:"text" range:"(0,inf)" doc:"learning rate of the text side"`
	Vision float64 `json:"vision" range:"(0,inf)" doc:"learning rate of everything trained on the vision side, including the gates"`
}

// The fixed parts of the recipe, PyTorch's defaults, and its default beta1.
const (
	AdamBeta1   = 0.9
	AdamBeta2   = 0.999
	AdamEpsilon = 1e-8
)

// Data says where the datasets are and how pictures are read.
type Data struct {
	Roots           map[string]Root   `json:"roots" resume:"yes" doc:"for each dataset, its folder or a section {path, domain, list, normal, anomalous, masks, mask_threshold}"`
	Pairing         map[string]string `json:"pairing" resume:"yes" doc:"for each target dataset, the auxiliary dataset whose checkpoints score it; \"*\" is every other target"`
	Names           string            `json:"names" path:"file" resume:"yes" doc:"JSON file of prompt names (dataset, class, name) that replaces the built-in table"`
	MaxPixels       int64             `json:"max_pixels" range:"[1,inf)" doc:"maximum pixels of a picture; larger pictures are rejected before they are decoded"`
	Masks           MaskResize        `json:"mask_resize" doc:"how masks are scaled for metrics: nearest pixel, or bilinear and anomalous from half on"`
	EXIFOrientation EXIFOrientation   `json:"exif_orientation" doc:"rotate and flip pictures and masks by their EXIF orientation; auto: predict and calibrate do, on people's own pictures, the others do not, as published numbers"`
	Depth           Depth             `json:"depth" doc:"bits per channel that pictures of 16 bits use, such as 12 for a 12-bit camera: larger values are white; auto: all 16; masks and other pictures are read as they are"`
	Workers         int               `json:"workers" range:"[0,1024]" resume:"yes" doc:"goroutines that decode pictures; 0: one per core"`
	Cache           int64             `json:"cache" range:"[0,inf)" resume:"yes" doc:"bytes of decoded pictures that training keeps in memory for the next epoch; 0: none"`
	SkipBad         bool              `json:"skip_bad" resume:"yes" doc:"skip and count pictures that are missing or cannot be read, held-out ones too, instead of stopping"`
}

// Root says where one dataset is. In YAML a plain text stands for its path.
type Root struct {
	Path          string        `json:"path" path:"file" doc:"the dataset's folder, or a list file inside it"`
	Domain        domain.Domain `json:"domain,omitempty" doc:"industrial or medical; default: the benchmark's domain, else industrial"`
	List          string        `json:"list,omitempty" path:"file" doc:"the list of its pictures, if it is outside the dataset's folder"`
	Normal        string        `json:"normal,omitempty" doc:"its folder of normal pictures, if the folders follow no known layout"`
	Anomalous     string        `json:"anomalous,omitempty" doc:"its folder of anomalous pictures, if the folders follow no known layout"`
	Masks         string        `json:"masks,omitempty" doc:"its folder of masks, if the folders follow no known layout"`
	MaskThreshold int           `json:"mask_threshold,omitempty" range:"[0,255]" doc:"smallest grey value of a mask that counts as anomalous; default: the benchmark's value, else 1"`
}

// Weights says where published weights are kept, and where they are downloaded from.
type Weights struct {
	Cache  string `json:"cache" path:"file" resume:"yes" doc:"folder of downloaded weights; default: acdclip/weights in the user's cache folder ($XDG_CACHE_HOME, else ~/.cache)"`
	Mirror string `json:"mirror" resume:"yes" doc:"http or https address that stands for the publishers' scheme and host: acdclip weights fetch asks for the same path there; none: the publishers"`
}

// AuxiliaryOf returns the auxiliary dataset that Pairing gives a target: that of the
// target's own entry, else that of "*".
func (d Data) AuxiliaryOf(target string) (auxiliary string, ok bool) {
	if auxiliary, ok = d.Pairing[target]; ok {
		return auxiliary, true
	}
	auxiliary, ok = d.Pairing[AnyTarget]
	return auxiliary, ok
}

// AnyTarget is the key in Pairing that stands for every target without an entry.
const AnyTarget = "*"
