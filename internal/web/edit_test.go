package web

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/problem"
)

// series is a meeting with everything an edit might lose: parameters and
// properties of others, an alarm, exceptions, a moved occurrence.
const seriesText = `BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Other//Program//EN
X-WR-CALNAME:Kept
BEGIN:VEVENT
UID:series@example.test
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Stockholm;X-KEPT=yes:20260105T090000
DURATION:PT1H
RRULE:FREQ=WEEKLY;UNTIL=20260330T215959Z
EXDATE;TZID=Europe/Stockholm:20260112T090000
EXDATE:20260119T080000Z
SUMMARY;LANGUAGE=en:Stand-up
DESCRIPTION:Plain
X-ALT-DESC;FMTTYPE=text/html:<p>Plain</p>
ORGANIZER;CN=Ann:mailto:ann@example.test
ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@example.test
ATTENDEE;CN=Bob;PARTSTAT=TENTATIVE;X-NUM-GUESTS=2:mailto:bob@example.test
X-CUSTOM;X-P=1:as it was
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT10M
DESCRIPTION:Soon
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:series@example.test
DTSTAMP:20260101T000000Z
RECURRENCE-ID;TZID=Europe/Stockholm:20260202T090000
DTSTART;TZID=Europe/Stockholm:20260202T140000
DTEND;TZID=Europe/Stockholm:20260202T150000
SUMMARY:Stand-up\, later
ORGANIZER;CN=Ann:mailto:ann@example.test
ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@example.test
ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.test
END:VEVENT
BEGIN:VEVENT
UID:series@example.test
DTSTAMP:20260101T000000Z
RECURRENCE-ID;TZID=Europe/Stockholm:20260209T090000
DTSTART;TZID=Europe/Stockholm:20260209T090000
DTEND;TZID=Europe/Stockholm:20260209T093000
SUMMARY:Stand-up\, short
ORGANIZER;CN=Ann:mailto:ann@example.test
ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@example.test
ATTENDEE;CN=Bob;PARTSTAT=TENTATIVE:mailto:bob@example.test
END:VEVENT
END:VCALENDAR
`

var testEditor = editor{mine: []ical.Address{"mailto:ann@example.test"}, name: "Ann", now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}

