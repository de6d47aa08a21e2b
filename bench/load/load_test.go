package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A share q of the values is at most the quantile, and less than q is below it.
func TestQuantile(t *testing.T) {
	for _, test := range []struct {
		count int
		q     float64
		want  time.Duration
	}{
		{0, 0.5, 0}, {1, 0.01, 1}, {1, 0.99, 1}, {2, 0.5, 1}, {3, 0.5, 2}, {4, 0.75, 3},
		{99, 0.99, 99}, {100, 0.99, 99}, {101, 0.99, 100}, {1000, 0.99, 990}, {10, 0, 1}, {10, 1, 10},
	} {
		rising := make([]time.Duration, test.count)
		for i := range rising {
			rising[i] = time.Duration(i + 1)
		}
		if got := Quantile(rising, test.q); got != test.want {
			t.Errorf("quantile %v of 1 to %d is %d, want %d", test.q, test.count, got, test.want)
		}
	}
}

// Four clients of a service that takes 1 s a request, in 9.5 s: each sends ten requests, and
// the last answers come after 10 s.
func TestRunWaitsForItsLastAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls, atOnce atomic.Int64
		score := func(_ context.Context, p Picture) (Row, error) {
			if atOnce.Add(1) > 4 {
				t.Error("more requests at once than clients")
			}
			defer atOnce.Add(-1)
			time.Sleep(time.Second)
			if calls.Add(1)%10 == 0 {
				return Row{}, fmt.Errorf("scoring: %w", &StatusError{Status: http.StatusTooManyRequests})
			}
			return Row{Score: 0.25, MapMax: 0.5}, nil
		}
		report := Run(t.Context(), score, []Picture{{Name: "a"}, {Name: "b"}, {Name: "c"}}, 4, 9500*time.Millisecond)
		if report.Pictures != 36 || report.Errors["status Too Many Requests"] != 4 || len(report.Errors) != 1 {
			t.Errorf("%d pictures and the errors %v, want 36 pictures and 4 refusals", report.Pictures, report.Errors)
		}
		if report.Seconds != 10 || report.Throughput() != 3.6 {
			t.Errorf("%v s and %v pictures/s, want 10 s and 3.6", report.Seconds, report.Throughput())
		}
		if report.P50 != 1 || report.P99 != 1 {
			t.Errorf("p50 %v s and p99 %v s, want 1 s", report.P50, report.P99)
		}
		if len(report.Rows) != 3 {
			t.Errorf("rows of %d pictures, want 3", len(report.Rows))
		}
	})
}

func TestTally(t *testing.T) {
	var tally Tally
	tally.Add("a", Row{0.5, 0.25}, time.Second, nil)
	tally.Add("a", Row{0.25, 0.5}, 3*time.Second, nil)
	tally.Add("a", Row{0.375, 0.375}, 2*time.Second, nil)
	tally.Add("b", Row{1, 1}, 2*time.Second, nil)
	tally.Add("b", Row{}, time.Hour, fmt.Errorf("scoring b: %w", io.ErrUnexpectedEOF))
	report := tally.Report(6 * time.Second)
	if want := (Range{Row{0.25, 0.25}, Row{0.5, 0.5}}); report.Rows["a"] != want {
		t.Errorf("the rows of a are %v, want %v", report.Rows["a"], want)
	}
	if report.P50 != 2 || report.P99 != 3 || report.Throughput() != 4.0/6 || report.Errors["unexpected EOF"] != 1 {
		t.Errorf("%+v", report)
	}
}

// The picture arrives whole under its name, and a refusal has its status.
func TestClient(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, header, err := r.FormFile("picture")
		if err != nil {
			t.Error(err)
			return
		}
		content, _ := io.ReadAll(file) // a wrong content fails below
		if header.Filename != "a.png" || !slices.Equal(content, []byte{1, 2, 3}) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		fmt.Fprint(w, `{"rows": [{"path": "a.png", "score": 0.125, "map_max": 0.75}]}`)
	}))
	defer service.Close()
	client := NewClient(service.URL, 1)
	defer client.Close()
	if row, err := client.Score(t.Context(), Picture{"a.png", []byte{1, 2, 3}}); err != nil || row != (Row{0.125, 0.75}) {
		t.Errorf("%v, %v", row, err)
	}
	_, err := client.Score(t.Context(), Picture{"b.png", []byte{1, 2, 3}})
	if refused, ok := errors.AsType[*StatusError](err); !ok || refused.Status != http.StatusUnprocessableEntity {
		t.Errorf("a refusal is %v", err)
	}
}
