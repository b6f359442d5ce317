package main

import "fmt"

func putNew(b *bench) ([]figure, error) {
	if err := b.ensure(); err != nil {
		return nil, err
	}
	var out []figure
	for _, clients := range []int{1, 8, 16} {
		name := fmt.Sprintf("put%d", clients)
		if err := b.server.makeCalendar("anna", name); err != nil {
			return nil, err
		}
		path := b.server.calendar("anna", name)
		s, err := b.rates(b.server, clients, "anna", func(c *client, n int) error {
			id := clients*firstPut + n
			return c.drop(asked{method: "PUT", path: fmt.Sprintf("%se%d.ics", path, id), mediaType: calendarType, body: eventText(id, false)})
		})
		if err != nil {
			return nil, err
		}
		f := figure{what: fmt.Sprintf("PUT of a new 2 KB event, %d clients", clients), value: s.middle(), unit: "/s", sample: s}
		if b.base.commitsPerSecond > 0 {
			f.beside = fmt.Sprintf("%.2f × bare commits", s.middle()/b.base.commitsPerSecond)
		}
		if clients >= 8 {
			f.goal = atLeast(s.middle(), 2500, "/s")
		}
		out = append(out, f)
	}
	return out, nil
}
