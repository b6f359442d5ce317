package main

import (
	"bytes"
	"fmt"
)

func inviteColleagues(b *bench) ([]figure, error) {
	if err := b.ensure(); err != nil {
		return nil, err
	}
	var out []figure
	const each = 10
	for _, m := range []struct {
		colleagues int
		limit      float64
	}{{10, 10}, {50, 0}, {200, 120}} {
		if err := b.hire(m.colleagues); err != nil {
			return out, err
		}
		c := newClient(b.server, "anna")
		defer c.close()
		s, err := b.times(b.server, each, func(i int) (func() error, error) {
			uid, text := invitation(m.colleagues, i)
			return nil, c.drop(asked{method: "PUT", path: b.server.calendar("anna", "default") + uid + ".ics", mediaType: calendarType, body: text})
		})
		if err != nil {
			return out, err
		}
		// Right when the PUT returned: the last colleague has all of them.
		last := newClient(b.server, person(m.colleagues-1))
		defer last.close()
		_, n, err := syncReport(last, b.server.calendar(person(m.colleagues-1), "default"), "")
		if err != nil {
			return out, err
		}
		if n < each*b.runs {
			return out, fmt.Errorf("%s has %d of %d meetings after the PUTs returned", person(m.colleagues-1), n, each*b.runs)
		}
		f := figure{what: fmt.Sprintf("PUT of an invitation to %d colleagues, delivered", m.colleagues), value: s.middle(), unit: "ms", sample: s, beside: fmt.Sprintf("%.2f ms for each", s.middle()/float64(m.colleagues))}
		if m.limit > 0 {
			f.goal = atMost(s.middle(), m.limit, "ms")
		}
		out = append(out, f)
	}
	return out, nil
}

func invitation(colleagues, i int) (uid string, text []byte) {
	var e bytes.Buffer
	uid = fmt.Sprintf("meeting-%d-%d@bench.test", colleagues, i)
	fmt.Fprintf(&e, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bench//EN\r\nBEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:20250101T000000Z\r\nDTSTART:202703%02dT100000Z\r\nDTEND:202703%02dT110000Z\r\nSUMMARY:All hands\r\nORGANIZER:mailto:anna@bench.test\r\n", uid, i%28+1, i%28+1)
	for c := range colleagues {
		fmt.Fprintf(&e, "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:%s@bench.test\r\n", person(c))
	}
	e.WriteString("END:VEVENT\r\nEND:VCALENDAR\r\n")
	return uid, e.Bytes()
}
