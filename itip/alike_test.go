package itip_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/itip"
)

// What Alike says of many copies is what Apply says of each, whatever happened
// to the meeting and to the copies before.
func TestAlikeIsApply(t *testing.T) {
	var shared, all int
	for seed := range uint64(90) {
		w := &likeWorld{t: t, r: rand.New(rand.NewPCG(seed, 7)), seed: seed, now: benchNow}
		w.begin()
		for range 12 {
			w.step()
			if t.Failed() {
				return
			}
		}
		shared, all = shared+w.shared, all+w.all
	}
	t.Logf("%d of %d results with an object were shared", shared, all)
	if shared < all/8 {
		t.Errorf("only %d of %d results were shared: the meetings do not show what Alike does", shared, all)
	}
}

// likeWorld is an organizer, her guests and their copies.
type likeWorld struct {
	t           *testing.T
	r           *rand.Rand
	seed        uint64
	now         time.Time
	own         *ical.Calendar
	memory      itip.Memory
	guests      []*likeGuest
	shared, all int
}

type likeGuest struct {
	user   []ical.Address
	zone   *tz.Zone
	copy   *ical.Calendar
	memory itip.Memory
}

func (w *likeWorld) one(list ...string) string { return list[w.r.IntN(len(list))] }

// rarely is what happens in every third world, and hardly ever in the others.
func (w *likeWorld) rarely() bool { return w.r.IntN(12) == 0 && (w.seed%3 == 0 || w.r.IntN(40) == 0) }

// line is that of a guest, mostly as those of the others are.
func (w *likeWorld) line(i int) string {
	s := "ATTENDEE"
	if w.r.IntN(3) == 0 {
		s += fmt.Sprintf(";CN=Guest %d", i)
	}
	if w.seed%2 == 0 {
		s += ";RSVP=TRUE"
	}
	if w.rarely() {
		s += ";X-SORT=1"
	}
	if w.rarely() {
		s += w.one(";ROLE=OPT-PARTICIPANT", ";ROLE=CHAIR", ";CUTYPE=ROOM")
	}
	if w.rarely() {
		s += w.one(";PARTSTAT=ACCEPTED", ";PARTSTAT=DECLINED", ";PARTSTAT=X-LATE", ";PARTSTAT=DELEGATED")
	}
	if w.rarely() {
		s += fmt.Sprintf(w.one(";DELEGATED-TO=\"mailto:guest%d@guests.test\"", ";DELEGATED-FROM=\"mailto:guest%d@guests.test\"", ";SENT-BY=\"mailto:guest%d@guests.test\"",
			";EMAIL=guest%d@guests.test", ";MEMBER=\"mailto:guest%d@guests.test\""), w.r.IntN(8))
	}
	if w.rarely() {
		s += w.one(";SCHEDULE-AGENT=CLIENT", ";SCHEDULE-STATUS=1.2", ";SCHEDULE-FORCE-SEND=REQUEST")
	}
	who := fmt.Sprintf("guest%d@guests.test", i)
	if w.rarely() {
		who = fmt.Sprintf("second%d@guests.test", i)
	}
	return s + ":" + w.one("mailto:", "mailto:", "mailto:", "MAILTO:") + who + "\r\n"
}

func (w *likeWorld) component(lines string) string {
	s := "BEGIN:VEVENT\r\nUID:alike@alice.test\r\nDTSTAMP:20260202T090000Z\r\n" + lines
	s += "ORGANIZER" + w.one("", ";CN=Alice") + ":mailto:alice@alice.test\r\n"
	if w.r.IntN(2) == 0 {
		s += "ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@alice.test\r\n"
	}
	for i := range 8 {
		if !w.rarely() {
			s += w.line(i)
		}
		if w.r.IntN(100) == 0 && w.seed%3 == 0 {
			s += w.line(i)
		}
	}
	return s + "END:VEVENT\r\n"
}

func (w *likeWorld) at(day, hour int) string {
	return fmt.Sprintf("202603%02dT%02d0000", day, hour)
}

