package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/itip"
)

// person is an organizer or attendee on the wire.
type person struct {
	Address  string `json:"address"`
	Name     string `json:"name"`
	Role     string `json:"role"`
	Kind     string `json:"kind"` // CUTYPE
	PartStat string `json:"partstat"`
	Status   string `json:"status"`  // what became of the last message, in words
	Comment  string `json:"comment"` // the note that came with the answer

	Delivery *deliveryOnWire `json:"delivery,omitempty"` // told, never read
}

// fields are what the event form knows of a component. Clock readings are in
// Zone: a TZID, "UTC", or "" for floating time; the end of an all-day event is
// the day after the last.
type fields struct {
	Summary     string   `json:"summary"`
	Location    string   `json:"location"`
	Description string   `json:"description"`
	URL         string   `json:"url"`
	AllDay      bool     `json:"allDay"`
	Start       string   `json:"start"`
	End         string   `json:"end"`
	Zone        string   `json:"zone"`
	RRule       string   `json:"rrule"`
	Status      string   `json:"status"`
	Busy        bool     `json:"busy"`
	HideGuests  bool     `json:"hideGuests"` // guests see of the guest list only themselves
	Attendees   []person `json:"attendees"`
	Alarms      []int    `json:"alarms"` // reminders, in minutes before the start; absent in an edit: as they are
}

// event is a stored object, opened for reading or changing.
type event struct {
	cal      *ical.Calendar
	resolver *tz.Resolver
	set      *recur.Set
	view     *tz.Zone // whose clock the reader looks at; floating times and dates are placed by it
}

// maxOccurrences that one object may be expanded to for one request.
const maxOccurrences = 10_000

// openEvent reads the text of an object.
func openEvent(data []byte, view *tz.Zone) (*event, error) {
	cal, err := ical.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("stored object: %w", err)
	}
	return newEvent(cal, view)
}

func newEvent(cal *ical.Calendar, view *tz.Zone) (*event, error) {
	e := &event{cal: cal, resolver: tz.NewResolver(cal, view), view: view}
	var err error
	e.set, err = recur.New(cal, e.resolver, recur.Options{MaxIterations: maxOccurrences})
	if err != nil {
		return nil, fmt.Errorf("stored object: %w", err)
	}
	return e, nil
}

// wallFormat is a clock reading on the wire.
const wallFormat = "2006-01-02T15:04"

// whenOf says in words when an object takes place first; "" where it does not say.
func whenOf(text []byte, z *tz.Zone) string {
	cal, err := ical.Parse(text)
	if err != nil {
		return ""
	}
	return itip.Summarize(cal, z).When
}

// onWire writes a time of the object as it stands there.
func onWire(t ical.Time) string {
	if t.IsDate() {
		return t.Wall.Format(time.DateOnly)
	}
	return t.Wall.Format(wallFormat)
}

// inView writes an instant as the reader's clock shows it.
func (e *event) inView(at time.Time) string { return wallOf(e.view, at) }

func wallOf(z *tz.Zone, at time.Time) string {
	wall, _ := z.Wall(at)
	return wall.Format(wallFormat)
}

// span is when an occurrence takes place, on the reader's clock.
func (e *event) span(o recur.Occurrence) (start, end string, allDay bool) {
	if !o.Start.IsDate() {
		return e.inView(o.From), e.inView(o.To), false
	}
	last := o.End
	if !last.IsDate() || !last.Wall.After(o.Start.Wall) { // RFC 5545 3.6.1: without an end, one day
		last = ical.Time{Wall: o.Start.Wall.AddDate(0, 0, 1), Kind: ical.Date}
	}
	return onWire(o.Start), onWire(last), true
}

// occurrenceID names an occurrence on the wire: a date, a floating time, or a
// UTC instant, which any spelling of the zone comes to.
func (e *event) occurrenceID(o recur.Occurrence) string {
	return e.idOf(o.ID)
}

func (e *event) idOf(t ical.Time) string {
	if t.Kind == ical.Zoned {
		return ical.UTCTime(e.resolver.Instant(t)).String()
	}
	return t.String()
}

// find is the occurrence with a name made by occurrenceID.
func (e *event) find(id string) (recur.Occurrence, error) {
	t, err := ical.ParseTime(id, "", len(id) == len("20060102"))
	if err == nil {
		if o, ok := e.set.Find(t); ok {
			return o, nil
		}
	}
	return recur.Occurrence{}, problem.New(problem.NotFound, "This occurrence is no longer part of the series. Close this and look at the calendar again.")
}

