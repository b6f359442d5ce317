package jscal

import (
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jcal"
	"github.com/convene-cal/convene/ical/tz"
)

// Parse reads an Event, a Task, a Group, or an array of them, each of which
// becomes a calendar. What iCalendar cannot hold is kept as JSPROP; losses are
// what could not be kept, or not as it was meant. The error is a *ParseError.
func Parse(data []byte) ([]*ical.Calendar, []Loss, error) { return ParseLimits(data, Limits{}) }

// ParseLimits is Parse with other limits.
func ParseLimits(data []byte, l Limits) ([]*ical.Calendar, []Loss, error) {
	l = l.orDefault()
	if len(data) > l.Size {
		return nil, nil, &ParseError{Line: 1, Column: 1, What: fmt.Sprintf("%d octets are more than %d", len(data), l.Size), Err: ErrLimit}
	}
	v, err := decode(data, l)
	if err != nil {
		return nil, nil, err
	}
	r := &reader{limits: l, losses: losses{max: l.Losses}}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var cals []*ical.Calendar
	for i, v := range list {
		path := ""
		if ok {
			path = fmt.Sprint(i)
		}
		o, isObject := v.(object)
		if !isObject {
			return nil, r.losses.list, &ParseError{Line: 1, Column: 1, Path: path, What: "it is no object", Err: ErrFormat}
		}
		cal, err := r.calendar(o, path)
		if err != nil {
			return nil, r.losses.list, err
		}
		cals = append(cals, cal)
	}
	return cals, r.losses.list, nil
}

// reader is one reading of a text.
type reader struct {
	limits     Limits
	losses     losses
	components int
	output     int // octets of series repeated so far
	cal        *ical.Calendar
	group      object // nil for an Event or Task by itself
	zones      map[string]*zone
	tzids      map[string]bool // of them
}

func (r *reader) calendar(o object, path string) (*ical.Calendar, error) {
	entries, base, err := r.begin(o, path)
	if err != nil {
		return nil, err
	}
	t := together{ids: newID()}
	for i, v := range entries {
		at := base
		if r.group != nil {
			at = fmt.Sprintf("%s/%d", base, i)
		}
		list, err := r.one(v, at, &t)
		if err != nil {
			return nil, err
		}
		r.cal.Components = append(r.cal.Components, list...)
	}
	r.finish(path, base, &t)
	tz.Complete(r.cal, tz.NewResolver(r.cal, nil))
	return r.cal, nil
}

// begin starts the calendar that an object becomes and gives its entries.
func (r *reader) begin(o object, path string) (entries []any, base string, err error) {
	r.cal, r.group, r.zones, r.tzids = ical.New(ProductID), nil, map[string]*zone{}, map[string]bool{}
	switch t := o["@type"]; t {
	case "Event", "Task":
		if s, ok := o["prodId"].(string); ok && s != "" {
			r.cal.SetText("PRODID", s)
		}
		return []any{o}, path, nil
	case "Group":
		list, ok := o["entries"].([]any)
		if !ok {
			return nil, "", &ParseError{Line: 1, Column: 1, Path: below(path, "entries"), What: "a Group has a list of entries", Err: ErrFormat}
		}
		r.group = o
		return list, below(path, "entries"), nil
	default:
		return nil, "", &ParseError{Line: 1, Column: 1, Path: below(path, "@type"), What: fmt.Sprintf("%s is no Event, Task or Group", clip(string(encode(t)))), Err: ErrFormat}
	}
}

// together is what the entries of a calendar say of the whole.
type together struct {
	entries int
	method  string
	many    bool // methods
	ids     hash.Hash
	updated string
}

// one converts an entry.
func (r *reader) one(v any, at string, t *together) ([]*ical.Component, error) {
	t.entries++
	entry, ok := v.(object)
	if kind := entry["@type"]; !ok || kind != "Event" && kind != "Task" {
		r.losses.at(at, "an entry that is no Event or Task is left out") // RFC 8984 5.3.1: ignored
		return nil, nil
	}
	m, _ := entry["method"].(string)
	t.many = t.many || t.entries > 1 && m != t.method
	t.method = m
	list, err := r.entry(entry, at)
	if len(list) > 0 {
		io.WriteString(t.ids, list[0].Text("UID")+"\n")
		u, _ := entry["updated"].(string)
		t.updated = max(t.updated, u)
	}
	return list, err
}

