package itip

import (
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// Some calendar programs refuse to move a series in place: a REQUEST with the
// UID they know and another DTSTART or rule is an error to them. Who uses one is
// told of the end of the series and is invited to a new one, which only they
// know by another name (REC-07).

// renewal stands between a UID and the SEQUENCE with which the series was begun
// anew under it.
const renewal = "~anew"

// renewedUID is the name of a series that begins anew with a SEQUENCE.
func renewedUID(uid string, n int) string {
	if original, ok := OriginalUID(uid); ok {
		uid = original
	}
	return uid + renewal + strconv.Itoa(n)
}

// OriginalUID is the UID that the organizer's object has, for one under which
// somebody was sent it anew ([Change.Renews]). Their answers come with the
// latter; [Apply] takes them for the object of the former. false: the UID is no
// such name.
func OriginalUID(uid string) (original string, ok bool) {
	at := strings.LastIndex(uid, renewal)
	if at <= 0 {
		return "", false
	}
	digits := uid[at+len(renewal):]
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	return uid[:at], true
}

// renews reports whether somebody gets the change of a series they have as its
// end and a new one.
func (p *organizing) renews(one *party) bool {
	d := p.deltas[""]
	if p.c.Renews == nil || d == nil || d.class&(reschedule|pattern) == 0 || p.old.master == nil || p.new.master == nil || dead(p.old.master) || dead(p.new.master) {
		return false
	}
	if !p.bumped[""] || !recurs(p.old.master) && !recurs(p.new.master) || p.was[""].served(one.who) == nil || p.is[""].served(one.who) == nil {
		return false
	}
	return !delegatedAway(one.line) && (p.c.Local == nil || !p.c.Local(one.line.Address())) && p.c.Renews(one.line.Address())
}

// renew ends the series that somebody has; what follows is new to them.
func (p *organizing) renew(one *party, to ical.Address) {
	had := p.out.Memory.uidFor(one.who, p.uid)
	n := sequence(p.new.master)
	if line := p.was[""].line(one.who); !bounced(line) {
		p.letter.o = p.old
		cal := p.letter.calendar(Cancel, p.letter.cancel(p.old.master, n, true, line))
		m := p.letter.message(Cancel, p.from, to, "", cal)
		m.Changes = []Difference{{Property: "STATUS", Old: statusOf(nil, p.old.master, ""), New: stateCancelled}}
		p.out.Send = append(p.out.Send, m.under(had))
	}
	put(&p.out.Memory.Renewed, one.who, renewedUID(p.uid, n))
	one.asked = one.listed
}

// uidFor is the UID under which a guest has the object.
func (m *Memory) uidFor(who, uid string) string {
	if u := m.Renewed[who]; u != "" {
		return u
	}
	return uid
}

// renewedAs reports whether anybody has the object under that UID, or had.
func (m *Memory) renewedAs(uid string) bool {
	original, ok := OriginalUID(uid)
	for _, u := range m.Renewed {
		if had, _ := OriginalUID(u); ok && had == original {
			return true
		}
	}
	return false
}

// under is a message with the UID that its recipient knows; Message.UID stays
// that of the object.
func (m Message) under(uid string) Message {
	if m.Calendar == nil || m.Calendar.UID() == uid {
		return m
	}
	m.Calendar = WithUID(m.Calendar, uid)
	return m
}

// WithUID is a copy of a calendar under another UID: of what came with a name
// that [OriginalUID] explains, under that of the object it is about.
func WithUID(cal *ical.Calendar, uid string) *ical.Calendar {
	out := cal.Clone()
	for _, c := range out.Main() {
		c.Set("UID", uid)
	}
	return out
}
