package cip

import (
	"slices"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/vcal1"
)

// Answer is the body of RSVP: what one attendee says to an event.
type Answer struct {
	Form     Form
	ID       string // event id
	Version  int64  // of the event that is answered; 0 = not said
	Response int64  // RESPONSE-SEQUENCE: counts the attendee's answers; 0 = not said
	Attendee Person
	PartStat string // as in iCalendar: ACCEPTED, TENTATIVE, DECLINED, DELEGATED, NEEDS-ACTION, COMPLETED, IN-PROCESS
	Comment  string
	ToDo     bool
	// Calendar is the answer as an iTIP REPLY without ORGANIZER: UID the event
	// id, one ATTENDEE.
	Calendar *ical.Calendar
	// Start and End are times that the answer names, zero when it names none. An
	// attendee may not change them, so that others than the event's propose.
	Start, End ical.Time
}

// partStats by the parameter or property STATUS.
var partStats = map[string]string{
	"ACCEPTED": "ACCEPTED", "CONFIRMED": "ACCEPTED", "TENTATIVE": "TENTATIVE", "DECLINED": "DECLINED", "DELEGATED": "DELEGATED",
	"COMPLETED": "COMPLETED", "NEEDS ACTION": "NEEDS-ACTION", "NEEDS-ACTION": "NEEDS-ACTION", "SENT": "NEEDS-ACTION", "IN-PROCESS": "IN-PROCESS",
}

// ParseAnswer reads the body of RSVP. Errors wrap ErrBody.
func ParseAnswer(data []byte, r Reading) (*Answer, error) {
	r = r.orDefault()
	b, err := readBody(data, r, true)
	if err != nil {
		return nil, err
	}
	a := &Answer{Form: b.form}
	if a.ID, err = b.oneID(); err != nil {
		return nil, err
	}
	if a.Version, err = b.version(0); err != nil {
		return nil, err
	}
	if s := b.facts["RESPONSE-SEQUENCE"]; s != "" {
		if a.Response, err = strconv.ParseInt(s, 10, 64); err != nil || a.Response < 0 {
			return nil, bad("RESPONSE-SEQUENCE %q is no number", clip(s))
		}
	}
	if m := b.cal.Method(); b.form == ICal20 && m != "" && !strings.EqualFold(m, "REPLY") {
		return nil, bad("METHOD:%s is no answer", clip(m))
	}
	main := b.cal.Main()
	c := main[0]
	if len(main) > 1 && b.form != ICal20 {
		return nil, bad("more than one event")
	}
	a.ToDo = c.Name == "VTODO"
	who, err := a.attendee(b, c)
	if err != nil {
		return nil, err
	}
	a.Comment = c.Text("COMMENT")
	if a.Comment == "" && b.form != ICal20 {
		a.Comment = c.Text("DESCRIPTION")
	}
	times := func(name string) (t ical.Time) {
		if p := c.Prop(name); p != nil && b.facts[name] != "" {
			t, _ = p.Time() // what cannot be read proposes nothing
		}
		return t
	}
	a.Start, a.End = times("DTSTART"), times("DTEND")
	a.Calendar = a.message(b, who, r)
	return a, nil
}

// attendee is the one who answers: the only ATTENDEE, or the only one beside
// the owner where he is named too.
func (a *Answer) attendee(b *body, c *ical.Component) (*ical.Property, error) {
	var who *ical.Property
	organizer := c.Prop("ORGANIZER")
	n := 0
	for _, p := range c.Properties {
		switch {
		case p.Name() != "ATTENDEE" && (p.Name() != "ORGANIZER" || b.form == ICal20):
		case p.Name() == "ATTENDEE" && organizer != nil && p.Address().Equal(organizer.Address()):
		default:
			if p.Name() == "ORGANIZER" && attendeeBeside(c, p) {
				continue
			}
			if n++; who == nil {
				who = p
			}
		}
	}
	if who == nil || n != 1 {
		return nil, bad("an answer names one ATTENDEE, not %d", n)
	}
	a.Attendee = personOf(who)
	if a.Attendee.Address == "" {
		return nil, bad("the attendee has no address")
	}
	status := who.Param("PARTSTAT") // of iCalendar, and what vCalendar's STATUS parameter became
	if status == "" {
		status = b.facts[attendeeStatus]
	}
	if status == "" {
		status = b.facts["STATUS"]
	}
	a.PartStat = partStats[strings.ToUpper(strings.Join(strings.Fields(status), " "))]
	if a.PartStat == "" {
		return nil, bad("STATUS %q is no answer", clip(status))
	}
	return who, nil
}

