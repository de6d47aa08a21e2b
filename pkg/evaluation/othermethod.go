package evaluation

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"acdclip/pkg/data"
	"acdclip/pkg/metrics"
	"acdclip/pkg/plural"
	"acdclip/pkg/report"
)

// ErrOtherTarget reports metrics of another method that are not those of the target.
var ErrOtherTarget = errors.New("these are not the metrics of the same pictures")

// OtherClasses returns the classes of another method's metrics in the order of a dataset's,
// if they have the same names and the same numbers of pictures. Maps without classes are
// those of a dataset with one class. Otherwise the error wraps ErrOtherTarget and names the
// differences.
func OtherClasses(set *data.Dataset, classes report.MapClasses) (report.MapClasses, error) {
	ordered := slices.Clone(classes)
	if len(ordered) == 1 && ordered[0].Class == "" {
		if len(set.Classes) != 1 {
			return nil, fmt.Errorf("%w: they have no classes, but %s has %d; put the maps in folders CLASS/KIND/... and compute them again", ErrOtherTarget, set.Name, len(set.Classes))
		}
		ordered[0].Class = set.Classes[0].Name
	}
	place := map[string]int{}
	for i, class := range set.Classes {
		place[class.Name] = i
	}
	var unknown, missing, differences []string
	given := map[string]report.MapMetrics{}
	for _, class := range ordered {
		if _, known := place[class.Class]; !known {
			unknown = append(unknown, report.EscapeName(class.Class))
		}
		given[class.Class] = class
	}
	for _, count := range set.Counts() {
		class, found := given[count.Class]
		switch {
		case !found:
			missing = append(missing, report.EscapeName(count.Class))
		case class.Normal != count.Normal || class.Anomalous != count.Anomalous:
			differences = append(differences, fmt.Sprintf("%s has %d normal and %d anomalous maps there, %d and %d pictures here",
				report.EscapeName(count.Class), class.Normal, class.Anomalous, count.Normal, count.Anomalous))
		}
	}
	if unknown != nil {
		differences = append(differences, "classes that are only there: "+plural.Few(unknown))
	}
	if missing != nil {
		differences = append(differences, "classes that are only here: "+plural.Few(missing))
	}
	if limit := ordered[0].FPRLimit; slices.ContainsFunc(ordered, func(m report.MapMetrics) bool { return m.FPRLimit != metrics.DefaultFPRLimit }) {
		differences = append(differences, fmt.Sprintf("AUPRO goes to a false-positive rate of %v there, %v here", limit, metrics.DefaultFPRLimit))
	}
	if differences != nil {
		return nil, fmt.Errorf("%w: %s: %s", ErrOtherTarget, set.Name, strings.Join(differences, "; "))
	}
	slices.SortFunc(ordered, func(a, b report.MapMetrics) int { return place[a.Class] - place[b.Class] })
	return ordered, nil
}
