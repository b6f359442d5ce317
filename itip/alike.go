package itip

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
)

// Alike applies one message to the copies of many people. The guests of a
// meeting mostly have the same copy of it, and what a message means is the same
// for all who stand on it in the same way: it is worked out once for them. The
// results are those of [Apply], each with a Memory of its own; their Object and
// Changes are shared and for reading only. The functions of the arrivals answer
// alike for all, but for Consent.
//
// The zero value is ready. It keeps the copies it has seen last, and the results
// for them, so it should not live longer than a batch; it is for one goroutine.
type Alike struct {
	seen  map[sameness]*likeness
	order []sameness
}

// maxAlike kinds of copies are remembered. The guests of a meeting have a few:
// those who answered, those who have not.
const maxAlike = 8

// sameness is all that a result depends on but for who the recipient is.
type sameness struct {
	message        *ical.Calendar
	version        string // of the stored octets, "" for none
	memory         string // without what is the recipient's own
	method, from   string
	zone           string
	received       time.Time
	add, ok, alone bool // AutoAdd, Approved, NoDelegation
	most           int
}

// likeness is what is known of one kind of copies.
type likeness struct {
	stored  *ical.Calendar
	single  bool     // neither copy nor message has occurrences of their own
	deputy  bool     // somebody acts for the organizer: with each one's own consent
	listed  []guests // of the components of the copy, then of the message
	before  int      // how many of them are of the copy
	apart   people   // the organizer, and who is tied to others: their results are their own
	results map[string]*Result
	words   map[string]int // how people stand, numbered
}

// guests of one component.
type guests struct {
	key   string
	lines map[string]*ical.Property // by address; nil for who is listed twice
}

// Apply is [Apply] for a copy whose octets have a name: all copies of one version
// have the same octets, "" says that there is none. read gives the copy where it
// has to be looked at, which takes the place of a.Stored.
func (s *Alike) Apply(a Arrival, version string, read func() (*ical.Calendar, error)) (*Result, error) {
	k, alike := sameAs(a, version)
	l := s.seen[k]
	if l == nil || !alike {
		if version != "" {
			var err error
			if a.Stored, err = read(); err != nil {
				return nil, err
			}
		}
		if !alike {
			return Apply(a)
		}
		l = newLikeness(a)
		s.remember(k, l)
	}
	a.Stored = l.stored
	if l.deputy || !l.single && len(a.Memory.Answers) > 0 { // then they count
		return Apply(a)
	}
	me := peopleOf(a.User)
	if a.Memory.InvitedAs != "" {
		me[a.Memory.InvitedAs.Key()] = true
	}
	standing, alike := l.standing(me)
	if !alike {
		return Apply(a)
	}
	if r := l.results[standing]; r != nil {
		return l.resultFor(r, a, me), nil
	}
	r, err := Apply(a)
	if err == nil && l.impartial(r, a, me) {
		kept := *r
		l.results[standing] = &kept
	}
	return r, err
}

func (s *Alike) remember(k sameness, l *likeness) {
	if s.seen == nil {
		s.seen = map[sameness]*likeness{}
	}
	if len(s.order) == maxAlike {
		delete(s.seen, s.order[0])
		s.order = s.order[1:]
	}
	s.seen[k] = l
	s.order = append(s.order, k)
}

// sameAs says what an arrival has in common with others; false for one that is
// looked at by itself: what waits or was deleted, what did not come from the
// organizer, what the organizer has to remember of others.
func sameAs(a Arrival, version string) (sameness, bool) {
	k := sameness{message: a.Message, version: version, method: strings.ToUpper(string(a.Method)), from: a.From.Key(), received: a.Received,
		add: a.AutoAdd, ok: a.Approved, alone: a.NoDelegation, most: a.MaxAttendees}
	if a.Message == nil || a.Message.Kind() == "VFREEBUSY" || k.method != string(Request) && k.method != string(Cancel) ||
		len(a.Waiting) > 0 || a.Deleted || a.Invited != "" || a.Sender != "" || a.OrganizerZone != nil || a.Stored != nil && version == "" {
		return k, false
	}
	m := a.Memory
	if len(m.Replies)+len(m.Moved)+len(m.Invited)+len(m.Uninvited)+len(m.Delegates)+len(m.TurnedAway)+len(m.Sent)+len(m.Plain)+len(m.Expanded)+len(m.Refreshed)+len(m.Renewed) > 0 || m.Spared != nil {
		return k, false
	}
	if a.Zone != nil {
		if k.zone = a.Zone.Name(); k.zone == "" {
			return k, false
		}
	}
	m.InvitedAs, m.Answers = "", nil
	text, err := json.Marshal(m)
	if err != nil {
		return k, false
	}
	k.memory = string(text)
	return k, true
}

func newLikeness(a Arrival) *likeness {
	l := &likeness{stored: a.Stored, single: true, apart: people{}, results: map[string]*Result{}, words: map[string]int{}}
	cache := keys{}
	for i, cal := range [...]*ical.Calendar{a.Stored, a.Message} {
		if cal == nil {
			continue
		}
		o := newObject(cal, a.Zone)
		l.single = l.single && len(o.order) == 0
		main := cal.Main()
		for _, c := range main {
			l.list(c, o.keyOf(c), cache)
		}
		if i == 0 {
			l.before = len(main)
		}
	}
	return l
}

