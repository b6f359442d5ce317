package main

import (
	"fmt"
	"log"
	"runtime"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jcal"
	"github.com/convene-cal/convene/ical/jscal"
	"github.com/convene-cal/convene/ical/vcal1"
	"github.com/convene-cal/convene/ical/xcal"
)

// typedRead reads every value of a component as its type: times, zones,
// attendees, durations, texts. It gives how many it has read.
func typedRead(c *ical.Component) (n int, err error) {
	for _, p := range c.Properties {
		switch p.Name() {
		case "DTSTART", "DTEND", "DTSTAMP", "CREATED", "LAST-MODIFIED":
			_, err = p.Time()
		case "ATTENDEE", "ORGANIZER":
			if p.Address().Key() == "" || p.Param("CN") == "" {
				err = fmt.Errorf("line %d: nobody", p.Line())
			}
			p.Param("PARTSTAT")
			p.Param("ROLE")
		case "CATEGORIES":
			p.TextList()
		case "SEQUENCE":
			_, err = p.Int()
		case "TRIGGER":
			_, err = p.Duration()
		default:
			p.Text()
		}
		if n++; err != nil {
			return n, err
		}
	}
	for _, s := range c.Components {
		m, err := typedRead(s)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

// format is another syntax of the same model.
type format struct {
	name  string
	share int // what part of the input is enough: 1 is all
	write func(*ical.Calendar) ([]byte, error)
	read  func([]byte) (*ical.Calendar, error)
}

var formats = []format{
	{"jCal", 1, jcal.Marshal, jcal.Parse},
	{"xCal", 1, xcal.Marshal, xcal.Parse},
	{"JSCalendar", 20,
		func(c *ical.Calendar) ([]byte, error) { b, _, err := jscal.Marshal(c); return b, err },
		func(b []byte) (*ical.Calendar, error) { l, _, err := jscal.Parse(b); return firstOf(l, err) }},
	{"vCalendar 1.0", 20,
		func(c *ical.Calendar) ([]byte, error) { b, _, err := vcal1.Marshal(c); return b, err },
		func(b []byte) (*ical.Calendar, error) { l, _, err := vcal1.Parse(b); return firstOf(l, err) }},
}

func firstOf(list []*ical.Calendar, err error) (*ical.Calendar, error) {
	if err == nil && len(list) != 1 {
		err = fmt.Errorf("%d calendars", len(list))
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// measureFormats measures what only Convene does: reading all values, and
// the other formats, in octets of their own text.
func measureFormats(t *table, data []byte, rounds int) {
	const typed = "parse, and read every value as its type"
	t.row(typed, "MB/s")
	rate := func(row string, octets func() int) {
		runtime.GC()
		begin := processorTime()
		n := octets()
		t.best(row, "convene", float64(n)/1e6/(processorTime()-begin).Seconds())
	}
	for range rounds {
		rate(typed, func() int {
			c, err := ical.Parse(data)
			if err == nil {
				_, err = typedRead(&c.Component)
			}
			if err != nil {
				log.Fatal(err)
			}
			return len(data)
		})
	}
	for _, f := range formats {
		write, read := "write "+f.name, "read "+f.name
		t.row(write, "MB/s")
		t.row(read, "MB/s")
		part, _ := calendar(len(data) / f.share)
		cal, err := ical.Parse(part)
		if err != nil {
			log.Fatal(err)
		}
		var text []byte
		for range rounds {
			rate(write, func() int {
				if text, err = f.write(cal); err != nil {
					log.Fatalf("%s: %v", f.name, err)
				}
				return len(text)
			})
		}
		for range rounds {
			rate(read, func() int {
				c, err := f.read(text)
				if err != nil || count(&c.Component) != count(&cal.Component) {
					log.Fatalf("%s: does not read what it wrote: %v", f.name, err)
				}
				return len(text)
			})
		}
	}
}

// count is how many events there are.
func count(c *ical.Component) (n int) {
	for range c.Children("VEVENT") {
		n++
	}
	return n
}

// held is how much memory parsing left in use, as a multiple of the input.
func held(before uint64, data []byte) float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc-before) / float64(len(data))
}

// inUse is the memory in use now.
func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// lessIsBetter tells the units of costs from those of rates.
func lessIsBetter(unit string) bool { return !strings.HasSuffix(unit, "/s") }
