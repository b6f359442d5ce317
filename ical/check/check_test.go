package check_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/check"
	"github.com/convene-cal/convene/internal/harness/shared"
)

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

const head = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n"

const zone = "BEGIN:VTIMEZONE\nTZID:Z\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\n"

func event(lines string) string {
	return head + zone + "BEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\n" + lines + "END:VEVENT\nEND:VCALENDAR\n"
}

const start = "DTSTART:20260102T030405Z\n"

func rules(list []check.Finding) []string {
	out := []string{}
	for _, f := range list {
		r := f.Rule
		if f.Severity == check.Warning {
			r += "?"
		}
		out = append(out, r)
	}
	return out
}

// Each breach has a rule, at its place; "?" marks a warning.
func TestBreaches(t *testing.T) {
	lineOf := func(text, part string) (line, column int) {
		i := strings.Index(text, part)
		return 1 + strings.Count(text[:i], "\n"), i - strings.LastIndexByte(text[:i], '\n')
	}
	for _, tt := range []struct{ text, want, at string }{
		{event(start), "", ""},
		{event("DTSTART;TZID=Z:20261025T030405\nDTEND;TZID=Z:20261025T040405\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10;UNTIL=20300101T000000Z\n"), "", ""},
		{event("DTSTART;VALUE=DATE:20260102\nDURATION:P1D\nEXDATE;VALUE=DATE:20260103,20260104\n"), "", ""},
		{event(start + "ATTENDEE;CN=\"a;b\";RSVP=TRUE;DELEGATED-TO=\"mailto:c@d\",\"x:e\":mailto:a@b\nORGANIZER:mailto:a@b\n"), "", ""},
		{event(start + "X-ANY;X-P=1:a;b,c\\x\n"), "", ""},
		// Lines
		{event(start + "SUMMARY:" + strings.Repeat("a", 80) + "\n"), "line-length?", "aaaaa\nEND:VEVENT"},
		{event(start + "SUMMARY:a\x01b\n"), "control", "\x01"},
		{event(start + "SUMMARY:a\xffb\n"), "utf-8", "\xff"},
		{event(start + "\nSUMMARY:a\n"), "blank-line", "\nSUMMARY"},
		{event(start + "SUM_MARY:a\n"), "unknown-property? name", ""},
		{event(start + "ATTACH;FMTTYPE:a:b\n"), "parameter-syntax", ":a:b"},
		{event(start + "SUMMARY;ALTREP=\"http://x:a\n"), "parameter-quote", "\"http"},
		{event(start + "SUMMARY;LANGUAGE=e\"n:a\n"), "parameter-quote", "\"n"},
		// Parameters
		{event(start + "SUMMARY;LANGUAGE=en;LANGUAGE=de:a\n"), "parameter-twice", "LANGUAGE=de"},
		{event(start + "SUMMARY;ALTREP=http:a\n"), "parameter-quote", "http:a"},
		{event(start + "SUMMARY;LANGUAGE=en_US:a\n"), "parameter-value", "en_US"},
		{event(start + "SUMMARY;RSVP=TRUE:a\n"), "parameter-place?", "RSVP"},
		{event(start + "ORGANIZER:mailto:a@b\nATTENDEE;RSVP=YES:mailto:a@b\n"), "parameter-value", "YES"},
		{event(start + "ORGANIZER:mailto:a@b\nATTENDEE;PARTSTAT=COMPLETED:mailto:a@b\n"), "parameter-value", "COMPLETED"},
		{event(start + "ORGANIZER:mailto:a@b\nATTENDEE;ATTSTAT=DECLINED:mailto:a@b\n"), "unknown-parameter?", "ATTSTAT"},
		// Values
		{event("DTSTART:20260102\n"), "value", "20260102\nEND"},
		{event("DTSTART;VALUE=DATE:20260230\n"), "value", "20260230"},
		{event("DTSTART:2026-01-02T03:04:05Z\n"), "value", "2026-01-02T"},
		{event("DTSTART:20260102T240000Z\n"), "value", "20260102T24"},
		{event("DTSTART;VALUE=PERIOD:20260102T030405Z/PT1H\n"), "value-type", "PERIOD"},
		{event(start + "CREATED:20260102T030405\n"), "utc", "20260102T030405\nEND"},
		{event(start + "DURATION:1H\n"), "value", "1H"},
		{event(start + "DURATION:-PT1H\n"), "value", "-PT1H"},
		{event(start + "PRIORITY:10\n"), "range", "10\n"},
		{event(start + "SEQUENCE:-1\n"), "range", "-1"},
		{event(start + "GEO:1,2\n"), "value", "1,2"},
		{event(start + "URL:no scheme\n"), "value", "no scheme"},
		{event(start + "SUMMARY:a,b\n"), "value", "a,b"},
		{event(start + "SUMMARY:a\\tb\n"), "value", "a\\tb"},
		{event(start + "CATEGORIES:a,b\\,c\n"), "", ""},
		{event(start + "ORGANIZER:ann@example.com\n"), "value", "ann@"},
		{event(start + "STATUS:DONE\n"), "value", "DONE"},
		{event(start + "STATUS:COMPLETED\n"), "value", "COMPLETED"},
		{event(start + "TRANSP:BUSY\n"), "value", "BUSY"},
		{event(start + "ATTACH;VALUE=BINARY;ENCODING=BASE64:AAA\n"), "value", "AAA\n"},
		{event(start + "ATTACH;VALUE=BINARY:AAAA\n"), "encoding", "AAAA"},
		{event(start + "IMAGE:http://example.com/\n"), "value-type", "http"},
		{event(start + "REQUEST-STATUS:OK\n"), "value", "OK\n"},
		// Rules
		{event(start + "RRULE:COUNT=1\n"), "rule", "COUNT"},
		{event(start + "RRULE:FREQ=DAILY;COUNT=1;UNTIL=20270101T000000Z\n"), "rule", "FREQ"},
		{event(start + "RRULE:FREQ=DAILY;COUNT=0\n"), "rule", "COUNT"},
		{event(start + "RRULE:FREQ=DAILY;BYDAY=1MO\n"), "rule", "BYDAY"},
		{event(start + "RRULE:FREQ=WEEKLY;BYMONTHDAY=1\n"), "rule", "BYMONTHDAY"},
		{event(start + "RRULE:FREQ=MONTHLY;BYWEEKNO=1\n"), "rule", "BYWEEKNO"},
		{event(start + "RRULE:FREQ=MONTHLY;BYSETPOS=1\n"), "rule", "FREQ"},
		{event(start + "RRULE:FREQ=MONTHLY;BYMONTHDAY=0\n"), "rule", "BYMONTHDAY"},
		{event(start + "RRULE:FREQ=MONTHLY;SKIP=OMIT\n"), "rule", "FREQ"},
		{event(start + "RRULE:FREQ=MONTHLY;FREQ=DAILY;\n"), "rule rule", "FREQ=DAILY"},
		{event(start + "RRULE:FREQ=DAILY;BYEASTER=1\n"), "rule", "BYEASTER"},
		{event(start + "RRULE:FREQ=DAILY;UNTIL=20270101\n"), "until-type", "UNTIL"},
		{event("DTSTART:20260102T030405\nRRULE:FREQ=DAILY;UNTIL=20270101T000000Z\n"), "until-type", "UNTIL"},
		{event("DTSTART;TZID=Z:20260102T030405\nRRULE:FREQ=DAILY;UNTIL=20270101T000000\n"), "until-type", "UNTIL"},
		{event("DTSTART;VALUE=DATE:20260102\nRRULE:FREQ=DAILY;BYHOUR=1\n"), "rule", "FREQ"},
		{event(start + "RRULE:COUNT=1;FREQ=DAILY\n"), "rule-order", "COUNT"},
		{event("DTSTART:20260131T030405Z\nRRULE:RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=FORWARD\n"), "", ""},
		{event("DTSTART:20260131T030405Z\nRRULE:RSCALE=CHINESE;FREQ=YEARLY\n"), "rule-calendar?", "RSCALE"},
		{event("DTSTART:20260131T030405Z\nRRULE:RSCALE=HEBREW;FREQ=YEARLY\n"), "", ""},
		{event(start + "RRULE:FREQ=DAILY;UNTIL=20250101T000000Z\n"), "until-before-start?", "FREQ"},
		{event(start + "RRULE:FREQ=WEEKLY;BYDAY=MO\n"), "start-not-in-rule?", "FREQ"},
		{event(start + "RRULE:FREQ=WEEKLY;BYDAY=MO,FR\nRRULE:FREQ=DAILY\n"), "twice?", "RRULE:FREQ=DAILY"},
		{event(start + "EXRULE:FREQ=WEEKLY\n"), "deprecated?", "EXRULE"},
		{event(start + "RDATE;VALUE=DATE:20260103\n"), "date-type?", "20260103"},
		// What goes together
		{event(start + "CLASS:SECRET\n"), "unknown-value?", "SECRET"},
		{event(start + "CLASS:X-SECRET\nCOLOR:Turquoise\nGEO:-90;180.0\n"), "", ""},
		{event(start + "COLOR:#ffffff\n"), "value", "#fff"},
		{event(start + "GEO:91;1\n"), "range", "91"},
		{event(start + "ATTACH;FMTTYPE=text:http://example.com/\n"), "parameter-value", "text:"},
		{event(start + "ORGANIZER;SENT-BY=\"http://example.com/\":mailto:a@b\n"), "parameter-value", "\"http"},
		{event(start + "LINK;VALUE=URI:http://example.com/\n"), "parameter-missing", "LINK"},
		{event(start + "STRUCTURED-DATA;VALUE=TEXT;FMTTYPE=application/json:{}\n"), "parameter-missing", "STRUCTURED"},
		{event(start + "STYLED-DESCRIPTION;VALUE=TEXT:a\nSTYLED-DESCRIPTION;VALUE=TEXT:b\n"), "derived", "STYLED-DESCRIPTION;VALUE=TEXT:b"},
		{event(start + "STYLED-DESCRIPTION;VALUE=TEXT:a\nDESCRIPTION:b\n"), "derived?", "DESCRIPTION:b"},
		{event(start + "CATEGORIES;ORDER=0:a\n"), "parameter-value", "0:a"},
		{strings.Replace(event(start), "UID:1", "UID:", 1), "value", "\nDTSTAMP"},
		{strings.ReplaceAll(strings.ReplaceAll(event("DTSTART:20260102T000000\nDTEND:20260103T000000Z\nFREEBUSY:20260102T030000Z/PT1H,20260102T010000Z/20260102T020000\n"), "VEVENT", "VFREEBUSY"), zone, ""), "utc end-type utc free-busy-order?", "20260102T000000"},
		{strings.ReplaceAll(event(start+"ORGANIZER:mailto:a@b\nATTENDEE;ROLE=CHAIR:mailto:a@b\n"), "VEVENT", "VFREEBUSY"), "parameter-place", "ROLE"},
		{strings.ReplaceAll(event("DTSTART;VALUE=DATE:20260102\nBUSYTYPE:FREE\n"), "VEVENT", "VAVAILABILITY"), "time-form unknown-value?", "20260102"},
		{strings.ReplaceAll(event("RRULE:FREQ=DAILY\n"), "VEVENT", "VJOURNAL"), "rule-without-start", "RRULE"},
		{strings.ReplaceAll(event("RRULE:FREQ=DAILY\n"), "VEVENT", "VTODO"), "rule-without-start", "RRULE"},
		{strings.ReplaceAll(event("DURATION:PT1H\n"), "VEVENT", "VTODO"), "duration-without-start", "DURATION"},
		{event(start + "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:a\nSUMMARY:b\nTRIGGER:-PT5M\nEND:VALARM\n"), "property-place?", "SUMMARY"},
		{event(start + "BEGIN:VALARM\nACTION:PROCEDURE\nTRIGGER:-PT5M\nEND:VALARM\n"), "unknown-value?", "PROCEDURE"},
		{event(start + "BEGIN:VALARM\nACTION:AUDIO\nTRIGGER:-PT5M\nPROXIMITY:ARRIVE\nEND:VALARM\n"), "missing", "ARRIVE"},
		{event(start + "BEGIN:VALARM\nACTION:AUDIO\nTRIGGER;RELATED=END:-PT5M\nEND:VALARM\n"), "", ""},
		{strings.ReplaceAll(event("BEGIN:VALARM\nACTION:AUDIO\nTRIGGER;RELATED=END:-PT5M\nEND:VALARM\n"), "VEVENT", "VTODO"), "trigger", "END:-PT5M"},
		{strings.Replace(event(start+"END:VEVENT\nBEGIN:VTODO\nUID:1\nDTSTAMP:20260101T000000Z\n"), "END:VEVENT\nEND:VCALENDAR", "END:VTODO\nEND:VCALENDAR", 1), "uid-shared?", "BEGIN:VTODO"},
		{event("DTSTART;TZID=Late:20260102T030405\nEND:VEVENT\nBEGIN:VTIMEZONE\nTZID:Late\nBEGIN:STANDARD\nDTSTART:19700101T000000Z\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;UNTIL=19800101T000000\nRDATE:19710101T000000\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:2\nDTSTAMP:20260101T000000Z\n" + start), "zone-start until-type zone-rule-and-dates?", "19700101T000000Z"},
		{event(start + "BEGIN:X-PART\nEND:X-PART\nBEGIN:VNEW\nEND:VNEW\n"), "unknown-component?", "BEGIN:VNEW"},
		{event(start + "X-P\n"), "structure", ""},
		{event("DTSTART;VALUE=DATE:20260102\nDURATION:PT1H\n"), "duration", "PT1H"},
		{event(start + "RECURRENCE-ID:20260102T030405Z\nRRULE:FREQ=DAILY\n"), "override-recurs?", ""},
		// Components
		{event(start + start), "twice", "DTSTART:20260102T030405Z\nEND"},
		{event(""), "missing", "BEGIN:VEVENT"},
		{event(start + "DUE:20260103T000000Z\n"), "property-place?", "DUE"},
		{event(start + "DTEND:20260103T000000Z\nDURATION:PT1H\n"), "end-and-duration", "DTEND"},
		{event(start + "DTEND:20260102T030405Z\n"), "end-before-start", "20260102T030405Z\nEND"},
		{event(start + "DTEND;VALUE=DATE:20260103\n"), "end-type", "20260103"},
		{event(start + "DTEND:20260103T000000\n"), "end-type", "20260103"},
		{event("DTSTART;TZID=Nowhere:20260102T030405\n"), "tzid-without-zone", "Nowhere"},
		{event("DTSTART;TZID=Z:20260102T030405Z\n"), "tzid", "Z:2026"},
		{event("DTSTART;TZID=Z;VALUE=DATE:20260102\n"), "tzid", "Z;VALUE"},
		{event(start + "ATTENDEE:mailto:a@b\n"), "organizer-missing", "ATTENDEE"},
		{event(start + "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nEND:VALARM\n"), "missing", "BEGIN:VALARM"},
		{event(start + "BEGIN:VALARM\nACTION:AUDIO\nTRIGGER:-PT5M\nREPEAT:2\nEND:VALARM\n"), "missing", "BEGIN:VALARM"},
		{event(start + "BEGIN:VALARM\nACTION:AUDIO\nTRIGGER;VALUE=DATE-TIME:20260101T000000\nEND:VALARM\n"), "utc", "20260101T000000\n"},
		{event(start + "BEGIN:VALARM\nACTION:AUDIO\nTRIGGER:-PT5M\nEND:VALARM\nSUMMARY:late\n"), "order", "SUMMARY"},
		{event(start + "BEGIN:DAYLIGHT\nDTSTART:19700101T000000\nTZOFFSETFROM:-0000\nTZOFFSETTO:+01:00\nEND:DAYLIGHT\n"), "component-place value value", "BEGIN:DAYLIGHT"},
		{head + "END:VCALENDAR\n", "missing", "BEGIN:VCALENDAR"},
		{head + zone + zone + "END:VCALENDAR\n", "zone-twice", ""},
		{head + "BEGIN:VTIMEZONE\nTZID:Z\nEND:VTIMEZONE\nEND:VCALENDAR\n", "missing", "BEGIN:VTIMEZONE"},
		{strings.TrimSuffix(event(start), "END:VCALENDAR\n"), "structure", ""},
		{strings.Replace(event(start), "END:VEVENT", "END:VTODO", 1), "structure", "END:VTODO"},
		{"\ufeff" + event(start), "byte-order-mark", "\ufeff"},
		{event(start) + "trailing\n", "text-outside", ""},
		{event(start + "END:VEVENT\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\n" + start), "uid-twice", ""},
		{event(start + "RRULE:FREQ=DAILY\nEND:VEVENT\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\nRECURRENCE-ID;VALUE=DATE:20260103\n" + start), "recurrence-id-type", "20260103"},
	} {
		text := crlf(tt.text)
		got := check.Bytes([]byte(text), check.Options{File: "x.ics"})
		if want := strings.Fields(tt.want); !slices.Equal(rules(got), want) {
			t.Errorf("%q\n got  %v\n want %v", tt.text, got, want)
			continue
		}
		if tt.at != "" && tt.at[0] != 'a' {
			line, column := lineOf(tt.text, tt.at)
			if got[0].Line != line || got[0].Column != column {
				t.Errorf("%q\n at %d:%d, want %d:%d", tt.text, got[0].Line, got[0].Column, line, column)
			}
		}
	}
}

