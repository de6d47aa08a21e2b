// Command serve is scripts/soak/serve.sh: it runs a service beside good and bad clients.
//
//	serve PROGRAM ADDRESS LOG SECONDS BATCH PICTURE...
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"acdclip/bench/load"
)

const (
	goodClients = 8 // far fewer than the service's --queue, so that none is refused
	brokenEvery = 10
	connections = 10_000
	maxPixels   = 50_000_000
	bombSide    = 7_000 // just within maxPixels
	reloadEvery = 3 * time.Second
	shortest    = 40 * time.Second
	settling    = time.Minute // for what the bad clients left to end
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 6 {
		return errors.New("usage: serve PROGRAM ADDRESS LOG SECONDS BATCH PICTURES")
	}
	lasting, err := time.ParseDuration(args[3] + "s")
	if err != nil {
		return err
	}
	if lasting < shortest {
		return fmt.Errorf("the run must last at least %v, so that all bad clients come in each quarter", shortest)
	}
	batch, err := strconv.Atoi(args[4])
	if err != nil {
		return err
	}
	pictures, err := load.Read(args[5:])
	if err != nil {
		return err
	}
	bombs, err := bombs(bombSide)
	if err != nil {
		return fmt.Errorf("making bombs: %w", err)
	}
	s, err := start(ctx, args[0], args[1], args[2], "--batch", args[4], "--read-timeout", reading.String(),
		"--set", fmt.Sprint("data.max_pixels=", maxPixels))
	if err != nil {
		return err
	}
	defer s.kill()
	r := &soak{service: s, pictures: pictures, bombs: bombs, lasting: lasting, batch: batch}
	return r.run(ctx)
}

// soak is one run.
type soak struct {
	service  *service
	pictures []load.Picture
	bombs    []bomb
	lasting  time.Duration
	batch    int

	good    load.Tally
	fresh   load.Tally // of good pictures that came over new connections
	faults  counts
	flooded atomic.Int64 // the most connections that were open at once
	mutex   sync.Mutex
	wrong   map[string]int // how often what must not happen did
}

// failf notes what must not happen.
func (r *soak) failf(format string, values ...any) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.wrong == nil {
		r.wrong = make(map[string]int)
	}
	r.wrong[fmt.Sprintf(format, values...)]++
}

func (r *soak) run(ctx context.Context) error {
	client := load.NewClient("http://"+r.service.address, goodClients)
	before, err := r.scores(ctx, client)
	if err != nil {
		return fmt.Errorf("before the faults: %w", err)
	}
	client.Close()
	_ = pause(ctx, time.Second) // until the service has seen that
	began, err := r.service.figures(ctx)
	if err != nil {
		return err
	}
	rss, err := r.service.rss()
	if err != nil {
		return err
	}
	peaks, err := r.work(ctx, client)
	if err != nil {
		return err
	}
	after, err := r.scores(ctx, client)
	if err != nil {
		r.failf("after the faults: %v", err)
	}
	client.Close()
	ended, err := r.settle(ctx, began)
	if err != nil {
		return err
	}
	reloads, err := r.reloads(ctx)
	if err != nil {
		return err
	}
	rest, err := r.service.rss()
	if err != nil {
		return err
	}
	if err := r.service.stop(); err != nil {
		r.failf("at SIGTERM: %v", err)
	}
	r.compare(before, after)
	r.report("kept connections", &r.good, before)
	r.report("new connections", &r.fresh, before)
	r.print(peaks, began, ended, reloads, rss, rest)
	for _, text := range peaks.check() {
		r.failf("%s", text)
	}
	return r.verdict()
}

// scores has each picture scored once.
func (r *soak) scores(ctx context.Context, client *load.Client) (map[string]load.Range, error) {
	rows := make(map[string]load.Range)
	for _, picture := range r.pictures {
		row, err := client.Score(ctx, picture)
		if err != nil {
			return nil, err
		}
		rows[picture.Name] = load.Range{Least: row, Most: row}
	}
	return rows, nil
}

// work runs all clients for the time of the run.
func (r *soak) work(ctx context.Context, client *load.Client) (peaks memory, err error) {
	ctx, cancel := context.WithCancel(ctx) // without a deadline, so that its end is no time-out of a client
	defer cancel()
	defer time.AfterFunc(r.lasting, cancel).Stop()
	var work sync.WaitGroup
	for range goodClients {
		work.Go(func() { r.goodClient(ctx, client, &r.good) })
	}
	work.Go(func() { r.goodClient(ctx, load.NewClient("http://"+r.service.address, 0), &r.fresh) })
	for _, f := range faults(r.service.address, r.pictures, r.bombs) {
		for range f.clients {
			work.Go(func() { r.badClient(ctx, f) })
		}
	}
	work.Go(func() { r.floods(ctx) })
	work.Go(func() {
		for pause(ctx, reloadEvery) == nil {
			if err := r.service.signal(syscall.SIGHUP); err != nil {
				r.failf("at SIGHUP: %v", err)
				return
			}
		}
	})
	peaks, err = r.service.watch(ctx, r.lasting)
	cancel()
	work.Wait()
	return peaks, err
}

