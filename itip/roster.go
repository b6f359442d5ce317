package itip

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// Attendee is one ATTENDEE or the ORGANIZER of a component, with the defaults
// of RFC 5545 3.2 filled in.
type Attendee struct {
	Address                    ical.Address
	CN, Role, PartStat, CUType string
	Email                      string // EMAIL parameter (RFC 7986 6.2)
	RSVP                       bool
	SentBy                     ical.Address
	DelegatedTo, DelegatedFrom []ical.Address
	ScheduleAgent              string // SERVER, CLIENT, NONE or an x-name
	ScheduleStatus             string
	Comment                    string // the last answer's note (X-RESPONSE-COMMENT)
	Private                    string // what they told the organizer alone; of [Attendees] only
	Guests                     string // additional guests as Google writes them (X-NUM-GUESTS)
	Language                   string // LANGUAGE parameter, a tag of RFC 5646
}

// Attendees lists the attendees of a component in order, each person once (of
// two lines for one address the more decided one counts).
func Attendees(c *ical.Component) []Attendee {
	if c == nil {
		return nil
	}
	r := rosterOf(c, nil)
	out := make([]Attendee, 0, len(r.order))
	private := commentsOf(c)
	for _, p := range r.props {
		a := person(p)
		if q := private[a.Address.Key()]; q != nil {
			a.Private = q.Text()
		}
		out = append(out, a)
	}
	return out
}

// Organizer is the ORGANIZER of a component; false when it has none.
func Organizer(c *ical.Component) (Attendee, bool) {
	if c == nil {
		return Attendee{}, false
	}
	p := c.Prop("ORGANIZER")
	if p == nil {
		return Attendee{}, false
	}
	return person(p), true
}

func person(p *ical.Property) Attendee {
	a := Attendee{
		Address: p.Address(), CN: p.Param("CN"), Role: upperOr(p.Param("ROLE"), "REQ-PARTICIPANT"),
		PartStat: partStat(p), CUType: upperOr(p.Param("CUTYPE"), "INDIVIDUAL"), Email: p.Param("EMAIL"),
		RSVP: strings.EqualFold(p.Param("RSVP"), "TRUE"), ScheduleAgent: agent(p), ScheduleStatus: p.Param("SCHEDULE-STATUS"),
		Comment: p.Param("X-RESPONSE-COMMENT"), Guests: p.Param("X-NUM-GUESTS"), Language: p.Param("LANGUAGE"),
	}
	if by := p.Param("SENT-BY"); by != "" {
		// ADR-04: a SENT-BY that names the person itself says nothing (Yahoo writes it).
		if s := ical.ParseAddress(by); !s.Equal(a.Address) {
			a.SentBy = s
		}
	}
	a.DelegatedTo = addresses(p.ParamValues("DELEGATED-TO"))
	a.DelegatedFrom = addresses(p.ParamValues("DELEGATED-FROM"))
	return a
}

func addresses(list []string) []ical.Address {
	var out []ical.Address
	for _, s := range list {
		out = append(out, ical.ParseAddress(s))
	}
	return out
}

func upperOr(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return strings.ToUpper(s)
}

// partStat is the PARTSTAT of a line in upper case, NEEDS-ACTION by default
// (RFC 5545 3.2.12).
func partStat(p *ical.Property) string { return upperOr(p.Param("PARTSTAT"), partStatNeeds) }

// decided reports whether a participation status is an answer. One we do not
// know counts as none (RFC 5545 3.2.12).
func decided(partstat string) bool {
	switch partstat {
	case partStatAccepted, partStatDeclined, partStatTentative, partStatDelegated, "COMPLETED", "IN-PROCESS":
		return true
	}
	return false
}

// agent is the SCHEDULE-AGENT of a line (RFC 6638 7.1); one we do not know is
// for somebody else to act on.
func agent(p *ical.Property) string { return upperOr(p.Param("SCHEDULE-AGENT"), "SERVER") }

// people is a set of calendar user addresses by key.
type people map[string]bool

func peopleOf(list []ical.Address) people {
	out := make(people, len(list))
	for _, a := range list {
		if k := a.Key(); k != "" {
			out[k] = true
		}
	}
	return out
}

// is reports whether the line's address is one of the people, or its EMAIL
// parameter where that says who it is (see byEmail): a colleague's address with
// one's own EMAIL beside it is the colleague.
func (w people) is(p *ical.Property) bool {
	if p == nil {
		return false
	}
	if w[p.Address().Key()] {
		return true
	}
	return byEmail(p) && w[ical.Mailto(p.Param("EMAIL")).Key()]
}