// A breach in a folded line is at its physical line and column.
func TestPositionInFoldedLine(t *testing.T) {
	text := crlf(event(start + "ATTACH;FMTTYPE=text/plain;ENC\n ODING=WRONG;VALUE=URI:http://example.com/\n"))
	got := check.Bytes([]byte(text), check.Options{})
	if len(got) != 1 || got[0].Rule != "parameter-value" || got[0].Line != 17 || got[0].Column != 8 {
		t.Errorf("got %v", got)
	}
}

func TestLineFeedsOnly(t *testing.T) {
	got := check.Bytes([]byte(event(start)), check.Options{})
	if len(got) != 1 || got[0].Rule != "line-end" || got[0].Line != 1 {
		t.Errorf("got %v", got)
	}
}

// What is told to scripts is one line of JSON with these keys.
func TestJSON(t *testing.T) {
	got := check.Bytes([]byte("no calendar"), check.Options{File: "a.ics"})
	if len(got) != 1 {
		t.Fatalf("got %v", got)
	}
	data, err := json.Marshal(got[0])
	want := `{"file":"a.ics","line":1,"column":1,"severity":"error","rule":"unreadable","section":"RFC 5545 3.4","message":"no line BEGIN:VCALENDAR: this is not an iCalendar object"}`
	if err != nil || string(data) != want {
		t.Errorf("%s, %v", data, err)
	}
}

