package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"acdclip/internal/rundir"
	"acdclip/pkg/conditions"
	"acdclip/pkg/events"
	"acdclip/pkg/outbox"
	"acdclip/pkg/plural"
	"acdclip/pkg/report"
)

// postOptions choose where rows are posted.
type postOptions struct {
	post     string // the receiver's address; "" for none
	token    string // the file of its token; "" for none
	patience time.Duration
}

func (o *postOptions) registerPost(flags *pflag.FlagSet) {
	flags.StringVar(&o.post, "post", "", "`URL` post each row there as JSON; rows wait on disk until they are delivered")
	flags.StringVar(&o.token, "post-token-file", "", "`FILE` with a token to post with: Authorization: Bearer TOKEN")
	flags.DurationVar(&o.patience, "post-timeout", time.Minute, "`TIME` longest wait at the end for rows that are not delivered")
}

// checkPost finds contradictions between the flags.
func (o *postOptions) checkPost(flags *pflag.FlagSet, out string) error {
	switch {
	case flags.Changed("post") && out == standardOut:
		return usagef("--post needs an output folder, where rows wait until they are delivered; --out - writes only rows to stdout")
	case !flags.Changed("post") && (o.token != "" || flags.Changed("post-timeout")):
		return usagef("--post-token-file and --post-timeout need --post")
	case o.patience < 0:
		return usagef("--post-timeout is %v, but must not be negative", o.patience)
	}
	return nil
}

// receiver returns where rows are posted; nil for nowhere.
func (o *postOptions) receiver(a *app, flags *pflag.FlagSet) (*outbox.Receiver, error) {
	if !flags.Changed("post") {
		return nil, nil
	}
	address, err := outbox.ParseURL(o.post)
	if err != nil {
		return nil, usagef("--post: %w; --post-token-file takes a token", err)
	}
	to := &outbox.Receiver{URL: address}
	if to.Token, err = readToken("--post-token-file", o.token); err != nil {
		return nil, err
	}
	if to.Token != "" && to.Discloses() {
		a.emit(events.Warning{Text: "the token and the rows cross the network to " + to.Name() + " unencrypted; give an https address"})
	}
	return to, nil
}

// posting posts rows beside the scoring. A row is kept to be posted before it is written: a
// program that is killed between the two scores the picture again, and its row has the same id.
type posting struct {
	app      *app
	spool    *outbox.Spool
	delivery *outbox.Delivery
	rows     report.PredictionRows // without the rows
	run      string                // the digest of what rows depend on
	raw      bool
	patience time.Duration
}

// message is what is posted.
type message struct {
	ID string `json:"id"`
	report.PredictionRows
}

// startPosting begins to post rows in an output folder that this program holds: first those that
// an earlier program has left there. basis is what scores depend on. It returns nil without a
// receiver, and then says what waits.
func (o *predictOptions) startPosting(to *outbox.Receiver, folder rundir.Dir, run *report.PredictionRun, basis conditions.Record) (*posting, error) {
	place, err := folder.Outbox()
	if err != nil || to == nil && !outbox.Exists(place) {
		return nil, err
	}
	spool, err := outbox.Open(place)
	if err != nil {
		return nil, err
	}
	waiting := plural.Of(spool.Waiting(), "row of an earlier run waits", "rows of earlier runs wait")
	if to == nil {
		if spool.Waiting() > 0 {
			o.app.emit(events.Warning{Text: waiting + " to be posted; --post posts them"})
		}
		return nil, spool.Close()
	}
	if spool.Waiting() > 0 {
		o.app.emit(events.Notice{Text: waiting + " to be posted"})
	}
	return &posting{
		app: o.app, spool: spool, delivery: outbox.Start(spool, *to, outbox.Options{Emit: o.app.emit}),
		rows: report.PredictionRows{Conditions: basis.Digest(), Thresholds: run.Thresholds},
		run:  run.Conditions.Only(conditions.Numbers, conditions.Extras).Digest(), raw: o.rawScores, patience: o.patience,
	}, nil
}

// add keeps the row of a picture at a path, to be posted. Nil posts nothing.
func (p *posting) add(path string, row report.Prediction) error {
	if p == nil {
		return nil
	}
	text, err := report.PredictionJSON(row, p.raw)
	if err != nil {
		return err
	}
	m := message{p.id(path, row), p.rows}
	m.Rows = []json.RawMessage{text}
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing a row to post: %w", err)
	}
	return p.spool.Add(m.ID, body)
}

// id is the same for a picture that is scored again under the same conditions, and another one
// once its file has changed. A picture that failed may succeed later.
func (p *posting) id(path string, row report.Prediction) string {
	return p.spool.ID(p.run, absolutePath(path), strconv.FormatInt(row.File.Bytes, 10), row.File.Modified.Format(time.RFC3339Nano), strconv.FormatBool(row.Error != ""))
}

// unposted says that the work is done, but rows were not posted.
type unposted struct{ error }

func (e unposted) Unwrap() error { return e.error }

// mostAfterStop is the longest wait for rows that are not delivered after a signal.
const mostAfterStop = 5 * time.Second

// finish waits for rows that are not delivered, and ends the posting. The error is an unposted,
// or says that the files could not be closed. Finishing nil does nothing.
func (p *posting) finish(ctx context.Context) error {
	if p == nil {
		return nil
	}
	patience := p.patience
	if ctx.Err() != nil {
		ctx, patience = context.WithoutCancel(ctx), min(patience, mostAfterStop)
	}
	if waiting := p.spool.Waiting(); waiting > 0 {
		p.app.emit(events.Notice{Text: "posting " + plural.Of(waiting, "row that waits", "rows that wait")})
	}
	var errs []error
	if err := p.delivery.Finish(ctx, patience); err != nil {
		errs = append(errs, unposted{fmt.Errorf("%s not posted: %w; repeat the command with --resume to post what waits", plural.Of(p.spool.Waiting(), "row was", "rows were"), err)})
	}
	if refused := p.spool.Refused(); refused > 0 {
		errs = append(errs, unposted{fmt.Errorf("%s refused by the receiver and kept in %s", plural.Of(refused, "row was", "rows were"), p.spool.RefusedFile())})
	}
	return errors.Join(append(errs, p.spool.Close())...)
}
