package web

import (
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/problem"
)

// An edit changes an object property by property: what the form shows
// unchanged is not touched, so that everything the form does not know stays.

// editor is who edits, and when.
type editor struct {
	mine []ical.Address // preferred first
	name string         // display name, for ORGANIZER's CN
	now  time.Time
}

// times are the start and end an edit asks for.
type times struct{ start, end ical.Time }

// readTimes reads and checks the times of an edit. A zone is one we know, or
// the one the object has already.
func readTimes(f fields, has string) (times, error) {
	var t times
	read := func(text, what string) (ical.Time, error) {
		if f.AllDay {
			day, err := time.Parse(time.DateOnly, text)
			if err != nil {
				return ical.Time{}, problem.New(problem.BadInput, "The %s %q is not a date.", what, text)
			}
			return ical.Time{Wall: day, Kind: ical.Date}, nil
		}
		wall, err := time.Parse(wallFormat, text)
		if err != nil {
			return ical.Time{}, problem.New(problem.BadInput, "The %s %q is not a date with a time.", what, text)
		}
		switch f.Zone {
		case "":
			return ical.Time{Wall: wall, Kind: ical.Floating}, nil
		case "UTC":
			return ical.Time{Wall: wall, Kind: ical.UTC}, nil
		}
		id := f.Zone
		if id != has {
			z, err := tz.Load(f.Zone)
			if err != nil {
				return ical.Time{}, problem.New(problem.BadInput, "The time zone %q is not known. Use a name like Europe/Stockholm.", f.Zone).Because(err)
			}
			id = z.Name()
		}
		return ical.Time{Wall: wall, Kind: ical.Zoned, TZID: id}, nil
	}
	var err error
	if t.start, err = read(f.Start, "start"); err != nil {
		return t, err
	}
	if t.end, err = read(f.End, "end"); err != nil {
		return t, err
	}
	if t.end.Wall.Before(t.start.Wall) || f.AllDay && !t.end.Wall.After(t.start.Wall) {
		return t, problem.New(problem.BadInput, "The end is before the start.")
	}
	return t, nil
}

// create makes a new object from an edit.
func (ed editor) create(prodid, uid string, f fields, view *tz.Zone) (*ical.Calendar, error) {
	cal := ical.New(prodid)
	c := ical.NewComponent("VEVENT")
	c.Set("UID", uid)
	stamp := ical.UTCTime(ed.now).String()
	c.Set("DTSTAMP", stamp)
	c.Set("CREATED", stamp)
	t, err := readTimes(f, "")
	if err != nil {
		return nil, err
	}
	c.Set("DTSTART", "").SetTime(t.start)
	c.Set("DTEND", "").SetTime(t.end)
	cal.Components = append(cal.Components, c)
	e, err := newEvent(cal, view)
	if err != nil {
		return nil, err
	}
	if f.RRule != "" {
		if err := e.setRule(c, f.RRule, t.start); err != nil {
			return nil, err
		}
	}
	was, err := e.fieldsOf(c)
	if err != nil {
		return nil, err
	}
	was.Busy = true // as the component has no TRANSP yet
	if err := ed.text(c, was, f); err != nil {
		return nil, err
	}
	tz.Complete(cal, tz.NewResolver(cal, view))
	return cal, nil
}

// series applies an edit to the whole: the master, and what hangs on its times.
func (ed editor) series(e *event, f fields) error {
	c := e.cal.Master()
	if c == nil {
		return problem.New(problem.InvalidCalendarObject, "You were invited to single occurrences of this series; they can be changed one by one.")
	}
	was, err := e.fieldsOf(c)
	if err != nil {
		return err
	}
	t, err := readTimes(f, was.Zone)
	if err != nil {
		return err
	}
	start, _, err := e.bounds(c)
	if err != nil {
		return err
	}
	e.retime(c, was, f, t)
	if was.Start != f.Start || was.Zone != f.Zone || was.AllDay != f.AllDay {
		e.shift(start, t.start)
	}
	ruled := was.RRule != f.RRule || was.AllDay != f.AllDay && f.RRule != "" // UNTIL follows the form of DTSTART
	if ruled {
		if f.RRule == "" {
			c.Remove("RRULE", "RDATE", "EXDATE", "EXRULE")
		} else if err := e.setRule(c, f.RRule, t.start); err != nil {
			return err
		}
	}
	if err := ed.text(c, was, f); err != nil {
		return err
	}
	if ruled {
		if err := e.dropStrays(); err != nil {
			return err
		}
	}
	// Who is invited to the series is invited to its exceptions; who is not, is not.
	for _, o := range e.cal.Overrides() {
		if err := ed.roster(o, was.Attendees, f.Attendees); err != nil {
			return err
		}
	}
	ed.stamp(c)
	tz.Complete(e.cal, tz.NewResolver(e.cal, e.view))
	return nil
}

