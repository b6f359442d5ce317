package calendar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// change is one intended change to one object of a calendar.
type change struct {
	by     account.Actor
	coll   store.Collection
	old    *store.Object // nil: created
	name   string
	new    *draft // nil: deleted
	reply  itip.ReplyPolicy
	merge  bool // If-Schedule-Tag-Match matched
	imp    bool
	hands  bool   // it was handed over, and new is for either side
	status string // REQUEST-STATUS of a room's refusal; "" = 2.0
	kept   *kept  // what the writer of another's calendar keeps for themselves
}

// base is the state that a change starts from ([store.Version].Seq).
func (ch change) base() int64 {
	if ch.old == nil {
		return 0
	}
	return ch.old.Seq
}

// effect is what storing a change did.
type effect struct {
	object    store.Object
	created   bool
	unchanged bool
	rows      []*store.Entry
	sent      []Sent
	changes   []itip.Difference
	others    bool // the writer sees another text than the stored one
}

// planned is a change with its meaning.
type planned struct {
	out     *itip.Outcome
	oldBody []byte
	dir     *Directory
	user    []ical.Address
	asked   itip.Change // what itip was asked
}

// plan asks itip what a change means. Objects that involve nobody else are
// not its business.
func (s *Service) plan(tx *store.Tx, ch change) (planned, error) {
	p := planned{dir: s.directory(tx)}
	if ch.new != nil {
		p.out = &itip.Outcome{Object: ch.new.cal}
	} else {
		p.out = &itip.Outcome{}
	}
	if (ch.new == nil || !ch.new.schedules) && (ch.old == nil || !ch.old.Scheduling) {
		return p, nil
	}
	c := itip.Change{Now: s.now(), Reply: ch.reply, MergePartstat: ch.merge, Import: ch.imp, HandsOver: ch.hands, Local: p.dir.local}
	if ch.new != nil {
		c.New = ch.new.cal
	}
	if ch.old != nil {
		var err error
		if p.oldBody, err = tx.Body(ch.old.Account, ch.old.ID); err != nil {
			return p, fmt.Errorf("read object %d: %w", ch.old.ID, err)
		}
		if c.Old, err = ical.ParseLimits(p.oldBody, s.parseLimits()); err != nil {
			return p, fmt.Errorf("stored object %d cannot be read: %w", ch.old.ID, err)
		}
		if c.Memory, err = memoryOf(ch.old); err != nil {
			return p, err
		}
		if ch.hands { // it was of the other part
			c.Memory = itip.Memory{}
		}
	}
	owner, err := tx.Account(ch.coll.Account)
	if err != nil {
		return p, fmt.Errorf("account %d: %w", ch.coll.Account, err)
	}
	if prefs := preferencesOf(owner); len(prefs.NewSeries) > 0 {
		c.Renews = prefs.renews
	}
	if c.User, err = addresses(tx, ch.coll.Account); err != nil {
		return p, err
	}
	p.user = c.User
	if ch.old == nil && ch.new != nil && !ch.imp {
		if c.Memory, err = s.formerLife(tx, ch, c); err != nil {
			return p, err
		}
	}
	if ch.by.Account != ch.coll.Account {
		// A calendar that is shared for writing: its owner is who schedules,
		// the writer is named in SENT-BY (RFC 5545 3.2.18).
		by, err := addresses(tx, ch.by.Account)
		if err != nil {
			return p, err
		}
		if len(by) > 0 {
			c.By = by[0]
		}
	}
	if c.Zone, err = s.zoneOf(tx, ch.coll); err != nil {
		return p, err
	}
	if p.out, err = itip.Plan(c); err != nil {
		return p, forbidden(err)
	}
	p.asked = c
	if p.dir.err != nil {
		return p, fmt.Errorf("look up attendees: %w", p.dir.err)
	}
	if ch.status != "" {
		refuseWith(p.out.Send, ch.status)
	}
	external := 0
	for _, m := range p.out.Send {
		if !p.dir.local(m.To) {
			external++
		}
	}
	if external > s.limits.ExternalAttendees {
		return p, problem.New(problem.TooManyAttendees, "This change would send %d messages to people outside; %d are allowed at once.", external, s.limits.ExternalAttendees)
	}
	return p, nil
}

