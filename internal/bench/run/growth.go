package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// flat is by how much a figure may grow with the calendar.
const flat = 1.3

// growth makes one calendar larger and larger, and tells what stays as it was.
func growth(b *bench) ([]figure, error) {
	if b.server == nil {
		s, _, err := b.start(b.dir+"/growth", "anna")
		if b.server = s; err != nil {
			return nil, err
		}
	}
	path := b.server.calendar("anna", "growing")
	first, cpu := map[string]float64{}, map[string]float64{}
	var out []figure
	add := func(what, unit string, more bool, size int, s *sample) *figure {
		f := figure{what: fmt.Sprintf("%s, %d events", what, size), value: s.middle(), unit: unit, sample: s}
		if was, ok := first[what]; !ok {
			first[what], cpu[what] = f.value, float64(s.cpu)
		} else {
			times := f.value / was
			if more { // of a rate, less is worse
				times = was / f.value
			}
			f.beside = fmt.Sprintf("%.2f × that of %d", times, b.sizes[0])
			if s.cpu > 0 {
				f.beside += fmt.Sprintf(", %.2f × its processor time", float64(s.cpu)/cpu[what])
			}
			f.goal = atMost(times, flat, "×")
		}
		out = append(out, f)
		fmt.Fprintln(os.Stderr, f) // this takes long with many: one sees where it is
		return &out[len(out)-1]
	}
	have := 0
	for _, size := range b.sizes {
		if err := b.fill(b.server, "anna", "growing", firstGrow+have, size-have, grownText); err != nil {
			return out, err
		}
		have = size
		one, err := b.oneChange("anna", path, 9*firstPut)
		if err != nil {
			return out, err
		}
		add("sync-collection after one change", "ms", false, size, one)
		if err := b.grown(path, size, add); err != nil {
			return out, err
		}
	}
	return out, nil
}

// grown measures one size.
func (b *bench) grown(path string, size int, add func(what, unit string, more bool, size int, s *sample) *figure) error {
	poll, err := b.rates(b.server, 4, "anna", func(c *client, _ int) error { return c.drop(ctagOf(path)) })
	if err != nil {
		return err
	}
	add("PROPFIND for the ctag, 4 clients", "/s", true, size, poll)
	get, err := b.rates(b.server, 4, "anna", func(c *client, n int) error {
		return c.drop(asked{method: "GET", path: fmt.Sprintf("%schanged%d.ics", path, n%10)})
	})
	if err != nil {
		return err
	}
	add("GET, 4 clients", "/s", true, size, get)
	put, err := b.rates(b.server, 8, "anna", func(c *client, n int) error {
		text := strings.Replace(string(eventText(9*firstPut+1000+n%1000, false)), "SUMMARY:", fmt.Sprintf("SUMMARY:%d ", n), 1)
		return c.drop(asked{method: "PUT", path: fmt.Sprintf("%sput%d.ics", path, n%1000), mediaType: calendarType, body: []byte(text)})
	})
	if err != nil {
		return err
	}
	add("PUT, 8 clients", "/s", true, size, put)
	if err := b.server.forgetPeak(); err != nil {
		return err
	}
	all, err := b.whole(syncAsked(path, ""), 1, size)
	if err != nil {
		return err
	}
	peak, err := b.server.memory("VmHWM")
	if err != nil {
		return err
	}
	// For each event, so that what grows as the calendar does is flat.
	each := sample{}
	for _, v := range all.values {
		each.values = append(each.values, v*1000/float64(size))
	}
	add("initial sync-collection, for each event", "µs", false, size, &each)
	add("memory, the most in an initial sync-collection", "MB", false, size, &sample{values: []float64{peak}})
	c := newClient(b.server, "anna")
	defer c.close()
	found, err := c.count(monthAsked(path, ""))
	if err != nil {
		return err
	}
	month, err := b.whole(monthAsked(path, ""), 20, found)
	if err != nil {
		return err
	}
	add("month query", "ms", false, size, month).what += fmt.Sprintf(" (%d found)", found)
	return nil
}

// grownText is event n of the growing calendar. The first thousand are spread
// over everything; of the rest none takes place in the month that is asked for,
// so that a query for it is to cost what it did, however many there are, endless
// series among them.
func grownText(n int) []byte {
	i := n - firstGrow
	text := eventText(n, i < 1000 && i%5 == 0)
	if i < 1000 {
		return text
	}
	if i%5 == 0 {
		text = bytes.Replace(text, []byte("SUMMARY:"), []byte("RRULE:FREQ=YEARLY\r\nSUMMARY:"), 1)
	}
	for _, line := range []string{"DTSTART:", "DTEND:"} {
		at := bytes.Index(text, []byte(line)) + len(line) + len("2027")
		if string(text[at:at+2]) == "03" {
			copy(text[at:], "05")
		}
	}
	return text
}
