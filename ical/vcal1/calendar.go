package vcal1

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// heading is what a VCALENDAR says of all its components.
type heading struct {
	cal  *ical.Calendar // its properties and zones
	home *home
	geo  *line
}

// calendar converts a VCALENDAR.
func (r *reader) calendar(b *block) (*ical.Calendar, error) {
	h, err := r.heading(b)
	if err != nil {
		return nil, err
	}
	for _, s := range b.blocks {
		if c := r.part(h, s); c != nil {
			h.cal.Components = append(h.cal.Components, c)
		}
	}
	if len(h.cal.Main()) == 0 {
		r.losses.add(b.line, noComponent)
	}
	unchange(h.cal)
	tz.Complete(h.cal, tz.NewResolver(h.cal, r.opt.Zone))
	return h.cal, nil
}

const noComponent = "the calendar has no event and no to-do"

// part converts what is in a VCALENDAR.
func (r *reader) part(h *heading, s *block) *ical.Component {
	switch s.name {
	case "VEVENT", "VTODO":
		return r.component(s, h.home, h.geo)
	case "VTIMEZONE": // of iCalendar, which a calendar with TZID parameters needs
		return verbatim(s, 0)
	}
	r.losses.add(s.line, "%s is left out: vCalendar has events and to-dos", s.name)
	return nil
}

// heading converts the properties of a VCALENDAR.
func (r *reader) heading(b *block) (*heading, error) {
	if v := b.prop("VERSION"); v != nil && v.value != "1.0" {
		return nil, &ParseError{v.number, fmt.Sprintf("VERSION:%s is not vCalendar 1.0", clip(v.value)), ErrFormat}
	}
	cal := ical.New(ProductID)
	var (
		offset int
		known  bool
		days   []daylight
		geo    *line
		named  *tz.Zone
	)
	for _, l := range b.lines {
		switch {
		case l.name == "VERSION":
		case l.name == "PRODID" && l.value == ProductID:
		case l.name == "PRODID":
			cal.Set("X-VCAL-PRODID", ical.EscapeText(l.value))
		case l.name == "TZ":
			o, ok := parseOffset(l.value)
			if !ok {
				r.losses.add(l.number, "TZ %q is no offset from UTC", clip(l.value))
				continue
			}
			offset, known = o, true
		case l.name == "DAYLIGHT":
			d, ok := parseDaylight(l)
			if !ok || len(days) == maxDaylights {
				r.losses.add(l.number, "DAYLIGHT %q cannot be read", clip(l.value))
				continue
			}
			days = append(days, d)
		case l.name == "GEO":
			geo = l
		case l.name == "X-ICAL-TZID":
			if z, err := tz.Load(l.value); err == nil && z.IANA() {
				named = z
			}
		case l.name == "METHOD" && ical.SchedulingMethod(strings.ToUpper(l.value)):
			cal.Set("METHOD", strings.ToUpper(l.value))
		case l.name == "CALSCALE" && strings.EqualFold(l.value, "GREGORIAN"):
		case strings.HasPrefix(l.name, "X-"):
			r.extension(&cal.Component, l)
		default:
			r.losses.add(l.number, "%s has no meaning for a whole calendar", l.name)
		}
	}
	h := homeZone(offset, known, days, r.opt.Zone, &r.losses)
	if h != nil && named != nil {
		h = homeIn(named)
	}
	if h != nil && h.component != nil {
		cal.Components = append(cal.Components, h.component)
	}
	return &heading{cal, h, geo}, nil
}

// maxDaylights: a line for each year of more than a person's life.
const maxDaylights = 200

// verbatim takes over a component that is written in iCalendar's way.
func verbatim(b *block, depth int) *ical.Component {
	c := ical.NewComponent(b.name)
	for _, l := range b.lines {
		p := ical.NewProperty(l.name, l.raw)
		for _, q := range l.params {
			if validName(q.name) {
				p.SetParam(q.name, q.value)
			}
		}
		c.Add(p)
	}
	for _, s := range b.blocks {
		if depth < maxDepth {
			c.Components = append(c.Components, verbatim(s, depth+1))
		}
	}
	return c
}

// unchange gives changed occurrences, which Marshal writes as events of their
// own, back to their series: the exception in the series for each is dropped.
func unchange(cal *ical.Calendar) {
	masters := map[string]*ical.Component{}
	for _, c := range cal.Components {
		if c.Prop("RECURRENCE-ID") == nil {
			masters[c.Name+" "+c.Text("UID")] = c
		}
	}
	drop := map[*ical.Component]map[string]bool{}
	for _, c := range cal.Overrides() {
		m := masters[c.Name+" "+c.Text("UID")]
		if m == nil {
			continue
		}
		if drop[m] == nil {
			drop[m] = map[string]bool{}
		}
		drop[m][moment(c.Prop("RECURRENCE-ID"))] = true
	}
	for m, ids := range drop {
		m.RemoveFunc(func(p *ical.Property) bool {
			return p.Name() == "EXDATE" && ids[moment(p)]
		})
	}
}

