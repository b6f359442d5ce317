package itip_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/itip"
)

// What had to be repaired to read each example; the others need nothing. What
// is wrong with them otherwise is told where they are used.
var exampleRepairs = map[string]string{
	"4.1.4/0":  "LEN-08",               // SCALE for CALSCALE
	"4.2.1/0":  "LEN-09 LEN-02",        // a room without mailto:, a time of seven digits
	"4.2.9/0":  "LEN-09",               // a semicolon before the address
	"4.2.11/0": "LEN-08",               // STATUS as a parameter of ATTENDEE
	"4.4.1/0":  "LEN-09 LEN-09 LEN-09", // addresses without mailto:
	"4.4.5/0":  "LEN-08",               // THISANDFUTURE without RANGE
	"4.7.1/0":  "LEN-02",               // DTSTAMP without Z
	"4.7.2/0":  "LEN-02",               // a date of nine digits
	"4.7.2/1":  "LEN-02",               // DTSTAMP without Z
}

func TestRFC5546Repairs(t *testing.T) {
	ex := examples(t)
	n := 0
	for _, section := range slices.Sorted(maps.Keys(ex)) {
		for i, cal := range ex[section] {
			n++
			var rules []string
			for _, r := range cal.Repairs {
				rules = append(rules, r.Rule)
			}
			id := fmt.Sprintf("%s/%d", section, i)
			if got := strings.Join(rules, " "); got != exampleRepairs[id] {
				t.Errorf("%s: repairs %q, want %q", id, got, exampleRepairs[id])
			}
		}
	}
	if n != 52 {
		t.Errorf("%d examples were read, the RFC has 52", n)
	}
}

func (p *rfcPerson) approve(cal *ical.Calendar, from string) *itip.Result {
	p.t.Helper()
	r, err := itip.Apply(itip.Arrival{Stored: p.object, Memory: p.memory, Message: cal, User: []ical.Address{p.user}, From: ical.Mailto(from),
		Received: time.Date(1998, 1, 1, 0, 0, 0, 0, time.UTC), AutoAdd: true, Approved: true})
	if err != nil {
		p.t.Fatal(err)
	}
	p.memory = r.Memory
	if r.Object != nil {
		p.object = r.Object
	}
	return r
}

// of gives an example another UID, where the RFC mixes them up.
func of(cal *ical.Calendar, uid string) *ical.Calendar {
	c := cal.Clone()
	for _, m := range c.Main() {
		m.Set("UID", uid)
	}
	return c
}

func TestRFC5546Published(t *testing.T) {
	ex := examples(t)
	const a = "a@example.com"
	reader := &rfcPerson{t: t, user: "mailto:b@example.com"}
	reader.want(reader.get(ex["4.1.1"][0], a), itip.Held, itip.ReasonPublished)
	reader.want(reader.approve(ex["4.1.1"][0], a), itip.Applied, itip.ReasonUpdated)
	reader.want(reader.get(ex["4.1.2"][0], a), itip.Applied, itip.ReasonUpdated)
	if got := reader.starts(); len(got) != 1 || got[0] != "0701T2100" {
		t.Errorf("4.1.2: %v", got)
	}
	reader.want(reader.get(ex["4.1.1"][0], a), itip.Unchanged, itip.ReasonOutdated)
	reader.want(reader.get(ex["4.1.3"][0], a), itip.Applied, itip.ReasonCancelled)
	reader.want(reader.get(ex["4.1.4"][0], a), itip.Applied, itip.ReasonUpdated)
	// Its end lies before its start, and its alarm is the publisher's.
	if c := reader.object.Master(); c.Prop("DTEND") != nil || len(c.Components) > 0 || c.Value("STATUS") == "CANCELLED" {
		t.Errorf("4.1.4 is stored as\n%s", reader.object.Bytes())
	}
	if got := reader.starts(); len(got) != 1 || got[0] != "0702T2100" {
		t.Errorf("4.1.4: %v", got)
	}
	holiday := &rfcPerson{t: t, user: reader.user} // has the UID of the show
	holiday.want(holiday.approve(ex["4.1.5"][0], a), itip.Applied, itip.ReasonUpdated)
}

