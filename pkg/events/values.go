package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Value is a number with a name, such as a term of the loss.
type Value struct {
	Name  string
	Value float64
}

// Values are named numbers in display order. In JSON they are an object with its keys in
// that order.
type Values []Value

// MarshalJSON encodes the values. A number that is not finite is an error, because JSON
// cannot hold it.
func (v Values) MarshalJSON() ([]byte, error) {
	object := []byte{'{'}
	for i, value := range v {
		if math.IsNaN(value.Value) || math.IsInf(value.Value, 0) {
			return nil, fmt.Errorf("named values: %s is %v: only finite numbers are written", value.Name, value.Value)
		}
		name, err := json.Marshal(value.Name)
		if err != nil {
			return nil, fmt.Errorf("named values: %w", err)
		}
		if i > 0 {
			object = append(object, ',')
		}
		object = append(append(object, name...), ':')
		object = strconv.AppendFloat(object, value.Value, 'g', -1, 64)
	}
	return append(object, '}'), nil
}

// UnmarshalJSON decodes an object of numbers and keeps their order.
func (v *Values) UnmarshalJSON(content []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(content))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return fmt.Errorf("named values: %s is not a JSON object", content)
	}
	*v = nil
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("named values: %w", err)
		}
		var value float64
		if err := decoder.Decode(&value); err != nil {
			return fmt.Errorf("named values: %v: %w", name, err)
		}
		*v = append(*v, Value{name.(string), value}) // an object's keys are strings
	}
	return nil
}
