package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"acdclip/internal/systemd"
	"acdclip/internal/ui"
	"acdclip/pkg/batching"
	"acdclip/pkg/config"
	"acdclip/pkg/detect"
	"acdclip/pkg/events"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/serve"
)

// serveOptions are what `acdclip serve` was asked for.
type serveOptions struct {
	detectorOptions
	thresholdOptions
	listen    string
	maxWait   time.Duration
	queue     int
	limits    serve.Limits
	drain     time.Duration
	tlsCert   string
	tlsKey    string
	tokenFile string
	colorMap  heatmap.ColorMap
	watching  serveWatchOptions
}

func newServeCommand(a *app) *cobra.Command {
	o := &serveOptions{detectorOptions: newDetectorOptions(a), colorMap: heatmap.Flame}
	var thresholds thresholdFlags
	command := &cobra.Command{
		Use:   "serve [--clip CLIP] [--checkpoint FILE]",
		Short: "Score pictures for other programs, over HTTP",
		Long: `Load a model once, and score the pictures that other programs send over HTTP.

  POST /v1/score     one picture as the body, or several as multipart/form-data; answers
                     in JSON with predict's row for each picture
  GET /v1/model      what the model is, and the limits of requests
  GET /healthz       200 while the program runs
  GET /readyz        200 while it takes pictures, 503 while it stops
  GET /metrics       metrics for Prometheus
  GET /openapi.yaml  the exact description of all this
  GET /              a page to try it in a browser

Settings of a request are fields of its query or form: class, domain, threshold and
pixel_threshold as the flags of predict, map=png|npy, heatmap=png|jpeg and max_side. Maps
and heat maps come as data URLs in the rows' columns of their names. With "Accept:
image/png" the answer is the heat map itself.

Pictures of all requests are scored together in batches of at most --batch. A picture
waits for others at most --max-wait while the model is free, and only if others are known
to come. When --queue pictures are being worked on, further requests are refused with
status 429. A picture that cannot be scored has a row with an error, beside the others.
Pictures are scored as a whole, never in tiles. Those of more than data.max_pixels are
refused; --set data.max_pixels=50000000 lowers the memory that a picture can take.

Thresholds come from a request, else from --threshold and --pixel-threshold, else from a
calibration, as in predict; a calibration is used for requests of its class and domain.

--watch DIR also scores the pictures of a folder as they appear, with the same model, and
adds their rows to the folder of --out, as predict --watch --resume does. With --post URL
the rows are posted too: see "acdclip predict --help". Pictures of more than --max-bytes
have a row with an error.

The service listens to this machine alone. To let others in, give --listen an address of
the network, and --token-file and TLS, or a proxy in front that does both.

Ctrl-C or SIGTERM ends it: it takes no more pictures, answers the requests that run, at
most for --drain, and exits with status 0, or 1 if requests were cut off.

SIGHUP loads the files that the command line and the configuration name again: CLIP,
checkpoint, calibration, token, certificate and key. Requests that have begun are answered
with the old ones; memory holds both models for that time. If a file cannot be used, the
log says why, and the service goes on with the old ones.

The log of requests goes to stderr; --quiet leaves it out.`,
		Example: `  acdclip serve
  curl --data-binary @photo.jpg 'http://127.0.0.1:8080/v1/score?class=bolt&pixel_threshold=0.5'
  curl -F a=@1.png -F b=@2.png -F class=bolt http://127.0.0.1:8080/v1/score
  curl -H 'Accept: image/png' --data-binary @photo.jpg http://127.0.0.1:8080/v1/score > heat.png
  acdclip serve --class bolt --watch camera --out line-1 --post https://example.com/hook
  acdclip serve --clip ViT-L-14-336px.pt --checkpoint last.safetensors --class bolt --listen :8443 --token-file token --tls-cert cert.pem --tls-key key.pem`,
		Args: noArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			o.takeFlags(thresholds)
			return runServe(command.Context(), o)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8080", "`ADDRESS` to listen on; port 0 takes a free one")
	o.registerModel(flags)
	flags.IntVar(&o.batch, "batch", 4, "`N` most pictures per forward pass")
	flags.DurationVar(&o.maxWait, "max-wait", 5*time.Millisecond, "`TIME` longest time for which a picture waits for others while the model is free")
	flags.IntVar(&o.queue, "queue", batching.DefaultQueue, "`N` most pictures that are worked on or wait; further ones are refused")
	o.registerThresholds(flags, &thresholds)
	ui.Choice(flags, &o.colorMap, "colormap", heatmap.ColorMaps(), "colors of heat maps")
	flags.Int64Var(&o.limits.BodyBytes, "max-bytes", 64<<20, "`N` most bytes of a request; all requests together have at most eight times as many")
	flags.IntVar(&o.limits.Parts, "max-pictures", 64, "`N` most pictures of a request")
	flags.IntVar(&o.maxClasses, "max-classes", detect.DefaultMaxClasses, "`N` most classes that are kept prepared; those used last stay")
	flags.DurationVar(&o.limits.Reading, "read-timeout", 30*time.Second, "`TIME` longest time to receive a request")
	flags.DurationVar(&o.limits.Scoring, "timeout", time.Minute, "`TIME` longest time to work on a request")
	flags.DurationVar(&o.drain, "drain", 30*time.Second, "`TIME` longest wait for running requests at the end")
	flags.StringVar(&o.tlsCert, "tls-cert", "", "`FILE` certificate in PEM, for HTTPS")
	flags.StringVar(&o.tlsKey, "tls-key", "", "`FILE` key of the certificate")
	flags.StringVar(&o.tokenFile, "token-file", "", "`FILE` with a token that requests must bring: Authorization: Bearer TOKEN")
	o.watching.registerWatch(flags)
	return command
}

// bodiesInMemory is how many of the largest requests are held in memory at a time.
const bodiesInMemory = 8

// writingTime is the longest time to send an answer.
const writingTime = time.Minute

// check finds wrong flags and contradictions between them.
func (o *serveOptions) check() error {
	for _, flag := range []struct {
		name  string
		value int
	}{{"--queue", o.queue}, {"--max-pictures", o.limits.Parts}, {"--max-classes", o.maxClasses}} {
		if err := positive(flag.name, flag.value); err != nil {
			return err
		}
	}
	for _, flag := range []struct {
		name  string
		value time.Duration
	}{{"--read-timeout", o.limits.Reading}, {"--timeout", o.limits.Scoring}, {"--drain", o.drain}} {
		if flag.value <= 0 {
			return usagef("%s is %v, but must be longer than 0", flag.name, flag.value)
		}
	}
	const mostBytes = 1 << 40
	switch {
	case o.limits.BodyBytes < 1 || o.limits.BodyBytes > mostBytes:
		return usagef("--max-bytes is %d, but must be from 1 to %d", o.limits.BodyBytes, int64(mostBytes))
	case o.listen == "":
		return usagef("--listen is empty")
	case o.queue < o.batch:
		return usagef("--queue %d is less than --batch %d, so no batch could be full", o.queue, o.batch)
	case o.maxWait < 0:
		return usagef("--max-wait is %v, but must not be negative", o.maxWait)
	case (o.tlsCert == "") != (o.tlsKey == ""):
		return usagef("--tls-cert and --tls-key need each other")
	}
	return errors.Join(o.checkFlags(), o.watching.checkWatch(o.config.flags))
}

func runServe(ctx context.Context, o *serveOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	first, err := o.read()
	if err != nil {
		return err
	}
	watch, err := first.watchBeside()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen) // before the model is loaded, which may take long
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	defer listener.Close()
	metrics := serve.NewMetrics()
	revision, err := first.open(ctx, metrics, watch.begin)
	if err != nil {
		return err
	}
	limits := o.limits
	limits.BodiesBytes, limits.Writing = bodiesInMemory*limits.BodyBytes, writingTime
	limits.AtOnce = min(2*o.batch, o.queue) // a batch is scored while the next one is decoded
	server := serve.New(serve.Options{Class: o.class, Domain: o.domain, Limits: limits, Drain: o.drain, Metrics: metrics, Log: o.logger()}, revision)
	defer server.Close()
	ctx, cancel := context.WithCancel(ctx)
	reloading := o.app.onHangUp(ctx, func() { o.reload(ctx, server, metrics, watch) })
	defer func() { cancel(); <-reloading }() // before the server is closed
	o.tellAddress(listener.Addr())
	o.tellManager(systemd.Ready("scoring pictures"))
	defer context.AfterFunc(ctx, func() { o.tellManager(systemd.Stopping()) })()
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error { return server.Serve(working, listener) })
	if watch != nil {
		work.Go(func() error { return watch.watch(working, server, o.limits.BodyBytes) })
	}
	return work.Wait()
}

