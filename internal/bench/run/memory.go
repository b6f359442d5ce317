package main

import (
	"fmt"
	"path/filepath"
)

// startToReady starts an empty store that exists already.
func startToReady(b *bench) ([]figure, error) {
	data := filepath.Join(b.dir, "empty")
	var starts, idle sample
	for i := range 3*b.runs + 1 {
		var names []string
		if i == 0 {
			names = []string{"anna"}
		}
		s, d, err := b.start(data, names...)
		if err != nil {
			return nil, err
		}
		mb, err := s.memory("VmRSS")
		if err != nil {
			return nil, err
		}
		if i > 0 {
			starts.values, idle.values = append(starts.values, ms(d)), append(idle.values, mb)
		}
		s.stop()
	}
	return []figure{
		{what: "start to ready", value: starts.middle(), unit: "ms", sample: &starts, goal: atMost(starts.middle(), 100, "ms")},
		{what: "memory after start", value: idle.middle(), unit: "MB", goal: atMost(idle.middle(), 50, "MB")},
	}, nil
}

func memoryAndDisk(b *bench) ([]figure, error) {
	if err := b.ensure(); err != nil {
		return nil, err
	}
	before := b.server.disk()
	const n = 20_000
	if err := b.fill(b.server, "anna", "disk", 4*firstPut, n, single); err != nil {
		return nil, err
	}
	each := float64(b.server.disk()-before) / n
	used, err := b.server.memory("VmRSS")
	if err != nil {
		return nil, err
	}
	return []figure{
		{what: "memory after all that", value: used, unit: "MB"},
		{what: fmt.Sprintf("disk for each of %d imported 2 KB events", n), value: each / 1000, unit: "KB", beside: fmt.Sprintf("%.2f × their text", each/float64(len(eventText(1, false)))), goal: atMost(each/1000, 4, "KB")},
	}, nil
}
