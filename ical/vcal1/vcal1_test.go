package vcal1_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/check"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/ical/vcal1"
)

// calendar wraps lines of an event.
func calendar(head, event string) []byte {
	text := "BEGIN:VCALENDAR\nVERSION:1.0\n" + head + "BEGIN:VEVENT\nUID:1\n" + event + "END:VEVENT\nEND:VCALENDAR\n"
	return []byte(strings.ReplaceAll(text, "\n", "\r\n"))
}

// errorsOf are the breaches of the strict validator.
func errorsOf(t *testing.T, cal *ical.Calendar) {
	t.Helper()
	for _, f := range check.Bytes(cal.Bytes(), check.Options{}) {
		if f.Severity == check.Error {
			t.Errorf("%v\n%s", f, cal.Bytes())
		}
	}
}

func parse(t *testing.T, data []byte) (*ical.Calendar, *ical.Component, []vcal1.Loss) {
	t.Helper()
	cals, losses, err := vcal1.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(cals) != 1 || len(cals[0].Main()) != 1 {
		t.Fatalf("%d calendars in %q", len(cals), data)
	}
	errorsOf(t, cals[0])
	return cals[0], cals[0].Main()[0], losses
}

const start = "DTSTART:19960415T083000Z\n"

func TestProperties(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"DESCRIPTION;ENCODING=QUOTED-PRINTABLE:Review=0D=0A=\n  Room 3b=0D=0A=\n  Come.\n", `DESCRIPTION:Review\nRoom 3b\nCome.`},
		{"DESCRIPTION;QUOTED-PRINTABLE:a=0D=0Ab =\n c=3D=d=a\n", `DESCRIPTION:a\nb  c=\n`},
		{"DESCRIPTION:a very long description \n   that exists\n", `DESCRIPTION:a very long description that exists`},
		{"SUMMARY;CHARSET=ISO-8859-8:\xf9\xec\xe5\xed\n", `SUMMARY:שלום`},
		{"SUMMARY;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:gr=FC=DFe\n", `SUMMARY:grüße`},
		{"SUMMARY:caf\xe9\n", `SUMMARY:café`},
		{"SUMMARY:a, b; c\\d\n", `SUMMARY:a\, b\; c\\d`},
		{"SUMMARY;LANGUAGE=de:x\n", `SUMMARY;LANGUAGE=de:x`},
		{"item1.summary : x\n", `SUMMARY:x`},
		{"CATEGORIES:APPOINTMENT;EDUCATION\n", `CATEGORIES:APPOINTMENT,EDUCATION`},
		{"CATEGORIES:a\\;b; c,d ;\n", `CATEGORIES:a\;b,c\,d`},
		{"RESOURCES:EASEL;PROJECTOR\n", `RESOURCES:EASEL,PROJECTOR`},
		{"CLASS:Private\n", `CLASS:PRIVATE`},
		{"PRIORITY:12\n", `PRIORITY:9`},
		{"SEQUENCE:-1\n", `SEQUENCE:0`},
		{"TRANSP:1\n", `TRANSP:TRANSPARENT`},
		{"TRANSP:0\n", `TRANSP:OPAQUE`},
		{"STATUS:CONFIRMED\n", `STATUS:CONFIRMED`},
		{"DCREATED:19960329\n", `CREATED:19960329T000000Z`},
		{"EXDATE:19960402T010000Z;19960403T010000Z\n", "EXDATE:19960402T010000Z\nEXDATE:19960403T010000Z"},
		{"RDATE:19960402T010000Z; 19960403T010000Z\n", "RDATE:19960402T010000Z\nRDATE:19960403T010000Z"},
		{"GEO:-122.5,37.75\n", `GEO:37.75;-122.5`},
		{"GEO:37.75,-122.5\n", `GEO:37.75;-122.5`},
		{"ATTACH;VALUE=URL:https://a.test/x\n", `ATTACH:https://a.test/x`},
		{"ATTACH;VALUE=CONTENT-ID:<1@a.test>\n", `ATTACH:cid:1@a.test`},
		{"ATTACH;BASE64:\n aGVs\n bG8=\n\nSUMMARY:x\n", "ATTACH;VALUE=BINARY;ENCODING=BASE64:aGVsbG8=\nSUMMARY:x"},
		{"ATTACH:some text\n", `ATTACH:data:text/plain;charset=utf-8,some%20text`},
		{"LOCATION;VALUE=URL;TYPE=VCARD:https://a.test/room.vcf\n", `LOCATION;ALTREP="https://a.test/room.vcf":https://a.test/room.vcf`},
		{"URL:https://a.test/\n", `URL:https://a.test/`},
		{"RELATED-TO:<2@a.test>\n", `RELATED-TO:<2@a.test>`},
		{"X-PILOT;X-Y=z:1;2\n", `X-PILOT;X-Y=z:1;2`},
		{"ATTENDEE;ROLE=OWNER;STATUS=CONFIRMED:John Smith <jsmith@host1.test>\n", `ORGANIZER;CN=John Smith:mailto:jsmith@host1.test`},
		{"ATTENDEE;ROLE=OWNER:a@x.test\nATTENDEE;ROLE=ATTENDEE;STATUS=NEEDS ACTION;RSVP=YES;EXPECT=FYI:B <b@x.test>\n",
			"ORGANIZER:mailto:a@x.test\nATTENDEE;ROLE=CHAIR:mailto:a@x.test\nATTENDEE;CN=B;ROLE=NON-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:b@x.test"},
		{"ATTENDEE:Room 12\n", `X-VCAL-ATTENDEE:Room 12`},
		{"DALARM:19960415T080000Z;PT5M;2;Taxes\\; due !!!\n", "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT30M\nDESCRIPTION:Taxes\\; due !!!\nREPEAT:2\nDURATION:PT5M\nEND:VALARM"},
		{"AALARM;TYPE=WAVE;VALUE=URL:19960415T080000Z; ; ; file:///mmedia/taps.wav\n", "BEGIN:VALARM\nACTION:AUDIO\nTRIGGER:-PT30M\nEND:VALARM"},
		{"AALARM;TYPE=WAVE;VALUE=URL:19960415T080000Z;;;https://a.test/a.wav\n", "BEGIN:VALARM\nACTION:AUDIO\nTRIGGER:-PT30M\nATTACH;FMTTYPE=audio/x-wav:https://a.test/a.wav\nEND:VALARM"},
		{"MALARM:19960415T080000Z;;;a@x.test;Up\n", "BEGIN:VALARM\nACTION:EMAIL\nTRIGGER:-PT30M\nSUMMARY:Up\nDESCRIPTION:Up\nATTENDEE:mailto:a@x.test\nEND:VALARM"},
		{"PALARM:19960415T080000Z;;;file:///bin/x\n", "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT30M\nDESCRIPTION:Procedure alarm\nX-VCAL-PALARM:file:///bin/x\nEND:VALARM"},
		{"DALARM:;;;Now\n", "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:PT0S\nDESCRIPTION:Now\nEND:VALARM"},
		{"X-ICAL-COLOR:red\n", "COLOR:red"},
		{"X-ICAL-IMAGE;VALUE=URI;X-ICAL-DISPLAY=BADGE:https://a.test/i.png\n", "IMAGE;VALUE=URI;DISPLAY=BADGE:https://a.test/i.png"},
	} {
		_, c, _ := parse(t, calendar("", start+tt.in))
		got := string(c.Bytes())
		got = strings.ReplaceAll(strings.ReplaceAll(got, "\r\n ", ""), "\r\n", "\n")
		got, _ = strings.CutPrefix(got, "BEGIN:VEVENT\nUID:1\nDTSTAMP:19700101T000000Z\n"+start)
		got = strings.TrimSuffix(strings.ReplaceAll(got, "DTSTAMP:19960329T000000Z\n", ""), "END:VEVENT\n")
		if !strings.Contains(got, tt.want+"\n") || !strings.HasSuffix(strings.TrimPrefix(got, "BEGIN:VEVENT\nUID:1\n"), tt.want+"\n") && !strings.HasPrefix(tt.in, "DCREATED") {
			t.Errorf("%q:\ngot\n%s\nwant\n%s", tt.in, got, tt.want)
		}
	}
}

