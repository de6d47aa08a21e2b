package serve

import (
	_ "embed"
	"net/http"

	"acdclip/pkg/conditions"
	"acdclip/pkg/domain"
	"acdclip/pkg/report"
)

// About describes a served model. Its names are no paths.
type About struct {
	Version    string  `json:"version"` // of acdclip
	Method     string  `json:"method"`
	Preset     string  `json:"preset"`
	CLIP       Weights `json:"clip"`
	Checkpoint Weights `json:"checkpoint"` // its name is "" for a method that learns nothing
	ImageSize  int     `json:"image_size"` // side of the maps in pixels
	Device     string  `json:"device"`
	Precision  string  `json:"precision"`
	Threads    int     `json:"threads"`
	Batch      int     `json:"batch"` // the most pictures of a batch
}

// Weights are known by a name or a file's name, and by their content.
type Weights struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
}

// modelAnswer is the answer about the model.
type modelAnswer struct {
	About
	Class      string            `json:"class"`      // of pictures whose request names none
	Domain     domain.Domain     `json:"domain"`     // likewise
	Thresholds report.Thresholds `json:"thresholds"` // of that class
	Limits     limitsAnswer      `json:"limits"`
	Conditions string            `json:"conditions"` // the digest of the record
	Record     conditions.Record `json:"record"`     // what the scores of that class depend on
}

type limitsAnswer struct {
	Bytes    int64 `json:"bytes"`    // of a request
	Pictures int   `json:"pictures"` // of a request
	Pixels   int64 `json:"pixels"`   // of a picture
	MaxSide  int   `json:"max_side"` // of a heat map
}

// model answers GET /v1/model.
func (e exchange) model(w http.ResponseWriter, _ *http.Request) error {
	o := e.options
	record := e.Conditions(o.Class, o.Domain)
	return e.writeJSON(w, http.StatusOK, modelAnswer{
		About: e.About, Class: o.Class, Domain: o.Domain, Thresholds: e.Thresholds(o.Class, o.Domain),
		Limits:     limitsAnswer{o.Limits.BodyBytes, o.Limits.Parts, e.Pixels, largestSide},
		Conditions: record.Digest(), Record: record,
	})
}

// state is the answer about the service itself.
type state struct {
	Status string `json:"status"`
}

// healthy answers GET /healthz: the program runs.
func (e exchange) healthy(w http.ResponseWriter, _ *http.Request) error {
	return e.writeJSON(w, http.StatusOK, state{"ok"})
}

// ready answers GET /readyz: it takes pictures.
func (e exchange) ready(w http.ResponseWriter, _ *http.Request) error {
	if e.gate.isClosed() {
		return problemf(http.StatusServiceUnavailable, kindClosing, "the service is being stopped")
	}
	return e.writeJSON(w, http.StatusOK, state{"ready"})
}

func (e exchange) metrics(w http.ResponseWriter, r *http.Request) error {
	e.options.Metrics.handler.ServeHTTP(w, r)
	return nil
}

//go:embed openapi.yaml
var openAPI []byte

// description answers GET /openapi.yaml.
func (e exchange) description(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openAPI) // who does not read it has gone
	return nil
}