// list notes who is on a component, and who is not like the others.
func (l *likeness) list(c *ical.Component, key string, cache keys) {
	g := guests{key: key, lines: map[string]*ical.Property{}}
	for p := range c.Props("ATTENDEE") {
		k := cache.of(p)
		if _, twice := g.lines[k]; twice {
			g.lines[k] = nil
		} else {
			g.lines[k] = p
		}
		if p.HasParam("DELEGATED-TO") || p.HasParam("DELEGATED-FROM") || p.HasParam("SENT-BY") {
			l.apart[k] = true
			for _, name := range [...]string{"DELEGATED-TO", "DELEGATED-FROM", "SENT-BY"} {
				for _, to := range addresses(p.ParamValues(name)) {
					l.apart[to.Key()] = true
				}
			}
		}
		if byEmail(p) {
			l.apart[k], l.apart[ical.Mailto(p.Param("EMAIL")).Key()] = true, true
		}
	}
	for p := range c.Props("ORGANIZER") {
		l.apart[cache.of(p)] = true
		if e := p.Param("EMAIL"); e != "" {
			l.apart[ical.Mailto(e).Key()] = true
		}
		l.deputy = l.deputy || p.HasParam("SENT-BY")
	}
	l.listed = append(l.listed, g)
}

// standing is how somebody stands on each component: whether they are listed,
// and with which parameters, but for their name. False for who is looked at by
// themselves.
func (l *likeness) standing(me people) (string, bool) {
	var b strings.Builder
	for who := range me {
		if l.apart[who] {
			return "", false
		}
	}
	for _, g := range l.listed {
		line, alike := g.line(me)
		if !alike {
			return "", false
		}
		n := 0
		if line != nil {
			text := stands(line, nil)
			if n = l.words[text]; n == 0 {
				n = len(l.words) + 1
				l.words[text] = n
			}
		}
		fmt.Fprintf(&b, "%d,", n)
	}
	return b.String(), true
}

// line is that of somebody, nil for who is not listed; false for who is listed
// twice.
func (g guests) line(me people) (*ical.Property, bool) {
	var found *ical.Property
	for who := range me {
		line, listed := g.lines[who]
		if !listed {
			continue
		}
		if line == nil || found != nil {
			return nil, false
		}
		found = line
	}
	return found, true
}

// stands writes the parameters of a line but for the name of who it is.
func stands(p *ical.Property, without map[string]bool) string {
	var b strings.Builder
	for name, values := range p.Params() {
		if name == "CN" || without[name] {
			continue
		}
		b.WriteString(name)
		for _, v := range values {
			b.WriteByte(0)
			b.WriteString(v)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// atHome are the parameters of RFC 6638 7, which no message brings.
var atHome = set("SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND")

// impartial reports whether a result is the same for everybody who stands like
// the one it was worked out for: nothing goes out, and their line is as those of
// the other guests are, from the message where that has the component, else from
// the copy.
func (l *likeness) impartial(r *Result, a Arrival, me people) bool {
	switch r.Decision {
	case Applied, Unchanged, Ignored:
	default:
		return false
	}
	if len(r.Send)+len(r.Settled) > 0 || r.Attendee != "" || r.PartStat != "" || r.RequestStatus != "" || r.FreeBusy != nil {
		return false
	}
	if r.Memory.InvitedAs != l.invitedAs(r, a, me) ||
		!maps.EqualFunc(r.Memory.Answers, a.Memory.Answers, func(x, y Version) bool { return x.compare(y) == 0 && x.Cancelled == y.Cancelled }) {
		return false
	}
	if r.Object == nil {
		return true
	}
	o := newObject(r.Object, a.Zone)
	for _, c := range r.Object.Main() {
		is := guests{lines: map[string]*ical.Property{}}
		for p := range c.Props("ATTENDEE") {
			k := p.Address().Key()
			if _, twice := is.lines[k]; twice {
				p = nil
			}
			is.lines[k] = p
		}
		line, alike := is.line(me)
		if !alike {
			return false
		}
		source := l.source(o.keyOf(c))
		if source == nil {
			return false
		}
		came, _ := source.line(me)
		if (line == nil) != (came == nil) || line != nil && stands(line, atHome) != stands(came, atHome) {
			return false
		}
	}
	return true
}

// source is where the guests of a component of a result come from.
func (l *likeness) source(key string) *guests {
	for i := len(l.listed) - 1; i >= 0; i-- {
		if l.listed[i].key == key {
			return &l.listed[i]
		}
	}
	return nil
}

// invitedAs is the address that a new invitation names somebody by, else the one
// that is remembered.
func (l *likeness) invitedAs(r *Result, a Arrival, me people) ical.Address {
	if r.Created {
		for _, g := range l.listed[l.before:] {
			if line, _ := g.line(me); line != nil {
				return line.Address()
			}
		}
	}
	return a.Memory.InvitedAs
}

// resultFor is a result for somebody else who stands as the one did.
func (l *likeness) resultFor(r *Result, a Arrival, me people) *Result {
	out := *r
	out.Memory = r.Memory.clone()
	out.Memory.Answers = maps.Clone(a.Memory.Answers)
	out.Memory.InvitedAs = l.invitedAs(r, a, me)
	return &out
}
