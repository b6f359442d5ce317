package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestIcalDiff(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "\n", "\r\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	calendar := func(body string) string {
		return "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//E2E//EN\n" + body + "END:VCALENDAR\n"
	}
	const head = "BEGIN:VEVENT\nUID:series@example.test\nDTSTAMP:20270101T000000Z\n"
	a := file("a.ics", calendar(head+`DTSTART;TZID=Europe/Berlin:20270301T090000
RRULE:FREQ=WEEKLY;BYDAY=MO,WE
EXDATE;TZID=Europe/Berlin:20270303T090000,20270308T090000
ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION:mailto:bob@example.test
ATTENDEE;CN=Carol:mailto:carol@example.test
SUMMARY:A long summary that will stand on more than one line in the other fi
 le
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Reminder
TRIGGER:-PT15M
END:VALARM
BEGIN:VALARM
ACTION:AUDIO
TRIGGER:-PT1H
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:series@example.test
DTSTAMP:20270101T000000Z
RECURRENCE-ID;TZID=Europe/Berlin:20270310T090000
DTSTART;TZID=Europe/Berlin:20270310T100000
END:VEVENT
`))
	// The same meeting, told by another program.
	same := file("same.ics", calendar(`BEGIN:VEVENT
UID:series@example.test
DTSTART;TZID=W. Europe Standard Time:20270310T100000
DTSTAMP:20270101T000000Z
RECURRENCE-ID:20270310T080000Z
END:VEVENT
`+head+`SUMMARY:A long summary that will stand on more than one line in the other file
TRANSP:OPAQUE
SEQUENCE:0
EXDATE;TZID=Europe/Berlin:20270308T090000
EXDATE;TZID=Europe/Berlin:20270303T090000
ATTENDEE;CN=Carol;ROLE=REQ-PARTICIPANT:MAILTO:carol@example.test
ATTENDEE;CN="Bob":mailto:bob@example.test
RRULE:FREQ=WEEKLY;WKST=MO;INTERVAL=1;BYDAY=WE,MO
DTSTART;TZID=Europe/Berlin:20270301T090000
BEGIN:VALARM
TRIGGER:-PT60M
ACTION:AUDIO
END:VALARM
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Reminder
TRIGGER:-PT900S
END:VALARM
END:VEVENT
`))
	changed := file("changed.ics", calendar(head+`DTSTART;TZID=Europe/Berlin:20270301T093000
RRULE:FREQ=WEEKLY;BYDAY=MO,WE
EXDATE;TZID=Europe/Berlin:20270303T090000
ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.test
LOCATION:Blue room\n
SUMMARY:A long summary that will stand on more than one line in the other file
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Reminder
TRIGGER:-PT15M
END:VALARM
END:VEVENT
BEGIN:VTODO
UID:todo@example.test
DTSTAMP:20270101T000000Z
END:VTODO
`))
	for _, tt := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{a, a}, 0, ""},
		{[]string{a, same}, 0, ""},
		{[]string{same, a}, 0, ""},
		{[]string{a, changed}, 1, `- VEVENT series@example.test: ATTENDEE;CN=Carol:mailto:carol@example.test
~ VEVENT series@example.test: ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION:mailto:bob@example.test -> ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.test
~ VEVENT series@example.test: DTSTART;TZID=Europe/Berlin:20270301T090000 -> DTSTART;TZID=Europe/Berlin:20270301T093000
- VEVENT series@example.test: EXDATE;TZID=Europe/Berlin:20270308T090000
+ VEVENT series@example.test: LOCATION:Blue room\n
- VEVENT/VALARM
- VEVENT series@example.test 20270310T090000
+ VTODO todo@example.test
`},
		{[]string{"--ignore", "attendee,DTSTART,EXDATE,LOCATION", "--ignore=RECURRENCE-ID", a, changed}, 1,
			"- VEVENT/VALARM\n- VEVENT series@example.test 20270310T090000\n+ VTODO todo@example.test\n"},
		{[]string{a, filepath.Join(dir, "absent.ics")}, 2, ""},
		{[]string{a, file("no.ics", "no calendar\n")}, 2, ""},
		{[]string{"-", "-"}, 2, ""},
		{[]string{a}, 2, ""},
	} {
		out, errs, status := run(t, "", append([]string{"ical", "diff"}, tt.args...)...)
		// Lines of one component and property have no order of their own.
		if status != tt.status || sortedLines(out) != sortedLines(tt.want) && !(status == 2 && errs != "") {
			t.Errorf("%v: status %d, want %d, %s\n%s\nwant\n%s", tt.args, status, tt.status, errs, out, tt.want)
		}
	}
	empty := file("empty.ics", calendar(head+"DTSTART:\nRECURRENCE-ID:\nEND:VEVENT\n"))
	if out, errs, status := run(t, "", "ical", "diff", a, empty); status != 1 || !strings.Contains(out, "+ VEVENT series@example.test: RECURRENCE-ID:\n") {
		t.Errorf("values that are empty: status %d, %s%s", status, out, errs)
	}
	stdin, err := os.ReadFile(changed)
	if err != nil {
		t.Fatal(err)
	}
	out, errs, status := run(t, string(stdin), "ical", "diff", "--json", a, "-")
	var first map[string]string
	line, _, _ := strings.Cut(out, "\n")
	if err := json.Unmarshal([]byte(line), &first); err != nil || status != 1 || first["component"] != "VEVENT" || first["change"] == "" {
		t.Errorf("--json: status %d, %v, %s%s", status, err, out, errs)
	}
}

func sortedLines(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