// occurrence applies an edit to one occurrence, which becomes an override if
// it is none yet.
func (ed editor) occurrence(e *event, id string, f fields) error {
	o, err := e.find(id)
	if err != nil {
		return err
	}
	c := o.Component
	if !o.Override {
		if c, err = recur.Instance(e.cal, o.ID, e.resolver); err != nil {
			return problem.New(problem.InvalidCalendarObject, "This occurrence cannot be changed by itself: %v.", strings.TrimSuffix(err.Error(), ".")).Because(err)
		}
		e.cal.Components = append(e.cal.Components, c)
	}
	was, err := e.fieldsOf(c)
	if err != nil {
		return err
	}
	t, err := readTimes(f, was.Zone)
	if err != nil {
		return err
	}
	e.retime(c, was, f, t)
	if err := ed.text(c, was, f); err != nil {
		return err
	}
	ed.stamp(c)
	tz.Complete(e.cal, tz.NewResolver(e.cal, e.view))
	return nil
}

// without leaves out one occurrence. It reports whether anything is left.
func (ed editor) without(e *event, id string) (left bool, err error) {
	o, err := e.find(id)
	if err != nil {
		return false, err
	}
	if o.Override {
		kept := e.cal.Components[:0:0]
		for _, c := range e.cal.Components {
			if c != o.Component {
				kept = append(kept, c)
			}
		}
		e.cal.Components = kept
	}
	m := e.cal.Master()
	if m == nil {
		return len(e.cal.Main()) > 0, nil
	}
	p := ical.NewProperty("EXDATE", "")
	p.SetTime(o.ID) // in the master's form and zone: RFC 5545 3.8.5.1
	m.Add(p)
	ed.stamp(m)
	rest, err := newEvent(e.cal, e.view)
	if err != nil {
		return false, err
	}
	_, left = rest.first()
	return left, nil
}

// retime sets start and end where the edit moved them.
func (e *event) retime(c *ical.Component, was, f fields, t times) {
	startMoved := was.Start != f.Start || was.Zone != f.Zone || was.AllDay != f.AllDay
	if startMoved {
		setTime(c, "DTSTART", t.start)
	}
	if startMoved || was.End != f.End {
		c.Remove("DURATION")
		setTime(c, "DTEND", t.end)
	}
}

// setTime changes a time and keeps the property's other parameters.
func setTime(c *ical.Component, name string, t ical.Time) {
	p := c.Prop(name)
	if p == nil {
		p = c.Set(name, "")
	}
	p.SetTime(t)
}

// shift moves what hangs on the times of a series with its start: exceptions,
// further dates, and the names of overrides. An override that still took
// place at its own time moves along; one that had been moved stays there.
func (e *event) shift(from, to ical.Time) {
	delta := to.Wall.Sub(from.Wall)
	if from.IsDate() != to.IsDate() {
		delta = dayOf(to.Wall).Sub(dayOf(from.Wall))
	}
	move := func(t ical.Time) ical.Time {
		t = e.wallIn(t, from)
		out := ical.Time{Kind: to.Kind, TZID: to.TZID}
		switch {
		case to.IsDate():
			out.Wall = dayOf(t.Wall).Add(delta)
		case t.IsDate():
			out.Wall = t.Wall.Add(delta).Add(to.Wall.Sub(dayOf(to.Wall)))
		default:
			out.Wall = t.Wall.Add(delta)
		}
		return out
	}
	for _, o := range e.cal.Overrides() {
		p := o.Prop("RECURRENCE-ID")
		id, err := p.Time()
		if err != nil {
			continue
		}
		start, end, err := e.bounds(o)
		if err == nil && e.same(start, id) {
			setTime(o, "DTSTART", move(start))
			if o.Prop("DTEND") != nil || start.IsDate() != to.IsDate() {
				o.Remove("DURATION")
				setTime(o, "DTEND", e.lengthen(move(start), start, end))
			}
		}
		p.SetTime(move(id))
	}
	m := e.cal.Master()
	for _, name := range []string{"EXDATE", "RDATE"} {
		var moved []*ical.Property
		for p := range m.Props(name) {
			list, err := p.Times()
			if err != nil { // RDATE with periods, or what nobody can read: left as it is
				moved = append(moved, p)
				continue
			}
			for _, t := range list {
				q := ical.NewProperty(name, "")
				q.SetTime(move(t))
				moved = append(moved, q)
			}
		}
		m.Remove(name)
		m.Add(moved...)
	}
}