// first is what stands for the whole: the master, or where only overrides
// came, the earliest of them.
func (e *event) first() (recur.Occurrence, bool) {
	for o := range e.set.All() {
		return o, true
	}
	return recur.Occurrence{}, false
}

// zoneOf is the zone a time of the object is in; the reader's for floating ones.
func (e *event) zoneOf(t ical.Time) recur.Zone {
	switch t.Kind {
	case ical.UTC:
		return tz.UTC
	case ical.Zoned:
		if z, err := e.resolver.Zone(t.TZID); err == nil {
			return z
		}
	}
	return e.view
}

// ruleOnWire is a rule with the date of its UNTIL as the series' own clock has
// it, which the form can show; see setRule for the way back.
func ruleOnWire(text string, z recur.Zone) string {
	parts := strings.Split(text, ";")
	for i, p := range parts {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(name, "UNTIL") || len(value) <= len("20060102") {
			continue
		}
		t, err := ical.ParseTime(value, "", false)
		if err != nil {
			return text
		}
		wall := t.Wall
		if t.Kind == ical.UTC {
			wall, _ = z.Wall(t.Wall)
		}
		parts[i] = "UNTIL=" + wall.Format("20060102")
	}
	return strings.Join(parts, ";")
}

// zoneName is the zone of a time on the wire.
func zoneName(t ical.Time) string {
	switch t.Kind {
	case ical.Zoned:
		return t.TZID
	case ical.UTC:
		return "UTC"
	}
	return ""
}

// wallIn is the clock reading of t in the zone of another time, when both are
// times of day.
func (e *event) wallIn(t, like ical.Time) ical.Time {
	if t.IsDate() || like.IsDate() || (t.Kind == like.Kind && t.TZID == like.TZID) {
		return t
	}
	at := e.resolver.Instant(t)
	out := ical.Time{Kind: like.Kind, TZID: like.TZID}
	switch like.Kind {
	case ical.UTC:
		return ical.UTCTime(at)
	case ical.Floating:
		out.Wall, _ = e.view.Wall(at)
	default:
		z, err := e.resolver.Zone(like.TZID)
		if err != nil {
			return t
		}
		out.Wall, _ = z.Wall(at)
	}
	return out
}

// bounds are the start and end of a component as it stands in the object, the
// end by DTEND, by DURATION, or by the rule of RFC 5545 3.6.1.
func (e *event) bounds(c *ical.Component) (start, end ical.Time, err error) {
	p := c.Prop("DTSTART")
	if p == nil {
		return start, end, problem.New(problem.InvalidCalendarObject, "This event has no start. It can be seen, but not changed here.")
	}
	if start, err = p.Time(); err != nil {
		return start, end, unreadable(err)
	}
	end = start
	switch {
	case c.Prop("DTEND") != nil:
		if end, err = c.Prop("DTEND").Time(); err != nil {
			return start, end, unreadable(err)
		}
	case c.Prop("DURATION") != nil:
		d, err := c.Prop("DURATION").Duration()
		if err != nil {
			return start, end, unreadable(err)
		}
		end.Wall = end.Wall.AddDate(0, 0, d.Days)
		if !end.IsDate() && d.Exact != 0 {
			moved := end
			moved.Wall = moved.Wall.Add(d.Exact)
			end = e.wallIn(ical.UTCTime(e.resolver.Instant(end).Add(d.Exact)), end)
			if end.Kind == ical.UTC && start.Kind != ical.UTC { // a zone nobody knows
				end = moved
			}
		}
	case start.IsDate():
		end.Wall = end.Wall.AddDate(0, 0, 1)
	}
	// Seen in the wild: an end before the start, an all-day event that ends on
	// its own day, DTSTART a date and DTEND not.
	switch {
	case start.IsDate() && (!end.IsDate() || !end.Wall.After(start.Wall)):
		end = ical.Time{Wall: start.Wall.AddDate(0, 0, 1), Kind: ical.Date}
	case !start.IsDate() && (end.IsDate() || e.wallIn(end, start).Wall.Before(start.Wall)):
		end = start
	}
	return start, end, nil
}

func unreadable(err error) error {
	return problem.New(problem.InvalidCalendarObject, "The times of this event cannot be read: %v.", strings.TrimSuffix(err.Error(), ".")).Because(err)
}

// hidesGuests: the series decides for its occurrences.
func (e *event) hidesGuests(c *ical.Component) bool {
	if m := e.cal.Master(); m != nil {
		c = m
	}
	return strings.EqualFold(c.Value(itip.HideGuests), "TRUE")
}

