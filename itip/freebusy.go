package itip

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/tz"
)

// FreeBusy is what a VFREEBUSY message says (RFC 5546 3.3).
type FreeBusy struct {
	UID       string
	Organizer ical.Address   // who asks, or publishes
	Attendee  ical.Address   // whose time it is; "" in a question to several
	Asked     []ical.Address // of a question: whose time is asked for
	From, To  time.Time      // the range, UTC; zero where the message does not say
	Periods   []freebusy.Period
	Status    string // REQUEST-STATUS code of an answer, "2.0" when it does not say (RFC 5546 3.6)
}

// Disclosure says what somebody who asks for free/busy time is told.
type Disclosure int

// The disclosures. Silence does not even tell that there is somebody.
const (
	Silence  Disclosure = iota
	Refusal             // REQUEST-STATUS 3.8, no time (RFC 5546 3.3.3)
	Disclose            // the time
)

// maxPeriods bounds the busy periods read from one message.
const maxPeriods = 10000

// ReadFreeBusy reads a VFREEBUSY message: periods in either form, in any order,
// in one property or many, overlapping, and outside of the range, to which
// they are cut (RFC 5546 3.3.1 to 3.3.3). They come back merged.
func ReadFreeBusy(cal *ical.Calendar) (FreeBusy, error) {
	var out FreeBusy
	if cal == nil || cal.Kind() != "VFREEBUSY" {
		return out, refuse(conditionObject, "", "", "The message has no free/busy time in it.")
	}
	c := cal.Main()[0]
	zones := tz.NewResolver(cal, nil)
	at := func(name string) time.Time {
		if p := c.Prop(name); p != nil {
			if t, err := p.Time(); err == nil {
				return zones.Instant(t).UTC() // a time without Z is meant in UTC (RFC 5545 3.8.2.4 allows no other)
			}
		}
		return time.Time{}
	}
	out.UID, out.From, out.To = strings.TrimSpace(c.Value("UID")), at("DTSTART"), at("DTEND")
	if !out.From.IsZero() && !out.To.IsZero() && !out.From.Before(out.To) {
		return out, refuse(conditionObject, "", "DTEND", "The free/busy range ends before it begins.")
	}
	if p := c.Prop("ORGANIZER"); p != nil {
		out.Organizer = p.Address()
	}
	for p := range c.Props("ATTENDEE") {
		out.Asked = append(out.Asked, p.Address())
	}
	if len(out.Asked) == 1 {
		out.Attendee = out.Asked[0]
	}
	out.Status, _ = requestStatus(c)
	n := 0
	for p := range c.Props("FREEBUSY") {
		list, err := p.Periods()
		if err != nil {
			continue // one unreadable line does not make the others wrong
		}
		kind := upperOr(p.Param("FBTYPE"), freebusy.BusyTime)
		if kind == freebusy.Free {
			continue // "free" is what is left
		}
		for _, q := range list {
			if n++; n > maxPeriods {
				return out, refuse(conditionObject, "", "FREEBUSY", "The message has more than %d busy periods.", maxPeriods)
			}
			from := zones.Instant(q.Start).UTC()
			to := zones.Instant(q.End).UTC()
			if q.HasDuration {
				to = from.AddDate(0, 0, q.Duration.Days).Add(q.Duration.Exact)
			}
			if !out.From.IsZero() && from.Before(out.From) {
				from = out.From
			}
			if !out.To.IsZero() && to.After(out.To) {
				to = out.To
			}
			if from.Before(to) {
				out.Periods = append(out.Periods, freebusy.Period{From: from, To: to, Type: kind})
			}
		}
	}
	out.Periods = freebusy.Merge(out.Periods)
	return out, nil
}

// busyMessage is a VFREEBUSY message around a component.
func busyMessage(m Method, from, to ical.Address, c *ical.Component) Message {
	cal := ical.New(ProductID)
	cal.Set("METHOD", string(m))
	cal.Components = append(cal.Components, c)
	return Message{Method: m, From: from, To: to, UID: cal.UID(), Calendar: cal}
}

func busyComponent(uid string, periods []freebusy.Period, from, to, now time.Time, organizer ical.Address) *ical.Component {
	c := freebusy.Component(periods, from.UTC().Truncate(time.Second), to.UTC().Truncate(time.Second))
	c.Set("UID", uid)
	c.Set("DTSTAMP", ical.UTCTime(now).String())
	if organizer != "" {
		c.Add(ical.NewProperty("ORGANIZER", string(organizer)))
	}
	return c
}

// AskFreeBusy asks somebody when they are busy between from and to (RFC 5546
// 3.3.2). The answer has the UID, which must be new in the world.
func AskFreeBusy(uid string, organizer, attendee ical.Address, from, to, now time.Time) Message {
	c := busyComponent(uid, nil, from, to, now, organizer)
	c.Add(ical.NewProperty("ATTENDEE", string(attendee)))
	return busyMessage(Request, organizer, attendee, c)
}

