package cip

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/tz"
)

// Bounds of a free/busy request.
const (
	MaxAsked = 100                  // attendees
	MaxSpan  = 366 * 24 * time.Hour // from DTSTART to DTEND
)

// Query is the body of FREEBUSY: when are some people busy? The draft leaves
// its form open (section 2.4: "fill in example here"); ours is in docs/cip.md.
type Query struct {
	Form      Form
	ID        string // UID, comes back in the answer; "" = none
	From, To  time.Time
	Asker     Person // zero = not said
	Attendees []Person
	Trace     []string // server ids that ask it on behalf of a group
}

// Busy is one attendee's answer.
type Busy struct {
	Attendee Person
	From, To time.Time
	Periods  []freebusy.Period
}

// ParseQuery reads the body of FREEBUSY. Errors wrap ErrBody.
func ParseQuery(data []byte, r Reading) (*Query, error) {
	r = r.orDefault()
	r.Attendees = min(r.Attendees, MaxAsked+1) // the asker is one more
	b, err := readBody(data, r, false)
	if err != nil {
		return nil, err
	}
	main := b.cal.Main()
	if len(main) != 1 || b.form == ICal20 && main[0].Name != "VFREEBUSY" {
		return nil, bad("one free/busy request is expected")
	}
	if m := b.cal.Method(); b.form == ICal20 && !strings.EqualFold(m, "REQUEST") {
		return nil, bad("METHOD:%s is no free/busy request", clip(m))
	}
	c := main[0]
	q := &Query{Form: b.form, ID: b.facts["UID"], Trace: b.trace()}
	zones := tz.NewResolver(b.cal, r.Zone)
	for _, at := range []struct {
		name string
		t    *time.Time
	}{{"DTSTART", &q.From}, {"DTEND", &q.To}} {
		p := c.Prop(at.name)
		if p == nil || b.facts[at.name] == "" {
			return nil, bad("there is no %s", at.name)
		}
		t, err := p.Time()
		if err != nil {
			return nil, bad("%v", err)
		}
		*at.t = zones.Instant(t)
	}
	if !q.From.Before(q.To) || q.To.Sub(q.From) > MaxSpan {
		return nil, bad("the time asked for ends before it begins or is longer than %d days", int(MaxSpan.Hours()/24))
	}
	for _, p := range c.Properties {
		switch p.Name() {
		case "ORGANIZER":
			q.Asker = personOf(p)
		case "ATTENDEE", "X-VCAL-ATTENDEE":
			w := personOf(p)
			if b.form != ICal20 && q.Asker.ID != "" && w.Address.Equal(q.Asker.Address) {
				continue // ROLE=OWNER asks, and is not asked about
			}
			if w.ID != "" && !slices.ContainsFunc(q.Attendees, func(o Person) bool { return o.ID == w.ID }) {
				q.Attendees = append(q.Attendees, w)
			}
		}
	}
	if len(q.Attendees) == 0 && b.form != ICal20 && q.Asker.ID != "" && b.owners == 0 {
		q.Attendees, q.Asker = []Person{q.Asker}, Person{}
	}
	if n := len(q.Attendees); n == 0 || n > MaxAsked {
		return nil, bad("free/busy time is asked for 1 to %d attendees, not %d", MaxAsked, n)
	}
	return q, nil
}

const utc = "20060102T150405Z"

// Encode writes the request in its form; vCalendar 1.0 has no word for it, so
// that it is bare then.
func (q *Query) Encode(now time.Time) []byte {
	var b bytes.Buffer
	if q.Form != ICal20 {
		fmt.Fprintf(&b, "DTSTART:%s\r\nDTEND:%s\r\n", q.From.UTC().Format(utc), q.To.UTC().Format(utc))
		if q.ID != "" {
			fmt.Fprintf(&b, "UID:%s\r\n", q.ID)
		}
		if q.Asker.ID != "" {
			fmt.Fprintf(&b, "ATTENDEE;ROLE=OWNER:%s\r\n", q.Asker.ID)
		}
		if len(q.Trace) > 0 {
			fmt.Fprintf(&b, "X-CIP-TRACE:%s\r\n", strings.Join(q.Trace, ","))
		}
		for _, w := range q.Attendees {
			fmt.Fprintf(&b, "ATTENDEE:%s\r\n", w.ID)
		}
		return b.Bytes()
	}
	cal, c := q.calendar("REQUEST", now, q.From, q.To)
	if q.Asker.Address != "" {
		c.Add(ical.NewProperty("ORGANIZER", string(q.Asker.Address)))
	}
	if len(q.Trace) > 0 {
		c.Set("X-CIP-TRACE", strings.Join(q.Trace, ","))
	}
	for _, w := range q.Attendees {
		c.Add(ical.NewProperty("ATTENDEE", string(w.Address)))
	}
	return cal.Bytes()
}

func (q *Query) calendar(method string, now, from, to time.Time) (*ical.Calendar, *ical.Component) {
	cal := ical.New("-//Convene//CIP//EN")
	cal.Set("METHOD", method)
	c := ical.NewComponent("VFREEBUSY")
	id := q.ID
	if id == "" {
		id = fmt.Sprintf("freebusy-%s-%s", from.UTC().Format(utc), to.UTC().Format(utc))
	}
	c.Add(ical.NewText("UID", id))
	for _, at := range []struct {
		name string
		t    time.Time
	}{{"DTSTAMP", now}, {"DTSTART", from}, {"DTEND", to}} {
		p := ical.NewProperty(at.name, "")
		p.SetTime(ical.UTCTime(at.t))
		c.Add(p)
	}
	cal.Components = append(cal.Components, c)
	return cal, c
}

