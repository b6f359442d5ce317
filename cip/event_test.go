package cip

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
)

var at = Reading{Now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}

func lines(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

// broken is an event as the draft prints one: blanks around separators, a
// description and an address broken over two lines, an offset and no seconds.
const broken = `DTSTART: 20261231T2000-0500
DTEND: 20270101T0600-0500
DESCRIPTION: Spring cleaning of the town hall. Bring
gloves!
ATTENDEE; ROLE=OWNER: Ann O'Hara
<ann@a.test>
ATTENDEE: Ben Two <ben@b.test>
ATTENDEE: Cy <cy@c.test>
SEQUENCE: 1
UID: 77@a.test
`

func TestEventOfBareLines(t *testing.T) {
	e, err := ParseEvent(lines(broken), at)
	if err != nil {
		t.Fatal(err)
	}
	c := e.Calendar.Main()[0]
	for _, f := range []struct{ what, got, want string }{
		{"form", string(e.Form), "bare"},
		{"id", e.ID, "77@a.test"},
		{"version", fmt.Sprint(e.Version), "1"},
		{"owner", e.Owner.ID + " " + e.Owner.Name, "ann@a.test Ann O'Hara"},
		{"attendees", fmt.Sprint(e.Attendees), "[{ann@a.test mailto:ann@a.test Ann O'Hara} {ben@b.test mailto:ben@b.test Ben Two} {cy@c.test mailto:cy@c.test Cy}]"},
		{"method", e.Calendar.Method(), "REQUEST"},
		{"start", c.Value("DTSTART"), "20270101T010000Z"},
		{"end", c.Value("DTEND"), "20270101T110000Z"},
		{"summary", c.Text("SUMMARY"), "Spring cleaning of the town hall. Bring gloves!"},
		{"sequence", c.Value("SEQUENCE"), "0"},
		{"stamp", c.Value("DTSTAMP"), "20260302T080000Z"},
		{"organizer", string(c.Prop("ORGANIZER").Address()), "mailto:ann@a.test"},
	} {
		if f.got != f.want {
			t.Errorf("%s: %q, want %q", f.what, f.got, f.want)
		}
	}
	for p := range c.Props("ATTENDEE") {
		if owner := p.Address().Equal("mailto:ann@a.test"); owner != (p.Param("PARTSTAT") == "ACCEPTED") || owner == (p.Param("RSVP") == "TRUE") {
			t.Errorf("%s", p.Raw())
		}
	}
}

func TestEventForms(t *testing.T) {
	frame := func(s string) string {
		return "BEGIN:VCALENDAR\nVERSION:1.0\nBEGIN:VEVENT\n" + s + "END:VEVENT\nEND:VCALENDAR\n"
	}
	base := "UID:1@a.test\nSEQUENCE:3\nDTSTART:20270101T100000Z\nDTEND:20270101T110000Z\nATTENDEE;ROLE=OWNER:ann@a.test\nATTENDEE:ben@b.test\n"
	for _, tt := range []struct {
		name, text string
		form       Form
		want       string // KEY=value checks, separated by blanks with ~ for a blank
	}{
		{"vCalendar", frame(base + "SUBJECT:Talk\n"), VCal10, "SUMMARY=Talk SEQUENCE=2"},
		{"summary before subject", base + "SUBJECT:a\nSUMMARY:b\n", Bare, "SUMMARY=b"},
		{"Latin-1", base + "SUBJECT:Caf\xe9\n", Bare, "SUMMARY=Café"},
		{"Latin-1 in one line, UTF-8 in another", base + "SUBJECT:Caf\xe9\nLOCATION:Caf\xc3\xa9\n", Bare, "SUMMARY=Café LOCATION=Café"},
		{"quoted-printable over lines of dots", base + "SUMMARY:x\nDESCRIPTION;ENCODING=QUOTED-PRINTABLE:a=0D=0A=\n.=0D=0A=\n..\n", Bare, "DESCRIPTION=a\n.\n.."},
		{"folded", base + "SUMMARY:one\n two\n\tthree\n", Bare, "SUMMARY=one~two~three"},
		{"a value with a colon in its second line is another property", base + "SUMMARY:one\nLOCATION:two\n", Bare, "SUMMARY=one LOCATION=two"},
		{"lower case", strings.ToLower(base) + "summary:x\n", Bare, "UID=1@a.test SUMMARY=x"},
		{"an address broken in the middle", strings.Replace(base, "ATTENDEE:ben@b.test", "ATTENDEE;ROLE=ATTENDEE:ben\n@b.test", 1), Bare, ""},
		{"iCalendar's own sequence", base + "X-ICAL-SEQUENCE:9\n", Bare, "SEQUENCE=9"},
		{"time of day without a zone is the reader's", strings.ReplaceAll(base, "0000Z", "0000"), Bare, "DTSTART=20270101T100000Z"},
		{"whole calendar's zone", "TZ:-05\n" + strings.ReplaceAll(base, "0000Z", "0000"), Bare, "DTSTART=20270101T150000Z"},
		{"a to-do by its DUE", strings.Replace(base, "DTEND", "DUE", 1), Bare, "DUE=20270101T110000Z"},
		{"cancelled", base + "STATUS: CANCELLED\n", Bare, "STATUS=CANCELLED"},
		{"declined by its owner", base + "STATUS:DECLINED\n", Bare, "STATUS=CANCELLED"},
		{"cancelled without times", "UID:1@a.test\nSEQUENCE:4\nSTATUS:CANCELLED\nATTENDEE;ROLE=OWNER:ann@a.test\nATTENDEE:ben@b.test\n", Bare, "STATUS=CANCELLED DTSTART="},
		{"an organizer where no owner is", strings.Replace(base, "OWNER", "ORGANIZER", 1), Bare, ""},
		{"only a sum of bytes", "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1@a.test\nDTSTAMP:20260101T000000Z\nSEQUENCE:3\nDTSTART:20270101T100000Z\nSUMMARY:Caf\xe9\nORGANIZER:mailto:ann@a.test\nATTENDEE:mailto:ben@b.test\nEND:VEVENT\nEND:VCALENDAR\n", ICal20, "SUMMARY=Café SEQUENCE=2 DTSTAMP=20260101T000000Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := ParseEvent(lines(tt.text), at)
			if err != nil {
				t.Fatal(err)
			}
			if e.Form != tt.form {
				t.Errorf("form %s, want %s", e.Form, tt.form)
			}
			if len(e.Attendees) != 2 || e.Attendees[1].ID != "ben@b.test" || e.Owner.ID != "ann@a.test" {
				t.Errorf("owner %v, attendees %v", e.Owner, e.Attendees)
			}
			c := e.Calendar.Main()[0]
			for _, check := range strings.Split(tt.want, " ") {
				name, want, _ := strings.Cut(check, "=")
				if got := c.Text(name); name != "" && got != strings.ReplaceAll(want, "~", " ") {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestEventRefused(t *testing.T) {
	base := "UID:1@a.test\nSEQUENCE:1\nDTSTART:20270101T100000Z\nATTENDEE;ROLE=OWNER:ann@a.test\nATTENDEE:ben@b.test\n"
	for name, text := range map[string]string{
		"no owner":          strings.Replace(base, ";ROLE=OWNER", "", 1),
		"two owners":        strings.Replace(base, "ATTENDEE:ben", "ATTENDEE; ROLE = OWNER:ben", 1),
		"owner nowhere":     strings.Replace(base, "ann@a.test", "Ann", 1),
		"negative version":  strings.Replace(base, "SEQUENCE:1", "SEQUENCE:-1", 1),
		"version over 2^31": strings.Replace(base, "SEQUENCE:1", "SEQUENCE:2147483649", 1),
		"version a word":    strings.Replace(base, "SEQUENCE:1", "SEQUENCE:one", 1),
		"no start":          strings.Replace(base, "DTSTART:20270101T100000Z\n", "", 1),
		"no UID":            strings.Replace(base, "UID:1@a.test\n", "", 1),
		"a UID with blanks": strings.Replace(base, "UID:1@a.test", "UID:1 2@a.test", 1),
		"nothing":           "",
		"one word":          "hello",
		"VERSION:3.0":       "BEGIN:VCALENDAR\nVERSION:3.0\nBEGIN:VEVENT\n" + base + "END:VEVENT\nEND:VCALENDAR\n",
		"two events":        "BEGIN:VCALENDAR\nVERSION:1.0\nBEGIN:VEVENT\n" + base + "END:VEVENT\nBEGIN:VEVENT\n" + strings.Replace(base, "UID:1", "UID:2", 1) + "END:VEVENT\nEND:VCALENDAR\n",
		"too many":          base + strings.Repeat("ATTENDEE:x@b.test\n", 5001),
		"a free/busy":       "BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VFREEBUSY\nUID:1@a.test\nDTSTART:20270101T100000Z\nORGANIZER:mailto:ann@a.test\nEND:VFREEBUSY\nEND:VCALENDAR\n",
		"PUBLISH":           "BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:PUBLISH\nBEGIN:VEVENT\nUID:1@a.test\nDTSTART:20270101T100000Z\nORGANIZER:mailto:ann@a.test\nEND:VEVENT\nEND:VCALENDAR\n",
	} {
		t.Run(name, func(t *testing.T) {
			if e, err := ParseEvent(lines(text), at); !errors.Is(err, ErrBody) {
				t.Errorf("got %+v, %v", e, err)
			}
		})
	}
}

func TestEventThereAndBack(t *testing.T) {
	const text = `BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//y//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:local
DTSTAMP:20260101T000000Z
SEQUENCE:4
DTSTART:20270101T100000Z
DTEND:20270101T110000Z
SUMMARY:Ωmega
ORGANIZER;CN=Ann:mailto:ann@a.test
ATTENDEE;CN=Ann;ROLE=CHAIR;PARTSTAT=ACCEPTED:mailto:ann@a.test
ATTENDEE;CN=Bén;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:ben@b.test
END:VEVENT
END:VCALENDAR
`
	cal, err := ical.Parse(lines(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []Form{Bare, VCal10, ICal20} {
		e := Event{ID: "local@a.test", Version: 7, Calendar: cal, Trace: []string{"a.test"}}
		data, err := e.Encode(form)
		if err != nil {
			t.Fatal(err)
		}
		if form != ICal20 && strings.ContainsFunc(string(data), func(r rune) bool { return r > '~' }) {
			t.Errorf("%s: octets beyond ASCII:\n%s", form, data)
		}
		back, err := ParseEvent(data, at)
		if err != nil {
			t.Fatalf("%s: %v\n%s", form, err, data)
		}
		c := back.Calendar.Main()[0]
		if back.UID != "local" || c.Text("UID") != "local" {
			t.Errorf("%s: UID %q, %q", form, back.UID, c.Text("UID"))
		}
		if back.Form != form || back.ID != e.ID || back.Version != 7 || c.Value("SEQUENCE") != "4" || c.Text("SUMMARY") != "Ωmega" || c.Value("DTSTAMP") != "20260101T000000Z" || fmt.Sprint(back.Trace) != "[a.test]" || len(back.Attendees) != 2 {
			t.Errorf("%s: %+v\n%s", form, back, back.Calendar.Bytes())
		}
		if c.Prop("X-ICAL-SEQUENCE") != nil || c.Prop("X-CIP-TRACE") != nil {
			t.Errorf("%s: transport's own properties stay:\n%s", form, back.Calendar.Bytes())
		}
	}
}

func TestAnswer(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"status as a line", "UID: 1@a.test\nSEQUENCE: 1\nRESPONSE-SEQUENCE: 2\nATTENDEE: Ben Two <ben@b.test>\nSTATUS: CONFIRMED\n", "1@a.test 1 2 ben@b.test ACCEPTED"},
		{"as a parameter", "UID:1@a.test\nATTENDEE;ROLE=ATTENDEE;STATUS=DECLINED:ben@b.test\n", "1@a.test 0 0 ben@b.test DECLINED"},
		{"the parameter counts", "UID:1@a.test\nATTENDEE;STATUS=TENTATIVE:ben@b.test\nSTATUS:CONFIRMED\n", "1@a.test 0 0 ben@b.test TENTATIVE"},
		{"beside the owner", "UID:1@a.test\nATTENDEE;ROLE=OWNER:ann@a.test\nATTENDEE;STATUS=ACCEPTED:ben@b.test\n", "1@a.test 0 0 ben@b.test ACCEPTED"},
		{"needs action", "UID:1@a.test\nATTENDEE;STATUS=NEEDS ACTION:ben@b.test\n", "1@a.test 0 0 ben@b.test NEEDS-ACTION"},
		{"a to-do", "BEGIN:VCALENDAR\nVERSION:1.0\nBEGIN:VTODO\nUID:1@a.test\nATTENDEE;STATUS=COMPLETED:ben@b.test\nEND:VTODO\nEND:VCALENDAR\n", "1@a.test 0 0 ben@b.test COMPLETED"},
		{"iCalendar", "BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REPLY\nBEGIN:VEVENT\nUID:1@a.test\nSEQUENCE:3\nORGANIZER:mailto:ann@a.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:ben@b.test\nEND:VEVENT\nEND:VCALENDAR\n", "1@a.test 3 0 ben@b.test ACCEPTED"},
		{"no UID", "ATTENDEE;STATUS=ACCEPTED:ben@b.test\n", ""},
		{"two attendees", "UID:1@a.test\nATTENDEE;STATUS=ACCEPTED:ben@b.test\nATTENDEE;STATUS=ACCEPTED:cy@b.test\n", ""},
		{"no attendee", "UID:1@a.test\nSTATUS:CONFIRMED\n", ""},
		{"no answer", "UID:1@a.test\nATTENDEE:ben@b.test\n", ""},
		{"a strange answer", "UID:1@a.test\nATTENDEE;STATUS=PERHAPS:ben@b.test\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := ParseAnswer(lines(tt.text), at)
			got := ""
			if err == nil {
				got = fmt.Sprintf("%s %d %d %s %s", a.ID, a.Version, a.Response, a.Attendee.ID, a.PartStat)
			} else if !errors.Is(err, ErrBody) {
				t.Error(err)
			}
			if got != tt.want {
				t.Fatalf("got %q (%v), want %q", got, err, tt.want)
			}
			if err != nil {
				return
			}
			a.Comment = "gern, Ω"
			for _, form := range []Form{Bare, VCal10, ICal20} {
				data, err := a.Encode(form)
				if err != nil {
					t.Fatal(err)
				}
				back, err := ParseAnswer(data, at)
				if err != nil {
					t.Fatalf("%s: %v\n%s", form, err, data)
				}
				if back.ID != a.ID || back.Version != a.Version || back.Response != a.Response || back.PartStat != a.PartStat || form != ICal20 && back.Comment != a.Comment {
					t.Errorf("%s: %+v\n%s", form, back, data)
				}
			}
		})
	}
}

func TestQuery(t *testing.T) {
	bare := "DTSTART:20270101T000000Z\nDTEND:20270102T000000Z\nATTENDEE;ROLE=OWNER:ann@a.test\nATTENDEE:ben@b.test\nATTENDEE:nobody\n"
	q, err := ParseQuery(lines(bare), at)
	if err != nil {
		t.Fatal(err)
	}
	if q.Asker.ID != "ann@a.test" || len(q.Attendees) != 2 || q.Attendees[1].Address != "" || q.To.Sub(q.From) != 24*time.Hour {
		t.Errorf("%+v", q)
	}
	for name, text := range map[string]string{
		"no end":    strings.Replace(bare, "DTEND:20270102T000000Z\n", "", 1),
		"backwards": strings.Replace(bare, "20270102", "20260102", 1),
		"too long":  strings.Replace(bare, "20270102", "20280110", 1),
		"nobody":    "DTSTART:20270101T000000Z\nDTEND:20270102T000000Z\n",
		"too many": bare + func() (s string) {
			for i := range 101 {
				s += fmt.Sprintf("ATTENDEE:u%d@b.test\n", i)
			}
			return s
		}(),
		"not a request": "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VFREEBUSY\nDTSTART:20270101T000000Z\nDTEND:20270102T000000Z\nATTENDEE:mailto:a@b.test\nEND:VFREEBUSY\nEND:VCALENDAR\n",
	} {
		if _, err := ParseQuery(lines(text), at); !errors.Is(err, ErrBody) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, form := range []Form{Bare, ICal20} {
		q.Form = form
		again, err := ParseQuery(q.Encode(at.Now), at)
		if err != nil || again.Form != form || !again.From.Equal(q.From) || again.Asker.ID != q.Asker.ID || again.Attendees[0].ID != "ben@b.test" {
			t.Errorf("%s: %+v, %v", form, again, err)
		}
		busy := []Busy{{Attendee: q.Attendees[0]}}
		busy[0].Periods = append(busy[0].Periods, periods(q.From)...)
		got, err := ParseBusy(q.EncodeBusy(busy, at.Now))
		if err != nil || len(got) != 1 || got[0].Attendee.ID != "ben@b.test" || fmt.Sprint(got[0].Periods) != fmt.Sprint(busy[0].Periods) {
			t.Errorf("%s: %+v, %v\n%s", form, got, err, q.EncodeBusy(busy, at.Now))
		}
	}
}

func TestIdentifiers(t *testing.T) {
	ours := []string{"a.test", "old.test"}
	for _, tt := range []struct{ uid, id string }{
		{"4711@a.test", "4711@a.test"},
		{"4711@old.test", "4711@old.test"},
		{"4711", "4711@a.test"},
		{"4711@b.test", "4711%40b.test@a.test"},
		{"a b/ü", "a%20b%2F%C3%BC@a.test"},
	} {
		id, ok := EventID(tt.uid, ours)
		if !ok || id != tt.id {
			t.Errorf("%q: %q, want %q", tt.uid, id, tt.id)
		}
		found := false
		for _, uid := range UIDs(id, ours) {
			found = found || uid == tt.uid
		}
		if !found {
			t.Errorf("%q is none of %q", tt.uid, UIDs(id, ours))
		}
	}
	if _, ok := EventID(strings.Repeat("x", 300), ours); ok {
		t.Error("a UID of 300 octets is an event id")
	}
	if id, ok := UserID("mailto:ann@bücher.test"); !ok || id != "ann@xn--bcher-kva.test" {
		t.Errorf("%q", id)
	}
	if _, ok := UserID("mailto:änn@a.test"); ok {
		t.Error("a local part beyond ASCII can be written")
	}
}
