package main

import (
	"fmt"
	"strings"
)

// Numbers of events, so that a UID is used once in a home.
const (
	firstSmall = 0          // the calendars of the measures, one after the other
	firstPut   = 10_000_000 // what clients add
	firstGrow  = 100_000_000
)

// person is the name of a colleague.
func person(i int) string { return fmt.Sprintf("c%03d", i) }

func (b *bench) ensure() error {
	if b.server != nil {
		return nil
	}
	s, _, err := b.start(b.dir+"/data", "anna")
	b.server = s
	return err
}

// hire makes accounts of so many colleagues.
func (b *bench) hire(people int) error {
	if err := b.ensure(); err != nil {
		return err
	}
	for ; b.hired < people; b.hired++ {
		if err := b.addAccount(b.server.data, person(b.hired)+"@bench.test"); err != nil {
			return err
		}
	}
	return nil
}

// sized is a calendar of n events, a fifth of them endless series.
func (b *bench) sized(n int) (path string, err error) {
	if err := b.ensure(); err != nil {
		return "", err
	}
	name := fmt.Sprintf("sized%d", n)
	first := firstSmall
	for _, size := range []int{1_000, 10_000, 50_000} {
		if size < n {
			first += size
		}
	}
	return b.server.calendar("anna", name), b.fill(b.server, "anna", name, first, n, withSeries)
}

// besideBare measures one request from some numbers of clients, and the bare
// handler with the same octets in between.
func (b *bench) besideBare(what string, a asked, least float64) ([]figure, error) {
	var out []figure
	me := newClient(b.server, "anna")
	defer me.close()
	if b.peer == "" {
		if err := b.bare.imitate(me, a); err != nil {
			return nil, err
		}
	}
	for _, clients := range []int{4, 16} {
		work := func(c *client, _ int) error { return c.drop(a) }
		ours, err := b.rates(b.server, clients, "anna", work)
		if err != nil {
			return nil, err
		}
		f := figure{what: fmt.Sprintf("%s, %d clients", what, clients), value: ours.middle(), unit: "/s", sample: ours}
		if b.peer == "" {
			bare, err := b.rates(&b.bare.service, clients, "anna", work)
			if err != nil {
				return nil, err
			}
			ratio := ours.middle() / bare.middle()
			f.beside = fmt.Sprintf("%.0f %% of a bare handler's %s /s, %.1f times its processor time", 100*ratio, number(bare.middle()), float64(ours.cpu)/float64(bare.cpu))
			f.goal = atLeast(100*ratio, least, "% of a bare handler")
		}
		out = append(out, f)
	}
	return out, nil
}

func getOne(b *bench) ([]figure, error) {
	if err := b.ensure(); err != nil {
		return nil, err
	}
	// One event in a small calendar of its own, put there as a client does.
	path, err := b.sized(1_000)
	if err != nil {
		return nil, err
	}
	path += "get.ics"
	if _, err := b.server.do("anna", asked{method: "PUT", path: path, mediaType: calendarType, body: eventText(firstPut-1, false)}); err != nil {
		return nil, err
	}
	return b.besideBare("GET of a 2 KB event", asked{method: "GET", path: path}, 35)
}

func ctagOf(path string) asked {
	return asked{method: "PROPFIND", path: path, depth: "0", mediaType: "application/xml",
		body: []byte(`<propfind xmlns="DAV:" xmlns:cs="http://calendarserver.org/ns/"><prop><cs:getctag/></prop></propfind>`)}
}

func pollCtag(b *bench) ([]figure, error) {
	path, err := b.sized(1_000)
	if err != nil {
		return nil, err
	}
	return b.besideBare("PROPFIND for the ctag", ctagOf(path), 25)
}

func multiget(b *bench) ([]figure, error) {
	path, err := b.sized(10_000)
	if err != nil {
		return nil, err
	}
	names, err := b.names(path)
	if err != nil {
		return nil, err
	}
	c := newClient(b.server, "anna")
	defer c.close()
	s, err := b.times(b.server, 60, func(i int) (func() error, error) {
		var body strings.Builder
		body.WriteString(`<c:calendar-multiget xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><prop><getetag/><c:calendar-data/></prop>`)
		for k := range 50 {
			fmt.Fprintf(&body, "<href>%s</href>", names[(i*50+k)*7%len(names)])
		}
		body.WriteString(`</c:calendar-multiget>`)
		n, err := c.count(asked{method: "REPORT", path: path, mediaType: "application/xml", body: []byte(body.String())})
		if err == nil && n != 50 {
			err = fmt.Errorf("the multiget gave %d of 50", n)
		}
		return nil, err
	})
	if err != nil {
		return nil, err
	}
	return []figure{{what: "multiget of 50 events of 10,000", value: s.middle(), unit: "ms", sample: s, goal: atMost(s.middle(), 3, "ms")}}, nil
}

// names are the hrefs of what is in a calendar.
func (b *bench) names(path string) ([]string, error) {
	text, err := b.server.do("anna", asked{method: "PROPFIND", path: path, depth: "1", mediaType: "application/xml", body: []byte(`<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>`)})
	if err != nil {
		return nil, err
	}
	var out []string
	for part := range strings.SplitSeq(string(text), "href>") {
		if h, _, ok := strings.Cut(part, "</"); ok && strings.HasSuffix(h, ".ics") {
			out = append(out, h)
		}
	}
	return out, nil
}
