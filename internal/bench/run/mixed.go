package main

import (
	"fmt"
	"sync"
)

// mixedLoad is what calendar programs do all day: of ten requests four poll the
// ctag, three synchronise, two fetch an event and one stores one.
func mixedLoad(b *bench) ([]figure, error) {
	path, err := b.sized(10_000)
	if err != nil {
		return nil, err
	}
	names, err := b.names(path)
	if err != nil {
		return nil, err
	}
	if b.peer == "" {
		if err := b.server.forgetPeak(); err != nil {
			return nil, err
		}
	}
	var tokens sync.Map // of each connection
	const clients = 4
	s, err := b.rates(b.server, clients, "anna", func(c *client, n int) error {
		switch n % 10 {
		case 0, 2, 5, 8:
			return c.drop(ctagOf(path))
		case 1, 4, 7:
			token, ok := tokens.Load(c)
			if !ok {
				var err error
				if token, _, err = syncReport(c, path, ""); err != nil {
					return err
				}
			}
			next, _, err := syncReport(c, path, token.(string))
			tokens.Store(c, next)
			return err
		case 3, 6:
			return c.drop(asked{method: "GET", path: names[n*7%len(names)]})
		}
		return c.drop(asked{method: "PUT", path: fmt.Sprintf("%smixed%d.ics", path, n), mediaType: calendarType, body: eventText(3*firstPut+n, false)})
	})
	if err != nil {
		return nil, err
	}
	out := []figure{{what: "mixed load of 4 clients: polls 4, syncs 3, gets 2, puts 1", value: s.middle(), unit: "/s", sample: s, goal: atLeast(s.middle(), 4000, "/s")}}
	if b.peer == "" {
		peak, err := b.server.memory("VmHWM")
		if err != nil {
			return out, err
		}
		out = append(out, figure{what: "memory, the most under that load", value: peak, unit: "MB", goal: atMost(peak, 150, "MB")})
	}
	return out, nil
}
