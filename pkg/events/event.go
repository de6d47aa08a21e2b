// Package events defines the events that the program emits while it works: stages and
// their progress, notices and warnings, and training steps, which are also the lines of a
// training's log.
package events

// Event is something that happened. The emitter passes it to a func(Event), and the
// receiver decides what to show. Only the types below implement Event.
type Event interface {
	// kind returns the event's name in JSON.
	kind() string
}

// StageStarted reports the start of a stage.
type StageStarted struct {
	Stage string `json:"stage"`           // name of the stage, such as "train" or "evaluate bolts"
	Unit  string `json:"unit,omitempty"`  // unit of Total and Done: "pictures" or UnitSteps
	Total int    `json:"total,omitempty"` // number of units; 0 if unknown
	Done  int    `json:"done,omitempty"`  // number of units already done, as in a resumed run

	Within string `json:"within,omitempty"` // the stage that is paused until this one ends
}

// UnitSteps is the Unit of a training, which reports its progress by TrainStep instead of Progress.
const UnitSteps = "steps"

// Progress reports the progress of a stage.
type Progress struct {
	Stage  string `json:"stage"`
	Done   int    `json:"done"`
	Total  int    `json:"total,omitempty"`
	Detail string `json:"detail,omitempty"` // current item, such as a class
}

// StageDone reports that a stage has finished successfully.
type StageDone struct {
	Stage   string  `json:"stage"`
	Seconds float64 `json:"seconds"`
}

// Costs reports how an evaluation spent its time, in seconds. Reading pictures and
// computing metrics run in parallel with the model.
type Costs struct {
	Total   float64 `json:"total"`
	Model   float64 `json:"model"`   // prompts and pictures
	Waiting float64 `json:"waiting"` // the model waits for pictures
	Reading float64 `json:"reading"` // reading and scaling of pictures, summed over goroutines
	Metrics float64 `json:"metrics"`
}

// Notice is information for the user, such as a setting that the checkpoint decides.
type Notice struct {
	Text string `json:"text"`
}

// Warning reports something that is probably a mistake, or a picture that failed without
// stopping the work.
type Warning struct {
	Text string `json:"text"`
}

// Failure reports why the work ended without a result.
type Failure struct {
	Text string `json:"text"`
}

// TrainStep reports one optimiser step. It is a line of a run's log.jsonl.
type TrainStep struct {
	Epoch             int     `json:"epoch"` // from 1
	Step              int     `json:"step"`  // from 1, over all epochs
	Steps             int     `json:"steps"` // number of steps of the whole training
	Loss              float64 `json:"loss"`  // the weighted sum, before the step
	Parts             Values  `json:"parts"` // the terms of the loss, unweighted
	LearningRates     Values  `json:"lr"`    // by parameter group
	PicturesPerSecond float64 `json:"pictures_per_second"`
}

// TrainEpoch reports the end of an epoch. It is a line of a run's log.jsonl.
type TrainEpoch struct {
	Epoch        int     `json:"epoch"` // from 1
	Epochs       int     `json:"epochs"`
	Loss         float64 `json:"mean_loss"`               // mean over the epoch's pictures
	Parts        Values  `json:"mean_parts"`              // mean over the epoch's pictures
	Skipped      int     `json:"skipped,omitempty"`       // pictures skipped because they cannot be read
	SkippedSteps int     `json:"skipped_steps,omitempty"` // steps skipped because the loss or the gradient was not finite
	Seconds      float64 `json:"seconds"`
}

// Validation reports the metrics on the held-out pictures after an epoch, as fractions,
// each the mean over the classes. It is a line of a run's log.jsonl.
type Validation struct {
	Epoch      int      `json:"epoch"`
	HeldOut    []string `json:"held_out"`          // classes, or a percentage of the pictures
	ImageAUROC *float64 `json:"image_auroc"`       // nil if undefined
	PixelAUROC *float64 `json:"pixel_auroc"`       // nil if undefined
	Mean       *float64 `json:"mean"`              // of both; nil if either is nil
	Best       bool     `json:"best"`              // Mean is higher than in every earlier epoch
	Skipped    int      `json:"skipped,omitempty"` // pictures skipped because they cannot be read
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
