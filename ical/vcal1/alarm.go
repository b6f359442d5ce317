package vcal1

import (
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
)

// soundTypes are the media types of the TYPE parameter of AALARM.
var soundTypes = map[string]string{"PCM": "audio/basic", "WAVE": "audio/x-wav", "AIFF": "audio/x-aiff"}

// alarm converts an alarm property to a VALARM. Its fields are the run time,
// how long to snooze, how often, and what its kind needs (v§2.3).
func alarm(c *converting, l *line) {
	f := append(fields(l.value), "", "", "", "", "")
	a := ical.NewComponent("VALARM")
	trigger, ok := c.trigger(l, f[0])
	if !ok {
		return
	}
	summary := "Alarm"
	if s := c.b.prop("SUMMARY"); s != nil && s.value != "" {
		summary = s.value
	}
	orSummary := func(s string) string {
		if s == "" {
			return summary
		}
		return s
	}
	switch l.name {
	case "DALARM":
		a.Add(ical.NewProperty("ACTION", "DISPLAY"), trigger, ical.NewText("DESCRIPTION", orSummary(f[3])))
	case "PALARM": // never run
		a.Add(ical.NewProperty("ACTION", "DISPLAY"), trigger, ical.NewText("DESCRIPTION", "Procedure alarm"), ical.NewText("X-VCAL-PALARM", f[3]))
		c.losses.add(l.number, "the procedure of PALARM is shown, not run")
	case "AALARM":
		a.Add(ical.NewProperty("ACTION", "AUDIO"), trigger)
		switch {
		case f[3] == "":
		case isURI(f[3]) && !strings.HasPrefix(strings.ToLower(f[3]), "file:"):
			p := ical.NewProperty("ATTACH", f[3])
			if t := soundTypes[strings.ToUpper(l.param("TYPE"))]; t != "" {
				p.SetParam("FMTTYPE", t)
			}
			a.Add(p)
		default:
			c.losses.add(l.number, "the sound %q of AALARM is left out", clip(f[3]))
		}
	case "MALARM":
		_, address, ok := mailbox(f[3])
		if !ok {
			c.losses.add(l.number, "MALARM to %q, which is no address, is left out", clip(f[3]))
			return
		}
		a.Add(ical.NewProperty("ACTION", "EMAIL"), trigger, ical.NewText("SUMMARY", orSummary(f[4])), ical.NewText("DESCRIPTION", orSummary(f[4])), ical.NewProperty("ATTENDEE", string(address)))
	}
	repeat(a, f[1], f[2])
	c.c.Components = append(c.c.Components, a)
}

// repeat adds REPEAT and DURATION, which occur together or not at all (RFC
// 5545 3.6.6).
func repeat(a *ical.Component, snooze, times string) {
	n, err := strconv.ParseUint(times, 10, 31)
	if err != nil || n == 0 {
		return
	}
	d, ok := parseSnooze(snooze)
	if !ok {
		return
	}
	a.Add(ical.NewProperty("REPEAT", strconv.Itoa(int(n))), ical.NewProperty("DURATION", d.String()))
}

// parseSnooze reads a duration that has no years or months; those have no
// length of their own.
func parseSnooze(s string) (ical.Duration, bool) {
	d, err := ical.ParseDuration(s)
	return d, err == nil && (d.Days > 0 || d.Exact > 0)
}

// farAlarm is how far from the event an alarm is still relative to it.
const farAlarm = 5 * 366 * 24 * time.Hour

// trigger makes the TRIGGER of a run time: relative where the component
// recurs or has its times in the same form, so that it moves along. Without a
// run time it is at the start.
func (c *converting) trigger(l *line, run string) (*ical.Property, bool) {
	base, related := c.start, ""
	if base.IsZero() {
		base, related = c.end, "END"
	}
	p := ical.NewProperty("TRIGGER", "PT0S")
	relate := func() {
		if related != "" {
			p.SetParam("RELATED", related)
		}
	}
	if run == "" {
		relate()
		if base.IsZero() {
			c.losses.add(l.number, "%s without a time is left out: there is no start either", l.name)
		}
		return p, !base.IsZero()
	}
	if strings.HasPrefix(strings.TrimLeft(strings.ToUpper(run), "+-"), "P") && !base.IsZero() { // iCalendar's form, which some write
		d, err := ical.ParseDuration(run)
		if err != nil {
			c.losses.add(l.number, "%s %q is no time", l.name, clip(run))
			return nil, false
		}
		p.SetValue(d.String())
		relate()
		return p, true
	}
	at, ok := c.read(l, run)
	if !ok {
		return nil, false
	}
	same := at.Kind == ical.UTC == (base.Kind == ical.UTC) || c.zone != nil
	if !c.allDay && at.Kind != ical.UTC {
		at = c.place(at)
	}
	recurring := c.c.Prop("RRULE") != nil || c.c.Prop("RDATE") != nil
	if base.IsZero() || !same && !recurring {
		p.SetTime(c.utc(at))
		p.SetParam("VALUE", "DATE-TIME")
		return p, true
	}
	from := base
	if c.allDay && c.home != nil && at.Kind == ical.UTC {
		from = ical.Time{Wall: base.Wall, Kind: ical.Zoned, TZID: c.home.tzid}
	}
	d := ical.Duration{Exact: c.instant(at).Sub(c.instant(from))}
	if d.Exact > farAlarm || d.Exact < -farAlarm {
		if recurring || at.Kind == ical.Floating {
			c.losses.add(l.number, "%s at %s, far from the event, is left out", l.name, at)
			return nil, false
		}
		p.SetTime(c.utc(at))
		p.SetParam("VALUE", "DATE-TIME")
		return p, true
	}
	p.SetValue(d.String())
	relate()
	return p, true
}
