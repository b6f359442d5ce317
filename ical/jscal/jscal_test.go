package jscal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/check"
	"github.com/convene-cal/convene/ical/jscal"
)

// strict reports the errors of the strict validator.
func strict(t *testing.T, cal *ical.Calendar, but ...string) {
	t.Helper()
	for _, f := range check.Bytes(cal.Bytes(), check.Options{}) {
		if f.Severity == check.Error && !strings.Contains(strings.Join(but, " "), f.Rule) {
			t.Errorf("%v\n%s", f, cal.Bytes())
		}
	}
}

func event(members string) []byte {
	return []byte(`{"@type":"Event","uid":"1","updated":"2026-01-02T03:04:05Z","start":"2026-03-02T09:00:00"` + members + `}`)
}

// Members of an Event, the lines they become, and back: whatever the lines say
// is in the JSON again.
func TestEvent(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{``, "DTSTART:20260302T090000\n"},
		{`,"timeZone":"Etc/UTC"`, "DTSTART:20260302T090000Z\n"},
		{`,"timeZone":"Europe/Vienna","duration":"PT1H"`, "DTSTART;TZID=Europe/Vienna:20260302T090000\nDURATION:PT1H\n"},
		{`,"timeZone":"Europe/Berlin","duration":"PT10H","locations":{"end-70f8f8a3-cba9-5b73-9e5f-e5f97f7cd7ec":{"@type":"Location","relativeTo":"end","timeZone":"Asia/Tokyo","name":"NRT"}}`,
			"DTEND;TZID=Asia/Tokyo:20260303T030000\n"},
		{`,"title":"a, b; c\nd","locale":"de"`, "SUMMARY;LANGUAGE=de:a\\, b\\; c\\nd\n"},
		{`,"description":"<b>x</b>","descriptionContentType":"text/html"`, "STYLED-DESCRIPTION;VALUE=TEXT;FMTTYPE=text/html:<b>x</b>\n"},
		{`,"keywords":{"a,b":true,"c":true}`, "CATEGORIES:a\\,b,c\n"},
		{`,"categories":{"https://a.test/c":true}`, "CONCEPT:https://a.test/c\n"},
		{`,"color":"teal","priority":3,"sequence":2,"privacy":"secret","freeBusyStatus":"free","status":"tentative"`,
			"SEQUENCE:2\nPRIORITY:3\nCOLOR:teal\nCLASS:CONFIDENTIAL\nTRANSP:TRANSPARENT\nSTATUS:TENTATIVE\n"},
		{`,"locations":{"mlab":{"@type":"Location","name":"Lab 1","description":"Behind","coordinates":"geo:1.5,2"}}`,
			"JSPROP;JSPTR=locations/mlab/description:\"Behind\"\n"},
		{`,"locations":{"a":{"@type":"Location","name":"A"},"b":{"@type":"Location","name":"B","locationTypes":{"bar":true}}}`,
			"LOCATION;JSID=a:A\nBEGIN:VLOCATION\nUID:b\nNAME:B\nLOCATION-TYPE:bar\nEND:VLOCATION\n"},
		{`,"virtualLocations":{"v1":{"@type":"VirtualLocation","name":"Stream","uri":"https://a.test/v","features":{"audio":true,"video":true}}}`,
			"CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL=Stream;JSID=v1:https://a.test/v\n"},
		{`,"links":{"l1":{"@type":"Link","href":"https://a.test/f.pdf","rel":"enclosure","contentType":"application/pdf","size":12,"title":"F"}}`,
			"ATTACH;FMTTYPE=application/pdf;SIZE=12;FILENAME=F;JSID=l1:https://a.test/f.pdf\n"},
		{`,"links":{"l1":{"@type":"Link","href":"https://a.test/i.png","rel":"icon","display":"badge"},"l2":{"@type":"Link","href":"https://a.test/","rel":"describedby"},"l3":{"@type":"Link","href":"https://a.test/x","rel":"next"}}`,
			"IMAGE;VALUE=URI;DISPLAY=BADGE;JSID=l1:https://a.test/i.png\nURL;JSID=l2:https://a.test/\nLINK;VALUE=URI;LINKREL=next;JSID=l3:https://a.test/x\n"},
		{`,"links":{"d":{"@type":"Link","href":"data:text/plain;base64,aGk=","rel":"enclosure","contentType":"text/plain"}}`,
			"ATTACH;VALUE=BINARY;ENCODING=BASE64;FMTTYPE=text/plain;JSID=d:aGk=\n"},
		{`,"relatedTo":{"2":{"@type":"Relation","relation":{"next":true}},"3":{"@type":"Relation","relation":{"parent":true}}}`, "RELATED-TO;RELTYPE=NEXT:2\nRELATED-TO:3\n"},
		{`,"recurrenceRules":[{"@type":"RecurrenceRule","frequency":"monthly","interval":2,"byDay":[{"@type":"NDay","day":"fr","nthOfPeriod":-1}],"count":5}]`, "RRULE:FREQ=MONTHLY;COUNT=5;INTERVAL=2;BYDAY=-1FR\n"},
		{`,"timeZone":"America/New_York","recurrenceRules":[{"@type":"RecurrenceRule","frequency":"weekly","until":"2026-06-24T09:00:00","byMonth":["3","4"],"firstDayOfWeek":"su"}]`,
			"RRULE:FREQ=WEEKLY;UNTIL=20260624T130000Z;BYMONTH=3,4;WKST=SU\n"},
		{`,"recurrenceRules":[{"@type":"RecurrenceRule","frequency":"monthly","byMonthDay":[31],"rscale":"gregorian","skip":"forward"}]`, "RRULE:RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD\n"},
		{`,"recurrenceRules":[{"@type":"RecurrenceRule","frequency":"daily"}],"recurrenceOverrides":{"2026-03-04T09:00:00":{"excluded":true},"2026-03-04T12:00:00":{}}`,
			"RRULE:FREQ=DAILY\nEXDATE:20260304T090000\nRDATE:20260304T120000\n"},
		{`,"alerts":{"a1":{"@type":"Alert","trigger":{"@type":"OffsetTrigger","offset":"-PT15M"},"acknowledged":"2026-03-02T08:45:00Z"}}`,
			"BEGIN:VALARM\nTRIGGER:-PT15M\nACKNOWLEDGED:20260302T084500Z\nACTION:DISPLAY\nDESCRIPTION:Alert\nUID:a1\nEND:VALARM\n"},
		{`,"alerts":{"a1":{"@type":"Alert","action":"display","trigger":{"@type":"AbsoluteTrigger","when":"2026-03-02T08:00:00Z"}}}`, "TRIGGER;VALUE=DATE-TIME:20260302T080000Z\n"},
		{`,"replyTo":{"imip":"mailto:o@x.test"},"participants":{"o":{"@type":"Participant","name":"Olga","sendTo":{"imip":"mailto:o@x.test"},"roles":{"owner":true}},"b":{"@type":"Participant","name":"Bo","email":"bo@y.test","sendTo":{"imip":"mailto:b@x.test"},"roles":{"attendee":true,"optional":true},"participationStatus":"tentative","expectReply":true,"kind":"individual","invitedBy":"o"}}`,
			"ORGANIZER;CN=Olga;JSID=o:mailto:o@x.test\nATTENDEE;CN=Bo;EMAIL=bo@y.test;ROLE=OPT-PARTICIPANT;CUTYPE=INDIVIDUAL;PARTSTAT=TENTATIVE;RSVP=TRUE;JSID=b:mailto:b@x.test\nJSPROP;JSPTR=participants/b/invitedBy:\"o\"\n"},
		{`,"localizations":{"de":{"title":"Titel"}}`, "JSPROP;JSPTR=localizations:{\"de\":{\"title\":\"Titel\"}}\n"},
		{`,"example.com:x":{"a":[1,2.5,null,true,"\u00e9"]},"useDefaultAlerts":true`, "JSPROP;JSPTR=\"example.com:x\":{\"a\":[1,2.5,null,true,\"é\"]}\nJSPROP;JSPTR=useDefaultAlerts:true\n"},
	} {
		cals, losses, err := jscal.Parse(event(tt.in))
		if err != nil || len(losses) > 0 {
			t.Errorf("%s: %v %v", tt.in, err, losses)
			continue
		}
		strict(t, cals[0])
		text := strings.ReplaceAll(strings.ReplaceAll(string(cals[0].Bytes()), "\r\n ", ""), "\r\n", "\n")
		for line := range strings.Lines(tt.want) {
			if !strings.Contains(text, strings.ReplaceAll(line, `,`, `,`)) && !strings.Contains(strings.NewReplacer(`\,`, `,`).Replace(text), line) {
				t.Errorf("%s: no %sin\n%s", tt.in, line, text)
			}
		}
		data, losses, err := jscal.Marshal(cals[0])
		if err != nil || len(losses) > 0 {
			t.Errorf("%s: %v %v", tt.in, err, losses)
			continue
		}
		back := firstEntry(t, data)
		var was map[string]any
		if err := json.Unmarshal(event(tt.in), &was); err != nil {
			t.Fatal(err)
		}
		if missing := missing(was, back); missing != "" && !strings.Contains(tt.in, `"rscale"`) {
			t.Errorf("%s: %s is not in\n%s\nof\n%s", tt.in, missing, data, text)
		}
	}
}