// v§2.1.11's own examples, as what they mean in iCalendar.
func TestRules(t *testing.T) {
	for _, tt := range []struct{ rule, start, want string }{
		{"D2 #0", "19960415T083000", "FREQ=DAILY;INTERVAL=2"},
		{"D1 #10", "19960415T083000", "FREQ=DAILY;COUNT=10"},
		{"d4", "19960415T083000", "FREQ=DAILY;COUNT=2;INTERVAL=4"},
		{"W1 19961224T000000Z", "19960415T083000Z", "FREQ=WEEKLY;UNTIL=19961224T000000Z"},
		{"W2 MO WE FR 19961224T000000Z", "19960415T083000Z", "FREQ=WEEKLY;UNTIL=19961224T000000Z;INTERVAL=2;BYDAY=MO,WE,FR;WKST=SU"},
		{"MP1 1+ FR #10", "19960405T083000", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR"},
		{"MP2 1+ SU 1- SU #10", "19960407T083000", "FREQ=MONTHLY;COUNT=10;INTERVAL=2;BYDAY=1SU,-1SU"},
		{"MP6 2+ MO TU WE TH FR #10", "19960408T083000", "FREQ=MONTHLY;COUNT=10;INTERVAL=6;BYDAY=2MO,2TU,2WE,2TH,2FR"},
		{"MP1 #3", "19940720T090000", "FREQ=MONTHLY;COUNT=3;BYDAY=3WE"},
		{"MD1 2 15 #10", "19960402T083000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15"},
		{"MD1 3- #0", "19960428T083000", "FREQ=MONTHLY;BYMONTHDAY=-3"},
		{"MD1 1 LD #10", "19960401T083000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1"},
		{"MD1 1+ 1- #10", "19960401T083000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1"},
		{"MD1 2- #5", "19960830T083000", "FREQ=MONTHLY;COUNT=5;BYMONTHDAY=-2"},
		{"YM1 6 7 #10", "19960610T083000", "FREQ=YEARLY;COUNT=10;BYMONTHDAY=10;BYMONTH=6,7"},
		{"YD3 1 100 200 #10", "19960101T083000", "FREQ=YEARLY;COUNT=10;INTERVAL=3;BYYEARDAY=1,100,200"},
		{"YM1 #0", "19960101T083000", "FREQ=YEARLY"},
		{"MD1 #0", "19960101T083000", "FREQ=MONTHLY"},
		{"D1 #5 19960417T083000", "19960415T083000", "FREQ=DAILY;UNTIL=19960417T083000"},
		{"D1 #3 19960430T083000", "19960415T083000", "FREQ=DAILY;COUNT=3"},
		{"D1 #0 19960417T083000", "19960415T083000", "FREQ=DAILY;UNTIL=19960417T083000"},
		{"W1 19960424T000000", "19960415T083000", "FREQ=WEEKLY;UNTIL=19960424T235959"},
	} {
		_, c, losses := parse(t, calendar("", "DTSTART:"+tt.start+"\nRRULE:"+tt.rule+"\n"))
		got, err := recur.ParseRule(c.Value("RRULE"))
		if err != nil {
			t.Errorf("%s: %v %v", tt.rule, err, losses)
			continue
		}
		want, err := recur.ParseRule(tt.want)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Errorf("%s from %s: %s, want %s", tt.rule, tt.start, got, want)
		}
		if len(losses) > 0 {
			t.Errorf("%s: %v", tt.rule, losses)
		}
	}
	for _, rule := range []string{"", "X1", "D1 0700 1000 #5", "W1 XX", "MD1 32", "MP1 6+ FR", "YM1 13", "YD1 367", "W1 MO #99999999999", "MP1 MO", "D99999999", "M5 #4", "D1 nonsense"} {
		_, c, losses := parse(t, calendar("", "DTSTART:19960415T083000\nRRULE:"+rule+"\n"))
		if c.Prop("RRULE") != nil || rule != "" && (len(losses) != 1 || c.Text("X-VCAL-RRULE") != rule) {
			t.Errorf("%q became %s, losses %v", rule, c.Bytes(), losses)
		}
	}
}

