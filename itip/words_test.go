package itip_test

import (
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/itip"
)

func zone(t *testing.T, name string) *tz.Zone {
	t.Helper()
	if name == "" {
		return nil
	}
	z, err := tz.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestSummarizeSaysWhen(t *testing.T) {
	for _, c := range []struct{ name, lines, zone, when, repeats, occurrence string }{
		{"in its own zone", "DTSTART;TZID=Europe/Berlin:20260702T100000\nDTEND;TZID=Europe/Berlin:20260702T110000", "",
			"Thursday, 2 July 2026, 10:00 – 11:00 (Europe/Berlin, UTC+02:00)", "", ""},
		{"in the reader's zone, on the day before", "DTSTART:20260702T030000Z\nDURATION:PT90M", "America/New_York",
			"Wednesday, 1 July 2026, 23:00 – Thursday, 2 July 2026, 00:30 (America/New_York, UTC-04:00)", "", ""},
		{"UTC", "DTSTART:20260702T030000Z", "", "Thursday, 2 July 2026, 03:00 (UTC)", "", ""},
		{"half-hour zone", "DTSTART:20260702T030000Z", "Asia/Kolkata", "Thursday, 2 July 2026, 08:30 (Asia/Kolkata, UTC+05:30)", "", ""},
		{"all day", "DTSTART;VALUE=DATE:20260702\nDTEND;VALUE=DATE:20260703", "Asia/Tokyo", "Thursday, 2 July 2026 (all day)", "", ""},
		{"all day without end", "DTSTART;VALUE=DATE:20260702", "", "Thursday, 2 July 2026 (all day)", "", ""},
		{"several days", "DTSTART;VALUE=DATE:20260702\nDTEND;VALUE=DATE:20260705", "", "Thursday, 2 July 2026 – Saturday, 4 July 2026 (all day)", "", ""},
		{"over a change of clocks", "DTSTART;TZID=Europe/Berlin:20260329T013000\nDTEND;TZID=Europe/Berlin:20260329T033000", "",
			"Sunday, 29 March 2026, 01:30 – 03:30 (Europe/Berlin, UTC+01:00), ending in UTC+02:00", "", ""},
		{"occurrence", "DTSTART;TZID=Europe/Berlin:20260702T100000\nRECURRENCE-ID;TZID=Europe/Berlin:20260701T090000", "",
			"Thursday, 2 July 2026, 10:00 (Europe/Berlin, UTC+02:00)", "", "Wednesday, 1 July 2026, 09:00 (Europe/Berlin, UTC+02:00)"},
		{"to-do with a due date", "DUE:20260702T100000Z", "", "Thursday, 2 July 2026, 10:00 (UTC)", "", ""},
	} {
		cal := read(t, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//T//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:A\\, b\r\nLOCATION:Here\\; there\r\n"+
			"ORGANIZER;CN=Ann Example:mailto:ann@one.test\r\nATTENDEE:mailto:bob@two.test\r\n"+strings.ReplaceAll(c.lines, "\n", "\r\n")+"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
		s := itip.Summarize(cal, zone(t, c.zone))
		if s.When != c.when || s.Occurrence != c.occurrence {
			t.Errorf("%s: When %q, want %q; Occurrence %q, want %q", c.name, s.When, c.when, s.Occurrence, c.occurrence)
		}
		if s.Title != "A, b" || s.Where != "Here; there" || s.Organizer != "Ann Example <ann@one.test>" || len(s.Attendees) != 1 {
			t.Errorf("%s: %+v", c.name, s)
		}
	}
	s := itip.Summarize(read(t, "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260702T100000Z\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"), nil)
	if s.Repeats == "" {
		t.Error("a series has no sentence on how it repeats")
	}
}

func TestDifferenceInWords(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	for _, c := range []struct {
		d               itip.Difference
		label, old, new string
		sentence        string
	}{
		{itip.Difference{Property: "DTSTART", Old: "20260303T090000Z", New: "20260303T100000Z"}, "When", "Tuesday, 3 March 2026, 10:00 (Europe/Berlin, UTC+01:00)", "Tuesday, 3 March 2026, 11:00 (Europe/Berlin, UTC+01:00)",
			"moved from Tuesday, 3 March 2026, 10:00 (Europe/Berlin, UTC+01:00) to 11:00"},
		{itip.Difference{Property: "LOCATION", Old: "A", New: "B"}, "Where", "A", "B", "the place changed from A to B"},
		{itip.Difference{Property: "LOCATION", New: "B"}, "Where", "", "B", "the place is now B"},
		{itip.Difference{Property: "LOCATION", Old: "A"}, "Where", "A", "", "the place (A) removed"},
		{itip.Difference{Property: "ATTENDEE", New: "Bob"}, "Guests", "", "Bob", "Bob added"},
		{itip.Difference{Property: "ATTENDEE", Old: "Bob", RecurrenceID: "20260303"}, "Guests (Tuesday, 3 March 2026)", "Bob", "", "Bob removed from the occurrence of Tuesday, 3 March 2026"},
		{itip.Difference{Property: "PARTSTAT", Old: "NEEDS-ACTION", New: "ACCEPTED"}, "Answer", "not answered", "accepted", "an answer changed from not answered to accepted"},
		{itip.Difference{Property: "EXDATE", New: "20260303"}, "Not taking place", "", "Tuesday, 3 March 2026", "does not take place on Tuesday, 3 March 2026"},
		{itip.Difference{Property: "STATUS", New: "CANCELLED"}, "Status", "", "cancelled", "is now cancelled"},
		{itip.Difference{Property: "RRULE", New: "Every week"}, "Repeats", "once", "Every week", "how it repeats changed from once to Every week"},
	} {
		label, old, new := c.d.Words(berlin)
		if label != c.label || old != c.old || new != c.new {
			t.Errorf("%+v: %q, %q, %q; want %q, %q, %q", c.d, label, old, new, c.label, c.old, c.new)
		}
		if got := c.d.Sentence(berlin); got != c.sentence {
			t.Errorf("%+v: %q, want %q", c.d, got, c.sentence)
		}
	}
}

// A reader's own language, order of words and manner of dates.
func TestReader(t *testing.T) {
	berlin, err := tz.Load("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	german := map[string]string{
		"Monday, 2 January 2006":        "Monday, 2. January 2006",
		"Monday, 2 January 2006, 15:04": "Monday, 2. January 2006, 15.04 Uhr",
		"15:04":                         "15.04 Uhr", "Tuesday": "Dienstag", "March": "März",
		"moved from %[1]s to %[2]s": "verschoben von %[1]s auf %[2]s", "%[1]s added": "neu dabei: %[1]s",
		"%[1]s changed from %[2]s to %[3]s": "%[1]s: %[3]s statt %[2]s", "the place": "der Ort",
	}
	r := itip.Reader{Zone: berlin, Translate: func(s string) string {
		if d, ok := german[s]; ok {
			return d
		}
		return s
	}}
	list := []itip.Difference{
		{Property: "DTSTART", Old: "20260303T090000Z", New: "20260303T100000Z"},
		{Property: "DTEND", Old: "20260303T100000Z", New: "20260303T110000Z"},
		{Property: "ATTENDEE", New: "Bob"},
		{Property: "LOCATION", Old: "hier", New: "dort"},
	}
	want := "Verschoben von Dienstag, 3. März 2026, 10.00 Uhr (Europe/Berlin, UTC+01:00) auf 11.00 Uhr; neu dabei: Bob; der Ort: dort statt hier."
	if got := r.Summary(list); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	want = "Moved from Tuesday, 3 March 2026, 10:00 (Europe/Berlin, UTC+01:00) to 11:00; Bob added; the place changed from hier to dort."
	if got := (itip.Reader{Zone: berlin}).Summary(list); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := r.Summary(nil); got != "" {
		t.Errorf("nothing changed, and it says %q", got)
	}
}
