package xcal_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/xcal"
	"github.com/convene-cal/convene/internal/harness/meaning"
)

var update = flag.Bool("update", false, "write the golden files")

// Every type of value, in testdata.
func TestGolden(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "meeting.ics"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := ical.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	b, err := xcal.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	// A line for each property: white space between them means nothing.
	got := strings.NewReplacer("<properties><", "<properties>\n<", "></properties>", ">\n</properties>", "<components><", "<components>\n<").Replace(string(b))
	for _, p := range c.Components[0].Properties {
		end := "</" + strings.ToLower(p.Name()) + "><"
		got = strings.ReplaceAll(got, end, strings.TrimSuffix(end, "<")+"\n<")
	}
	golden := filepath.Join("testdata", "meeting.xml")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got %s", got)
	}
	back, err := xcal.Parse(want)
	if err != nil {
		t.Fatal(err)
	}
	if what := meaning.Difference(c, back); what != "" {
		t.Error(what)
	}
}

const open = `<icalendar xmlns="urn:ietf:params:xml:ns:icalendar-2.0"><vcalendar><properties>`

// What RFC 6321 says, and what writers do besides.
func TestPropertiesRead(t *testing.T) {
	for _, tt := range []struct{ property, line string }{
		{`<summary><text>a;b,c\d&#10;&lt;e</text></summary>`, `SUMMARY:a\;b\,c\\d\n<e`},
		{`<summary><text> a <!-- c -->b<![CDATA[<&]]></text></summary>`, `SUMMARY: a b<&`},
		{`<tzid>US/Eastern</tzid>`, `TZID:US/Eastern`},
		{`<x-a><unknown>a\,b;c</unknown></x-a>`, `X-A:a\,b;c`},
		{`<x-a><text>x</text></x-a>`, `X-A;VALUE=TEXT:x`},
		{`<dtstart><parameters><tzid><text>Europe/Berlin</text></tzid></parameters> <date-time> 2026-01-02T03:04:05 </date-time></dtstart>`, `DTSTART;TZID=Europe/Berlin:20260102T030405`},
		{`<dtstart><date>2026-01-02</date></dtstart>`, `DTSTART;VALUE=DATE:20260102`},
		{`<exdate><date>2026-01-02</date><date>2026-01-03</date></exdate>`, `EXDATE;VALUE=DATE:20260102,20260103`},
		{`<tzoffsetto><utc-offset>-05:00</utc-offset></tzoffsetto>`, `TZOFFSETTO:-0500`},
		{`<geo><latitude>37.5</latitude><longitude>-122</longitude></geo>`, `GEO:37.5;-122`},
		{`<request-status><code>2.0</code><description>a;b</description></request-status>`, `REQUEST-STATUS:2.0;a\;b`},
		{`<freebusy><period><start>2026-01-02T03:04:05Z</start><duration>PT1H</duration></period><period><start>2026-01-02T03:04:05Z</start><end>2026-01-02T04:04:05Z</end></period></freebusy>`,
			`FREEBUSY:20260102T030405Z/PT1H,20260102T030405Z/20260102T040405Z`},
		{`<rrule><recur><bymonth>1</bymonth><freq>YEARLY</freq><byday>MO</byday><bymonth>3</bymonth><until>2027-01-02</until></recur></rrule>`,
			`RRULE:FREQ=YEARLY;BYMONTH=1,3;BYDAY=MO;UNTIL=20270102`},
		{`<attendee><parameters><rsvp><boolean>true</boolean></rsvp><member><cal-address> mailto:a@b.c</cal-address><cal-address>mailto:d@e.f</cal-address></member><x-p><unknown>"</unknown></x-p></parameters><cal-address>mailto:x@y.z</cal-address></attendee>`,
			`ATTENDEE;RSVP=TRUE;MEMBER="mailto:a@b.c","mailto:d@e.f";X-P=^':mailto:x@y.z`},
		{`<attach><parameters><encoding><text>BASE64</text></encoding></parameters><binary>SGVs
 bG8=</binary></attach>`, `ATTACH;ENCODING=BASE64;VALUE=BINARY:SGVsbG8=`},
		{`<x-b><boolean>true</boolean></x-b>`, `X-B;VALUE=BOOLEAN:TRUE`},
		{`<k:place xmlns:k="urn:k" k:a="1">x<k:y/></k:place>`, `XML:<k:place xmlns:k="urn:k" k:a="1">x<k:y/></k:place>`},
		{`<summary><f xmlns="urn:f"><text>no</text></f><text>yes</text></summary>`, `SUMMARY:yes`},
		{`<categories>a,b</categories>`, `CATEGORIES:a,b`},
		{`<description language="de">a, b</description>`, `DESCRIPTION;LANGUAGE=de:a\, b`},
		{`<_x31_x><unknown>1</unknown></_x31_x>`, `1X:1`},
		{`<summary/>`, `SUMMARY:`},
	} {
		c, err := xcal.Parse([]byte(open + tt.property + `</properties></vcalendar></icalendar>`))
		if err != nil {
			t.Errorf("%s: %v", tt.property, err)
			continue
		}
		text := strings.ReplaceAll(string(c.Bytes()), "\r\n ", "")
		if want := "BEGIN:VCALENDAR\r\n" + tt.line + "\r\nEND:VCALENDAR\r\n"; text != want {
			t.Errorf("%s:\n got %q\nwant %q", tt.property, text, want)
		}
	}
}

