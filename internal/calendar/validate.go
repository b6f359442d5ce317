package calendar

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// draft is calendar data that was read and found storable.
type draft struct {
	cal       *ical.Calendar
	data      []byte // the octets that are stored unless scheduling changes them
	etag      string
	kind, uid string
	index     store.Index
	repaired  bool // data are not the octets that came in
	schedules bool // has an ORGANIZER or ATTENDEE: itip must look at it
}

// etag is the strong entity tag of octets (RFC 9110 8.8.3), with its quotes.
func etag(data []byte) string {
	sum := sha256.Sum256(data)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
}

// parseLimits for one object: its size bounds the rest.
func (s *Service) parseLimits() ical.Limits {
	return ical.Limits{Size: s.limits.ResourceSize, Depth: 32, Components: 100_000, Properties: 1_000_000}
}

// read parses and validates what a client wants to store (RFC 4791 4.1,
// 5.3.2.1). It needs no transaction. imported data may have a METHOD, which
// goes away, and is not refused for what only a careful client gets right.
func (s *Service) read(data []byte, imported bool) (*draft, error) {
	if len(data) > s.limits.ResourceSize {
		return nil, problem.New(problem.TooLarge, "The calendar data is %d octets long; %d are allowed for one object.", len(data), s.limits.ResourceSize)
	}
	octets := clean(data)
	cal, err := ical.ParseLimits(octets, s.parseLimits())
	if err != nil {
		return nil, unreadable(err)
	}
	repaired := len(octets) != len(data)
	if s.o.Zones.Lacks(cal) {
		s.o.Zones.Complete(cal)
		repaired = true
	}
	if !imported && strings.Contains(strings.ToUpper(cal.Trailer()), "BEGIN:VCALENDAR") {
		return nil, problem.New(problem.InvalidCalendarObject, "The data holds more than one VCALENDAR; an object is exactly one.")
	}
	if !imported && slices.ContainsFunc(cal.Repairs, func(r ical.Repair) bool { return r.What == ical.RepairNoEnd }) {
		// Half an upload must not take the place of what is stored.
		return nil, problem.New(problem.InvalidCalendarData, "The data ends before END:VCALENDAR; it seems that it did not arrive whole.")
	}
	if !utf8.Valid(octets) {
		// RFC 5545 3.1.4 and 6: UTF-8. The parser read the octets as what they
		// most likely are; what is stored is UTF-8 again.
		cal.Normalize()
		repaired = true
	}
	if imported && cal.Remove("METHOD") > 0 {
		repaired = true
	}
	d, err := s.check(cal, imported)
	if err != nil {
		return nil, err
	}
	d.repaired = repaired
	if d.data = octets; repaired {
		d.data = cal.Bytes()
	}
	d.etag = etag(d.data)
	return d, nil
}

// check validates a calendar object and works out its time index.
func (s *Service) check(cal *ical.Calendar, imported bool) (*draft, error) {
	if v := strings.TrimSpace(cal.Value("VERSION")); v != "" && v != "2.0" && !(imported && strings.HasPrefix(v, "2.0")) {
		return nil, problem.New(problem.UnsupportedCalendarData, "This is calendar data of version %s; only iCalendar 2.0 can be stored.", clip(v))
	}
	if m := cal.Method(); m != "" {
		// RFC 4791 4.1: MUST NOT specify METHOD.
		return nil, problem.New(problem.InvalidCalendarObject, "The data is a scheduling message (METHOD:%s). Store the event itself, without METHOD.", m)
	}
	d := &draft{cal: cal, kind: cal.Kind()}
	if d.kind == "" {
		return nil, problem.New(problem.InvalidCalendarObject, "The data holds no event, task, journal entry, free/busy time or availability.")
	}
	var masters int
	seen := map[string]int{} // RECURRENCE-ID → line
	for _, c := range cal.Main() {
		if c.Name != d.kind {
			if slices.Contains(objectKinds, c.Name) {
				return nil, problem.New(problem.InvalidCalendarObject, "The data mixes %s and %s; an object holds one kind of component.", d.kind, c.Name).At(line(c.Line()))
			}
			continue // X- and IANA components travel along, RFC 4791 5.3.3
		}
		uid := c.Text("UID")
		switch {
		case strings.TrimSpace(uid) == "":
			return nil, problem.New(problem.InvalidCalendarObject, "The %s in line %d has no UID.", c.Name, c.Line()).At(line(c.Line()))
		case len(uid) > maxUID:
			return nil, problem.New(problem.InvalidCalendarObject, "The %s in line %d has a UID of %d octets; %d are allowed.", c.Name, c.Line(), len(uid), maxUID).At(line(c.Line()))
		case d.uid == "":
			d.uid = uid
		case d.uid != uid:
			return nil, problem.New(problem.InvalidCalendarObject, "The data holds two objects, with the UIDs %s and %s; store each on its own.", clip(d.uid), clip(uid)).At(line(c.Line()))
		}
		if rid := c.Prop("RECURRENCE-ID"); rid != nil {
			key := rid.Value() + ";" + rid.Param("TZID") + ";" + rid.Param("RANGE")
			if at, dup := seen[key]; dup && !imported {
				return nil, problem.New(problem.InvalidCalendarObject, "The occurrence %s is given twice, in lines %d and %d.", clip(rid.Value()), at, c.Line()).At(line(c.Line()))
			}
			seen[key] = c.Line()
		} else if masters++; masters > 1 && (d.kind == "VEVENT" || d.kind == "VTODO" || d.kind == "VJOURNAL") && !imported {
			return nil, problem.New(problem.InvalidCalendarObject, "Two components with the UID %s have no RECURRENCE-ID; only one can be the event itself.", clip(uid)).At(line(c.Line()))
		}
		if err := s.checkComponent(c, imported); err != nil {
			return nil, err
		}
		if c.Prop("ORGANIZER") != nil || c.Prop("ATTENDEE") != nil {
			d.schedules = true
		}
	}
	if d.uid == "" {
		return nil, problem.New(problem.InvalidCalendarObject, "The data holds no component with a UID.")
	}
	zones := tz.NewResolver(cal, nil)
	if !imported {
		if err := checkZones(cal, zones); err != nil {
			return nil, err
		}
	}
	var err error
	if d.index, err = s.timeIndex(cal, zones); err != nil {
		return nil, err
	}
	return d, nil
}