func firstEntry(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var group struct {
		Entries []map[string]any `json:"entries"`
	}
	if err := json.Unmarshal(data, &group); err != nil || len(group.Entries) == 0 {
		t.Fatalf("%v\n%s", err, data)
	}
	return group.Entries[0]
}

// missing is the path of something in a that b does not have.
func missing(a, b any) string {
	m, ok := a.(map[string]any)
	if !ok {
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if !bytes.Equal(x, y) {
			return string(x)
		}
		return ""
	}
	n, ok := b.(map[string]any)
	if !ok {
		return "object"
	}
	for k, v := range m {
		if s := missing(v, n[k]); s != "" {
			return k + "/" + s
		}
	}
	return ""
}

func TestAllDay(t *testing.T) {
	cals, losses, err := jscal.Parse([]byte(`{"@type":"Event","uid":"1","updated":"2026-01-02T03:04:05Z","title":"Fools","showWithoutTime":true,"start":"1900-04-01T00:00:00","duration":"P1D",
		"recurrenceRules":[{"@type":"RecurrenceRule","frequency":"yearly","until":"2030-01-01T00:00:00"}],"recurrenceOverrides":{"1901-04-01T00:00:00":{"title":"No"},"1902-04-01T00:00:00":{"excluded":true}}}`))
	if err != nil || len(losses) > 0 {
		t.Fatal(err, losses)
	}
	strict(t, cals[0])
	for _, want := range []string{"DTSTART;VALUE=DATE:19000401\r\n", "DURATION:P1D\r\n", "UNTIL=20300101\r\n", "RECURRENCE-ID;VALUE=DATE:19010401\r\n", "EXDATE;VALUE=DATE:19020401\r\n", "SUMMARY:No\r\n", "DTSTART;VALUE=DATE:19010401\r\n"} {
		if !strings.Contains(string(cals[0].Bytes()), want) {
			t.Errorf("no %sin\n%s", want, cals[0].Bytes())
		}
	}
}

