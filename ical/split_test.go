package ical_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
)

// An import stores one object for each UID, with the zones it uses (RFC 4791
// 4.1) and what the calendar says for all.
func TestSplitByUID(t *testing.T) {
	zone := func(id string) string { return "BEGIN:VTIMEZONE\nTZID:" + id + "\nEND:VTIMEZONE\n" }
	one := "BEGIN:VEVENT\nUID:1\nDTSTART;TZID=A:20260102T030405\nDESCRIPTION:f\n olded\nEND:VEVENT\n"
	two := "BEGIN:VTODO\nUID:2\nBEGIN:VALARM\nTRIGGER;TZID=B:20260102T030405\nEND:VALARM\nEND:VTODO\n"
	override := "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;TZID=A:20260103T030405\nEND:VEVENT\n"
	anonymous := "BEGIN:VEVENT\nSUMMARY:no UID\nEND:VEVENT\n"
	head := "BEGIN:VCALENDAR\nVERSION:2.0\nX-WR-CALNAME:Work\n"
	c := parse(t, crlf("BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:PUBLISH\nX-WR-CALNAME:Work\n"+zone("A")+zone("B")+zone("C")+one+two+anonymous+override+anonymous+"END:VCALENDAR\n"))
	var got []string
	for _, o := range c.SplitByUID() {
		got = append(got, strings.ReplaceAll(string(o.Bytes()), "\r", ""))
	}
	want := []string{
		head + zone("A") + one + override + "END:VCALENDAR\n",
		head + zone("B") + two + "END:VCALENDAR\n",
		head + anonymous + "END:VCALENDAR\n",
		head + anonymous + "END:VCALENDAR\n",
	}
	if strings.Join(got, "---\n") != strings.Join(want, "---\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "---\n"), strings.Join(want, "---\n"))
	}
	// LEN-05: the UID of the VCALENDAR is its components', and goes with them.
	c = parse(t, crlf("BEGIN:VCALENDAR\nUID:7\nSEQUENCE:3\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR\n"))
	if c.UID() != "7" || c.Master().Value("SEQUENCE") != "3" {
		t.Errorf("UID %q SEQUENCE %q", c.UID(), c.Master().Value("SEQUENCE"))
	}
	got = nil
	for _, o := range c.SplitByUID() {
		got = append(got, strings.ReplaceAll(string(o.Bytes()), "\r", ""))
	}
	if len(got) != 1 || got[0] != "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nUID:7\nSEQUENCE:3\nEND:VEVENT\nEND:VCALENDAR\n" {
		t.Errorf("got %q", got)
	}
}

func TestKindAndMaster(t *testing.T) {
	c := parse(t, crlf("BEGIN:VCALENDAR\nmethod:request\nBEGIN:VTIMEZONE\nTZID:A\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260103T030405Z\nEND:VEVENT\nEND:VCALENDAR\n"))
	if c.Method() != "REQUEST" || c.Kind() != "VEVENT" || c.UID() != "1" || c.Master() != nil || len(c.Overrides()) != 1 || len(c.Main()) != 1 {
		t.Errorf("method %q kind %q uid %q master %v", c.Method(), c.Kind(), c.UID(), c.Master())
	}
	if ical.New("p").Kind() != "" {
		t.Error("an empty calendar has a kind")
	}
}

// A property that stood after a subcomponent stays there; a new one and a new
// component are written where the standard wants them.
func TestOrder(t *testing.T) {
	c := parse(t, event("UID:1\nBEGIN:VALARM\nEND:VALARM\nSUMMARY:late\nBEGIN:VALARM\nX-2:1\nEND:VALARM\nX-END:1\n"))
	e := c.Components[0]
	e.Add(ical.NewText("LOCATION", "new"))
	e.Components = append(e.Components, ical.NewComponent("VALARM"))
	want := event("UID:1\nBEGIN:VALARM\nEND:VALARM\nSUMMARY:late\nBEGIN:VALARM\nX-2:1\nEND:VALARM\nX-END:1\nLOCATION:new\nBEGIN:VALARM\nEND:VALARM\n")
	if got := string(c.Bytes()); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// An override of a message put into a stored object comes after the properties.
	other := parse(t, event("X-1:1\nX-2:1\nX-3:1\nX-4:1\nUID:2\n"))
	other.Components = append(other.Components, c.Components[0].Clone())
	if got := string(other.Bytes()); !strings.HasPrefix(got, event("X-1:1\nX-2:1\nX-3:1\nX-4:1\nUID:2\n")[:60]) || strings.Count(got, "BEGIN:VEVENT") != 2 {
		t.Errorf("got %q", got)
	}
}

// Many properties of a calendar are not copied to each of many objects.
func TestSplitIsLinear(t *testing.T) {
	const n = 20000
	c := parse(t, wrap(strings.Repeat("X-ALL:1\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\n", n)))
	list := c.SplitByUID()
	if len(list) != n || len(list[0].Properties) != n || len(list[1].Properties) != 100 {
		t.Errorf("%d objects, with %d and %d properties", len(list), len(list[0].Properties), len(list[1].Properties))
	}
}

// A small file with one huge zone does not become a large one for each event.
func TestSplitBoundsCopiesOfZones(t *testing.T) {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:Huge\r\nCOMMENT:" + strings.Repeat("x", 100_000) + "\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n")
	const events = 2000
	for i := range events {
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:%d\r\nDTSTART;TZID=Huge:20260101T000000\r\nEND:VEVENT\r\n", i)
	}
	b.WriteString("END:VCALENDAR\r\n")
	cal, err := ical.Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	size, zones := 0, 0
	list := cal.SplitByUID()
	for _, one := range list {
		size += len(one.Bytes())
		for range one.Children("VTIMEZONE") {
			zones++
		}
	}
	if len(list) != events || size > 66*b.Len() || zones < 60 {
		t.Errorf("%d objects with %d zones, %d octets of %d", len(list), zones, size, b.Len())
	}
}
