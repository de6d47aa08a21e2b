package pretrained

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"acdclip/pkg/regularfile"
	"acdclip/pkg/weights"
)

// maxConfig is far above the size of any model's configuration.
const maxConfig = 1 << 20

// epsilon is the only supported epsilon of LayerNorm.
const epsilon = 1e-5

// configuration is the JSON configuration file beside the weights.
type configuration struct {
	path string
	tree object
}

// object is a JSON object; null values are nil.
type object map[string]any

// configurationFor reads the configuration of a format beside a weight file with one of
// the usual names; nil if there is none.
func configurationFor(weightFile, format string) (*configuration, error) {
	folder, name := filepath.Split(weightFile)
	path := filepath.Join(folder, "config.json")
	if format == FormatOpenCLIP {
		path = filepath.Join(folder, "open_clip_config.json")
	}
	if !slices.Contains(fileNames, strings.TrimSuffix(name, weights.IndexEnding)) || !exists(path) {
		return nil, nil
	}
	c := &configuration{path: path}
	return c, readJSON(path, &c.tree)
}

// passedOver returns a note about a configuration that was not read because the weight
// file beside it does not have one of the usual names; "" if there is none.
func passedOver(weightFile string) string {
	folder, name := filepath.Split(weightFile)
	if slices.Contains(fileNames, strings.TrimSuffix(name, weights.IndexEnding)) {
		return ""
	}
	for _, beside := range []string{"open_clip_config.json", "config.json"} {
		if path := filepath.Join(folder, beside); exists(path) {
			return fmt.Sprintf("%s was not read, because %s may belong to another model; if they belong together, rename the weights to a name of open_clip or Hugging Face (%s) and give the folder", path, name, strings.Join(fileNames[:2], ", "))
		}
	}
	return ""
}

// refuseByConfiguration returns an error that names a model of another architecture, if
// the configuration beside the weights identifies one. It does not read the weights.
func refuseByConfiguration(weightFile string) error {
	format := FormatHuggingFace
	if strings.HasPrefix(filepath.Base(weightFile), "open_clip_") {
		format = FormatOpenCLIP
	}
	c, err := configurationFor(weightFile, format)
	if err != nil || c == nil {
		return err
	}
	if format == FormatOpenCLIP {
		return c.foreignOpenCLIP()
	}
	return c.foreignHuggingFace()
}

// agree compares the configuration with the weights, sets the activation in a, and
// returns the configured heads.
func (c *configuration) agree(format string, a *Arch) (Heads, error) {
	if format == FormatOpenCLIP {
		return c.agreeOpenCLIP(a)
	}
	return c.agreeHuggingFace(a)
}

// normalised returns how pictures were normalised in training, as the configuration says.
func (c *configuration) normalised(format string) (Normalisation, error) {
	if format == FormatOpenCLIP {
		return c.openCLIPNormalisation()
	}
	return c.huggingFaceNormalisation()
}

func (c *configuration) refuse(format string, args ...any) error {
	return fmt.Errorf("%s "+format+": %w", slices.Concat([]any{c.path}, args, []any{ErrNotCLIP})...)
}

// section returns the object under a key, empty if the key is missing or null.
func (c *configuration) section(tree object, key string) (object, error) {
	switch value := tree[key].(type) {
	case nil:
		return object{}, nil
	case map[string]any:
		return value, nil
	default:
		return nil, c.refuse("sets %s to %s, expected an object", key, brief(value))
	}
}

// statement is a number in a configuration with the value from the weights.
type statement struct {
	section string // with a trailing dot; "" at the top level
	tree    object
	key     string
	actual  int
}

// agreeSizes compares numbers; a missing one matches. A size in pixels may be a pair of equal numbers.
func (c *configuration) agreeSizes(statements []statement) error {
	for _, s := range statements {
		stated, found := s.tree[s.key]
		if !found || stated == nil {
			continue
		}
		pair, isPair := stated.([]any)
		if !isPair || len(pair) != 2 {
			pair = []any{stated}
		}
		for _, number := range pair {
			if number != float64(s.actual) {
				return c.refuse("sets %s to %s, but the weights have %d", s.section+s.key, brief(stated), s.actual)
			}
		}
	}
	return nil
}

// positive reads an integer of at least 1 under a key; missing reports that the key is absent.
func (c *configuration) positive(section string, tree object, key string) (n int, missing bool, err error) {
	stated, found := tree[key]
	if !found || stated == nil {
		return 0, true, nil
	}
	number, ok := stated.(float64)
	if !ok || number < 1 || number > maxSize || number != float64(int(number)) {
		return 0, false, c.refuse("sets %s to %s, expected an integer from 1 to %d", section+key, brief(stated), maxSize)
	}
	return int(number), false, nil
}

// rule reports whether a value is supported, that is, matches what this program computes.
type rule func(value any) bool

// anything is the rule for keys that do not affect inference.
func anything(any) bool { return true }

// off is the rule for unsupported features: null, false and 0 disable them.
func off(value any) bool { return value == nil || value == false || value == 0.0 }

// is returns a rule that accepts one value.
func is(want any) rule { return func(value any) bool { return value == want } }

// empty is the rule for additional arguments, which are not supported.
func empty(value any) bool {
	inner, isObject := value.(map[string]any)
	return value == nil || isObject && len(inner) == 0
}

// usualNorm is the rule for the arguments of a LayerNorm.
func usualNorm(value any) bool {
	inner, _ := value.(map[string]any)
	return empty(value) || len(inner) == 1 && inner["eps"] == epsilon
}

// obey returns an error for the alphabetically first key that has no rule, or whose value violates its rule.
func (c *configuration) obey(section string, tree object, rules map[string]rule) error {
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		rule, known := rules[key]
		if !known {
			return c.refuse("has the unknown key %.200q, which may change the results", section+key)
		}
		if !rule(tree[key]) {
			return c.refuse("sets %s to %s, which is not supported", section+key, brief(tree[key]))
		}
	}
	return nil
}

// brief formats a JSON value, shortened for messages.
func brief(value any) string {
	if number, ok := value.(float64); ok {
		return fmt.Sprint(number)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "(unreadable)"
	}
	return fmt.Sprintf("%.100s", text)
}

// readJSON reads a small JSON file.
func readJSON(path string, into any) error {
	text, err := regularfile.Head(path, maxConfig+1)
	if _, ok := errors.AsType[*regularfile.OtherError](err); ok {
		return fmt.Errorf("reading a CLIP's configuration: %s is not a regular file: %w", path, ErrNotCLIP)
	}
	if err != nil {
		return fmt.Errorf("reading a CLIP's configuration: %w", err)
	}
	if len(text) > maxConfig {
		return fmt.Errorf("%s is larger than %d bytes: %w", path, maxConfig, ErrNotCLIP)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %.300s: %w", path, err.Error(), ErrNotCLIP) // the error may quote a number of any length
	}
	return nil
}