func zoneNamed(t *testing.T, name string) *tz.Zone {
	t.Helper()
	z, err := tz.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func open(t *testing.T, text string) *event {
	t.Helper()
	e, err := openEvent([]byte(strings.ReplaceAll(text, "\n", "\r\n")), zoneNamed(t, "Europe/Stockholm"))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// lines are the content lines of the events of an object, however they are
// folded: zone definitions come and go with the zones used.
func lines(t *testing.T, cal *ical.Calendar) []string {
	t.Helper()
	cal, err := ical.Parse(cal.Bytes()) // what is stored is what must be right
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	var walk func(*ical.Component)
	walk = func(c *ical.Component) {
		out = append(out, "BEGIN:"+c.Name)
		for _, p := range c.Properties {
			line := p.Name()
			for name, values := range p.Params() {
				line += ";" + name + "=" + strings.Join(values, ",")
			}
			out = append(out, line+":"+p.Value())
		}
		for _, sub := range c.Components {
			walk(sub)
		}
		out = append(out, "END:"+c.Name)
	}
	cal.Components = cal.Main()
	walk(&cal.Component)
	return out
}

// difference tells the lines that went and came, in order.
func difference(before, after []string) (out []string) {
	count := map[string]int{}
	for _, l := range after {
		count[l]++
	}
	for _, l := range before {
		if count[l] == 0 {
			out = append(out, "-"+l)
		}
		count[l]--
	}
	count = map[string]int{}
	for _, l := range before {
		count[l]++
	}
	for _, l := range after {
		if count[l] <= 0 {
			out = append(out, "+"+l)
		}
		count[l]--
	}
	return out
}

func TestEditChangesOnlyWhatTheFormChanged(t *testing.T) {
	const stamp = "+LAST-MODIFIED:20260102T030405Z"
	for _, tt := range []struct {
		name       string
		occurrence string
		change     func(*fields)
		want       []string
	}{
		{"nothing", "", func(*fields) {}, []string{stamp}},
		{"title", "", func(f *fields) { f.Summary = "Meeting; now" },
			[]string{`-SUMMARY;LANGUAGE=en:Stand-up`, `+SUMMARY:Meeting\; now`, stamp}},
		{"a description takes its HTML twin away", "", func(f *fields) { f.Description = "Two\nlines" },
			[]string{"-DESCRIPTION:Plain", "-X-ALT-DESC;FMTTYPE=text/html:<p>Plain</p>", `+DESCRIPTION:Two\nlines`, stamp}},
		{"emptied", "", func(f *fields) { f.Description = "" },
			[]string{"-DESCRIPTION:Plain", "-X-ALT-DESC;FMTTYPE=text/html:<p>Plain</p>", stamp}},
		{"shown as free", "", func(f *fields) { f.Busy = false }, []string{"+TRANSP:TRANSPARENT", stamp}},
		{"longer, so DURATION becomes DTEND", "", func(f *fields) { f.End = "2026-01-05T10:30" },
			[]string{"-DURATION:PT1H", "+DTEND;TZID=Europe/Stockholm:20260105T103000", stamp}},
		{"the whole series an hour later: exceptions move along, a moved occurrence stays", "",
			func(f *fields) { f.Start, f.End = "2026-01-05T10:00", "2026-01-05T11:00" },
			[]string{
				"-DTSTART;TZID=Europe/Stockholm;X-KEPT=yes:20260105T090000", "-DURATION:PT1H",
				"-EXDATE;TZID=Europe/Stockholm:20260112T090000", "-EXDATE:20260119T080000Z",
				"-RECURRENCE-ID;TZID=Europe/Stockholm:20260202T090000",
				"-RECURRENCE-ID;TZID=Europe/Stockholm:20260209T090000", "-DTSTART;TZID=Europe/Stockholm:20260209T090000", "-DTEND;TZID=Europe/Stockholm:20260209T093000",
				"+DTSTART;X-KEPT=yes;TZID=Europe/Stockholm:20260105T100000", "+DTEND;TZID=Europe/Stockholm:20260105T110000",
				"+EXDATE;TZID=Europe/Stockholm:20260112T100000", "+EXDATE;TZID=Europe/Stockholm:20260119T100000", stamp,
				"+RECURRENCE-ID;TZID=Europe/Stockholm:20260202T100000",
				"+RECURRENCE-ID;TZID=Europe/Stockholm:20260209T100000", "+DTSTART;TZID=Europe/Stockholm:20260209T100000", "+DTEND;TZID=Europe/Stockholm:20260209T103000",
			}},
		{"a shorter rule drops the occurrences it no longer has", "", func(f *fields) { f.RRule = "FREQ=WEEKLY;UNTIL=20260203" },
			[]string{
				"-RRULE:FREQ=WEEKLY;UNTIL=20260330T215959Z",
				"-BEGIN:VEVENT", "-UID:series@example.test", "-DTSTAMP:20260101T000000Z",
				"-RECURRENCE-ID;TZID=Europe/Stockholm:20260209T090000", "-DTSTART;TZID=Europe/Stockholm:20260209T090000", "-DTEND;TZID=Europe/Stockholm:20260209T093000",
				`-SUMMARY:Stand-up\, short`, "-ORGANIZER;CN=Ann:mailto:ann@example.test", "-ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@example.test",
				"-ATTENDEE;CN=Bob;PARTSTAT=TENTATIVE:mailto:bob@example.test", "-END:VEVENT",
				"+RRULE:FREQ=WEEKLY;UNTIL=20260203T225959Z", stamp, // the whole of 3 February in Stockholm
			}},
		{"one more invited, to the exceptions too", "",
			func(f *fields) {
				f.Attendees = append(f.Attendees, person{Address: "dave@elsewhere.test", Name: "Dave", Role: "OPT-PARTICIPANT"})
			},
			[]string{
				"+ATTENDEE;CN=Dave;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:dave@elsewhere.test", stamp,
				"+ATTENDEE;CN=Dave;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:dave@elsewhere.test",
				"+ATTENDEE;CN=Dave;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:dave@elsewhere.test",
			}},
		{"a role changes and the line keeps the rest", "",
			func(f *fields) { f.Attendees[1].Role = "OPT-PARTICIPANT" },
			[]string{
				"-ATTENDEE;CN=Bob;PARTSTAT=TENTATIVE;X-NUM-GUESTS=2:mailto:bob@example.test",
				"-ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.test",
				"-ATTENDEE;CN=Bob;PARTSTAT=TENTATIVE:mailto:bob@example.test",
				"+ATTENDEE;CN=Bob;PARTSTAT=TENTATIVE;X-NUM-GUESTS=2;ROLE=OPT-PARTICIPANT:mailto:bob@example.test", stamp,
				"+ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED;ROLE=OPT-PARTICIPANT:mailto:bob@example.test",
				"+ATTENDEE;CN=Bob;PARTSTAT=TENTATIVE;ROLE=OPT-PARTICIPANT:mailto:bob@example.test",
			}},
		{"one occurrence becomes an override", "20260216T080000Z", func(f *fields) { f.Start, f.End = "2026-02-16T11:00", "2026-02-16T12:00" },
			[]string{
				"+BEGIN:VEVENT", "+UID:series@example.test", "+DTSTAMP:20260101T000000Z",
				"+DTSTART;X-KEPT=yes;TZID=Europe/Stockholm:20260216T110000",
				"+SUMMARY;LANGUAGE=en:Stand-up", "+DESCRIPTION:Plain", "+X-ALT-DESC;FMTTYPE=text/html:<p>Plain</p>",
				"+ORGANIZER;CN=Ann:mailto:ann@example.test", "+ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@example.test",
				"+ATTENDEE;CN=Bob;PARTSTAT=TENTATIVE;X-NUM-GUESTS=2:mailto:bob@example.test", "+X-CUSTOM;X-P=1:as it was",
				"+RECURRENCE-ID;TZID=Europe/Stockholm:20260216T090000", "+DTEND;TZID=Europe/Stockholm:20260216T120000", stamp,
				"+BEGIN:VALARM", "+ACTION:DISPLAY", "+TRIGGER:-PT10M", "+DESCRIPTION:Soon", "+END:VALARM", "+END:VEVENT",
			}},
		{"an override changes in place", "20260202T080000Z", func(f *fields) { f.Location = "Room" },
			[]string{"+LOCATION:Room", stamp}},
		{"all day: exceptions and names of occurrences become dates", "",
			func(f *fields) { f.AllDay, f.Start, f.End = true, "2026-01-05", "2026-01-06" },
			[]string{
				"-DTSTART;TZID=Europe/Stockholm;X-KEPT=yes:20260105T090000", "-DURATION:PT1H", "-RRULE:FREQ=WEEKLY;UNTIL=20260330T215959Z",
				"-EXDATE;TZID=Europe/Stockholm:20260112T090000", "-EXDATE:20260119T080000Z",
				"-RECURRENCE-ID;TZID=Europe/Stockholm:20260202T090000",
				"-RECURRENCE-ID;TZID=Europe/Stockholm:20260209T090000", "-DTSTART;TZID=Europe/Stockholm:20260209T090000", "-DTEND;TZID=Europe/Stockholm:20260209T093000",
				"+DTSTART;X-KEPT=yes;VALUE=DATE:20260105", "+RRULE:FREQ=WEEKLY;UNTIL=20260330", "+DTEND;VALUE=DATE:20260106",
				"+EXDATE;VALUE=DATE:20260112", "+EXDATE;VALUE=DATE:20260119", stamp,
				"+RECURRENCE-ID;VALUE=DATE:20260202",
				"+RECURRENCE-ID;VALUE=DATE:20260209", "+DTSTART;VALUE=DATE:20260209", "+DTEND;VALUE=DATE:20260210",
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := open(t, seriesText)
			before := lines(t, e.cal)
			c := e.cal.Master()
			if tt.occurrence != "" {
				o, err := e.find(tt.occurrence)
				if err != nil {
					t.Fatal(err)
				}
				c = o.Component
			}
			f, err := e.fieldsOf(c)
			if err != nil {
				t.Fatal(err)
			}
			if tt.occurrence != "" {
				o, _ := e.find(tt.occurrence)
				f.Start, f.End = onWire(o.Start), onWire(o.End)
				if !o.Override {
					f.RRule = ""
				}
			}
			tt.change(&f)
			if tt.occurrence != "" {
				err = testEditor.occurrence(e, tt.occurrence, f)
			} else {
				err = testEditor.series(e, f)
			}
			if err != nil {
				t.Fatal(err)
			}
			got := difference(before, lines(t, e.cal))
			slices.Sort(got)
			want := slices.Sorted(slices.Values(tt.want))
			if !slices.Equal(got, want) {
				t.Errorf("changed lines\n got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestLeavingOutOneOccurrence(t *testing.T) {
	e := open(t, seriesText)
	before := lines(t, e.cal)
	left, err := testEditor.without(e, "20260216T080000Z")
	if err != nil || !left {
		t.Fatalf("left %v, %v", left, err)
	}
	want := []string{"+EXDATE;TZID=Europe/Stockholm:20260216T090000", "+LAST-MODIFIED:20260102T030405Z"}
	if got := difference(before, lines(t, e.cal)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// An occurrence that was moved goes with its override, by its original time.
	e = open(t, seriesText)
	if _, err := testEditor.without(e, "20260202T080000Z"); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(lines(t, e.cal), "\n")
	if strings.Contains(text, "later") || !strings.Contains(text, "EXDATE;TZID=Europe/Stockholm:20260202T090000") {
		t.Errorf("the moved occurrence is not left out:\n%s", text)
	}
	again, err := newEvent(e.cal, e.view)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := testEditor.without(again, "20260202T080000Z"); !problem.Has(err, problem.NotFound) {
		t.Errorf("leaving it out twice: %v, want not found", err)
	}
}

func TestLeavingOutTheLastOccurrenceLeavesNothing(t *testing.T) {
	e := open(t, strings.Replace(seriesText[:strings.Index(seriesText, "END:VEVENT")], "UNTIL=20260330T215959Z", "COUNT=1", 1)+"END:VEVENT\nEND:VCALENDAR\n")
	left, err := testEditor.without(e, "20260105T080000Z")
	if err != nil || left {
		t.Errorf("left %v, %v; want nothing left", left, err)
	}
}

func TestRefusedEdits(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*fields)
		want   string
	}{
		{"end before start", func(f *fields) { f.End = "2026-01-05T08:00" }, "before the start"},
		{"no date", func(f *fields) { f.Start = "tomorrow" }, "not a date"},
		{"unknown zone", func(f *fields) { f.Zone = "Europe/Nowhere" }, "not known"},
		{"unreadable rule", func(f *fields) { f.RRule = "FREQ=SOMETIMES" }, "cannot be read"},
		{"a rule cannot smuggle in a property", func(f *fields) { f.RRule = "FREQ=DAILY\r\nX-EVIL:1" }, "cannot be read"},
		{"a rule that is over before it begins", func(f *fields) { f.RRule = "FREQ=DAILY;UNTIL=20200101" }, "before it begins"},
		{"a link cannot smuggle in a property", func(f *fields) { f.URL = "https://a\r\nX-EVIL:1" }, "line break"},
		{"unknown state", func(f *fields) { f.Status = "MAYBE" }, "not a state"},
		{"an attendee without address", func(f *fields) { f.Attendees = append(f.Attendees, person{Address: "Dave"}) }, "not an address"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := open(t, seriesText)
			f, err := e.fieldsOf(e.cal.Master())
			if err != nil {
				t.Fatal(err)
			}
			tt.change(&f)
			err = testEditor.series(e, f)
			if !problem.Has(err, problem.BadInput) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want bad input with %q", err, tt.want)
			}
		})
	}
}

func TestCreateInvites(t *testing.T) {
	cal, err := testEditor.create("-//Test//EN", "new", fields{
		Summary: "Lunch", Start: "2026-07-01T12:00", End: "2026-07-01T13:00", Zone: "Europe/Stockholm", Busy: true, RRule: "FREQ=WEEKLY;UNTIL=20260801",
		Attendees: []person{{Address: "bob@example.test", Name: "Bob, the Builder"}, {Address: "mailto:blue-room@example.test", Kind: "room"}},
	}, tz.UTC)
	if err != nil {
		t.Fatal(err)
	}
	got := lines(t, cal)
	want := []string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", "UID:new", "DTSTAMP:20260102T030405Z", "CREATED:20260102T030405Z",
		"DTSTART;TZID=Europe/Stockholm:20260701T120000", "DTEND;TZID=Europe/Stockholm:20260701T130000", "RRULE:FREQ=WEEKLY;UNTIL=20260801T215959Z",
		"SUMMARY:Lunch",
		`ATTENDEE;CN=Bob, the Builder;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@example.test`,
		"ATTENDEE;CUTYPE=ROOM;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:blue-room@example.test",
		"ORGANIZER;CN=Ann:mailto:ann@example.test",
		"ATTENDEE;CN=Ann;ROLE=CHAIR;PARTSTAT=ACCEPTED:mailto:ann@example.test",
		"END:VEVENT", "END:VCALENDAR",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !strings.Contains(string(cal.Bytes()), "BEGIN:VTIMEZONE") {
		t.Error("the zone is used but not defined (RFC 5545 3.6.5)")
	}
}

// UNTIL is an instant in the object and a day in the form; reading a rule and
// writing it back must not move the last day.
func TestUntilKeepsItsDay(t *testing.T) {
	for _, zone := range []string{"America/Los_Angeles", "Europe/Stockholm", "Pacific/Kiritimati", "UTC"} {
		start := ical.Time{Wall: time.Date(2026, 1, 5, 22, 0, 0, 0, time.UTC), Kind: ical.Zoned, TZID: zone}
		if zone == "UTC" {
			start = ical.UTCTime(start.Wall)
		}
		stored, err := untilFor("20260301", start)
		if err != nil {
			t.Fatal(err)
		}
		if got := ruleOnWire("FREQ=DAILY;UNTIL="+stored, zoneNamed(t, zone)); got != "FREQ=DAILY;UNTIL=20260301" {
			t.Errorf("%s: stored as %s, read back as %s", zone, stored, got)
		}
	}
}
