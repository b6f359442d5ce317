package ical_test

import (
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
)

func parse(t *testing.T, text string) *ical.Calendar {
	t.Helper()
	c, err := ical.Parse([]byte(text))
	if err != nil {
		t.Fatalf("parse %q: %v", text, err)
	}
	if got := string(c.Bytes()); got != text {
		t.Fatalf("parse then Bytes: got %q want %q", got, text)
	}
	return c
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// event wraps lines in a VEVENT in a VCALENDAR.
func event(lines string) string {
	return crlf("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\nBEGIN:VEVENT\n" + lines + "END:VEVENT\nEND:VCALENDAR\n")
}

// A change touches only its own lines.
func TestChangeKeepsOtherOctets(t *testing.T) {
	c := parse(t, event("UID:1\nDESCRIPTION:a fol\n ded line\nX-ODD;A=b:c\nSUMMARY:old\nX-LAST:1\n"))
	e := c.Components[0]
	e.SetText("SUMMARY", "new; with, marks\nand lines")
	e.Remove("X-LAST")
	e.Add(ical.NewText("LOCATION", strings.Repeat("ü", 60)))
	want := event("UID:1\nDESCRIPTION:a fol\n ded line\nX-ODD;A=b:c\nSUMMARY:new\\; with\\, marks\\nand lines\n" +
		"LOCATION:" + strings.Repeat("ü", 33) + "\n " + strings.Repeat("ü", 27) + "\n")
	if got := string(c.Bytes()); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := e.Value("DESCRIPTION"); got != "a folded line" {
		t.Errorf("DESCRIPTION = %q", got)
	}
}

// What lenient reading puts right, by rule of the table LEN.
func TestRepairs(t *testing.T) {
	for _, tt := range []struct{ rule, line, name, want string }{
		{"LEN-02", "DTSTART:20240131", "DTSTART", "DTSTART;VALUE=DATE:20240131"},
		{"LEN-02", "DTSTART;TZID=Europe/Berlin:20240131", "DTSTART", "DTSTART;VALUE=DATE;TZID=Europe/Berlin:20240131"},
		{"LEN-02", "DTSTART:2024-01-31T10:00:00.000Z", "DTSTART", "DTSTART:20240131T100000Z"},
		{"LEN-02", "DTSTART:20240131T100000ZZ", "DTSTART", "DTSTART:20240131T100000Z"},
		{"LEN-02", "DTSTART:20240131T10", "DTSTART", "DTSTART:20240131T100000"},
		{"LEN-02", "DTEND:19970701T2100000Z", "DTEND", "DTEND:19970701T210000Z"},
		{"LEN-02", "DTEND:199700819T220000Z", "DTEND", "DTEND:19970819T220000Z"},
		{"LEN-02", "DTSTART: 20240131T100000 ", "DTSTART", "DTSTART:20240131T100000"},
		{"LEN-02", "DTSTART:2024-01-31T10:00:00+02:00", "DTSTART", "DTSTART:20240131T080000Z"},
		{"LEN-02", "EXDATE:20240131T100000Z,2024-02-01T10:00:00Z", "EXDATE", "EXDATE:20240131T100000Z,20240201T100000Z"},
		{"LEN-02", "DTSTAMP:20240131T100000", "DTSTAMP", "DTSTAMP:20240131T100000Z"},
		{"LEN-03", "RECURRENCE-ID;TZID=Etc/GMT:20150902T133000Z", "RECURRENCE-ID", "RECURRENCE-ID:20150902T133000Z"},
		{"LEN-08", "ATTENDEE;ATTSTAT=ACCEPTED;TYPE=ROOM;RSVP=YES:mailto:a@b", "ATTENDEE", "ATTENDEE;PARTSTAT=ACCEPTED;CUTYPE=ROOM;RSVP=TRUE:mailto:a@b"},
		{"LEN-08", "ATTENDEE;STATUS=ACCEPTED:mailto:a@b", "ATTENDEE", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b"},
		{"LEN-08", "RECURRENCE-ID;THISANDFUTURE:20150902T133000Z", "RECURRENCE-ID", "RECURRENCE-ID;RANGE=THISANDFUTURE:20150902T133000Z"},
		{"LEN-08", "STATUS:NEEDS ACTION", "STATUS", "STATUS:NEEDS-ACTION"},
		{"LEN-08", "PROFILE:REQUEST", "METHOD", "METHOD:REQUEST"},
		{"LEN-08", "PROFILE:;", "METHOD", "METHOD:;"},
		{"LEN-09", "ATTENDEE:foo1@example.com", "ATTENDEE", "ATTENDEE:mailto:foo1@example.com"},
		{"LEN-09", "ATTENDEE:mailto:mailto:a@b", "ATTENDEE", "ATTENDEE:mailto:a@b"},
		{"LEN-09", "ATTENDEE:<a@b>", "ATTENDEE", "ATTENDEE:mailto:a@b"},
		{"LEN-09", "ATTENDEE;CUTYPE=INDIVIDUAL;mailto:a@b", "ATTENDEE", "ATTENDEE;CUTYPE=INDIVIDUAL:mailto:a@b"},
		{"LEN-12", "SEQUENCE:-1", "SEQUENCE", "SEQUENCE:0"},
		{"LEN-12", "SEQUENCE:99999999999", "SEQUENCE", "SEQUENCE:2147483647"},
		{"LEN-01", `ATTENDEE;CN="Foo:mailto:a@b"`, "ATTENDEE", "ATTENDEE;CN=Foo:mailto:a@b"},
		{"LEN-01", `DTSTART;TZID="(UTC+01:00) Berlin:20260102T030405"`, "DTSTART", `DTSTART;TZID="(UTC+01:00) Berlin":20260102T030405`},
		{"LEN-01", `ATTENDEE;CN="Foo:mailto:a@b`, "ATTENDEE", "ATTENDEE;CN=Foo:mailto:a@b"},
	} {
		c := parse(t, event(tt.line+"\n"))
		p := c.Components[0].Prop(tt.name)
		if p == nil {
			t.Errorf("%s: no %s", tt.line, tt.name)
			continue
		}
		if !p.Repaired() || len(c.Repairs) == 0 || c.Repairs[0].Rule != tt.rule || c.Repairs[0].Line != 5 {
			t.Errorf("%s: repairs %v, want %s", tt.line, c.Repairs, tt.rule)
		}
		c.Normalize()
		if got, want := string(c.Bytes()), event(tt.want+"\n"); got != want {
			t.Errorf("%s: normalized %q want %q", tt.line, got, want)
		}
	}
}

// RFC 5545 3.1: a fold may stand anywhere; LEN-01: lines that lost their fold,
// raw line breaks, blank lines, indentation, other line ends.
func TestLines(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"fold in the name", "BEGIN:VCALENDAR\nSUMMARY:x\nDESC\n RIPTION:a\nEND:VCALENDAR\n", "SUMMARY=x|DESCRIPTION=a"},
		{"fold by a tab", "BEGIN:VCALENDAR\nSUMMARY:x\n\ty\nEND:VCALENDAR\n", "SUMMARY=xy"},
		{"empty fold", "BEGIN:VCALENDAR\nSUMMARY:x\n \n y\nEND:VCALENDAR\n", "SUMMARY=xy"},
		{"blank line inside a fold", "BEGIN:VCALENDAR\nSUMMARY:x\n\n y\nEND:VCALENDAR\n", "SUMMARY=xy"},
		{"blank line before the colon", "BEGIN:VCALENDAR\nSUMMARY\n\n :x\n\n y\nEND:VCALENDAR\n", "SUMMARY=xy"},
		{"raw line break in a text", "BEGIN:VCALENDAR\nDESCRIPTION:x\nsee\nhttps://example.com/\n\nbye\nUID:1\nEND:VCALENDAR\n", "DESCRIPTION=x\\nsee\\nhttps://example.com/\\nbye|UID=1"},
		{"a fold that lost its blank", "BEGIN:VCALENDAR\nX:" + strings.Repeat("a", 73) + "\nbbb\nEND:VCALENDAR\n", "X=" + strings.Repeat("a", 73) + "bbb"},
		{"a value that starts with slashes", "BEGIN:VCALENDAR\nDESCRIPTION://x\nEND:VCALENDAR\n", "DESCRIPTION=//x"},
		{"CR only", "BEGIN:VCALENDAR\rUID:1\rSUMMARY:x\r y\rEND:VCALENDAR\r", "UID=1|SUMMARY=xy"},
		{"CR CR LF", "BEGIN:VCALENDAR\r\r\nUID:1\r\r\nEND:VCALENDAR\r\r\n", "UID=1"},
		{"indented", "  BEGIN:VCALENDAR\n  SUMMARY:x\n   y\n  UID:1\n  END:VCALENDAR\n", "SUMMARY=xy|UID=1"},
		{"no line end at the end", "BEGIN:VCALENDAR\r\nUID:1\r\nEND:VCALENDAR", "UID=1"},
		{"no END", "BEGIN:VCALENDAR\r\nUID:1\r\n", "UID=1"},
		{"lower case", "begin:vcalendar\nuid:1\nend:vcalendar\n", "UID=1"},
		{"a byte order mark, mail around", "\ufeffBEGIN:VCALENDAR\nUID:1\nEND:VCALENDAR\n\n-- \nAnn\n", "UID=1"},
		{"quoted-printable", "BEGIN:VCALENDAR\nNOTE;ENCODING=QUOTED-PRINTABLE:a=\n=20b=\nc\nUID:1\nEND:VCALENDAR\n", "NOTE=a=20bc|UID=1"},
	} {
		c := parse(t, tt.text)
		var got []string
		for _, p := range c.Properties {
			got = append(got, p.Name()+"="+p.Value())
		}
		if s := strings.Join(got, "|"); s != tt.want {
			t.Errorf("%s: got %q want %q", tt.name, s, tt.want)
		}
	}
}

