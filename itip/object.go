package itip

import (
	"slices"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// object is a calendar object resource taken apart: one master at most, and
// its overrides by occurrence.
type object struct {
	cal       *ical.Calendar
	zones     *tz.Resolver
	master    *ical.Component
	overrides map[string]*ical.Component
	order     []string // keys of the overrides as they stand in the file
	all       []string // what keys gives, nil until asked for
	allDay    bool

	occurrences *recur.Set // nil until asked for
	occErr      error
	series      *object // the master alone, nil until asked for
}

// newObject takes cal apart; nil gives an object without components.
func newObject(cal *ical.Calendar, floating *tz.Zone) *object {
	o := &object{cal: cal, overrides: map[string]*ical.Component{}}
	if cal == nil {
		o.cal = &ical.Calendar{}
		return o
	}
	if n := len(cal.Components); n > crowded {
		o.overrides = make(map[string]*ical.Component, n)
	}
	o.zones = tz.NewResolver(cal, floating)
	o.index()
	return o
}

// index finds the components again after cal was changed.
func (o *object) index() {
	o.master, o.order, o.all, o.occurrences, o.occErr, o.series = nil, nil, nil, nil, nil, nil
	clear(o.overrides)
	main := o.cal.Main()
	if len(main) == 0 {
		return
	}
	ids := make([]*ical.Property, len(main))
	for i, c := range main {
		if ids[i] = c.Prop("RECURRENCE-ID"); ids[i] == nil && o.master == nil {
			o.master = c
		}
	}
	o.allDay = allDay(o.master)
	if o.master == nil {
		t, err := ids[0].Time()
		o.allDay = err == nil && t.IsDate()
	}
	o.order = make([]string, 0, len(main))
	for i, c := range main {
		if ids[i] == nil {
			continue
		}
		k := o.keyOfID(ids[i])
		if _, twice := o.overrides[k]; !twice {
			o.order = append(o.order, k)
		}
		o.overrides[k] = c // of two for one occurrence the later counts
	}
}

func allDay(c *ical.Component) bool {
	if c == nil {
		return false
	}
	p := c.Prop("DTSTART")
	if p == nil {
		p = c.Prop("DUE")
	}
	if p == nil {
		return false
	}
	t, err := p.Time()
	return err == nil && t.IsDate()
}

func (o *object) empty() bool { return o.master == nil && len(o.overrides) == 0 }

// component is the master for "", an override otherwise; nil when absent.
func (o *object) component(key string) *ical.Component {
	if key == "" {
		return o.master
	}
	return o.overrides[key]
}

// keys are those of the components there are, the master's "" first. They are to be
// read, not changed; who adds a component meanwhile does not see it in them.
func (o *object) keys() []string {
	if o.all != nil {
		return o.all
	}
	out := make([]string, 0, len(o.order)+1)
	if o.master != nil {
		out = append(out, "")
	}
	o.all = append(out, o.order...)
	return o.all
}

// main are the components but for zones, as [ical.Calendar.Main] gives them.
func (o *object) main(yield func(*ical.Component) bool) {
	for _, c := range o.cal.Components {
		if c.Name != "VTIMEZONE" && !yield(c) {
			return
		}
	}
}

// keyOf is the key of a component of this object: "" without RECURRENCE-ID.
func (o *object) keyOf(c *ical.Component) string {
	p := c.Prop("RECURRENCE-ID")
	if p == nil {
		return ""
	}
	return o.keyOfID(p)
}

func (o *object) keyOfID(p *ical.Property) string {
	t, err := p.Time()
	if err != nil {
		return "?" + p.Value() // unreadable: itself, so that it meets its like
	}
	return o.key(t, o.zones)
}

// key compares recurrence ids by what they mean: the instant for timed series,
// the day for all-day series, whatever their spelling (RFC 5545 3.8.4.4).
// zones are those of the object the id stands in (REP-04, REC-01).
func (o *object) key(t ical.Time, zones *tz.Resolver) string {
	if o.allDay {
		return dayOf(t).Format("20060102")
	}
	if t.IsDate() {
		// A day for a timed series: the occurrence on that day, if there is one.
		if s := o.set(); s != nil {
			if occ, ok := s.Find(t); ok {
				t, zones = occ.ID, o.zones
			}
		}
		if t.IsDate() {
			return t.Wall.Format("20060102")
		}
	}
	return instantKey(zones.Instant(t))
}

// instantKey writes an instant as keys have it. There is one for each component of
// each object, so it is not left to the time package, which reads a layout first.
func instantKey(t time.Time) string {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.Format("20060102T150405Z")
	}
	hour, minute, second := t.Clock()
	b := [...]byte{8: 'T', 15: 'Z'}
	for _, x := range [...]struct{ at, n int }{{0, year / 100}, {2, year % 100}, {4, int(month)}, {6, day}, {9, hour}, {11, minute}, {13, second}} {
		b[x.at], b[x.at+1] = byte('0'+x.n/10), byte('0'+x.n%10)
	}
	return string(b[:])
}

