package itip_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// editor saves one version of an event after the other, without anything being
// sent in between.
type editor struct {
	t      *testing.T
	object *ical.Calendar
	memory itip.Memory
	now    time.Time
}

func (e *editor) save(cal *ical.Calendar) map[string][]itip.Message {
	e.t.Helper()
	e.now = e.now.Add(time.Minute)
	out, err := itip.Plan(itip.Change{Old: e.object, New: cal, Memory: e.memory, User: []ical.Address{address("alice")}, Now: e.now})
	if err != nil {
		e.t.Fatal(err)
	}
	e.object, e.memory = out.Object, out.Memory
	list := map[string][]itip.Message{}
	for _, m := range out.Send {
		list[personOf(m.To)] = append(list[personOf(m.To)], m)
	}
	return list
}

func (e *editor) edit(f func(c *ical.Component)) map[string][]itip.Message {
	cal := e.object.Clone()
	f(cal.Main()[0])
	return e.save(cal)
}

func lunch(t *testing.T) *editor {
	return &editor{t: t, now: benchNow, object: nil}
}

func lunchText(guests ...string) string {
	s := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\nUID:lunch@alice.test\r\nDTSTAMP:20260202T090000Z\r\nDTSTART:20260302T100000Z\r\n" +
		"DTEND:20260302T110000Z\r\nSUMMARY:Lunch\r\nLOCATION:Here\r\nDESCRIPTION:One\r\nORGANIZER:mailto:alice@alice.test\r\n"
	for _, g := range guests {
		s += "ATTENDEE;RSVP=TRUE:mailto:" + g + "@" + g + ".test\r\n"
	}
	return s + "END:VEVENT\r\nEND:VCALENDAR\r\n"
}

func changed(m itip.Message) string {
	var s []string
	for _, d := range m.Changes {
		s = append(s, d.Property+" "+d.Old+">"+d.New)
	}
	return strings.Join(s, ", ")
}

// SIG-07: what was not sent yet becomes one message, or none.
func TestCoalesce(t *testing.T) {
	e := lunch(t)
	first := e.save(read(t, lunchText("bob")))["bob"][0]

	// An invitation and its correction are one invitation.
	second := e.edit(func(c *ical.Component) { c.SetText("SUMMARY", "Brunch") })["bob"][0]
	got := itip.Coalesce(first, second)
	if len(got) != 1 || !got[0].First || len(got[0].Changes) != 0 || got[0].Calendar.Main()[0].Value("SUMMARY") != "Brunch" {
		t.Errorf("invitation and correction: %+v", got)
	}
	// Deleted before it left: nothing was ever there.
	if got := itip.Coalesce(got[0], e.save(nil)["bob"][0]); got != nil {
		t.Errorf("invitation and cancellation: %+v", got)
	}

	e = lunch(t)
	e.save(read(t, lunchText("bob"))) // and bob has it
	one := e.edit(func(c *ical.Component) { c.SetText("DESCRIPTION", "Two"); c.SetText("LOCATION", "There") })["bob"][0]
	two := e.edit(func(c *ical.Component) { c.SetText("DESCRIPTION", "Three"); c.SetText("LOCATION", "Here") })["bob"][0]
	net := itip.Coalesce(one, two)
	if len(net) != 1 || changed(net[0]) != "DESCRIPTION One>Three" || net[0].Sequence != two.Sequence {
		t.Errorf("two edits: %+v %s", net, changed(net[0]))
	}
	three := e.edit(func(c *ical.Component) { c.SetText("DESCRIPTION", "One") })["bob"][0]
	if got := itip.Coalesce(net[0], three); got != nil {
		t.Errorf("taken back: %s", changed(got[0]))
	}
	// A move opened the answer; moved back, it is still open, and bob must know.
	moved := e.edit(func(c *ical.Component) { c.Set("DTSTART", "20260302T120000Z"); c.Set("DTEND", "20260302T130000Z") })["bob"][0]
	back := e.edit(func(c *ical.Component) { c.Set("DTSTART", "20260302T100000Z"); c.Set("DTEND", "20260302T110000Z") })["bob"][0]
	if got := itip.Coalesce(moved, back); len(got) != 1 || !got[0].Asks || changed(got[0]) != "" {
		t.Errorf("moved and back: %+v", got)
	}
	// A change and the end: only the end is told.
	late := e.edit(func(c *ical.Component) { c.SetText("SUMMARY", "Supper") })["bob"][0]
	end := e.save(nil)["bob"][0]
	if got := itip.Coalesce(late, end); len(got) != 1 || got[0].Method != itip.Cancel {
		t.Errorf("change and cancellation: %+v", got)
	}
	// Taken off and invited again before anything left: an update.
	e = lunch(t)
	e.save(read(t, lunchText("bob", "carol")))
	off := e.edit(func(c *ical.Component) {
		c.RemoveFunc(func(p *ical.Property) bool { return strings.Contains(p.Value(), "bob@") })
	})["bob"][0]
	on := e.edit(func(c *ical.Component) { c.Add(property("ATTENDEE:mailto:bob@bob.test")) })["bob"][0]
	if got := itip.Coalesce(off, on); len(got) != 1 || got[0].Method != itip.Request || got[0].First {
		t.Errorf("off and on again: %+v", got)
	}
	// Different people, events, or a part that the later does not speak of, stay two.
	other := two
	other.To = "mailto:carol@carol.test"
	if got := itip.Coalesce(one, other); len(got) != 2 {
		t.Errorf("two people: %+v", got)
	}
	part := read(t, strings.Replace(string(two.Calendar.Bytes()), "SUMMARY", "RECURRENCE-ID:20260309T100000Z\r\nSUMMARY", 1))
	other = two
	other.Calendar = part
	if got := itip.Coalesce(one, other); len(got) != 2 {
		t.Errorf("the whole and an occurrence: %+v", got)
	}
	// That somebody was sent in one's place is told, whatever came after it.
	sent, came := two, two
	sent.Method, came.Method = itip.Reply, itip.Reply
	sent.Calendar = read(t, strings.Replace(string(two.Calendar.Bytes()), "ATTENDEE;", "ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:dave@dave.test\";", 1))
	if got := itip.Coalesce(sent, came); len(got) != 2 {
		t.Errorf("delegated and come: %+v", got)
	}
	// Of two answers the last counts.
	a, b := two, two
	a.Method, b.Method = itip.Reply, itip.Reply
	a.Changes = []itip.Difference{{Property: "PARTSTAT", Old: "NEEDS-ACTION", New: "ACCEPTED"}}
	b.Changes = []itip.Difference{{Property: "PARTSTAT", Old: "ACCEPTED", New: "DECLINED"}}
	if got := itip.Coalesce(a, b); len(got) != 1 || changed(got[0]) != "PARTSTAT NEEDS-ACTION>DECLINED" {
		t.Errorf("two answers: %+v", got)
	}
}
