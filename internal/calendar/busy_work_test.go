package calendar_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
)

// What looking into a calendar costs is bounded for each request, whatever
// somebody has put into it, and one such person does not hide the others.
func TestFreeBusyWorkIsBounded(t *testing.T) {
	o := open(t, storetest.SQLite(t), func(co *calendar.Options) { co.Limits.FreeBusyWork = 8000 }).hire("alice", "bob")
	ctx, day := t.Context(), time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	who := []ical.Address{"mailto:alice@example.test", "mailto:bob@example.test", "mailto:alice@example.test"}
	o.put("bob", "default/1.ics", vevent("bob@x", "DTSTART:20260303T090000Z", "DTEND:20260303T100000Z"))
	// Two of these are all that one of several people may cost.
	dense := []string{"RRULE:FREQ=MINUTELY;INTERVAL=7", "RRULE:FREQ=SECONDLY\r\nEXRULE:FREQ=SECONDLY;INTERVAL=1", "RRULE:FREQ=DAILY;BYHOUR=1,2;BYMINUTE=0,30;BYSECOND=0"}
	statuses := func() string {
		t.Helper()
		list, err := o.svc.FreeBusy(ctx, o.actor("bob"), who, day, day.AddDate(0, 1, 0), "")
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, a := range list {
			if strings.HasPrefix(a.Status, "2.") == (a.Periods == nil) {
				t.Errorf("%s has %d periods", a.Status, len(a.Periods))
			}
			out = append(out, a.Status[:3])
		}
		return strings.Join(out, " ")
	}
	for i := range 10 {
		want, report := "2.0 2.0 2.0", error(nil)
		if i > 2 {
			want = "5.1 2.0 5.1"
		}
		if got := statuses(); i != 2 && got != want {
			t.Errorf("with %d dense series: %s, want %s", i, got, want)
		}
		if _, report = o.svc.CalendarBusy(ctx, o.actor("bob"), o.people["alice"].ID, []string{"default"}, day, day.AddDate(0, 0, 1)); i < 3 && report != nil || i == 9 && !problem.Has(report, problem.TooManyMatches) {
			t.Errorf("a report on %d dense series: %v", i, report)
		}
		o.put("alice", fmt.Sprintf("default/%d.ics", i), vevent(fmt.Sprint(i, "@x"), "DTSTART:20260301T000000Z", "DTEND:20260301T000001Z", dense[i%len(dense)]))
	}
	// Alone, somebody may cost what all together may; then there is no answer either.
	list, err := o.svc.FreeBusy(ctx, o.actor("bob"), who[:1], day, day.AddDate(0, 0, 1), "")
	if err != nil || !strings.HasPrefix(list[0].Status, "5.1") {
		t.Errorf("alone: %v %v", list, err)
	}
	// What is found up to the limit of one series counts.
	o.put("bob", "default/2.ics", vevent("bob2@x", "DTSTART:20260301T000000Z", "DTEND:20260301T000001Z", "RRULE:FREQ=SECONDLY"))
	list, err = o.svc.FreeBusy(ctx, o.actor("bob"), who[1:2], day, day.AddDate(0, 1, 0), "")
	if err != nil || len(list[0].Periods) != 1 || list[0].Periods[0].To.Sub(day) < 24*time.Hour {
		t.Errorf("a series of each second: %v %v", list, err)
	}
}
