package report

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	fields := make([]field, len(v))
	for i, value := range v {
		fields[i] = field{value.Name, value.Value}
	}
	var object bytes.Buffer
	if err := writeObject(&object, fields); err != nil {
		return nil, fmt.Errorf("named values: %w", err)
	}
	return object.Bytes(), nil
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