// values for the properties that restriction tables name.
var samples = map[string]string{
	"DTSTAMP": "DTSTAMP:20260101T000000Z", "DTSTART": "DTSTART:20260102T030405Z", "DTEND": "DTEND:20260103T030405Z", "ORGANIZER": "ORGANIZER:mailto:a@b",
	"ATTENDEE": "ATTENDEE:mailto:c@d", "SUMMARY": "SUMMARY:s", "UID": "UID:1", "SEQUENCE": "SEQUENCE:1", "PRIORITY": "PRIORITY:5", "DESCRIPTION": "DESCRIPTION:d",
	"REQUEST-STATUS": "REQUEST-STATUS:2.0;Success", "EXDATE": "EXDATE:20260103T030405Z", "RDATE": "RDATE:20260103T030405Z", "RRULE": "RRULE:FREQ=DAILY",
	"RECURRENCE-ID": "RECURRENCE-ID:20260102T030405Z", "DURATION": "DURATION:PT1H", "FREEBUSY": "FREEBUSY:20260102T030405Z/PT1H", "URL": "URL:http://example.com/",
	"VALARM": "BEGIN:VALARM\nACTION:AUDIO\nTRIGGER;VALUE=DATE-TIME:20260101T000000Z\nEND:VALARM",
}

// RFC 5546 3.2 to 3.5: for each table one valid message, one for each missing
// required property, one for each forbidden one.
func TestRestrictionTables(t *testing.T) {
	tables := 0
	for _, method := range strings.Fields("PUBLISH REQUEST REPLY ADD CANCEL REFRESH COUNTER DECLINECOUNTER") {
		for _, kind := range strings.Fields("VEVENT VTODO VJOURNAL VFREEBUSY") {
			r, ok := ical.RestrictionsOf(method, kind)
			if !ok {
				continue
			}
			tables++
			message := func(drop, add string) string {
				var b strings.Builder
				b.WriteString(head + "METHOD:" + method + "\nBEGIN:" + kind + "\n")
				for _, name := range slices.Concat(r.One, r.Some) {
					if name != drop {
						fmt.Fprintln(&b, samples[name])
					}
				}
				if add != "" {
					if samples[add] == "" {
						t.Fatalf("no sample of %s", add)
					}
					fmt.Fprintln(&b, samples[add])
				}
				return crlf(b.String() + "END:" + kind + "\nEND:VCALENDAR\n")
			}
			errors := func(text string) (list []string) {
				for _, f := range check.Bytes([]byte(text), check.Options{}) {
					if f.Severity == check.Error && f.Rule != "organizer-missing" {
						list = append(list, f.Rule)
					}
				}
				return list
			}
			if got := errors(message("", "")); len(got) > 0 {
				t.Errorf("%s %s: valid message has %v", method, kind, got)
			}
			for _, name := range slices.Concat(r.One, r.Some) {
				if got := errors(message(name, "")); !slices.Contains(got, "itip-required") {
					t.Errorf("%s %s without %s: %v", method, kind, name, got)
				}
			}
			for _, name := range r.Forbidden {
				if got := errors(message("", name)); !slices.Contains(got, "itip-forbidden") {
					t.Errorf("%s %s with %s: %v", method, kind, name, got)
				}
			}
			if r.Only != nil {
				if got := errors(message("", "PRIORITY")); !slices.Contains(got, "itip-forbidden") {
					t.Errorf("%s %s with PRIORITY: %v", method, kind, got)
				}
			}
		}
	}
	if tables != 22 {
		t.Errorf("%d tables, want 22", tables)
	}
}

