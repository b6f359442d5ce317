package itip

import (
	"maps"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// Spared is what must be remembered when a change was taken back that some had
// heard of and others had not: to the others nothing ever moved, and an answer
// to the version they have is an answer to the present one.
type Spared struct {
	Through int                `json:"through"`         // the SEQUENCE with which it was taken back
	Moved   map[string]Version `json:"moved,omitempty"` // Memory.Moved as it is for the others
	Told    map[string]bool    `json:"told,omitempty"`  // who heard of it, by address
}

// movesFor is Memory.Moved as it is for one person.
func (m *Memory) movesFor(who string) map[string]Version {
	s := m.Spared
	if s == nil || s.Told[who] {
		return m.Moved
	}
	out := maps.Clone(s.Moved)
	for k, v := range m.Moved {
		if v.Sequence > s.Through {
			put(&out, k, v)
		}
	}
	return out
}

// Spare makes one outcome of two for a change that brings back what was there
// before one or more earlier changes, of which only some people have heard
// (decided by knows; asked of guests alone). told is what the change means to
// those; kept is what [Plan] says of it with then as its Change, as if the
// earlier changes had never been made. All others are told nothing: their
// answers and what is remembered of them are as they were, those answers
// included that came in between and were taken for late ones. (SIG-07)
//
// The outcome has the object and the SEQUENCE of told, which is used up.
// false: it is told to others as well, so nothing can be spared.
func Spare(told, kept *Outcome, then Change, knows func(ical.Address) bool) (*Outcome, bool) {
	others := func(m Message) bool { return !knows(m.To) }
	if told.Object == nil || kept.Object == nil || slices.ContainsFunc(kept.Send, others) {
		return nil, false
	}
	out, before := *told, then.Memory
	o, was := newObject(out.Object, then.Zone), newObject(then.Old, then.Zone)
	spared := map[string]bool{}
	for _, k := range o.keys() {
		from := was.component(k)
		if from == nil {
			from = was.master
		}
		for line := range o.component(k).Props("ATTENDEE") {
			who := line.Address().Key()
			if from == nil || knows(line.Address()) {
				continue
			}
			if q := (people{who: true}).line(from); q != nil {
				*line = *q.Clone()
				spared[who] = true
			}
		}
	}
	m := told.Memory.clone()
	moved := before.Moved
	heard := map[string]bool{}
	if s := before.Spared; s != nil { // for those who have heard of nothing
		moved = before.movesFor("")
		heard = maps.Clone(s.Told)
	}
	top := 0
	for _, k := range o.keys() {
		c := o.component(k)
		top = max(top, sequence(c))
		for line := range c.Props("ATTENDEE") {
			if who := line.Address().Key(); !spared[who] {
				put(&heard, who, true)
			}
		}
	}
	m.Spared = &Spared{Through: top, Moved: maps.Clone(moved), Told: heard}
	m.Sent = maps.Clone(before.Sent)
	m.Invited = restored(m.Invited, before.Invited, spared)
	m.Uninvited = restored(m.Uninvited, before.Uninvited, spared)
	m.Expanded = restored(m.Expanded, before.Expanded, spared)
	m.Renewed = restored(m.Renewed, before.Renewed, spared)
	for who := range spared {
		if m.Replies[who] == nil && before.Replies[who] != nil {
			put(&m.Replies, who, maps.Clone(before.Replies[who]))
		}
	}
	out.Memory = m
	o.answerLate(&out.Memory, spared)
	out.Rewritten = true
	out.quieten(others)
	return &out, true
}

// restored has of some people what was, and of all others what is; keys begin
// with an address.
func restored[V any](is, was map[string]V, who map[string]bool) map[string]V {
	of := func(k string, _ V) bool {
		address, _, _ := strings.Cut(k, " ")
		return who[address]
	}
	out := maps.Clone(is)
	maps.DeleteFunc(out, of)
	for k, v := range was {
		if of(k, v) {
			put(&out, k, v)
		}
	}
	return out
}

// answerLate puts those answers on the object that were taken for answers to
// an older time, and are ones to the present time again.
func (o *object) answerLate(m *Memory, spared map[string]bool) {
	for who := range sorted(spared) {
		moves := m.movesFor(who)
		for k, a := range sorted(m.Replies[who]) {
			c := o.component(k)
			if !a.Stale || c == nil || dead(c) || !decided(a.PartStat) || a.PartStat == partStatDelegated ||
				a.Sequence < moves[k].Sequence || a.Sequence < moves[""].Sequence || a.Sequence < m.invitedAt(who, k) {
				continue
			}
			if line := (people{who: true}).line(c); line != nil {
				a.Stale = false
				m.setReply(who, k, a)
				line.SetParam("PARTSTAT", a.PartStat)
				line.RemoveParam("RSVP")
				line.SetParam("SCHEDULE-STATUS", statusSuccess)
			}
		}
	}
}

// quieten takes messages out of an outcome, and says so in the preview.
func (out *Outcome) quieten(drop func(Message) bool) {
	at := make([]int, len(out.Send)) // where each message is now, -1 for nowhere
	var send []Message
	for i, m := range out.Send {
		if at[i] = -1; !drop(m) {
			at[i] = len(send)
			send = append(send, m)
		}
	}
	out.Send = send
	notices := slices.Clone(out.People)
	for i, n := range notices {
		var left []int
		for _, j := range n.Messages {
			if at[j] >= 0 {
				left = append(left, at[j])
			}
		}
		if len(n.Messages) > 0 && len(left) == 0 {
			notices[i].Reason = NoticeUnconcerned
		}
		notices[i].Messages = left
	}
	out.People = notices
}