// formerLife is what is remembered of an event that its organizer deleted and
// now saves anew with the same UID.
func (s *Service) formerLife(tx *store.Tx, ch change, c itip.Change) (itip.Memory, error) {
	last, err := s.lastDeleted(tx, ch.coll.Account, ch.new.uid)
	if err != nil || last == nil {
		return itip.Memory{}, err
	}
	return itip.Former(last, c.User), nil
}

// apply writes a change and its messages.
func (s *Service) apply(tx *store.Tx, ch change) (effect, error) {
	if err := s.componentAllowed(ch); err != nil {
		return effect{}, err
	}
	others, err := s.sameUID(tx, ch)
	if err != nil {
		return effect{}, err
	}
	p, err := s.plan(tx, ch)
	if err != nil {
		return effect{}, err
	}
	if err := s.uniqueInHome(tx, ch, p.out.Scheduling, others); err != nil {
		return effect{}, err
	}
	if err := s.takeBack(tx, ch, &p); err != nil {
		return effect{}, err
	}
	e := effect{created: ch.old == nil}
	if err := s.write(tx, ch, p, &e); err != nil {
		return effect{}, err
	}
	if err := s.keepPersonal(tx, ch, &e.object); err != nil {
		return effect{}, err
	}
	e.others = ch.kept != nil
	if e.rows, err = s.sendChange(tx, ch.coll.Account, e.object.ID, ch.base(), p.out.Send, p.dir); err != nil {
		return effect{}, err
	}
	e.sent, e.changes = sentOf(p.out.Send, e.rows, p.dir), p.out.Changes
	return e, nil
}

// write stores the octets that a plan asks for, unless they are there already.
func (s *Service) write(tx *store.Tx, ch change, p planned, e *effect) error {
	body, tag, index, cal := ch.new.data, ch.new.etag, ch.new.index, ch.new.cal
	if p.out.Rewritten && p.out.Object != nil {
		cal = p.out.Object
		if body = cal.Bytes(); !bytes.Equal(body, ch.new.data) {
			tag = etag(body)
			var err error
			if index, err = s.timeIndex(cal, tz.NewResolver(cal, nil)); err != nil {
				return err
			}
		}
	}
	var memory []byte
	if p.out.Scheduling {
		var err error
		if memory, err = json.Marshal(p.out.Memory); err != nil {
			return fmt.Errorf("remember scheduling state: %w", err)
		}
	}
	o := store.Object{Account: ch.coll.Account, Collection: ch.coll.ID, Name: ch.name}
	if ch.old != nil {
		o = *ch.old
		if o.ETag == tag && o.Scheduling == p.out.Scheduling {
			// The same octets again change nothing, whoever sends them.
			e.object, e.unchanged = o, true
			if memory != nil && !bytes.Equal(memory, o.Memory) {
				if err := tx.UpdateMemory(o.Account, o.ID, memory); err != nil {
					return fmt.Errorf("remember scheduling state: %w", err)
				}
			}
			return nil
		}
	}
	if err := s.quota(tx, o.Account, len(body)-o.Size); err != nil {
		return err
	}
	o.Memory = memory
	s.describe(&o, cal, tag, p.out.Scheduling)
	o.Modified = s.now()
	switch {
	case !p.out.Scheduling:
		o.ScheduleTag = ""
	case o.ScheduleTag == "" || p.out.TagChanged:
		o.ScheduleTag = scheduleTag(o.ScheduleTag, tag, s.now())
	}
	if err := tx.PutObject(&o, body, index); err != nil {
		return fmt.Errorf("store %s/%s: %w", ch.coll.Name, ch.name, err)
	}
	e.object = o
	return nil
}