// reload has the server use the files as they are now, if they can be used.
func (o *serveOptions) reload(ctx context.Context, server *serve.Server, metrics *serve.Metrics, watch *folderWatch) {
	o.tellManager(systemd.Reloading())
	err := server.Reload(ctx, func(ctx context.Context) (*serve.Revision, error) {
		files, err := o.read()
		if err != nil {
			return nil, err
		}
		return files.open(ctx, metrics, func(detector *detect.Detector, _ config.Config) error { return watch.fits(files, detector) })
	})
	switch {
	case ctx.Err() != nil: // it is told already that the service ends
	case err != nil:
		o.tellManager(systemd.Ready("scoring pictures as before; the reload failed, see the log"))
	default:
		o.tellManager(systemd.Ready("scoring pictures; reloaded"))
	}
}

// tellManager warns if the service manager could not be told something.
func (o *serveOptions) tellManager(err error) {
	if err != nil {
		o.app.emit(events.Warning{Text: err.Error()})
	}
}

// tellAddress says where the service listens, and warns if anybody in a network may use it.
func (o *serveOptions) tellAddress(address net.Addr) {
	secure, token := o.tlsCert != "", o.tokenFile != ""
	scheme := "http"
	if secure {
		scheme = "https"
	}
	o.app.emit(events.Notice{Text: fmt.Sprintf("listening on %s://%s", scheme, address)})
	if tcp, ok := address.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() && !token {
		o.app.emit(events.Warning{Text: "everybody who reaches " + address.String() + " may use the service; --token-file limits it to those who have a token"})
	} else if ok && !tcp.IP.IsLoopback() && !secure {
		o.app.emit(events.Warning{Text: "the token and the pictures cross the network unencrypted; give --tls-cert and --tls-key, unless a proxy encrypts them"})
	}
}

// logger writes the log of requests to stderr.
func (o *serveOptions) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if o.config.display.Quiet {
		options.Level = slog.LevelWarn
	}
	if o.config.display.Format == ui.JSON {
		return slog.New(slog.NewJSONHandler(o.app.err, options))
	}
	return slog.New(slog.NewTextHandler(o.app.err, options))
}