func TestRFC5546CounterAndDelegation(t *testing.T) {
	ex := examples(t)
	const a, b, c, e = "a@example.com", "b@example.com", "c@example.com", "e@example.com"
	plan := func(cal *ical.Calendar) *rfcPerson {
		out, err := itip.Plan(itip.Change{New: strip(cal), User: []ical.Address{ical.Mailto(a)}, Import: true})
		if err != nil {
			t.Fatal(err)
		}
		p := &rfcPerson{t: t, user: ical.Mailto(a)}
		p.object, p.memory = out.Object, out.Memory
		return p
	}
	organizer := plan(ex["4.2.4"][0])
	r := organizer.get(ex["4.2.4"][1], b)
	organizer.want(r, itip.Held, itip.ReasonCounter)
	if !strings.Contains(r.Sentence, "big conference") || r.Outdated {
		t.Errorf("4.2.4: %+v", r)
	}
	taken, err := itip.TakeUp(organizer.object, ex["4.2.4"][1], nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := itip.Plan(itip.Change{Old: organizer.object, New: taken, Memory: organizer.memory, User: []ical.Address{organizer.user}, Now: time.Date(1997, 6, 13, 19, 0, 0, 0, time.UTC)})
	if err != nil || len(out.Send) != 2 {
		t.Fatal(err, out)
	}
	// As the RFC writes it, but for the title, which the organizer may change.
	for _, name := range []string{"DTSTART", "DTEND", "LOCATION", "SEQUENCE", "STATUS"} {
		if got, want := out.Send[0].Calendar.Main()[0].Value(name), ex["4.2.4"][2].Main()[0].Value(name); got != want {
			t.Errorf("4.2.4: %s is %q, the RFC has %q", name, got, want)
		}
	}
	guest := &rfcPerson{t: t, user: ical.Mailto(b)}
	guest.want(guest.get(ex["4.2.4"][0], a), itip.Applied, itip.ReasonAdded)
	guest.want(guest.get(of(ex["4.2.4"][3], guest.object.UID()), a), itip.Ignored, itip.ReasonDeclined)

	// 4.2.5: the delegator's answer forgets the delegate's line; 4.2.6, 4.2.7:
	// the delegate's has two, of which it is the second.
	organizer = plan(of(ex["4.2.1"][0], ex["4.2.5"][0].UID()))
	organizer.want(organizer.get(ex["4.2.5"][0], c), itip.Applied, itip.ReasonAnswered)
	if organizer.answer(c) != "DELEGATED" || organizer.answer(e) != "NEEDS-ACTION" {
		t.Errorf("4.2.5: C is %s, E is %s", organizer.answer(c), organizer.answer(e))
	}
	delegated := *organizer
	organizer.want(organizer.get(of(ex["4.2.6"][0], organizer.object.UID()), e), itip.Applied, itip.ReasonAnswered)
	if organizer.answer(c) != "DELEGATED" || organizer.answer(e) != "ACCEPTED" {
		t.Errorf("4.2.6: C is %s, E is %s", organizer.answer(c), organizer.answer(e))
	}
	r = delegated.get(of(ex["4.2.7"][0], delegated.object.UID()), e)
	delegated.want(r, itip.Applied, itip.ReasonAnswered)
	if delegated.answer(e) != "DECLINED" || delegated.answer(c) != "NEEDS-ACTION" || len(r.Send) != 1 || r.Send[0].To.Email() != c {
		t.Errorf("4.2.7: C is %s, E is %s, sent %v", delegated.answer(c), delegated.answer(e), r.Send)
	}
	delegate := &rfcPerson{t: t, user: ical.Mailto(e)}
	if r := delegate.get(ex["4.2.5"][1], c); r.Decision == itip.Rejected {
		t.Errorf("4.2.5, to the delegate: %s", r.Sentence)
	}

	// 4.4.9: a proposal for one occurrence.
	series := plan(strip(ex["4.4.2"][0]))
	series.want(series.get(of(ex["4.4.9"][0], series.object.UID()), "b@example.com"), itip.Ignored, itip.ReasonUnknownInstance)
}

// strip makes what a client stores of what was sent.
func strip(cal *ical.Calendar) *ical.Calendar {
	c := cal.Clone()
	c.Remove("METHOD")
	return c
}

func TestRFC5546FreeBusy(t *testing.T) {
	ex := examples(t)
	fb, err := itip.ReadFreeBusy(ex["4.3.1"][0]) // no UID, and periods outside of its range
	if err != nil || len(fb.Periods) != 3 {
		t.Errorf("4.3.1: %v, %v", fb.Periods, err)
	}
	q, err := itip.ReadFreeBusy(ex["4.3.2"][0]) // its end lacks the Z
	if err != nil || q.From.Format("1504") != "0800" || q.To.Format("1504") != "2000" {
		t.Errorf("4.3.2: %+v %v", q, err)
	}
	r, err := itip.Apply(itip.Arrival{Message: ex["4.3.2"][0], User: []ical.Address{"mailto:b@example.com"}, From: "mailto:a@example.com", Received: benchNow,
		Busy: func(asker ical.Address, from, to time.Time) (itip.Disclosure, []freebusy.Period) {
			if asker.Email() != "a@example.com" || !from.Equal(q.From) || !to.Equal(q.To) {
				t.Errorf("asked by %s for %v to %v", asker, from, to)
			}
			return itip.Disclose, []freebusy.Period{{From: from.Add(time.Hour), To: from.Add(2 * time.Hour), Type: freebusy.BusyTime}}
		}})
	if err != nil || len(r.Send) != 1 || itip.CheckMessage(r.Send[0].Calendar) != nil || r.Send[0].Calendar.UID() != ex["4.3.2"][0].UID() {
		t.Errorf("4.3.2 is answered with %+v, %v", r, err)
	}
	fb, err = itip.ReadFreeBusy(ex["4.3.3"][0])
	if err != nil || len(fb.Periods) != 2 || fb.Periods[0].To.Sub(fb.Periods[0].From) != time.Hour || fb.Attendee.Email() != "b@example.com" {
		t.Errorf("4.3.3: %+v %v", fb, err)
	}
}

func TestRFC5546ManyMessages(t *testing.T) {
	ex := examples(t)
	const a = "a@example.com"
	series := ex["4.4.2"][0]
	// 4.4.6 adds an occurrence to a series that its own UID does not name.
	guest := &rfcPerson{t: t, user: "mailto:b@example.com"}
	guest.want(guest.get(series, a), itip.Applied, itip.ReasonAdded)
	guest.want(guest.get(of(ex["4.4.6"][0], guest.object.UID()), a), itip.Applied, itip.ReasonUpdated)
	if got := guest.starts(); len(got) != 17 {
		t.Errorf("4.4.6: %v", got)
	}
	// 4.4.8: the pieces, then the whole as the RFC has it, which forgets the
	// organizer of an override and knows its start wrongly.
	pieces := &rfcPerson{t: t, user: "mailto:b@example.com"}
	pieces.want(pieces.get(ex["4.4.8"][0], a), itip.Applied, itip.ReasonAdded)
	pieces.want(pieces.get(ex["4.4.8"][1], a), itip.Applied, itip.ReasonUpdated)
	pieces.want(pieces.get(ex["4.4.8"][2], a), itip.Applied, itip.ReasonUpdated)
	if got := pieces.starts(); strings.Join(got, " ") != "0304T1800 0311T1600 0318T1800 0315T1800" && len(got) != 4 {
		t.Errorf("4.4.8: %v", got)
	}
	whole := &rfcPerson{t: t, user: "mailto:b@example.com"}
	whole.want(whole.get(ex["4.4.8"][3], a), itip.Applied, itip.ReasonAdded)
	for _, c := range whole.object.Main() {
		if end := c.Prop("DTEND"); end != nil && end.Value() < c.Value("DTSTART") {
			t.Errorf("4.4.8: an end before its start is kept")
		}
	}
	// 4.4.10: an answer without PARTSTAT, and why.
	out, err := itip.Plan(itip.Change{New: strip(ex["4.4.10"][0]), User: []ical.Address{ical.Mailto(a)}, Import: true})
	if err != nil {
		t.Fatal(err)
	}
	organizer := &rfcPerson{t: t, user: ical.Mailto(a)}
	organizer.object, organizer.memory = out.Object, out.Memory
	from := itip.Attendees(ex["4.4.10"][1].Main()[0])[0].Address.Email()
	organizer.want(organizer.get(ex["4.4.10"][1], from), itip.Applied, itip.ReasonFailed)
}

func TestRFC5546Tasks(t *testing.T) {
	ex := examples(t)
	const a, b, d = "a@example.com", "b@example.com", "d@example.com"
	out, err := itip.Plan(itip.Change{New: strip(ex["4.5.1"][0]), User: []ical.Address{ical.Mailto(a)}, Import: true})
	if err != nil {
		t.Fatal(err)
	}
	organizer := &rfcPerson{t: t, user: ical.Mailto(a)}
	organizer.object, organizer.memory = out.Object, out.Memory
	uid := organizer.object.UID()
	organizer.want(organizer.get(of(ex["4.5.2"][0], uid), b), itip.Applied, itip.ReasonAnswered)
	organizer.want(organizer.get(of(ex["4.5.4"][0], uid), b), itip.Applied, itip.ReasonAnswered)
	organizer.want(organizer.get(of(ex["4.5.5"][0], uid), d), itip.Applied, itip.ReasonAnswered)
	if organizer.answer(b) != "IN-PROCESS" || organizer.answer(d) != "COMPLETED" || organizer.object.Master().Prop("PERCENT-COMPLETE") != nil {
		t.Errorf("B is %s, D is %s in\n%s", organizer.answer(b), organizer.answer(d), organizer.object.Bytes())
	}
	guest := &rfcPerson{t: t, user: ical.Mailto(b)}
	guest.want(guest.get(ex["4.5.1"][0], a), itip.Applied, itip.ReasonAdded)
	due := guest.object.Master().Value("DUE")
	guest.get(of(ex["4.5.3"][0], guest.object.UID()), a)
	if guest.object.Master().Value("DUE") != due {
		t.Errorf("4.5.3 took the due date away")
	}
	// 4.5.7: the answer names no occurrence of the series.
	out, err = itip.Plan(itip.Change{New: strip(ex["4.5.7"][0]), User: []ical.Address{ical.Mailto(a)}, Import: true})
	if err != nil {
		t.Fatal(err)
	}
	organizer.object, organizer.memory = out.Object, out.Memory
	if got := organizer.starts(); len(got) != 10 {
		t.Errorf("4.5.7: %v", got)
	}
	organizer.want(organizer.get(of(ex["4.5.7"][1], organizer.object.UID()), b), itip.Ignored, itip.ReasonUnknownInstance)

	reader := &rfcPerson{t: t, user: ical.Mailto(b)}
	journal := ex["4.6"][0]
	reader.want(reader.approve(journal, itip.Attendees(&ical.Component{Properties: []*ical.Property{ical.NewProperty("ATTENDEE", journal.Main()[0].Value("ORGANIZER"))}})[0].Address.Email()), itip.Applied, itip.ReasonUpdated)
}

func TestRFC5546Refresh(t *testing.T) {
	ex := examples(t)
	ask := ex["4.7.1"][0] // four attendees: the sender is the one who asks
	event := ask.Clone()
	event.Remove("METHOD")
	c := event.Main()[0]
	c.Set("DTSTART", "19970801T210000Z")
	c.SetText("SUMMARY", "Review")
	org, _ := itip.Organizer(c)
	who := itip.Attendees(c)[1].Address
	if who.Equal(org.Address) {
		who = itip.Attendees(c)[0].Address
	}
	organizer := &rfcPerson{t: t, user: org.Address}
	organizer.object = event
	r := organizer.get(ask, who.Email())
	organizer.want(r, itip.Unchanged, itip.ReasonRefreshed)
	if len(r.Send) != 1 || !r.Send[0].To.Equal(who) {
		t.Errorf("4.7.1: sent %v", r.Send)
	}
	// 4.7.2: an occurrence that the series does not have.
	guest := &rfcPerson{t: t, user: "mailto:b@example.com"}
	bad := ex["4.7.2"][0]
	series := read(t, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//T//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:"+bad.UID()+"\r\nDTSTAMP:19970801T000000Z\r\nSEQUENCE:1\r\n"+
		"DTSTART:19970801T210000Z\r\nRRULE:FREQ=WEEKLY\r\nSUMMARY:x\r\nORGANIZER:mailto:a@example.com\r\nATTENDEE:mailto:b@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	guest.want(guest.get(series, "a@example.com"), itip.Applied, itip.ReasonAdded)
	r = guest.get(bad, "a@example.com")
	if r.Decision != itip.Applied || !r.Incomplete {
		t.Errorf("4.7.2: %s %s incomplete=%v", r.Decision, r.Reason, r.Incomplete)
	}
}
