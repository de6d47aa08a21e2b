package main

import (
	"context"
	"fmt"
	"time"
)

// memory is the largest memory of the service in each quarter of the run, in bytes.
type memory [4]int64

// The bounds of memory in bytes: of all, what deploy/ allows the built-in model with
// data.max_pixels=50000000; of growth, a part of what there was and some more.
const (
	mostMemory  = 2 << 30
	growthShare = 0.1
	growthBytes = 50_000_000
)

// watch samples the memory until ctx ends.
func (s *service) watch(ctx context.Context, lasting time.Duration) (peaks memory, err error) {
	for begun := time.Now(); ctx.Err() == nil; {
		now, err := s.rss()
		if err != nil {
			return peaks, fmt.Errorf("measuring the service's memory: %w", err)
		}
		quarter := min(int(4*time.Since(begun)/lasting), len(peaks)-1)
		peaks[quarter] = max(peaks[quarter], now)
		_ = pause(ctx, 50*time.Millisecond) // its error ends the loop
	}
	return peaks, nil
}

// check says what bounds the memory exceeds.
func (m memory) check() (exceeded []string) {
	for i, peak := range m {
		if peak > mostMemory {
			exceeded = append(exceeded, fmt.Sprintf("quarter %d took %d MB, more than %d MB", i+1, peak/1e6, int64(mostMemory)/1e6))
		}
	}
	if most := float64(m[1])*(1+growthShare) + growthBytes; float64(m[3]) > most {
		exceeded = append(exceeded, fmt.Sprintf("memory grew: quarter 4 took %d MB, quarter 2 %d MB", m[3]/1e6, m[1]/1e6))
	}
	return exceeded
}
