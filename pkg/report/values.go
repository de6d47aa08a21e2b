package report

import (
	"bytes"
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
