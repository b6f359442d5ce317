package main

import "fmt"

// monthAsked is a query for March 2027, with more words in calendar-data.
func monthAsked(path, extra string) asked {
	return asked{method: "REPORT", path: path, depth: "1", mediaType: "application/xml",
		body: []byte(`<c:calendar-query xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><prop><getetag/><c:calendar-data>` + extra + `</c:calendar-data></prop><c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"><c:time-range start="20270301T000000Z" end="20270401T000000Z"/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>`)}
}

func monthQuery(b *bench) ([]figure, error) {
	var out []figure
	for _, m := range []struct {
		events           int
		limit, expansion float64
	}{{10_000, 12, 0}, {50_000, 60, 750}} {
		path, err := b.sized(m.events)
		if err != nil {
			return out, err
		}
		c := newClient(b.server, "anna")
		defer c.close()
		found, err := c.count(monthAsked(path, ""))
		if err != nil {
			return out, err
		}
		plain, err := b.whole(monthAsked(path, ""), 7, found)
		if err != nil {
			return out, err
		}
		out = append(out, figure{what: fmt.Sprintf("month query, %d events, a fifth endless series (%d found)", m.events, found), value: plain.middle(), unit: "ms", sample: plain, goal: atMost(plain.middle(), m.limit, "ms")})
		expanded, err := b.whole(monthAsked(path, `<c:expand start="20270301T000000Z" end="20270401T000000Z"/>`), 5, 1)
		if err != nil {
			return out, err
		}
		f := figure{what: "the same with expand", value: expanded.middle(), unit: "ms", sample: expanded}
		if m.expansion > 0 {
			f.goal = atMost(expanded.middle(), m.expansion, "ms")
		}
		out = append(out, f)
	}
	return out, nil
}
