package serve

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"acdclip/pkg/anomalymap"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/inspection"
	"acdclip/pkg/report"
)

// score answers POST /v1/score.
func (e exchange) score(w http.ResponseWriter, r *http.Request) error {
	if http.NewCrossOriginProtection().Check(r) != nil { // a page of somebody else in a browser that can reach the service
		return problemf(http.StatusForbidden, kindOrigin, "pages of other origins may not use the service")
	}
	if !e.gate.enter() {
		return problemf(http.StatusServiceUnavailable, kindClosing, "the service is being stopped")
	}
	defer e.gate.leave()
	memory := &held{room: e.bodies, most: e.options.Limits.BodiesBytes}
	defer memory.release()
	asks, uploads, err := e.read(w, r, memory)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), e.options.Limits.Scoring)
	defer cancel()
	thresholds := e.thresholds(asks)
	if format := wantedPicture(r); format != "" {
		if asks.anomalyMap != "" || asks.heatmap != "" && asks.heatmap != format {
			return problemf(http.StatusBadRequest, kindRequest, "with Accept: %s the answer is the heat map alone; leave out map and heatmap, or accept application/json", mediaType(format))
		}
		asks.heatmap = format
		return e.answerPicture(ctx, w, asks, thresholds, uploads, memory)
	}
	return e.answerRows(ctx, w, r, asks, thresholds, uploads, memory)
}

// thresholds are those of the request, or else the service's.
func (e exchange) thresholds(a asked) report.Thresholds {
	t := e.Thresholds(a.class, a.domain)
	remains := a.threshold == nil && t.Score != nil || a.pixelThreshold == nil && t.Pixel != nil // one of the service's
	const request = "the request"
	switch {
	case a.threshold == nil && a.pixelThreshold == nil:
	case remains && t.Source != "":
		t.Source = request + " and " + t.Source
	default:
		t.Source = request
	}
	if a.threshold != nil {
		t.Score = a.threshold
	}
	if a.pixelThreshold != nil {
		t.Pixel = a.pixelThreshold
	}
	return t
}

// wantedPicture is the format in which the client accepts nothing but a picture; "" if it
// accepts JSON.
func wantedPicture(r *http.Request) heatmap.Format {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Accept")) // what is malformed is no picture
	for _, format := range heatmap.Formats() {
		if kind == mediaType(format) {
			return format
		}
	}
	return ""
}

func mediaType(format heatmap.Format) string { return "image/" + string(format) }

// answerPicture answers with the heat map of the only picture.
func (e exchange) answerPicture(ctx context.Context, w http.ResponseWriter, a asked, t report.Thresholds, uploads []upload, memory *held) error {
	if len(uploads) > 1 {
		return problemf(http.StatusBadRequest, kindRequest, "with Accept: %s a request takes one picture", mediaType(a.heatmap))
	}
	result, err := e.Model.Score(ctx, a.picture(uploads[0]))
	if err != nil {
		return err
	}
	var drawn bytes.Buffer
	if err := e.draw(&drawn, result, a.heatmap, t.Pixel); err != nil {
		return err
	}
	if err := memory.take(drawn.Len()); err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaType(a.heatmap))
	_, _ = w.Write(drawn.Bytes()) // who does not read it has gone
	return nil
}