// meeting of the organizer, single or a series with occurrences of their own.
func (w *likeWorld) meeting() *ical.Calendar {
	zone := w.one(";TZID=Europe/Berlin:", ":", ";TZID=America/New_York:")
	lines := "DTSTART" + zone + w.at(2, 9+w.r.IntN(3)) + "\r\nDURATION:PT1H\r\nSUMMARY:" + w.one("Talk", "Walk") + "\r\n"
	series := w.r.IntN(2) == 0
	if series {
		lines += "RRULE:FREQ=DAILY;COUNT=9\r\n"
	}
	if w.rarely() {
		lines += "LOCATION:" + w.one("Here", "There") + "\r\n"
	}
	if w.rarely() {
		lines += "X-CONVENE-HIDE-GUESTS:TRUE\r\n"
	}
	s := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bench//EN\r\n" + w.component(lines)
	for day := 3; series && day < 6; day++ {
		if w.r.IntN(3) == 0 {
			s += w.component("RECURRENCE-ID" + zone + w.at(day, 9) + "\r\nDTSTART" + zone + w.at(day, 14) + "\r\nDURATION:PT2H\r\n")
		}
	}
	return read(w.t, s+"END:VCALENDAR\r\n")
}

func (w *likeWorld) begin() {
	zones := []*tz.Zone{nil}
	for _, name := range []string{"Europe/Berlin", "Asia/Tokyo"} {
		z, err := tz.Load(name)
		if err != nil {
			w.t.Fatal(err)
		}
		zones = append(zones, z)
	}
	for i := range 8 {
		g := &likeGuest{user: []ical.Address{ical.Mailto(fmt.Sprintf("guest%d@guests.test", i)), ical.Mailto(fmt.Sprintf("second%d@guests.test", i))}}
		if w.rarely() {
			g.zone = zones[w.r.IntN(len(zones))]
		}
		w.guests = append(w.guests, g)
	}
	w.save(w.meeting())
}

func (w *likeWorld) local(ical.Address) bool { return true }

// save is what the organizer does; nil deletes.
func (w *likeWorld) save(cal *ical.Calendar) {
	out, err := itip.Plan(itip.Change{Old: w.own, New: cal, Memory: w.memory, User: []ical.Address{"mailto:alice@alice.test"}, Now: w.now, Local: w.local})
	if err != nil {
		return // what she may not do is not done
	}
	w.own, w.memory = out.Object, out.Memory
	w.deliver(out.Send)
}

// deliver hands messages over, as they are or not quite.
func (w *likeWorld) deliver(messages []itip.Message) {
	if w.rarely() || w.seed%5 == 0 && w.r.IntN(4) == 0 { // another program wrote them
		changed := map[*ical.Calendar]*ical.Calendar{}
		for i, m := range messages {
			cal := changed[m.Calendar]
			if cal == nil {
				cal = m.Calendar.Clone()
				w.disturb(cal)
				cal = read(w.t, string(cal.Bytes()))
				changed[m.Calendar] = cal
			}
			messages[i].Calendar = cal
		}
	}
	lost := w.r.IntN(6) == 0
	for range 1 + w.r.IntN(5)/4 {
		var a itip.Alike
		from := ical.Address("mailto:alice@alice.test")
		if len(messages) > 0 && messages[0].Calendar.Main()[0].Prop("ORGANIZER").HasParam("SENT-BY") {
			from = "mailto:eve@guests.test"
		}
		if w.rarely() {
			from = ical.Address(w.one("", "mailto:guest1@guests.test", "mailto:eve@guests.test"))
		}
		approved, add := w.rarely(), !w.rarely()
		objects := map[*ical.Calendar]bool{}
		for _, m := range messages {
			for _, g := range w.guests {
				if g.user[0].Equal(m.To) || g.user[1].Equal(m.To) {
					if !lost || w.r.IntN(4) > 0 {
						w.receive(&a, g, m, from, approved, add, objects)
					}
				}
			}
		}
	}
}

