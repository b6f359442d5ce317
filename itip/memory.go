package itip

import (
	"maps"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
)

// Memory is what must be remembered beside an object: RFC 5546 2.1.5 asks to
// keep SEQUENCE and DTSTAMP of what was received, for each component and, from
// each attendee, for each answer. It is plain data for JSON; the zero value is
// right for a new object. Keys of occurrences are those of
// [Message.RecurrenceID]; keys of people are [ical.Address.Key].
type Memory struct {
	// Versions are the last messages applied, by occurrence ("" = master).
	Versions map[string]Version `json:"versions,omitempty"`
	// Base is the SEQUENCE since which the master's times have not moved: an
	// occurrence sent before that is outdated even if it comes alone.
	Base int `json:"base,omitempty"`
	// Piecewise senders (ITIP-08) send occurrences in messages of their own, so a master
	// that does not mention them does not end them.
	Piecewise bool `json:"piecewise,omitempty"`
	// Hidden are the occurrences the attendee took out of the own copy.
	Hidden map[string]bool `json:"hidden,omitempty"`
	// Spread are the occurrences written out of a change of all later ones
	// (RANGE=THISANDFUTURE); they are answered in one message.
	Spread map[string]bool `json:"spread,omitempty"`
	// Twofold are the occurrences that the series leaves out and the copy keeps,
	// since it may be another of the user's addresses that is invited to them.
	Twofold map[string]bool `json:"twofold,omitempty"`
	// Dropped are our answers to single occurrences that gave way to a newer
	// series or were taken out of the own copy, until those occurrences come again.
	Dropped map[string]Dropped `json:"dropped,omitempty"`
	// Answers are the places of our own last answers, by occurrence ("" = master).
	Answers map[string]Version `json:"answers,omitempty"`
	// InvitedAs is the address we were invited as: we answer as that.
	InvitedAs ical.Address `json:"invitedAs,omitempty"`

	// Replies are the last answers, by address and occurrence.
	Replies map[string]map[string]Answered `json:"replies,omitempty"`
	// Moved says, by occurrence, when the organizer last asked everyone anew.
	Moved map[string]Version `json:"moved,omitempty"`
	// Spared are those who never heard of moves that were taken back.
	Spared *Spared `json:"spared,omitempty"`
	// Invited says, by address (and occurrence, after a blank), with which
	// SEQUENCE a person came (again): older answers are from before.
	Invited map[string]int `json:"invited,omitempty"`
	// Uninvited says, by address (and occurrence, after a blank), with which
	// SEQUENCE a person was taken off: only a higher one brings them back.
	Uninvited map[string]int `json:"uninvited,omitempty"`
	// TurnedAway says, by address, how many people were told that they are not to come
	// in the place of who named them.
	TurnedAway map[string]int `json:"turnedAway,omitempty"`
	// Delegates are those who came onto the list in somebody's place, by address.
	Delegates map[string]Delegated `json:"delegates,omitempty"`
	// Sent are the SEQUENCEs last sent, by occurrence. An override whose number
	// rose with that of its series goes out with it, lest it look older.
	Sent map[string]int `json:"sent,omitempty"`
	// Plain are those whose last answer came from a program that takes simple
	// series only, by address; Expanded those who have the present series one by one.
	Plain    map[string]bool `json:"plain,omitempty"`
	Expanded map[string]bool `json:"expanded,omitempty"`
	// Renewed are the UIDs under which some have the series since it was begun
	// anew for them, by address (REC-07).
	Renewed map[string]string `json:"renewed,omitempty"`
	// Stamp is the last DTSTAMP we sent; the next is later, whatever the clock
	// says, since DTSTAMP orders what SEQUENCE does not.
	Stamp time.Time `json:"stamp,omitzero"`
	// Refreshed says when a REFRESH of that address was last answered.
	Refreshed map[string]time.Time `json:"refreshed,omitempty"`
}

// Version is the place of a message in the order of RFC 5546 2.1.5.
type Version struct {
	Sequence  int       `json:"sequence"`
	Stamp     time.Time `json:"stamp,omitzero"`
	Cancelled bool      `json:"cancelled,omitempty"`
}

// Answered is the last answer of one attendee about one occurrence or the
// whole.
type Answered struct {
	Sequence int       `json:"sequence"`
	Stamp    time.Time `json:"stamp,omitzero"`
	PartStat string    `json:"partstat,omitempty"`
	Comment  string    `json:"comment,omitempty"`
	Percent  string    `json:"percent,omitempty"` // PERCENT-COMPLETE of a to-do, this attendee's part
	Stale    bool      `json:"stale,omitempty"`   // given to a time that has changed since: not on the object
	// As is the address the answer came from, where it is not the one invited.
	As ical.Address `json:"as,omitempty"`
}