// answerRows answers with a row for each picture. If none has a score, the status says so.
func (e exchange) answerRows(ctx context.Context, w http.ResponseWriter, r *http.Request, a asked, t report.Thresholds, uploads []upload, memory *held) error {
	body := report.PredictionRows{Conditions: e.Conditions(a.class, a.domain).Digest(), Thresholds: t, Rows: make([]json.RawMessage, len(uploads))}
	failed := make([]error, len(uploads))
	work, ctx := errgroup.WithContext(ctx)
	begun := make(chan struct{})           // the first picture has a place in the queue, or never will
	work.SetLimit(e.options.Limits.AtOnce) // so that no request fills the queue by itself
	for i, upload := range uploads {
		work.Go(func() error {
			// A full queue refuses a request only at its beginning; later, work would be lost.
			p := a.picture(upload)
			if p.Wait = i > 0; p.Wait {
				<-begun
			} else {
				p.Begun = sync.OnceFunc(func() { close(begun) })
				defer p.Begun()
			}
			row, err := e.row(ctx, a, t, upload.name, p)
			if err != nil && !ofPicture(err) {
				return err
			}
			if failed[i] = err; err != nil {
				row.Error = report.EscapeName(problemOf(err).Text)
			}
			if body.Rows[i], err = report.PredictionJSON(row, false); err != nil {
				return err
			}
			return memory.take(len(body.Rows[i]))
		})
	}
	err := work.Wait()
	whole := -1 // the picture whose error is that of the request
	status := http.StatusOK
	if err == nil && !slices.Contains(failed, nil) {
		status = http.StatusUnprocessableEntity
		whole = slices.IndexFunc(failed, func(err error) bool { return problemOf(err).Kind == kindInternal })
	}
	for i, err := range failed {
		if err != nil && i != whole { // which is counted as the request's
			e.problem(r, err)
		}
	}
	switch {
	case err != nil:
		return err
	case whole >= 0:
		return failed[whole]
	}
	return e.writeJSON(w, status, body)
}

// ofPicture reports whether an error is of one picture, and leaves the others alone.
func ofPicture(err error) bool {
	kind := problemOf(err).Kind
	return kind == kindPicture || kind == kindInternal
}

// row scores a picture. With an error, the row has no numbers. A panic is an error: it is on a
// goroutine of its own, where it would end the process.
func (e exchange) row(ctx context.Context, a asked, t report.Thresholds, name string, p inspection.Picture) (row report.Prediction, err error) {
	blank := report.Prediction{Path: name, Threshold: t.Score}
	defer func() {
		if err = recovered(recover(), err); err != nil {
			row = blank
		}
	}()
	blank.Class = report.EscapeName(e.Model.PromptOf(a.class))
	row = blank
	result, err := e.Model.Score(ctx, p)
	if err == nil {
		err = e.fill(&row, result, a, t)
	}
	return row, err
}

// picture is an upload as it is scored.
func (a *asked) picture(u upload) inspection.Picture {
	p := inspection.Picture{Encoded: u.content, Class: a.class, Domain: a.domain}
	if a.heatmap != "" {
		p.KeepSide = a.maxSide
	}
	return p
}

// fill stores a result in a row. Maps and heat maps are data URLs.
func (e exchange) fill(row *report.Prediction, result *inspection.Result, a asked, t report.Thresholds) error {
	row.Score, row.ClassProbability, row.MapMax, row.Width, row.Height = result.Score, result.ClassProbability, result.MapMax, result.Width, result.Height
	if t.Score != nil {
		row.Anomalous = new(result.Score >= *t.Score)
	}
	if t.Pixel != nil {
		row.Regions = result.Regions(*t.Pixel)
	}
	var err error
	switch a.anomalyMap {
	case mapPNG:
		row.Map, err = dataURL("image/png", func(w io.Writer) error { return anomalymap.WritePNG16(w, result.Map) })
	case mapNPY:
		row.Map, err = dataURL("application/x-npy", func(w io.Writer) error { return anomalymap.WriteNPY(w, result.Map) })
	}
	if err == nil && a.heatmap != "" {
		row.Heatmap, err = dataURL(mediaType(a.heatmap), func(w io.Writer) error { return e.draw(w, result, a.heatmap, t.Pixel) })
	}
	return err
}

// draw writes a picture with its map laid over it, and the outlines of its regions if there is
// a threshold for pixels.
func (e exchange) draw(w io.Writer, result *inspection.Result, format heatmap.Format, threshold *float32) error {
	style, base := e.Style, result.Small
	if threshold != nil {
		style.Scale = style.Scale.Around(*threshold)
	}
	drawn, err := heatmap.Marked(result.Map, style, threshold, base.Pix, base.Width, base.Height)
	if err != nil {
		return err
	}
	return format.Encode(w, drawn)
}

func dataURL(kind string, write func(io.Writer) error) (string, error) {
	var url strings.Builder
	url.WriteString("data:" + kind + ";base64,")
	encoder := base64.NewEncoder(base64.StdEncoding, &url)
	if err := write(encoder); err != nil {
		return "", err
	}
	err := encoder.Close()
	return url.String(), err
}