// objectKinds are the components an object can be of.
var objectKinds = []string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"}

// Longest identifiers, in octets: both are looked up by index. RFC 7986 5.3
// recommends UUIDs as UID, RFC 5321 4.5.3.1.3 ends an address at 256.
const (
	maxUID     = 1000
	maxAddress = 1000
)

// timeProperties are read to place a component in time; their values must be
// readable and lie between min-date-time and max-date-time.
var timeProperties = []struct {
	name string
	list bool
}{
	{"DTSTART", false}, {"DTEND", false}, {"DUE", false}, {"RECURRENCE-ID", false},
	{"EXDATE", true}, {"RDATE", true},
}

// checkComponent refuses what cannot be placed in time or has too many people.
// An import is forgiven what older programs wrote, as long as it can be read.
func (s *Service) checkComponent(c *ical.Component, imported bool) error {
	if c.Name == "VEVENT" && c.Prop("DTSTART") == nil {
		// RFC 5545 3.6.1: required where there is no METHOD.
		return problem.New(problem.InvalidCalendarData, "The event in line %d has no DTSTART.", c.Line()).At(line(c.Line()))
	}
	if c.Name != "VTODO" && c.Name != "VEVENT" && c.Name != "VJOURNAL" {
		return nil
	}
	var attendees int
	for _, p := range c.Properties {
		switch p.Name() {
		case "ATTENDEE", "ORGANIZER":
			if len(p.Value()) > maxAddress {
				return problem.New(problem.InvalidCalendarData, "Line %d: the address in %s is %d octets long; %d are allowed.", p.Line(), p.Name(), len(p.Value()), maxAddress).At(line(p.Line()))
			}
			if p.Name() == "ATTENDEE" {
				attendees++
			}
		case "RRULE", "EXRULE":
			if _, err := recur.ParseRule(p.Value()); err != nil {
				return misread(c, p, err)
			}
			if c.Prop("DTSTART") == nil && !imported {
				return problem.New(problem.InvalidCalendarData, "Line %d: the %s repeats and has no DTSTART to repeat from.", p.Line(), c.Name).At(line(p.Line()))
			}
		case "DURATION":
			if d, err := p.Duration(); err != nil {
				return misread(c, p, err)
			} else if (d.Days < 0 || d.Exact < 0) && !imported {
				return problem.New(problem.InvalidCalendarData, "Line %d: DURATION %s is negative.", p.Line(), p.Value()).At(line(p.Line()))
			}
		}
	}
	if attendees > s.limits.Attendees {
		return problem.New(problem.TooManyAttendees, "The event has %d attendees; %d are allowed.", attendees, s.limits.Attendees)
	}
	if err := s.checkTimes(c); err != nil || imported {
		return err
	}
	return checkEnd(c)
}

// misread is the refusal of a property whose value cannot be read.
func misread(c *ical.Component, p *ical.Property, err error) error {
	at := c.Line()
	if p.Line() > 0 {
		at = p.Line()
	}
	return problem.New(problem.InvalidCalendarData, "Line %d: %s: %s.", at, p.Name(), after(trimDot(err), p.Name()+": ")).At(line(at)).Because(err)
}

