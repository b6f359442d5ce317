package jscal

import (
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// zone is what a timeZone stands for; the zero zone is floating time.
type zone struct {
	kind ical.TimeKind
	tzid string
	zone *tz.Zone
}

// at is a clock reading in the zone.
func (z *zone) at(wall time.Time) ical.Time { return ical.Time{Wall: wall, Kind: z.kind, TZID: z.tzid} }

// instant is the instant of a clock reading in the zone.
func (z *zone) instant(wall time.Time) time.Time {
	if z.zone == nil {
		return wall
	}
	return z.zone.Instant(wall)
}

// find gives the zone of a TimeZoneId.
func (r *reader) find(name, path string, o object) *zone {
	switch {
	case name == "":
		return &zone{}
	case name == "Etc/UTC" || name == "UTC":
		return &zone{kind: ical.UTC, zone: tz.UTC}
	case strings.HasPrefix(name, "/"):
		for _, scope := range [...]object{o, r.group} {
			zones, _ := scope["timeZones"].(object)
			if def, ok := zones[name].(object); ok {
				if z := r.define(name, def, path); z != nil {
					return z
				}
			}
		}
	default:
		if z, err := tz.Load(name); err == nil && z.IANA() && !strings.ContainsAny(name, "\r\n") {
			return &zone{kind: ical.Zoned, tzid: name, zone: z}
		}
	}
	r.losses.at(path, "the time zone %q is not known; the times are floating", clip(name))
	return &zone{}
}

// maxZones bounds the zones that a calendar defines for itself.
const maxZones = 1 << 12

// define makes a VTIMEZONE of a TimeZone object, once.
func (r *reader) define(name string, o object, path string) *zone {
	key := name + string(encode(o))
	if z, ok := r.zones[key]; ok {
		return z
	}
	if len(r.zones) >= maxZones {
		return nil
	}
	c := ical.NewComponent("VTIMEZONE")
	tzid, _ := o["tzId"].(string)
	if tzid == "" {
		tzid = name
	}
	if r.tzids[tzid] { // the same name for other rules
		tzid = fmt.Sprintf("%s %d", tzid, len(r.zones))
	}
	c.Add(ical.NewText("TZID", tzid))
	if u, ok := o["url"].(string); ok && isURI(u) {
		c.Add(ical.NewProperty("TZURL", u))
	}
	for _, q := range [...][2]string{{"updated", "LAST-MODIFIED"}, {"validUntil", "TZUNTIL"}} {
		if text, ok := o[q[0]].(string); ok {
			if t, _, ok := parseUTC(text); ok {
				c.Add(ical.NewProperty(q[1], ical.UTCTime(t).String()))
			}
		}
	}
	aliases, _ := o["aliases"].(object)
	for _, alias := range names(aliases) {
		c.Add(ical.NewText("TZID-ALIAS-OF", alias))
	}
	for _, kind := range [...]string{"standard", "daylight"} {
		list, _ := o[kind].([]any)
		for _, v := range list {
			rule, _ := v.(object)
			text, _ := rule["start"].(string)
			start, _, ok := parseLocal(text)
			from, okFrom := rule["offsetFrom"].(string)
			to, okTo := rule["offsetTo"].(string)
			if !ok || !okFrom || !okTo {
				r.losses.at(path, "a rule of the time zone %s is left out", clip(name))
				continue
			}
			s := ical.NewComponent(strings.ToUpper(kind))
			s.Add(ical.NewProperty("DTSTART", ical.Time{Wall: start}.String()), ical.NewProperty("TZOFFSETFROM", offset(from)), ical.NewProperty("TZOFFSETTO", offset(to)))
			rules, _ := rule["recurrenceRules"].([]any)
			for _, v := range rules {
				one, _ := v.(object)
				if rr, _, err := parseRule(one); err == nil {
					if rr.HasUntil {
						rr.Until.Kind = ical.UTC
					}
					s.Add(ical.NewProperty("RRULE", rr.String()))
				}
			}
			dates, _ := rule["recurrenceOverrides"].(object)
			for _, at := range names(dates) {
				if t, _, ok := parseLocal(at); ok {
					s.Add(ical.NewProperty("RDATE", ical.Time{Wall: t}.String()))
				}
			}
			labels, _ := rule["names"].(object)
			for _, label := range names(labels) {
				s.Add(ical.NewText("TZNAME", label))
			}
			comments, _ := rule["comments"].([]any)
			for _, v := range comments {
				if comment, ok := v.(string); ok {
					s.Add(ical.NewText("COMMENT", comment))
				}
			}
			c.Components = append(c.Components, s)
		}
	}
	z, err := tz.FromComponent(c)
	if err != nil || len(c.Components) == 0 {
		r.zones[key] = nil
		return nil
	}
	r.cal.Components = append(r.cal.Components, c)
	r.tzids[tzid] = true
	made := &zone{kind: ical.Zoned, tzid: tzid, zone: z}
	r.zones[key] = made
	return made
}

// offset takes the colon out of "+01:00", which some write.
func offset(s string) string { return strings.ReplaceAll(s, ":", "") }
