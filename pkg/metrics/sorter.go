package metrics

import "slices"

// sorter sorts runs, one after the other, and reuses its memory.
type sorter struct {
	spare                 []uint32
	records, spareRecords []uint64
	bytes                 []byte
}

// sort sorts samples by key, in place.
func (s *sorter) sort(m memory) memory {
	if len(m.tags) == 0 {
		m.keys, s.spare = sortByKey(m.keys, resized(s.spare, len(m.keys)), 0)
	} else {
		s.sortTagged(m)
	}
	if len(m.keys) < cap(m.keys)/2 { // a short run must not keep the memory of a full one
		m.keys, m.tags = slices.Clone(m.keys), slices.Clone(m.tags)
	}
	return m
}

func (s *sorter) sortTagged(m memory) {
	s.records, s.spareRecords = resized(s.records, len(m.keys)), resized(s.spareRecords, len(m.keys))
	for i, key := range m.keys {
		s.records[i] = uint64(key)<<8 | uint64(m.tags[i])
	}
	s.records, s.spareRecords = sortByKey(s.records, s.spareRecords, 8)
	for i, record := range s.records {
		m.keys[i], m.tags[i] = uint32(record>>8), uint8(record)
	}
}
