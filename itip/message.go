package itip

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// What leaves the house, by property. A REQUEST carries all the organizer said
// about the event; the others carry what identifies it and lets a person
// recognise it (RFC 5546 3.2.3: optional properties of a REPLY say the same as
// the request did).
var (
	// private is never sent: the owner's own view of the event, and what only
	// we and the owner's client exchange.
	private = set("COLOR", "CATEGORIES", "COMMENT", "REQUEST-STATUS", "METHOD", "ACKNOWLEDGED", "LAST-MODIFIED",
		// made anew for every message:
		"DTSTAMP", "SEQUENCE", "ORGANIZER", "ATTENDEE", "STATUS", "DURATION", "DTEND")
	// outward X- properties, all others stay at home.
	outward = set("X-MICROSOFT-CDO-IMPORTANCE", "X-MICROSOFT-DISALLOW-COUNTER", "X-ALT-DESC",
		"X-APPLE-STRUCTURED-LOCATION", "X-APPLE-MAPKIT-HANDLE")
	// recognisable is what REPLY and CANCEL repeat.
	recognisable = set("UID", "RECURRENCE-ID", "DTSTART", "DUE", "SUMMARY", "LOCATION", "RRULE", "RDATE", "EXDATE",
		"PRIORITY", "X-MICROSOFT-CDO-OWNERAPPTID")
	// progressive is what the REPLY to a to-do adds (RFC 5546 3.4.3).
	progressive = set("PERCENT-COMPLETE", "COMPLETED", "STATUS")
	// timed properties have a TZID to bring into a form everyone knows.
	timed = set("DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "RDATE", "EXDATE")
	// repeats make a series; they never stand beside RECURRENCE-ID.
	repeats = set("RRULE", "RDATE", "EXDATE", "EXRULE")
)

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// letter writes the messages about one object.
type letter struct {
	o      *object
	stamp  time.Time
	sentBy ical.Address
	zone   *tz.Zone // for floating times; nil = UTC

	// What messages about the parts of one series have in common.
	lines  map[string]*ical.Property // attendees as they go out, by the line they come from
	strict map[*ical.Property]bool   // the same lines
	counts struct {                  // SEQUENCE of the calendar sent last
		of       *ical.Calendar
		sequence int
	}
	zoned  map[string]*ical.Component  // VTIMEZONEs by zone and span
	spans  map[years][]*ical.Component // VTIMEZONEs of such messages, by their years
	unseen map[*ical.Component]*unseen // where the list of guests is hidden
	mould  *mould                      // the last message about one occurrence that others are written after
}

// calendar wraps components into an iTIP object with the zones they use (RFC
// 5546 3.1.2: every one of them, in every message).
func (l *letter) calendar(m Method, list ...*ical.Component) *ical.Calendar {
	cal := ical.New(ProductID)
	cal.Set("METHOD", string(m))
	cal.Components = append(cal.Components, list...)
	// What is in the strict form already is kept apart: it is shared.
	guests := make([][]*ical.Property, len(list))
	for i, c := range list {
		guests[i] = l.setAside(c)
		onlyOnce(c)
	}
	zones := l.zonesOf(cal)
	if zones == nil {
		tz.Complete(cal, l.o.zones)
	}
	cal.Normalize() // what a client wrote loosely goes out in the strict form
	cal.Components = slices.Insert(cal.Components, 0, zones...)
	for i, c := range list {
		c.Properties = append(c.Properties, guests[i]...)
	}
	for _, c := range cal.Main() {
		escape(c)
	}
	return cal
}

// escape writes texts as RFC 5545 3.3.11 wants them where a client left a comma,
// a semicolon or a backslash bare. Identifiers stay as they are.
func escape(c *ical.Component) {
	for _, p := range c.Properties {
		d, ok := ical.LookupProperty(p.Name())
		if !ok || d.List || d.Default() != ical.Text || p.HasParam("VALUE") || structured[p.Name()] {
			continue
		}
		if strict := ical.EscapeText(p.Text()); strict != p.Value() {
			p.SetValue(strict)
		}
	}
}

// structured texts have a syntax of their own, in which a semicolon divides.
var structured = set("UID", "RELATED-TO", "REQUEST-STATUS")

// request is a component as the attendees see it (RFC 5546 3.2.2). without are
// the occurrences that the recipients are not invited to (RFC 6638 3.2.6) (OTH-06, OTH-11).
func (l *letter) request(c *ical.Component, without []string) *ical.Component {
	out := l.base(c, func(name string) bool {
		if strings.HasPrefix(name, "X-") {
			return outward[name]
		}
		return !private[name]
	})
	l.end(out, c)
	if out.Prop("SUMMARY") == nil {
		out.Add(ical.NewProperty("SUMMARY", "")) // RFC 5546 3.2.2: present, may be empty
	}
	out.Add(ical.NewProperty("SEQUENCE", strconv.Itoa(sequence(c))))
	switch status := statusOf(l.o, c, ""); {
	case c.Name == "VTODO":
		if c.Prop("STATUS") != nil {
			out.Add(ical.NewProperty("STATUS", status))
		}
		if out.Prop("PRIORITY") == nil {
			out.Add(ical.NewProperty("PRIORITY", "0")) // RFC 5546 3.4.2: once
		}
		if out.Prop("DTSTART") == nil {
			// The table of RFC 5546 3.4.2 wants one; a to-do without begins when it
			// is due, or is sent.
			l.begin(out)
		}
	case status == "TENTATIVE":
		out.Add(ical.NewProperty("STATUS", status))
	default:
		out.Add(ical.NewProperty("STATUS", "CONFIRMED"))
	}
	l.outlook(out, c)
	for p := range c.Props("ATTENDEE") {
		out.Add(l.attendee(p))
	}
	out.Properties = dedupe(out.Properties)
	for _, key := range without {
		l.except(out, key)
	}
	for _, sub := range c.Components {
		if sub.Name != "VALARM" {
			out.Components = append(out.Components, sub.Clone())
		}
	}
	return out
}

// begin gives a to-do the DTSTART it must have when sent: before it is due
// (RFC 5545 3.8.2.3), or now.
func (l *letter) begin(out *ical.Component) {
	p := ical.NewProperty("DTSTART", "")
	t := ical.UTCTime(l.stamp)
	if due := out.Prop("DUE"); due != nil {
		if at, err := due.Time(); err == nil {
			t = at
			if t.IsDate() {
				t.Wall = t.Wall.AddDate(0, 0, -1)
			} else {
				t.Wall = t.Wall.Add(-time.Hour)
			}
		}
	}
	p.SetTime(t)
	out.Add(p)
}

// except puts an EXDATE in the form of the component's DTSTART (REC-09).
func (l *letter) except(out *ical.Component, key string) {
	start := out.Prop("DTSTART")
	if start == nil {
		return
	}
	like, err := start.Time()
	if err != nil {
		return
	}
	if t, ok := l.o.inForm(key, like); ok {
		p := ical.NewProperty("EXDATE", "")
		p.SetTime(t)
		out.Add(p)
	}
}

// outlook adds what Microsoft clients go by (OUT-08).
func (l *letter) outlook(out, c *ical.Component) {
	if c.Name != "VEVENT" {
		return
	}
	busy := "BUSY"
	if strings.EqualFold(c.Value("TRANSP"), "TRANSPARENT") {
		busy = "FREE"
	}
	out.Add(ical.NewProperty("X-MICROSOFT-CDO-BUSYSTATUS", busy),
		ical.NewProperty("X-MICROSOFT-CDO-ALLDAYEVENT", strings.ToUpper(strconv.FormatBool(allDay(c)))))
}

// base copies what keep allows and brings times into their outward form.
func (l *letter) base(c *ical.Component, keep func(string) bool) *ical.Component {
	out := ical.NewComponent(c.Name)
	override := c.Prop("RECURRENCE-ID") != nil
	dtstamp := ical.NewProperty("DTSTAMP", "")
	dtstamp.SetTime(ical.UTCTime(l.stamp))
	for _, p := range c.Properties {
		name := p.Name()
		if !keep(name) || override && repeats[name] {
			continue
		}
		q := p.Clone()
		if timed[name] {
			q = l.place(q)
		}
		out.Add(q)
		if name == "UID" {
			out.Add(dtstamp)
			if org := l.o.organizer(c); org != nil {
				out.Add(l.organizer(org))
			}
		}
	}
	return out
}

// place brings a time into the form sent: no floating times, which mean
// nothing to others, and zones by their IANA name where they have one.
func (l *letter) place(p *ical.Property) *ical.Property {
	if id := p.Param("TZID"); id != "" {
		if z, err := l.o.zones.Zone(id); err == nil {
			if named, ok := z.(*tz.Zone); ok && named.Name() != id {
				if _, err := tz.Load(named.Name()); err == nil && named.Name() != "" {
					p.SetParam("TZID", named.Name())
				}
			}
		}
		return p
	}
	list, err := p.Times()
	if err != nil || len(list) == 0 || list[0].Kind != ical.Floating {
		return p
	}
	var values []string
	for _, t := range list {
		switch {
		case t.Kind != ical.Floating:
			values = append(values, t.String())
		case l.zone == nil || l.zone.Name() == "" || l.zone.Name() == "UTC":
			values = append(values, ical.UTCTime(l.o.zones.Instant(t)).String())
		default:
			values = append(values, t.String())
		}
	}
	p.SetValue(strings.Join(values, ","))
	if l.zone != nil && l.zone.Name() != "" && l.zone.Name() != "UTC" {
		p.SetParam("TZID", l.zone.Name())
	}
	return p
}

// end gives out the end of c: VEVENT by DTEND, never DURATION, which some
// refuse (OUT-05); a to-do keeps the form it has.
func (l *letter) end(out, c *ical.Component) {
	if c.Name != "VEVENT" {
		if p := c.Prop("DURATION"); p != nil && out.Prop("DTSTART") != nil {
			out.Add(p.Clone())
		}
		return
	}
	t, ok := l.o.end(c)
	if !ok || c.Prop("DTEND") == nil && c.Prop("DURATION") == nil && !t.IsDate() {
		return // no end of its own (RFC 5545 3.6.1)
	}
	p := ical.NewProperty("DTEND", "")
	if have := c.Prop("DTEND"); have != nil {
		p = have.Clone()
	} else {
		p.SetTime(t)
	}
	out.Add(l.place(p))
}

// DEL-09: see docs/interoperability.md.
func (l *letter) organizer(p *ical.Property) *ical.Property {
	q := p.Clone()
	stripParams(q)
	if l.sentBy != "" && !l.sentBy.Equal(q.Address()) {
		q.SetParam("SENT-BY", string(l.sentBy))
	}
	return q
}

// cancel is a component of a CANCEL (RFC 5546 3.2.5). dies says that the event
// or occurrence no longer takes place; otherwise the attendees named are
// merely no longer invited, and STATUS must not be there.
func (l *letter) cancel(c *ical.Component, n int, dies bool, attendees ...*ical.Property) *ical.Component {
	out := l.base(c, func(name string) bool { return recognisable[name] })
	l.end(out, c)
	out.Add(ical.NewProperty("SEQUENCE", strconv.Itoa(n)))
	if dies {
		out.Add(ical.NewProperty("STATUS", stateCancelled))
	}
	for _, p := range attendees {
		q := p.Clone()
		stripParams(q)
		outwardAddress(q)
		out.Add(q)
	}
	out.Properties = dedupe(out.Properties)
	return out
}

// reply is a component of a REPLY (RFC 5546 3.2.3): one attendee, everything
// else as it was asked (ADR-07).
func (l *letter) reply(c *ical.Component, me *ical.Property, n int, partstat string, comments []string) *ical.Component {
	out := ical.NewComponent(c.Name)
	override := c.Prop("RECURRENCE-ID") != nil
	for _, p := range c.Properties {
		name := p.Name()
		if !recognisable[name] && !(c.Name == "VTODO" && progressive[name]) || override && repeats[name] {
			continue
		}
		// RECURRENCE-ID goes back in the very form it came, unless that means
		// another moment to everyone.
		q := p.Clone()
		switch id := q.Param("TZID"); {
		case !timed[name]:
		case id == "":
			q = l.place(q)
		case name != "RECURRENCE-ID":
			if _, err := l.o.zones.Zone(id); err != nil {
				continue // a zone that nobody defined tells the organizer nothing
			}
		}
		out.Add(q)
		if name == "UID" {
			dtstamp := ical.NewProperty("DTSTAMP", "")
			dtstamp.SetTime(ical.UTCTime(l.stamp))
			out.Add(dtstamp)
			if org := l.o.organizer(c); org != nil {
				q := org.Clone()
				stripParams(q)
				out.Add(q)
			}
		}
	}
	l.end(out, c)
	out.Add(ical.NewProperty("SEQUENCE", strconv.Itoa(n)))
	q := me.Clone()
	note := q.Param("X-RESPONSE-COMMENT")
	stripParams(q)
	if partstat != partStatDelegated || !strings.EqualFold(q.Param("RSVP"), "TRUE") {
		q.RemoveParam("RSVP") // a delegator says with it: keep me informed (RFC 5546 4.2.5)
	}
	q.SetParam("PARTSTAT", partstat)
	if l.sentBy != "" && !l.sentBy.Equal(q.Address()) {
		q.SetParam("SENT-BY", string(l.sentBy))
	}
	if len(comments) == 0 && note != "" {
		comments = []string{note}
	}
	if len(comments) > 0 { // OUT-09: Exchange reads COMMENT, Google only the parameter
		q.SetParam("X-RESPONSE-COMMENT", strings.Join(comments, "\n"))
	}
	out.Add(q)
	for _, text := range comments {
		out.Add(ical.NewText("COMMENT", text))
	}
	if text := privateOf(c); text != "" {
		out.Add(ical.NewText(privateComment, text))
	}
	out.Add(ical.NewProperty("REQUEST-STATUS", "2.0;Success"))
	return out
}

// message fills the envelope.
func (l *letter) message(m Method, from, to ical.Address, key string, cal *ical.Calendar) Message {
	msg := Message{Method: m, From: from, To: to, UID: cal.UID(), RecurrenceID: key, Calendar: cal, SentBy: l.sentBy}
	if l.sentBy != "" && l.sentBy.Equal(from) {
		msg.SentBy = ""
	}
	if l.counts.of != cal { // one calendar goes to many people
		l.counts.of, l.counts.sequence = cal, 0
		for _, c := range cal.Main() {
			l.counts.sequence = max(l.counts.sequence, sequence(c))
		}
	}
	msg.Sequence = l.counts.sequence
	return msg
}
