package engine

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
)

// flattened gives the values of a JSON object, those of objects in it by dotted names.
func flattened(text []byte) (map[string]any, error) {
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	flat := map[string]any{}
	var walk func(prefix string, tree map[string]any)
	walk = func(prefix string, tree map[string]any) {
		for name, value := range tree {
			if section, ok := value.(map[string]any); ok {
				walk(prefix+name+".", section)
				continue
			}
			flat[prefix+name] = value
		}
	}
	walk("", tree)
	return flat, nil
}

// differingKeys lists the keys whose values differ, or that only one has, in order.
func differingKeys(a, b map[string]any) []string {
	either := maps.Clone(a)
	maps.Copy(either, b)
	var differ []string
	for _, name := range slices.Sorted(maps.Keys(either)) {
		if !reflect.DeepEqual(a[name], b[name]) {
			differ = append(differ, name)
		}
	}
	return differ
}
