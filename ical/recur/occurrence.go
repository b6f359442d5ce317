package recur

import (
	"cmp"
	"slices"

	"github.com/convene-cal/convene/ical"
)

// governing is the override with RANGE=THISANDFUTURE in force for a member.
func (s *Set) governing(at int64) *override {
	i, found := slices.BinarySearchFunc(s.ranged, at, func(i int, at int64) int { return cmp.Compare(s.overrides[i].idAt, at) })
	if found {
		i++
	}
	if i == 0 {
		return nil
	}
	return &s.overrides[s.ranged[i-1]]
}

func (s *Set) overrideAt(at int64) *override {
	if len(s.overrides) == 0 {
		return nil
	}
	i, ok := slices.BinarySearchFunc(s.overrides, at, func(o override, at int64) int { return cmp.Compare(o.idAt, at) })
	if !ok {
		return nil
	}
	return &s.overrides[i]
}

// occurrence places a member that has no override of its own. o must be the
// same from call to call: what does not change is written once.
func (w *walk) occurrence(m member, o *Occurrence) {
	sh := w.master
	if length := sh.length(); m.wall >= w.stretch.from && m.wall+length < w.stretch.to && m.length < 0 && sh.endAlike && len(w.ranged) == 0 {
		w.plainly(m, length, o)
		return
	}
	if m.length < 0 && sh.endAlike && len(w.ranged) == 0 && w.plain(m.wall) && w.acrossChange(m, o) {
		return
	}
	w.primed = false
	*o = Occurrence{ID: w.idOf(m.wall)}
	if g := w.governing(m.at); g != nil {
		wall := wallOf(g.zone, m.at) + g.shift
		g.place(wall, instantOf(g.zone, wall), o)
		o.Override = true
		return
	}
	sh.place(m.wall, m.at, o)
	if m.length >= 0 {
		o.To = reading(m.at + m.length)
		wall := wallOf(sh.endZone, m.at+m.length)
		o.End = ical.Time{Wall: reading(wall), Kind: sh.end.Kind, TZID: sh.end.TZID}
	}
}

// plainly is the usual case of occurrence: nothing changes between start and
// end.
func (w *walk) plainly(m member, length int64, o *Occurrence) {
	if !w.primed {
		sh := w.master
		*o = Occurrence{Component: sh.component}
		o.ID.Kind, o.ID.TZID = sh.start.Kind, sh.start.TZID
		o.Start, o.End = o.ID, o.ID
		w.primed = true
	}
	o.ID.Wall = reading(m.wall)
	o.Start.Wall = o.ID.Wall
	o.From = reading(m.at)
	o.End.Wall, o.To = o.Start.Wall, o.From
	if length != 0 {
		o.End.Wall, o.To = reading(m.wall+length), reading(m.at+length)
	}
}

// acrossChange is occurrence where the clocks change between start and end. It
// remembers the stretch of the end too, and says no where the end falls on a
// change.
func (w *walk) acrossChange(m member, o *Occurrence) bool {
	sh := w.master
	z, ok := w.ids.(Stretcher)
	if !ok {
		return false
	}
	e := &w.ends
	if guess := m.wall + sh.length(); guess < e.from || guess >= e.to {
		e.offset, e.from, e.to = z.Stretch(guess)
	}
	to := m.at + sh.exact
	if sh.nominal && sh.days != 0 {
		// RFC 5545 3.3.6: days are counted on the calendar, then time is added.
		wall := m.wall + sh.days*secondsPerDay
		if wall < e.from || wall >= e.to {
			return false
		}
		to = wall - e.offset + sh.exact
	}
	end := to + e.offset
	if end < e.from || end >= e.to || to < m.at {
		return false
	}
	w.plainly(m, 0, o)
	o.End.Wall, o.To = reading(end), reading(to)
	return true
}

// length is that of an occurrence in seconds where no change of the clocks
// lies in it.
func (sh *shape) length() int64 { return sh.days*secondsPerDay + sh.exact }

// place fills in an occurrence of the shape that begins at a clock reading. The
// reading is written as the clocks show it: one in a gap moves behind it.
func (sh *shape) place(wall, at int64, o *Occurrence) {
	o.Component = sh.component
	if sh.timeless {
		return
	}
	o.Start = ical.Time{Wall: reading(wall), Kind: sh.start.Kind, TZID: sh.start.TZID}
	o.End = ical.Time{Kind: sh.end.Kind, TZID: sh.end.TZID}
	o.From = reading(at)
	if sh.start.IsDate() && sh.nominal && sh.exact == 0 {
		end := wall + sh.days*secondsPerDay
		o.End.Wall, o.To = reading(end), reading(max(at, instantOf(sh.zone, end)))
		return
	}
	if !sh.start.IsDate() {
		o.Start.Wall = reading(wallOf(sh.zone, at))
	}
	to := at + sh.exact
	if sh.nominal && sh.days != 0 {
		// RFC 5545 3.3.6: days are counted on the calendar, then time is added.
		to = max(at, instantOf(sh.zone, wall+sh.days*secondsPerDay)+sh.exact)
	}
	o.To = reading(to)
	o.End.Wall = reading(wallOf(sh.endZone, to))
}

func (o *override) occurrence(s *Set) Occurrence {
	var occ Occurrence
	o.shape.place(o.wall, o.at, &occ)
	occ.ID = s.idOf(o.idWall)
	if s.master == nil || s.master.timeless {
		occ.ID = o.id
	}
	occ.Override = true
	return occ
}