func TestTask(t *testing.T) {
	in := `{"@type":"Task","uid":"1","updated":"2026-01-02T03:04:05Z","timeZone":"Europe/Vienna","due":"2026-01-19T18:00:00","estimatedDuration":"PT1H","percentComplete":30,"progress":"completed","progressUpdated":"2026-01-03T00:00:00Z",
		"replyTo":{"imip":"mailto:o@x.test"},"participants":{"b":{"@type":"Participant","sendTo":{"imip":"mailto:b@x.test"},"roles":{"attendee":true},"participationStatus":"accepted","progress":"in-process"}}}`
	cals, losses, err := jscal.Parse([]byte(in))
	if err != nil || len(losses) > 0 {
		t.Fatal(err, losses)
	}
	strict(t, cals[0])
	for _, want := range []string{"DUE;TZID=Europe/Vienna:20260119T180000", "ESTIMATED-DURATION:PT1H", "STATUS:COMPLETED", "COMPLETED:20260103T000000Z", "PERCENT-COMPLETE:30", "PARTSTAT=IN-PROCESS"} {
		if !strings.Contains(string(cals[0].Bytes()), want) {
			t.Errorf("no %s in\n%s", want, cals[0].Bytes())
		}
	}
	data, _, err := jscal.Marshal(cals[0])
	if err != nil {
		t.Fatal(err)
	}
	var was map[string]any
	if err := json.Unmarshal([]byte(in), &was); err != nil {
		t.Fatal(err)
	}
	if m := missing(was, firstEntry(t, data)); m != "" {
		t.Errorf("%s is not in %s", m, data)
	}
}

