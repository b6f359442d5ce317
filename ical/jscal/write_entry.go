package jscal

import (
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// writing is the writing of one component.
type writing struct {
	*writer
	c      *ical.Component
	o      object
	k      kept
	start  ical.Time
	name   string   // timeZone, "" for floating times and days
	zone   *tz.Zone // of name
	allDay bool
}

// entry writes a component as an Event or Task. An override of a series that
// is in the calendar becomes part of that, and nil here.
func (w *writer) entry(c *ical.Component) object {
	series := w.bySeries()[seriesKey(c)]
	if c.Prop("RECURRENCE-ID") != nil && slices.ContainsFunc(series, func(o *ical.Component) bool { return o.Prop("RECURRENCE-ID") == nil }) {
		return nil
	}
	e := w.convert(c)
	if e == nil {
		return nil
	}
	if c.Prop("RECURRENCE-ID") == nil {
		for _, o := range series {
			if o.Prop("RECURRENCE-ID") != nil {
				e.override(o)
			}
		}
	}
	return e.o
}

// seriesKey is what a series and its overrides share.
func seriesKey(c *ical.Component) string { return c.Name + "\x00" + c.Text("UID") }

// bySeries are the components of the calendar by their keys: it may have very
// many.
func (w *writer) bySeries() map[string][]*ical.Component {
	if w.series == nil {
		w.series = map[string][]*ical.Component{}
		for _, c := range w.cal.Components {
			key := seriesKey(c)
			w.series[key] = append(w.series[key], c)
		}
	}
	return w.series
}

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

// convert writes a component by itself.
func (w *writer) convert(c *ical.Component) *writing {
	e := &writing{writer: w, c: c, o: object{"@type": "Event"}}
	if c.Name == "VTODO" {
		e.o["@type"] = "Task"
	}
	if !e.times() {
		w.losses.add(Loss{Line: c.Line(), What: "an Event must have a start: the component is left out"})
		return nil
	}
	for _, p := range c.Properties {
		e.property(p)
	}
	if e.o["uid"] == nil {
		e.o["uid"] = idOf(string(c.Bytes()))
	}
	if e.o["updated"] == nil {
		e.o["updated"] = "1970-01-01T00:00:00Z"
	}
	e.participants()
	for _, s := range c.Components {
		switch s.Name {
		case "VALARM":
			e.alert(s)
		case "VLOCATION":
			e.vlocation(s)
		default:
			e.k.components = append(e.k.components, s)
		}
	}
	e.k.put(e.o, c.Name)
	w.restore(e.o, c)
	return e
}

// keep keeps a property as it is.
func (e *writing) keep(p *ical.Property) { e.k.properties = append(e.k.properties, p) }

// taken are the properties written by times and participants.
var taken = []string{"DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID", "ORGANIZER", "ATTENDEE", "JSPROP", "GEO", "SHOW-WITHOUT-TIME"}

// classes and transparencies are the values that have counterparts.
var (
	classes        = map[string]string{"PUBLIC": "public", "PRIVATE": "private", "CONFIDENTIAL": "secret"}
	transparencies = map[string]string{"OPAQUE": "busy", "TRANSPARENT": "free"}
	statuses       = map[string][]string{"VEVENT": {"CONFIRMED", "CANCELLED", "TENTATIVE"}, "VTODO": {"NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED"}}
	relations      = map[string]string{"": "parent", "PARENT": "parent", "CHILD": "child", "FIRST": "first", "NEXT": "next"}
)

// property writes one property. What occurs a second time is kept.
func (e *writing) property(p *ical.Property) {
	o, k := e.o, &e.k
	once := func(name string, value any, known ...string) {
		if o[name] != nil {
			e.keep(p)
			return
		}
		o[name] = value
		k.rest(name, p, known...)
	}
	upper := strings.ToUpper(p.Value())
	switch name := p.Name(); name {
	case "UID":
		once("uid", p.Text())
	case "DTSTAMP":
		e.stamp(o, "updated", p, k)
	case "CREATED":
		e.stamp(o, "created", p, k)
	case "SEQUENCE", "PRIORITY", "PERCENT-COMPLETE":
		n, err := p.Int()
		if err != nil || n < 0 {
			e.keep(p)
			return
		}
		once(map[string]string{"SEQUENCE": "sequence", "PRIORITY": "priority", "PERCENT-COMPLETE": "percentComplete"}[name], n)
	case "SUMMARY":
		if o["title"] != nil {
			e.keep(p)
			return
		}
		e.text(o, "title", p, k)
	case "DESCRIPTION", "STYLED-DESCRIPTION":
		e.description(p)
	case "COLOR":
		once("color", p.Text())
	case "CATEGORIES":
		words(o, "keywords", p, k)
	case "CONCEPT":
		if !isURI(p.Value()) {
			e.keep(p)
			return
		}
		member(o, "categories")[p.Value()] = true
		k.rest("categories", p)
	case "CLASS":
		if v := classes[upper]; v != "" {
			once("privacy", v)
			return
		}
		e.keep(p)
	case "TRANSP":
		if v := transparencies[upper]; v != "" {
			once("freeBusyStatus", v)
			return
		}
		e.keep(p)
	case "STATUS":
		if !slices.Contains(statuses[e.c.Name], upper) {
			e.keep(p)
			return
		}
		once(map[string]string{"VEVENT": "status", "VTODO": "progress"}[e.c.Name], strings.ToLower(upper))
	case "COMPLETED":
		if e.c.Name == "VTODO" && strings.EqualFold(e.c.Value("STATUS"), "COMPLETED") {
			e.stamp(o, "progressUpdated", p, k)
			return
		}
		e.keep(p)
	case "ESTIMATED-DURATION":
		d, err := p.Duration()
		if err != nil || d.Days < 0 || d.Exact < 0 {
			e.keep(p)
			return
		}
		once("estimatedDuration", d.String())
	case "REQUEST-STATUS":
		once("requestStatus", p.Text(), "LANGUAGE")
	case "RELATED-TO":
		relation, ok := relations[strings.ToUpper(p.Param("RELTYPE"))]
		related := member(o, "relatedTo")
		if !ok || related[p.Text()] != nil || p.Text() == "" || p.HasParam("VALUE") {
			if e.keep(p); len(related) == 0 {
				delete(o, "relatedTo")
			}
			return
		}
		related[p.Text()] = object{"@type": "Relation", "relation": set(relation)}
		k.rest(pointer("relatedTo", p.Text()), p, "RELTYPE")
	case "URL", "ATTACH", "IMAGE", "LINK":
		e.link(o, p, k)
	case "LOCATION":
		e.location(p)
	case "CONFERENCE":
		e.conference(p)
	case "RRULE", "EXRULE":
		e.rule(p)
	case "RDATE", "EXDATE":
		e.dates(p)
	default:
		if !slices.Contains(taken, name) {
			e.keep(p)
		}
	}
}

// description chooses between the plain and the styled one: one that is
// derived from the other is not the description (draft 2.3.13, 2.3.41).
func (e *writing) description(p *ical.Property) {
	derived := strings.EqualFold(p.Param("DERIVED"), "TRUE")
	styled := p.Name() == "STYLED-DESCRIPTION"
	media := p.Param("FMTTYPE")
	if e.o["description"] != nil || derived || styled && (!strings.EqualFold(p.Param("VALUE"), "TEXT") || !strings.HasPrefix(strings.ToLower(media), "text/")) {
		e.keep(p)
		return
	}
	if !styled {
		for s := range e.c.Props("STYLED-DESCRIPTION") {
			if strings.EqualFold(s.Param("VALUE"), "TEXT") && !strings.EqualFold(s.Param("DERIVED"), "TRUE") && strings.HasPrefix(strings.ToLower(s.Param("FMTTYPE")), "text/") {
				e.keep(p)
				return
			}
		}
	} else {
		e.o["descriptionContentType"] = media
	}
	e.o["description"] = p.Text()
	e.k.rest("description", p, "FMTTYPE")
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

// override writes an override of the series as a patch.
func (e *writing) override(c *ical.Component) {
	p := c.Prop("RECURRENCE-ID")
	t, err := p.Time()
	if err != nil {
		e.losses.bad(p, err)
		return
	}
	key := local(e.clock(t))
	if t.Kind == ical.Date && !e.allDay {
		key = local(e.onDay(t))
	}
	if e.allDay {
		key = local(ical.DateOf(t.Wall.Date()).Wall)
	}
	o := e.writer.convert(c)
	if o == nil {
		return
	}
	// An occurrence starts, and is due, where its id says unless patched.
	base := clone(e.o).(object)
	shift := "start"
	if base["start"] == nil {
		shift = "due"
	}
	base[shift] = key
	if o.o[shift] == nil {
		o.o[shift] = key
	}
	patch, shared := difference(base, o.o)
	if shift == "start" && o.o["due"] != nil { // whether due moves along is not said
		patch["due"] = o.o["due"]
	}
	if len(patch) == 0 {
		e.losses.of(p, "the occurrence %s does not differ from the series", key)
	}
	for _, name := range shared {
		e.losses.of(p, "%s of the occurrence %s is that of the series", name, key)
	}
	member(e.o, "recurrenceOverrides")[key] = patch
}
