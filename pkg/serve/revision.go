package serve

import (
	"context"
	"sync"

	"acdclip/pkg/batching"
	"acdclip/pkg/conditions"
	"acdclip/pkg/domain"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/inspection"
	"acdclip/pkg/report"
)

// Model scores pictures for many goroutines. inspection.Inspector is one.
type Model interface {
	Score(ctx context.Context, p inspection.Picture) (*inspection.Result, error)
	// PromptOf returns the name in prompts of a class.
	PromptOf(class string) string
	Load() batching.Load
	// Close frees the model. Nothing uses it any more.
	Close()
}

// Revision is what a Server answers with and takes from files, as one load of them found it.
// Each answer is made with one Revision alone. It is not changed.
type Revision struct {
	Model  Model // the Server closes it, after the last request with this Revision
	About  About
	Style  heatmap.Style // of heat maps without a threshold for pixels
	Pixels int64         // the most of one picture; the Model holds it

	// Conditions returns what the scores of a class depend on.
	Conditions func(class string, d domain.Domain) conditions.Record
	// Thresholds returns the thresholds of a class where its request gives none.
	Thresholds func(class string, d domain.Domain) report.Thresholds

	Token string // that requests must bring; "" for none
	TLS   *TLS   // the certificate; nil in all Revisions of a Server, or in none
}

// inUse is a Revision with the requests that use it.
type inUse struct {
	*Revision
	requests sync.WaitGroup
}

// close waits for the requests and closes the Model. No further request may begin.
func (u *inUse) close() {
	u.requests.Wait()
	u.Model.Close()
}

// present is the Revision for new requests, and the one before it while requests still use it.
type present struct {
	mutex  sync.Mutex
	now    *inUse
	before *inUse        // nil for none
	gone   chan struct{} // closed when there is none any more; nil if there has never been one
}

// take returns the present Revision to a request, which ends with requests.Done.
func (p *present) take() *inUse {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.now.requests.Add(1)
	return p.now
}

// revision returns the present Revision, not to use its Model.
func (p *present) revision() *Revision {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.now.Revision
}

// replace gives a Revision to all further requests, and closes the one before it after its last
// request. The one before that must be closed already: see settle.
func (p *present) replace(r *Revision) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	before, gone := p.now, make(chan struct{})
	p.now, p.before, p.gone = &inUse{Revision: r}, before, gone
	go func() {
		defer close(gone)
		before.close()
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.before = nil
	}()
}

// settle waits until the Revision before the present one is closed, or ctx ends.
func (p *present) settle(ctx context.Context) error {
	p.mutex.Lock()
	gone := p.gone
	p.mutex.Unlock()
	if gone == nil {
		return nil
	}
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// load is what all models are busy with.
func (p *present) load() (sum batching.Load) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, used := range []*inUse{p.now, p.before} {
		if used != nil {
			busy := used.Model.Load()
			sum.Places, sum.Waiting, sum.Running = sum.Places+busy.Places, sum.Waiting+busy.Waiting, sum.Running+busy.Running
		}
	}
	return sum
}

// Score scores a picture that comes with no request, with the present Revision.
func (s *Server) Score(ctx context.Context, p inspection.Picture) (*inspection.Result, error) {
	used := s.present.take()
	defer used.requests.Done()
	return used.Model.Score(ctx, p)
}
