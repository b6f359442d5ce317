package jscal

import (
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// definition is the VTIMEZONE of a TZID, nil if there is none.
func (w *writer) definition(tzid string) *ical.Component {
	if w.definitions == nil {
		w.definitions = map[string]*ical.Component{}
		for _, c := range slices.Backward(w.cal.Components) { // of several the first
			if c.Name == "VTIMEZONE" {
				w.definitions[c.Text("TZID")] = c
			}
		}
	}
	return w.definitions[tzid]
}

// zoneName is the timeZone of a TZID; a zone that only a VTIMEZONE defines
// comes along (RFC 8984 4.7.2).
func (e *writing) zoneName(tzid string) (string, *tz.Zone) {
	z := e.zones.Find(tzid)
	if z.IANA() {
		if z.Name() == "UTC" {
			return "Etc/UTC", z
		}
		return z.Name(), z
	}
	if c := e.definition(tzid); c != nil {
		name := "/" + strings.TrimPrefix(tzid, "/")
		member(e.o, "timeZones")[name] = timeZone(c)
		return name, z
	}
	// Of a guessed zone the database's name, else the offset it stands for.
	e.losses.add(Loss{Line: e.c.Line(), What: "the time zone " + clip(tzid) + " is not defined; its times are read as floating"})
	return "", nil
}

// timeZone writes a VTIMEZONE.
func timeZone(c *ical.Component) object {
	o := object{"@type": "TimeZone", "tzId": c.Text("TZID")}
	if u := c.Value("TZURL"); u != "" {
		o["url"] = u
	}
	for _, p := range [...][2]string{{"LAST-MODIFIED", "updated"}, {"TZUNTIL", "validUntil"}} {
		if q := c.Prop(p[0]); q != nil {
			if t, err := q.Time(); err == nil && t.Kind == ical.UTC {
				o[p[1]] = utc(t.Wall)
			}
		}
	}
	for p := range c.Props("TZID-ALIAS-OF") {
		member(o, "aliases")[p.Text()] = true
	}
	for _, s := range c.Components {
		start, err := time.Time{}, error(nil)
		if p := s.Prop("DTSTART"); p != nil {
			var t ical.Time
			t, err = p.Time()
			start = t.Wall
		}
		if err != nil || s.Name != "STANDARD" && s.Name != "DAYLIGHT" {
			continue
		}
		r := object{"@type": "TimeZoneRule", "start": local(start), "offsetFrom": s.Value("TZOFFSETFROM"), "offsetTo": s.Value("TZOFFSETTO")}
		var rules []any
		for p := range s.Props("RRULE") {
			if rule, err := recur.ParseRule(p.Value()); err == nil {
				rules = append(rules, ruleObject(rule, func(t ical.Time) time.Time { return t.Wall }))
			}
		}
		if rules != nil {
			r["recurrenceRules"] = rules
		}
		for p := range s.Props("RDATE") {
			if times, err := p.Times(); err == nil {
				for _, t := range times {
					member(r, "recurrenceOverrides")[local(t.Wall)] = object{}
				}
			}
		}
		for p := range s.Props("TZNAME") {
			member(r, "names")[p.Text()] = true
		}
		var comments []any
		for p := range s.Props("COMMENT") {
			comments = append(comments, p.Text())
		}
		if comments != nil {
			r["comments"] = comments
		}
		list, _ := o[strings.ToLower(s.Name)].([]any)
		o[strings.ToLower(s.Name)] = append(list, r)
	}
	return o
}