// EncodeBusy writes the answers in the form of the request.
func (q *Query) EncodeBusy(list []Busy, now time.Time) []byte {
	var b bytes.Buffer
	for _, w := range list {
		if q.Form == ICal20 {
			b.Write(q.reply(w, now))
			continue
		}
		fmt.Fprintf(&b, "ATTENDEE:%s\r\nDTSTART:%s\r\nDTEND:%s\r\n", w.Attendee.ID, q.From.UTC().Format(utc), q.To.UTC().Format(utc))
		for _, p := range w.Periods {
			kind := ""
			switch p.Type {
			case freebusy.Tentative:
				kind = ";TYPE=TENTATIVE"
			case freebusy.Unavailable:
				kind = ";TYPE=UNAVAILABLE"
			}
			fmt.Fprintf(&b, "FREEBUSY%s:%s/%s\r\n", kind, p.From.UTC().Format(utc), p.To.UTC().Format(utc))
		}
	}
	return b.Bytes()
}

// reply is RFC 5546 3.3.3 for one attendee.
func (q *Query) reply(w Busy, now time.Time) []byte {
	cal, c := q.calendar("REPLY", now, q.From, q.To)
	if q.Asker.Address != "" {
		c.Add(ical.NewProperty("ORGANIZER", string(q.Asker.Address)))
	}
	c.Add(ical.NewProperty("ATTENDEE", string(w.Attendee.Address)))
	for _, p := range w.Periods {
		f := ical.NewProperty("FREEBUSY", p.From.UTC().Format(utc)+"/"+p.To.UTC().Format(utc))
		f.SetParam("FBTYPE", fbType(p.Type))
		c.Add(f)
	}
	return cal.Bytes()
}

func fbType(t string) string {
	if t == "" {
		return freebusy.BusyTime
	}
	return t
}

// ParseBusy reads the data of an answer in either form. Errors wrap ErrBody.
func ParseBusy(data []byte) ([]Busy, error) {
	if formOf(data) == ICal20 {
		return parseReplies(data)
	}
	var list []Busy
	zones := tz.NewResolver(ical.New(""), nil)
	for _, line := range physical(data) {
		head, value, _ := cutHead(line)
		value = strings.TrimSpace(value)
		name := headName(line)
		if name == "ATTENDEE" {
			address, ok := ParseUserID(value)
			if !ok {
				return nil, bad("ATTENDEE %q is no user id", clip(value))
			}
			id, _ := UserID(address)
			list = append(list, Busy{Attendee: Person{ID: id, Address: address}})
			continue
		}
		if len(list) == 0 {
			continue // a UID that came back, say
		}
		w := &list[len(list)-1]
		switch name {
		case "DTSTART", "DTEND":
			t, err := ical.ParseTime(value, "", false)
			if err != nil {
				return nil, bad("%v", err)
			}
			if name == "DTSTART" {
				w.From = t.Wall
			} else {
				w.To = t.Wall
			}
		case "FREEBUSY":
			p, err := ical.ParsePeriod(value, "")
			if err != nil {
				return nil, bad("%v", err)
			}
			kind := freebusy.BusyTime
			if up := strings.ToUpper(head); strings.Contains(up, "TENTATIVE") {
				kind = freebusy.Tentative
			} else if strings.Contains(up, "UNAVAILABLE") {
				kind = freebusy.Unavailable
			}
			from, to := span(p, zones)
			w.Periods = append(w.Periods, freebusy.Period{From: from, To: to, Type: kind})
		}
	}
	return list, nil
}

// parseReplies reads concatenated METHOD:REPLY objects.
func parseReplies(data []byte) ([]Busy, error) {
	cals, err := ical.ParseAll(data)
	if err != nil {
		return nil, bad("%v", err)
	}
	var list []Busy
	for _, cal := range cals {
		zones := tz.NewResolver(cal, nil)
		for _, c := range cal.Main() {
			a := c.Prop("ATTENDEE")
			if c.Name != "VFREEBUSY" || a == nil {
				continue
			}
			w := Busy{Attendee: personOf(a)}
			for p := range c.Props("FREEBUSY") {
				periods, err := p.Periods()
				if err != nil {
					return nil, bad("%v", err)
				}
				kind := strings.ToUpper(p.Param("FBTYPE"))
				if kind == freebusy.Free {
					continue
				}
				for _, q := range periods {
					from, to := span(q, zones)
					w.Periods = append(w.Periods, freebusy.Period{From: from, To: to, Type: fbType(kind)})
				}
			}
			list = append(list, w)
		}
	}
	return list, nil
}

// span is a period's start and end.
func span(p ical.Period, zones *tz.Resolver) (from, to time.Time) {
	from = zones.Instant(p.Start)
	if p.HasDuration {
		return from, from.AddDate(0, 0, p.Duration.Days).Add(p.Duration.Exact)
	}
	return from, zones.Instant(p.End)
}
