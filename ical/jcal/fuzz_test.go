package jcal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jcal"
)

// Whatever is read ends, the stream reads the same, and what was read is
// written and read again with the same meaning.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`["vcalendar",[["version",{},"text","2.0"]],[["vevent",[["dtstart",{"tzid":"Europe/Berlin"},"date-time","2026-01-02T03:04:05"],["rrule",{},"recur",{"freq":"YEARLY","byday":["-1SU","2MO"],"until":"2027-01-01"}]],[]]]]`,
		`[["vcalendar",[["geo",{},"float",[1.5,-2e1]],["request-status",{},"text",["2.0","ok;"]]],[]],["vcalendar",[],[]]]`,
		`["vtodo",[["freebusy",{"x":["a","b\"\n"]},"period",["2026-01-02T03:04:05Z","PT1H"],"20260102T000000/P1D"],["x-a",{"encoding":"quoted-printable"},"unknown","a="]]]`,
		`["vcalendar",[["attach",{"encoding":"base64"},"uri","YQ=="],["x",{},"boolean",true,false],["y",{},"integer",1e2]],[["x-\u00fc\ud83d\ude00",[],[["a",[],[]]]]]]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := jcal.ParseAll(data)
		if err != nil {
			var place *ical.ParseError
			if !errors.As(err, &place) || place.Line < 1 || place.Column < 1 {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		if !json.Valid(bytes.TrimPrefix(data, []byte("\ufeff"))) {
			t.Fatalf("this is not JSON: %q", data)
		}
		r := jcal.NewReader(&trickle{data})
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
		text, _ := jcal.Marshal(c)
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