// What we write of anything we can read has no fault in its lines.
func TestNormalizedCorpusHasCleanLines(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "corpus")
	lineRules := strings.Fields("line-end control utf-8 blank-line byte-order-mark text-outside structure parameter-quote parameter-syntax fold-inside-character line-length?")
	seen, calendars := map[string]int{}, 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		check.Reader(bytes.NewReader(data), check.Options{File: path}, func(f check.Finding) { seen[f.Rule]++ })
		all, err := ical.ParseAll(data)
		if err != nil {
			return nil
		}
		for _, c := range all {
			calendars++
			c.Normalize()
			for _, f := range check.Check(c, check.Options{File: path}) {
				if i := slices.Index(lineRules, rules([]check.Finding{f})[0]); i >= 0 {
					t.Errorf("%v", f)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d calendars; findings by rule as written: %v", calendars, seen)
	if calendars < 2000 {
		t.Errorf("only %d calendars", calendars)
	}
}

// What a property that is not registered says of its own type has to be so, one
// value or several; VERSION may be a span.
func TestStatedTypes(t *testing.T) {
	for line, want := range map[string]string{
		"X-P;VALUE=INTEGER:one":           "stated-value",
		"X-P;VALUE=INTEGER:1,2":           "",
		"X-P;VALUE=BOOLEAN:YES":           "stated-value",
		"X-P;VALUE=UTC-OFFSET:+013045":    "",
		"X-P;VALUE=UTC-OFFSET:-0000":      "stated-value",
		"X-P;VALUE=TIME:250000":           "stated-value",
		"X-P;VALUE=RECUR:FREQ=OFTEN":      "stated-value",
		"X-P;VALUE=RECUR:FREQ=DAILY":      "",
		"X-P;VALUE=URI:http://x.test/a,b": "",
		"X-P;VALUE=X-OWN:a;b":             "",
	} {
		text := "BEGIN:VCALENDAR\r\nVERSION:1.0;2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260302T090000Z\r\n" + line + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
		got := ""
		for _, f := range check.Bytes([]byte(text), check.Options{}) {
			got += f.Rule
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
