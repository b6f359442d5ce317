package tnef

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// Mail is what the mail around a stream says.
type Mail struct {
	From     ical.Address
	FromName string
	To       []ical.Address
	Date     time.Time
}

// answers are the responses, and the participation they state.
var answers = map[string]string{ClassAccepted: "ACCEPTED", ClassDeclined: "DECLINED", ClassTentative: "TENTATIVE"}

// Calendar writes the scheduling message that a stream stands for, with METHOD.
// The error says, for people, why it cannot be told.
func (m *Message) Calendar(mail Mail) (*ical.Calendar, error) {
	switch {
	case !m.Scheduling():
		return nil, fmt.Errorf("tnef: a message of the class %.60q is no meeting", m.Class)
	case m.UID == "":
		return nil, errors.New("tnef: the meeting has no identifier")
	case m.OneInstance && m.Instance.IsZero():
		return nil, errors.New("tnef: the message is about one occurrence and does not say which")
	case m.Start.IsZero() && m.Class == ClassRequest:
		return nil, errors.New("tnef: the meeting has no beginning")
	}
	partstat := answers[m.Class]
	method := map[string]string{ClassRequest: "REQUEST", ClassCanceled: "CANCEL"}[m.Class]
	if partstat != "" {
		if method = "REPLY"; m.Proposal && !m.ProposedStart.IsZero() {
			method = "COUNTER"
		}
	}
	cal := ical.New("-//Microsoft Corporation//winmail.dat//EN")
	cal.Set("METHOD", method)
	e := ical.NewComponent("VEVENT")
	cal.Components = append(cal.Components, e)
	w := writer{m: m, e: e}
	if err := w.when(method); err != nil {
		return nil, err
	}
	e.Add(ical.NewText("UID", m.UID), ical.NewText("SUMMARY", oneLine(m.Subject)))
	stamp := m.Stamp
	if stamp.IsZero() {
		stamp = mail.Date
	}
	if !stamp.IsZero() {
		e.Set("DTSTAMP", utc(stamp))
	}
	e.Set("SEQUENCE", fmt.Sprint(max(m.Sequence, 0)))
	if m.Location != "" {
		e.Add(ical.NewText("LOCATION", oneLine(m.Location)))
	}
	if partstat != "" {
		w.answer(mail, partstat, method)
		return cal, nil
	}
	if m.Body != "" {
		e.Add(ical.NewText("DESCRIPTION", m.Body))
	}
	if method == "CANCEL" {
		e.Set("STATUS", "CANCELLED")
	}
	w.people(mail, method)
	tz.Complete(cal, tz.NewResolver(cal, nil))
	return cal, nil
}

type writer struct {
	m    *Message
	e    *ical.Component
	zone *tz.Zone
	tzid string
}

// when writes the times: in the meeting's own zone where a series needs it.
func (w *writer) when(method string) error {
	m := w.m
	if m.Zone != "" {
		if z, err := tz.Load(m.Zone); err == nil {
			w.zone, w.tzid = z, z.Name()
		}
	}
	start, end := m.Start, m.End
	if method == "COUNTER" {
		// Outlook's own words for the time that stands (MS-OXCICAL 2.1.3.1.1.20.61).
		w.set("X-MS-OLK-ORIGINALSTART", m.Start, false)
		w.set("X-MS-OLK-ORIGINALEND", m.End, false)
		start, end = m.ProposedStart, m.ProposedEnd
	}
	if start.IsZero() { // an answer or a cancellation may leave it out
		w.instance(false)
		return nil
	}
	dates := m.AllDay
	if dates && w.zone == nil && (start.Hour() != 0 || start.Minute() != 0) {
		dates = false // a midnight of a zone that is not known
	}
	w.set("DTSTART", start, dates)
	if end.After(start) {
		w.set("DTEND", end, dates)
	}
	w.instance(dates)
	if m.Recurrence == nil || m.OneInstance || method != "REQUEST" {
		if m.Recurring && m.Recurrence == nil && !m.OneInstance && method == "REQUEST" {
			return errors.New("tnef: the series does not say how it repeats")
		}
		return nil
	}
	p, err := readPattern(m.Recurrence)
	if err != nil {
		return err
	}
	if w.zone == nil && !dates {
		return fmt.Errorf("tnef: the series is in a time zone that is not known (%.60q)", m.Zone)
	}
	rule := p.rule
	switch {
	case p.count > 0:
		rule += fmt.Sprintf(";COUNT=%d", p.count)
	case !p.until.IsZero() && dates:
		rule += ";UNTIL=" + p.until.Format("20060102")
	case !p.until.IsZero():
		rule += ";UNTIL=" + utc(w.at(p.until, p.start))
	}
	w.e.Set("RRULE", rule)
	for _, d := range p.deleted {
		if dates {
			x := ical.NewProperty("EXDATE", d.Format("20060102"))
			x.SetParam("VALUE", "DATE")
			w.e.Add(x)
			continue
		}
		x := ical.NewProperty("EXDATE", "")
		w.write(x, w.at(d, p.start))
		w.e.Add(x)
	}
	return nil
}

