package evaluation

import (
	"errors"
	"strings"
	"testing"

	"acdclip/pkg/data"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
)

// counted is a dataset with a normal and two anomalous pictures of each class.
func counted(classes ...string) *data.Dataset {
	set := &data.Dataset{Name: "parts"}
	for _, name := range classes {
		set.Classes = append(set.Classes, data.Class{Name: name})
		set.Items = append(set.Items, data.Item{Class: name}, data.Item{Class: name, Anomalous: true}, data.Item{Class: name, Anomalous: true})
	}
	return set
}

func mapsOf(class string, normal, anomalous int) report.MapMetrics {
	return report.MapMetrics{Class: class, Maps: normal + anomalous, Normal: normal, Anomalous: anomalous, FPRLimit: metrics.DefaultFPRLimit}
}

func TestOtherClasses(t *testing.T) {
	short := mapsOf("a", 1, 2)
	short.FPRLimit = 0.05
	for name, c := range map[string]struct {
		set  *data.Dataset
		maps report.MapClasses
		says string // "" where they fit
	}{
		"in another order": {counted("a2", "a10"), report.MapClasses{mapsOf("a10", 1, 2), mapsOf("a2", 1, 2)}, ""},
		"one class":        {counted("a"), report.MapClasses{mapsOf("", 1, 2)}, ""},
		"undivided":        {counted("a", "b"), report.MapClasses{mapsOf("", 2, 4)}, "they have no classes, but parts has 2; put the maps in folders CLASS/KIND/..."},
		"other names":      {counted("a", "b"), report.MapClasses{mapsOf("a", 1, 2), mapsOf("c", 1, 2)}, "parts: classes that are only there: c; classes that are only here: b"},
		"fewer":            {counted("a", "b"), report.MapClasses{mapsOf("a", 1, 2)}, "classes that are only here: b"},
		"other counts":     {counted("a"), report.MapClasses{mapsOf("a", 1, 1)}, "a has 1 normal and 1 anomalous maps there, 1 and 2 pictures here"},
		"swapped counts":   {counted("a"), report.MapClasses{mapsOf("", 2, 1)}, "a has 2 normal and 1 anomalous maps there"},
		"another limit":    {counted("a"), report.MapClasses{short}, "AUPRO goes to a false-positive rate of 0.05 there, 0.3 here"},
	} {
		got, err := OtherClasses(c.set, c.maps)
		if c.says != "" {
			if !errors.Is(err, ErrOtherTarget) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want %q", name, err, c.says)
			}
			continue
		}
		if err != nil || len(got) != len(c.set.Classes) {
			t.Errorf("%s: %v, %v", name, got, err)
			continue
		}
		for i, class := range c.set.Classes {
			if got[i].Class != class.Name {
				t.Errorf("%s: place %d has %s, want %s", name, i, got[i].Class, class.Name)
			}
		}
	}
}