// lengthen gives a moved override the length it had.
func (e *event) lengthen(start, oldStart, oldEnd ical.Time) ical.Time {
	end := start
	length := e.wallIn(oldEnd, oldStart).Wall.Sub(oldStart.Wall)
	if start.IsDate() {
		length = max(dayOf(oldStart.Wall.Add(length-time.Nanosecond)).Sub(dayOf(oldStart.Wall))+24*time.Hour, 24*time.Hour)
	}
	end.Wall = end.Wall.Add(length)
	return end
}

func dayOf(t time.Time) time.Time { return t.Truncate(24 * time.Hour) }

// same reports whether two times mean the same moment or date.
func (e *event) same(a, b ical.Time) bool {
	if a.IsDate() || b.IsDate() {
		return a.IsDate() == b.IsDate() && a.Wall.Equal(b.Wall)
	}
	return e.resolver.Instant(a).Equal(e.resolver.Instant(b))
}

// setRule sets the recurrence rule. The form gives a date for UNTIL; RFC 5545
// 3.3.10 wants it in the form of DTSTART, as UTC where that has a zone.
func (e *event) setRule(c *ical.Component, text string, start ical.Time) error {
	r, err := recur.ParseRule(text)
	if err != nil {
		return problem.New(problem.BadInput, "The rule by which the event repeats cannot be read: %v.", strings.TrimSuffix(err.Error(), ".")).Because(err)
	}
	parts := strings.Split(text, ";")
	for i, p := range parts {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(name, "UNTIL") {
			continue
		}
		until, err := untilFor(value, start)
		if err != nil {
			return err
		}
		parts[i] = "UNTIL=" + until
	}
	if r.HasUntil && r.Until.Wall.Before(dayOf(start.Wall)) {
		return problem.New(problem.BadInput, "The event stops repeating before it begins.")
	}
	c.Set("RRULE", strings.Join(parts, ";"))
	return nil
}

// untilFor brings the end of a rule into the form of the start it belongs to.
// A date takes in the whole of that day.
func untilFor(value string, start ical.Time) (string, error) {
	t, err := ical.ParseTime(value, "", len(value) == len("20060102"))
	if err != nil {
		return "", problem.New(problem.BadInput, "The last day of the series, %q, is not a date.", value).Because(err)
	}
	switch {
	case start.IsDate():
		return ical.Time{Wall: dayOf(t.Wall), Kind: ical.Date}.String(), nil
	case !t.IsDate():
		return t.String(), nil
	}
	end := t.Wall.Add(24*time.Hour - time.Second)
	switch start.Kind {
	case ical.Zoned:
		z, err := tz.Load(start.TZID)
		if err != nil { // a zone of the object's own: a day late at most is never too early
			z = tz.UTC
			end = end.Add(14 * time.Hour)
		}
		return ical.UTCTime(z.Instant(end)).String(), nil
	case ical.UTC:
		return ical.Time{Wall: end, Kind: ical.UTC}.String(), nil
	}
	return ical.Time{Wall: end, Kind: ical.Floating}.String(), nil
}

// dropStrays removes overrides of occurrences that a new rule no longer has;
// left in, they would be further occurrences that nobody asked for.
func (e *event) dropStrays() error {
	bare := e.cal.Clone()
	bare.Components = nil
	for _, c := range e.cal.Components {
		if c.Prop("RECURRENCE-ID") == nil {
			bare.Components = append(bare.Components, c)
		}
	}
	set, err := recur.New(bare, tz.NewResolver(bare, e.view), recur.Options{MaxIterations: maxOccurrences})
	if err != nil {
		return problem.New(problem.BadInput, "The series cannot be read with this rule: %v.", strings.TrimSuffix(err.Error(), ".")).Because(err)
	}
	kept := e.cal.Components[:0:0]
	for _, c := range e.cal.Components {
		if p := c.Prop("RECURRENCE-ID"); p != nil {
			if id, err := p.Time(); err == nil && !set.Contains(id) {
				continue
			}
		}
		kept = append(kept, c)
	}
	e.cal.Components = kept
	return nil
}