func attendeeBeside(c *ical.Component, organizer *ical.Property) bool {
	for p := range c.Props("ATTENDEE") {
		if !p.Address().Equal(organizer.Address()) {
			return true
		}
	}
	return false
}

// message makes the REPLY.
func (a *Answer) message(b *body, who *ical.Property, r Reading) *ical.Calendar {
	if b.form == ICal20 {
		cal := b.cal
		cal.Set("METHOD", "REPLY")
		for _, c := range cal.Main() {
			c.Remove("RESPONSE-SEQUENCE", "X-ICAL-SEQUENCE", "SEQUENCE") // the receiver knows which version it is about
			c.Components = nil
			if c.Prop("DTSTAMP") == nil {
				p := ical.NewProperty("DTSTAMP", "")
				p.SetTime(ical.UTCTime(r.Now))
				c.Add(p)
			}
			for p := range c.Props("ATTENDEE") {
				if p.Address().Equal(a.Attendee.Address) && !p.HasParam("PARTSTAT") {
					p.SetParam("PARTSTAT", a.PartStat)
				}
			}
		}
		return cal
	}
	cal := ical.New(vcal1.ProductID)
	cal.Set("METHOD", "REPLY")
	c := ical.NewComponent(b.cal.Main()[0].Name)
	stamp := ical.NewProperty("DTSTAMP", "")
	stamp.SetTime(ical.UTCTime(r.Now))
	if p := b.cal.Main()[0].Prop("DTSTAMP"); p != nil && b.facts["X-ICAL-DTSTAMP"] != "" {
		stamp = p.Clone()
	}
	p := ical.NewProperty("ATTENDEE", string(a.Attendee.Address))
	if cn := who.Param("CN"); cn != "" {
		p.SetParam("CN", cn)
	}
	p.SetParam("PARTSTAT", a.PartStat)
	c.Add(ical.NewText("UID", a.ID), stamp, p)
	if a.Comment != "" {
		c.Add(ical.NewText("COMMENT", a.Comment))
	}
	cal.Components = append(cal.Components, c)
	return cal
}

// Encode writes the answer: Calendar, a REPLY, with ID, Version and Response.
func (a *Answer) Encode(form Form) ([]byte, error) {
	if form == ICal20 {
		cal := a.Calendar.Clone()
		for _, c := range cal.Main() {
			c.SetText("UID", a.ID)
			c.Remove("SEQUENCE", "RESPONSE-SEQUENCE")
			if a.Version > 0 {
				c.Set("SEQUENCE", strconv.FormatInt(a.Version, 10))
			}
			if a.Response > 0 {
				c.Set("RESPONSE-SEQUENCE", strconv.FormatInt(a.Response, 10))
			}
		}
		return cal.Bytes(), nil
	}
	main := a.Calendar.Main()
	if slices.ContainsFunc(main, func(c *ical.Component) bool { return c.Prop("RECURRENCE-ID") != nil }) || len(main) != 1 {
		return nil, ErrForm
	}
	// vcal1 writes what may need encoding; the lines are put together here
	// because vCalendar knows no answer: an event has a time there.
	cal := ical.New(vcal1.ProductID)
	c := ical.NewComponent("VEVENT")
	if a.ToDo {
		c.Name = "VTODO"
	}
	c.Add(ical.NewText("UID", a.ID))
	if a.Version > 0 {
		c.Set("SEQUENCE", strconv.FormatInt(a.Version, 10))
	}
	who := ical.NewProperty("ATTENDEE", string(a.Attendee.Address))
	if a.Attendee.Name != "" {
		who.SetParam("CN", a.Attendee.Name)
	}
	who.SetParam("PARTSTAT", a.PartStat)
	c.Add(who)
	if a.Comment != "" {
		c.Add(ical.NewText("DESCRIPTION", a.Comment))
	}
	if p := main[0].Prop("DTSTAMP"); p != nil {
		c.Add(p.Clone())
	}
	cal.Components = append(cal.Components, c)
	text, _, err := vcal1.Marshal(cal)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, line := range physical(text) {
		name := headName(line)
		if form == Bare && (name == "BEGIN" || name == "END" || name == "VERSION" || name == "PRODID") {
			continue
		}
		if a.Response > 0 && name == "ATTENDEE" {
			out = append(out, "RESPONSE-SEQUENCE:"+strconv.FormatInt(a.Response, 10)+"\r\n"...)
		}
		out = append(append(out, line...), '\r', '\n')
	}
	return out, nil
}
