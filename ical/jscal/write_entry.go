package jscal

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
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
	s := w.bySeries()[seriesKey(c)]
	override := c.Prop("RECURRENCE-ID") != nil
	if override && s.master {
		return nil
	}
	e := w.convert(c)
	if e == nil {
		return nil
	}
	if !override {
		for _, o := range s.overrides {
			e.override(o)
		}
		s.overrides = nil
	}
	return e.o
}

// series is what has one UID: whether there is the series itself, and overrides
// for the first such, since another one with the UID (RFC 5545 3.8.4.7 has none)
// would take them again.
type series struct {
	master    bool
	overrides []*ical.Component
}

// seriesKey is what a series and its overrides share.
func seriesKey(c *ical.Component) string { return c.Name + "\x00" + c.Text("UID") }

// bySeries are the components of the calendar by their keys: it may have very
// many.
func (w *writer) bySeries() map[string]*series {
	if w.series == nil {
		w.series = map[string]*series{}
		for _, c := range w.cal.Components {
			s := w.series[seriesKey(c)]
			if s == nil {
				s = &series{}
				w.series[seriesKey(c)] = s
			}
			if c.Prop("RECURRENCE-ID") != nil {
				s.overrides = append(s.overrides, c)
			} else {
				s.master = true
			}
		}
	}
	return w.series
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
