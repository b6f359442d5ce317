package calendar_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

func TestFreeBusyOfManyPeople(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := open(t, s).hire("alice", "bob", "carol")
		alice, ctx := o.people["alice"].ID, t.Context()
		o.put("alice", "default/1.ics", vevent("1@x", "DTSTART:20260303T090000Z", "DTEND:20260303T100000Z"))
		o.put("alice", "default/2.ics", vevent("2@x", "DTSTART:20260303T093000Z", "DTEND:20260303T110000Z"))
		o.put("alice", "default/3.ics", vevent("3@x", "DTSTART:20200303T140000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"))
		o.put("alice", "default/4.ics", vevent("4@x", "DTSTART:20260303T170000Z", "DTEND:20260303T180000Z", "TRANSP:TRANSPARENT"))
		o.put("alice", "default/5.ics", vevent("5@x", "DTSTART:20260303T190000Z", "DTEND:20260303T200000Z", "STATUS:CANCELLED"))
		o.put("alice", "default/6.ics", vevent("6@x", "DTSTART:20260303T210000Z", "DTEND:20260303T220000Z", "CLASS:PRIVATE"))
		o.makeCalendar("alice", "hobby")
		o.put("alice", "hobby/7.ics", vevent("7@x", "DTSTART:20260303T120000Z", "DTEND:20260303T130000Z"))
		if _, err := o.svc.UpdateCollection(ctx, o.actor("alice"), alice, "hobby", func(c *store.Collection) error { c.Transparent = true; return nil }); err != nil {
			t.Fatal(err)
		}
		// Unanswered invitations are tentative (ITIP-01).
		o.put("carol", "default/8.ics", vevent("8@x", "DTSTART:20260303T160000Z", "DTEND:20260303T163000Z", "ORGANIZER:mailto:carol@example.test", "ATTENDEE:mailto:alice@example.test"))

		day := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
		who := []ical.Address{"mailto:alice@example.test", "mailto:Bob@Example.Test", "mailto:nobody@example.test", "mailto:dave@elsewhere.test", "urn:uuid:1"}
		ask := func(mask string) []calendar.FreeBusyAnswer {
			t.Helper()
			a, err := o.svc.FreeBusy(ctx, o.actor("bob"), who, day, day.AddDate(0, 0, 1), mask)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		show := func(a calendar.FreeBusyAnswer) []string {
			var out []string
			for _, p := range a.Periods {
				out = append(out, fmt.Sprintf("%s-%s %s", p.From.Format("1504"), p.To.Format("1504"), p.Type))
			}
			return out
		}
		answers := ask("")
		var statuses []string
		for _, a := range answers {
			statuses = append(statuses, a.Status[:3])
		}
		if want := []string{"2.0", "2.0", "3.7", "5.1", "3.7"}; !slices.Equal(statuses, want) {
			t.Errorf("statuses %q, want %q", statuses, want)
		}
		want := []string{"0900-1100 BUSY", "1400-1500 BUSY", "1600-1630 BUSY-TENTATIVE", "2100-2200 BUSY"}
		if got := show(answers[0]); !slices.Equal(got, want) {
			t.Errorf("alice is busy %q, want %q", got, want)
		}
		if got := show(answers[1]); len(got) != 0 || answers[1].Periods == nil {
			t.Errorf("bob is busy %q, want never, and that known", got)
		}
		if got := show(ask("2@x")[0]); got[0] != "0900-1000 BUSY" {
			t.Errorf("with one event masked: %q", got)
		}
		got, err := o.svc.CalendarBusy(ctx, o.actor("alice"), alice, []string{"hobby"}, day, day.AddDate(0, 0, 1))
		if err != nil || len(got) != 1 {
			t.Errorf("a transparent calendar asked for itself: %v, %v", got, err)
		}
		if _, err := o.svc.CalendarBusy(ctx, o.actor("bob"), alice, []string{"hobby"}, day, day.AddDate(0, 0, 1)); !problem.Has(err, problem.NotFound) {
			t.Errorf("bob asks for a transparent calendar: %v", err)
		}
		for _, r := range [][2]time.Time{{day, day}, {day, day.AddDate(20, 0, 0)}, {{}, day}} {
			if _, err := o.svc.FreeBusy(ctx, o.actor("bob"), who, r[0], r[1], ""); !problem.Has(err, problem.BadInput) {
				t.Errorf("range %v: %v, want bad-input", r, err)
			}
		}
	})
}
