package jscal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
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

// define makes a VTIMEZONE of a TimeZone object, once.
func (r *reader) define(name string, o object, path string) *zone {
	key := name + string(encode(o))
	if z, ok := r.zones[key]; ok {
		return z
	}
	c := ical.NewComponent("VTIMEZONE")
	tzid, _ := o["tzId"].(string)
	if tzid == "" {
		tzid = name
	}
	for _, other := range r.cal.Components {
		if other.Name == "VTIMEZONE" && other.Text("TZID") == tzid { // the same name for other rules
			tzid = fmt.Sprintf("%s %d", tzid, len(r.zones))
		}
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
	made := &zone{kind: ical.Zoned, tzid: tzid, zone: z}
	r.zones[key] = made
	return made
}

// offset takes the colon out of "+01:00", which some write.
func offset(s string) string { return strings.ReplaceAll(s, ":", "") }

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

// period is an additional occurrence that differs in its duration alone.
func (e *entry) period(t ical.Time, patch object) (*ical.Property, bool) {
	s, ok := patch["duration"].(string)
	d, whole, isDuration := parseDuration(s)
	if !ok || len(patch) != 1 || !isDuration || !whole || e.allDay || e.c.Name != "VEVENT" || d.Days < 0 || d.Exact < 0 || d.Days == 0 && d.Exact == 0 {
		return nil, false
	}
	p := timeProperty("RDATE", t)
	p.SetValue(ical.Period{Start: t, Duration: d, HasDuration: true}.String())
	p.SetParam("VALUE", "PERIOD")
	return p, true
}

func timeProperty(name string, t ical.Time) *ical.Property {
	p := ical.NewProperty(name, "")
	p.SetTime(t)
	return p
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

// isAllDay tells whether every time of an object is a day (draft 3.2).
func isAllDay(o, overrides object) bool {
	if !isTrue(o["showWithoutTime"]) || o["timeZone"] != nil {
		return false
	}
	midnight := func(v any) bool {
		s, ok := v.(string)
		return v == nil || ok && (!strings.Contains(s, "T") || strings.HasSuffix(s, "T00:00:00"))
	}
	rules, _ := o["recurrenceRules"].([]any)
	for _, v := range rules {
		if rule, _ := v.(object); !midnight(rule["until"]) || rule["byHour"] != nil || rule["byMinute"] != nil || rule["bySecond"] != nil {
			return false
		}
	}
	for key, v := range overrides {
		patch, _ := v.(object)
		if !midnight(key) || !midnight(patch["start"]) || !midnight(patch["due"]) {
			return false
		}
	}
	for _, name := range [...]string{"duration", "estimatedDuration"} {
		s, _ := o[name].(string)
		if d, _, ok := parseDuration(s); s != "" && (!ok || d.Exact != 0) {
			return false
		}
	}
	return midnight(o["start"]) && midnight(o["due"]) && midnight(o["recurrenceId"])
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

// form is a clock reading in the form of the component's times.
func (e *entry) form(wall time.Time) ical.Time {
	if e.allDay {
		return ical.DateOf(wall.Date())
	}
	return e.zone.at(wall)
}

// reached is how far a rule was asked: it gives nothing from asked up to next,
// or ever where next is zero.
type reached struct{ asked, next time.Time }

// recursAt tells whether the rules give an occurrence by themselves. It is
// asked in the order of time, so that a rule is not asked where it has answered.
func (e *entry) recursAt(wall time.Time) bool {
	if wall.Equal(e.anchor.Wall) {
		return true
	}
	if e.reached == nil {
		e.reached = make([]*reached, len(e.rules))
	}
	found := false
	for i, r := range e.rules {
		at := e.reached[i]
		if at == nil || wall.Before(at.asked) || !at.next.IsZero() && wall.After(at.next) {
			at = &reached{asked: wall}
			for t := range r.From(e.anchor.Wall, wall) {
				at.next = t
				break
			}
			e.reached[i] = at
		}
		found = found || at.next.Equal(wall)
	}
	return found
}

// clock takes a LocalDateTime.
func (e *entry) clock(name string) (time.Time, bool) {
	s, ok := e.o[name].(string)
	if !ok {
		if e.o[name] != nil {
			e.losses.at(below(e.path, name), "it is no time")
		}
		return time.Time{}, false
	}
	t, whole, ok := parseLocal(s)
	if !ok {
		e.losses.at(below(e.path, name), "%q is no local time", clip(s))
		return t, false
	}
	if !whole {
		e.losses.at(below(e.path, name), "the fraction of a second is left out")
	}
	delete(e.o, name)
	return t, true
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

// times takes timeZone, start, duration and due, and what they are shown as.
func (e *entry) times(o object) bool {
	name, _ := e.o["timeZone"].(string)
	e.zone = e.find(name, below(e.path, "timeZone"), o)
	if name == "" || e.zone.kind != ical.Floating {
		delete(e.o, "timeZone")
	}
	if e.allDay {
		delete(e.o, "showWithoutTime")
	} else if isTrue(e.o["showWithoutTime"]) {
		p := ical.NewProperty("SHOW-WITHOUT-TIME", "TRUE")
		p.SetParam("VALUE", "BOOLEAN")
		e.c.Add(p)
		delete(e.o, "showWithoutTime")
	} else if e.o["showWithoutTime"] == false {
		delete(e.o, "showWithoutTime")
	}
	start, hasStart := e.clock("start")
	if hasStart {
		e.anchor = e.form(start)
		e.add("start", timeProperty("DTSTART", e.anchor))
	} else if e.c.Name == "VEVENT" {
		return false
	}
	if id, ok := e.clock("recurrenceId"); ok {
		z := e.zone
		if name, ok := e.o["recurrenceIdTimeZone"].(string); ok {
			z = e.find(name, below(e.path, "recurrenceIdTimeZone"), o)
		}
		t := z.at(id)
		if e.allDay {
			t = ical.DateOf(id.Date())
		}
		e.c.Add(timeProperty("RECURRENCE-ID", t))
	}
	delete(e.o, "recurrenceIdTimeZone")
	if e.c.Name == "VTODO" {
		if due, ok := e.clock("due"); ok {
			if hasStart && !due.After(start) { // RFC 5545 3.8.2.3: later than DTSTART
				e.losses.at(below(e.path, "due"), "it is not after the start and kept as JSPROP")
				e.o["due"] = local(due)
				return true
			}
			if e.anchor.IsZero() {
				e.anchor = e.form(due)
			}
			e.add("due", timeProperty("DUE", e.form(due)))
		}
		return true
	}
	s, ok := e.text("duration")
	if !ok {
		return true
	}
	d, whole, ok := parseDuration(s)
	if !ok || d.Days < 0 || d.Exact < 0 {
		e.losses.at(below(e.path, "duration"), "%q is no length of time", clip(s))
		return true
	}
	if !whole {
		e.losses.at(below(e.path, "duration"), "the fraction of a second is left out")
	}
	if d.Days == 0 && d.Exact == 0 {
		return true
	}
	note, _ := e.converted["duration"].(object)
	endZone := e.endZone(o)
	if endZone == nil && !strings.EqualFold(fmt.Sprint(note["name"]), "DTEND") {
		e.add("duration", ical.NewProperty("DURATION", d.String()))
		return true
	}
	// RFC 8984 1.4.6: days by the calendar, the rest as time that passes.
	end := start.AddDate(0, 0, d.Days)
	instant := e.zone.instant(end).Add(d.Exact)
	if e.zone.zone != nil {
		end, _ = e.zone.zone.Wall(instant)
	} else {
		end = end.Add(d.Exact)
	}
	if end.Year() > 9999 {
		e.losses.at(below(e.path, "duration"), "the end is after the year 9999")
		return true
	}
	if endZone == nil {
		e.add("duration", timeProperty("DTEND", e.form(end)))
		return true
	}
	wall, _ := endZone.zone.Wall(instant)
	e.add("duration", timeProperty("DTEND", endZone.at(wall)))
	return true
}

// endZone is the zone of the place where an event ends. A place that says no
// more than that is taken.
func (e *entry) endZone(o object) *zone {
	locations, _ := e.o["locations"].(object)
	if e.zone.zone == nil {
		return nil
	}
	for _, key := range names(locations) {
		l, _ := locations[key].(object)
		name, ok := l["timeZone"].(string)
		if !ok || l["relativeTo"] != "end" {
			continue
		}
		z := e.find(name, below(e.path, pointer("locations", key, "timeZone")), o)
		if z.zone == nil {
			continue
		}
		if len(l) == 3 && l["@type"] == "Location" && key == "end-"+idOf(name) {
			left := object{}
			for k, v := range locations {
				if k != key {
					left[k] = v
				}
			}
			if e.o["locations"] = left; len(left) == 0 {
				delete(e.o, "locations")
			}
		}
		return z
	}
	return nil
}

// recurrence takes the rules.
func (e *entry) recurrence() {
	for _, name := range [...]string{"recurrenceRules", "excludedRecurrenceRules"} {
		list, ok := e.o[name].([]any)
		if !ok {
			continue
		}
		property := "RRULE"
		if name != "recurrenceRules" {
			property = "EXRULE"
		}
		var rules []*recur.Rule
		var err error
		for _, v := range list {
			o, _ := v.(object)
			r, unknown, bad := parseRule(o)
			if bad == nil && e.anchor.IsZero() {
				bad = fmt.Errorf("there is no start")
			}
			if err = bad; err != nil {
				break
			}
			if len(unknown) > 0 {
				e.losses.at(below(e.path, name), "%s of a rule left out", strings.Join(unknown, ", "))
			}
			rules = append(rules, r)
		}
		if err != nil {
			e.losses.at(below(e.path, name), "the rules are kept as JSPROP and have no effect: %v", err)
			continue
		}
		delete(e.o, name)
		for _, r := range rules {
			if property == "RRULE" {
				e.rules = append(e.rules, r)
			}
			written := *r
			if r.HasUntil {
				written.Until = e.form(r.Until.Wall)
				if e.zone.zone != nil && !e.allDay { // RFC 5545 3.3.10: in UTC
					written.Until = ical.UTCTime(e.zone.instant(r.Until.Wall))
				}
			}
			e.add(name, ical.NewProperty(property, written.String()))
		}
	}
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
