package serve

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"acdclip/pkg/batching"
)

// Metrics count what a Server does, in a registry of their own.
type Metrics struct {
	registry *prometheus.Registry
	handler  http.Handler

	requests     *prometheus.CounterVec
	latency      *prometheus.HistogramVec
	problems     *prometheus.CounterVec
	pictures     prometheus.Counter
	batches      prometheus.Histogram
	batchSeconds prometheus.Histogram
	reloads      *prometheus.CounterVec
	loaded       prometheus.Gauge
}

// Outcomes of a reload.
const (
	reloadDone   = "done"
	reloadFailed = "failed"
)

// NewMetrics returns Metrics for one Server.
func NewMetrics() *Metrics {
	seconds := prometheus.ExponentialBuckets(0.001, 2, 16) // 1 ms to 33 s
	m := &Metrics{
		registry:     prometheus.NewRegistry(),
		requests:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "acdclip_requests_total", Help: "Requests by path and status."}, []string{"path", "status"}),
		latency:      prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "acdclip_request_seconds", Help: "Time from the headers of a request to its answer.", Buckets: seconds}, []string{"path"}),
		problems:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "acdclip_errors_total", Help: "Errors of requests and pictures by kind."}, []string{"kind"}),
		pictures:     prometheus.NewCounter(prometheus.CounterOpts{Name: "acdclip_pictures_total", Help: "Pictures that were scored."}),
		batches:      prometheus.NewHistogram(prometheus.HistogramOpts{Name: "acdclip_batch_pictures", Help: "Pictures in each batch.", Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128}}),
		batchSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "acdclip_batch_seconds", Help: "Time that the model took for a batch.", Buckets: seconds}),
		reloads:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "acdclip_reloads_total", Help: "Reloads of the files by outcome."}, []string{"outcome"}),
		loaded:       prometheus.NewGauge(prometheus.GaugeOpts{Name: "acdclip_last_load_timestamp_seconds", Help: "When the files that are used were loaded, at the start or by the last reload that was done."}),
	}
	for _, outcome := range []string{reloadDone, reloadFailed} {
		m.reloads.WithLabelValues(outcome) // 0 until there is one
	}
	m.loaded.SetToCurrentTime()
	m.registry.MustRegister(m.requests, m.latency, m.problems, m.pictures, m.batches, m.batchSeconds, m.reloads, m.loaded,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	return m
}

// Batch counts a batch that was scored; see batching.Options.
func (m *Metrics) Batch(pictures int, took time.Duration) {
	m.pictures.Add(float64(pictures))
	m.batches.Observe(float64(pictures))
	m.batchSeconds.Observe(took.Seconds())
}

// reload counts a reload, which failed if err is not nil.
func (m *Metrics) reload(err error) {
	outcome := reloadFailed
	if err == nil {
		outcome = reloadDone
		m.loaded.SetToCurrentTime()
	}
	m.reloads.WithLabelValues(outcome).Inc()
}

// watch adds what the models are busy with.
func (m *Metrics) watch(load func() batching.Load) {
	for _, gauge := range []struct {
		name, help string
		value      func() int
	}{
		{"acdclip_queue_places", "Pictures that are decoded, wait or are scored.", func() int { return load().Places }},
		{"acdclip_queue_waiting", "Pictures that wait for the model.", func() int { return load().Waiting }},
		{"acdclip_queue_running", "Pictures that are being scored.", func() int { return load().Running }},
	} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: gauge.name, Help: gauge.help}, func() float64 { return float64(gauge.value()) }))
	}
}

func (m *Metrics) request(path string, status int, took time.Duration) {
	m.requests.WithLabelValues(path, strconv.Itoa(status)).Inc()
	m.latency.WithLabelValues(path).Observe(took.Seconds())
}

func (m *Metrics) problem(kind string) { m.problems.WithLabelValues(kind).Inc() }