// moment is what tells times apart whatever their zone.
func moment(p *ical.Property) string {
	t, err := p.Time()
	if err != nil {
		return p.Value()
	}
	if t.Kind == ical.Zoned {
		if z, err := tz.Load(t.TZID); err == nil {
			t = ical.UTCTime(z.Instant(t.Wall))
		}
	}
	return t.String()
}

// placer gives the times of one component their form.
type placer struct {
	r      *reader
	home   *home
	zone   *tz.Zone // X-ICAL-TZID: UTC times are to be read there
	allDay bool
}

// read reads a time; a local one is in the zone of the calendar.
func (p *placer) read(l *line, text string) (ical.Time, bool) {
	t, err := ical.ParseTime(text, l.param("TZID"), false)
	if err != nil || t.Wall.Year() < 1 {
		p.r.losses.add(l.number, "%s %q is no time", l.name, clip(text))
		return ical.Time{}, false
	}
	if t.Kind == ical.Zoned {
		if z, err := tz.Load(t.TZID); err != nil {
			p.r.losses.add(l.number, "TZID %q is not known; the time is taken without a zone", clip(t.TZID))
			t.Kind, t.TZID = ical.Floating, ""
		} else if isUTC(z) {
			t.Kind, t.TZID = ical.UTC, ""
		}
	}
	return t, true
}

// place gives a time the form that the component's times have.
func (p *placer) place(t ical.Time) ical.Time {
	switch {
	case p.allDay:
		return ical.DateOf(t.Wall.Date())
	case t.Kind == ical.UTC && p.zone != nil:
		wall, _ := p.zone.Wall(t.Wall)
		return ical.Time{Wall: wall, Kind: ical.Zoned, TZID: p.zone.Name()}
	case t.Kind == ical.Date || t.Kind == ical.Floating: // a date among times of day is its midnight
		t.Kind = ical.Floating
		if p.home == nil {
			return t
		}
		if isUTC(p.home.zone) {
			return ical.UTCTime(t.Wall)
		}
		t.Kind, t.TZID = ical.Zoned, p.home.tzid
	}
	return t
}

// instant compares times: floating ones and dates as if they were UTC.
func (p *placer) instant(t ical.Time) time.Time {
	if t.Kind != ical.Zoned {
		return t.Wall
	}
	if p.home != nil && p.home.tzid == t.TZID {
		return p.home.zone.Instant(t.Wall)
	}
	z, err := tz.Load(t.TZID)
	if err != nil {
		return t.Wall
	}
	return z.Instant(t.Wall)
}

// utc is for properties that must be in UTC; a time without any zone is taken
// as UTC.
func (p *placer) utc(t ical.Time) ical.Time {
	if t.Kind == ical.Floating || t.Kind == ical.Date {
		if p.home != nil {
			return ical.UTCTime(p.home.zone.Instant(t.Wall))
		}
		return ical.UTCTime(t.Wall)
	}
	return ical.UTCTime(p.instant(t))
}

// midnights tells an event that lasts whole days, for which the format has no
// word: from midnight to midnight (or the minute before it) of local time.
func midnights(start, end ical.Time) bool {
	if start.Kind == ical.Date {
		return true
	}
	if start.Kind != ical.Floating || end.Kind == ical.UTC || end.Kind == ical.Zoned || end.IsZero() || end.Wall.Before(start.Wall) {
		return false
	}
	if h, m, s := start.Wall.Clock(); h+m+s != 0 {
		return false
	}
	h, m, s := end.Wall.Clock()
	return h+m+s == 0 || h == 23 && m == 59 && (s == 0 || s == 59)
}

// property makes a property of a time.
func timeProperty(name string, t ical.Time) *ical.Property {
	p := ical.NewProperty(name, "")
	p.SetTime(t)
	return p
}

// put adds a property if the standard allows it there (and once more, where it
// may occur but once).
func (r *reader) put(c *ical.Component, l *line, p *ical.Property) {
	name := p.Name()
	if !strings.HasPrefix(name, "X-") {
		if def, ok := ical.LookupComponent(c.Name); ok {
			switch def.Cardinality(name) {
			case ical.Unlisted:
				r.losses.add(l.number, "%s has no meaning in %s", l.name, c.Name)
				return
			case ical.AtMostOnce, ical.ExactlyOnce:
				if c.Prop(name) != nil {
					r.losses.add(l.number, "a second %s is left out", l.name)
					return
				}
			}
		}
	}
	c.Add(p)
}