// dayOf is the day meant by a recurrence id of an all-day series. Some write
// midnight of a zone as UTC, which for zones east of Greenwich falls on the
// evening before.
func dayOf(t ical.Time) time.Time {
	if t.Kind == ical.UTC && t.Wall.Hour() >= 12 {
		return t.Wall.Add(12 * time.Hour)
	}
	return t.Wall
}

// set is the recurrence set, nil when it cannot be computed.
func (o *object) set() *recur.Set {
	if o.occurrences == nil && o.occErr == nil && !o.empty() {
		o.occurrences, o.occErr = recur.New(o.cal, o.zones, recur.Options{})
		if o.occErr != nil {
			o.occurrences = nil
		}
	}
	return o.occurrences
}

// id is the recurrence id of a key in the form of this object's master, and
// whether an occurrence has it.
func (o *object) id(key string) (ical.Time, bool) {
	t, err := ical.ParseTime(key, "", len(key) == len("20060102"))
	if err != nil {
		return t, false
	}
	s := o.set()
	if s == nil {
		return t, false
	}
	occ, ok := s.Find(t)
	if !ok {
		return t, false
	}
	return occ.ID, true
}

// occurs reports whether the series has that occurrence, overridden or not.
func (o *object) occurs(key string) bool {
	if key == "" || o.overrides[key] != nil {
		return true
	}
	if o.master == nil {
		return false
	}
	_, ok := o.id(key)
	return ok
}

// inSeries reports whether the master itself yields the occurrence, so that an
// override for it has something to override.
func (o *object) inSeries(key string) bool {
	if o.master == nil {
		return false
	}
	t, err := ical.ParseTime(key, "", len(key) == len("20060102"))
	if err != nil {
		return false
	}
	s := o.bare()
	return s != nil && s.Contains(t)
}

// bare is the recurrence set of the master alone.
func (o *object) bare() *recur.Set {
	if len(o.overrides) == 0 {
		return o.set()
	}
	if o.series == nil {
		o.series = &object{cal: without(o.cal, func(c *ical.Component) bool { return c.Prop("RECURRENCE-ID") != nil }),
			zones: o.zones, master: o.master, allDay: o.allDay}
	}
	return o.series.set()
}

// without is a shallow copy of the calendar that lacks some components; it is
// for reading only.
func without(cal *ical.Calendar, drop func(*ical.Component) bool) *ical.Calendar {
	out := &ical.Calendar{Component: ical.Component{Name: "VCALENDAR", Properties: cal.Properties}}
	out.Components = slices.DeleteFunc(slices.Clone(cal.Components), drop)
	return out
}

// derive makes the complete override for an occurrence that has none yet; nil
// when there is no such occurrence.
func (o *object) derive(key string) *ical.Component {
	id, ok := o.id(key)
	if !ok || o.master == nil {
		return nil
	}
	c, err := recur.Instance(o.cal, id, o.zones)
	if err != nil {
		return nil
	}
	return c
}