// Delegated says how somebody came onto the list in somebody's place.
type Delegated struct {
	At   time.Time `json:"at,omitzero"`    // when all of it was passed on to them
	Sent bool      `json:"sent,omitempty"` // the organizer has sent them what they had from the delegator
}

// Dropped is an answer with the time it was given for.
type Dropped struct {
	PartStat string `json:"partstat"`
	Start    string `json:"start"`
	End      string `json:"end"`
}

// clone copies deeply enough that writing to the copy leaves m alone.
func (m Memory) clone() Memory {
	m.Versions = maps.Clone(m.Versions)
	m.Dropped = maps.Clone(m.Dropped)
	m.Answers = maps.Clone(m.Answers)
	m.Hidden, m.Twofold = maps.Clone(m.Hidden), maps.Clone(m.Twofold)
	m.Spread = maps.Clone(m.Spread)
	m.Moved = maps.Clone(m.Moved)
	m.Invited = maps.Clone(m.Invited)
	m.Sent = maps.Clone(m.Sent)
	m.Uninvited, m.Delegates, m.TurnedAway = maps.Clone(m.Uninvited), maps.Clone(m.Delegates), maps.Clone(m.TurnedAway)
	m.Plain, m.Expanded = maps.Clone(m.Plain), maps.Clone(m.Expanded)
	m.Refreshed, m.Renewed = maps.Clone(m.Refreshed), maps.Clone(m.Renewed)
	m.Replies = maps.Clone(m.Replies) // inner maps are replaced by setReply
	return m
}

// Former is what its organizer has to remember of an event that was deleted and
// is now saved anew with the same UID, as clients do that take a deletion back:
// everybody was told of its end, and what goes out next must be newer (RFC 5546
// 2.1.5). last is the version that was deleted, user who is asked about. The
// zero Memory when they did not organize it.
func Former(last *ical.Calendar, user []ical.Address) Memory {
	var m Memory
	o, me := newObject(last, nil), peopleOf(user)
	org := o.organizer(nil)
	if !me.is(org) {
		return m
	}
	n := maxSequence(o) + 1
	put(&m.Uninvited, org.Address().Key(), n) // there may have been others before
	for _, c := range o.cal.Main() {
		for line := range c.Props("ATTENDEE") {
			put(&m.Uninvited, line.Address().Key(), n)
		}
	}
	return m
}

// Known is what is remembered of an event that its guest deleted: the versions
// of its parts, so that what was written before does not bring it back.
func Known(last *ical.Calendar) Memory {
	var m Memory
	o := newObject(last, nil)
	for _, k := range o.keys() {
		put(&m.Versions, k, version(o.component(k), time.Time{}))
	}
	return m
}

func put[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}

func (m *Memory) reply(who, key string) (Answered, bool) {
	a, ok := m.Replies[who][key]
	return a, ok
}

func (m *Memory) setReply(who, key string, a Answered) {
	inner := maps.Clone(m.Replies[who])
	put(&inner, key, a)
	put(&m.Replies, who, inner)
}

// invitedAt is the SEQUENCE with which somebody came back to an occurrence or
// all: what they answered before does not count. 0 for who was never taken off:
// a delegate may answer what the delegator passed on, whatever number the
// organizer's own invitation has.
func (m *Memory) invitedAt(who, key string) int {
	n, one := m.Invited[who+" "+key]
	if !one || key == "" {
		n = m.Invited[who]
	}
	if n == 0 {
		return 0
	}
	for k, at := range m.Uninvited {
		if at < n && strings.HasPrefix(k, who) && (len(k) == len(who) || k[len(who)] == ' ') {
			return n
		}
	}
	return 0
}

// movedAt is the time base of an occurrence: its own or that of the series.
func movedAt(moves map[string]Version, key string) Version {
	v, ok := moves[key]
	if w := moves[""]; !ok || w.Sequence > v.Sequence {
		return w
	}
	return v
}

// nextStamp is a DTSTAMP later than all we sent (in whole seconds, RFC 5545
// 3.3.5) and remembers it.
func (m *Memory) nextStamp(now time.Time) time.Time {
	t := now.UTC().Truncate(time.Second)
	if !t.After(m.Stamp) {
		t = m.Stamp.Add(time.Second)
	}
	m.Stamp = t
	return t
}
