package jscal

import (
	"fmt"
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

	series      map[string][]*ical.Component // by seriesKey, see bySeries
	definitions map[string]*ical.Component   // VTIMEZONEs by TZID, see definition
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
		carrier := ical.New(ProductID)
		inner := ical.NewComponent("X-KEPT")
		inner.Properties, inner.Components = k.properties, k.components
		carrier.Components = append(carrier.Components, inner)
		if data, err := jcal.Marshal(carrier); err == nil {
			if v, err := decode(data, Limits{Depth: 1 << 20}); err == nil {
				if list, ok := jcalParts(v); ok {
					if k.properties != nil {
						c["properties"] = list[1]
					}
					if k.components != nil {
						c["components"] = list[2]
					}
				}
			}
		}
	}
	if k.converted != nil {
		c["convertedProperties"] = k.converted
	}
	o["iCalendar"] = c
}

// jcalParts are name, properties and components of the one component of a
// jCal object.
func jcalParts(v any) ([]any, bool) {
	list, ok := v.([]any)
	if !ok || len(list) != 3 {
		return nil, false
	}
	if list, ok = list[2].([]any); !ok || len(list) != 1 {
		return nil, false
	}
	list, ok = list[0].([]any)
	return list, ok && len(list) == 3
}

// group writes the whole.
func (w *writer) group() object {
	g := object{"@type": "Group"}
	var k kept
	method := ""
	for _, p := range w.cal.Properties {
		switch p.Name() {
		case "VERSION", "CALSCALE":
		case "METHOD":
			method = strings.ToLower(w.cal.Method())
		case "PRODID":
			if p.Value() != ProductID { // made by reading a Group without one
				g["prodId"] = p.Text()
			}
		case "UID":
			g["uid"] = p.Text()
		case "LAST-MODIFIED":
			w.stamp(g, "updated", p, &k)
		case "NAME":
			if g["title"] != nil {
				k.properties = append(k.properties, p)
				continue
			}
			w.text(g, "title", p, &k)
		case "DESCRIPTION":
			if g["description"] != nil {
				k.properties = append(k.properties, p)
				continue
			}
			w.text(g, "description", p, &k)
		case "SOURCE":
			g["source"] = p.Value()
			k.rest("source", p)
		case "COLOR":
			g["color"] = p.Text()
			k.rest("color", p)
		case "CATEGORIES":
			words(g, "keywords", p, &k)
		case "URL", "IMAGE", "LINK", "ATTACH":
			w.link(g, p, &k)
		case "JSPROP": // applied at the end
		default:
			k.properties = append(k.properties, p)
		}
	}
	entries := []any{}
	updated := ""
	var ids strings.Builder // of many entries
	for _, c := range w.cal.Components {
		switch c.Name {
		case "VEVENT", "VTODO":
			o := w.entry(c)
			if o == nil {
				continue
			}
			if method != "" {
				o["method"] = method
			}
			entries = append(entries, o)
			updated = max(updated, fmt.Sprint(o["updated"]))
			fmt.Fprintf(&ids, "%v\n", o["uid"])
		case "VTIMEZONE":
		default:
			k.components = append(k.components, c)
		}
	}
	g["entries"] = entries
	if updated == "" {
		updated = "1970-01-01T00:00:00Z"
	}
	if g["updated"] == nil {
		g["updated"] = updated
	}
	if g["uid"] == nil {
		g["uid"] = idOf(ids.String())
	}
	k.put(g, "VCALENDAR")
	w.restore(g, &w.cal.Component)
	return g
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