// The XML property becomes an element only where that is safe.
func TestXMLProperty(t *testing.T) {
	for _, tt := range []struct {
		value   string
		element bool
	}{
		{`<a xmlns="urn:x">b<c/></a>`, true},
		{`<k:a xmlns:k="urn:x" k:b="1"/>`, true},
		{`<a>no namespace</a>`, false},
		{`<k:a>not declared</k:a>`, false},
		{`<a xmlns="urn:ietf:params:xml:ns:icalendar-2.0"/>`, false},
		{`<a xmlns="urn:x"/></properties><properties>`, false},
		{`<a xmlns="urn:x"><b></a>`, false},
		{`<a xmlns="urn:x">&other;</a>`, false},
		{`<a xmlns="urn:x"><?pi?></a>`, false},
		{`<a xmlns="urn:x" b="1" k:c="2"/>`, false},
		{`<a xmlns="urn:x"/> text`, false},
		{`just text`, false},
	} {
		c := ical.New("-//x//y//EN")
		c.Add(ical.NewText("XML", tt.value))
		b, err := xcal.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if got := !bytes.Contains(b, []byte("<xml>")); got != tt.element {
			t.Errorf("%s: an element: %v in %s", tt.value, got, b)
		}
		back, err := xcal.Parse(b)
		if err != nil {
			t.Errorf("%s: %v", tt.value, err)
		} else if got := back.Text("XML"); got != tt.value {
			t.Errorf("%s came back as %s", tt.value, got)
		}
	}
}

func TestErrorsTellTheirPlace(t *testing.T) {
	for _, tt := range []struct {
		text         string
		line, column int
		says         string
	}{
		{"", 1, 1, "icalendar"},
		{"\n<html/>", 2, 8, "icalendar"},
		{`<!DOCTYPE icalendar [<!ENTITY a "b">]><icalendar/>`, 1, 1, "document type"},
		{open + "\n<summary><text>&a;</text></summary>", 2, 16, "five"},
		{open + "\n<summary><text>a & b</text></summary>", 2, 18, "ampersand"},
		{open + "\n<summary><text>&#0;</text></summary>", 2, 16, "no character"},
		{open + "\n<summary></sumary>", 2, 10, "closes nothing"},
		{open + "\n<begin><text>VEVENT</text></begin>", 2, 8, "begin"},
		{open + "\n<summary><text>", 2, 16, "ends inside"},
		{open + "\n<summary a=b/>", 2, 10, "quotes"},
		{open + "\n<summary <", 2, 10, "inside of a tag"},
		{open + "\n<![CDATA[", 2, 1, "]]>"},
		{`<icalendar/>x`, 1, 14, "after the end"},
	} {
		for _, parse := range []func() error{
			func() error { _, err := xcal.Parse([]byte(tt.text)); return err },
			func() error {
				r := xcal.NewReader(&meaning.Trickle{Data: []byte(tt.text)})
				for {
					if _, err := r.NextPart(); err != nil {
						return err
					}
				}
			},
		} {
			var e *ical.ParseError
			if err := parse(); !errors.As(err, &e) || e.Line != tt.line || e.Column != tt.column || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q: %+v (%+v), want line %d column %d and %q", tt.text, err, e, tt.line, tt.column, tt.says)
			}
		}
	}
	if _, err := xcal.Parse([]byte(`<icalendar><vcalendar/><vcalendar/></icalendar>`)); err == nil {
		t.Error("Parse takes one of two calendars")
	}
}