// disturb changes what a message says.
func (w *likeWorld) disturb(cal *ical.Calendar) {
	for range 1 + w.r.IntN(3) {
		main := cal.Main()
		c := main[w.r.IntN(len(main))]
		switch w.r.IntN(7) {
		case 0:
			cal.Set("PRODID", "-//Other//EN")
		case 1:
			c.Set("SEQUENCE", w.one("0", "1", "5"))
		case 2:
			c.Set("STATUS", w.one("CANCELLED", "TENTATIVE"))
		case 3:
			c.Prop("ORGANIZER").SetParam("SENT-BY", "mailto:eve@guests.test")
		case 4:
			p := ical.NewProperty("ATTENDEE", "mailto:guest2@guests.test")
			p.SetParam("PARTSTAT", w.one("ACCEPTED", "DECLINED", "NEEDS-ACTION"))
			c.Add(p)
		case 5:
			c.Remove("DTSTAMP")
		case 6:
			for p := range c.Props("ATTENDEE") {
				if w.r.IntN(3) == 0 {
					p.SetParam("PARTSTAT", w.one("ACCEPTED", "DECLINED", "NEEDS-ACTION"))
				}
			}
		}
	}
}

func (w *likeWorld) receive(like *itip.Alike, g *likeGuest, m itip.Message, from ical.Address, approved, add bool, objects map[*ical.Calendar]bool) {
	a := itip.Arrival{Memory: g.memory, Message: m.Calendar, Method: m.Method, User: g.user, From: from, Received: w.now, AutoAdd: add, Approved: approved, Local: w.local, Zone: g.zone,
		Refreshes: w.local, Consent: func(_, by ical.Address) bool { return g == w.guests[0] }}
	version := ""
	if g.copy != nil {
		version = string(g.copy.Bytes())
	}
	got, err := like.Apply(a, version, func() (*ical.Calendar, error) { return read(w.t, version), nil })
	if err != nil {
		w.t.Fatal(err)
	}
	a.Stored = g.copy
	want, err := itip.Apply(a)
	if err != nil {
		w.t.Fatal(err)
	}
	if x, y := resultText(got), resultText(want); x != y {
		w.t.Errorf("seed %d, %s to %s:\nalike:\n%s\neach:\n%s\ncopy:\n%s\nmessage:\n%s", w.seed, m.Method, m.To, x, y, version, m.Calendar.Bytes())
		return
	}
	g.memory = got.Memory
	if got.Object != nil {
		g.copy = got.Object
		w.all++
		if objects[got.Object] {
			w.shared++
		}
		objects[got.Object] = true
	}
}

// resultText is all of a result in words.
func resultText(r *itip.Result) string {
	x := *r
	var b strings.Builder
	if r.Object != nil {
		b.Write(r.Object.Bytes())
	}
	memory, err := json.Marshal(r.Memory)
	if err != nil {
		return err.Error()
	}
	fmt.Fprintf(&b, "%s\n", memory)
	for _, m := range r.Send {
		y := m
		y.Calendar = nil
		fmt.Fprintf(&b, "%+v\n%s", y, m.Calendar.Bytes())
	}
	x.Object, x.Memory, x.Send = nil, itip.Memory{}, nil
	for i := range reflect.TypeOf(x).NumField() {
		fmt.Fprintf(&b, "%s: %+v\n", reflect.TypeOf(x).Field(i).Name, reflect.ValueOf(x).Field(i))
	}
	return b.String()
}

