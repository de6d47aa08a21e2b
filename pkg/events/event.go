// Package events says what happens while the program works: stages and their progress,
// notices and warnings, and the steps of a training, which are also the lines of its log.
package events

// Event is something that happened. Whoever works hands each to a func(Event) and goes
// on; whoever receives it decides what is shown. The types below are all there are.
type Event interface {
	// kind is the event's name in JSON.
	kind() string
}

// StageStarted says that a part of the work begins.
type StageStarted struct {
	Stage string `json:"stage"`           // what is done, such as "train" or "evaluate bolts"
	Unit  string `json:"unit,omitempty"`  // what is counted: "pictures", UnitSteps
	Total int    `json:"total,omitempty"` // how many there are; 0 where that is not known
	Done  int    `json:"done,omitempty"`  // how many of them were done before

	Within string `json:"within,omitempty"` // the stage that waits for this one and then goes on
}

// UnitSteps is the Unit of a training, which tells how far it has come by TrainStep and not by Progress.
const UnitSteps = "steps"

// Progress says how far a stage has come.
type Progress struct {
	Stage  string `json:"stage"`
	Done   int    `json:"done"`
	Total  int    `json:"total,omitempty"`
	Detail string `json:"detail,omitempty"` // what it has come to, such as a class
}

// StageDone says that a stage has ended well.
type StageDone struct {
	Stage   string  `json:"stage"`
	Seconds float64 `json:"seconds"`
}

// Costs tells what an evaluation spent its time on, in seconds. Pictures are read
// and metrics computed beside the model.
type Costs struct {
	Total   float64 `json:"total"`
	Model   float64 `json:"model"`   // prompts and pictures
	Waiting float64 `json:"waiting"` // of the model for pictures
	Reading float64 `json:"reading"` // and scaling of pictures, over all goroutines that read
	Metrics float64 `json:"metrics"`
}

// Notice tells what a user wants to know, such as a setting that the checkpoint decides.
type Notice struct {
	Text string `json:"text"`
}

// Warning tells what is probably not meant, or a picture that failed while the others go on.
type Warning struct {
	Text string `json:"text"`
}

// Failure tells why the work ended without its result.
type Failure struct {
	Text string `json:"text"`
}

// TrainStep is one optimizer step, and a line of a run's log.jsonl.
type TrainStep struct {
	Epoch             int     `json:"epoch"` // from 1
	Step              int     `json:"step"`  // from 1, over all epochs
	Steps             int     `json:"steps"` // of the whole training
	Loss              float64 `json:"loss"`  // the weighted sum, before the step
	Parts             Values  `json:"parts"` // the loss's terms, not weighted
	LearningRates     Values  `json:"lr"`    // by parameter group
	PicturesPerSecond float64 `json:"pictures_per_second"`
}

// TrainEpoch is the end of an epoch, and a line of a run's log.jsonl.
type TrainEpoch struct {
	Epoch        int     `json:"epoch"` // from 1
	Epochs       int     `json:"epochs"`
	Loss         float64 `json:"mean_loss"`               // over the epoch's pictures
	Parts        Values  `json:"mean_parts"`              // likewise
	Skipped      int     `json:"skipped,omitempty"`       // pictures that cannot be read and were left out
	SkippedSteps int     `json:"skipped_steps,omitempty"` // left out because the loss or the gradient is not a finite number
	Seconds      float64 `json:"seconds"`
}

// Validation is what was measured on what was held out, after an epoch, and a line
// of a run's log.jsonl. Its metrics are fractions, each the mean over the classes.
type Validation struct {
	Epoch      int      `json:"epoch"`
	HeldOut    []string `json:"held_out"`          // classes, or a share of the pictures
	ImageAUROC *float64 `json:"image_auroc"`       // nil where it is not defined
	PixelAUROC *float64 `json:"pixel_auroc"`       // likewise
	Mean       *float64 `json:"mean"`              // of both; nil where one is nil
	Best       bool     `json:"best"`              // above that of every epoch before
	Skipped    int      `json:"skipped,omitempty"` // pictures that cannot be read and were left out
	Seconds    float64  `json:"seconds"`
}

func (StageStarted) kind() string { return "stage_started" }
func (Progress) kind() string     { return "progress" }
func (StageDone) kind() string    { return "stage_done" }
func (Costs) kind() string        { return "costs" }
func (Notice) kind() string       { return "notice" }
func (Warning) kind() string      { return "warning" }
func (Failure) kind() string      { return "failure" }
func (TrainStep) kind() string    { return "step" }
func (TrainEpoch) kind() string   { return "epoch" }
func (Validation) kind() string   { return "validation" }