// finish gives the calendar its properties.
func (r *reader) finish(path, base string, t *together) {
	if t.many {
		r.losses.at(base, "the entries differ in their method, which is left out")
	} else if method := strings.ToUpper(t.method); method != "" {
		if ical.SchedulingMethod(method) {
			r.cal.Set("METHOD", method)
		} else {
			r.losses.at(base, "method %q is left out", clip(method))
		}
	}
	if r.group != nil {
		r.properties(path, idFrom(t.ids), t.updated)
	}
}

// properties reads what a Group says of itself.
func (r *reader) properties(path, id, updated string) {
	e := r.conversion(r.group, path, &r.cal.Component)
	for _, name := range [...]string{"@type", "entries", "timeZones"} {
		delete(e.o, name)
	}
	if s, ok := e.text("prodId"); ok {
		r.cal.SetText("PRODID", s)
	}
	if s, ok := e.o["uid"].(string); ok && s == id { // made of its entries
		delete(e.o, "uid")
	} else if s, ok := e.text("uid"); ok {
		e.add("uid", ical.NewText("UID", s))
	}
	if e.o["updated"] == updated {
		delete(e.o, "updated")
	}
	e.stamp("updated", "LAST-MODIFIED")
	language, _ := e.o["locale"].(string)
	if s, ok := e.text("title"); ok {
		e.language(e.add("title", ical.NewText("NAME", s)), language)
	}
	if s, ok := e.text("description"); ok {
		e.add("description", ical.NewText("DESCRIPTION", s))
	}
	if s, ok := e.text("color"); ok {
		e.add("color", ical.NewText("COLOR", s))
	}
	if s, ok := e.uri("source"); ok {
		e.add("source", uriProperty("SOURCE", s))
	}
	e.words("keywords", "CATEGORIES")
	e.links()
	e.rest("")
	e.restore()
}

// conversion is the conversion of one object to one component. o is a copy of
// which is taken what is converted; the rest is kept as JSPROP.
type conversion struct {
	*reader
	o          object
	path       string
	c          *ical.Component
	converted  object
	properties []*ical.Property  // of "iCalendar"
	components []*ical.Component // of "iCalendar"
}

func (r *reader) conversion(o object, path string, c *ical.Component) *conversion {
	e := &conversion{reader: r, o: object{}, path: path, c: c}
	for k, v := range o {
		e.o[k] = v
	}
	k, ok := e.o["iCalendar"].(object)
	if !ok || !strings.EqualFold(fmt.Sprint(k["name"]), c.Name) {
		return e
	}
	delete(e.o, "iCalendar")
	e.converted, _ = k["convertedProperties"].(object)
	parts := []any{"x-kept", []any{}, []any{}}
	if list, ok := k["properties"].([]any); ok {
		parts[1] = list
	}
	if list, ok := k["components"].([]any); ok {
		parts[2] = list
	}
	text := encode([]any{"vcalendar", jcalVersion, []any{parts}})
	cal, err := jcal.Parse(text)
	if err != nil || len(cal.Components) != 1 {
		r.losses.at(below(path, "iCalendar"), "it is no jCal: %v", err)
		return e
	}
	kept := cal.Components[0].Clone()
	if r.components += len(kept.Components); r.components > r.limits.Components {
		kept.Components = nil
		r.losses.at(below(path, "iCalendar"), "its components are too many and left out")
	}
	e.properties, e.components = kept.Properties, kept.Components
	return e
}

// jcalVersion are the properties of a jCal object that carries a component.
var jcalVersion = []any{[]any{"version", object{}, "text", "2.0"}}

// add adds a property, with the parameters that are kept for the path.
func (e *conversion) add(path string, p *ical.Property) *ical.Property {
	if note, ok := e.converted[path].(object); ok && strings.EqualFold(fmt.Sprint(note["name"]), p.Name()) {
		params, _ := note["parameters"].(object)
		for _, name := range names(params) {
			var values []string
			switch v := params[name].(type) {
			case string:
				values = []string{v}
			case []any:
				for _, s := range v {
					if s, ok := s.(string); ok {
						values = append(values, s)
					}
				}
			}
			upper := strings.ToUpper(name)
			if values != nil && isID(upper) && !p.HasParam(upper) && upper != "VALUE" && upper != "TZID" && upper != "ENCODING" {
				p.SetParam(upper, values...)
			}
		}
	}
	e.put(p)
	return p
}

