package recur_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// calendarOf makes a calendar of components, each a text of lines; the first
// word of each line block is the component's name.
func calendarOf(t testing.TB, components ...string) *ical.Calendar {
	t.Helper()
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//test//EN\r\n")
	for _, c := range components {
		lines := strings.Fields(c)
		fmt.Fprintf(&b, "BEGIN:%s\r\nUID:u\r\n%s\r\nEND:%s\r\n", lines[0], strings.Join(lines[1:], "\r\n"), lines[0])
	}
	b.WriteString("END:VCALENDAR\r\n")
	cal, err := ical.Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

func setOf(t testing.TB, components ...string) *recur.Set {
	t.Helper()
	cal := calendarOf(t, components...)
	berlin, err := tz.Load("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	s, err := recur.New(cal, tz.NewResolver(cal, berlin), recur.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// show writes an occurrence as "id start-end" with * for an override; instants
// in UTC when they are not plain.
func show(o recur.Occurrence) string {
	mark := ""
	if o.Override {
		mark = "*"
	}
	return fmt.Sprintf("%s%s %s/%s", mark, o.ID, ical.UTCTime(o.From), ical.UTCTime(o.To))
}

func collect(seq func(func(recur.Occurrence) bool), n int) []string {
	var list []string
	for o := range seq {
		if list = append(list, show(o)); len(list) == n {
			break
		}
	}
	return list
}

func TestSets(t *testing.T) {
	const zoned = "DTSTART;TZID=Europe/Berlin:"
	for _, c := range []struct {
		name       string
		components []string
		want       string // one occurrence a line
	}{
		{"a single event", []string{"VEVENT DTSTART:20260105T090000Z DTEND:20260105T100000Z"},
			"20260105T090000Z 20260105T090000Z/20260105T100000Z"},
		{"DTEND keeps the exact length over a change of the clocks (RFC 5545 3.8.5.3)",
			[]string{"VEVENT " + zoned + "20260327T220000 DTEND;TZID=Europe/Berlin:20260328T060000 RRULE:FREQ=DAILY;COUNT=3"},
			`20260327T220000 20260327T210000Z/20260328T050000Z
			 20260328T220000 20260328T210000Z/20260329T050000Z
			 20260329T220000 20260329T200000Z/20260330T040000Z`},
		{"DURATION in days ends at the same reading, in hours it is exact (RFC 5545 3.3.6)",
			[]string{"VEVENT " + zoned + "20260328T120000 DURATION:P1D RRULE:FREQ=DAILY;COUNT=2"},
			`20260328T120000 20260328T110000Z/20260329T100000Z
			 20260329T120000 20260329T100000Z/20260330T100000Z`},
		{"DURATION in hours", []string{"VEVENT " + zoned + "20260328T120000 DURATION:PT24H"},
			"20260328T120000 20260328T110000Z/20260329T110000Z"},
		{"all day, read in the floating zone", []string{"VEVENT DTSTART;VALUE=DATE:20260328 RRULE:FREQ=DAILY;COUNT=2"},
			`20260328 20260327T230000Z/20260328T230000Z
			 20260329 20260328T230000Z/20260329T220000Z`},
		{"all day with DTEND not after DTSTART counts as one day", []string{"VEVENT DTSTART;VALUE=DATE:20260105 DTEND;VALUE=DATE:20260105"},
			"20260105 20260104T230000Z/20260105T230000Z"},
		{"DTSTART that does not match counts as the first (RFC 5545 3.3.10)",
			[]string{"VEVENT DTSTART:20260101T090000Z RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3"},
			`20260101T090000Z 20260101T090000Z/20260101T090000Z
			 20260105T090000Z 20260105T090000Z/20260105T090000Z
			 20260112T090000Z 20260112T090000Z/20260112T090000Z`},
		{"UNTIL before DTSTART leaves nothing", []string{"VEVENT DTSTART:20260101T090000Z RRULE:FREQ=WEEKLY;UNTIL=20251231T000000Z"}, ""},
		{"UNTIL in UTC is compared as an instant",
			[]string{"VEVENT " + zoned + "20260327T120000 RRULE:FREQ=DAILY;UNTIL=20260329T100000Z"},
			`20260327T120000 20260327T110000Z/20260327T110000Z
			 20260328T120000 20260328T110000Z/20260328T110000Z
			 20260329T120000 20260329T100000Z/20260329T100000Z`},
		{"EXDATE in another zone, by date, and in UTC",
			[]string{"VEVENT " + zoned + "20260105T090000 RRULE:FREQ=DAILY;COUNT=5 EXDATE:20260106T080000Z EXDATE;VALUE=DATE:20260107 EXDATE;TZID=America/New_York:20260108T030000"},
			`20260105T090000 20260105T080000Z/20260105T080000Z
			 20260109T090000 20260109T080000Z/20260109T080000Z`},
		{"EXRULE (RFC 2445)", []string{"VEVENT DTSTART:20260105T090000Z RRULE:FREQ=DAILY;COUNT=4 EXRULE:FREQ=DAILY;INTERVAL=2;COUNT=2"},
			`20260106T090000Z 20260106T090000Z/20260106T090000Z
			 20260108T090000Z 20260108T090000Z/20260108T090000Z`},
		{"RDATE as time, date and PERIOD",
			[]string{"VEVENT DTSTART:20260105T090000Z DURATION:PT1H RDATE:20260107T120000Z RDATE;VALUE=PERIOD:20260106T090000Z/PT2H,20260108T090000Z/20260108T093000Z RDATE;VALUE=DATE:20260110"},
			`20260105T090000Z 20260105T090000Z/20260105T100000Z
			 20260106T090000Z 20260106T090000Z/20260106T110000Z
			 20260107T120000Z 20260107T120000Z/20260107T130000Z
			 20260108T090000Z 20260108T090000Z/20260108T093000Z
			 20260110T090000Z 20260110T090000Z/20260110T100000Z`},
		{"an override, written in UTC", []string{
			"VEVENT " + zoned + "20260105T090000 DTEND;TZID=Europe/Berlin:20260105T100000 RRULE:FREQ=DAILY;COUNT=3",
			"VEVENT RECURRENCE-ID:20260106T080000Z DTSTART:20260120T080000Z DTEND:20260120T083000Z"},
			`20260105T090000 20260105T080000Z/20260105T090000Z
			 *20260106T090000 20260120T080000Z/20260120T083000Z
			 20260107T090000 20260107T080000Z/20260107T090000Z`},
		{"an override without times keeps the original ones", []string{
			"VEVENT DTSTART:20260105T090000Z DURATION:PT1H RRULE:FREQ=DAILY;COUNT=2",
			"VEVENT RECURRENCE-ID:20260106T090000Z SUMMARY:x"},
			`20260105T090000Z 20260105T090000Z/20260105T100000Z
			 *20260106T090000Z 20260106T090000Z/20260106T100000Z`},
		{"an override of what is no member is an occurrence, an excluded one too", []string{
			"VEVENT DTSTART:20260105T090000Z RRULE:FREQ=WEEKLY;COUNT=2 EXDATE:20260112T090000Z",
			"VEVENT RECURRENCE-ID:20260107T090000Z DTSTART:20260107T090000Z",
			"VEVENT RECURRENCE-ID:20260112T090000Z DTSTART:20260112T100000Z"},
			`20260105T090000Z 20260105T090000Z/20260105T090000Z
			 *20260107T090000Z 20260107T090000Z/20260107T090000Z
			 *20260112T090000Z 20260112T100000Z/20260112T100000Z`},
		{"overrides alone", []string{
			"VEVENT RECURRENCE-ID:20260112T090000Z DTSTART:20260112T100000Z",
			"VEVENT RECURRENCE-ID:20260105T090000Z DTSTART:20260105T100000Z DURATION:PT5M"},
			`*20260105T090000Z 20260105T100000Z/20260105T100500Z
			 *20260112T090000Z 20260112T100000Z/20260112T100000Z`},
		{"RANGE=THISANDFUTURE moves all later ones (RFC 5545 3.8.4.4)", []string{
			"VEVENT DTSTART:20260105T090000Z DURATION:PT1H RRULE:FREQ=DAILY;COUNT=4",
			"VEVENT RECURRENCE-ID;RANGE=THISANDFUTURE:20260106T090000Z DTSTART:20260106T113000Z DURATION:PT2H",
			"VEVENT RECURRENCE-ID:20260107T090000Z DTSTART:20260107T090000Z DURATION:PT1M"},
			`20260105T090000Z 20260105T090000Z/20260105T100000Z
			 *20260106T090000Z 20260106T113000Z/20260106T133000Z
			 *20260107T090000Z 20260107T090000Z/20260107T090100Z
			 *20260108T090000Z 20260108T113000Z/20260108T133000Z`},
		{"a to-do that is due only", []string{"VTODO DUE:20260105T090000Z"}, "20260105T090000Z 20260105T090000Z/20260105T090000Z"},
		{"a journal entry of a day", []string{"VJOURNAL DTSTART;VALUE=DATE:20260105"}, "20260105 20260104T230000Z/20260105T230000Z"},
		{"a reading in the gap takes place behind it and is met once",
			[]string{"VEVENT " + zoned + "20260329T010000 RRULE:FREQ=HOURLY;COUNT=4"},
			`20260329T010000 20260329T000000Z/20260329T000000Z
			 20260329T020000 20260329T010000Z/20260329T010000Z
			 20260329T040000 20260329T020000Z/20260329T020000Z`},
		{"an hourly rule on a day gives the day once", []string{"VEVENT DTSTART;VALUE=DATE:20260105 RRULE:FREQ=HOURLY;UNTIL=20260107"},
			`20260105 20260104T230000Z/20260105T230000Z
			 20260106 20260105T230000Z/20260106T230000Z
			 20260107 20260106T230000Z/20260107T230000Z`},
	} {
		got := collect(setOf(t, c.components...).All(), 20)
		var want []string
		for line := range strings.Lines(c.want) {
			want = append(want, strings.TrimSpace(line))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s\n got %s\nwant %s", c.name, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
}

func utc(t testing.TB, s string) time.Time {
	t.Helper()
	if s == "" {
		return time.Time{}
	}
	v, err := ical.ParseTime(s, "", false)
	if err != nil {
		t.Fatal(err)
	}
	return v.Wall
}

// RFC 4791 9.9, row by row.
func TestBetweenFollowsTheTables(t *testing.T) {
	const from, to = "20260110T000000Z", "20260111T000000Z"
	for _, c := range []struct {
		component string
		want      int
	}{
		{"VEVENT DTSTART:20260109T000000Z DTEND:20260110T000000Z", 0},
		{"VEVENT DTSTART:20260109T000000Z DTEND:20260110T000001Z", 1},
		{"VEVENT DTSTART:20260111T000000Z DTEND:20260112T000000Z", 0},
		{"VEVENT DTSTART:20260110T235959Z DURATION:PT1H", 1},
		{"VEVENT DTSTART:20260109T230000Z DURATION:PT1H", 0},
		{"VEVENT DTSTART:20260110T000000Z DURATION:PT0S", 1},
		{"VEVENT DTSTART:20260110T000000Z", 1},
		{"VEVENT DTSTART:20260111T000000Z", 0},
		{"VEVENT DTSTART;VALUE=DATE:20260110", 1},
		{"VEVENT DTSTART;VALUE=DATE:20260112", 0},
		{"VTODO DTSTART:20260109T000000Z DURATION:P1D", 1},
		{"VTODO DTSTART:20260109T000000Z DURATION:PT23H", 0},
		{"VTODO DTSTART:20260109T000000Z DUE:20260110T000000Z", 0},
		{"VTODO DTSTART:20260110T000000Z DUE:20260110T000000Z", 1},
		{"VTODO DTSTART:20260111T000000Z DUE:20260111T000000Z", 1},
		{"VTODO DTSTART:20260110T000000Z", 1},
		{"VTODO DTSTART:20260111T000000Z", 0},
		{"VTODO DUE:20260110T000000Z", 0},
		{"VTODO DUE:20260111T000000Z", 1},
		{"VTODO CREATED:20260101T000000Z COMPLETED:20260110T120000Z", 1},
		{"VTODO CREATED:20260101T000000Z COMPLETED:20260102T000000Z", 0},
		{"VTODO COMPLETED:20260110T120000Z", 1},
		{"VTODO COMPLETED:20260112T120000Z", 0},
		{"VTODO CREATED:20260110T120000Z", 1},
		{"VTODO CREATED:20260111T000000Z", 0},
		{"VTODO SUMMARY:x", 1},
		{"VJOURNAL DTSTART:20260110T120000Z", 1},
		{"VJOURNAL DTSTART;VALUE=DATE:20260109", 0},
		{"VJOURNAL DTSTART;VALUE=DATE:20260110", 1},
		{"VJOURNAL SUMMARY:x", 0},
	} {
		cal := calendarOf(t, c.component)
		s, err := recur.New(cal, tz.NewResolver(cal, nil), recur.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := collect(s.Between(utc(t, from), utc(t, to)), 9); len(got) != c.want {
			t.Errorf("%s: %v, want %d", c.component, got, c.want)
		}
	}
}

func TestBetweenJumpsAndOrders(t *testing.T) {
	s := setOf(t,
		"VEVENT DTSTART;TZID=America/New_York:19900101T090000 DTEND;TZID=America/New_York:19900101T100000 RRULE:FREQ=DAILY",
		"VEVENT RECURRENCE-ID;TZID=America/New_York:20260705T090000 DTSTART:20260703T080000Z DTEND:20260703T090000Z",
		"VEVENT RECURRENCE-ID;TZID=America/New_York:20260704T090000 DTSTART:20300101T080000Z DTEND:20300101T090000Z")
	got := collect(s.Between(utc(t, "20260702T133000Z"), utc(t, "20260706T130000Z")), 99)
	want := []string{
		"20260702T090000 20260702T130000Z/20260702T140000Z",
		"*20260705T090000 20260703T080000Z/20260703T090000Z",
		"20260703T090000 20260703T130000Z/20260703T140000Z",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	first, last, endless := s.Bounds()
	if !endless || !first.Equal(utc(t, "19900101T140000Z")) || last.Year() != 9999 {
		t.Errorf("Bounds: %v %v %v", first, last, endless)
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct{ component, first, last string }{
		{"VEVENT DTSTART:20260105T090000Z DTEND:20260105T100000Z", "20260105T090000Z", "20260105T100000Z"},
		{"VEVENT DTSTART:20260105T090000Z DTEND:20260105T100000Z RRULE:FREQ=DAILY;COUNT=3", "20260105T090000Z", "20260107T100000Z"},
		{"VEVENT DTSTART:20260105T090000Z DURATION:PT1H RRULE:FREQ=MONTHLY;UNTIL=20300101T000000Z RDATE:20250101T090000Z", "20250101T090000Z", "20291205T100000Z"},
		{"VEVENT DTSTART:20260105T090000Z RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "20260105T090000Z", "20260105T090000Z"},
		{"VTODO SUMMARY:x", "", ""},
	} {
		first, last, endless := setOf(t, c.component).Bounds()
		if !first.Equal(utc(t, c.first)) || !last.Equal(utc(t, c.last)) || endless {
			t.Errorf("%s: %v %v %v", c.component, first, last, endless)
		}
	}
}

func TestFindTakesAnySpelling(t *testing.T) {
	timed := setOf(t, "VEVENT DTSTART;TZID=Europe/Berlin:20260105T090000 DURATION:PT1H RRULE:FREQ=DAILY EXDATE:20260107T080000Z",
		"VEVENT RECURRENCE-ID:20260108T080000Z DTSTART:20260108T120000Z")
	allDay := setOf(t, "VEVENT DTSTART;VALUE=DATE:20260105 RRULE:FREQ=DAILY")
	for _, c := range []struct {
		s              *recur.Set
		id, tzid, want string
	}{
		{timed, "20260106T080000Z", "", "20260106T090000"},
		{timed, "20260106T090000", "Europe/Berlin", "20260106T090000"},
		{timed, "20260106T030000", "America/New_York", "20260106T090000"},
		{timed, "20260106T133000", "Asia/Kolkata", "20260106T090000"},
		{timed, "20260106T080000Z", "Etc/GMT", "20260106T090000"},
		{timed, "20260106", "", "20260106T090000"},
		{timed, "20260107T080000Z", "", ""},
		{timed, "20260108T080000Z", "", "20260108T090000"},
		{timed, "20260108T120000Z", "", ""},
		{timed, "20260104T080000Z", "", ""},
		{timed, "99991230T080000Z", "", "99991230T090000"},
		{allDay, "20260106", "", "20260106"},
		{allDay, "20260106T000000Z", "", "20260106"},
		{allDay, "20260106T000000", "Europe/Berlin", "20260106"},
		{allDay, "20260104", "", ""},
	} {
		id, err := ical.ParseTime(c.id, c.tzid, false)
		if err != nil {
			t.Fatal(err)
		}
		o, ok := c.s.Find(id)
		if ok != (c.want != "") || ok && o.ID.String() != c.want {
			t.Errorf("%s %s: got %v %v, want %q", c.id, c.tzid, o.ID, ok, c.want)
		}
	}
}

func TestLimit(t *testing.T) {
	cal := calendarOf(t, "VEVENT DTSTART:20260105T090000Z RRULE:FREQ=SECONDLY EXRULE:FREQ=SECONDLY")
	s, err := recur.New(cal, tz.NewResolver(cal, nil), recur.Options{MaxIterations: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if got := collect(s.All(), 5); len(got) > 0 || !errors.Is(s.Err(), recur.ErrLimit) {
		t.Errorf("got %v, %v", got, s.Err())
	}
}

func TestUnknownCalendarSystemLeavesTheFirst(t *testing.T) {
	s := setOf(t, "VEVENT DTSTART;VALUE=DATE:20260217 RRULE:RSCALE=CHINESE;FREQ=YEARLY")
	if got := collect(s.All(), 5); len(got) != 1 || !errors.Is(s.Err(), recur.ErrRScale) || !s.Recurring() {
		t.Errorf("got %v, %v", got, s.Err())
	}
}

func TestInstance(t *testing.T) {
	cal := calendarOf(t,
		"VEVENT DTSTART;TZID=Europe/Berlin:20260105T090000 DTEND;TZID=Europe/Berlin:20260105T100000 RRULE:FREQ=DAILY EXDATE:20260107T080000Z SUMMARY:daily",
		"VEVENT RECURRENCE-ID:20260108T080000Z DTSTART:20260108T120000Z SUMMARY:moved")
	z := tz.NewResolver(cal, nil)
	id, _ := ical.ParseTime("20260401T070000Z", "", false)
	c, err := recur.Instance(cal, id, z)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"DTSTART": "20260401T090000", "DTEND": "20260401T100000", "RECURRENCE-ID": "20260401T090000", "RRULE": "", "EXDATE": "", "SUMMARY": "daily"} {
		if got := c.Value(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := c.Prop("RECURRENCE-ID").Param("TZID"); got != "Europe/Berlin" {
		t.Errorf("RECURRENCE-ID;TZID=%s", got)
	}
	id, _ = ical.ParseTime("20260108T090000", "Europe/Berlin", false)
	if c, err = recur.Instance(cal, id, z); err != nil || c.Value("SUMMARY") != "moved" {
		t.Errorf("%v, %v", c, err)
	}
	id, _ = ical.ParseTime("20260107T080000Z", "", false)
	if _, err = recur.Instance(cal, id, z); !errors.Is(err, recur.ErrNoOccurrence) {
		t.Errorf("excluded: %v", err)
	}
}

// Splitting anywhere and putting the two together gives the same occurrences.
func TestSplitAt(t *testing.T) {
	for _, components := range [][]string{
		{"VEVENT DTSTART;TZID=Europe/Berlin:20260105T090000 DTEND;TZID=Europe/Berlin:20260105T100000 RRULE:FREQ=DAILY;COUNT=9"},
		{"VEVENT DTSTART;TZID=Europe/Berlin:20260105T090000 DURATION:PT1H RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;UNTIL=20260601T000000Z EXDATE;TZID=Europe/Berlin:20260119T090000,20260216T090000 RDATE;TZID=Europe/Berlin:20260120T120000,20260620T120000"},
		{"VEVENT DTSTART;VALUE=DATE:20260131 RRULE:RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD;COUNT=7"},
		{"VEVENT DTSTART:20260101T090000Z RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=5"},
		{"VEVENT DTSTART:20260105T090000 DURATION:PT1H RRULE:FREQ=DAILY;COUNT=6",
			"VEVENT RECURRENCE-ID:20260107T090000 DTSTART:20260109T120000 DURATION:PT2H",
			"VEVENT RECURRENCE-ID:20260109T090000 DTSTART:20260102T120000 DURATION:PT2H"},
		{"VEVENT DTSTART:20260105T090000Z DURATION:PT1H RRULE:FREQ=DAILY;COUNT=6",
			"VEVENT RECURRENCE-ID;RANGE=THISANDFUTURE:20260107T090000Z DTSTART:20260107T113000Z DURATION:PT2H"},
	} {
		cal := calendarOf(t, components...)
		z := tz.NewResolver(cal, nil)
		of := func(cal *ical.Calendar) (list []string) {
			if cal == nil {
				return nil
			}
			s, err := recur.New(cal, tz.NewResolver(cal, nil), recur.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return collect(s.All(), 30)
		}
		s, err := recur.New(cal, z, recur.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := of(cal)
		i := 0
		for o := range s.All() {
			head, tail, err := recur.SplitAt(cal, o.ID, z)
			if err != nil {
				t.Fatal(err)
			}
			if got := of(head); !slices.Equal(got, want[:i]) {
				t.Errorf("%s\nhead before %s\n got %v\nwant %v", components[0], o.ID, got, want[:i])
			}
			if got := of(tail); !slices.Equal(got, want[i:]) {
				t.Errorf("%s\ntail from %s\n got %v\nwant %v\n%s", components[0], o.ID, got, want[i:], tail.Bytes())
			}
			i++
		}
	}
}

// A series that RANGE=THISANDFUTURE moved from an RDATE before its DTSTART on.
func TestBoundsOfAStartThatWasMoved(t *testing.T) {
	cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:u\r\nDTSTART:20260106T000000Z\r\nRDATE:20260105T090000Z\r\nEND:VTODO\r\n" +
		"BEGIN:VTODO\r\nUID:u\r\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260105T090000Z\r\nDTSTART:20260106T000000Z\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := recur.New(cal, tz.NewResolver(cal, nil), recur.Options{})
	if err != nil {
		t.Fatal(err)
	}
	first, last, endless := s.Bounds()
	if want := time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC); !first.Equal(want) || !last.Equal(want.Add(15*time.Hour)) || endless {
		t.Errorf("%v to %v, endless %v", first, last, endless)
	}
}