func TestLimits(t *testing.T) {
	end := `</properties></vcalendar></icalendar>`
	for name, tt := range map[string]struct {
		text   string
		limits ical.Limits
	}{
		"depth":      {`<icalendar><vcalendar>` + strings.Repeat(`<components><x>`, 100), ical.Limits{}},
		"elements":   {open + strings.Repeat(`<x>`, 1000), ical.Limits{}},
		"extension":  {open + `<k:x xmlns:k="urn:k">` + strings.Repeat(`<x>`, 1000), ical.Limits{}},
		"size":       {open + end, ical.Limits{Size: 10}},
		"text":       {open + `<x><text>` + strings.Repeat("a", 1000) + `</text></x>` + end, ical.Limits{LineLength: 500}},
		"values":     {open + `<x>` + strings.Repeat(`<text>aaaa</text>`, 200) + `</x>` + end, ical.Limits{LineLength: 500}},
		"parameters": {open + `<x><parameters>` + strings.Repeat(`<y><text>aaaa</text></y>`, 200) + `</parameters></x>` + end, ical.Limits{LineLength: 500}},
		"rule":       {open + `<x><recur>` + strings.Repeat(`<y>aaaa</y>`, 200) + `</recur></x>` + end, ical.Limits{LineLength: 500}},
		"properties": {open + strings.Repeat(`<x/>`, 20) + end, ical.Limits{Properties: 5}},
		"components": {`<icalendar><vcalendar><components>` + strings.Repeat(`<x/>`, 20) + `</components></vcalendar></icalendar>`, ical.Limits{Components: 5}},
	} {
		if _, err := xcal.ParseLimits([]byte(tt.text), tt.limits); !errors.Is(err, ical.ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for start, goes := range map[string]string{
		`<icalendar><vcalendar><properties><x><text>`: "a", `<icalendar `: "a", `<!--`: "a",
		`<icalendar><vcalendar><properties>`: `<x><text>a</text></x>`, `<icalendar><vcalendar><components><a><components>`: `<b/>`,
		`<icalendar><vcalendar><properties><k:a xmlns:k="urn:k">`: "<b/>",
	} {
		endless := xcal.NewReaderLimits(io.MultiReader(strings.NewReader(start), forever(goes)), ical.Limits{LineLength: 1 << 20, Size: 1 << 20})
		_, err := endless.NextPart()
		for err == nil {
			_, err = endless.NextPart()
		}
		if errors.Is(err, io.EOF) {
			t.Errorf("%q without end is read", start)
		}
	}
}

// forever repeats a text without end.
type forever string

func (f forever) Read(b []byte) (int, error) {
	n := 0
	for n == 0 || n+len(f) <= len(b) {
		n += copy(b[n:], f)
	}
	return n, nil
}

func TestWriter(t *testing.T) {
	c := meaning.Sample(300)
	want, _ := xcal.Marshal(c)
	for _, n := range []int{0, 1, 2} {
		var out bytes.Buffer
		w := xcal.NewWriter(&out)
		for range n {
			if err := w.Write(c); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			continue
		}
		all, err := xcal.ParseAll(out.Bytes())
		if err != nil || len(all) != n {
			t.Fatalf("%d calendars, %v", len(all), err)
		}
		for _, got := range all {
			if b, _ := xcal.Marshal(got); !bytes.Equal(b, want) {
				t.Error("written by parts it differs")
			}
		}
	}
	w := xcal.NewWriter(io.Discard)
	if w.Component(ical.NewComponent("VEVENT")) == nil || w.End() == nil {
		t.Error("a component outside of a calendar")
	}
	w = xcal.NewWriter(full{})
	w.Write(c)
	if err := w.Close(); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a full disk: %v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestSourceFails(t *testing.T) {
	broken := fmt.Errorf("broken")
	r := xcal.NewReader(io.MultiReader(strings.NewReader(`<icalendar><vcalendar><prop`), failing{broken}))
	if _, err := r.Next(); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
