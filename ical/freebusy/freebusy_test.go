package freebusy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/tz"
)

func bob(a ical.Address) bool { return a.Key() == "bob@one.test" }

func parse(t testing.TB, lines string) *ical.Calendar {
	t.Helper()
	text := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//test//EN\n" + strings.TrimSpace(lines) + "\nEND:VCALENDAR\n"
	cal, err := ical.Parse([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

func show(list []freebusy.Period) string {
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, "%s %s/%s\n", p.Type, p.From.Format("02T15:04"), p.To.Format("02T15:04"))
	}
	return strings.TrimSpace(b.String())
}

func at(day, hour int) time.Time { return time.Date(2026, 1, day, hour, 0, 0, 0, time.UTC) }

func TestBusy(t *testing.T) {
	event := func(lines string) string {
		return "BEGIN:VEVENT\nUID:u\nDTSTART:20260105T090000Z\nDTEND:20260105T100000Z\n" + lines + "\nEND:VEVENT"
	}
	const to = "ATTENDEE;PARTSTAT=%s:mailto:Bob@One.Test"
	for _, c := range []struct{ name, lines, want string }{
		{"plain", event("SUMMARY:x"), "BUSY 05T09:00/05T10:00"},
		{"confirmed", event("STATUS:CONFIRMED"), "BUSY 05T09:00/05T10:00"},
		{"tentative", event("STATUS:TENTATIVE"), "BUSY-TENTATIVE 05T09:00/05T10:00"},
		{"cancelled", event("STATUS:CANCELLED"), ""},
		{"transparent", event("TRANSP:TRANSPARENT"), ""},
		{"no answer yet", event(fmt.Sprintf(to, "NEEDS-ACTION")), "BUSY-TENTATIVE 05T09:00/05T10:00"},
		{"no PARTSTAT is no answer", event("ATTENDEE:mailto:bob@one.test"), "BUSY-TENTATIVE 05T09:00/05T10:00"},
		{"accepted", event(fmt.Sprintf(to, "ACCEPTED")), "BUSY 05T09:00/05T10:00"},
		{"accepted, the event tentative", event("STATUS:TENTATIVE\n" + fmt.Sprintf(to, "ACCEPTED")), "BUSY-TENTATIVE 05T09:00/05T10:00"},
		{"perhaps", event(fmt.Sprintf(to, "TENTATIVE")), "BUSY-TENTATIVE 05T09:00/05T10:00"},
		{"declined", event(fmt.Sprintf(to, "DECLINED")), ""},
		{"delegated", event(fmt.Sprintf(to, "DELEGATED")), ""},
		{"another's answer", event("ATTENDEE;PARTSTAT=DECLINED:mailto:ann@one.test"), "BUSY 05T09:00/05T10:00"},
		{"out of office", event("X-MICROSOFT-CDO-BUSYSTATUS:OOF"), "BUSY-UNAVAILABLE 05T09:00/05T10:00"},
		{"out of office, transparent", event("TRANSP:TRANSPARENT\nX-MICROSOFT-CDO-BUSYSTATUS:OOF"), ""},
		{"free to Exchange", event("X-MICROSOFT-CDO-BUSYSTATUS:FREE"), ""},
		{"free to Exchange, opaque", event("TRANSP:OPAQUE\nX-MICROSOFT-CDO-BUSYSTATUS:FREE"), "BUSY 05T09:00/05T10:00"},
		{"all day in the floating zone", "BEGIN:VEVENT\nUID:u\nDTSTART;VALUE=DATE:20260106\nEND:VEVENT", "BUSY 05T23:00/06T23:00"},
		{"no length, no time", "BEGIN:VEVENT\nUID:u\nDTSTART:20260105T090000Z\nEND:VEVENT", ""},
		{"cut to the window", "BEGIN:VEVENT\nUID:u\nDTSTART:20251201T000000Z\nDTEND:20260601T000000Z\nEND:VEVENT", "BUSY 05T00:00/10T00:00"},
		{"a series with one declined and one moved", event("RRULE:FREQ=DAILY;COUNT=4") +
			"\nBEGIN:VEVENT\nUID:u\nRECURRENCE-ID:20260106T090000Z\nDTSTART:20260106T090000Z\nDTEND:20260106T100000Z\n" + fmt.Sprintf(to, "DECLINED") + "\nEND:VEVENT" +
			"\nBEGIN:VEVENT\nUID:u\nRECURRENCE-ID:20260107T090000Z\nDTSTART:20260105T080000Z\nDTEND:20260105T083000Z\nEND:VEVENT",
			"BUSY 05T08:00/05T08:30\nBUSY 05T09:00/05T10:00\nBUSY 08T09:00/08T10:00"},
		{"a to-do", "BEGIN:VTODO\nUID:u\nDTSTART:20260105T090000Z\nDUE:20260105T100000Z\nEND:VTODO", ""},
		{"free/busy itself", "BEGIN:VFREEBUSY\nUID:u\nFREEBUSY;FBTYPE=BUSY-TENTATIVE:20260106T090000Z/PT1H,20260105T090000Z/20260105T093000Z\nFREEBUSY;FBTYPE=X-ODD:20260107T090000Z/P1D\nEND:VFREEBUSY",
			"BUSY-TENTATIVE 05T09:00/05T09:30\nBUSY-TENTATIVE 06T09:00/06T10:00\nBUSY 07T09:00/08T09:00"},
	} {
		cal := parse(t, c.lines)
		berlin, err := tz.Load("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		got, err := freebusy.Busy(cal, tz.NewResolver(cal, berlin), bob, at(5, 0), at(10, 0))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if show(got) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, show(got), c.want)
		}
	}
}

func TestMerge(t *testing.T) {
	p := func(from, to int, kind string) freebusy.Period {
		return freebusy.Period{From: at(5, from), To: at(5, to), Type: kind}
	}
	for _, c := range []struct {
		name string
		in   []freebusy.Period
		want string
	}{
		{"nothing", nil, ""},
		{"apart", []freebusy.Period{p(3, 4, "BUSY"), p(1, 2, "BUSY")}, "BUSY 05T01:00/05T02:00\nBUSY 05T03:00/05T04:00"},
		{"touching", []freebusy.Period{p(1, 2, "BUSY"), p(2, 3, "BUSY")}, "BUSY 05T01:00/05T03:00"},
		{"inside", []freebusy.Period{p(1, 9, "BUSY"), p(2, 3, "BUSY")}, "BUSY 05T01:00/05T09:00"},
		{"the stronger shows", []freebusy.Period{p(1, 5, "BUSY-TENTATIVE"), p(2, 3, "BUSY"), p(4, 7, "BUSY-UNAVAILABLE")},
			"BUSY-TENTATIVE 05T01:00/05T02:00\nBUSY 05T02:00/05T03:00\nBUSY-TENTATIVE 05T03:00/05T04:00\nBUSY-UNAVAILABLE 05T04:00/05T07:00"},
		{"empty and turned round", []freebusy.Period{p(1, 1, "BUSY"), p(3, 2, "BUSY")}, ""},
	} {
		if got := show(freebusy.Merge(c.in)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestComponent(t *testing.T) {
	c := freebusy.Component([]freebusy.Period{
		{From: at(6, 9), To: at(6, 10), Type: "BUSY"}, {From: at(5, 9), To: at(5, 10), Type: "BUSY"}, {From: at(5, 12), To: at(5, 13), Type: "BUSY-TENTATIVE"},
	}, at(5, 0), at(7, 0))
	var got []string
	for _, p := range c.Properties {
		got = append(got, p.Name()+" "+p.Param("FBTYPE")+" "+p.Value())
	}
	want := []string{"DTSTART  20260105T000000Z", "DTEND  20260107T000000Z",
		"FREEBUSY BUSY 20260105T090000Z/20260105T100000Z,20260106T090000Z/20260106T100000Z", "FREEBUSY BUSY-TENTATIVE 20260105T120000Z/20260105T130000Z"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
