package vcal1

import (
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// writing is the writing of one event or to-do.
type writing struct {
	*writer
	c          *ical.Component
	owner      *ical.Property    // the ORGANIZER of c, nil where there is none
	overrides  []*ical.Component // of a series
	start, end ical.Time
	local      bool // times are written as clock readings of the home zone
}

// writers write one property each.
var writers = map[string]func(*writing, *ical.Property){
	"SUMMARY": plainText, "DESCRIPTION": plainText, "LOCATION": plainText,
	"CATEGORIES": textList, "RESOURCES": textList,
	"PRIORITY": same, "SEQUENCE": same, "URL": same,
	"RELATED-TO":    func(e *writing, p *ical.Property) { e.text(p, "RELATED-TO", p.Text()) },
	"CREATED":       func(e *writing, p *ical.Property) { e.stamp("DCREATED", p) },
	"LAST-MODIFIED": func(e *writing, p *ical.Property) { e.stamp("LAST-MODIFIED", p) },
	"COMPLETED":     func(e *writing, p *ical.Property) { e.stamp("COMPLETED", p) },
	"DTSTAMP":       func(e *writing, p *ical.Property) { e.stamp("X-ICAL-DTSTAMP", p) },
	"ATTACH":        func(e *writing, p *ical.Property) { e.attachment(p) },
	"ATTENDEE":      func(e *writing, p *ical.Property) { e.attendee(p) },
	"ORGANIZER":     func(e *writing, p *ical.Property) { e.organizer(p) },
	"CLASS": func(e *writing, p *ical.Property) {
		v := strings.ToUpper(p.Value())
		switch v {
		case "PUBLIC", "PRIVATE", "CONFIDENTIAL":
		default:
			e.losses.add(p.Line(), "CLASS:%s is written as PRIVATE", clip(v))
			v = "PRIVATE"
		}
		e.text(p, "CLASS", v)
	},
	"TRANSP": func(e *writing, p *ical.Property) {
		v := "0"
		if strings.EqualFold(p.Value(), "TRANSPARENT") {
			v = "1"
		}
		e.text(p, "TRANSP", v)
	},
	"STATUS": func(e *writing, p *ical.Property) {
		v := strings.ToUpper(p.Value())
		old := map[string]string{"NEEDS-ACTION": "NEEDS ACTION", "IN-PROCESS": "ACCEPTED"}[v]
		if old == "" {
			old = v
		}
		if e.c.Name == "VTODO" && v == "CANCELLED" {
			old = "DECLINED"
		}
		e.text(p, "STATUS", old)
		if v == "CANCELLED" { // the format has no word for it in an event
			e.line("X-ICAL-STATUS", nil, v)
		}
	},
	"GEO": func(e *writing, p *ical.Property) {
		if v := geoValue(p); !e.everything || v != e.common() {
			e.text(p, "GEO", v)
		}
	},
	// written by times and recurrence
	"UID": nil, "DTSTART": nil, "DTEND": nil, "DUE": nil, "DURATION": nil, "RECURRENCE-ID": nil, "RRULE": nil, "RDATE": nil, "EXDATE": nil, "EXRULE": nil,
}

func plainText(e *writing, p *ical.Property) {
	e.text(p, p.Name(), strings.ReplaceAll(p.Text(), `\;`, `\\;`))
}

func textList(e *writing, p *ical.Property) {
	e.text(p, p.Name(), strings.ReplaceAll(compound(p.TextList()...), "\n", " "))
}

func same(e *writing, p *ical.Property) { e.text(p, p.Name(), p.Text()) }

func (e *writing) stamp(name string, p *ical.Property) {
	t, err := p.Time()
	if err != nil {
		e.losses.add(p.Line(), "%v", err)
		return
	}
	e.line(name, nil, ical.UTCTime(e.zones.Instant(t)).String())
}

func (e *writing) write() {
	e.line("BEGIN", nil, e.c.Name)
	e.times()
	for _, p := range e.c.Properties {
		if write, known := writers[p.Name()]; !known {
			e.other(p)
		} else if write != nil {
			write(e, p)
		}
	}
	for _, s := range e.c.Components {
		if s.Name == "VALARM" {
			e.alarm(s)
		} else {
			e.losses.add(s.Line(), "%s is left out", s.Name)
		}
	}
	e.line("END", nil, e.c.Name)
}

// form writes a time: UTC, unless it has no zone or is of a series in the home
// zone. A day is its midnight.
func (e *writing) form(t ical.Time) string {
	switch t.Kind {
	case ical.Date:
		return t.String() + "T000000"
	case ical.Zoned:
		if e.local && e.isHome(e.zones.Find(t.TZID)) {
			t.Kind = ical.Floating
			break
		}
		t = ical.UTCTime(e.zones.Instant(t))
	}
	return t.String()
}

// read gives the time of a property, zero when there is none or it cannot be
// read.
func (e *writing) read(name string) ical.Time {
	p := e.c.Prop(name)
	if p == nil {
		return ical.Time{}
	}
	t, err := p.Time()
	if err != nil {
		e.losses.add(p.Line(), "%v", err)
		return ical.Time{}
	}
	return t
}

const floatingLoss = "times without a zone will be read in %s, which another event of the calendar needs"

// times writes UID, start, end and what recurs.
func (e *writing) times() {
	e.start = e.read("DTSTART")
	endName := "DTEND"
	if e.c.Name == "VTODO" {
		endName = "DUE"
	}
	e.end = e.read(endName)
	if p := e.c.Prop("DURATION"); p != nil && e.end.IsZero() && !e.start.IsZero() {
		if d, err := p.Duration(); err == nil {
			e.end = e.after(e.start, d)
		} else {
			e.losses.add(p.Line(), "%v", err)
		}
	}
	if e.end.IsZero() && e.start.Kind == ical.Date && e.c.Name == "VEVENT" { // RFC 5545 3.6.1: the whole day
		e.end = ical.Time{Wall: e.start.Wall.AddDate(0, 0, 1), Kind: ical.Date}
	}
	var zone *tz.Zone
	if e.start.Kind == ical.Zoned {
		zone = e.zones.Find(e.start.TZID)
		e.local = recurring(e.c) && e.isHome(zone)
	} else if e.start.IsZero() && e.end.Kind == ical.Zoned {
		zone = e.zones.Find(e.end.TZID)
	}
	if e.start.Kind == ical.Floating && !e.start.IsZero() || e.end.Kind == ical.Floating && !e.end.IsZero() {
		if e.home != nil {
			e.losses.add(e.c.Line(), floatingLoss, e.home.Name())
		} else if e.floatingLine == 0 {
			e.floatingLine = max(e.c.Line(), 1)
		}
	}
	if e.end.Kind == ical.Zoned && e.start.Kind == ical.Zoned && e.end.TZID != e.start.TZID {
		e.losses.add(e.c.Prop(endName).Line(), "the zone %s of the end is left out", clip(e.end.TZID))
	}
	uid := e.c.Text("UID")
	if id := e.read("RECURRENCE-ID"); !id.IsZero() {
		text := id.String()
		if id.Kind == ical.Zoned {
			text = ical.UTCTime(e.zones.Instant(id)).String()
		}
		uid += "#" + text
		p := e.c.Prop("RECURRENCE-ID")
		var params []parameter
		if strings.EqualFold(p.Param("RANGE"), "THISANDFUTURE") {
			params = []parameter{{"RANGE", "THISANDFUTURE"}}
			e.losses.add(p.Line(), "the change to the occurrences after %s is left out", text)
		}
		e.line("X-ICAL-RECURRENCE-ID", params, text)
	}
	if uid != "" {
		e.line("UID", nil, uid)
	}
	if e.start.Kind == ical.Date || e.start.IsZero() && e.end.Kind == ical.Date {
		e.line("X-ICAL-ALLDAY", nil, "TRUE")
	}
	if zone != nil && !e.local {
		if zone.IANA() {
			e.line("X-ICAL-TZID", nil, zone.Name())
		} else {
			e.losses.add(e.c.Line(), "the time zone %s is left out; the times are in UTC", clip(zone.Name()))
		}
	}
	if !e.start.IsZero() {
		e.line("DTSTART", nil, e.form(e.start))
	}
	if !e.end.IsZero() {
		e.line(endName, nil, e.form(e.end))
	}
	e.recurrence()
}

// after adds a duration: days by the calendar, the rest exactly (RFC 5545
// 3.3.6).
func (e *writing) after(t ical.Time, d ical.Duration) ical.Time {
	t.Wall = t.Wall.AddDate(0, 0, d.Days)
	if d.Exact == 0 || t.Kind == ical.Date {
		return t
	}
	if t.Kind == ical.Zoned {
		z := e.zones.Find(t.TZID)
		t.Wall, _ = z.Wall(z.Instant(t.Wall).Add(d.Exact))
	} else {
		t.Wall = t.Wall.Add(d.Exact)
	}
	return t
}

// How many dates a rule becomes that the grammar cannot say, and for how long.
const (
	maxDates  = 200
	dateYears = 2
	// maxVain rules may be searched at length before the rest of a calendar
	// gets less patience: a file may hold thousands that exclude themselves.
	maxVain = 4
)

// datesPerLine keeps a list of times on one line.
const datesPerLine = 3

func (e *writing) dates(name string, list []string) {
	for len(list) > 0 {
		n := min(len(list), datesPerLine)
		e.line(name, nil, strings.Join(list[:n], ";"))
		list = list[n:]
	}
}

func (e *writing) recurrence() {
	if e.c.Prop("RECURRENCE-ID") != nil {
		return
	}
	said := false
	rules := 0
	for range e.c.Props("RRULE") {
		rules++
	}
	if p := e.c.Prop("RRULE"); p != nil && e.c.Prop("EXRULE") == nil && rules == 1 {
		said = e.rule(p)
	}
	var out []string
	if rules > 0 && !said || e.c.Prop("EXRULE") != nil {
		out = e.expand()
	}
	for p := range e.c.Props("RDATE") {
		if strings.EqualFold(p.Param("VALUE"), "PERIOD") {
			e.losses.add(p.Line(), "RDATE: the ends of its periods are left out")
		}
		times, err := p.Times()
		if err != nil {
			e.losses.add(p.Line(), "%v", err)
			continue
		}
		for _, t := range times {
			out = append(out, e.form(t))
		}
	}
	e.dates("RDATE", out)
	out = nil
	for p := range e.c.Props("EXDATE") {
		times, err := p.Times()
		if err != nil {
			e.losses.add(p.Line(), "%v", err)
			continue
		}
		for _, t := range times {
			if t.Kind == ical.Date && e.start.Kind != ical.Date {
				out = append(out, t.String())
			} else {
				out = append(out, e.form(t))
			}
		}
	}
	for _, o := range e.overrides {
		if id, err := o.Prop("RECURRENCE-ID").Time(); err == nil {
			if id.Kind == ical.Date && e.start.Kind != ical.Date {
				out = append(out, id.String())
			} else {
				out = append(out, e.form(id))
			}
		}
	}
	e.dates("EXDATE", out)
}

// rule writes a rule if the grammar has it, and tells whether it did.
func (e *writing) rule(p *ical.Property) bool {
	r, err := recur.ParseRule(p.Value())
	if err != nil || e.start.IsZero() {
		return false
	}
	if e.start.Kind == ical.Zoned && !e.local { // UTC would shift it with the clocks
		return false
	}
	text, ok := sayRule(r, e.start.Wall)
	if !ok {
		return false
	}
	if r.HasUntil {
		until := r.Until
		if until.Kind == ical.Zoned {
			until = ical.UTCTime(e.zones.Instant(until))
		}
		if until.Kind == ical.Date && e.start.Kind != ical.Date { // the whole day counts
			until.Wall, until.Kind = until.Wall.Add(24*time.Hour-time.Second), ical.Floating
		}
		text += " " + e.form(until)
		if h, m, s := until.Wall.Clock(); until.Kind == ical.Floating && h+m+s == 0 {
			return false // midnight would be read as the end of the day
		}
	}
	e.line("RRULE", nil, text)
	return true
}

// expand writes what the grammar cannot say as X-ICAL-RRULE and gives the
// dates for those who do not know that.
func (e *writing) expand() (dates []string) {
	for p := range e.c.Props("RRULE") {
		e.line("X-ICAL-RRULE", nil, p.Value())
	}
	at := e.c.Prop("RRULE")
	if at == nil {
		at = e.c.Prop("EXRULE")
	}
	plain := e.c.Clone()
	plain.Remove("RDATE") // written beside these
	most := 100 * maxDates
	if e.vain >= maxVain {
		most = 2 * maxDates
	}
	set, err := recur.New(e.alone(plain), e.zones, recur.Options{MaxIterations: most})
	more := false
	if err == nil {
		until := e.start.Wall.AddDate(dateYears+1, 0, 0)
		for o := range set.Between(time.Time{}, until) {
			if o.ID.Wall.Equal(e.start.Wall) {
				continue
			}
			if more = len(dates) == maxDates || o.ID.Wall.After(e.start.Wall.AddDate(dateYears, 0, 0)); more {
				break
			}
			dates = append(dates, e.form(o.ID))
		}
		if err = set.Err(); err != nil {
			e.vain++
		} else if e.c.Prop("EXRULE") != nil {
			more = more || len(dates) > 0 // what is left of a rule without an end is not looked for
		} else if _, last, endless := set.Bounds(); endless || last.After(until) {
			more = true
		}
	}
	switch rule := clip(at.Value()); {
	case err != nil:
		e.losses.add(at.Line(), "the rule %s is left out but for %d dates: %v", rule, len(dates), err)
	case more && len(dates) == 0:
		e.losses.add(at.Line(), "the rule %s is left out: it gives nothing for %d years", rule, dateYears)
	case more:
		e.losses.add(at.Line(), "the rule %s becomes dates, the last of them %s", rule, dates[len(dates)-1])
	default:
		e.losses.add(at.Line(), "the rule %s becomes dates", rule)
	}
	return dates
}