// v§2.1.11's last-days example, by its dates.
func TestRuleDates(t *testing.T) {
	cal, _, _ := parse(t, calendar("", "DTSTART:19960830T090000\nRRULE:MD1 2- #5\n"))
	set, err := recur.New(cal, tz.NewResolver(cal, nil), recur.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for o := range set.All() {
		got = append(got, o.Start.Wall.Format("1/2"))
	}
	if want := []string{"8/30", "9/29", "10/30", "11/29", "12/30"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestDTSTARTOutsideOfRule(t *testing.T) {
	_, c, losses := parse(t, calendar("", "DTSTART:19960419T083000\nRRULE:W1 MO TH #5\n"))
	if len(losses) != 1 || !strings.Contains(losses[0].What, "first occurrence") || losses[0].Line != 6 {
		t.Errorf("losses %v", losses)
	}
	if got := c.Value("RRULE"); got != "FREQ=WEEKLY;COUNT=5;BYDAY=MO,TH" {
		t.Error(got)
	}
}

func TestExRule(t *testing.T) {
	_, c, losses := parse(t, calendar("", "DTSTART:19960415T083000\nRRULE:D1 #10\nEXRULE:D2 #3\n"))
	var got []string
	for p := range c.Props("EXDATE") {
		got = append(got, p.Value())
	}
	if want := []string{"19960415T083000", "19960417T083000", "19960419T083000"}; !slices.Equal(got, want) || c.Value("X-VCAL-EXRULE") != "D2 #3" || len(losses) > 0 {
		t.Errorf("%v %v", got, losses)
	}
}

func TestZones(t *testing.T) {
	const local = "DTSTART:19960610T083000\nDTEND:19960610T093000\n"
	berlin, err := tz.Load("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		head string
		own  *tz.Zone
		want string // of DTSTART
		utc  string
	}{
		{"", nil, "DTSTART:19960610T083000", ""},
		{"", berlin, "DTSTART;TZID=Europe/Berlin:19960610T083000", "063000"},
		{"TZ:-05\n", nil, "DTSTART;TZID=UTC-05:00:19960610T083000", "133000"},
		{"TZ:0-5\n", nil, "DTSTART;TZID=UTC-05:00:19960610T083000", "133000"},
		{"TZ:+05:30\nDAYLIGHT:FALSE\n", nil, "DTSTART;TZID=UTC+05:30:19960610T083000", "030000"},
		{"TZ:+01\n", berlin, "DTSTART;TZID=Europe/Berlin:19960610T083000", "063000"},
		{"TZ:+01\nDAYLIGHT:FALSE\n", berlin, "DTSTART;TZID=UTC+01:00:19960610T083000", "073000"},
		{"TZ:0\n", nil, "DTSTART:19960610T083000Z", "083000"},
		{"TZ:-0500\nDAYLIGHT:TRUE;-04;19960407T020000;19961027T020000;EST;EDT\n", nil, "DTSTART;TZID=America/New_York:19960610T083000", "123000"},
		{"TZ:-05\nDAYLIGHT:TRUE;-06;19960407T025959;19961027T010000;EST;EDT\n", nil, "DTSTART;TZID=America/New_York:19960610T083000", "123000"},
		{"TZ:+0100\nDAYLIGHT:TRUE;+02;19960331T010000Z;19961027T010000Z;CET;CEST\nDAYLIGHT:TRUE;+02;19970330T010000Z;19971026T010000Z;CET;CEST\n", nil, "DTSTART;TZID=Europe/Berlin:19960610T083000", "063000"},
		{"TZ:+03\nDAYLIGHT:TRUE;+04;19960505T020000;19960908T030000;X;Y\n", nil, "DTSTART;TZID=vCalendar +03:00 19960505T02000019960908T030000:19960610T083000", "043000"},
	} {
		cals, losses, err := vcal1.ParseOptions(calendar(tt.head, local), vcal1.Options{Zone: tt.own})
		if err != nil || len(losses) > 0 {
			t.Errorf("%q: %v %v", tt.head, err, losses)
			continue
		}
		errorsOf(t, cals[0])
		p := cals[0].Master().Prop("DTSTART")
		got := strings.TrimSpace(strings.ReplaceAll(string((&ical.Component{Name: "X", Properties: []*ical.Property{p}}).Bytes()), "\r\n", "\n"))
		got = strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(got, "BEGIN:X\n"), "\nEND:X"), `"`, "")
		if strings.ReplaceAll(got, "\n ", "") != tt.want {
			t.Errorf("%q: %s, want %s", tt.head, got, tt.want)
		}
		if tt.utc != "" {
			at, _ := p.Time()
			if got := tz.NewResolver(cals[0], nil).Instant(at).Format("150405"); got != tt.utc {
				t.Errorf("%q: %s UTC, want %s", tt.head, got, tt.utc)
			}
		}
	}
}

func TestAllDay(t *testing.T) {
	for _, tt := range []struct{ in, start, end string }{
		{"DTSTART:19960610T000000\nDTEND:19960611T000000\n", "19960610", "19960611"},
		{"DTSTART:19960610T000000\nDTEND:19960610T235959\n", "19960610", "19960611"},
		{"DTSTART:19960610T000000\nDTEND:19960611T2359\n", "19960610", "19960612"},
		{"DTSTART:19960610T000000\nDTEND:19960610T000000\n", "19960610", ""},
		{"DTSTART:19960610\n", "19960610", ""},
		{"DTSTART:19960610T000000Z\nDTEND:19960611T000000Z\n", "19960610T000000Z", "19960611T000000Z"},
		{"DTEND:19960610T100000Z\n", "19960610T100000Z", ""},
		{"DTSTART:19960610T100000Z\nDTEND:19960610T090000Z\n", "19960610T100000Z", ""},
	} {
		_, c, _ := parse(t, calendar("", tt.in))
		if c.Value("DTSTART") != tt.start || c.Value("DTEND") != tt.end {
			t.Errorf("%q: %s to %s", tt.in, c.Value("DTSTART"), c.Value("DTEND"))
		}
	}
}

func TestOddFiles(t *testing.T) {
	for name, in := range map[string]string{
		"no end, CR alone, BOM": "\ufeffBEGIN:VCALENDAR\rVERSION:1.0\rBEGIN:VEVENT\rDTSTART:19960610T100000Z\r",
		"misprinted names":      "BEGIN:VCALENDAR\nVERSION:1.0\nBEGIN:EVENT\nDTSTART:19960610T100000Z\nEND:EVENT\nEND:VCALENDAR",
		"indented":              "  BEGIN:VCALENDAR\n  VERSION:1.0\nBEGIN:VEVENT\nDTSTART:19960610T100000Z\n  END:VEVENT\nEND:VCALENDAR",
		"text around":           "Hello\nBEGIN:VCARD\nEND:VCARD\nBEGIN:VCALENDAR\nVERSION:1.0\nBEGIN:VEVENT\nDTSTART:19960610T100000Z\nEND:VEVENT\nEND:VCALENDAR\nBye\n",
		"soft break at the end": "BEGIN:VCALENDAR\nVERSION:1.0\nBEGIN:VEVENT\nDTSTART:19960610T100000Z\nSUMMARY;QUOTED-PRINTABLE:x=\nEND:VEVENT\nEND:VCALENDAR\n",
	} {
		cals, _, err := vcal1.Parse([]byte(in))
		if err != nil || len(cals) != 1 || len(cals[0].Main()) != 1 || cals[0].UID() == "" {
			t.Errorf("%s: %v %v", name, cals, err)
			continue
		}
		errorsOf(t, cals[0])
		again, _, err := vcal1.Parse([]byte(in))
		if err != nil || again[0].UID() != cals[0].UID() {
			t.Errorf("%s: the UID changes: %v", name, err)
		}
	}
}

func TestErrors(t *testing.T) {
	for in, want := range map[string]error{
		"":                               vcal1.ErrFormat,
		"BEGIN:VCARD\nEND:VCARD":         vcal1.ErrFormat,
		"BEGIN:VCALENDAR\nVERSION:2.0\n": vcal1.ErrFormat,
		"BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:VEVENT\n", 20):                                      vcal1.ErrLimit,
		strings.Repeat("BEGIN:VCALENDAR\nEND:VCALENDAR\n", 4):                                           vcal1.ErrLimit,
		"BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:VEVENT\nEND:VEVENT\n", 40):                          vcal1.ErrLimit,
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + strings.Repeat("X-A:1\n", 60) + "END:VEVENT\nEND:VCALENDAR": vcal1.ErrLimit,
		strings.Repeat("x", 2000): vcal1.ErrLimit,
	} {
		_, _, err := vcal1.ParseOptions([]byte(in), vcal1.Options{Limits: vcal1.Limits{Size: 1500, Calendars: 3, Components: 30, Properties: 50}})
		var p *vcal1.ParseError
		if !errors.Is(err, want) || !errors.As(err, &p) || p.Line < 1 {
			t.Errorf("%.40q: %v, want %v", in, err, want)
		}
	}
	if _, _, err := vcal1.Marshal(nil); !errors.Is(err, vcal1.ErrFormat) {
		t.Error(err)
	}
}