// step is something that somebody does.
func (w *likeWorld) step() {
	w.now = w.now.Add(time.Duration(w.r.IntN(3)) * time.Minute)
	g := w.guests[w.r.IntN(len(w.guests))]
	switch n := w.r.IntN(12); {
	case n > 9 && w.own != nil: // many give the same answer
		answer := w.one("ACCEPTED", "DECLINED")
		for _, g := range w.guests {
			if g.copy == nil {
				continue
			}
			if edited, err := itip.Answer(g.copy, g.memory, g.user, answer, "", "", w.now); err == nil {
				w.edit(g, edited)
			}
			w.now = w.now.Add(time.Second)
		}
	case n < 3:
		if w.own == nil {
			w.save(w.meeting())
			return
		}
		cal := read(w.t, string(w.own.Bytes()))
		main := cal.Main()
		c := main[w.r.IntN(len(main))]
		switch w.r.IntN(5) {
		case 0:
			c.SetText("LOCATION", w.one("Here", "There", "Elsewhere"))
		case 1:
			c.Prop("DTSTART").SetValue(w.at(2+w.r.IntN(2), 8+w.r.IntN(6)))
		case 2:
			c.SetText("DESCRIPTION", w.one("a", "b"))
		case 3:
			var some *ical.Property
			for p := range c.Props("ATTENDEE") {
				if some == nil || w.r.IntN(4) == 0 {
					some = p
				}
			}
			c.RemoveFunc(func(p *ical.Property) bool { return p == some })
		case 4:
			cal.Components = cal.Components[:len(cal.Components)-1]
			if cal.Master() == nil {
				return
			}
		}
		w.save(cal)
	case n == 3:
		w.save(w.meeting())
	case n == 4 && w.r.IntN(3) == 0:
		w.save(nil)
	case n < 8 && g.copy != nil: // an answer
		answer := w.one("ACCEPTED", "ACCEPTED", "DECLINED", "TENTATIVE")
		occurrence := ""
		if w.r.IntN(3) == 0 {
			occurrence = fmt.Sprintf("202603%02dT0%d0000Z", 2+w.r.IntN(5), 8+w.r.IntN(2))
		}
		edited, err := itip.Answer(g.copy, g.memory, g.user, answer, "", occurrence, w.now)
		if err == nil {
			w.edit(g, edited)
		}
	case g.copy != nil: // something of one's own
		cal := read(w.t, string(g.copy.Bytes()))
		main := cal.Main()
		c := main[w.r.IntN(len(main))]
		switch w.r.IntN(3) {
		case 0:
			c.Set("TRANSP", "TRANSPARENT")
		case 1:
			c.Components = append(c.Components, read(w.t, "BEGIN:VCALENDAR\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nDESCRIPTION:x\r\nEND:VALARM\r\nEND:VCALENDAR\r\n").Components[0])
		case 2:
			if c.Prop("RRULE") != nil {
				c.Set("EXDATE", c.Value("DTSTART")).SetParam("TZID", c.Prop("DTSTART").ParamValues("TZID")...)
			}
		}
		w.edit(g, cal)
	}
}

// edit is what a guest does to the own copy; the organizer hears of it.
func (w *likeWorld) edit(g *likeGuest, cal *ical.Calendar) {
	out, err := itip.Plan(itip.Change{Old: g.copy, New: read(w.t, string(cal.Bytes())), Memory: g.memory, User: g.user, Now: w.now, Local: w.local, Zone: g.zone})
	if err != nil {
		return
	}
	g.copy, g.memory = out.Object, out.Memory
	for _, m := range out.Send {
		if w.own == nil || !m.To.Equal("mailto:alice@alice.test") || w.r.IntN(4) == 0 {
			continue // not hers, or lost
		}
		r, err := itip.Apply(itip.Arrival{Stored: w.own, Memory: w.memory, Message: m.Calendar, User: []ical.Address{"mailto:alice@alice.test"}, From: m.From, Received: w.now, Local: w.local})
		if err != nil {
			w.t.Fatal(err)
		}
		if w.memory = r.Memory; r.Decision == itip.Applied && r.Object != nil {
			w.own = r.Object
			w.deliver(r.Send)
		}
	}
}

// What an arrival and the memory have, [itip.Alike] has to know: what of it is one
// person's own, what all must have in common. Who adds a field adds it to sameAs
// and here.
func TestAlikeKnowsAllFields(t *testing.T) {
	for _, x := range []struct {
		of    any
		known string
	}{
		{itip.Arrival{}, "Stored Memory Message Method User From Invited Received AutoAdd Approved Sender Deleted Last Told Waiting Local Zone OrganizerZone Busy Consent Member Refreshes Crashers NoDelegation MaxAttendees"},
		{itip.Memory{}, "Versions Base Piecewise Hidden Spread Twofold Dropped Answers InvitedAs Replies Moved Spared Invited Uninvited TurnedAway Delegates Sent Plain Expanded Renewed Stamp Refreshed"},
		{itip.Result{}, "Decision Reason Sentence Object Memory Created TagChanged Notify Send Changes Attendee PartStat RequestStatus FreeBusy Outdated Incomplete Settled"},
	} {
		known := strings.Fields(x.known)
		for _, f := range reflect.VisibleFields(reflect.TypeOf(x.of)) {
			if !slices.Contains(known, f.Name) {
				t.Errorf("Alike does not know %T.%s", x.of, f.Name)
			}
		}
	}
}
