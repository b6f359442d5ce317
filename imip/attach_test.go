package imip

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// withFiles is a request with files in the event.
func withFiles(t *testing.T, lines ...string) *ical.Calendar {
	t.Helper()
	cal, err := ical.Parse([]byte(strings.Join(append(append([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "METHOD:REQUEST", "BEGIN:VEVENT", "UID:u1", "DTSTAMP:20260601T100000Z",
		"DTSTART:20260702T080000Z", "DTEND:20260702T090000Z", "SUMMARY:Planning </script>", "LOCATION:Room 5", "ORGANIZER;CN=Anne:mailto:anne@one.test", "ATTENDEE:mailto:ben@two.test"}, lines...), "END:VEVENT", "END:VCALENDAR", ""), "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

func composeFiles(t *testing.T, cal *ical.Calendar, changes ...itip.Difference) []byte {
	t.Helper()
	m := itip.Message{Method: itip.Request, From: "mailto:anne@one.test", To: "mailto:ben@two.test", UID: "u1", Calendar: cal, Changes: changes}
	mail, err := Compose(m, Options{From: Mailbox{"Anne", "anne@one.test"}, To: Mailbox{Address: "ben@two.test"}, Host: "one.test", Now: time.Unix(1780000000, 0).UTC()})
	if err != nil {
		t.Fatal(err)
	}
	return mail.Raw
}

// A small calendar that names a large file over and over has it read once.
func TestAFileNamedManyTimes(t *testing.T) {
	file := base64.StdEncoding.EncodeToString(make([]byte, 2<<20))
	cal := withFiles(t, strings.Split(strings.Repeat("ATTACH:cid:big@x\n", 300), "\n")[:300]...)
	raw := "From: anne@one.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n" + string(cal.Bytes()) +
		"\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <big@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n" + file + "\r\n--b--\r\n"
	p, err := Parse([]byte(raw), Limits{})
	if err != nil || len(p.Found) != 1 {
		t.Fatalf("%d objects, %v", len(p.Found), err)
	}
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "too large") {
		t.Errorf("%d notes: %.300q", len(p.Notes), p.Notes)
	}
}

// Files of an event are parts of its mail on the way, and in the event at its end.
func TestFilesGoAsParts(t *testing.T) {
	agenda, plan := []byte("1. Coffee\r\n2. More coffee\r\n"), bytes.Repeat([]byte{0, 1, 2, 255}, 5000)
	enc := base64.StdEncoding.EncodeToString
	cal := withFiles(t, "ATTACH;VALUE=BINARY;ENCODING=BASE64;FMTTYPE=text/plain;FILENAME=agenda.txt:"+enc(agenda), "ATTACH;ENCODING=BASE64;VALUE=BINARY;FMTTYPE=\"image/x-;evil\";FILENAME=Größe.bin:"+enc(plan),
		"ATTACH;VALUE=BINARY;ENCODING=BASE64;FILENAME=copy.txt:"+enc(agenda), "ATTACH:https://one.test/file", "ATTACH;VALUE=BINARY;ENCODING=BASE64;FILENAME=broken:!!!")
	before := string(cal.Bytes())
	raw := composeFiles(t, cal)
	if string(cal.Bytes()) != before {
		t.Error("the message that was given changed")
	}
	text := string(raw)
	if n := strings.Count(text, "Content-ID: <"); n != 2 {
		t.Errorf("%d parts with an identifier", n)
	}
	for _, want := range []string{`multipart/related; type="multipart/alternative";`, "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=\"agenda.txt\"", "filename*=UTF-8''Gr%C3%B6%C3%9Fe.bin", "application/octet-stream", "Too large to be sent: broken"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%.3000s", want, text)
		}
	}
	if strings.Contains(text, "evil") {
		t.Error("a media type that is none went out")
	}
	p, err := Parse(raw, Limits{})
	if err != nil || len(p.Found) != 1 || p.Found[0].Review != "" {
		t.Fatalf("%+v %v", p, err)
	}
	var got []string
	for a := range p.Found[0].Calendar.Main()[0].Props("ATTACH") {
		data, _ := decodeBinary(a.Value())
		if !isBinary(a) {
			data = []byte(a.Value())
		}
		got = append(got, a.Param("FILENAME")+"="+string(data))
	}
	if want := []string{"agenda.txt=" + string(agenda), "Größe.bin=" + string(plan), "copy.txt=" + string(agenda), "=https://one.test/file"}; strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("it arrives as %.300q", got)
	}
}

func TestFilesTooLargeForAMail(t *testing.T) {
	big := base64.StdEncoding.EncodeToString(make([]byte, maxAttached-100))
	raw := composeFiles(t, withFiles(t, "ATTACH;VALUE=BINARY;ENCODING=BASE64;FILENAME=small.txt:"+base64.StdEncoding.EncodeToString(make([]byte, 200)), "ATTACH;VALUE=BINARY;ENCODING=BASE64;FILENAME=big.bin:"+big))
	if len(raw) > 1<<20 || !strings.Contains(string(raw), "Too large to be sent: big.bin") || !strings.Contains(string(raw), "small.txt") {
		t.Errorf("%d octets", len(raw))
	}
}

// A part that is named brings nothing but itself: another mail's, one in a
// forwarded mail, one that is too large.
func TestFilesThatAreNotThere(t *testing.T) {
	object := func(id string) string {
		return "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u\r\nATTACH:CID:" + id + "\r\nEND:VEVENT\r\nEND:VCALENDAR"
	}
	mail := func(parts ...string) []byte {
		return []byte("From: a@b.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=bb\r\n\r\n--bb\r\n" + strings.Join(parts, "\r\n--bb\r\n") + "\r\n--bb--\r\n")
	}
	file := "Content-Type: text/plain; name=a.txt\r\nContent-ID: <one@b.test>\r\n\r\nhello"
	for name, c := range map[string]struct {
		raw  []byte
		want bool
	}{
		"there":                {mail(object("one@b.test"), file), true},
		"in front of it":       {mail(file, object("one@b.test")), true},
		"another identifier":   {mail(object("two@b.test"), file), false},
		"in a forwarded mail":  {mail(object("one@b.test"), "Content-Type: message/rfc822\r\n\r\n"+file), false},
		"too large":            {mail(object("one@b.test"), file+strings.Repeat("x", 2<<20)), false},
		"no identifier at all": {mail(object(""), file), false},
	} {
		p, err := Parse(c.raw, Limits{})
		if err != nil || len(p.Found) != 1 {
			t.Fatalf("%s: %+v %v", name, p, err)
		}
		a := p.Found[0].Calendar.Main()[0].Prop("ATTACH")
		if isBinary(a) != c.want {
			t.Errorf("%s: %.100s", name, a.Value())
		}
	}
}

// The description for mail services says what the event says, and cannot be left.
func TestMarkup(t *testing.T) {
	for _, c := range []struct {
		name    string
		changes []itip.Difference
		lines   []string
		want    map[string]any
	}{
		{"an event", nil, []string{"URL:https://one.test/x"}, map[string]any{"name": "Planning </script>", "startDate": "2026-07-02T08:00:00Z", "endDate": "2026-07-02T09:00:00Z", "eventStatus": "https://schema.org/EventScheduled", "url": "https://one.test/x"}},
		{"moved", []itip.Difference{{Property: "DTSTART", Old: "a", New: "b"}}, []string{"URL:javascript:alert(1)"}, map[string]any{"eventStatus": "https://schema.org/EventRescheduled", "url": nil}},
		{"cancelled", nil, []string{"STATUS:CANCELLED"}, map[string]any{"eventStatus": "https://schema.org/EventCancelled"}},
	} {
		p := string(composeFiles(t, withFiles(t, c.lines...), c.changes...))
		i := strings.Index(p, `<script type="application/ld+json">`)
		if i < 0 { // the HTML is in base64
			for _, part := range strings.Split(p, "\r\n\r\n") {
				if raw, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(part, "\r\n", "")); err == nil && bytes.Contains(raw, []byte("ld+json")) {
					p = string(raw)
				}
			}
			i = strings.Index(p, `<script type="application/ld+json">`)
		}
		if i < 0 {
			t.Errorf("%s: no description", c.name)
			continue
		}
		text, _, _ := strings.Cut(p[i+len(`<script type="application/ld+json">`):], "</script>")
		var got map[string]any
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v in %s", c.name, err, text)
		}
		for k, v := range c.want {
			if got[k] != v {
				t.Errorf("%s: %s is %v, want %v", c.name, k, got[k], v)
			}
		}
	}
}