func TestDetect(t *testing.T) {
	for in, want := range map[string]bool{
		"BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\n":                         true,
		"\ufeffbegin:vcalendar\nPRODID:x\nversion:1.0\n":                             true,
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n":                                         false,
		"BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\n":       false,
		"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nVERSION:1.0\r\n":           true,
		"BEGIN:VCARD\nVERSION:1.0\nEND:VCARD\nBEGIN:VCALENDAR\nVERSION:2.0\nX-A:1\n": false,
		"": false,
	} {
		if got := vcal1.Detect([]byte(in)); got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}

// The cost of a text is bounded by its length.
func TestHostile(t *testing.T) {
	long := strings.Repeat("a", 1<<20)
	for name, in := range map[string]string{
		"folds":      "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:" + strings.Repeat("\n a", 1<<19),
		"soft":       "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY;QUOTED-PRINTABLE:" + strings.Repeat("=\n", 1<<19),
		"parameters": "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY" + strings.Repeat(";A", 1<<18) + ":x",
		"quotes":     "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY;" + strings.Repeat("\"", 1<<19) + ":x",
		"no colon":   "BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + strings.Repeat("x\n ", 1<<18),
		"dates":      "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:19960610T100000Z\nEXDATE:" + strings.Repeat("19960610T100000Z;", 1<<15),
		"names":      "BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + long + ":x",
		"base64":     "BEGIN:VCALENDAR\nBEGIN:VEVENT\nATTACH;BASE64:" + strings.Repeat("\naaaa", 1<<18),
		"rules":      "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:19960229T100000Z\n" + strings.Repeat("EXRULE:D1 #2147483647 99991231T000000Z\n", 200) + strings.Repeat("RRULE:YD65535 366 #2147483647\n", 200),
		"ends":       "BEGIN:VCALENDAR\n" + strings.Repeat("END:X\n", 1<<18),
	} {
		begin := time.Now()
		cals, _, err := vcal1.Parse([]byte(in))
		if err == nil {
			for _, c := range cals {
				if _, _, err := vcal1.Marshal(c); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%s took %v", name, took)
		} else {
			t.Logf("%s: %v", name, took)
		}
	}
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"meeting", "todo", "series"} {
		in, err := os.ReadFile(filepath.Join("testdata", name+".ics"))
		if err != nil {
			t.Fatal(err)
		}
		cal, err := ical.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		got, losses, err := vcal1.Marshal(cal)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range losses {
			got = append(got, "# "+l.String()+"\n"...)
		}
		file := filepath.Join("testdata", name+".vcs")
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", name, got, want)
		}
	}
}
