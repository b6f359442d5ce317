package jscal

import (
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

// period is an additional occurrence that differs in its duration alone.
func (e *entry) period(t ical.Time, patch object) (*ical.Property, bool) {
	s, ok := patch["duration"].(string)
	d, whole, isDuration := parseDuration(s)
	if !ok || len(patch) != 1 || !isDuration || !whole || e.allDay || e.c.Name != "VEVENT" || d.Days < 0 || d.Exact < 0 || d.Days == 0 && d.Exact == 0 {
		return nil, false
	}
	p := timeProperty("RDATE", t)
	p.SetValue(ical.Period{Start: t, Duration: d, HasDuration: true}.String())
	p.SetParam("VALUE", "PERIOD")
	return p, true
}

func timeProperty(name string, t ical.Time) *ical.Property {
	p := ical.NewProperty(name, "")
	p.SetTime(t)
	return p
}

// isAllDay tells whether every time of an object is a day (draft 3.2).
func isAllDay(o, overrides object) bool {
	if !isTrue(o["showWithoutTime"]) || o["timeZone"] != nil {
		return false
	}
	midnight := func(v any) bool {
		s, ok := v.(string)
		return v == nil || ok && (!strings.Contains(s, "T") || strings.HasSuffix(s, "T00:00:00"))
	}
	rules, _ := o["recurrenceRules"].([]any)
	for _, v := range rules {
		if rule, _ := v.(object); !midnight(rule["until"]) || rule["byHour"] != nil || rule["byMinute"] != nil || rule["bySecond"] != nil {
			return false
		}
	}
	for key, v := range overrides {
		patch, _ := v.(object)
		if !midnight(key) || !midnight(patch["start"]) || !midnight(patch["due"]) {
			return false
		}
	}
	for _, name := range [...]string{"duration", "estimatedDuration"} {
		s, _ := o[name].(string)
		if d, _, ok := parseDuration(s); s != "" && (!ok || d.Exact != 0) {
			return false
		}
	}
	return midnight(o["start"]) && midnight(o["due"]) && midnight(o["recurrenceId"])
}

// form is a clock reading in the form of the component's times.
func (e *entry) form(wall time.Time) ical.Time {
	if e.allDay {
		return ical.DateOf(wall.Date())
	}
	return e.zone.at(wall)
}

// reached is how far a rule was asked: it gives nothing from asked up to next,
// or ever where next is zero.
type reached struct{ asked, next time.Time }

// recursAt tells whether the rules give an occurrence by themselves. It is
// asked in the order of time, so that a rule is not asked where it has answered.
func (e *entry) recursAt(wall time.Time) bool {
	if wall.Equal(e.anchor.Wall) {
		return true
	}
	if e.reached == nil {
		e.reached = make([]*reached, len(e.rules))
	}
	found := false
	for i, r := range e.rules {
		at := e.reached[i]
		if at == nil || wall.Before(at.asked) || !at.next.IsZero() && wall.After(at.next) {
			at = &reached{asked: wall}
			for t := range r.From(e.anchor.Wall, wall) {
				at.next = t
				break
			}
			e.reached[i] = at
		}
		found = found || at.next.Equal(wall)
	}
	return found
}

// clock takes a LocalDateTime.
func (e *entry) clock(name string) (time.Time, bool) {
	s, ok := e.o[name].(string)
	if !ok {
		if e.o[name] != nil {
			e.losses.at(below(e.path, name), "it is no time")
		}
		return time.Time{}, false
	}
	t, whole, ok := parseLocal(s)
	if !ok {
		e.losses.at(below(e.path, name), "%q is no local time", clip(s))
		return t, false
	}
	if !whole {
		e.losses.at(below(e.path, name), "the fraction of a second is left out")
	}
	delete(e.o, name)
	return t, true
}

// times takes timeZone, start, duration and due, and what they are shown as.
func (e *entry) times(o object) bool {
	name, _ := e.o["timeZone"].(string)
	e.zone = e.find(name, below(e.path, "timeZone"), o)
	if name == "" || e.zone.kind != ical.Floating {
		delete(e.o, "timeZone")
	}
	if e.allDay {
		delete(e.o, "showWithoutTime")
	} else if isTrue(e.o["showWithoutTime"]) {
		p := ical.NewProperty("SHOW-WITHOUT-TIME", "TRUE")
		p.SetParam("VALUE", "BOOLEAN")
		e.c.Add(p)
		delete(e.o, "showWithoutTime")
	} else if e.o["showWithoutTime"] == false {
		delete(e.o, "showWithoutTime")
	}
	start, hasStart := e.clock("start")
	if hasStart {
		e.anchor = e.form(start)
		e.add("start", timeProperty("DTSTART", e.anchor))
	} else if e.c.Name == "VEVENT" {
		return false
	}
	if id, ok := e.clock("recurrenceId"); ok {
		z := e.zone
		if name, ok := e.o["recurrenceIdTimeZone"].(string); ok {
			z = e.find(name, below(e.path, "recurrenceIdTimeZone"), o)
		}
		t := z.at(id)
		if e.allDay {
			t = ical.DateOf(id.Date())
		}
		e.c.Add(timeProperty("RECURRENCE-ID", t))
	}
	delete(e.o, "recurrenceIdTimeZone")
	if e.c.Name == "VTODO" {
		if due, ok := e.clock("due"); ok {
			if hasStart && !due.After(start) { // RFC 5545 3.8.2.3: later than DTSTART
				e.losses.at(below(e.path, "due"), "it is not after the start and kept as JSPROP")
				e.o["due"] = local(due)
				return true
			}
			if e.anchor.IsZero() {
				e.anchor = e.form(due)
			}
			e.add("due", timeProperty("DUE", e.form(due)))
		}
		return true
	}
	s, ok := e.text("duration")
	if !ok {
		return true
	}
	d, whole, ok := parseDuration(s)
	if !ok || d.Days < 0 || d.Exact < 0 {
		e.losses.at(below(e.path, "duration"), "%q is no length of time", clip(s))
		return true
	}
	if !whole {
		e.losses.at(below(e.path, "duration"), "the fraction of a second is left out")
	}
	if d.Days == 0 && d.Exact == 0 {
		return true
	}
	note, _ := e.converted["duration"].(object)
	endZone := e.endZone(o)
	if endZone == nil && !strings.EqualFold(fmt.Sprint(note["name"]), "DTEND") {
		e.add("duration", ical.NewProperty("DURATION", d.String()))
		return true
	}
	// RFC 8984 1.4.6: days by the calendar, the rest as time that passes.
	end := start.AddDate(0, 0, d.Days)
	instant := e.zone.instant(end).Add(d.Exact)
	if e.zone.zone != nil {
		end, _ = e.zone.zone.Wall(instant)
	} else {
		end = end.Add(d.Exact)
	}
	if end.Year() > 9999 {
		e.losses.at(below(e.path, "duration"), "the end is after the year 9999")
		return true
	}
	if endZone == nil {
		e.add("duration", timeProperty("DTEND", e.form(end)))
		return true
	}
	wall, _ := endZone.zone.Wall(instant)
	e.add("duration", timeProperty("DTEND", endZone.at(wall)))
	return true
}

// endZone is the zone of the place where an event ends. A place that says no
// more than that is taken.
func (e *entry) endZone(o object) *zone {
	locations, _ := e.o["locations"].(object)
	if e.zone.zone == nil {
		return nil
	}
	for _, key := range names(locations) {
		l, _ := locations[key].(object)
		name, ok := l["timeZone"].(string)
		if !ok || l["relativeTo"] != "end" {
			continue
		}
		z := e.find(name, below(e.path, pointer("locations", key, "timeZone")), o)
		if z.zone == nil {
			continue
		}
		if len(l) == 3 && l["@type"] == "Location" && key == "end-"+idOf(name) {
			left := object{}
			for k, v := range locations {
				if k != key {
					left[k] = v
				}
			}
			if e.o["locations"] = left; len(left) == 0 {
				delete(e.o, "locations")
			}
		}
		return z
	}
	return nil
}

// recurrence takes the rules.
func (e *entry) recurrence() {
	for _, name := range [...]string{"recurrenceRules", "excludedRecurrenceRules"} {
		list, ok := e.o[name].([]any)
		if !ok {
			continue
		}
		property := "RRULE"
		if name != "recurrenceRules" {
			property = "EXRULE"
		}
		var rules []*recur.Rule
		var err error
		for _, v := range list {
			o, _ := v.(object)
			r, unknown, bad := parseRule(o)
			if bad == nil && e.anchor.IsZero() {
				bad = fmt.Errorf("there is no start")
			}
			if err = bad; err != nil {
				break
			}
			if len(unknown) > 0 {
				e.losses.at(below(e.path, name), "%s of a rule left out", strings.Join(unknown, ", "))
			}
			rules = append(rules, r)
		}
		if err != nil {
			e.losses.at(below(e.path, name), "the rules are kept as JSPROP and have no effect: %v", err)
			continue
		}
		delete(e.o, name)
		for _, r := range rules {
			if property == "RRULE" {
				e.rules = append(e.rules, r)
			}
			written := *r
			if r.HasUntil {
				written.Until = e.form(r.Until.Wall)
				if e.zone.zone != nil && !e.allDay { // RFC 5545 3.3.10: in UTC
					written.Until = ical.UTCTime(e.zone.instant(r.Until.Wall))
				}
			}
			e.add(name, ical.NewProperty(property, written.String()))
		}
	}
}
