package caldav

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// object wraps component lines into a VCALENDAR.
func object(t testing.TB, lines string) *ical.Calendar {
	t.Helper()
	text := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Test//EN\n" + strings.TrimSpace(lines) + "\nEND:VCALENDAR\n"
	cal, err := ical.Parse([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return cal
}

func event(lines string) string {
	return "BEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\n" + lines + "\nEND:VEVENT\n"
}

func todo(lines string) string {
	return "BEGIN:VTODO\nUID:1\nDTSTAMP:20260101T000000Z\n" + lines + "\nEND:VTODO\n"
}

func filterOf(t testing.TB, inner string) *Filter {
	t.Helper()
	r, err := ParseReport([]byte(`<C:calendar-query`+ns+`><prop/><C:filter><C:comp-filter name="VCALENDAR">`+inner+`</C:comp-filter></C:filter></C:calendar-query>`), Limits{})
	if err != nil {
		t.Fatalf("%s: %v", inner, err)
	}
	return &r.(*CalendarQuery).Filter
}

func inComp(name, inner string) string {
	return `<C:comp-filter name="` + name + `">` + inner + `</C:comp-filter>`
}

func timeRange(start, end string) string {
	s := `<C:time-range`
	if start != "" {
		s += ` start="` + start + `"`
	}
	if end != "" {
		s += ` end="` + end + `"`
	}
	return s + `/>`
}

// RFC 4791 9.9: each row of each table, at its edges.
func TestTimeRangeTables(t *testing.T) {
	const day = "20260110T"
	z := func(clock string) string { return day + clock + "Z" }
	for _, c := range []struct {
		name, comp, object string
		start, end         string
		want               bool
	}{
		{"event with DTEND, overlaps", "VEVENT", event("DTSTART:20260110T100000Z\nDTEND:20260110T110000Z"), z("103000"), z("120000"), true},
		{"event ends where the range starts", "VEVENT", event("DTSTART:20260110T100000Z\nDTEND:20260110T110000Z"), z("110000"), z("120000"), false},
		{"event starts where the range ends", "VEVENT", event("DTSTART:20260110T100000Z\nDTEND:20260110T110000Z"), z("090000"), z("100000"), false},
		{"event around the range", "VEVENT", event("DTSTART:20260110T100000Z\nDTEND:20260110T140000Z"), z("110000"), z("120000"), true},
		{"event with DURATION", "VEVENT", event("DTSTART:20260110T100000Z\nDURATION:PT2H"), z("113000"), z("114000"), true},
		{"event with DURATION, after", "VEVENT", event("DTSTART:20260110T100000Z\nDURATION:PT2H"), z("120000"), z("130000"), false},
		{"event with DURATION of nothing, at start", "VEVENT", event("DTSTART:20260110T100000Z\nDURATION:PT0S"), z("100000"), z("110000"), true},
		{"event with DURATION of nothing, at end", "VEVENT", event("DTSTART:20260110T100000Z\nDURATION:PT0S"), z("090000"), z("100000"), false},
		{"event with a start alone, at start", "VEVENT", event("DTSTART:20260110T100000Z"), z("100000"), z("110000"), true},
		{"event with a start alone, at end", "VEVENT", event("DTSTART:20260110T100000Z"), z("090000"), z("100000"), false},
		{"all-day event lasts its day", "VEVENT", event("DTSTART;VALUE=DATE:20260110"), z("230000"), z("235959"), true},
		{"all-day event ends at midnight", "VEVENT", event("DTSTART;VALUE=DATE:20260110"), "20260111T000000Z", "20260111T010000Z", false},
		{"open end", "VEVENT", event("DTSTART:20260110T100000Z\nDTEND:20260110T110000Z"), z("000000"), "", true},
		{"open end, before", "VEVENT", event("DTSTART:20260110T100000Z\nDTEND:20260110T110000Z"), z("110000"), "", false},
		{"open start", "VEVENT", event("DTSTART:20260110T100000Z\nDTEND:20260110T110000Z"), "", z("100001"), true},
		{"open start, after", "VEVENT", event("DTSTART:20260110T100000Z\nDTEND:20260110T110000Z"), "", z("100000"), false},
		{"scheduling message without start (RFC 6638 2.3)", "VEVENT", event("SUMMARY:x"), z("090000"), z("100000"), true},

		{"task with start and duration, ends where the range starts", "VTODO", todo("DTSTART:20260110T100000Z\nDURATION:PT1H"), z("110000"), z("120000"), true},
		{"task with start and duration, after", "VTODO", todo("DTSTART:20260110T100000Z\nDURATION:PT1H"), z("110001"), z("120000"), false},
		{"task with start and duration, before", "VTODO", todo("DTSTART:20260110T100000Z\nDURATION:PT1H"), z("090000"), z("100000"), false},
		{"task with start and due, overlaps", "VTODO", todo("DTSTART:20260110T100000Z\nDUE:20260110T110000Z"), z("103000"), z("103100"), true},
		{"task with start and due, due where the range starts", "VTODO", todo("DTSTART:20260110T100000Z\nDUE:20260110T110000Z"), z("110000"), z("120000"), false},
		{"task with start and due alike, at start", "VTODO", todo("DTSTART:20260110T100000Z\nDUE:20260110T100000Z"), z("100000"), z("120000"), true},
		{"task with start and due alike, at end", "VTODO", todo("DTSTART:20260110T100000Z\nDUE:20260110T100000Z"), z("090000"), z("100000"), true},
		{"task with start alone", "VTODO", todo("DTSTART:20260110T100000Z"), z("100000"), z("100001"), true},
		{"task with start alone, before", "VTODO", todo("DTSTART:20260110T100000Z"), z("090000"), z("100000"), false},
		{"task with due alone, due where the range ends", "VTODO", todo("DUE:20260110T100000Z"), z("090000"), z("100000"), true},
		{"task with due alone, due where the range starts", "VTODO", todo("DUE:20260110T100000Z"), z("100000"), z("110000"), false},
		{"task created and completed around", "VTODO", todo("CREATED:20260101T000000Z\nCOMPLETED:20260120T000000Z"), z("100000"), z("110000"), true},
		{"task created and completed before", "VTODO", todo("CREATED:20260101T000000Z\nCOMPLETED:20260102T000000Z"), z("100000"), z("110000"), false},
		{"task completed within", "VTODO", todo("COMPLETED:20260110T110000Z"), z("100000"), z("110000"), true},
		{"task completed before", "VTODO", todo("COMPLETED:20260110T090000Z"), z("100000"), z("110000"), false},
		{"task created before", "VTODO", todo("CREATED:20260101T000000Z"), z("100000"), z("110000"), true},
		{"task created after", "VTODO", todo("CREATED:20260110T110000Z"), z("100000"), z("110000"), false},
		{"task without any time", "VTODO", todo("SUMMARY:x"), z("100000"), z("110000"), true},

		{"journal of a moment", "VJOURNAL", "BEGIN:VJOURNAL\nUID:1\nDTSTART:20260110T100000Z\nEND:VJOURNAL", z("100000"), z("110000"), true},
		{"journal of a day", "VJOURNAL", "BEGIN:VJOURNAL\nUID:1\nDTSTART;VALUE=DATE:20260110\nEND:VJOURNAL", z("230000"), "20260112T000000Z", true},
		{"journal without start", "VJOURNAL", "BEGIN:VJOURNAL\nUID:1\nEND:VJOURNAL", z("000000"), z("230000"), false},

		{"free/busy by its ends", "VFREEBUSY", "BEGIN:VFREEBUSY\nUID:1\nDTSTART:20260110T080000Z\nDTEND:20260110T100000Z\nEND:VFREEBUSY", z("100000"), z("110000"), true},
		{"free/busy by its ends, after", "VFREEBUSY", "BEGIN:VFREEBUSY\nUID:1\nDTSTART:20260110T080000Z\nDTEND:20260110T100000Z\nEND:VFREEBUSY", z("100001"), z("110000"), false},
		{"free/busy by periods", "VFREEBUSY", "BEGIN:VFREEBUSY\nUID:1\nFREEBUSY:20260109T080000Z/PT1H,20260110T080000Z/20260110T090000Z\nEND:VFREEBUSY", z("083000"), z("100000"), true},
		{"free/busy by periods, touching", "VFREEBUSY", "BEGIN:VFREEBUSY\nUID:1\nFREEBUSY:20260110T080000Z/PT1H\nEND:VFREEBUSY", z("090000"), z("100000"), false},
		{"free/busy without anything", "VFREEBUSY", "BEGIN:VFREEBUSY\nUID:1\nEND:VFREEBUSY", z("000000"), z("230000"), false},

		{"availability without ends (RFC 7953 7.2.2)", "VAVAILABILITY", "BEGIN:VAVAILABILITY\nUID:1\nDTSTAMP:20260101T000000Z\nEND:VAVAILABILITY", z("000000"), z("230000"), true},
		{"availability that has ended", "VAVAILABILITY", "BEGIN:VAVAILABILITY\nUID:1\nDTSTAMP:20260101T000000Z\nDTSTART:20250101T000000Z\nDTEND:20260110T000000Z\nEND:VAVAILABILITY", z("000000"), z("230000"), false},

		{"endless series, far away", "VEVENT", event("DTSTART:19990101T100000Z\nDTEND:19990101T110000Z\nRRULE:FREQ=DAILY"), z("103000"), z("104000"), true},
		{"endless series, between", "VEVENT", event("DTSTART:19990101T100000Z\nDTEND:19990101T110000Z\nRRULE:FREQ=DAILY"), z("110000"), z("120000"), false},
		{"occurrence excepted", "VEVENT", event("DTSTART:20260109T100000Z\nDTEND:20260109T110000Z\nRRULE:FREQ=DAILY\nEXDATE:20260110T100000Z"), z("100000"), z("110000"), false},
		{"occurrence moved away", "VEVENT", event("DTSTART:20260109T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY") + event("RECURRENCE-ID:20260110T100000Z\nDTSTART:20260110T180000Z\nDURATION:PT1H"), z("100000"), z("110000"), false},
		{"occurrence moved here", "VEVENT", event("DTSTART:20260109T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY") + event("RECURRENCE-ID:20260110T100000Z\nDTSTART:20260110T180000Z\nDURATION:PT1H"), z("183000"), z("184000"), true},
		{"occurrence of a task", "VTODO", todo("DTSTART:20260101T100000Z\nDUE:20260101T110000Z\nRRULE:FREQ=DAILY;COUNT=20"), z("103000"), z("104000"), true},
		{"override without its master", "VEVENT", event("RECURRENCE-ID:20260110T100000Z\nDTSTART:20260110T180000Z\nDURATION:PT1H"), z("180000"), z("190000"), true},
		{"added date", "VEVENT", event("DTSTART:20260101T100000Z\nDURATION:PT1H\nRDATE:20260110T150000Z"), z("150000"), z("153000"), true},
	} {
		f := filterOf(t, inComp(c.comp, timeRange(c.start, c.end)))
		cal := object(t, c.object)
		got, err := f.Match(cal, tz.NewResolver(cal, tz.UTC))
		if err != nil || got != c.want {
			t.Errorf("%s: %v %v, want %v", c.name, got, err, c.want)
		}
	}
}

// RFC 4791 7.3: floating times and dates are those of the zone given.
func TestFloatingTimesUseTheZoneGiven(t *testing.T) {
	tokyo, err := tz.Load("Asia/Tokyo") // nine hours east, the whole year
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, object string
		start, end   string
		want         bool
	}{
		{"floating", event("DTSTART:20260110T100000\nDTEND:20260110T110000"), "20260110T010000Z", "20260110T020000Z", true},
		{"floating, as if UTC", event("DTSTART:20260110T100000\nDTEND:20260110T110000"), "20260110T100000Z", "20260110T110000Z", false},
		{"date", event("DTSTART;VALUE=DATE:20260110"), "20260109T150000Z", "20260109T160000Z", true},
		{"date, its end", event("DTSTART;VALUE=DATE:20260110"), "20260110T150000Z", "20260110T160000Z", false},
	} {
		cal := object(t, c.object)
		got, err := filterOf(t, inComp("VEVENT", timeRange(c.start, c.end))).Match(cal, tz.NewResolver(cal, tokyo))
		if err != nil || got != c.want {
			t.Errorf("%s: %v %v, want %v", c.name, got, err, c.want)
		}
	}
}

// RFC 4791 9.9, 7.8.5: alarms, relative to each occurrence and repeated.
func TestAlarmTimeRange(t *testing.T) {
	alarm := func(lines string) string { return "\nBEGIN:VALARM\nACTION:DISPLAY\n" + lines + "\nEND:VALARM" }
	once := "DTSTART:20260110T100000Z\nDTEND:20260110T110000Z"
	series := "DTSTART:19990101T100000Z\nDTEND:19990101T110000Z\nRRULE:FREQ=DAILY"
	for _, c := range []struct {
		name, object string
		start, end   string
		want         bool
	}{
		{"before the start", event(once + alarm("TRIGGER:-PT30M")), "20260110T093000Z", "20260110T093100Z", true},
		{"range ends when it rings", event(once + alarm("TRIGGER:-PT30M")), "20260110T090000Z", "20260110T093000Z", false},
		{"after the end", event(once + alarm("TRIGGER;RELATED=END:PT5M")), "20260110T110500Z", "20260110T110600Z", true},
		{"absolute", event(once + alarm("TRIGGER;VALUE=DATE-TIME:20260101T080000Z")), "20260101T080000Z", "20260101T080001Z", true},
		{"repeated", event(once + alarm("TRIGGER:-PT30M\nREPEAT:4\nDURATION:PT5M")), "20260110T094900Z", "20260110T095100Z", true},
		{"between repetitions", event(once + alarm("TRIGGER:-PT30M\nREPEAT:4\nDURATION:PT5M")), "20260110T094600Z", "20260110T094900Z", false},
		{"after the last repetition", event(once + alarm("TRIGGER:-PT30M\nREPEAT:4\nDURATION:PT5M")), "20260110T095100Z", "20260110T120000Z", false},
		{"of some occurrence", event(series + alarm("TRIGGER:-P1D")), "20260109T100000Z", "20260109T100001Z", true},
		{"between occurrences", event(series + alarm("TRIGGER:-P1D")), "20260109T100001Z", "20260109T110001Z", false},
		{"a week ahead of an excepted occurrence", event("DTSTART:20260110T100000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=2\nEXDATE:20260117T100000Z" + alarm("TRIGGER:-P7D")), "20260110T100000Z", "20260110T100001Z", false},
		{"of a task, before it is due", todo("DUE:20260110T100000Z" + alarm("TRIGGER;RELATED=END:-PT1H")), "20260110T090000Z", "20260110T090001Z", true},
		{"no alarm", event(once), "20260110T000000Z", "20260111T000000Z", false},
	} {
		comp := "VEVENT"
		if strings.Contains(c.object, "VTODO") {
			comp = "VTODO"
		}
		cal := object(t, c.object)
		got, err := filterOf(t, inComp(comp, inComp("VALARM", timeRange(c.start, c.end)))).Match(cal, tz.NewResolver(cal, tz.UTC))
		if err != nil || got != c.want {
			t.Errorf("%s: %v %v, want %v", c.name, got, err, c.want)
		}
	}
}

// RFC 4791 9.7.
func TestFilterConditions(t *testing.T) {
	meeting := event("DTSTART:20260110T100000Z\nDURATION:PT1H\nSUMMARY:Straße\\, Café\nSTATUS:CONFIRMED\nDTSTAMP:20260102T000000Z\n" +
		"ATTENDEE;PARTSTAT=ACCEPTED;CN=Ann:mailto:ann@example.com\nATTENDEE;PARTSTAT=DECLINED;MEMBER=\"mailto:a@x.test\",\"mailto:b@x.test\":mailto:bob@example.com")
	prop := func(name, inner string) string {
		return `<C:prop-filter name="` + name + `">` + inner + `</C:prop-filter>`
	}
	param := func(name, inner string) string {
		return `<C:param-filter name="` + name + `">` + inner + `</C:param-filter>`
	}
	match := func(attrs, s string) string { return `<C:text-match ` + attrs + `>` + s + `</C:text-match>` }
	for _, c := range []struct {
		name, filter string
		want         bool
	}{
		{"VCALENDAR alone", "", true},
		{"component there", inComp("VEVENT", ""), true},
		{"component in small letters", inComp("vevent", ""), true},
		{"component not there", inComp("VTODO", ""), false},
		{"component is not defined", inComp("VTODO", `<C:is-not-defined/>`), true},
		{"component is defined", inComp("VEVENT", `<C:is-not-defined/>`), false},
		{"no alarm in it", inComp("VEVENT", inComp("VALARM", `<C:is-not-defined/>`)), true},
		{"property there", inComp("VEVENT", prop("SUMMARY", "")), true},
		{"property not there", inComp("VEVENT", prop("LOCATION", "")), false},
		{"property is not defined", inComp("VEVENT", prop("LOCATION", `<C:is-not-defined/>`)), true},
		{"property of VCALENDAR", prop("VERSION", match("", "2.0")), true},
		{"text, ASCII letters alike", inComp("VEVENT", prop("SUMMARY", match("", "STRAßE, caf"))), true},
		{"text, other letters not", inComp("VEVENT", prop("SUMMARY", match("", "CAFÉ"))), false},
		{"text by Unicode", inComp("VEVENT", prop("SUMMARY", match(`collation="i;unicode-casemap"`, "CAFÉ"))), true},
		{"text by octets", inComp("VEVENT", prop("SUMMARY", match(`collation="i;octet"`, "straße"))), false},
		{"text negated", inComp("VEVENT", prop("STATUS", match(`negate-condition="yes"`, "CANCELLED"))), true},
		{"text negated on what is not there", inComp("VEVENT", prop("LOCATION", match(`negate-condition="yes"`, "x"))), false},
		{"any of several properties", inComp("VEVENT", prop("ATTENDEE", match("", "bob@"))), true},
		{"text and parameter on the same property", inComp("VEVENT", prop("ATTENDEE", match("", "bob@")+param("PARTSTAT", match("", "ACCEPTED")))), false},
		{"text and parameter of one attendee", inComp("VEVENT", prop("ATTENDEE", match("", "ann@")+param("PARTSTAT", match("", "accepted")))), true},
		{"parameter there", inComp("VEVENT", prop("ATTENDEE", param("CN", ""))), true},
		{"parameter is not defined", inComp("VEVENT", prop("ATTENDEE", param("CN", `<C:is-not-defined/>`))), true}, // bob has none
		{"one of several parameter values", inComp("VEVENT", prop("ATTENDEE", param("MEMBER", match("", "b@x")))), true},
		{"parameter value negated", inComp("VEVENT", prop("ATTENDEE", param("MEMBER", match(`negate-condition="yes"`, "b@x")))), false},
		{"time of a property", inComp("VEVENT", prop("DTSTAMP", timeRange("20260102T000000Z", "20260103T000000Z"))), true},
		{"time of a property, before", inComp("VEVENT", prop("DTSTAMP", timeRange("20260103T000000Z", ""))), false},
		{"effective DTEND", inComp("VEVENT", prop("DTEND", timeRange("20260110T110000Z", "20260110T110001Z"))), true},
		{"all conditions together", inComp("VEVENT", timeRange("20260110T000000Z", "20260111T000000Z")+prop("SUMMARY", match("", "caf"))+prop("STATUS", "")), true},
		{"one condition of several fails", inComp("VEVENT", timeRange("20260111T000000Z", "20260112T000000Z")+prop("SUMMARY", match("", "caf"))), false},
	} {
		cal := object(t, strings.Replace(meeting, "DTSTAMP:20260101T000000Z\n", "", 1))
		got, err := filterOf(t, c.filter).Match(cal, tz.NewResolver(cal, tz.UTC))
		if err != nil || got != c.want {
			t.Errorf("%s: %v %v, want %v", c.name, got, err, c.want)
		}
	}
}

// The occurrence in the range must be one whose component has the property.
func TestConditionsMeetOnOneOccurrence(t *testing.T) {
	cal := object(t, event("DTSTART:20260101T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=20\nSUMMARY:Usual")+
		event("RECURRENCE-ID:20260110T100000Z\nDTSTART:20260110T100000Z\nDURATION:PT1H\nSUMMARY:Special"))
	f := func(day, text string) *Filter {
		return filterOf(t, inComp("VEVENT", timeRange("202601"+day+"T000000Z", "202601"+day+"T235959Z")+`<C:prop-filter name="SUMMARY"><C:text-match>`+text+`</C:text-match></C:prop-filter>`))
	}
	for _, c := range []struct {
		day, text string
		want      bool
	}{{"09", "Usual", true}, {"09", "Special", false}, {"10", "Usual", false}, {"10", "Special", true}} {
		if got, err := f(c.day, c.text).Match(cal, tz.NewResolver(cal, nil)); err != nil || got != c.want {
			t.Errorf("day %s, %s: %v %v, want %v", c.day, c.text, got, err, c.want)
		}
	}
}

func TestFilterOnExplosiveRulesEnds(t *testing.T) {
	for _, rule := range []string{
		"FREQ=SECONDLY",
		"FREQ=SECONDLY;COUNT=1000000000",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=YEARLY;BYDAY=MO;BYMONTHDAY=1;BYMONTH=1;BYHOUR=1;BYSETPOS=5",
	} {
		cal := object(t, event("DTSTART:20000101T000000Z\nDURATION:PT1S\nSUMMARY:x\nRRULE:"+rule))
		begin := time.Now()
		f := filterOf(t, inComp("VEVENT", timeRange("20260110T000000Z", "")+`<C:prop-filter name="SUMMARY"><C:text-match>y</C:text-match></C:prop-filter>`))
		got, err := f.Match(cal, tz.NewResolver(cal, nil))
		if got {
			t.Errorf("%s: matches (%v)", rule, err)
		}
		g := filterOf(t, inComp("VEVENT", inComp("VALARM", timeRange("20260110T000000Z", "20270110T000000Z"))))
		if got, _ := g.Match(cal, tz.NewResolver(cal, nil)); got {
			t.Errorf("%s: an alarm matches that is not there", rule)
		}
		if d := time.Since(begin); d > 20*time.Second {
			t.Errorf("%s took %v", rule, d)
		}
	}
}

func TestWindowNeverExcludes(t *testing.T) {
	for _, c := range []struct {
		filter, comp string
		r            TimeRange
	}{
		{"", "", TimeRange{}},
		{inComp("VEVENT", timeRange("20260110T000000Z", "20260111T000000Z")), "VEVENT", TimeRange{date("20260110T000000Z"), date("20260111T000000Z")}},
		{inComp("VTODO", ""), "VTODO", TimeRange{}},
		{inComp("VTODO", `<C:is-not-defined/>`), "", TimeRange{}},
		{inComp("VTIMEZONE", ""), "", TimeRange{}},
		{inComp("VEVENT", inComp("VALARM", timeRange("20260110T000000Z", ""))), "VEVENT", TimeRange{}},
	} {
		comp, r := filterOf(t, c.filter).Window()
		if comp != c.comp || r != c.r {
			t.Errorf("%s: %s %v, want %s %v", c.filter, comp, r, c.comp, c.r)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add(event("DTSTART;TZID=Europe/Berlin:20260110T100000\nDURATION:P1DT1H\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU\nBEGIN:VALARM\nTRIGGER:-PT5M\nREPEAT:3\nDURATION:PT1M\nEND:VALARM"))
	f.Add(todo("DUE;VALUE=DATE:20260110\nRRULE:FREQ=DAILY;COUNT=3"))
	f.Add("BEGIN:VFREEBUSY\nFREEBUSY:20260110T080000Z/PT1H\nEND:VFREEBUSY")
	var filters []*Filter
	for _, comp := range []string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"} {
		filters = append(filters, filterOf(f, inComp(comp, timeRange("20260101T000000Z", "20260201T000000Z"))))
	}
	filters = append(filters, filterOf(f, inComp("VEVENT", inComp("VALARM", timeRange("20260101T000000Z", "20260102T000000Z")))))
	data := []DataRequest{
		{Expand: &TimeRange{date("20260101T000000Z"), date("20260201T000000Z")}},
		{LimitRecurrence: &TimeRange{date("20260101T000000Z"), date("20260201T000000Z")}},
		{LimitFreeBusy: &TimeRange{date("20260101T000000Z"), date("20260201T000000Z")}, Comp: &CompRequest{Name: "VCALENDAR", AllProps: true, AllComps: true}},
	}
	f.Fuzz(func(t *testing.T, lines string) {
		cal, err := ical.Parse(fmt.Appendf(nil, "BEGIN:VCALENDAR\n%s\nEND:VCALENDAR\n", lines))
		if err != nil {
			return
		}
		before := string(cal.Bytes())
		z := tz.NewResolver(cal, nil)
		for _, f := range filters {
			f.Match(cal, z)
		}
		for _, d := range data {
			out, err := d.Select(cal, z, 100)
			if err == nil {
				if _, err := ical.Parse(out.Bytes()); err != nil {
					t.Fatalf("%q gives %q, which cannot be read: %v", lines, out.Bytes(), err)
				}
			}
		}
		if after := string(cal.Bytes()); after != before {
			t.Fatalf("the object was changed from %q to %q", before, after)
		}
	})
}
