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

// Values are named numbers in the order in which they are shown. In JSON they
// are an object that keeps the order.
type Values []Value

// MarshalJSON fails where a number is not finite, which JSON cannot hold.
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

// UnmarshalJSON reads an object of numbers, in its order.
func (v *Values) UnmarshalJSON(content []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(content))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return fmt.Errorf("named values: %s is no object", content)
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
