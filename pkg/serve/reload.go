package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

var errOtherScheme = errors.New("the service cannot change between HTTP and HTTPS while it runs")

// Reload loads a Revision and gives it to all requests that begin from then on. Requests that
// have begun are answered with the Revision before it, whose Model is closed after the last of
// them. At most two Models are open at a time: Reload waits until one that an earlier Reload
// replaced is closed. If load fails or panics, the present Revision stays, and the log and the
// error say why; likewise if ctx ends, but that is not logged. Only one goroutine at a time may call Reload.
func (s *Server) Reload(ctx context.Context, load func(context.Context) (*Revision, error)) error {
	revision, err := s.next(ctx, load)
	if ctx.Err() != nil && err != nil {
		return fmt.Errorf("reloading: %w", err)
	}
	s.options.Metrics.reload(err)
	if err != nil {
		s.options.Log.LogAttrs(ctx, slog.LevelError, "reload failed; the service goes on as before", slog.String("error", err.Error()))
		return fmt.Errorf("reloading: %w", err)
	}
	s.present.replace(revision)
	record := revision.Conditions(s.options.Class, s.options.Domain)
	s.options.Log.LogAttrs(ctx, slog.LevelInfo, "reloaded", slog.String("conditions", record.Digest()))
	return nil
}

// next loads the Revision for Reload.
func (s *Server) next(ctx context.Context, load func(context.Context) (*Revision, error)) (r *Revision, err error) {
	if err := s.present.settle(ctx); err != nil {
		return nil, err
	}
	defer func() { err = recovered(recover(), err) }()
	if r, err = load(ctx); err != nil {
		return nil, err
	}
	if err = ctx.Err(); err == nil && (r.TLS != nil) != s.secure {
		err = errOtherScheme
	}
	if err != nil {
		r.Model.Close()
	}
	return r, err
}

// Close closes the Models of all Revisions, after their last requests. No request may begin and
// Reload must not be called any more.
func (s *Server) Close() {
	_ = s.present.settle(context.Background()) // which never ends
	s.present.now.close()
}
