package jscal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

// entry converts an Event or Task: the component and its overrides.
func (r *reader) entry(o object, path string) ([]*ical.Component, error) {
	if o["uid"] == nil {
		o = clone(o).(object)
		o["uid"] = idOf(string(encode(o)))
	}
	overrides, _ := o["recurrenceOverrides"].(object)
	allDay := isAllDay(o, overrides)
	e, err := r.component(o, path, allDay)
	if err != nil || e == nil {
		return nil, err
	}
	list := []*ical.Component{e.c}
	if e.anchor.IsZero() && len(overrides) > 0 {
		r.losses.at(below(path, "recurrenceOverrides"), "without a start nothing recurs")
		return list, nil
	}
	base := object{}
	for k, v := range o {
		if k != "recurrenceRules" && k != "excludedRecurrenceRules" && k != "recurrenceOverrides" {
			base[k] = v
		}
	}
	size := 0
	for _, key := range names(overrides) {
		at := below(path, pointer("recurrenceOverrides", key))
		patch, isObject := overrides[key].(object)
		wall, _, ok := parseLocal(key)
		if !ok || !isObject {
			r.losses.at(at, "it is no override")
			continue
		}
		t := e.form(wall)
		if isTrue(patch["excluded"]) {
			e.c.Add(timeProperty("EXDATE", t))
			continue
		}
		recurs := e.recursAt(wall)
		if q, ok := e.period(t, patch); ok && (!recurs || wall.Equal(e.anchor.Wall) && len(e.rules) == 0) {
			e.c.Add(q)
			continue
		}
		if !recurs {
			e.c.Add(timeProperty("RDATE", t))
		}
		if len(patch) == 0 {
			continue
		}
		if size == 0 {
			size = len(encode(base))
		}
		if r.output += size; r.output > r.limits.Output {
			return nil, &ParseError{Line: 1, Column: 1, Path: at, What: fmt.Sprintf("the occurrences written out have more than %d octets", r.limits.Output), Err: ErrLimit}
		}
		c, err := r.override(e, base, key, wall, patch, at, allDay)
		if err != nil {
			return nil, err
		}
		if c != nil {
			list = append(list, c)
		}
	}
	return list, nil
}

// override converts a changed occurrence: the series, moved and patched.
func (r *reader) override(e *entry, series object, key string, wall time.Time, patch object, path string, allDay bool) (*ical.Component, error) {
	o := clone(series).(object)
	if _, ok := o["start"].(string); ok {
		if due, ok := o["due"].(string); ok {
			if t, _, ok := parseLocal(due); ok {
				o["due"] = local(t.Add(wall.Sub(e.anchor.Wall)))
			}
		}
		o["start"] = key
	} else {
		o["due"] = key
	}
	if err := apply(o, patch, unpatchable); err != nil {
		r.losses.at(path, "the override is left out: %v", err) // RFC 8984 1.4.9: in its entirety
		return nil, nil
	}
	c, err := r.component(o, path, allDay && isAllDay(o, nil))
	if err != nil || c == nil {
		return nil, err
	}
	c.c.Add(timeProperty("RECURRENCE-ID", e.form(wall)))
	return c.c, nil
}

// entry is the conversion of an Event or Task.
type entry struct {
	*conversion
	zone   *zone
	allDay bool
	// noStatus: the method forbids REQUEST-STATUS (RFC 5546 3.2.1, 3.2.2).
	noStatus bool
	anchor   ical.Time // start, else due
	rules    []*recur.Rule

	reached []*reached // of each rule
}

// component converts an object without its overrides; nil when an event has no
// start.
func (r *reader) component(o object, path string, allDay bool) (*entry, error) {
	if r.components++; r.components > r.limits.Components {
		return nil, &ParseError{Line: 1, Column: 1, Path: path, What: fmt.Sprintf("more than %d components", r.limits.Components), Err: ErrLimit}
	}
	kind := "VEVENT"
	if o["@type"] == "Task" {
		kind = "VTODO"
	}
	e := &entry{conversion: r.conversion(o, path, ical.NewComponent(kind)), allDay: allDay}
	if method, ok := o["method"].(string); ok {
		r, _ := ical.RestrictionsOf(strings.ToUpper(method), kind)
		e.noStatus = slices.Contains(r.Forbidden, "REQUEST-STATUS")
	}
	for _, name := range [...]string{"@type", "method", "recurrenceOverrides", "timeZones"} {
		delete(e.o, name)
	}
	if r.group == nil || e.o["prodId"] == r.group["prodId"] {
		delete(e.o, "prodId")
	}
	uid, ok := e.text("uid")
	if !ok {
		uid = idOf(string(encode(o)))
	}
	e.add("uid", ical.NewText("UID", uid))
	e.stamp("updated", "DTSTAMP")
	if e.c.Prop("DTSTAMP") == nil {
		e.c.Add(ical.NewProperty("DTSTAMP", "19700101T000000Z"))
	}
	e.stamp("created", "CREATED")
	if !e.times(o) {
		r.losses.at(below(path, "start"), "an Event without a start is left out")
		return nil, nil
	}
	e.recurrence()
	e.describe()
	e.participants()
	e.locations()
	e.virtualLocations()
	e.links()
	e.relations()
	e.alerts()
	e.rest("")
	e.restore()
	return e, nil
}

