package serve

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"acdclip/pkg/domain"
	"acdclip/pkg/heatmap"
)

// mapFormat is how a map is returned; "" for not at all.
type mapFormat string

const (
	mapPNG mapFormat = "png" // 16-bit grey: 65535 times the score, rounded
	mapNPY mapFormat = "npy" // float32, exact
)

// The limits of fields.
const (
	fieldBytes    = 1 << 10
	classBytes    = 200
	fileNameBytes = 1 << 10
	largestSide   = 2048 // of heat maps in pixels
)

// asked is what a request wants to know about its pictures.
type asked struct {
	class                     string
	domain                    domain.Domain
	threshold, pixelThreshold *float32 // nil for the service's
	anomalyMap                mapFormat
	heatmap                   heatmap.Format // "" for none
	maxSide                   int            // of heat maps
}

// field is one of a request's settings, in its query or its form.
type field struct {
	name string
	set  func(a *asked, value string) *problem
}

func fields() []field {
	return []field{
		{"class", func(a *asked, value string) *problem { return a.setClass(value) }},
		{"domain", func(a *asked, value string) (p *problem) {
			d, err := domain.Parse(shortened(value)) // the error says it; no domain is that long
			a.domain = d
			if err != nil {
				p = problemf(http.StatusBadRequest, kindRequest, "domain: %s", err)
			}
			return p
		}},
		{"threshold", func(a *asked, value string) *problem { return setScore(&a.threshold, "threshold", value) }},
		{"pixel_threshold", func(a *asked, value string) *problem { return setScore(&a.pixelThreshold, "pixel_threshold", value) }},
		{"map", func(a *asked, value string) *problem {
			return setChoice(&a.anomalyMap, "map", value, mapPNG, mapNPY)
		}},
		{"heatmap", func(a *asked, value string) *problem {
			return setChoice(&a.heatmap, "heatmap", value, heatmap.Formats()...)
		}},
		{"max_side", func(a *asked, value string) *problem {
			side, err := strconv.Atoi(value)
			if err != nil || side < 1 || side > largestSide {
				return problemf(http.StatusBadRequest, kindRequest, "max_side must be a whole number from 1 to %d", largestSide)
			}
			a.maxSide = side
			return nil
		}},
	}
}

func (a *asked) setClass(value string) *problem {
	switch {
	case strings.TrimSpace(value) == "":
		return problemf(http.StatusBadRequest, kindRequest, "class is empty; leave it out, or name what the picture shows")
	case len(value) > classBytes:
		return problemf(http.StatusBadRequest, kindRequest, "class is longer than %d bytes", classBytes)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return problemf(http.StatusBadRequest, kindRequest, "class must be a text in UTF-8 without control characters")
	}
	a.class = value
	return nil
}

// setScore sets a threshold. It is parsed in single precision, like scores in answers, so that
// a score from an answer is exactly that score.
func setScore(to **float32, name, value string) *problem {
	parsed, err := strconv.ParseFloat(value, 32)
	if err != nil || math.IsNaN(parsed) || parsed < 0 || parsed > 1 {
		return problemf(http.StatusBadRequest, kindRequest, "%s must be a number from 0 to 1, as scores are", name)
	}
	score := float32(parsed)
	*to = &score
	return nil
}

func setChoice[T ~string](to *T, name, value string, choices ...T) *problem {
	if !slices.Contains(choices, T(value)) {
		return problemf(http.StatusBadRequest, kindRequest, "%s must be one of %q", name, choices)
	}
	*to = T(value)
	return nil
}

// reader sets the fields of a request, each at most once.
type reader struct {
	asked asked
	seen  []string
}

func (r *reader) set(name, value string) error {
	known := fields()
	at := slices.IndexFunc(known, func(f field) bool { return f.name == name })
	switch {
	case at < 0:
		names := make([]string, len(known))
		for i, f := range known {
			names[i] = f.name
		}
		return problemf(http.StatusBadRequest, kindRequest, "unknown field %q; there are %s", shortened(name), strings.Join(names, ", "))
	case slices.Contains(r.seen, name):
		return problemf(http.StatusBadRequest, kindRequest, "%s is given twice", name)
	}
	r.seen = append(r.seen, name)
	if p := known[at].set(&r.asked, value); p != nil {
		return p
	}
	return nil
}

// query sets the fields of a URL's query.
func (r *reader) query(raw string) error {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return problemf(http.StatusBadRequest, kindRequest, "the query is malformed")
	}
	for name, list := range values {
		for _, value := range list {
			if err := r.set(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// shortened is a client's text for a message.
func shortened(text string) string {
	const most = 40
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}
