package itip

import (
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// Proposal is what an attendee would have otherwise. Zero fields leave things
// as they are.
type Proposal struct {
	RecurrenceID string    // as in [Message]; "" = the whole event or to-do
	Start, End   ical.Time // DTSTART; DTEND, or DUE of a to-do. With Start alone it lasts as long as it did
	Location     *string
	Rule         *string // RRULE; "" = once
	Invite       []ical.Address
	Comment      string
	PartStat     string // the answer until then, "" = as it is
}

// noCounters reports whether the organizer takes no proposals. Microsoft's
// clients write and honour it (OTH-04).
func noCounters(c *ical.Component) bool {
	return strings.EqualFold(c.Value("X-MICROSOFT-DISALLOW-COUNTER"), "TRUE")
}

// TakesProposals tells whether the organizer takes proposals for an object: an
// event or to-do that does not say otherwise.
func TakesProposals(cal *ical.Calendar) bool {
	for _, c := range cal.Main() {
		if c.Name != "VEVENT" && c.Name != "VTODO" || noCounters(c) {
			return false
		}
	}
	return true
}

// Propose writes a COUNTER (RFC 5546 3.2.7, 3.4.7): the event as the attendee
// would have it. The own copy stays as it is until the organizer decides. Of
// the guests it names the one who proposes, and those proposed: who answers
// must be clear to programs that know the sender by the object alone.
func (c Copy) Propose(p Proposal) (Message, Memory, error) {
	w := c.write()
	have, key, err := w.component(p.RecurrenceID)
	if err != nil {
		return Message{}, c.Memory, err
	}
	line, to, err := w.toOrganizer(have)
	if err != nil {
		return Message{}, c.Memory, err
	}
	switch {
	case have.Name != "VEVENT" && have.Name != "VTODO":
		return Message{}, c.Memory, refuse(conditionByGuest, key, "", "Changes of %s cannot be proposed.", title(w.o))
	case dead(have):
		return Message{}, c.Memory, refuse(conditionByGuest, key, "STATUS", "%s is cancelled.", title(w.o))
	case noCounters(have):
		return Message{}, c.Memory, refuse(conditionByGuest, key, "X-MICROSOFT-DISALLOW-COUNTER", "%s takes no proposals for %s.", organizerName(w.o), title(w.o))
	case p.Start.IsZero() && p.End.IsZero() && p.Location == nil && p.Rule == nil && len(p.Invite) == 0:
		return Message{}, c.Memory, refuse(conditionByGuest, key, "", "Say what should be otherwise: the time, the place, how it repeats, or whom to invite.")
	}
	want := have.Clone()
	if err := w.wish(want, p); err != nil {
		return Message{}, c.Memory, err
	}
	out := w.request(want, nil)
	out.Remove("ATTENDEE", "STATUS")
	n := sequence(have)
	if v, ok := w.mem.Versions[key]; ok {
		n = v.Sequence
	}
	out.Set("SEQUENCE", strconv.Itoa(n)) // RFC 5546 3.2.7: as in the request
	me := outwardAttendee(line)
	me.RemoveParam("RSVP")
	if s := strings.ToUpper(p.PartStat); s != "" {
		me.SetParam("PARTSTAT", s)
	}
	w.actingFor(me)
	out.Add(me)
	for _, a := range p.Invite {
		if a.Equal(line.Address()) {
			continue
		}
		q := ical.NewProperty("ATTENDEE", string(a))
		q.SetParam("PARTSTAT", partStatNeeds)
		out.Add(outwardAttendee(q))
	}
	out.Properties = dedupe(out.Properties)
	if text := strings.TrimSpace(p.Comment); text != "" {
		out.Add(ical.NewText("COMMENT", text))
	}
	if have.Name == "VEVENT" { // the slot it has now, for Outlook (OTH-02)
		if start := have.Prop("DTSTART"); start != nil {
			if t, err := start.Time(); err == nil && !t.IsDate() {
				out.Add(ical.NewProperty("X-MS-OLK-ORIGINALSTART", instantKey(w.o.zones.Instant(t))))
				if end, ok := w.o.end(have); ok {
					out.Add(ical.NewProperty("X-MS-OLK-ORIGINALEND", instantKey(w.o.zones.Instant(end))))
				}
			}
		}
	}
	m := w.message(Counter, line.Address(), to, key, w.calendar(Counter, out))
	m.Changes = wished(w.o, have, want, key)
	return m, w.mem, nil
}

// wish writes a proposal into a copy of the component.
func (w *writing) wish(c *ical.Component, p Proposal) error {
	end := "DTEND"
	if c.Name == "VTODO" {
		end = "DUE"
	}
	if !p.Start.IsZero() {
		was, known := w.o.end(c)
		first := c.Prop("DTSTART")
		if first == nil {
			first = ical.NewProperty("DTSTART", "")
			c.Add(first)
		} else if from, err := first.Time(); err == nil && known && p.End.IsZero() && c.Prop("DURATION") == nil && c.Prop(end) != nil {
			// It lasts as long as it did.
			switch {
			case from.IsDate() && p.Start.IsDate():
				p.End = p.Start
				p.End.Wall = p.Start.Wall.Add(was.Wall.Sub(from.Wall))
			case !from.IsDate() && !p.Start.IsDate():
				lasts := w.o.zones.Instant(was).Sub(w.o.zones.Instant(from))
				p.End = w.o.plus(p.Start, ical.Duration{Exact: lasts})
			default:
				return refuse(conditionByGuest, "", end, "Say when it should end as well: whole days and times of day do not last the same.")
			}
		}
		first.SetTime(p.Start)
	}
	if !p.End.IsZero() {
		first := c.Prop("DTSTART")
		if first != nil {
			from, err := first.Time()
			if err != nil || from.IsDate() != p.End.IsDate() || !w.o.zones.Instant(p.End).After(w.o.zones.Instant(from)) {
				return refuse(conditionByGuest, "", end, "The proposed end does not lie after the start.")
			}
		}
		c.Remove("DURATION")
		q := c.Prop(end)
		if q == nil {
			q = ical.NewProperty(end, "")
			c.Add(q)
		}
		q.SetTime(p.End)
	}
	if p.Location != nil {
		c.SetText("LOCATION", *p.Location)
	}
	if p.Rule != nil {
		if c.Prop("RECURRENCE-ID") != nil {
			return refuse(conditionByGuest, p.RecurrenceID, "RRULE", "A single occurrence does not repeat.")
		}
		c.Remove("RRULE")
		if *p.Rule != "" {
			c.Set("RRULE", *p.Rule)
		}
	}
	return nil
}

// wished are the differences of a proposal, for the words around it.
func wished(o *object, have, want *ical.Component, key string) []Difference {
	var out []Difference
	for _, row := range compared {
		if row.name == "DUE" && want.Name != "VTODO" || row.name == "DTEND" && want.Name == "VTODO" {
			continue
		}
		if was, is := row.read(o, have, row.name), row.read(o, want, row.name); was != is {
			out = append(out, Difference{Property: row.name, Old: shown(was), New: shown(is), RecurrenceID: key})
		}
	}
	if was, is := ruleText(have), ruleText(want); was != is {
		out = append(out, Difference{Property: "RRULE", Old: was, New: is})
	}
	return out
}
