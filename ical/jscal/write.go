package jscal

import (
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jcal"
	"github.com/convene-cal/convene/ical/tz"
)

// Marshal writes a calendar as a Group with an Event or Task for each series
// or single component. What JSCalendar has no words for is in "iCalendar"
// properties; losses are what could not be kept, or not as it was meant. The
// error wraps ErrFormat when cal is no VCALENDAR. cal is not changed.
func Marshal(cal *ical.Calendar) ([]byte, []Loss, error) {
	if cal == nil || cal.Name != "VCALENDAR" {
		return nil, nil, fmt.Errorf("jscal: nothing to write: %w", ErrFormat)
	}
	w := &writer{cal: cal, zones: tz.NewResolver(cal, nil), losses: losses{max: DefaultLimits.Losses}}
	group := w.group()
	return append(encode(group), '\n'), w.losses.list, nil
}

// writer is one writing of a calendar.
type writer struct {
	cal    *ical.Calendar
	zones  *tz.Resolver
	losses losses

	series      map[string]*series         // by seriesKey, see bySeries
	definitions map[string]*ical.Component // VTIMEZONEs by TZID, see definition
}

// kept is what of a component has no counterpart.
type kept struct {
	properties []*ical.Property
	components []*ical.Component
	converted  object
}

// convert notes something about the property that became what is at path.
func (k *kept) convert(path, name string, parameters object) {
	if k.converted == nil {
		k.converted = object{}
	}
	note := object{"@type": "ICalProperty", "name": strings.ToLower(name)}
	if len(parameters) > 0 {
		note["parameters"] = parameters
	}
	k.converted[path] = note
}

// rest keeps the parameters of a property but those named.
func (k *kept) rest(path string, p *ical.Property, but ...string) {
	left := object{}
	for name, values := range p.Params() {
		if slices.Contains(but, name) || name == "JSID" || name == "VALUE" || name == "TZID" {
			continue
		}
		if len(values) == 1 {
			left[strings.ToLower(name)] = values[0]
		} else {
			list := make([]any, len(values))
			for i := range values {
				list[i] = values[i]
			}
			left[strings.ToLower(name)] = list
		}
	}
	if len(left) > 0 {
		k.convert(path, p.Name(), left)
	}
}

// put writes what is kept into an object.
func (k *kept) put(o object, component string) {
	if k.properties == nil && k.components == nil && k.converted == nil {
		return
	}
	c := object{"@type": "ICalComponent", "name": strings.ToLower(component)}
	if k.properties != nil || k.components != nil {
		data, err := jcal.Marshal(keptCalendar(k.properties, k.components))
		if err == nil {
			var properties, components raw
			if properties, components, err = jcalParts(data); err == nil {
				if k.properties != nil {
					c["properties"] = properties
				}
				if k.components != nil {
					c["components"] = components
				}
			}
		}
	}
	if k.converted != nil {
		c["convertedProperties"] = k.converted
	}
	o["iCalendar"] = c
}

// keptCalendar has one component with what is kept.
func keptCalendar(properties []*ical.Property, components []*ical.Component) *ical.Calendar {
	carrier := ical.New(ProductID)
	inner := ical.NewComponent("X-KEPT")
	inner.Properties, inner.Components = properties, components
	carrier.Components = append(carrier.Components, inner)
	return carrier
}

// group writes the whole.
func (w *writer) group() object {
	var t grouped
	g, k := object{"@type": "Group"}, &t.kept
	w.properties(g, k, w.cal.Properties)
	entries := []any{}
	w.components(w.cal.Method(), &t, func(o object) error { entries = append(entries, o); return nil }, func(c *ical.Component) error { k.components = append(k.components, c); return nil })
	g["entries"] = entries
	t.finish(g)
	k.put(g, "VCALENDAR")
	w.restore(g, &w.cal.Component)
	return g
}

// grouped is what the entries of a Group say of the whole.
type grouped struct {
	kept
	updated string
	ids     hash.Hash // of many entries
}

