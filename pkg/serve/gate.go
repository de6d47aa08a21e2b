package serve

import "sync"

// gate counts the requests that are worked on, and can be closed to further ones.
type gate struct {
	mutex  sync.Mutex
	inside int
	closed bool
	empty  chan struct{} // closed when the gate is closed and nothing is inside
}

func newGate() *gate { return &gate{empty: make(chan struct{})} }

// enter reports whether a request may begin; then it must leave.
func (g *gate) enter() bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.closed {
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.inside--; g.closed && g.inside == 0 {
		close(g.empty)
	}
}

// close refuses further requests. The channel is closed when none is inside.
func (g *gate) close() <-chan struct{} {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if !g.closed && g.inside == 0 {
		close(g.empty)
	}
	g.closed = true
	return g.empty
}

// count is the number of requests inside.
func (g *gate) count() int {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.inside
}

func (g *gate) isClosed() bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.closed
}
