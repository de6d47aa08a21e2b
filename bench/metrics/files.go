package main

import (
	"encoding/binary"
	"fmt"
	"os"
)

// read reads raw little-endian float32 scores, and one byte per score.
func read(scoresPath, bytesPath string) ([]float32, []uint8, error) {
	raw, err := os.ReadFile(scoresPath)
	if err != nil {
		return nil, nil, err
	}
	scores := make([]float32, len(raw)/4)
	if _, err := binary.Decode(raw, binary.LittleEndian, scores); err != nil {
		return nil, nil, err
	}
	bytes, err := os.ReadFile(bytesPath)
	if err == nil && len(bytes) != len(scores) {
		err = fmt.Errorf("got %d scores but %d label or mask bytes", len(scores), len(bytes))
	}
	return scores, bytes, err
}