// components writes the components of the calendar, or object, at hand.
func (w *writer) components(method string, t *grouped, entry func(object) error, other func(*ical.Component) error) error {
	if t.ids == nil {
		t.ids = newID()
	}
	method = strings.ToLower(method)
	for _, c := range w.cal.Components {
		var err error
		switch c.Name {
		case "VEVENT", "VTODO":
			o := w.entry(c)
			if o == nil {
				continue
			}
			if method != "" {
				o["method"] = method
			}
			t.updated = max(t.updated, fmt.Sprint(o["updated"]))
			fmt.Fprintf(t.ids, "%v\n", o["uid"])
			err = entry(o)
		case "VTIMEZONE":
		default:
			err = other(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finish gives a Group what it must have.
func (t *grouped) finish(g object) {
	if t.updated == "" {
		t.updated = "1970-01-01T00:00:00Z"
	}
	if g["updated"] == nil {
		g["updated"] = t.updated
	}
	if g["uid"] == nil {
		g["uid"] = idFrom(t.ids)
	}
}

// properties writes those of a calendar.
func (w *writer) properties(g object, k *kept, list []*ical.Property) {
	for _, p := range list {
		switch p.Name() {
		case "VERSION", "CALSCALE":
		case "METHOD": // of each entry
		case "PRODID":
			if p.Value() != ProductID { // made by reading a Group without one
				g["prodId"] = p.Text()
			}
		case "UID":
			g["uid"] = p.Text()
		case "LAST-MODIFIED":
			w.stamp(g, "updated", p, k)
		case "NAME":
			if g["title"] != nil {
				k.properties = append(k.properties, p)
				continue
			}
			w.text(g, "title", p, k)
		case "DESCRIPTION":
			if g["description"] != nil {
				k.properties = append(k.properties, p)
				continue
			}
			w.text(g, "description", p, k)
		case "SOURCE":
			g["source"] = p.Value()
			k.rest("source", p)
		case "COLOR":
			g["color"] = p.Text()
			k.rest("color", p)
		case "CATEGORIES":
			words(g, "keywords", p, k)
		case "URL", "IMAGE", "LINK", "ATTACH":
			w.link(g, p, k)
		case "JSPROP": // applied at the end
		default:
			k.properties = append(k.properties, p)
		}
	}
}

// restore applies JSPROP properties: what only JSCalendar has (draft 4.1.2).
// Nothing that is already there is replaced.
func (w *writer) restore(o object, c *ical.Component) {
	for p := range c.Props("JSPROP") {
		v, err := decode([]byte(p.Text()), DefaultLimits)
		path := p.Param("JSPTR")
		if err != nil || v == nil || path == "" {
			w.losses.of(p, "it is no JSCalendar property")
			continue
		}
		if first, _, deep := strings.Cut(path, "/"); deep && o[first] == nil {
			o[first] = object{}
		}
		in, name, err := find(o, path)
		if err != nil || in[name] != nil {
			w.losses.of(p, "there is no room for %s", clip(path))
			continue
		}
		in[name] = v
	}
}

// text writes a TEXT property; its language is that of the object.
func (w *writer) text(o object, name string, p *ical.Property, k *kept) {
	o[name] = p.Text()
	language := p.Param("LANGUAGE")
	if language != "" && (o["locale"] == nil || o["locale"] == language) && (name == "title" || o["title"] == nil) {
		o["locale"] = language
		k.rest(name, p, "LANGUAGE")
		return
	}
	k.rest(name, p)
}

// words adds the values of a list to a set.
func words(o object, name string, p *ical.Property, k *kept) {
	words, ok := o[name].(object)
	if !ok {
		words = object{}
		o[name] = words
	}
	for _, s := range p.TextList() {
		if s != "" {
			words[s] = true
		}
	}
	if len(words) == 0 {
		delete(o, name)
	}
	k.rest(name, p)
}

// stamp writes a time in UTC.
func (w *writer) stamp(o object, name string, p *ical.Property, k *kept) {
	t, err := p.Time()
	if err != nil || o[name] != nil {
		k.properties = append(k.properties, p)
		return
	}
	o[name] = utc(w.zones.Instant(t))
}

// id is the key of what a property becomes: its JSID, else made of the value.
func id(p *ical.Property, value string) string {
	if js := p.Param("JSID"); isID(js) {
		return js
	}
	return idOf(value)
}

// member is a member of an object that is an object itself.
func member(o object, name string) object {
	m, ok := o[name].(object)
	if !ok {
		m = object{}
		o[name] = m
	}
	return m
}

// link writes URL, ATTACH, IMAGE or LINK as a Link (RFC 8984 1.4.11).
func (w *writer) link(o object, p *ical.Property, k *kept) {
	value := p.Value()
	binary := strings.EqualFold(p.Param("VALUE"), "BINARY")
	if !binary && !isURI(value) || p.Name() == "LINK" && !strings.EqualFold(p.Param("VALUE"), "URI") {
		k.properties = append(k.properties, p)
		return
	}
	known := []string{"FMTTYPE"}
	l := object{"@type": "Link", "href": value}
	if binary {
		media := p.Param("FMTTYPE")
		if media == "" {
			media = "application/octet-stream"
		}
		l["href"] = "data:" + media + ";base64," + value
		known = append(known, "ENCODING")
	}
	if media := p.Param("FMTTYPE"); media != "" {
		l["contentType"] = media
	}
	title := "LABEL"
	switch p.Name() {
	case "URL":
		l["rel"] = "describedby"
	case "ATTACH":
		l["rel"], title = "enclosure", "FILENAME"
	case "IMAGE":
		l["rel"], title = "icon", "FILENAME"
		if shows := p.ParamValues("DISPLAY"); len(shows) == 1 {
			l["display"] = strings.ToLower(shows[0])
			known = append(known, "DISPLAY")
		}
	case "LINK":
		if rel := p.Param("LINKREL"); rel != "" {
			l["rel"] = rel
			known = append(known, "LINKREL")
		}
	}
	if s := p.Param(title); s != "" {
		l["title"] = s
		known = append(known, title)
	}
	if n, ok := size(p.Param("SIZE")); ok {
		l["size"] = n
		known = append(known, "SIZE")
	}
	links := member(o, "links")
	key := id(p, value)
	if links[key] != nil {
		key = idOf(p.Name() + value)
	}
	if links[key] != nil {
		k.properties = append(k.properties, p)
		return
	}
	links[key] = l
	k.rest("links/"+key, p, known...)
}
