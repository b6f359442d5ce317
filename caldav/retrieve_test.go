package caldav

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/convene-cal/convene/ical/tz"
)

const berlin = "BEGIN:VTIMEZONE\nTZID:Berlin\nBEGIN:STANDARD\nDTSTART:19961027T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\n" +
	"BEGIN:DAYLIGHT\nDTSTART:19810329T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nEND:DAYLIGHT\nEND:VTIMEZONE\n"

func selected(t *testing.T, d DataRequest, lines string) string {
	t.Helper()
	cal := object(t, lines)
	before := string(cal.Bytes())
	out, err := d.Select(cal, tz.NewResolver(cal, tz.UTC), 0)
	if err != nil {
		t.Fatal(err)
	}
	if string(cal.Bytes()) != before {
		t.Error("the object itself was changed")
	}
	text := strings.ReplaceAll(string(out.Bytes()), "\r\n", "\n")
	text = strings.TrimPrefix(text, "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Test//EN\n")
	return strings.TrimSuffix(text, "END:VCALENDAR\n")
}

// RFC 4791 9.6.5.
func TestExpand(t *testing.T) {
	series := berlin + event("DTSTART;TZID=Berlin:20260327T090000\nDTEND;TZID=Berlin:20260327T100000\nRRULE:FREQ=DAILY;COUNT=6\nEXDATE;TZID=Berlin:20260328T090000\nSUMMARY:Usual") +
		event("RECURRENCE-ID;TZID=Berlin:20260330T090000\nDTSTART;TZID=Berlin:20260330T150000\nDTEND;TZID=Berlin:20260330T160000\nSUMMARY:Moved\nX-AT;TZID=Berlin:20260330T150000")
	got := selected(t, DataRequest{Expand: &TimeRange{date("20260328T000000Z"), date("20260331T000000Z")}}, series)
	instance := func(lines string) string { return event(lines) }
	want := instance("DTSTART:20260329T070000Z\nDTEND:20260329T080000Z\nSUMMARY:Usual\nRECURRENCE-ID:20260329T070000Z") +
		instance("RECURRENCE-ID:20260330T070000Z\nDTSTART:20260330T130000Z\nDTEND:20260330T140000Z\nSUMMARY:Moved\nX-AT:20260330T130000Z")
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, c := range []struct{ name, in, want string }{
		{"what does not recur, in UTC", berlin + event("DTSTART;TZID=Berlin:20260329T090000\nDURATION:PT1H"), event("DTSTART:20260329T070000Z\nDURATION:PT1H")},
		{"what does not take place in the range", event("DTSTART:20260401T090000Z"), ""},
		{"dates stay dates", event("DTSTART;VALUE=DATE:20260301\nRRULE:FREQ=WEEKLY;COUNT=9"), event("DTSTART;VALUE=DATE:20260329\nRECURRENCE-ID;VALUE=DATE:20260329")},
		{"floating times stay so", event("DTSTART:20260328T100000\nRRULE:FREQ=WEEKLY;COUNT=2"), event("DTSTART:20260328T100000\nRECURRENCE-ID:20260328T100000")},
		{"a nominal day is 23 hours when clocks go forward", berlin + event("DTSTART;TZID=Berlin:20260327T120000\nDURATION:P1D\nRRULE:FREQ=DAILY;COUNT=2"),
			event("DTSTART:20260327T110000Z\nDURATION:PT24H\nRECURRENCE-ID:20260327T110000Z") + event("DTSTART:20260328T110000Z\nDURATION:PT23H\nRECURRENCE-ID:20260328T110000Z")},
	} {
		got := selected(t, DataRequest{Expand: &TimeRange{date("20260328T000000Z"), date("20260331T000000Z")}}, c.in)
		if strings.Contains(c.want, "PT24H") {
			got = strings.ReplaceAll(got, "DURATION:P1D\n", "DURATION:PT24H\n")
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestExpandHasALimit(t *testing.T) {
	cal := object(t, event("DTSTART:20260101T000000Z\nRRULE:FREQ=SECONDLY"))
	d := DataRequest{Expand: &TimeRange{date("20260101T000000Z"), date("20270101T000000Z")}}
	if _, err := d.Select(cal, tz.NewResolver(cal, nil), 100); !errors.Is(err, ErrTooManyInstances) {
		t.Errorf("error %v", err)
	}
}

// RFC 4791 9.6.6.
func TestLimitRecurrenceSet(t *testing.T) {
	master := event("DTSTART:20260101T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY")
	override := func(id, start string) string {
		return event("RECURRENCE-ID" + id + "\nDTSTART:" + start + "\nDURATION:PT1H")
	}
	away, here := override(":20260110T100000Z", "20260120T100000Z"), override(":20260120T100000Z", "20260110T120000Z")
	other, later := override(":20260112T100000Z", "20260112T110000Z"), override(";RANGE=THISANDFUTURE:20260105T100000Z", "20260105T110000Z")
	d := DataRequest{LimitRecurrence: &TimeRange{date("20260110T000000Z"), date("20260111T000000Z")}}
	if diff := cmp.Diff(master+away+here+later, selected(t, d, master+away+other+here+later)); diff != "" {
		t.Error(diff)
	}
}

// RFC 4791 9.6.7.
func TestLimitFreeBusySet(t *testing.T) {
	in := "BEGIN:VFREEBUSY\nUID:1\nFREEBUSY:20260101T000000Z/PT1H,20260110T000000Z/PT1H,20260110T030000Z/20260110T040000Z\nFREEBUSY;FBTYPE=FREE:20260201T000000Z/PT1H\nEND:VFREEBUSY\n"
	want := "BEGIN:VFREEBUSY\nUID:1\nFREEBUSY:20260110T000000Z/PT1H,20260110T030000Z/20260110T040000Z\nEND:VFREEBUSY\n"
	d := DataRequest{LimitFreeBusy: &TimeRange{date("20260110T000000Z"), date("20260111T000000Z")}}
	if diff := cmp.Diff(want, selected(t, d, in)); diff != "" {
		t.Error(diff)
	}
}

// RFC 4791 9.6.1 to 9.6.4.
func TestPartialRetrieval(t *testing.T) {
	in := berlin + event("DTSTART;TZID=Berlin:20260110T100000\nSUMMARY;LANGUAGE=en:x\nX-A:1\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nEND:VALARM")
	d := DataRequest{Comp: &CompRequest{Name: "VCALENDAR", AllProps: true, Comps: []CompRequest{
		{Name: "VEVENT", Props: []WantedProp{{Name: "UID"}, {Name: "SUMMARY", NoValue: true}}, Comps: []CompRequest{{Name: "VALARM", AllProps: true}}},
	}}}
	want := "BEGIN:VEVENT\nUID:1\nSUMMARY;LANGUAGE=en:\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nEND:VALARM\nEND:VEVENT\n"
	if diff := cmp.Diff(want, selected(t, d, in)); diff != "" {
		t.Error(diff)
	}
	d = DataRequest{Comp: &CompRequest{Name: "VCALENDAR", Comps: []CompRequest{{Name: "VTIMEZONE"}, {Name: "VEVENT", Props: []WantedProp{{Name: "UID"}}}}}}
	want = "BEGIN:VCALENDAR\n" + strings.TrimSuffix(berlin, "\n") + "\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\n"
	if diff := cmp.Diff(want, selected(t, d, in)); diff != "" {
		t.Errorf("a comp that names nothing (RFC 4791 7.8.1): %s", diff)
	}
	if diff := cmp.Diff(in, selected(t, DataRequest{}, in)); diff != "" {
		t.Errorf("the whole object: %s", diff)
	}
}