// describe fills the columns that are derived from the calendar data.
func (s *Service) describe(o *store.Object, cal *ical.Calendar, tag string, scheduling bool) {
	o.UID, o.Component, o.ETag, o.Scheduling = cal.UID(), cal.Kind(), tag, scheduling
	c := cal.Master()
	if c == nil {
		for _, m := range cal.Main() {
			c = m
			break
		}
	}
	o.Organizer, o.Summary = "", ""
	if c != nil {
		if p := c.Prop("ORGANIZER"); p != nil {
			o.Organizer = clipTo(p.Address().Key(), maxAddress-len("…"))
		}
		o.Summary = clipTo(c.Text("SUMMARY"), 250)
	}
}

// scheduleTag is a new schedule tag: it differs from all the object had before.
func scheduleTag(before, etag string, now time.Time) string {
	return tagOf("schedule-tag", before, etag, now.Format(time.RFC3339Nano))
}

func (s *Service) componentAllowed(ch change) error {
	if len(ch.coll.Components) == 0 || ch.new == nil {
		return nil
	}
	for _, k := range ch.coll.Components {
		if k == ch.new.kind {
			return nil
		}
	}
	return problem.New(problem.UnsupportedComponent, "The calendar %s holds no %s. Store it in a calendar that does.", title(ch.coll), ch.new.kind).At(ch.coll.Name + "/")
}

// sameUID lists the other objects of the home with the UID, and refuses what
// no calendar may hold (RFC 4791 5.3.2.1, no-uid-conflict).
func (s *Service) sameUID(tx *store.Tx, ch change) ([]store.Object, error) {
	if ch.old != nil && ch.old.UID != ch.new.uid {
		return nil, problem.New(problem.UIDConflict, "%s/%s holds the event with the UID %s; an event cannot take the place of another.", ch.coll.Name, ch.name, clip(ch.old.UID)).At(ch.coll.Name + "/" + ch.name)
	}
	all, err := tx.ObjectsByUID(ch.coll.Account, ch.new.uid)
	if err != nil {
		return nil, fmt.Errorf("look for UID %s: %w", ch.new.uid, err)
	}
	others := all[:0]
	for _, o := range all {
		if ch.old != nil && o.ID == ch.old.ID {
			continue
		}
		if o.Collection == ch.coll.ID {
			return nil, problem.New(problem.UIDConflict, "This event is already in the calendar %s, under the name %s.", title(ch.coll), o.Name).At(ch.coll.Name + "/" + o.Name)
		}
		others = append(others, o)
	}
	return others, nil
}

// uniqueInHome refuses a second scheduling object resource of one UID (RFC
// 6638 3.2.4.1); the answer names the one there is.
func (s *Service) uniqueInHome(tx *store.Tx, ch change, scheduling bool, others []store.Object) error {
	if !scheduling {
		return nil
	}
	for _, o := range others {
		if !o.Scheduling {
			continue
		}
		c, err := tx.Collection(o.Account, o.Collection)
		if err != nil {
			return fmt.Errorf("calendar of %s: %w", o.Name, err)
		}
		return problem.New(problem.UniqueSchedulingObject, "This event is already in the calendar %s. Change it there, or move it.", title(c)).At(c.Name + "/" + o.Name)
	}
	return nil
}

// memoryOf is what itip remembers beside an object.
func memoryOf(o *store.Object) (itip.Memory, error) {
	var m itip.Memory
	if len(o.Memory) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(o.Memory, &m); err != nil {
		return m, fmt.Errorf("scheduling state of object %d: %w", o.ID, err)
	}
	return m, nil
}

// forbidden turns what itip refuses into a problem.
func forbidden(err error) error {
	var e *itip.Error
	if !errors.As(err, &e) {
		return problem.New(problem.InvalidCalendarObject, "The event cannot be scheduled: %v.", trimDot(err)).Because(err)
	}
	c := problem.Condition(e.Condition)
	if c == "" {
		c = problem.InvalidCalendarObject
	}
	return problem.New(c, "%s", e.Sentence).Because(err)
}