// goodClient sends good pictures, and a broken one in ten. It ends with an answer.
func (r *soak) goodClient(ctx context.Context, client *load.Client, answers *load.Tally) {
	answering := context.WithoutCancel(ctx)
	for ctx.Err() == nil {
		picture := r.pictures[rand.IntN(len(r.pictures))]
		if rand.IntN(brokenEvery) == 0 {
			_, err := client.Score(answering, broken(picture))
			how := "no status"
			if refused, ok := errors.AsType[*load.StatusError](err); ok {
				how = strconv.Itoa(refused.Status)
			}
			if how != strconv.Itoa(http.StatusUnprocessableEntity) {
				r.failf("a broken picture: %s", how)
			}
			r.faults.add("broken picture", how)
			continue
		}
		sent := time.Now()
		row, err := client.Score(answering, picture)
		answers.Add(picture.Name, row, time.Since(sent), err)
	}
}

// broken is a part of a picture with a few other bytes at its beginning.
func broken(p load.Picture) load.Picture {
	content := append([]byte(nil), p.Content[:rand.IntN(len(p.Content))]...)
	for i := range min(len(content), 16) {
		content[i] ^= 0xa5
	}
	return load.Picture{Name: p.Name, Content: append([]byte("broken"), content...)}
}

func (r *soak) badClient(ctx context.Context, f fault) {
	for ctx.Err() == nil {
		how, err := f.do(ctx)
		switch {
		case ctx.Err() != nil: // the end cut it off
		case err != nil:
			r.failf("%s: %v", f.name, err)
			r.faults.add(f.name, "went wrong")
			_ = pause(ctx, time.Second) // its error ends the loop
		default:
			r.faults.add(f.name, how)
		}
	}
}

// floods opens very many connections at once, four times at most.
func (r *soak) floods(ctx context.Context) {
	for pause(ctx, r.lasting/8) == nil {
		opened := flood(ctx, r.service.address, connections, r.lasting/16)
		r.flooded.Store(max(r.flooded.Load(), int64(opened)))
		r.faults.add("flood of connections", "done")
	}
}

// settle waits until the service holds no more than at the beginning.
func (r *soak) settle(ctx context.Context, began figures) (now figures, err error) {
	for end := time.Now().Add(settling); ; {
		if now, err = r.service.figures(ctx); err != nil {
			return now, err
		}
		if now.goroutines <= began.goroutines && now.files <= began.files {
			return now, nil
		}
		if time.Now().After(end) {
			r.failf("%v later, the service has %v goroutines and %v open files, but had %v and %v", settling, now.goroutines, now.files, began.goroutines, began.files)
			return now, nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return now, err
		}
	}
}

// reloads is the number of reloads that were done. No error may have been the service's.
func (r *soak) reloads(ctx context.Context) (int, error) {
	values, err := r.service.values(ctx)
	if err != nil {
		return 0, err
	}
	const name = `acdclip_reloads_total{outcome="%s"}`
	if failed := values[fmt.Sprintf(name, "failed")]; failed > 0 {
		r.failf("%v reloads failed", failed)
	}
	if internal := values[`acdclip_errors_total{kind="internal"}`]; internal > 0 {
		r.failf("%v internal errors; see the log", internal)
	}
	done := int(values[fmt.Sprintf(name, "done")])
	if done == 0 {
		r.failf("there was no reload")
	}
	return done, nil
}

// compare checks that scores are those from before: to the bit, if each batch has one picture.
func (r *soak) compare(before, rows map[string]load.Range) {
	tolerance := 0.0
	if r.batch > 1 {
		tolerance = 1e-5
	}
	for name, got := range rows {
		want := before[name].Least
		for _, row := range []load.Row{got.Least, got.Most} {
			if difference := max(math.Abs(float64(row.Score-want.Score)), math.Abs(float64(row.MapMax-want.MapMax))); !(difference <= tolerance) {
				r.failf("%s got %v, and %v before the faults", name, row, want)
			}
		}
	}
}

// report prints what good clients got, and checks it.
func (r *soak) report(connections string, answers *load.Tally, before map[string]load.Range) {
	report := answers.Report(r.lasting)
	fmt.Printf("%d good pictures over %s were scored in %v at --batch %d: p50 %.3f s, p99 %.3f s\n",
		report.Pictures, connections, r.lasting, r.batch, report.P50, report.P99)
	r.compare(before, report.Rows)
	for kind, count := range report.Errors {
		r.failf("%d good pictures over %s: %s", count, connections, kind)
	}
	if report.Pictures == 0 {
		r.failf("no good picture over %s was scored", connections)
	}
}

func (r *soak) print(peaks memory, began, ended figures, reloads int, rss, rest int64) {
	fmt.Printf("bad clients:\n%v", &r.faults)
	fmt.Printf("connections open at once: %d of %d; reloads: %d\n", r.flooded.Load(), connections, reloads)
	fmt.Printf("memory: %d MB before; at most %d, %d, %d and %d MB in the quarters; %d MB after\n",
		rss/1e6, peaks[0]/1e6, peaks[1]/1e6, peaks[2]/1e6, peaks[3]/1e6, rest/1e6)
	fmt.Printf("goroutines: %v before, %v after; open files: %v and %v\n", began.goroutines, ended.goroutines, began.files, ended.files)
}

// verdict is an error that says all that went wrong.
func (r *soak) verdict() error {
	for _, f := range faults("", r.pictures, nil) {
		if r.faults.total(f.name) == 0 {
			r.failf("no %s was tried to its end; let the run last longer", f.name)
		}
	}
	if len(r.wrong) == 0 {
		fmt.Println("All holds.")
		return nil
	}
	var text strings.Builder
	for _, what := range slices.Sorted(maps.Keys(r.wrong)) {
		fmt.Fprintf(&text, "\n  %d times: %s", r.wrong[what], what)
	}
	return fmt.Errorf("what must not happen:%s", text.String())
}
