package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"acdclip/bench/load"
)

// fault is one kind of bad client.
type fault struct {
	name    string
	clients int // at a time
	// do is one such client, from its connection to its end. It returns what happened, to be
	// counted. An error is what the service must not do.
	do func(ctx context.Context) (string, error)
}

// reading is the time that the service gives a request to arrive.
const reading = 10 * time.Second

// patience is how long a client waits for an answer or the end of its connection: a flood may
// hold it up before its request is read.
const patience = 2 * time.Minute

// faults are all kinds of bad clients of the service at address.
func faults(address string, good []load.Picture, bombs []bomb) []fault {
	var turn, giant atomic.Int64
	huge := giants()
	body := good[0].Content
	return []fault{
		{"slow body", 16, func(ctx context.Context) (string, error) {
			return trickle(ctx, address, head(len(body), "")+string(body[:2]), body[2:])
		}},
		{"slow headers", 16, func(ctx context.Context) (string, error) {
			return trickle(ctx, address, "", []byte(head(len(body), "X-Padding: "+string(bytes.Repeat([]byte("a"), 4096))+"\r\n")))
		}},
		{"half a body", 2, func(ctx context.Context) (string, error) { return half(ctx, address, body) }},
		{"hang-up", 4, func(ctx context.Context) (string, error) { return hangUp(ctx, address, body) }},
		{"gigapixel header", 1, func(ctx context.Context) (string, error) {
			return post(ctx, address, huge[int(giant.Add(1))%len(huge)], http.StatusUnprocessableEntity)
		}},
		{"bomb", 2, func(ctx context.Context) (string, error) {
			return post(ctx, address, bombs[int(turn.Add(1))%len(bombs)], http.StatusOK, http.StatusUnprocessableEntity)
		}},
	}
}

// head is the beginning of a request with a body of so many bytes.
func head(length int, further string) string {
	return fmt.Sprintf("POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: %d\r\n%s\r\n", length, further)
}

// dial opens a connection that is closed when ctx ends. The caller calls close.
func dial(ctx context.Context, address string) (*net.TCPConn, func(), error) {
	var d net.Dialer
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := d.DialContext(waiting, "tcp", address)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Close() }) // it is closed again below
	err = c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn), func() { stop(); _ = c.Close() }, err
}

// trickle sends first at once, and then a byte a second. The service must end that.
func trickle(ctx context.Context, address, first string, rest []byte) (string, error) {
	c, hangUp, err := dial(ctx, address)
	if err != nil {
		return "", err
	}
	defer hangUp()
	ended := make(chan string, 1)
	go func() {
		answer, err := io.ReadAll(c)
		switch {
		case len(answer) > 0:
			status, _, _ := bytes.Cut(answer, []byte("\r\n"))
			ended <- string(bytes.TrimPrefix(status, []byte("HTTP/1.1 ")))
		case isTimeout(err):
			ended <- ""
		default:
			ended <- "connection closed"
		}
	}()
	_, failed := io.WriteString(c, first)
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for i := 0; ; i++ {
		select {
		case how := <-ended:
			if how == "" {
				return "", fmt.Errorf("the service read for %v", patience)
			}
			return how, nil
		case <-every.C:
			if failed == nil { // it ends soon otherwise
				_, failed = c.Write(rest[i%len(rest):][:1])
			}
		}
	}
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

// half promises a body, sends a part of it and says that no more comes.
func half(ctx context.Context, address string, body []byte) (string, error) {
	c, hangUp, err := dial(ctx, address)
	if err != nil {
		return "", err
	}
	defer hangUp()
	if _, err := io.WriteString(c, head(len(body), "")+string(body[:len(body)/2])); err != nil {
		return "", err
	}
	if err := c.CloseWrite(); err != nil {
		return "", err
	}
	return answered(c, http.StatusBadRequest)
}

// hangUp sends a random part of a request, or all of it, and resets the connection.
func hangUp(ctx context.Context, address string, body []byte) (string, error) {
	c, hangUp, err := dial(ctx, address)
	if err != nil {
		return "", err
	}
	defer hangUp()
	whole := head(len(body), "") + string(body)
	length := len(whole)
	if rand.IntN(2) == 0 {
		length = rand.IntN(length)
	}
	if _, err := io.WriteString(c, whole[:length]); err != nil {
		return "", err
	}
	if err := pause(ctx, rand.N(20*time.Millisecond)); err != nil { // some while the picture is scored
		return "", err
	}
	how := "in the request"
	if length == len(whole) {
		how = "before the answer"
	}
	return how, c.SetLinger(0)
}

// post sends a body, and wants one of the statuses.
func post(ctx context.Context, address string, b bomb, want ...int) (string, error) {
	c, hangUp, err := dial(ctx, address)
	if err != nil {
		return "", err
	}
	defer hangUp()
	further := ""
	if b.encoding != "" {
		further = "Content-Encoding: " + b.encoding + "\r\n"
	}
	if _, err := c.Write(append([]byte(head(len(b.content), further)), b.content...)); err != nil {
		return "", err
	}
	how, err := answered(c, want...)
	if err != nil {
		err = fmt.Errorf("%s: %w", b.name, err)
	}
	return b.name + " " + how, err
}

// answered reads an answer, and wants one of the statuses.
func answered(c net.Conn, want ...int) (string, error) {
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "", fmt.Errorf("there was no answer: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && !slices.Contains(want, answer.StatusCode) {
		err = fmt.Errorf("the answer was %s: %s", answer.Status, bytes.TrimSpace(text))
	}
	return fmt.Sprint(answer.StatusCode), err
}

// flood opens so many connections at once, leaves them silent for a time and closes them. It
// returns how many opened: the service takes 1,024, and the system as many as may wait.
func flood(ctx context.Context, address string, count int, silent time.Duration) int {
	const dialers, waiting = 256, 3 * time.Second
	var opened []net.Conn
	var mutex sync.Mutex
	var work sync.WaitGroup
	var next atomic.Int64
	end := time.Now().Add(waiting)
	for range dialers {
		work.Go(func() {
			for next.Add(1) <= int64(count) && ctx.Err() == nil {
				d := net.Dialer{Deadline: end}
				if c, err := d.DialContext(ctx, "tcp", address); err == nil {
					mutex.Lock()
					opened = append(opened, c)
					mutex.Unlock()
				}
			}
		})
	}
	work.Wait()
	_ = pause(ctx, silent) // its error is of the end, when they are closed too
	for _, c := range opened {
		_ = c.Close() // they have sent nothing
	}
	return len(opened)
}

// pause waits; its error says that ctx ended before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