// AnswerFreeBusy answers such a question for one of those asked (RFC 5546
// 3.3.3). [Disclose] gives the periods within the range asked for, [Refusal]
// only says that there is no authority (3.6: 3.8). The question is as
// ReadFreeBusy gives it.
func AnswerFreeBusy(q FreeBusy, attendee ical.Address, d Disclosure, periods []freebusy.Period, now time.Time) Message {
	status := "2.0;Success"
	if d != Disclose {
		periods, status = nil, "3.8;No authority"
	}
	var within []freebusy.Period
	for _, p := range freebusy.Merge(slices.Clone(periods)) {
		if p.From.Before(q.From) {
			p.From = q.From
		}
		if p.To.After(q.To) {
			p.To = q.To
		}
		if p.From.Before(p.To) {
			within = append(within, p)
		}
	}
	c := busyComponent(q.UID, within, q.From, q.To, now, q.Organizer)
	c.Add(ical.NewProperty("ATTENDEE", string(attendee)), ical.NewProperty("REQUEST-STATUS", status))
	return busyMessage(Reply, attendee, q.Organizer, c)
}

// PublishFreeBusy tells people unasked when somebody is busy (RFC 5546 3.3.1).
// sequence rises from one publication to the next under the same UID.
func PublishFreeBusy(uid string, publisher ical.Address, periods []freebusy.Period, from, to, now time.Time, sequence int, people ...ical.Address) []Message {
	c := busyComponent(uid, periods, from, to, now, publisher)
	c.Add(ical.NewProperty("SEQUENCE", strconv.Itoa(sequence)))
	var out []Message
	for _, a := range people {
		m := busyMessage(Publish, publisher, a, c)
		m.Sequence = sequence
		out = append(out, m)
	}
	return out
}

// freeBusy applies a VFREEBUSY message: nothing is stored; a question is
// answered as far as the owner allows, an answer is for who asked (OTH-10).
func (p *applying) freeBusy() {
	fb, err := ReadFreeBusy(p.a.Message)
	if err != nil {
		p.end(Rejected, ReasonInvalid, "%s", err.Error())
		p.res.RequestStatus = "3.1"
		return
	}
	p.res.FreeBusy = &fb
	switch p.method {
	case Request:
		p.busyAsked(fb)
	case Reply:
		p.res.Attendee = fb.Attendee
		line := p.a.Message.Main()[0].Prop("ATTENDEE")
		ok, designate := p.acts(line)
		switch {
		case line == nil:
			p.end(Held, ReasonAmbiguous, "A free/busy answer came, but it does not say whose time it is.")
		case !ok && !designate:
			p.end(Rejected, ReasonNotAttendee, "%s cannot answer for %s.", p.sender(), nameOf(person(line)))
		case len(fb.Status) > 0 && fb.Status[0] >= '3' && fb.Status[0] <= '5':
			p.end(Unchanged, ReasonFailed, "%s does not tell when they are busy (%s).", nameOf(person(line)), fb.Status)
		default:
			p.end(Unchanged, ReasonFreeBusy, "%s has told when they are busy.", nameOf(person(line)))
		}
	case Publish:
		line := p.a.Message.Main()[0].Prop("ORGANIZER")
		ok, designate := p.acts(line)
		if line == nil || !ok && !designate {
			p.end(Held, ReasonForwarded, "%s sent free/busy time of somebody else.", p.sender())
			return
		}
		p.res.Attendee = line.Address()
		p.end(Unchanged, ReasonFreeBusy, "%s has published when they are busy.", nameOf(person(line)))
	}
}

func (p *applying) busyAsked(fb FreeBusy) {
	line := p.a.Message.Main()[0].Prop("ORGANIZER")
	ok, designate := p.acts(line)
	var me *ical.Property
	for q := range p.a.Message.Main()[0].Props("ATTENDEE") {
		if me == nil && p.me.is(q) {
			me = q
		}
	}
	asker := ical.Address("")
	if line != nil {
		asker = line.Address()
	}
	d, periods := Silence, []freebusy.Period(nil)
	switch {
	case line == nil || !ok && !designate:
		p.end(Rejected, ReasonNotOrganizer, "%s asks for free/busy time in the name of somebody else; nothing was told.", p.sender())
		return
	case me == nil:
		p.end(Ignored, ReasonNotInvited, "%s asks for the free/busy time of somebody else.", nameOf(person(line)))
		return
	case fb.From.IsZero() || fb.To.IsZero():
		p.end(Rejected, ReasonInvalid, "%s asks for free/busy time without saying from when to when.", nameOf(person(line)))
		p.res.RequestStatus = "3.11"
		return
	case fb.UID == "":
		p.end(Rejected, ReasonInvalid, "%s asks for free/busy time without a UID to answer to.", nameOf(person(line)))
		p.res.RequestStatus = "3.11"
		return
	}
	if p.a.Busy != nil && !designate {
		d, periods = p.a.Busy(asker, fb.From, fb.To)
	}
	to := reachable(line, p.a.Local)
	if to == "" {
		d = Silence
	}
	switch d {
	case Disclose:
		p.res.RequestStatus = statusSuccess
		p.end(Unchanged, ReasonFreeBusy, "%s asked when you are busy and was told.", nameOf(person(line)))
	case Refusal:
		p.res.RequestStatus = "3.8"
		p.end(Ignored, ReasonFreeBusy, "%s asked when you are busy and was told that this is not for them.", nameOf(person(line)))
	default:
		p.end(Ignored, ReasonFreeBusy, "%s asked when you are busy; nothing was told.", nameOf(person(line)))
		return
	}
	m := AnswerFreeBusy(fb, me.Address(), d, periods, p.a.Received)
	m.To = to
	p.res.Send = append(p.res.Send, m)
}