// written are properties that the conversion itself makes: an X-ICAL- of them
// is not taken.
var written = []string{"BEGIN", "END", "UID", "DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID", "RRULE", "EXRULE", "RDATE", "EXDATE", "ORGANIZER", "ATTENDEE", "VERSION", "PRODID", "METHOD", "STATUS", "TZID"}

// whole tells whether a property has the parameters it must have, which may
// have been left out in writing (RFC 9253 6.1, RFC 9073 6.6).
func whole(p *ical.Property) bool {
	switch p.Name() {
	case "LINK":
		return p.HasParam("LINKREL")
	case "STRUCTURED-DATA":
		return strings.EqualFold(p.Param("VALUE"), "URI") || p.HasParam("FMTTYPE") && p.HasParam("SCHEMA")
	}
	return true
}

// extension takes over an X- property; X-ICAL- ones are what Marshal makes of
// properties that only iCalendar has.
func (r *reader) extension(c *ical.Component, l *line) {
	name, ours := strings.CutPrefix(l.name, "X-ICAL-")
	value := l.value
	if l.binary != nil {
		value = l.raw
	}
	if ours {
		def, ok := ical.LookupProperty(name)
		if ok && !slices.Contains(written, name) {
			p := ical.NewProperty(name, value)
			copyParams(p, l)
			if p = valid(p, def); p != nil && whole(p) {
				r.put(c, l, p)
				return
			}
		}
		r.losses.add(l.number, "%s cannot be taken back", l.name)
		return
	}
	p := ical.NewProperty(l.name, value)
	copyParams(p, l)
	p.RemoveParam("VALUE", "TYPE")
	c.Add(p)
}

// copyParams takes over the parameters but those of this format's transfer.
func copyParams(p *ical.Property, l *line) {
	for _, q := range l.params {
		if name := strings.TrimPrefix(q.name, "X-ICAL-"); validName(name) && q.name != "ENCODING" && q.name != "CHARSET" && name != "TZID" {
			p.SetParam(name, q.value)
		}
	}
}

// valid gives a property that was in another format's keeping if its value is
// still what its type demands.
func valid(p *ical.Property, def *ical.PropertyDef) *ical.Property {
	t := p.Param("VALUE")
	if t == "" {
		t = def.Default()
	} else if !def.Allows(strings.ToUpper(t)) {
		return nil
	}
	for name, values := range p.Params() {
		if d, ok := ical.LookupParameter(name); ok {
			if !def.Takes(name) && name != "VALUE" {
				return nil
			}
			for _, v := range values {
				if d.Closed && !d.Knows(v) || (d.Type == ical.URI || d.Type == ical.CalAddress) && !isURI(v) {
					return nil
				}
			}
		}
	}
	switch strings.ToUpper(t) {
	case ical.Text:
		if p.Name() == "REQUEST-STATUS" { // parts, each escaped for itself
			code, _, found := strings.Cut(p.Value(), ";")
			if !found || code == "" || strings.Trim(code, "0123456789.") != "" || !strings.Contains(strings.Trim(code, "."), ".") {
				return nil
			}
		} else if def.List {
			list := p.TextList()
			for i := range list {
				list[i] = ical.EscapeText(list[i])
			}
			p.SetValue(strings.Join(list, ","))
		} else {
			p.SetText(p.Text())
		}
	case ical.DateTime, ical.DateType:
		t, err := p.Time()
		if err != nil || def.UTC && t.Kind != ical.UTC || t.Wall.Year() < 1 {
			return nil
		}
		p.SetTime(t)
	case ical.Integer:
		n, err := p.Int()
		if err != nil {
			return nil
		}
		p.SetValue(fmt.Sprint(n))
	case ical.DurationType:
		d, err := p.Duration()
		if err != nil {
			return nil
		}
		p.SetValue(d.String())
	case ical.URI, ical.CalAddress:
		if !isURI(p.Value()) {
			return nil
		}
	default:
		return nil
	}
	if def.Values != "" && !slices.Contains(strings.Fields(strings.NewReplacer(",", " ", "|", " ").Replace(def.Values)), p.Value()) {
		return nil
	}
	return p
}

// isURI tells an absolute URI by its scheme and the absence of blanks.
func isURI(s string) bool {
	colon := strings.IndexByte(s, ':')
	if colon < 2 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' || c == 0x7f || c >= 0x80 || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return false
		}
		if i < colon && !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || i > 0 && (strings.IndexByte("+-.", c) >= 0 || '0' <= c && c <= '9')) {
			return false
		}
	}
	return true
}
