package itip

import (
	"slices"
	"strings"
)

// Coalesce makes one message of two to the same recipient about the same
// object, of which neither has left: what the second says, and all that changed
// since the recipient last heard. It gives none when the second takes the
// first back, and both when they must stay two (SIG-07). earlier was made
// before later; neither is changed.
//
// The caller compares only messages that wait for the same transport. It
// delivers the result, if any, in the place of both.
func Coalesce(earlier, later Message) []Message {
	both := []Message{earlier, later}
	if earlier.UID != later.UID || earlier.Calendar != nil && later.Calendar != nil && earlier.Calendar.UID() != later.Calendar.UID() || !earlier.To.Equal(later.To) || !earlier.From.Equal(later.From) || earlier.Calendar == nil || later.Calendar == nil {
		return both
	}
	a, b := scope(earlier), scope(later)
	// The later speaks of all that the earlier did: a cancellation of the whole
	// takes every occurrence with it.
	covers := covered(a, b) || later.Method == Cancel && slices.Equal(b, []string{""})
	switch {
	case later.Method == Refresh || later.Method == Publish || later.Method == Reply:
		// The last one says it all (RFC 5546 2.1.5).
		if earlier.Method != later.Method || !covers || passesOn(earlier) && !passesOn(later) {
			return both // who was asked in somebody's place is on no list unless the organizer hears of it
		}
		later.Changes = netChanges(earlier.Changes, later.Changes)
		return []Message{later}
	case earlier.Method == Request && later.Method == Cancel:
		if !covers {
			return both
		}
		if invites(earlier) {
			return nil // they never knew of it
		}
		return []Message{later}
	case earlier.Method == Cancel && later.Method == Request:
		// They still have what was to be cancelled: the new version replaces it,
		// with a SEQUENCE above that of the cancellation (RFC 5546 4.2.9).
		if !covers {
			return both
		}
		later.First = false
		return []Message{later}
	case earlier.Method == Cancel && later.Method == Cancel:
		if !covers {
			return both
		}
		return []Message{later}
	case earlier.Method == Request && later.Method == Request:
		if !covers {
			return both
		}
		if earlier.Refresh && !later.Refresh || invites(earlier) {
			later.First = later.First || earlier.First
			if invites(earlier) {
				later.Changes = nil // all of it is new to them
				later.Refresh = later.Refresh && earlier.Refresh
			}
			return []Message{later}
		}
		if later.Refresh && !earlier.Refresh {
			later.Refresh, later.Changes = false, earlier.Changes
			later.Asks = earlier.Asks
			return []Message{later}
		}
		net := netChanges(earlier.Changes, later.Changes)
		if len(net) == 0 && len(earlier.Changes) > 0 && !earlier.Asks && !later.Asks && !earlier.Refresh {
			return nil // taken back before anybody knew
		}
		later.Changes, later.Asks = net, earlier.Asks || later.Asks
		return []Message{later}
	}
	return both
}

// passesOn reports whether a REPLY names a delegate.
func passesOn(m Message) bool {
	if m.Method != Reply {
		return false
	}
	for _, c := range m.Calendar.Main() {
		for line := range c.Props("ATTENDEE") {
			if partStat(line) == partStatDelegated {
				return true
			}
		}
	}
	return false
}

// invites reports whether a message is the first the recipient hears of what it
// is about.
func invites(m Message) bool { return m.First && m.Method == Request }

// scope lists the components of a message by recurrence id; "" is the whole.
func scope(m Message) []string {
	o := newObject(m.Calendar, nil)
	if m.Method == Cancel && o.master != nil {
		return []string{""}
	}
	return slices.Sorted(slices.Values(o.keys()))
}

// covered reports whether a message about b leaves nothing to say of a. One
// about the whole covers occurrences only when it has them too, or cancels all.
func covered(a, b []string) bool {
	for _, k := range a {
		if !slices.Contains(b, k) {
			return false
		}
	}
	return true
}

// netChanges joins two lists of differences: the first value before and the
// last after, nothing where they are the same.
func netChanges(first, second []Difference) []Difference {
	type subject struct{ property, occurrence, attendee string }
	of := func(d Difference) subject {
		s := subject{d.Property, d.RecurrenceID, strings.ToLower(d.Attendee)}
		switch d.Property {
		case "EXDATE", "RDATE": // each date is a fact of its own
			s.attendee = d.Old + d.New
		}
		return s
	}
	var out []Difference
	at := map[subject]int{}
	for _, d := range append(slices.Clone(first), second...) {
		s := of(d)
		i, known := at[s]
		if !known {
			at[s] = len(out)
			out = append(out, d)
			continue
		}
		out[i].New = d.New
		if s.attendee != "" && (d.Property == "EXDATE" || d.Property == "RDATE") && d.Old == "" != (out[i].Old == "") {
			out[i].Old, out[i].New = "", "" // put in and taken out again
		}
	}
	return slices.DeleteFunc(out, func(d Difference) bool { return d.Old == d.New })
}