// An override is the series moved to its time, with the patches applied.
func TestOverride(t *testing.T) {
	cals, losses, err := jscal.Parse(event(`,"timeZone":"Europe/London","duration":"PT1H30M","title":"Calculus","locations":{"m":{"@type":"Location","name":"Lab"}},
		"recurrenceRules":[{"@type":"RecurrenceRule","frequency":"weekly","until":"2026-06-22T09:00:00"}],
		"recurrenceOverrides":{"2026-03-01T14:00:00":{"title":"Introduction"},"2026-06-22T09:00:00":{"start":"2026-06-22T10:00:00","duration":"PT2H","locations/m/name":"Hall"},
		"2026-04-06T09:00:00":{"locations/none/name":"x"},"2026-04-13T09:00:00":{"title":null,"uid":"2"}}`))
	if err != nil {
		t.Fatal(err)
	}
	strict(t, cals[0])
	if len(losses) != 1 || losses[0].Path != "recurrenceOverrides/2026-04-06T09:00:00" {
		t.Error(losses)
	}
	got := string(cals[0].Bytes())
	for _, want := range []string{"RDATE;TZID=Europe/London:20260301T140000", "SUMMARY:Introduction", "DTSTART;TZID=Europe/London:20260622T100000", "DURATION:PT2H", "LOCATION;JSID=m:Hall", "RECURRENCE-ID;TZID=Europe/London:20260622T090000"} {
		if !strings.Contains(got, want+"\r\n") {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if len(cals[0].Overrides()) != 3 || cals[0].Overrides()[1].Prop("SUMMARY") != nil || cals[0].Overrides()[1].Text("UID") != "1" {
		t.Errorf("overrides in\n%s", got)
	}
	data, losses, err := jscal.Marshal(cals[0])
	if err != nil || len(losses) > 0 {
		t.Fatal(err, losses)
	}
	o := firstEntry(t, data)["recurrenceOverrides"].(map[string]any)
	want := `{"2026-03-01T14:00:00":{"title":"Introduction"},"2026-04-13T09:00:00":{"title":null},"2026-06-22T09:00:00":{"duration":"PT2H","locations/m/name":"Hall","start":"2026-06-22T10:00:00"}}`
	if got, _ := json.Marshal(o); string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLosses(t *testing.T) {
	for in, want := range map[string]string{
		`,"timeZone":"Mars/Olympus"`:   "timeZone: ",
		`,"duration":"PT1.5S"`:         "duration: the fraction",
		`,"priority":12`:               "priority: ",
		`,"title":7`:                   "title: it is no string",
		`,"privacy":"example.com:odd"`: "privacy: ",
		`,"recurrenceRules":[{"@type":"RecurrenceRule","frequency":"hourlyish"}]`:                                "recurrenceRules: ",
		`,"recurrenceOverrides":{"soon":{}}`:                                                                     "recurrenceOverrides/soon: ",
		`,"recurrenceOverrides":{"2026-03-03T09:00:00":{"title":"a","title/b":"c"}}`:                             "recurrenceOverrides/2026-03-03T09:00:00: the override is left out",
		`,"alerts":{"a":{"@type":"Alert","action":"email","trigger":{"@type":"OffsetTrigger","offset":"PT0S"}}}`: "alerts/a: whom",
	} {
		cals, losses, err := jscal.Parse(event(in))
		if err != nil || len(losses) != 1 || !strings.HasPrefix(losses[0].String(), want) {
			t.Errorf("%s: %v %v", in, losses, err)
			continue
		}
		strict(t, cals[0])
	}
}

func TestErrors(t *testing.T) {
	for in, want := range map[string]error{
		``:                         nil,
		`{`:                        nil,
		`{"@type":"Event"} x`:      nil,
		"{\n \"@type\": nonsense}": nil,
		`7`:                        jscal.ErrFormat,
		`[7]`:                      jscal.ErrFormat,
		`{"@type":"Jmap"}`:         jscal.ErrFormat,
		`{"@type":"Group"}`:        jscal.ErrFormat,
		strings.Repeat(`[`, 100):   jscal.ErrLimit,
		strings.Repeat(` `, 10000): jscal.ErrLimit,
		`[` + strings.Repeat(`{"@type":"Event","start":"2026-03-02T09:00:00"},`, 50) + `{"@type":"Event","start":"2026-03-02T09:00:00"}]`: jscal.ErrLimit,
	} {
		_, _, err := jscal.ParseLimits([]byte(in), jscal.Limits{Size: 5000, Components: 40})
		var p *jscal.ParseError
		if !errors.As(err, &p) || want != nil && !errors.Is(err, want) || p.Line < 1 {
			t.Errorf("%.40q: %v", in, err)
		}
	}
	_, _, err := jscal.Parse([]byte("{\n \"@type\": nonsense}"))
	if p := (*jscal.ParseError)(nil); !errors.As(err, &p) || p.Line != 2 || p.Column != 11 {
		t.Errorf("%v %+v", err, p)
	}
	if _, _, err := jscal.Marshal(nil); !errors.Is(err, jscal.ErrFormat) {
		t.Error(err)
	}
}

// A small text must not become a large calendar.
func TestHostile(t *testing.T) {
	var overrides []string
	for i := range 20000 {
		overrides = append(overrides, `"`+time.Date(2026, 1, 1, 0, i, 0, 0, time.UTC).Format("2006-01-02T15:04:05")+`":{"title":"x"}`)
	}
	for name, in := range map[string]string{
		"overrides": `,"description":"` + strings.Repeat("d", 1<<20) + `","recurrenceRules":[{"@type":"RecurrenceRule","frequency":"minutely"}],"recurrenceOverrides":{` + strings.Join(overrides, ",") + `}`,
		"many":      `,"recurrenceRules":[{"@type":"RecurrenceRule","frequency":"secondly","count":2000000000,"byMonth":["2"],"byMonthDay":[30]}],"recurrenceOverrides":{` + strings.Join(overrides[:2000], ",") + `}`,
		"patches":   `,"recurrenceOverrides":{"2026-03-03T09:00:00":{"` + strings.Repeat("a/", 1<<18) + `":1}}`,
	} {
		begin := time.Now()
		_, _, err := jscal.Parse(event(in))
		if name == "overrides" && !errors.Is(err, jscal.ErrLimit) {
			t.Error(err)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%s took %v", name, took)
		} else {
			t.Logf("%s: %v", name, took)
		}
	}
}

func TestGolden(t *testing.T) {
	in, err := os.ReadFile(filepath.Join("testdata", "team.ics"))
	if err != nil {
		t.Fatal(err)
	}
	cal, err := ical.Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	data, losses, err := jscal.Marshal(cal)
	if err != nil || len(losses) > 0 {
		t.Fatal(err, losses)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, data, "", "  "); err != nil {
		t.Fatal(err)
	}
	back, losses, err := jscal.Parse(data)
	if err != nil || len(losses) > 0 {
		t.Fatal(err, losses)
	}
	strict(t, back[0])
	for name, got := range map[string][]byte{"team.json": got.Bytes(), "team.back.ics": back[0].Bytes()} {
		file := filepath.Join("testdata", name)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", name, got, want)
		}
	}
}

// An event with a value in every property of RFC 8984 comes back from iCalendar
// as it was, and what it becomes passes the strict validator.
func TestEverythingComesBack(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "everything.json"))
	if err != nil {
		t.Fatal(err)
	}
	cals, losses, err := jscal.Parse(data)
	if err != nil || len(losses) > 0 || len(cals) != 1 {
		t.Fatal(err, losses, len(cals))
	}
	strict(t, cals[0])
	back, losses, err := jscal.Marshal(cals[0])
	if err != nil || len(losses) > 0 {
		t.Fatal(err, losses)
	}
	var want, group map[string]any
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(back, &group); err != nil {
		t.Fatal(err)
	}
	entries := group["entries"].([]any)
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	if diff := cmp.Diff(want, entries[0]); diff != "" {
		t.Errorf("(-before +after)\n%s", diff)
	}
}

