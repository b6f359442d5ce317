package xcal_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"testing"

	"github.com/convene-cal/convene/ical/xcal"
	"github.com/convene-cal/convene/internal/harness/meaning"
)

var syntax = meaning.Syntax{
	Marshal: xcal.Marshal, AppendTo: xcal.AppendTo, Parse: xcal.Parse, ParseAll: xcal.ParseAll, NewReader: xcal.NewReader,
	Extension: ".xcal",
	Valid: func(text []byte) error {
		for d := xml.NewDecoder(bytes.NewReader(text)); ; {
			if _, err := d.Token(); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
	},
}

func TestCorpusRoundTrip(t *testing.T) { syntax.TestCorpus(t) }
func TestSamplesAreRead(t *testing.T)  { syntax.TestSamples(t) }
func FuzzMarshal(f *testing.F)         { syntax.FuzzMarshal(f) }
func BenchmarkSyntax(b *testing.B)     { syntax.Benchmark(b) }

func FuzzParse(f *testing.F) {
	syntax.FuzzParse(f,
		`<icalendar xmlns="urn:ietf:params:xml:ns:icalendar-2.0"><vcalendar><properties><version><text>2.0</text></version></properties><components><vevent><properties><dtstart><parameters><tzid><text>a&amp;b</text></tzid></parameters><date-time>2026-01-02T03:04:05</date-time></dtstart><rrule><recur><byday>MO</byday><freq>DAILY</freq><byday>TU</byday></recur></rrule></properties></vevent></components></vcalendar></icalendar>`,
		`<?xml version="1.0"?><i:icalendar xmlns:i="urn:ietf:params:xml:ns:icalendar-2.0" xmlns:k="urn:k"><i:vcalendar><i:properties><k:x a='"'><b/>]]&gt;</k:x><i:geo><i:latitude>1</i:latitude><i:longitude>2</i:longitude></i:geo></i:properties></i:vcalendar><i:vcalendar/></i:icalendar>`,
		`<vevent><summary language="de">a<![CDATA[<b>]]>&#x20ac;</summary><categories>a,b</categories><dtstart value="DATE">20260102</dtstart><valarm/></vevent>`,
		`<icalendar><vcalendar><properties><freebusy><period><start>2026-01-02T03:04:05Z</start><duration>PT1H</duration></period></freebusy><attach><binary> YQ == </binary></attach><_x31__x2f_><unknown>x</unknown></_x31__x2f_></properties></vcalendar></icalendar>`,
	)
}
