package main

import (
	"context"
	"path/filepath"
	"slices"

	"acdclip/pkg/batching"
	"acdclip/pkg/builtin"
	"acdclip/pkg/calibration"
	"acdclip/pkg/conditions"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/detect"
	"acdclip/pkg/domain"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/published"
	"acdclip/pkg/report"
	"acdclip/pkg/serve"
)

// served is what a service reads before it opens the model, at its start and at each reload.
type served struct {
	serveOptions
	loaded config.Loaded
	token  string
	tls    *serve.TLS // nil for HTTP
}

// read reads the small files that the command line names. The options stay as they were given,
// for the next reload.
func (o *serveOptions) read() (*served, error) {
	r := &served{serveOptions: *o}
	var err error
	if r.token, err = readToken("--token-file", o.tokenFile); err != nil {
		return nil, err
	}
	if o.tlsCert != "" {
		if r.tls, err = serve.LoadTLS(o.tlsCert, o.tlsKey); err != nil {
			return nil, err
		}
	}
	r.loaded, err = r.loadModel()
	return r, err
}

// open opens the model, prepares its class, and describes both for the service. check may refuse
// the model.
func (r *served) open(ctx context.Context, metrics *serve.Metrics, check func(*detect.Detector, config.Config) error) (*serve.Revision, error) {
	detector, err := r.detectorOptions.open(ctx, r.loaded)
	if err != nil {
		return nil, err
	}
	revision, err := r.describe(detector)
	if err == nil {
		err = detector.Prepare(ctx, domain.Classes{Prompts: []string{promptFor(detector, r.class)}, Domain: r.domain})
	}
	if err == nil {
		err = check(detector, r.loaded.Config)
	}
	if err != nil {
		detector.Close()
		return nil, err
	}
	revision.Model = detector.Inspector(batching.Options{Batch: r.batch, MaxWait: r.maxWait, Queue: r.queue, Scored: metrics.Batch})
	return revision, nil
}

// describe returns the Revision of a model, without the Model.
func (r *served) describe(detector *detect.Detector) (*serve.Revision, error) {
	basis, err := r.conditions(detector, r.loaded.Config)
	if err != nil {
		return nil, err
	}
	calibrated, _, err := r.readCalibration(r.app, r.checkpoint, basis, classCondition, domainCondition) // which requests name
	if err != nil {
		return nil, err
	}
	about, err := r.about(detector, r.loaded.Config)
	if err != nil {
		return nil, err
	}
	low, high := section.MapScale(detector.Model.Options)
	record := func(class string, d domain.Domain) conditions.Record {
		return ofClass(basis, promptFor(detector, class), d)
	}
	return &serve.Revision{
		About: about, Conditions: record, Thresholds: r.thresholdsOf(record, calibrated), Pixels: detect.DecodeOptions(r.loaded.Config).MaxPixels,
		Style: heatmap.Style{Scale: heatmap.Scale{Low: low, High: high}, Map: r.colorMap}, Token: r.token, TLS: r.tls,
	}, nil
}

// promptFor returns the name in prompts of a class.
func promptFor(detector *detect.Detector, class string) string {
	return section.PromptName(detector.Model.Options, section.ClassNamed(class))
}

// ofClass returns conditions for another prompt name and domain.
func ofClass(basis conditions.Record, prompt string, d domain.Domain) conditions.Record {
	return slices.Concat(basis.Without(classCondition).Without(domainCondition), conditions.Record{
		conditions.Of(conditions.Numbers, classCondition, prompt), conditions.Of(conditions.Numbers, domainCondition, d),
	})
}

// thresholdsOf returns the thresholds of classes: those of the flags, and those of a calibration
// (nil: none) that was made for the class.
func (o *serveOptions) thresholdsOf(record func(string, domain.Domain) conditions.Record, calibrated *calibration.Calibration) func(string, domain.Domain) report.Thresholds {
	return func(class string, d domain.Domain) report.Thresholds {
		t := o.thresholdOptions
		if calibrated != nil && calibrated.Fits(record(class, d)) == nil {
			t.fill(calibrated, "a calibration")
		}
		return report.Thresholds{Score: t.threshold, Pixel: t.pixelThreshold, Source: t.thresholdsFrom}
	}
}

// about describes the model to clients, without paths.
func (o *serveOptions) about(detector *detect.Detector, c config.Config) (serve.About, error) {
	machine, err := detector.Machine()
	if err != nil {
		return serve.About{}, err
	}
	m := detector.Model
	return serve.About{
		Version: version, Method: m.Metadata.Method, Preset: m.Metadata.Preset,
		CLIP:       serve.Weights{Name: nameOf(c.Clip), Fingerprint: machine.CLIP.Fingerprint},
		Checkpoint: serve.Weights{Name: nameOf(o.checkpoint), Fingerprint: m.Source.Fingerprint},
		ImageSize:  detector.Size(), Device: machine.Device, Precision: detector.Precision(), Threads: machine.Threads, Batch: o.batch,
	}, nil
}

// nameOf returns the name of weights, and for a path that of its file.
func nameOf(source string) string {
	if source == "" || builtin.Is(source) || published.IsName(source) {
		return source
	}
	return filepath.Base(source)
}
