package itip

import (
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

// maxSpread bounds how many occurrences a change of "this and all later ones"
// is written out to.
const maxSpread = 200

// hasRange is the override that stands for all later occurrences too (RFC 5545
// 3.2.13), nil when there is none.
func (o *object) hasRange() *ical.Component {
	for _, k := range o.order {
		c := o.overrides[k]
		if id := c.Prop("RECURRENCE-ID"); id != nil && strings.EqualFold(id.Param("RANGE"), "THISANDFUTURE") {
			return c
		}
	}
	return nil
}

// spread writes overrides with RANGE=THISANDFUTURE out into one override for
// each occurrence: calendar programs ignore the parameter and would show the
// change once (REC-05). It reports false, and changes nothing, where there are
// too many occurrences, as in an endless series.
func (o *object) spread() (made []string, ok bool) {
	if o.hasRange() == nil {
		return nil, true
	}
	s := o.set()
	if s == nil {
		return nil, false
	}
	var add []*ical.Component
	for occ := range s.All() {
		c := occ.Component
		id := c.Prop("RECURRENCE-ID")
		if id == nil || !strings.EqualFold(id.Param("RANGE"), "THISANDFUTURE") {
			continue
		}
		k := o.key(occ.ID, o.zones)
		if o.overrides[k] != nil {
			continue
		}
		if len(add) == maxSpread {
			return nil, false
		}
		add = append(add, occurrenceOf(occ))
		made = append(made, k)
	}
	if s.Err() != nil {
		return nil, false
	}
	for _, k := range o.order {
		if id := o.overrides[k].Prop("RECURRENCE-ID"); id.HasParam("RANGE") {
			id.RemoveParam("RANGE")
		}
	}
	for _, c := range add {
		o.add(c)
	}
	o.index()
	return made, true
}

// occurrenceOf is the override of one occurrence, made of the one whose range it
// lies in.
func occurrenceOf(occ recur.Occurrence) *ical.Component {
	c := occ.Component.Clone()
	id := ical.NewProperty("RECURRENCE-ID", "")
	id.SetTime(occ.ID)
	*c.Prop("RECURRENCE-ID") = *id
	if p := c.Prop("DTSTART"); p != nil {
		p.SetTime(occ.Start)
	}
	for _, name := range [...]string{"DTEND", "DUE"} {
		if p := c.Prop(name); p != nil {
			p.SetTime(occ.End)
		}
	}
	return c
}

// Split cuts a series before an occurrence (recurrenceID as in [Message]): head
// ends there, tail is a series of its own under a new UID from then on, and each
// names the other (RELATED-TO). Both are edited copies for [Plan], one as a
// change and one as a new object: that is how "this and all later ones" goes
// out (REC-06), since few programs understand RANGE.
func Split(stored *ical.Calendar, recurrenceID, uid string) (head, tail *ical.Calendar, err error) {
	o := newObject(stored, nil)
	key := o.keyText(recurrenceID)
	id, ok := o.id(key)
	if !ok || o.master == nil {
		return nil, nil, refuse(conditionObject, recurrenceID, "RECURRENCE-ID", "%s has no occurrence at that time.", title(o))
	}
	if uid == "" || uid == stored.UID() {
		return nil, nil, refuse(conditionObject, "", "UID", "The later part needs an identifier of its own.")
	}
	head, tail, err = recur.SplitAt(stored, id, o.zones)
	if err != nil {
		return nil, nil, refuse(conditionObject, recurrenceID, "RRULE", "%s cannot be divided there.", title(o))
	}
	if head == nil {
		return nil, nil, refuse(conditionObject, recurrenceID, "RECURRENCE-ID", "That is the first occurrence of %s; change the whole series.", title(o))
	}
	if tail == nil {
		return nil, nil, refuse(conditionObject, recurrenceID, "RECURRENCE-ID", "%s has no occurrence from then on.", title(o))
	}
	for _, c := range tail.Main() {
		c.Set("UID", uid)
		c.Remove("SEQUENCE")
		relate(c, stored.UID())
	}
	for _, c := range head.Main() {
		relate(c, uid)
	}
	return head, tail, nil
}

// relate names the other part of a divided series (RFC 5545 3.8.4.5).
func relate(c *ical.Component, uid string) {
	for p := range c.Props("RELATED-TO") {
		if p.Value() == uid {
			return
		}
	}
	p := ical.NewProperty("RELATED-TO", uid)
	p.SetParam("RELTYPE", "SIBLING")
	c.Add(p)
}