// inverse turns a table of values round.
func inverse(m map[string]string) map[string]string {
	back := make(map[string]string, len(m))
	for k, v := range m {
		back[v] = k
	}
	return back
}

// describe takes the properties that are one value each.
func (e *entry) describe() {
	language, _ := e.o["locale"].(string)
	if s, ok := e.text("title"); ok {
		e.language(e.add("title", ical.NewText("SUMMARY", s)), language)
	}
	media, _ := e.o["descriptionContentType"].(string)
	if s, ok := e.text("description"); ok {
		if media == "" || strings.EqualFold(media, "text/plain") {
			if s != "" {
				e.add("description", ical.NewText("DESCRIPTION", s))
			}
		} else {
			p := ical.NewText("STYLED-DESCRIPTION", s)
			p.SetParam("VALUE", "TEXT")
			p.SetParam("FMTTYPE", media)
			e.add("description", p)
		}
		delete(e.o, "descriptionContentType")
	}
	if n, ok := e.number("sequence", 1<<31-1); ok {
		e.add("sequence", ical.NewProperty("SEQUENCE", fmt.Sprint(n)))
	}
	if n, ok := e.number("priority", 9); ok {
		e.add("priority", ical.NewProperty("PRIORITY", fmt.Sprint(n)))
	}
	if s, ok := e.text("color"); ok {
		e.add("color", ical.NewText("COLOR", s))
	}
	if s, ok := e.word("privacy", inverse(classes)); ok {
		e.add("privacy", ical.NewProperty("CLASS", s))
	} else if e.o["privacy"] != nil { // RFC 8984 4.4.3: what is not known is private
		e.add("privacy", ical.NewProperty("CLASS", "PRIVATE"))
		e.losses.at(below(e.path, "privacy"), "a value that is not known is PRIVATE")
		delete(e.o, "privacy")
	}
	if e.c.Name == "VEVENT" {
		if s, ok := e.word("freeBusyStatus", inverse(transparencies)); ok {
			e.add("freeBusyStatus", ical.NewProperty("TRANSP", s))
		}
		if s, ok := e.word("status", map[string]string{"confirmed": "CONFIRMED", "cancelled": "CANCELLED", "tentative": "TENTATIVE"}); ok {
			e.add("status", ical.NewProperty("STATUS", s))
		}
	} else {
		e.task()
	}
	if s, ok := e.o["requestStatus"].(string); ok && !e.noStatus {
		if code, _, found := strings.Cut(s, ";"); found && code != "" && strings.Trim(code, "0123456789.") == "" && strings.Contains(strings.Trim(code, "."), ".") {
			parts := strings.SplitN(s, ";", 3)
			for i := range parts {
				parts[i] = ical.EscapeText(parts[i])
			}
			delete(e.o, "requestStatus")
			e.add("requestStatus", ical.NewProperty("REQUEST-STATUS", strings.Join(parts, ";")))
		}
	}
	e.words("keywords", "CATEGORIES")
	if o, ok := e.o["categories"].(object); ok {
		left := object{}
		for _, s := range names(o) {
			if isURI(s) {
				e.add("categories", uriProperty("CONCEPT", s))
			} else {
				left[s] = o[s]
			}
		}
		delete(e.o, "categories")
		for _, s := range names(left) {
			e.prop(pointer("categories", s), left[s])
		}
	}
}

// task takes what only a Task has (RFC 8984 5.2).
func (e *entry) task() {
	if n, ok := e.number("percentComplete", 100); ok {
		e.add("percentComplete", ical.NewProperty("PERCENT-COMPLETE", fmt.Sprint(n)))
	}
	s, ok := e.word("progress", map[string]string{"needs-action": "NEEDS-ACTION", "in-process": "IN-PROCESS", "completed": "COMPLETED", "cancelled": "CANCELLED"})
	if ok {
		e.add("progress", ical.NewProperty("STATUS", s))
	}
	if s == "COMPLETED" {
		e.stamp("progressUpdated", "COMPLETED")
	}
	if s, ok := e.o["estimatedDuration"].(string); ok {
		if d, whole, ok := parseDuration(s); ok && whole {
			delete(e.o, "estimatedDuration")
			e.add("estimatedDuration", ical.NewProperty("ESTIMATED-DURATION", d.String()))
		}
	}
}