// fieldsOf reads what the form shows of a component.
func (e *event) fieldsOf(c *ical.Component) (fields, error) {
	start, end, err := e.bounds(c)
	if err != nil {
		return fields{}, err
	}
	end = e.wallIn(end, start)
	f := fields{
		Summary: c.Text("SUMMARY"), Location: c.Text("LOCATION"), Description: c.Text("DESCRIPTION"), URL: c.Value("URL"),
		AllDay: start.IsDate(), Start: onWire(start), End: onWire(end), Zone: zoneName(start),
		RRule: ruleOnWire(c.Value("RRULE"), e.zoneOf(start)), Status: strings.ToUpper(c.Value("STATUS")),
		Busy:       !strings.EqualFold(c.Value("TRANSP"), "TRANSPARENT"),
		HideGuests: e.hidesGuests(c),
		Attendees:  []person{},
		Alarms:     alarmsOf(c),
	}
	for _, a := range itip.Attendees(c) {
		f.Attendees = append(f.Attendees, personOf(a))
	}
	return f, nil
}

func personOf(a itip.Attendee) person {
	if a.Private != "" && a.Comment != "" {
		a.Comment += " · "
	}
	a.Comment += a.Private // who does not organize the event has none
	return person{
		Address: string(a.Address), Name: a.CN, Role: a.Role, Kind: a.CUType, PartStat: a.PartStat,
		Status: deliveryWords(a.ScheduleStatus), Comment: a.Comment,
	}
}

// deliveries words the delivery codes of RFC 6638 3.2.9 that are worth saying.
var deliveries = map[string]string{
	"1.0": "the invitation waits to go out",
	"3.7": "the address is not known",
	"3.8": "not allowed to invite them",
	"5.1": "the invitation could not be delivered",
	"5.2": "there is no way to deliver the invitation",
	"5.3": "the invitation was refused",
}

func deliveryWords(status string) string {
	code, _, _ := strings.Cut(status, ";")
	return deliveries[strings.TrimSpace(code)]
}

// ruleText says the recurrence in words that follow "repeats"; "" for what
// does not repeat, or repeats by a list of dates alone.
func ruleText(c *ical.Component) string {
	if c == nil || c.Value("RRULE") == "" {
		return ""
	}
	r, err := recur.ParseRule(c.Value("RRULE"))
	if err != nil {
		return "by a rule that cannot be read"
	}
	text := strings.TrimSuffix(r.Text(), ".")
	if text == "" {
		return text
	}
	return strings.ToLower(text[:1]) + text[1:]
}

// among reports which attendee, if any, is one of the addresses.
func among(c *ical.Component, mine []ical.Address) (itip.Attendee, bool) {
	for _, a := range itip.Attendees(c) {
		if isOneOf(a.Address, mine) || a.Email != "" && isOneOf(ical.Mailto(a.Email), mine) {
			return a, true
		}
	}
	return itip.Attendee{}, false
}

func isOneOf(a ical.Address, list []ical.Address) bool {
	for _, b := range list {
		if a.Equal(b) {
			return true
		}
	}
	return false
}

// known are the properties the form shows or the server keeps in order; of
// the rest the form says that they are kept.
var known = map[string]bool{
	"SUMMARY": true, "LOCATION": true, "DESCRIPTION": true, "URL": true, "DTSTART": true, "DTEND": true, "DURATION": true,
	"RRULE": true, "STATUS": true, "TRANSP": true, "ATTENDEE": true, "ORGANIZER": true, "UID": true, "DTSTAMP": true,
	"CREATED": true, "LAST-MODIFIED": true, "SEQUENCE": true, "RECURRENCE-ID": true, "ATTACH": true, "CLASS": true, "PRIORITY": true, itip.HideGuests: true,
}

// kept tells in words what an edit leaves alone.
func kept(c *ical.Component) []string {
	out := []string{}
	alarms, others := 0, 0
	for a := range c.Children("VALARM") {
		if _, shown := reminder(a); !shown {
			alarms++
		}
	}
	for _, p := range c.Properties {
		switch {
		case p.Name() == "EXDATE" || p.Name() == "RDATE" || p.Name() == "EXRULE":
		case !known[p.Name()]:
			others++
		}
	}
	for _, k := range []struct {
		n         int
		one, many string
	}{{alarms, "one reminder", "%d reminders"}, {others, "one detail that is not shown here", "%d details that are not shown here"}} {
		switch {
		case k.n == 1:
			out = append(out, k.one)
		case k.n > 1:
			out = append(out, fmt.Sprintf(k.many, k.n))
		}
	}
	return out
}
