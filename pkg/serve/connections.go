package serve

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// limited is a listener that has only so many connections open at a time. If all are open, the
// one that has been idle for the longest time since its last request is closed, once that is
// `unused` long, so that clients that keep connections do not keep others out for minutes. A
// client that uses its connection keeps it: new ones wait.
type limited struct {
	net.Listener
	limit  int
	unused time.Duration

	mutex   sync.Mutex
	changed sync.Cond // a connection has closed or become idle, or was idle for long; or the listener has closed
	open    int
	closed  bool
	idle    *list.List // of *connection, the longest idle first
}

func limit(l net.Listener, connections int, unused time.Duration) *limited {
	all := &limited{Listener: l, limit: connections, unused: unused, idle: list.New()}
	all.changed.L = &all.mutex
	return all
}

// connection is one of the connections of a limited listener.
type connection struct {
	net.Conn
	of    *limited
	place *list.Element // in of.idle; nil while it is not idle
	since time.Time     // the start of being idle
	ended sync.Once
}

// Accept waits for a place, then for a connection.
func (l *limited) Accept() (net.Conn, error) {
	l.take()
	accepted, err := l.Listener.Accept()
	if err != nil {
		l.leave()
		return nil, err
	}
	return &connection{Conn: accepted, of: l}, nil
}

// take waits for a place and takes it.
func (l *limited) take() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for l.open >= l.limit && !l.closed {
		oldest := l.idle.Front()
		if oldest == nil {
			l.changed.Wait()
			continue
		}
		idle := oldest.Value.(*connection)
		if left := l.unused - time.Since(idle.since); left > 0 {
			timer := time.AfterFunc(left, l.wake)
			l.changed.Wait()
			timer.Stop()
			continue
		}
		l.active(idle)
		l.mutex.Unlock()
		_ = idle.Close() // whatever its error, it is closed
		l.mutex.Lock()
	}
	l.open++
}

// wake lets take look again.
func (l *limited) wake() {
	l.mutex.Lock() // so that take already waits
	defer l.mutex.Unlock()
	l.changed.Broadcast()
}

func (l *limited) leave() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.open--
	l.changed.Signal()
}

// Close also ends an Accept that waits for a place.
func (l *limited) Close() error {
	l.mutex.Lock()
	l.closed = true
	l.changed.Broadcast()
	l.mutex.Unlock()
	return l.Listener.Close()
}

// Close also gives the connection's place to another.
func (c *connection) Close() error {
	err := c.Conn.Close()
	c.ended.Do(c.of.leave)
	return err
}

// notice is told of each change of a connection's state; see http.Server.ConnState.
func (l *limited) notice(of net.Conn, state http.ConnState) {
	if secure, ok := of.(*tls.Conn); ok {
		of = secure.NetConn()
	}
	c, ok := of.(*connection)
	if !ok {
		return
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.active(c)
	if state == http.StateIdle {
		c.place, c.since = l.idle.PushBack(c), time.Now()
		l.changed.Signal()
	}
}

// active takes a connection from those that are idle. The mutex is locked.
func (l *limited) active(c *connection) {
	if c.place != nil {
		l.idle.Remove(c.place)
		c.place = nil
	}
}