// at is the moment of an occurrence on a day.
func (w *writer) at(day time.Time, since time.Duration) time.Time {
	reading := day.Add(since)
	return w.zone.Instant(reading)
}

func (w *writer) instance(dates bool) {
	if w.m.OneInstance {
		w.set("RECURRENCE-ID", w.m.Instance, dates)
	}
}

func (w *writer) set(name string, t time.Time, date bool) {
	if t.IsZero() {
		return
	}
	p := ical.NewProperty(name, "")
	if date {
		if w.zone != nil {
			t, _ = w.zone.Wall(t)
		}
		p.SetValue(t.Format("20060102"))
		p.SetParam("VALUE", "DATE")
	} else {
		w.write(p, t)
	}
	w.e.Add(p)
}

func (w *writer) write(p *ical.Property, t time.Time) {
	if w.zone == nil || w.tzid == "" || w.tzid == "UTC" {
		p.SetValue(utc(t))
		return
	}
	wall, _ := w.zone.Wall(t)
	p.SetValue(wall.Format("20060102T150405"))
	p.SetParam("TZID", w.tzid)
}

// answer writes who answers: whoever sent the mail. The organizer is not said,
// as in Outlook's own answers (LEN-06).
func (w *writer) answer(mail Mail, partstat, method string) {
	p := ical.NewProperty("ATTENDEE", "")
	p.SetAddress(mail.From)
	p.SetParam("PARTSTAT", partstat)
	if mail.FromName != "" {
		p.SetParam("CN", oneLine(mail.FromName))
	}
	w.e.Add(p)
	if c := strings.TrimSpace(w.m.Body); c != "" && method == "REPLY" {
		const most = 4 << 10
		if len(c) > most {
			c = strings.ToValidUTF8(c[:most], "")
		}
		w.e.Add(ical.NewText("COMMENT", c))
	}
}

var roles = map[int][2]string{1: {"REQ-PARTICIPANT", "INDIVIDUAL"}, 2: {"OPT-PARTICIPANT", "INDIVIDUAL"}, 3: {"NON-PARTICIPANT", "RESOURCE"}}

// people writes the organizer and the guests. Who has no mail address in the
// stream is left out; of a stream without guests they are whom the mail is to.
func (w *writer) people(mail Mail, method string) {
	organizer := w.m.Organizer
	address := mail.From
	if mailable(organizer.Address) {
		address = ical.Mailto(organizer.Address)
	}
	if organizer.Name == "" {
		organizer.Name = mail.FromName
	}
	o := ical.NewProperty("ORGANIZER", "")
	o.SetAddress(address)
	if organizer.Name != "" {
		o.SetParam("CN", oneLine(organizer.Name))
	}
	w.e.Add(o)
	guests := w.m.Recipients
	if len(guests) == 0 {
		for _, a := range mail.To {
			guests = append(guests, Recipient{Address: a.Email(), Kind: 1})
		}
	}
	seen := map[string]bool{address.Key(): true}
	for _, g := range guests {
		a := ical.Mailto(g.Address)
		if !mailable(g.Address) || g.Organizer || seen[a.Key()] {
			continue
		}
		seen[a.Key()] = true
		p := ical.NewProperty("ATTENDEE", "")
		p.SetAddress(a)
		role, ok := roles[g.Kind]
		if !ok {
			role = roles[1]
		}
		p.SetParam("ROLE", role[0])
		p.SetParam("CUTYPE", role[1])
		if method == "REQUEST" {
			p.SetParam("PARTSTAT", "NEEDS-ACTION")
			p.SetParam("RSVP", map[bool]string{true: "FALSE", false: "TRUE"}[w.m.NoReply])
		}
		if g.Name != "" && !strings.EqualFold(g.Name, g.Address) {
			p.SetParam("CN", oneLine(g.Name))
		}
		w.e.Add(p)
	}
}

func mailable(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && at < len(s)-1 && len(s) <= 320 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' || r == '"' || r == ',' })
}

func utc(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
