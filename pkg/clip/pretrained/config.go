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

// epsilon is the only one of a LayerNorm that is computed.
const epsilon = 1e-5

// configuration is the JSON file beside weights that says what they are.
type configuration struct {
	path string
	tree object
}

// object is a JSON object: of a name's value, nil where it is null.
type object map[string]any

// configurationFor reads the configuration of a format that lies beside a weight
// file of one of the usual names; nil for none.
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

// passedOver tells of a configuration that lies beside a weight file of another
// name than those that go with one, and that is therefore not read; "" for none.
func passedOver(weightFile string) string {
	folder, name := filepath.Split(weightFile)
	if slices.Contains(fileNames, strings.TrimSuffix(name, weights.IndexEnding)) {
		return ""
	}
	for _, beside := range []string{"open_clip_config.json", "config.json"} {
		if path := filepath.Join(folder, beside); exists(path) {
			return fmt.Sprintf("%s was not read: whether it belongs to %s cannot be told by that name; if it does, call the weights as open_clip or Hugging Face call them (%s) and give the folder", path, name, strings.Join(fileNames[:2], ", "))
		}
	}
	return ""
}

// refuseByConfiguration names a model of another design by what the configuration
// beside its weights says, before they are looked at.
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

// agree holds the configuration against the weights, takes its activation and
// gives the heads that it says.
func (c *configuration) agree(format string, a *Arch) (Heads, error) {
	if format == FormatOpenCLIP {
		return c.agreeOpenCLIP(a)
	}
	return c.agreeHuggingFace(a)
}

func (c *configuration) refuse(format string, args ...any) error {
	return fmt.Errorf("%s "+format+": %w", slices.Concat([]any{c.path}, args, []any{ErrNotCLIP})...)
}

// section is the object under a key, empty where the key is missing or null.
func (c *configuration) section(tree object, key string) (object, error) {
	switch value := tree[key].(type) {
	case nil:
		return object{}, nil
	case map[string]any:
		return value, nil
	default:
		return nil, c.refuse("says %s %s, which is no object", key, brief(value))
	}
}

// statement is a number in a configuration, and what the weights say.
type statement struct {
	section string // with its dot; "" at the top
	tree    object
	key     string
	actual  int
}

// agreeSizes compares numbers; a missing one agrees. A size in pixels may be a pair of equal ones.
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
				return c.refuse("says %s %s, the weights say %d", s.section+s.key, brief(stated), s.actual)
			}
		}
	}
	return nil
}

// positive is a whole number of at least 1 under a key; missing says that it is not there.
func (c *configuration) positive(section string, tree object, key string) (n int, missing bool, err error) {
	stated, found := tree[key]
	if !found || stated == nil {
		return 0, true, nil
	}
	number, ok := stated.(float64)
	if !ok || number < 1 || number > maxSize || number != float64(int(number)) {
		return 0, false, c.refuse("says %s %s, which is no whole number in 1 to %d", section+key, brief(stated), maxSize)
	}
	return int(number), false, nil
}

// rule says whether a value gives the numbers that are computed here.
type rule func(value any) bool

// anything is for keys that change no number of a finished CLIP.
func anything(any) bool { return true }

// off is for what is not computed: null, false and 0 leave it out.
func off(value any) bool { return value == nil || value == false || value == 0.0 }

// is wants one value.
func is(want any) rule { return func(value any) bool { return value == want } }

// empty is for further arguments, of which there may be none.
func empty(value any) bool {
	inner, isObject := value.(map[string]any)
	return value == nil || isObject && len(inner) == 0
}

// usualNorm is for the arguments of a LayerNorm.
func usualNorm(value any) bool {
	inner, _ := value.(map[string]any)
	return empty(value) || len(inner) == 1 && inner["eps"] == epsilon
}

// numbers wants a list of three numbers.
func numbers(want [3]float64) rule {
	return func(value any) bool {
		list, _ := value.([]any)
		return slices.EqualFunc(list, want[:], func(stated any, number float64) bool { return stated == number })
	}
}

// obey refuses a key that is not in rules, or whose value breaks its rule, the first in the alphabet.
func (c *configuration) obey(section string, tree object, rules map[string]rule) error {
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		rule, known := rules[key]
		if !known {
			return c.refuse("has the key %.200q, which is not known here and may change the numbers", section+key)
		}
		if !rule(tree[key]) {
			return c.refuse("says %s %s, which is not what is computed here", section+key, brief(tree[key]))
		}
	}
	return nil
}

// brief writes a JSON value in a few characters.
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
		return fmt.Errorf("reading a CLIP's configuration: %s is no regular file: %w", path, ErrNotCLIP)
	}
	if err != nil {
		return fmt.Errorf("reading a CLIP's configuration: %w", err)
	}
	if len(text) > maxConfig {
		return fmt.Errorf("%s is larger than %d bytes: %w", path, maxConfig, ErrNotCLIP)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %.300s: %w", path, err.Error(), ErrNotCLIP) // it may quote a number of any length
	}
	return nil
}