// line finds the attendee line of one of the people: by value, then by EMAIL.
func (w people) line(c *ical.Component) *ical.Property {
	if c == nil {
		return nil
	}
	var byEmail *ical.Property
	for p := range c.Props("ATTENDEE") {
		if w[p.Address().Key()] {
			return p
		}
		if byEmail == nil && w.is(p) {
			byEmail = p
		}
	}
	return byEmail
}

// keys caches comparison keys of addresses as written: a series repeats the
// same few people in every component.
type keys map[string]string

func (k keys) of(p *ical.Property) string {
	v := p.Value()
	if s, ok := k[v]; ok {
		return s
	}
	s := p.Address().Key()
	if k != nil {
		k[v] = s
	}
	return s
}

// roster is the attendees of one component in order, each person once.
type roster struct {
	order []string         // keys
	props []*ical.Property // beside order
	at    map[string]int   // where a key stands; only for crowds
	other map[string]bool  // who is left to another agent (RFC 6638 7.1)
}

// crowded is from how many attendees on an index pays.
const crowded = 16

// line is the person's line, nil when there is none.
func (r *roster) line(who string) *ical.Property {
	if i := r.find(who); i >= 0 {
		return r.props[i]
	}
	return nil
}

func (r *roster) find(who string) int {
	if r == nil {
		return -1
	}
	if r.at != nil {
		if i, ok := r.at[who]; ok {
			return i
		}
		return -1
	}
	return slices.Index(r.order, who)
}

// on is the same roster on a component with the same lines; nil when it cannot
// be told so quickly.
func (r *roster) on(c *ical.Component) *roster {
	out := *r
	out.props = make([]*ical.Property, 0, len(r.props))
	for p := range c.Props("ATTENDEE") {
		out.props = append(out.props, p)
	}
	if len(out.props) != len(r.props) {
		return nil // somebody is listed twice
	}
	return &out
}

// like is the roster of a component whose lines are written as those of another:
// the overrides of a series mostly repeat the same guests. nil when they are not.
func (r *roster) like(c *ical.Component) *roster {
	if r == nil || len(r.props) == 0 {
		return nil
	}
	out := *r
	out.props = make([]*ical.Property, 0, len(r.props))
	for p := range c.Props("ATTENDEE") {
		n := len(out.props)
		if n == len(r.props) {
			return nil
		}
		if raw := p.Raw(); raw == "" || raw != r.props[n].Raw() {
			return nil
		}
		out.props = append(out.props, p)
	}
	if len(out.props) != len(r.props) {
		return nil
	}
	return &out
}

// served is the person's line where the server schedules for it.
func (r *roster) served(who string) *ical.Property {
	if r == nil || r.other[who] {
		return nil
	}
	return r.line(who)
}

// seeker asks many rosters of a series for one person. Those with the same
// lines are asked once.
type seeker struct {
	who    string
	people *string // of the roster asked last
	served bool
}

// on reports whether the server schedules for the person on a roster.
func (s *seeker) on(r *roster) bool {
	if r == nil || len(r.order) == 0 {
		return false
	}
	if s.people != &r.order[0] {
		s.people, s.served = &r.order[0], r.served(s.who) != nil
	}
	return s.served
}

// rosterOf lists the attendees of a component, each person once: of several lines
// an answer counts before none, else the first (LEN-11).
func rosterOf(c *ical.Component, cache keys) *roster {
	r := &roster{}
	if c == nil {
		return r
	}
	n := 0
	for range c.Props("ATTENDEE") {
		n++
	}
	r.order, r.props = make([]string, 0, n), make([]*ical.Property, 0, n)
	if n > crowded {
		r.at = make(map[string]int, n)
	}
	for p := range c.Props("ATTENDEE") {
		k := cache.of(p)
		if k == "" {
			continue
		}
		if i := r.find(k); i >= 0 {
			if decided(partStat(r.props[i])) || !decided(partStat(p)) {
				continue
			}
			r.props[i] = p
		} else {
			if r.at != nil {
				r.at[k] = len(r.order)
			}
			r.order, r.props = append(r.order, k), append(r.props, p)
		}
		if agent(p) != "SERVER" {
			put(&r.other, k, true)
		} else {
			delete(r.other, k)
		}
	}
	return r
}
