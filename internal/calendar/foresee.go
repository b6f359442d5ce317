package calendar

import (
	"reflect"
	"slices"
	"sync"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// Most messages from outside invite to an event that the calendar has not met.
// What they mean, and what is stored of them, can be worked out before the
// transaction, in which everybody else waits: by guessing what it will read.
// The transaction uses what was foreseen only where all of it is so.

// foreseen is what a message means, with all that this was worked out from.
type foreseen struct {
	arrival itip.Arrival // but for its functions
	near    []asked      // what was asked of Local, the one function that may be
	result  *itip.Result
}

// asked is whether an address is of this service.
type asked struct {
	address ical.Address
	ours    bool
}

// ahead is what was worked out before a transaction. It is for reading only there,
// since that may run again.
type ahead struct {
	foreseen []*foreseen
	written  map[*ical.Calendar]*writtenOut
	lacking  *ical.Calendar // as in Directory
	whole    *ical.Calendar
}

// maxForeseen messages of one transaction are worked out before it.
const maxForeseen = 16

// lately remembers who had an address when it was looked up last. Nothing but
// guesses is made of it.
type lately struct {
	mu    sync.Mutex
	known map[string]store.Holder
}

// maxLately bounds the addresses, each of some hundred octets.
const maxLately = 5000

func (l *lately) holder(a ical.Address) (store.Holder, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, ok := l.known[a.Key()]
	return h, ok
}

// note remembers the recipients of messages.
func (l *lately) note(arrivals []Arrival, dir *Directory) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range arrivals {
		key := a.Recipient.Key()
		k, ok := dir.known[key]
		if !ok || k.ID == 0 || k.renamed {
			continue
		}
		if l.known == nil || len(l.known) >= maxLately {
			l.known = map[string]store.Holder{}
		}
		l.known[key] = k.Holder
	}
}

// foresee works out what messages mean, as far as that can be guessed.
func (s *Service) foresee(arrivals []Arrival) *ahead {
	before := &Directory{}
	h := &ahead{written: map[*ical.Calendar]*writtenOut{}}
	for _, a := range arrivals[:min(len(arrivals), maxForeseen)] {
		if a.Transport == journal.Local {
			continue // for many alike, by [itip.Alike]
		}
		a.Message = before.completed(s, a.Message)
		if f := s.foreseeOne(a); f != nil {
			h.foreseen = append(h.foreseen, f)
			h.write(s, a.Message)
			if f.result.Object != nil {
				h.write(s, f.result.Object)
			}
		}
	}
	h.lacking, h.whole = before.lacking, before.whole
	return h
}

// foreseeOne is nil for what cannot be guessed, or only in vain.
func (s *Service) foreseeOne(a Arrival) *foreseen {
	who, met := s.lately.holder(a.Recipient)
	if a.Method == "" {
		a.Method = itip.Method(a.Message.Method())
	}
	if !met || a.To != 0 && a.To != who.ID || a.Method != itip.Request || a.Message.Kind() == "VFREEBUSY" || a.Message.UID() == "" || itip.Floating(a.Message) {
		return nil
	}
	for _, c := range a.Message.Main() {
		if p := c.Prop("SEQUENCE"); p != nil && p.Value() != "0" {
			return nil // it has been met, most likely
		}
	}
	f := &foreseen{arrival: s.arrival(a, who.Account)}
	f.arrival.User = usersOf(who)
	lost := false
	asking := f.arrival
	asking.Local = func(address ical.Address) bool {
		w, met := s.lately.holder(address)
		f.near = append(f.near, asked{address, met && w.ID != 0})
		return met && w.ID != 0
	}
	asking.Consent = func(_, _ ical.Address) bool { lost = true; return false }
	asking.Member = asking.Consent
	res, err := itip.Apply(asking)
	if err != nil || lost || res.Decision != itip.Applied || len(res.Send) > 0 {
		return nil // rare, or not for reading only
	}
	f.result = res
	return f
}

// write has the octets and the index of an object at hand.
func (h *ahead) write(s *Service, cal *ical.Calendar) {
	if h.written[cal] == nil {
		w := newWritten(cal)
		w.etag()
		w.timeIndex(s) // an error is told to who asks for it
		h.written[cal] = w
	}
}

// foretold is the result for an arrival, where it was foreseen.
func (d *Directory) foretold(now itip.Arrival) (*itip.Result, bool) {
	if d.ahead == nil {
		return nil, false
	}
	for _, f := range d.ahead.foreseen {
		if f.holds(now) {
			return f.result, true
		}
	}
	return nil, false
}

// holds reports whether an arrival is what was guessed: whoever would work it out
// anew would come to the same result, since [itip.Apply] looks at nothing else.
// Refreshes depends on the message alone.
func (f *foreseen) holds(now itip.Arrival) bool {
	then := &f.arrival
	if now.Stored != nil || !reflect.ValueOf(now.Memory).IsZero() || now.Deleted || now.Last != nil || len(now.Waiting) > 0 || now.OrganizerZone != nil || now.Busy != nil || now.Told != nil {
		return false // met before, or more is known than was guessed
	}
	if now.Message != then.Message || now.Method != then.Method || !slices.Equal(now.User, then.User) || now.From != then.From || now.Invited != then.Invited ||
		!now.Received.Equal(then.Received) || now.AutoAdd != then.AutoAdd || now.Approved != then.Approved || now.Sender != then.Sender || now.Zone != then.Zone ||
		now.NoDelegation != then.NoDelegation || now.Crashers != then.Crashers || now.MaxAttendees != then.MaxAttendees {
		return false
	}
	for _, q := range f.near {
		if now.Local == nil || now.Local(q.address) != q.ours {
			return false
		}
	}
	return true
}

// usersOf are the addresses of an account.
func usersOf(h store.Holder) []ical.Address {
	user := make([]ical.Address, len(h.Addresses))
	for i, uri := range h.Addresses {
		user[i] = ical.Address(uri)
	}
	return user
}
