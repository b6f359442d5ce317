package xcal_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/xcal"
)

// Whatever is read ends, the stream reads the same, and what was read is
// written and read again with the same meaning.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`<icalendar xmlns="urn:ietf:params:xml:ns:icalendar-2.0"><vcalendar><properties><version><text>2.0</text></version></properties><components><vevent><properties><dtstart><parameters><tzid><text>a&amp;b</text></tzid></parameters><date-time>2026-01-02T03:04:05</date-time></dtstart><rrule><recur><byday>MO</byday><freq>DAILY</freq><byday>TU</byday></recur></rrule></properties></vevent></components></vcalendar></icalendar>`,
		`<?xml version="1.0"?><i:icalendar xmlns:i="urn:ietf:params:xml:ns:icalendar-2.0" xmlns:k="urn:k"><i:vcalendar><i:properties><k:x a='"'><b/>]]&gt;</k:x><i:geo><i:latitude>1</i:latitude><i:longitude>2</i:longitude></i:geo></i:properties></i:vcalendar><i:vcalendar/></i:icalendar>`,
		`<vevent><summary language="de">a<![CDATA[<b>]]>&#x20ac;</summary><categories>a,b</categories><dtstart value="DATE">20260102</dtstart><valarm/></vevent>`,
		`<icalendar><vcalendar><properties><freebusy><period><start>2026-01-02T03:04:05Z</start><duration>PT1H</duration></period></freebusy><attach><binary> YQ == </binary></attach><_x31__x2f_><unknown>x</unknown></_x31__x2f_></properties></vcalendar></icalendar>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := xcal.ParseAll(data)
		if err != nil {
			var place *ical.ParseError
			if !errors.As(err, &place) || place.Line < 1 || place.Column < 1 {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		r := xcal.NewReader(&trickle{data})
		for i, c := range all {
			streamed, err := r.Next()
			if err != nil {
				t.Fatalf("calendar %d streamed: %v", i, err)
			}
			if !bytes.Equal(streamed.Bytes(), c.Bytes()) {
				t.Fatalf("streamed %q\nis not %q", streamed.Bytes(), c.Bytes())
			}
			for line := range bytes.Lines(c.Bytes()) {
				if len(line) > 77 || !bytes.HasSuffix(line, []byte("\r\n")) {
					t.Fatalf("line %q", line)
				}
			}
			again(t, c)
		}
		if _, err := r.Next(); err != io.EOF {
			t.Fatalf("no end: %v", err)
		}
	})
}

// again checks a calendar that has nothing left to repair.
func again(t *testing.T, c *ical.Calendar) {
	c.Normalize()
	for range 2 { // a repair may show the next one
		var err error
		if c, err = ical.Parse(c.Bytes()); err != nil {
			t.Fatal(err)
		}
		c.Normalize()
	}
	if what := roundTrip(c); what != "" {
		text, _ := xcal.Marshal(c)
		t.Fatalf("%s\nof %q\nas %s", what, c.Bytes(), text)
	}
}

// Every iCalendar text that can be read keeps its meaning.
func FuzzMarshal(f *testing.F) {
	for _, s := range []string{
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260102\nRRULE:FREQ=DAILY;BYMONTH=5L,+06\nGEO:+1.50;-007\nEND:VEVENT\n",
		"BEGIN:VCALENDAR\nATTACH;ENCODING=BASE64:YQ==\nSUMMARY;ENCODING=BASE64:YSxi\nX;VALUE=TIME:030405Z,1\nREQUEST-STATUS:2;a\\;b;c;d\n",
		"BEGIN:VCALENDAR\nATTENDEE;MEMBER=\"a\";MEMBER=b,c;X=^n^':mailto:a@b\nTZOFFSETTO:-010203\nPRIORITY:high\nRDATE;VALUE=PERIOD:1/2,20260102T030405/PT1H\n",
		"BEGIN:VCALENDAR\nXML:<a xmlns=\"urn:x\">b</a>\nA_X:1\n1/2:x\nBEGIN:X.Y\nEND:X.Y\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := ical.Parse(data); err == nil {
			again(t, c)
		}
	})
}