// add puts a component into the object behind the last of its kind.
func (o *object) add(c *ical.Component) {
	at := len(o.cal.Components)
	for i := len(o.cal.Components) - 1; i >= 0; i-- {
		if o.cal.Components[i].Name == c.Name {
			at = i + 1
			break
		}
	}
	o.cal.Components = slices.Insert(o.cal.Components, at, c)
	if o.master == nil || c.Prop("RECURRENCE-ID") == nil {
		o.index()
		return
	}
	// The quick way, for messages with thousands of overrides.
	o.occurrences, o.occErr, o.all = nil, nil, nil
	k := o.keyOf(c)
	if _, twice := o.overrides[k]; !twice {
		o.order = append(o.order, k)
	}
	o.overrides[k] = c
}

// drop takes components out.
func (o *object) drop(gone ...*ical.Component) {
	o.cal.Components = slices.DeleteFunc(o.cal.Components, func(c *ical.Component) bool { return slices.Contains(gone, c) })
	o.index()
}

// organizer is the ORGANIZER of a component, inherited from the master where
// an override has none (RFC 5546 4.4.8).
func (o *object) organizer(c *ical.Component) *ical.Property {
	if c != nil {
		if p := c.Prop("ORGANIZER"); p != nil {
			return p
		}
	}
	for d := range o.main {
		if p := d.Prop("ORGANIZER"); p != nil {
			return p
		}
	}
	return nil
}

// excluded adds an EXDATE for the key to the master, in the form of DTSTART.
func (o *object) exclude(key string) bool {
	if o.master == nil {
		return false
	}
	start := o.master.Prop("DTSTART")
	if start == nil {
		return false
	}
	like, err := start.Time()
	if err != nil {
		return false
	}
	t, ok := o.id(key)
	if !ok {
		t, ok = o.inForm(key, like)
	}
	if !ok {
		return false
	}
	p := ical.NewProperty("EXDATE", t.String())
	p.SetTime(t)
	o.master.Add(p)
	return true
}

// inForm writes the moment of a key the way another time is written.
func (o *object) inForm(key string, like ical.Time) (ical.Time, bool) {
	t, err := ical.ParseTime(key, "", len(key) == len("20060102"))
	if err != nil {
		return t, false
	}
	if t.IsDate() || like.IsDate() || like.Kind == ical.UTC {
		return t, t.IsDate() == like.IsDate()
	}
	at := o.zones.Instant(t)
	var z recur.Zone = o.zones.Floating()
	if like.Kind == ical.Zoned {
		if z, err = o.zones.Zone(like.TZID); err != nil {
			return t, true
		}
	}
	wall, _ := z.Wall(at)
	like.Wall = wall
	return like, true
}

// times reads all dates of EXDATE or RDATE as keys.
func (o *object) times(c *ical.Component, name string) map[string]bool {
	var out map[string]bool
	for p := range c.Props(name) {
		list, err := p.Times()
		if err != nil {
			if ps, perr := p.Periods(); perr == nil {
				for _, one := range ps {
					put(&out, o.key(one.Start, o.zones), true)
				}
				continue
			}
			put(&out, p.Value(), true)
			continue
		}
		for _, t := range list {
			put(&out, o.key(t, o.zones), true)
		}
	}
	return out
}

// dead reports whether a component says it is cancelled.
func dead(c *ical.Component) bool {
	return c == nil || upperOr(c.Value("STATUS"), "") == stateCancelled
}

// leaveSeries: who lost the series and is asked to single occurrences of it
// keeps just those.
func (o *object) leaveSeries() {
	if o.master == nil || !dead(o.master) {
		return
	}
	var gone []*ical.Component
	alive := false
	for _, c := range o.cal.Main() {
		if dead(c) {
			gone = append(gone, c)
		} else {
			alive = true
		}
	}
	if alive {
		o.drop(gone...)
	}
}
