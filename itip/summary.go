package itip

import (
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// Summary is an event, or one occurrence of it, for a person: strings to show
// as they are, and the times they were made of.
type Summary struct {
	Title       string
	When        string // "Thursday, 2 July 2026, 10:00 – 11:00 (Europe/Berlin, UTC+02:00)"
	Repeats     string // a sentence; "" = once
	Occurrence  string // which occurrence of a series it is about; "" = all of it
	Where       string
	Organizer   string // "Ann Example <ann@one.test>"
	Description string
	URL         string
	Status      string // confirmed, tentative, cancelled …
	Method      Method // "" = not a message

	OrganizedBy  Attendee
	Attendees    []Attendee
	Start, End   ical.Time // as written in the object
	From, To     time.Time // the same as instants; a date begins at midnight of the zone shown
	AllDay       bool
	Zone         string // name of the zone that When is in
	RecurrenceID string // as in [Message]
	More         int    // further components of the object (overrides)
}

// Summarize says what an object or message is about, its times in zone z, or
// in the event's own zone when z is nil. Of several components it describes
// the series, or else the first occurrence.
func Summarize(cal *ical.Calendar, z *tz.Zone) Summary { return Reader{Zone: z}.Summarize(cal) }

// Summarize is the function of that name in the reader's language: without a zone
// of theirs the event's own counts.
func (r Reader) Summarize(cal *ical.Calendar) Summary { return r.summarize(cal, nil) }

// For is the summary of the same object for another reader.
func (s Summary) For(cal *ical.Calendar, r Reader) Summary { return r.summarize(cal, s.Attendees) }

// summarize makes a summary; people are those of the object where they are known,
// which may be thousands.
func (r Reader) summarize(cal *ical.Calendar, people []Attendee) Summary {
	z := r.Zone
	o := newObject(cal, z)
	main := o.cal.Main()
	if len(main) == 0 {
		return Summary{}
	}
	c := o.master
	if c == nil {
		c = main[0]
	}
	if people == nil {
		people = Attendees(c)
	}
	s := Summary{
		Title: strings.TrimSpace(c.Text("SUMMARY")), Where: strings.TrimSpace(c.Text("LOCATION")),
		Description: strings.TrimSpace(c.Text("DESCRIPTION")), URL: c.Value("URL"),
		Status: r.t(noun(statusNouns, statusOf(o, c, ""))), Method: Method(cal.Method()),
		Attendees: people, RecurrenceID: o.keyOf(c), More: len(main) - 1, Repeats: r.rule(c),
	}
	if org := o.organizer(c); org != nil {
		s.OrganizedBy = person(org)
		s.Organizer = nameOf(s.OrganizedBy)
		if mail := s.OrganizedBy.Mailbox(); mail != "" && mail != s.Organizer {
			s.Organizer += " <" + mail + ">"
		}
	}
	o.summarizeTimes(&s, c, r)
	if id := c.Prop("RECURRENCE-ID"); id != nil {
		show := z
		if show == nil {
			show = o.ownZone(id)
		}
		s.Occurrence = Reader{Zone: show, Translate: r.Translate}.Moment(s.RecurrenceID)
		if strings.EqualFold(id.Param("RANGE"), "THISANDFUTURE") {
			s.Occurrence += r.t(" and all later ones")
		}
	}
	return s
}

// ownZone is the zone a time is written in.
func (o *object) ownZone(p *ical.Property) *tz.Zone {
	if p == nil {
		return tz.UTC
	}
	t, err := p.Time()
	switch {
	case err != nil || t.Kind == ical.UTC:
		return tz.UTC
	case t.Kind == ical.Zoned:
		return o.zones.Find(t.TZID)
	}
	return o.zones.FindFloating()
}

func (o *object) summarizeTimes(s *Summary, c *ical.Component, r Reader) {
	z := r.Zone
	first := c.Prop("DTSTART")
	if first == nil {
		first = c.Prop("DUE")
	}
	if first == nil {
		return
	}
	start, err := first.Time()
	if err != nil {
		return
	}
	end, ok := o.end(c)
	if !ok {
		end = start
	}
	if z == nil {
		z = o.ownZone(first)
	}
	s.Start, s.End, s.AllDay = start, end, start.IsDate()
	if s.AllDay {
		s.From, s.To = z.Instant(start.Wall), z.Instant(end.Wall)
		last := end.Wall.AddDate(0, 0, -1) // DTEND is the first day after (RFC 5545 3.6.1)
		s.When = r.format(start.Wall, dayLayout)
		if last.After(start.Wall) {
			s.When += " – " + r.format(last, dayLayout)
		}
		s.When += r.t(" (all day)")
		return
	}
	s.From, s.To = o.zones.Instant(start).UTC(), o.zones.Instant(end).UTC()
	s.Zone = z.Name()
	from, offset := z.Wall(s.From)
	to, endOffset := z.Wall(s.To)
	s.When = r.format(from, dayLayout+", "+timeLayout)
	if s.To.After(s.From) {
		layout := timeLayout
		if from.YearDay() != to.YearDay() || from.Year() != to.Year() {
			layout = dayLayout + ", " + timeLayout
		}
		s.When += " – " + r.format(to, layout)
	}
	s.When += " " + zoneWords(z.Name(), offset)
	if endOffset != offset {
		s.When += r.say(", ending in %s", strings.Trim(zoneWords("", endOffset), "()"))
	}
}
