package jscal_test

import (
	"bytes"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jscal"
)

// Whatever is read can be written and read again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`,"timeZone":"Europe/Berlin","duration":"PT1H","recurrenceRules":[{"@type":"RecurrenceRule","frequency":"daily","until":"2026-05-01T00:00:00"}],"recurrenceOverrides":{"2026-03-04T09:00:00":{"title":"x","locations/a/name":"B"},"2026-03-05T09:00:00":{"excluded":true},"2026-03-05T10:00:00":{}},"locations":{"a":{"@type":"Location","name":"A","coordinates":"geo:1,2"}}`,
		`,"showWithoutTime":true,"replyTo":{"web":"https://a.test"},"participants":{"a":{"@type":"Participant","roles":{"owner":true,"chair":true},"sendTo":{"other":"urn:x:y"},"delegatedTo":{"b":true}}},"alerts":{"x":{"@type":"Alert","trigger":{"@type":"OffsetTrigger","offset":"P1W1D"},"iCalendar":{"name":"valarm","properties":[["uid",{},"text","u"]]}}}`,
		`,"timeZone":"/x","timeZones":{"/x":{"@type":"TimeZone","tzId":"x","standard":[{"start":"1970-01-01T00:00:00","offsetFrom":"+0100","offsetTo":"+01:00"}]}},"links":{"l":{"@type":"Link","href":"data:;base64,aa==","rel":"icon"}},"iCalendar":{"name":"vevent","convertedProperties":{"duration":{"name":"dtend"}},"components":[["valarm",[],[]]]}`,
	} {
		f.Add(event(s))
	}
	f.Add([]byte(`{"@type":"Group","entries":[{"@type":"Task","due":"2026-01-01T00:00:00","start":"2026-01-01T00:00:00"},7],"title":"t","locale":"de","keywords":{"k":true}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l := jscal.Limits{Size: 1 << 16, Components: 200, Output: 1 << 20}
		sameAsStream(t, data, l)
		cals, _, err := jscal.ParseLimits(data, l)
		if err != nil {
			return
		}
		for _, c := range cals {
			text, _, err := jscal.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ical.Parse(c.Bytes()); err != nil {
				t.Fatalf("%v\n%s", err, c.Bytes())
			}
			if _, _, err := jscal.Parse(text); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
		}
	})
}

// Any iCalendar can be written, and what is written can be read.
func FuzzMarshal(f *testing.F) {
	f.Add([]byte("BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Paris:20260102T030405\nDTEND:20260102T040405Z\nRRULE:FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1;X-A=1\nEXDATE;VALUE=DATE:20260103\nORGANIZER:mailto:a@b.c\nATTENDEE;MEMBER=\"mailto:x@y\":mailto:a@b.c\nBEGIN:VALARM\nTRIGGER:-PT5M\nEND:VALARM\nEND:VEVENT\nBEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260105T020405Z\nDTSTART:20260105T030405Z\nJSPROP;JSPTR=\"a/b\":{}\nEND:VEVENT\nEND:VCALENDAR\n"))
	f.Add([]byte("BEGIN:VCALENDAR\nBEGIN:VTODO\nDUE:20260102\nRRULE:FREQ=YEARLY;UNTIL=20300101\nRDATE;VALUE=PERIOD:20260102T000000Z/PT1H\nGEO:1;2\nLOCATION:\nCONCEPT:x\nBEGIN:VLOCATION\nUID:?\nEND:VLOCATION\nEND:VTODO\nEND:VCALENDAR\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cal, err := ical.ParseLimits(data, ical.Limits{Size: 1 << 16, Components: 100, Properties: 1000})
		if err != nil {
			return
		}
		was := bytes.Clone(cal.Bytes())
		text, _, err := jscal.Marshal(cal)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(was, cal.Bytes()) {
			t.Fatal("Marshal changed the calendar")
		}
		back, _, err := jscal.ParseLimits(text, jscal.Limits{Depth: 200})
		if err != nil || len(back) != 1 {
			t.Fatalf("%v: %d calendars\n%s", err, len(back), text)
		}
	})
}
