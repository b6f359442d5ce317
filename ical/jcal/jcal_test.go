package jcal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jcal"
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
	b, err := jcal.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, b, "", " "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	golden := filepath.Join("testdata", "meeting.json")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("got %s", got.Bytes())
	}
	back, err := jcal.Parse(want)
	if err != nil {
		t.Fatal(err)
	}
	if what := meaning.Difference(c, back); what != "" {
		t.Error(what)
	}
}

// What jCal lets writers choose, and what they do besides.
func TestPropertiesRead(t *testing.T) {
	for _, tt := range []struct{ property, line string }{
		{`["summary",{},"text","a;b,c\\d\ne"]`, `SUMMARY:a\;b\,c\\d\ne`},
		{`["SUMMARY",{"Language":"de"},"TEXT","x"]`, `SUMMARY;LANGUAGE=de:x`},
		{`["x-a",{},"text","x"]`, `X-A;VALUE=TEXT:x`},
		{`["x-a",{},"unknown","a\\,b;c"]`, `X-A:a\,b;c`},
		{`["dtstart",{},"date","2026-01-02"]`, `DTSTART;VALUE=DATE:20260102`},
		{`["dtstart",{"tzid":["Europe/Berlin"]},"date-time","2026-01-02T03:04:05"]`, `DTSTART;TZID=Europe/Berlin:20260102T030405`},
		{`["dtstamp",{},"date-time","20260102T030405Z"]`, `DTSTAMP:20260102T030405Z`},
		{`["x-t",{},"time","03:04:05Z"]`, `X-T;VALUE=TIME:030405Z`},
		{`["tzoffsetto",{},"utc-offset","-05:00:30"]`, `TZOFFSETTO:-050030`},
		{`["priority",{},"integer",5]`, `PRIORITY:5`},
		{`["priority",{},"integer",5.0]`, `PRIORITY:5`},
		{`["priority",{},"integer","5"]`, `PRIORITY:5`},
		{`["x-f",{},"float",1e2,-2.5]`, `X-F;VALUE=FLOAT:100,-2.5`},
		{`["x-b",{},"boolean",true]`, `X-B;VALUE=BOOLEAN:TRUE`},
		{`["geo",{},"float",[37.5,-122]]`, `GEO:37.5;-122`},
		{`["geo",{},"float",37.5,-122]`, `GEO:37.5;-122`},
		{`["geo",{},"float","37.5;-122"]`, `GEO:37.5;-122`},
		{`["request-status",{},"text",["3.1","a;b","c,d"]]`, `REQUEST-STATUS:3.1;a\;b;c\,d`},
		{`["request-status",{},"text","2.0;Success"]`, `REQUEST-STATUS:2.0;Success`},
		{`["freebusy",{},"period",["2026-01-02T03:04:05Z","P1D"],["2026-01-02T03:04:05Z","2026-01-02T04:04:05Z"]]`, `FREEBUSY:20260102T030405Z/P1D,20260102T030405Z/20260102T040405Z`},
		{`["rdate",{},"period","2026-01-02T03:04:05/PT2H"]`, `RDATE;VALUE=PERIOD:20260102T030405/PT2H`},
		{`["rrule",{},"recur",{"bymonth":[5],"freq":"YEARLY","byday":["-1SU","2MO"],"until":"2027-01-02"}]`, `RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1SU,2MO;UNTIL=20270102`},
		{`["rrule",{},"recur","FREQ=DAILY;COUNT=2"]`, `RRULE:FREQ=DAILY;COUNT=2`},
		{`["attendee",{"delegated-to":["mailto:a@b.c","mailto:d@e.f"],"cn":"a \"b\"\n^"},"cal-address","mailto:x@y.z"]`,
			`ATTENDEE;DELEGATED-TO="mailto:a@b.c","mailto:d@e.f";CN=a ^'b^'^n^^:mailto:x@y.z`},
		{`["attach",{},"binary","SGVs\nbG8="]`, `ATTACH;ENCODING=BASE64;VALUE=BINARY:SGVsbG8=`},
		{`["attach",{"encoding":"BASE64"},"uri","cid:1"]`, `ATTACH:cid:1`},
		{`["x",{"value":"date","a":[]},"unknown"]`, `X:`},
		{`["summary",{},"text","\ud83d\ude00 \ud83d \u00e9\/\u0000"]`, "SUMMARY:😀 \ufffd é/"},
		{`["adr",{},"text",["a","b;c",["d","e"]]]`, `ADR;VALUE=TEXT:a;b\;c;d,e`},
	} {
		c, err := jcal.Parse([]byte(`["vcalendar",[` + tt.property + `],[]]`))
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

func TestErrorsTellTheirPlace(t *testing.T) {
	for _, tt := range []struct {
		text         string
		line, column int
		says         string
	}{
		{"", 1, 1, "array"},
		{"\n {}", 2, 2, "array"},
		{`["vcard",[],[]]`, 1, 9, "vcalendar"},
		{`["vcalendar"]`, 1, 13, "properties"},
		{`["vcalendar",[],[]`, 1, 19, "end of the calendar"},
		{`["vcalendar",[],[]]x`, 1, 20, "the end"},
		{"[\"vcalendar\",[\n[\"begin\",{},\"text\",\"VEVENT\"]],[]]", 2, 9, "begin"},
		{`["vcalendar",[["a b",{},"text","x"]],[]]`, 1, 21, "name of a property"},
		{`["vcalendar",[["a",{},"text",null]],[]]`, 1, 30, "null"},
		{`["vcalendar",[["a",{},"text",01]],[]]`, 1, 30, "a value"},
		{`["vcalendar",[["a",{},"integer",1.5]],[]]`, 1, 36, "integer"},
		{`["vcalendar",[["a",{},"float",1e999]],[]]`, 1, 36, "too large"},
		{`["vcalendar",[["a",{},"text","\x"]],[]]`, 1, 31, "escape"},
		{"[\"vcalendar\",[[\"a\",{},\"text\",\"\n\"]],[]]", 1, 31, "control"},
		{`["vcalendar",[["a",{},"text","x",]],[]]`, 1, 34, "a value"},
		{`["vcalendar",[["a",{},"text","x"],],[]]`, 1, 35, "element"},
		{`["vcalendar",[["a",{"b":{}},"text","x"]],[]]`, 1, 25, "a value"},
		{`["vcalendar",[["rrule",{},"recur",{"freq":"DAILY;COUNT=1"}]],[]]`, 1, 58, "semicolon"},
		{`["vcalendar",[["a",{},"text",[[["x"]]]]],[]]`, 1, 32, "too deep"},
		{`["vcalendar",[],[["vcalendar",[],[]]]]`, 1, 30, "calendar inside"},
		{`[]`, 1, 2, "component"},
	} {
		for _, parse := range []func() error{
			func() error { _, err := jcal.Parse([]byte(tt.text)); return err },
			func() error {
				r := jcal.NewReader(&meaning.Trickle{Data: []byte(tt.text)})
				for {
					if _, err := r.NextPart(); err != nil {
						return err
					}
				}
			},
		} {
			var e *ical.ParseError
			if err := parse(); !errors.As(err, &e) || e.Line != tt.line || e.Column != tt.column || !strings.Contains(err.Error(), tt.says) && e.Property != tt.says {
				t.Errorf("%q: %+v, want line %d column %d and %q", tt.text, err, tt.line, tt.column, tt.says)
			}
		}
	}
	if _, err := jcal.Parse([]byte(`[["vcalendar",[],[]],["vcalendar",[],[]]]`)); err == nil {
		t.Error("Parse takes one of two calendars")
	}
}

func TestLimits(t *testing.T) {
	deep := `["vcalendar",[],[` + strings.Repeat(`["x",[],[`, 100) + strings.Repeat(`]]`, 100) + `]]`
	for name, tt := range map[string]struct {
		text   string
		limits ical.Limits
	}{
		"depth":      {deep, ical.Limits{}},
		"size":       {`["vcalendar",[],[]]`, ical.Limits{Size: 10}},
		"string":     {`["vcalendar",[["x",{},"text","` + strings.Repeat("a", 1000) + `"]],[]]`, ical.Limits{LineLength: 100}},
		"values":     {`["vcalendar",[["x",{},"text"` + strings.Repeat(`,"aaaa"`, 100) + `]],[]]`, ical.Limits{LineLength: 100}},
		"parameters": {`["vcalendar",[["x",{"a":[` + strings.Repeat(`"aaaa",`, 100) + `"b"]},"text"]],[]]`, ical.Limits{LineLength: 100}},
		"properties": {`["vcalendar",[` + strings.Repeat(`["x",{},"text"],`, 20) + `["x",{},"text"]],[]]`, ical.Limits{Properties: 5}},
		"components": {`["vcalendar",[],[` + strings.Repeat(`["x",[],[]],`, 20) + `["x",[],[]]]]`, ical.Limits{Components: 5}},
	} {
		if _, err := jcal.ParseLimits([]byte(tt.text), tt.limits); !errors.Is(err, ical.ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for start, goes := range map[string]string{
		`["vcalendar",[["x",{},"text","`:        "a",
		`["vcalendar",[["x",{},"text"`:          `,""`,
		`["vcalendar",[["x",{"a":[""`:           `,""`,
		`["vcalendar",[["x",{},"text"]`:         `,["x",{},"text"]`,
		`["vcalendar",[],[["a",[],[`:            `["b",[],[]],`,
		`["vcalendar",[["x",{},"recur",{"a":[1`: `,1`,
	} {
		endless := jcal.NewReaderLimits(io.MultiReader(strings.NewReader(start), forever(goes)), ical.Limits{LineLength: 1 << 20, Size: 1 << 20})
		_, err := endless.NextPart()
		for err == nil {
			_, err = endless.NextPart()
		}
		if !errors.Is(err, ical.ErrLimit) {
			t.Errorf("%s without end: %v", start, err)
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
	want, _ := jcal.Marshal(c)
	for _, several := range []bool{false, true} {
		var out bytes.Buffer
		w := jcal.NewWriter(&out)
		w.Array = several
		if err := w.Write(c); err != nil {
			t.Fatal(err)
		}
		err := w.Write(c)
		if several == (err != nil) {
			t.Fatalf("a second calendar, array %v: %v", several, err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		all, err := jcal.ParseAll(out.Bytes())
		if err != nil || !json.Valid(out.Bytes()) || several != (len(all) == 2) {
			t.Fatalf("%d calendars, %v", len(all), err)
		}
		for _, got := range all {
			if b, _ := jcal.Marshal(got); !bytes.Equal(b, want) {
				t.Error("written by parts it differs")
			}
		}
	}
	w := jcal.NewWriter(io.Discard)
	if w.Component(ical.NewComponent("VEVENT")) == nil || w.End() == nil {
		t.Error("a component outside of a calendar")
	}
	w = jcal.NewWriter(full{})
	w.Write(c)
	if err := w.Close(); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a full disk: %v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestSourceFails(t *testing.T) {
	broken := fmt.Errorf("broken")
	r := jcal.NewReader(io.MultiReader(strings.NewReader(`["vcalendar",[["x",{},`), failing{broken}))
	if _, err := r.Next(); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