// text sets what the form changed besides times and rule.
func (ed editor) text(c *ical.Component, was, f fields) error {
	for _, p := range []struct{ name, old, new string }{
		{"SUMMARY", was.Summary, f.Summary},
		{"LOCATION", was.Location, f.Location},
		{"DESCRIPTION", was.Description, f.Description},
	} {
		switch {
		case p.old == p.new:
		case p.new == "":
			c.Remove(p.name)
		default:
			c.SetText(p.name, p.new)
		}
	}
	if was.Description != f.Description {
		c.Remove("X-ALT-DESC") // the same in HTML, now out of date
	}
	if was.URL != f.URL {
		if c.Remove("URL"); f.URL != "" {
			if strings.ContainsAny(f.URL, "\r\n") {
				return problem.New(problem.BadInput, "The link holds a line break.")
			}
			c.Set("URL", f.URL)
		}
	}
	if was.Status != f.Status {
		switch f.Status {
		case "":
			c.Remove("STATUS")
		case "CONFIRMED", "TENTATIVE", "CANCELLED": // RFC 5545 3.8.1.11, statvalue-event
			c.Set("STATUS", f.Status)
		default:
			return problem.New(problem.BadInput, "%q is not a state of an event.", f.Status)
		}
	}
	if was.Busy != f.Busy {
		if c.Set("TRANSP", "OPAQUE"); !f.Busy {
			c.Set("TRANSP", "TRANSPARENT")
		}
	}
	return ed.roster(c, was.Attendees, f.Attendees)
}

// roster adds and removes attendees, and changes their roles. The lines of
// those who stay keep everything else they say.
func (ed editor) roster(c *ical.Component, was, list []person) error {
	had := map[string]bool{}
	for _, p := range was {
		had[ical.ParseAddress(p.Address).Key()] = true
	}
	wanted := map[string]person{}
	for _, p := range list {
		a := ical.ParseAddress(p.Address)
		if a.Email() == "" && !strings.Contains(string(a), ":") && !had[a.Key()] {
			return problem.New(problem.BadInput, "%q is not an address that can be invited.", p.Address)
		}
		wanted[a.Key()] = p
	}
	present := map[string]bool{}
	c.RemoveFunc(func(p *ical.Property) bool {
		if p.Name() != "ATTENDEE" {
			return false
		}
		key := p.Address().Key()
		w, stays := wanted[key]
		if !stays && had[key] && !isOneOf(p.Address(), ed.mine) {
			return true
		}
		present[key] = true
		if stays && had[key] && w.Role != "" && !strings.EqualFold(w.Role, p.Param("ROLE")) && !(p.Param("ROLE") == "" && w.Role == "REQ-PARTICIPANT") {
			p.SetParam("ROLE", strings.ToUpper(w.Role))
		}
		return false
	})
	added := false
	for _, p := range list {
		a := ical.ParseAddress(p.Address)
		key := a.Key()
		if present[key] || had[key] || isOneOf(a, ed.mine) {
			continue
		}
		present[key] = true
		c.Add(invitation(a, p))
		added = true
	}
	guests := 0
	for p := range c.Props("ATTENDEE") {
		if !isOneOf(p.Address(), ed.mine) {
			guests++
		}
	}
	if guests == 0 {
		if len(list) == 0 && len(was) > 0 {
			// Nobody is left but the organizer: the line for oneself says nothing more.
			c.RemoveFunc(func(p *ical.Property) bool { return p.Name() == "ATTENDEE" && isOneOf(p.Address(), ed.mine) })
		}
		return nil
	}
	// Whoever invites somebody organizes. A list of names that came without an
	// organizer, from an import, stays what it is.
	if added && c.Prop("ORGANIZER") == nil {
		if len(ed.mine) == 0 {
			return problem.New(problem.InvalidOrganizer, "You have no address that could invite others. Ask the administrator for one.")
		}
		o := ical.NewProperty("ORGANIZER", "")
		o.SetAddress(ed.mine[0])
		if ed.name != "" {
			o.SetParam("CN", ed.name)
		}
		c.Add(o)
		if _, in := among(c, ed.mine); !in {
			me := ical.NewProperty("ATTENDEE", "")
			me.SetAddress(ed.mine[0])
			if ed.name != "" {
				me.SetParam("CN", ed.name)
			}
			me.SetParam("ROLE", "CHAIR")
			me.SetParam("PARTSTAT", "ACCEPTED")
			c.Add(me)
		}
	}
	return nil
}

// invitation is the line of a new attendee.
func invitation(a ical.Address, p person) *ical.Property {
	line := ical.NewProperty("ATTENDEE", "")
	line.SetAddress(a)
	if p.Name != "" {
		line.SetParam("CN", p.Name)
	}
	switch k := strings.ToUpper(p.Kind); k {
	case "ROOM", "RESOURCE", "GROUP":
		line.SetParam("CUTYPE", k)
	}
	role := "REQ-PARTICIPANT"
	if strings.EqualFold(p.Role, "OPT-PARTICIPANT") {
		role = "OPT-PARTICIPANT"
	}
	line.SetParam("ROLE", role)
	line.SetParam("PARTSTAT", "NEEDS-ACTION")
	line.SetParam("RSVP", "TRUE")
	return line
}

// stamp notes the time of a change (RFC 5545 3.8.7.3).
func (ed editor) stamp(c *ical.Component) {
	c.Set("LAST-MODIFIED", ical.UTCTime(ed.now).String())
}