// checkTimes refuses times that cannot be read or lie outside the years kept
// (RFC 4791 5.2.6, 5.2.7).
func (s *Service) checkTimes(c *ical.Component) error {
	for _, tp := range timeProperties {
		for p := range c.Props(tp.name) {
			var values []ical.Time
			switch {
			case tp.list && strings.EqualFold(p.Param("VALUE"), "PERIOD"):
				periods, err := p.Periods()
				if err != nil {
					return misread(c, p, err)
				}
				for _, x := range periods {
					values = append(values, x.Start)
				}
			case tp.list:
				list, err := p.Times()
				if err != nil {
					return misread(c, p, err)
				}
				values = list
			default:
				t, err := p.Time()
				if err != nil {
					return misread(c, p, err)
				}
				values = []ical.Time{t}
			}
			for _, t := range values {
				if t.Wall.Before(s.limits.MinDate) {
					return problem.New(problem.BeforeMinDate, "Line %d: %s is %s; the earliest date that can be stored is %s.", p.Line(), p.Name(), t, s.limits.MinDate.Format("2006-01-02")).At(line(p.Line()))
				}
				if !t.Wall.Before(s.limits.MaxDate) {
					return problem.New(problem.AfterMaxDate, "Line %d: %s is %s; dates must lie before %s.", p.Line(), p.Name(), t, s.limits.MaxDate.Format("2006-01-02")).At(line(p.Line()))
				}
			}
		}
	}
	return nil
}

// checkEnd refuses an end before the start. The times can be read.
func checkEnd(c *ical.Component) error {
	p := c.Prop("DTSTART")
	if p == nil {
		return nil
	}
	start, err := p.Time()
	if err != nil {
		return misread(c, p, err)
	}
	for _, name := range []string{"DTEND", "DUE"} {
		p := c.Prop(name)
		if p == nil {
			continue
		}
		end, err := p.Time()
		if err != nil {
			return misread(c, p, err)
		}
		// Readings of different zones compare by instant; a day apart is safely wrong.
		if end.Kind == start.Kind && end.TZID == start.TZID && end.Wall.Before(start.Wall) ||
			end.Wall.Before(start.Wall.Add(-26*time.Hour)) {
			return problem.New(problem.InvalidCalendarData, "The %s in line %d ends (%s %s) before it starts (DTSTART %s).", c.Name, c.Line(), name, end, start).At(line(c.Line()))
		}
	}
	return nil
}

// checkZones refuses a TZID that nothing explains: neither a VTIMEZONE nor a
// zone that is known by name (RFC 4791 4.1, RFC 7809 3.1.4).
func checkZones(cal *ical.Calendar, zones *tz.Resolver) error {
	for _, c := range cal.Main() {
		for _, tp := range timeProperties {
			for p := range c.Props(tp.name) {
				id := p.Param("TZID")
				if id == "" {
					continue
				}
				zones.Find(id)
				if slices.Contains(zones.Unresolved(), id) {
					return problem.New(problem.InvalidCalendarObject, "Line %d: the time zone %q of %s is not known, and the data has no VTIMEZONE for it.", p.Line(), clip(id), p.Name()).At(line(p.Line()))
				}
			}
		}
	}
	return nil
}

// unreadable turns a parser's error into a refusal.
func unreadable(err error) error {
	var pe *ical.ParseError
	if !errors.As(err, &pe) {
		return problem.New(problem.InvalidCalendarData, "The calendar data cannot be read: %v.", trimDot(err)).Because(err)
	}
	if errors.Is(err, ical.ErrLimit) {
		return problem.New(problem.TooLarge, "The calendar data is too large: line %d: %s.", pe.Line, trimDot(errors.New(pe.What))).At(line(pe.Line)).Because(err)
	}
	where := ""
	if pe.Property != "" {
		where = pe.Property + ": "
	}
	return problem.New(problem.InvalidCalendarData, "Line %d, column %d: %s%s.", pe.Line, pe.Column, where, trimDot(errors.New(pe.What))).At(line(pe.Line)).Because(err)
}

// clean takes out the control characters that no iCalendar text may hold (RFC
// 5545 3.1, CONTROL) and that no XML answer could carry, and gives text with
// bare CR line ends those of RFC 5545 3.1.
func clean(data []byte) []byte {
	if bytes.IndexByte(data, '\n') < 0 && bytes.IndexByte(data, '\r') >= 0 {
		data = bytes.ReplaceAll(data, []byte{'\r'}, []byte("\r\n"))
	}
	bad := func(b byte) bool { return b < 0x20 && b != '\t' && b != '\r' && b != '\n' || b == 0x7f }
	if !slices.ContainsFunc(data, bad) {
		return data
	}
	return slices.DeleteFunc(bytes.Clone(data), bad)
}
