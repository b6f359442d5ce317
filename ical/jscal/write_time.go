package jscal

import (
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// clock is a time as the clock in the object's zone shows it.
func (e *writing) clock(t ical.Time) time.Time {
	if t.Kind == ical.Floating || t.Kind == ical.Date || e.zone == nil {
		return t.Wall
	}
	if t.Kind == ical.Zoned && t.TZID == e.start.TZID {
		return t.Wall
	}
	wall, _ := e.zone.Wall(e.zones.Instant(t))
	return wall
}

func (e *writing) read(name string) ical.Time {
	p := e.c.Prop(name)
	if p == nil {
		return ical.Time{}
	}
	t, err := p.Time()
	if err != nil {
		e.losses.bad(p, err)
		e.keep(p)
	}
	return t
}

// times writes start, duration or due, and recurrenceId; false when an event
// has no start.
func (e *writing) times() bool {
	e.start = e.read("DTSTART")
	endName := "DTEND"
	if e.c.Name == "VTODO" {
		endName = "DUE"
	}
	end := e.read(endName)
	if e.start.IsZero() && e.c.Name == "VEVENT" {
		return false
	}
	anchor := e.start
	if anchor.IsZero() {
		anchor = end
	}
	if anchor.IsZero() {
		anchor = e.read("RECURRENCE-ID")
	}
	switch anchor.Kind {
	case ical.Date:
		e.allDay = true
		e.o["showWithoutTime"] = true
	case ical.UTC:
		e.name, e.zone = "Etc/UTC", tz.UTC
	case ical.Zoned:
		e.name, e.zone = e.zoneName(anchor.TZID)
	}
	if e.name != "" {
		e.o["timeZone"] = e.name
	}
	if strings.EqualFold(e.c.Value("SHOW-WITHOUT-TIME"), "TRUE") {
		e.o["showWithoutTime"] = true
	}
	if !e.start.IsZero() {
		e.o["start"] = local(e.start.Wall)
		e.k.rest("start", e.c.Prop("DTSTART"))
	}
	if e.start.IsZero() {
		e.start = anchor // for what is relative to it
	}
	e.length(end)
	if p := e.c.Prop("RECURRENCE-ID"); p != nil {
		if t, err := p.Time(); err == nil {
			e.o["recurrenceId"] = local(t.Wall)
			zone := any(nil)
			switch t.Kind {
			case ical.UTC:
				zone = "Etc/UTC"
			case ical.Zoned:
				if name, _ := e.zoneName(t.TZID); name != "" {
					zone = name
				}
			}
			e.o["recurrenceIdTimeZone"] = zone
			if p.HasParam("RANGE") {
				e.losses.of(p, "the change to the later occurrences is left out")
			}
		}
	}
	return true
}

// length writes DTEND, DUE or DURATION.
func (e *writing) length(end ical.Time) {
	p := e.c.Prop("DURATION")
	var d ical.Duration
	if p != nil && end.IsZero() {
		var err error
		if d, err = p.Duration(); err != nil || d.Days < 0 || d.Exact < 0 {
			e.losses.of(p, "%q is no length of time", clip(p.Value()))
			e.keep(p)
			return
		}
	}
	instant := func(t ical.Time) time.Time {
		if e.zone != nil && (t.Kind == ical.UTC || t.Kind == ical.Zoned) {
			return e.zones.Instant(t)
		}
		return t.Wall
	}
	if e.c.Name == "VTODO" {
		switch {
		case !end.IsZero():
			e.o["due"] = local(e.clock(end))
			e.k.rest("due", e.c.Prop("DUE"))
		case p != nil && !e.start.IsZero():
			due := e.start.Wall.AddDate(0, 0, d.Days)
			if e.zone != nil {
				due, _ = e.zone.Wall(e.zone.Instant(due).Add(d.Exact))
			} else {
				due = due.Add(d.Exact)
			}
			e.o["due"] = local(due)
		}
		return
	}
	q := e.c.Prop("DTEND")
	switch {
	case end.IsZero() && p != nil:
		if e.allDay && d.Exact != 0 {
			e.losses.of(p, "a day lasts days: the event is written with the time of its start")
		}
		e.o["duration"] = d.String()
	case end.IsZero() && e.allDay: // RFC 5545 3.6.1; the default of duration is nothing
		e.o["duration"] = "P1D"
	case end.IsZero():
	case e.allDay != (end.Kind == ical.Date):
		e.losses.of(q, "DTSTART and the end are not both days or both times")
		e.keep(q)
	case (end.Kind == ical.Floating) != (e.start.Kind == ical.Floating):
		e.losses.of(q, "DTSTART and the end are not both without a zone")
		e.keep(q)
	case instant(end).Before(instant(e.start)):
		e.losses.of(q, "it is before DTSTART")
		e.keep(q)
	default:
		length := instant(end).Sub(instant(e.start))
		if e.allDay {
			d = ical.Duration{Days: int(length / (24 * time.Hour))}
		} else {
			d = ical.Duration{Exact: length}
		}
		e.o["duration"] = d.String()
		params := object{}
		e.k.convert("duration", "DTEND", params)
		if end.Kind == ical.Zoned && end.TZID != e.start.TZID || end.Kind == ical.UTC && e.start.Kind == ical.Zoned {
			// RFC 8984 5.1.2: the zone of the end is that of a location there.
			name := "Etc/UTC"
			if end.Kind == ical.Zoned {
				name, _ = e.zoneName(end.TZID)
			}
			if name != "" && name != e.name {
				member(e.o, "locations")["end-"+idOf(name)] = object{"@type": "Location", "relativeTo": "end", "timeZone": name}
			}
		}
	}
}

// rule writes RRULE and EXRULE.
func (e *writing) rule(p *ical.Property) {
	r, err := recur.ParseRule(p.Value())
	if err != nil || e.start.IsZero() {
		e.losses.of(p, "the rule is kept and has no effect: %v", err)
		e.keep(p)
		return
	}
	if len(r.Extra) > 0 {
		e.losses.of(p, "%s left out", strings.Join(r.Extra, ", "))
	}
	name := "recurrenceRules"
	if p.Name() == "EXRULE" {
		name = "excludedRecurrenceRules"
	}
	list, _ := e.o[name].([]any)
	e.o[name] = append(list, ruleObject(r, func(t ical.Time) time.Time {
		if t.Kind == ical.Date && !e.allDay { // the whole day counts
			return t.Wall.Add(24*time.Hour - time.Second)
		}
		return e.clock(t)
	}))
	e.k.rest(name, p)
}

// dates writes RDATE and EXDATE as overrides.
func (e *writing) dates(p *ical.Property) {
	times, err := p.Times()
	if err != nil || e.start.IsZero() || len(times) == 0 {
		e.losses.of(p, "the dates are kept and have no effect")
		e.keep(p)
		return
	}
	if e.allDay && times[0].Kind != ical.Date { // a time excludes or adds no day
		e.keep(p)
		return
	}
	if !e.allDay && times[0].Kind != ical.Date && (times[0].Kind == ical.Floating) != (e.start.Kind == ical.Floating) {
		e.losses.of(p, "its times and DTSTART are not both without a zone: all are read by one clock")
	}
	overrides := member(e.o, "recurrenceOverrides")
	var periods []ical.Period
	if strings.EqualFold(p.Param("VALUE"), "PERIOD") {
		periods, _ = p.Periods()
	}
	for i, t := range times {
		at := e.clock(t)
		if t.Kind == ical.Date && !e.allDay {
			at = e.onDay(t)
		}
		patch := object{}
		if p.Name() == "EXDATE" {
			patch["excluded"] = true
		} else if i < len(periods) {
			d := periods[i].Duration
			if !periods[i].HasDuration {
				d = ical.Duration{Exact: e.zones.Instant(periods[i].End).Sub(e.zones.Instant(periods[i].Start))}
			}
			if d.Days >= 0 && d.Exact >= 0 && e.c.Name == "VEVENT" {
				patch["duration"] = d.String()
			}
		}
		overrides[local(at)] = patch
	}
}

// onDay is the clock reading of the occurrence on a day.
func (e *writing) onDay(t ical.Time) time.Time {
	h, m, s := e.start.Wall.Clock()
	return t.Wall.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second)
}