// BEGIN and END that do not match.
func TestStructure(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:1\nEND:VEVENT\nX:1\nEND:VCALENDAR\n", "VCALENDAR(VTODO)"},
		{"BEGIN:VCALENDAR\nBEGIN:VEVENT\nBEGIN:VALARM\nEND:VEVENT\nX:1\nEND:VCALENDAR\n", "VCALENDAR(VEVENT(VALARM))"},
		{"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VALARM\nX:1\nEND:VEVENT\nEND:VCALENDAR\n", "VCALENDAR(VEVENT)"},
		{"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nBEGIN:VEVENT\nUID:2\nEND:VEVENT\nEND:VCALENDAR\n", "VCALENDAR(VEVENT VEVENT)"},
		{"BEGIN:VCALENDAR\nEND:VEVENT\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n", "VCALENDAR(VEVENT)"},
		{"BEGIN:VEVENT\nUID:1\nEND:VEVENT\nBEGIN:VEVENT\nEND:VEVENT\n", "VCALENDAR(VEVENT VEVENT)"},
		{"BEGIN:VCALENDAR\nBEGIN:X-A\nBEGIN:VEVENT\nEND:VEVENT\nEND:X-A\nEND:VCALENDAR\n", "VCALENDAR(X-A(VEVENT))"},
	} {
		c := parse(t, tt.text)
		var show func(c *ical.Component) string
		show = func(c *ical.Component) string {
			s := c.Name
			var in []string
			for _, sub := range c.Components {
				in = append(in, show(sub))
			}
			if in != nil {
				s += "(" + strings.Join(in, " ") + ")"
			}
			return s
		}
		if got := show(&c.Component); got != tt.want {
			t.Errorf("%q: got %s want %s", tt.text, got, tt.want)
		}
		// A change writes what was missing.
		c.SetText("X-NEW", "1")
		again, err := ical.Parse(c.Bytes())
		if err != nil || show(&again.Component) != tt.want {
			t.Errorf("%q changed: %q, %v", tt.text, c.Bytes(), err)
		}
	}
}
