package main

import (
	"bytes"
	"fmt"
)

// eventsOfEach is how many events everyone has who is asked when they are busy.
const eventsOfEach = 10_000

func freeBusy(b *bench) ([]figure, error) {
	var out []figure
	// Twenty times as fast as the best peer, which needed 418 and 2,000 ms.
	for _, r := range []struct {
		events int
		limit  float64
	}{{10_000, 418. / 20}, {50_000, 2000. / 20}} {
		path, err := b.sized(r.events)
		if err != nil {
			return out, err
		}
		a := asked{method: "REPORT", path: path, depth: "1", mediaType: "application/xml", body: []byte(`<c:free-busy-query xmlns:c="urn:ietf:params:xml:ns:caldav"><c:time-range start="20270301T000000Z" end="20270401T000000Z"/></c:free-busy-query>`)}
		c := newClient(b.server, "anna")
		defer c.close()
		s, err := b.times(b.server, 7, func(int) (func() error, error) {
			text, err := c.text(a)
			if err == nil && !bytes.Contains(text, []byte("FREEBUSY")) {
				err = fmt.Errorf("no busy time in the answer: %.300s", text)
			}
			return nil, err
		})
		if err != nil {
			return out, err
		}
		out = append(out, figure{what: fmt.Sprintf("free-busy-query for a month, %d events, a fifth endless series", r.events), value: s.middle(), unit: "ms", sample: s, goal: atMost(s.middle(), r.limit, "ms")})
	}
	if b.peer != "" {
		return out, nil
	}
	for _, many := range []struct {
		people int
		limit  float64
	}{{10, 20}, {50, 750}} {
		if err := b.hire(many.people); err != nil {
			return out, err
		}
		for i := range many.people {
			if err := b.fill(b.server, person(i), "work", 0, eventsOfEach, single); err != nil {
				return out, err
			}
		}
		c := newClient(b.server, "anna")
		defer c.close()
		// Another week each time, as people do who look for one that suits.
		s, err := b.times(b.server, 10, func(i int) (func() error, error) {
			text, err := c.text(asked{method: "POST", path: "/dav/calendars/anna/outbox/", mediaType: calendarType, body: freeBusyAsked(many.people, 1+i%20)})
			if n := bytes.Count(text, []byte("2.0;Success")); err == nil && n != many.people {
				err = fmt.Errorf("%d of %d people answered: %.300s", n, many.people, text)
			}
			return nil, err
		})
		if err != nil {
			return out, err
		}
		out = append(out, figure{what: fmt.Sprintf("free/busy POST for a week of %d people with %d events each", many.people, eventsOfEach), value: s.middle(), unit: "ms", sample: s, goal: atMost(s.middle(), many.limit, "ms")})
	}
	return out, nil
}

// freeBusyAsked is the request of RFC 6638 5 for a week from a day of March 2027 on.
func freeBusyAsked(people, day int) []byte {
	var e bytes.Buffer
	fmt.Fprintf(&e, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bench//EN\r\nMETHOD:REQUEST\r\nBEGIN:VFREEBUSY\r\nUID:ask\r\nDTSTAMP:20250101T000000Z\r\nDTSTART:202703%02dT000000Z\r\nDTEND:202703%02dT000000Z\r\nORGANIZER:mailto:anna@bench.test\r\n", day, day+7)
	for i := range people {
		fmt.Fprintf(&e, "ATTENDEE:mailto:%s@bench.test\r\n", person(i))
	}
	e.WriteString("END:VFREEBUSY\r\nEND:VCALENDAR\r\n")
	return e.Bytes()
}
