package vcal1_test

import (
	"bytes"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/check"
	"github.com/convene-cal/convene/ical/vcal1"
)

var limits = vcal1.Options{Limits: vcal1.Limits{Size: 1 << 16, Components: 200, Properties: 2000}}

// Whatever is read as vCalendar becomes strict iCalendar, and what is made of
// that is read again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"TZ:-05\nDAYLIGHT:TRUE;-04;19960407T020000;19961027T020000;EST;EDT\n|DTSTART:19960610T083000\nRRULE:W2 MO WE #5 19970101T000000\nEXRULE:MP1 1+ FR #3\nDALARM:19960610T080000;PT5M;2;x\n",
		"TZ:+01\nGEO:1,2\n|DTSTART:19960610T000000\nDTEND:19960610T235959\nSUMMARY;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-16:a=\n b=0D=0A=\nX-ICAL-RRULE:FREQ=DAILY\nRDATE:19960611;19960612T000000\n",
		"|DUE:19960610\nATTENDEE;ROLE=OWNER;X-ICAL-ROLE=NONE:<a@b.c>\nATTENDEE;RSVP=YES:b <mailto:b@c>\nATTACH;BASE64:\n aaaa\n\nX-ICAL-COLOR;X-Y=\\;:red\n",
		"X-ICAL-TZID:Europe/Paris\n|UID:a#19960610T083000Z\nX-ICAL-RECURRENCE-ID:19960610T083000Z\nX-ICAL-TZID:Asia/Tokyo\nDTSTART:19960611T083000Z\nSTATUS:NEEDS ACTION\n",
	} {
		head, event, _ := bytes.Cut([]byte(s), []byte("|"))
		f.Add(calendar(string(head), string(event)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		vcal1.Detect(data)
		sameAsStream(t, data, limits)
		cals, _, err := vcal1.ParseOptions(data, limits)
		if err != nil {
			return
		}
		for _, c := range cals {
			text := c.Bytes()
			if len(c.Main()) > 0 && !bytes.Contains(bytes.ToUpper(data), []byte("BEGIN:VALARM")) && !bytes.Contains(bytes.ToUpper(data), []byte("VTIMEZONE")) {
				for _, x := range check.Bytes(text, check.Options{}) {
					if x.Severity == check.Error && x.Rule != "uid-twice" && x.Rule != "organizer-missing" && x.Rule != "recurrence-id-type" {
						t.Fatalf("%v\n%s", x, text)
					}
				}
			}
			old, _, err := vcal1.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			back, _, err := vcal1.Parse(old)
			if err != nil || len(back) != 1 || len(back[0].Main()) != len(c.Main()) {
				t.Fatalf("%v: read back %d calendars\n%s\nwas\n%s", err, len(back), old, text)
			}
		}
	})
}

// Any iCalendar can be written, and what is written is one calendar.
func FuzzMarshal(f *testing.F) {
	f.Add([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Paris:20260102T030405\nDURATION:P1DT1H\nRRULE:FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1\nEXDATE;VALUE=DATE:20260103\nBEGIN:VALARM\nTRIGGER:-PT5M\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n"))
	f.Add([]byte("BEGIN:VCALENDAR\nBEGIN:VTODO\nDUE:20260102\nRRULE:FREQ=YEARLY;UNTIL=20300101\nRDATE;VALUE=PERIOD:20260102T000000Z/PT1H\nEND:VTODO\nBEGIN:VTODO\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260102\nEND:VTODO\nEND:VCALENDAR\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cal, err := ical.ParseLimits(data, ical.Limits{Size: 1 << 16, Components: 100, Properties: 1000})
		if err != nil {
			return
		}
		was := bytes.Clone(cal.Bytes())
		text, _, err := vcal1.Marshal(cal)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(was, cal.Bytes()) {
			t.Fatal("Marshal changed the calendar")
		}
		back, _, err := vcal1.Parse(text)
		if err != nil || len(back) != 1 {
			t.Fatalf("%v: %d calendars\n%s", err, len(back), text)
		}
	})
}