// put adds a property unless it may occur once only and is there.
func (e *conversion) put(p *ical.Property) {
	if def, ok := ical.LookupComponent(e.c.Name); ok && e.c.Prop(p.Name()) != nil {
		if n := def.Cardinality(p.Name()); n == ical.AtMostOnce || n == ical.ExactlyOnce {
			e.losses.at(below(e.path, "iCalendar"), "a second %s is left out", p.Name())
			return
		}
	}
	e.c.Add(p)
}

// restore adds what "iCalendar" kept.
func (e *conversion) restore() {
	for _, p := range e.properties {
		e.put(p)
	}
	e.c.Components = append(e.c.Components, e.components...)
}

// keptProp is a property that "iCalendar" keeps, or nil.
func (e *conversion) keptProp(name string) *ical.Property {
	for _, p := range e.properties {
		if p.Name() == name {
			return p
		}
	}
	return nil
}

// rest keeps every member that was not taken as JSPROP. in is the path of o
// within the component, "" for its own object.
func (e *conversion) rest(in string) {
	for _, name := range names(e.o) {
		e.prop(below(in, pointer(name)), e.o[name])
	}
}

// prop writes a JSPROP (draft-ietf-calext-jscalendar-icalendar 4.1.2).
func (e *conversion) prop(path string, v any) {
	if v == nil { // a null member says nothing
		return
	}
	p := ical.NewText("JSPROP", string(encode(v)))
	p.SetParam("JSPTR", path)
	e.c.Add(p)
}

// text takes a string.
func (e *conversion) text(name string) (string, bool) {
	v, there := e.o[name]
	s, ok := v.(string)
	if there && !ok && v != nil {
		e.losses.at(below(e.path, name), "it is no string")
	}
	if ok {
		delete(e.o, name)
	}
	return s, ok
}

// word takes a string that has a counterpart.
func (e *conversion) word(name string, words map[string]string) (string, bool) {
	s, ok := e.o[name].(string)
	if ok {
		s, ok = words[s]
	}
	if ok {
		delete(e.o, name)
	}
	return s, ok
}

// number takes an integer in a range.
func (e *conversion) number(name string, most int) (int, bool) {
	v, there := e.o[name]
	n, ok := integer(v)
	if ok = ok && n >= 0 && n <= most; ok {
		delete(e.o, name)
	} else if there && v != nil {
		e.losses.at(below(e.path, name), "it is no number from 0 to %d", most)
	}
	return n, ok
}

// uri takes a string that can be the value of a URI property.
func (e *conversion) uri(name string) (string, bool) {
	s, ok := e.o[name].(string)
	if ok = ok && isURI(s); ok {
		delete(e.o, name)
	}
	return s, ok
}

func isURI(s string) bool {
	colon := strings.IndexByte(s, ':')
	if colon < 2 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return false
		}
		if i < colon && !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || i > 0 && (strings.IndexByte("+-.", c) >= 0 || '0' <= c && c <= '9')) {
			return false
		}
	}
	return true
}

// uriProperty makes a property whose default type may be another.
func uriProperty(name, value string) *ical.Property {
	p := ical.NewProperty(name, value)
	if def, ok := ical.LookupProperty(name); ok && def.Default() != ical.URI {
		p.SetParam("VALUE", "URI")
	}
	return p
}

// stamp takes a UTCDateTime.
func (e *conversion) stamp(name, property string) {
	s, ok := e.o[name].(string)
	if !ok {
		return
	}
	t, whole, ok := parseUTC(s)
	if !ok {
		e.losses.at(below(e.path, name), "%q is no time in UTC", clip(s))
		return
	}
	if !whole {
		e.losses.at(below(e.path, name), "the fraction of a second is left out")
	}
	delete(e.o, name)
	e.add(name, ical.NewProperty(property, ical.UTCTime(t).String()))
}

// language gives a text the locale of its object.
func (e *conversion) language(p *ical.Property, language string) {
	if language != "" && isID(language) && !p.HasParam("LANGUAGE") {
		p.SetParam("LANGUAGE", language)
		delete(e.o, "locale")
	}
}

// words takes a set as a list of texts.
func (e *conversion) words(name, property string) {
	o, ok := e.o[name].(object)
	if !ok || len(o) == 0 {
		return
	}
	list := names(o)
	for i, s := range list {
		list[i] = ical.EscapeText(s)
	}
	delete(e.o, name)
	e.add(name, ical.NewProperty(property, strings.Join(list, ",")))
}

// jsid gives a property the key of what it was, unless that is made of its
// value.
func jsid(p *ical.Property, key string) {
	if isID(key) && key != idOf(p.Value()) {
		p.SetParam("JSID", key)
	}
}
