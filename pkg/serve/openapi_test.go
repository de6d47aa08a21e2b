package serve

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"acdclip/pkg/inspection"
	"acdclip/pkg/report"
)

// specification is what the tests read of openapi.yaml.
type specification struct {
	Paths map[string]map[string]struct {
		OperationID string `yaml:"operationId"`
		Security    []map[string]any
		Parameters  []struct {
			Name    string
			Schema  map[string]any
			Example any
		}
		Responses map[string]any
	}
	Components struct {
		Schemas map[string]struct {
			Properties map[string]map[string]any
		}
	}
}

func readSpecification(t *testing.T) specification {
	t.Helper()
	var spec specification
	if err := yaml.Unmarshal(openAPI, &spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

// The description has the paths, methods and fields that there are, and no others.
func TestOpenAPIPaths(t *testing.T) {
	spec := readSpecification(t)
	described, there := []string{}, []string{}
	for path, methods := range spec.Paths {
		for method, operation := range methods {
			described = append(described, fmt.Sprintf("%s %s open %v", strings.ToUpper(method), path, operation.Security != nil))
		}
	}
	for _, r := range routes() {
		there = append(there, fmt.Sprintf("%s %s open %v", r.method, r.path, r.open))
	}
	slices.Sort(described)
	slices.Sort(there)
	if !slices.Equal(described, there) {
		t.Errorf("described are\n%s\nthere are\n%s", strings.Join(described, "\n"), strings.Join(there, "\n"))
	}
	var parameters, known []string
	for _, p := range spec.Paths["/v1/score"]["post"].Parameters {
		parameters = append(parameters, p.Name)
	}
	for _, f := range fields() {
		known = append(known, f.name)
	}
	if !slices.Equal(parameters, known) {
		t.Errorf("described are the fields %q, there are %q", parameters, known)
	}
}

// The described values of fields are accepted.
func TestOpenAPIExamples(t *testing.T) {
	s, tried := start(t, &fake{}, nil), 0
	for _, p := range readSpecification(t).Paths["/v1/score"]["post"].Parameters {
		values := []any{}
		if choices, ok := p.Schema["enum"].([]any); ok {
			values = choices
		}
		for _, value := range []any{p.Example, p.Schema["minimum"], p.Schema["maximum"]} {
			if value != nil {
				values = append(values, value)
			}
		}
		for _, value := range values {
			tried++
			kind, body := form(t, []string{fmt.Sprintf("%s=%v", p.Name, value)}, upload{"a.png", plain(t, 9, 9, 9)})
			if got := s.send(http.MethodPost, "/v1/score", kind, body); got.status != http.StatusOK {
				t.Errorf("%s=%v: %d %s", p.Name, value, got.status, got.body)
			}
		}
	}
	if tried < len(fields()) {
		t.Errorf("only %d values were tried", tried)
	}
}

// keys are the keys of a JSON object.
func keys(t *testing.T, object []byte) []string {
	t.Helper()
	var tree map[string]any
	if err := json.Unmarshal(object, &tree); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(tree))
}

// All kinds of problems are described.
func TestOpenAPIKinds(t *testing.T) {
	inner := readSpecification(t).Components.Schemas["Problem"].Properties["error"]["properties"].(map[string]any)
	described := fmt.Sprint(inner["kind"].(map[string]any)["enum"])
	if there := fmt.Sprint([]string{kindRequest, kindToken, kindOrigin, kindNotFound, kindMethod, kindSlow, kindLarge, kindPicture, kindBusy, kindInternal, kindClosing, kindTimeout, kindGone}); described != there {
		t.Errorf("described are %s, there are %s", described, there)
	}
}

// The described schemas have the keys of the answers.
func TestOpenAPISchemas(t *testing.T) {
	spec := readSpecification(t)
	marshal := func(v any) []byte {
		t.Helper()
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	row, err := report.PredictionJSON(report.Prediction{}, false)
	if err != nil {
		t.Fatal(err)
	}
	for name, object := range map[string][]byte{
		"Answer": marshal(report.PredictionRows{}), "Thresholds": marshal(report.Thresholds{}), "Row": row, "Model": marshal(modelAnswer{}), "Weights": marshal(Weights{}),
		"State": marshal(state{}), "Problem": marshal(map[string]*problem{"error": {}}),
	} {
		if got, want := slices.Sorted(maps.Keys(spec.Components.Schemas[name].Properties)), keys(t, object); !slices.Equal(got, want) {
			t.Errorf("%s: described are %q, there are %q", name, got, want)
		}
	}
	if len(spec.Components.Schemas) != 7 {
		t.Errorf("%d schemas are described", len(spec.Components.Schemas))
	}
	inner := spec.Components.Schemas["Problem"].Properties["error"]["properties"].(map[string]any)
	if got, want := slices.Sorted(maps.Keys(inner)), keys(t, marshal(problem{})); !slices.Equal(got, want) {
		t.Errorf("a problem: described are %q, there are %q", got, want)
	}
	limits := spec.Components.Schemas["Model"].Properties["limits"]["properties"].(map[string]any)
	if got, want := slices.Sorted(maps.Keys(limits)), keys(t, marshal(limitsAnswer{})); !slices.Equal(got, want) {
		t.Errorf("limits: described are %q, there are %q", got, want)
	}
}

// Each described status can happen, and none else.
func TestOpenAPIStatuses(t *testing.T) {
	seen := map[string][]string{}
	note := func(path string, got reply) {
		seen[path] = append(seen[path], fmt.Sprint(got.status))
	}
	good := plain(t, 9, 9, 9)
	s := start(t, &fake{}, nil)
	for _, r := range routes() {
		note(r.path, s.send(r.method, r.path, "", strings.NewReader(string(good))))
		note(r.path, s.send(http.MethodDelete, r.path, "", nil))
		note(r.path, reply{status: s.hosted(r.path, "example.org")})
	}
	note("/v1/score", s.post("?class=", good))
	note("/v1/score", s.post("", good, "Sec-Fetch-Site", "cross-site"))
	note("/v1/score", s.post("", []byte("a text")))
	note("/v1/score", s.post("?class=panic", good))
	note("/v1/score", s.post("", make([]byte, 2<<20)))
	locked := start(t, &fake{}, func(o *setup, _ *inspection.Options) { o.Token = "right" })
	for _, r := range routes() {
		note(r.path, locked.send(r.method, r.path, "", strings.NewReader(string(good)), "Authorization", "Bearer right"))
		note(r.path, locked.send(r.method, r.path, "", strings.NewReader(string(good))))
	}
	slow := start(t, &fake{}, func(o *setup, _ *inspection.Options) { o.Limits.Reading = 50 * time.Millisecond })
	connection := slow.dial(100, []byte("half"))
	defer connection.Close()
	note("/v1/score", readReply(t, connection))

	f := &fake{begins: make(chan struct{}), goes: make(chan struct{})}
	full := start(t, f, func(_ *setup, m *inspection.Options) { m.Batching.Queue = 1 })
	first := make(chan reply)
	go func() { first <- full.post("", good) }()
	<-f.begins
	note("/v1/score", full.post("", good))
	full.stop()
	for got := (reply{}); got.status != http.StatusServiceUnavailable; {
		if got = full.send(http.MethodGet, "/readyz", "", nil); got.status == http.StatusServiceUnavailable {
			note("/readyz", got)
		}
	}
	note("/v1/score", full.post("", good))
	close(f.goes)
	<-first

	spec := readSpecification(t)
	for path, methods := range spec.Paths {
		for _, operation := range methods {
			got := seen[path]
			slices.Sort(got)
			if got, want := slices.Compact(got), slices.Sorted(maps.Keys(operation.Responses)); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: described are %q, seen %q", path, want, got)
			}
		}
	}
}