// Nobody has to be the organizer (RFC 8984 4.4.6: who can be reached by email
// alone needs no replyTo), in events and tasks alike: nothing is lost.
func TestPeopleWithoutAnOrganizer(t *testing.T) {
	for _, kind := range []string{"VEVENT", "VTODO"} {
		text := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:" + kind + "\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260302T090000Z\r\n" +
			"ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.test\r\nATTENDEE;EMAIL=c@example.test:mailto:carl@example.test\r\nEND:" + kind + "\r\nEND:VCALENDAR\r\n"
		cal, err := ical.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		data, losses, err := jscal.Marshal(cal)
		if err != nil || len(losses) > 0 {
			t.Fatal(err, losses)
		}
		if !strings.Contains(string(data), `"email":"bob@example.test","name":"Bob"`) || strings.Count(string(data), "sendTo") != 1 {
			t.Errorf("%s", data)
		}
		back, losses, err := jscal.Parse(data)
		if err != nil || len(losses) > 0 {
			t.Fatal(err, losses)
		}
		got := string(back[0].Bytes())
		for _, want := range []string{"ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.test\r\n", "ATTENDEE;EMAIL=c@example.test:mailto:carl@example.test\r\n"} {
			if !strings.Contains(strings.ReplaceAll(got, "\r\n ", ""), want) {
				t.Errorf("%s is not in\n%s", want, got)
			}
		}
	}
}
