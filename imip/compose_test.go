package imip

import (
	"bytes"
	"encoding/base64"
	"flag"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/itip"
)

var update = flag.Bool("update", false, "write the golden mails anew")

// message builds an iTIP message from the lines of its component.
func message(t *testing.T, method itip.Method, from, to string, lines ...string) itip.Message {
	t.Helper()
	text := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Convene//Test//EN\r\nMETHOD:" + string(method) + "\r\n" + berlin +
		"BEGIN:VEVENT\r\nUID:planning@one.test\r\nDTSTAMP:20260601T100000Z\r\nSEQUENCE:1\r\nORGANIZER;CN=Änne Example:mailto:anne@one.test\r\n" +
		strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	cal, err := ical.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return itip.Message{Method: method, From: ical.Mailto(from), To: ical.Mailto(to), UID: "planning@one.test", Sequence: 1, Calendar: cal}
}

const berlin = "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19961027T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:19810329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"

var (
	timed = []string{"DTSTART;TZID=Europe/Berlin:20260702T100000", "DTEND;TZID=Europe/Berlin:20260702T113000", "SUMMARY:Planning the Größe of things", "LOCATION:Room 5\\, ground floor", "STATUS:CONFIRMED"}
	guest = []string{"ATTENDEE;CN=Änne Example;ROLE=CHAIR;PARTSTAT=ACCEPTED:mailto:anne@one.test", "ATTENDEE;CN=Ben;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ben@two.test"}
)

func lines(groups ...[]string) []string {
	var all []string
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

func options(t *testing.T, from, fromName, to, toName string) Options {
	t.Helper()
	newYork, err := tz.Load("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		From: Mailbox{fromName, from}, To: Mailbox{toName, to}, Host: "cal.one.test", Zone: newYork,
		Now: time.Date(2026, 6, 1, 10, 0, 5, 0, time.UTC),
	}
}

// One golden mail for each method. `go test ./imip -update` writes them anew;
// look at the difference before committing it.
func TestComposeGolden(t *testing.T) {
	anne, ben := "anne@one.test", "ben@two.test"
	out := func() Options { return options(t, anne, "Änne Example", ben, "Ben") }
	back := func() Options { return options(t, ben, "Ben", anne, "Änne Example") }
	reply := []string{"ATTENDEE;CN=Ben;PARTSTAT=DECLINED:mailto:ben@two.test", "COMMENT:I am on the train then.\\nSorry!"}
	changed := message(t, itip.Request, anne, ben, lines(timed, guest, []string{"DESCRIPTION:Bring the numbers.\\nhttps://one.test/numbers?a=1&b=2"})...)
	changed.Changes = []itip.Difference{
		{Property: "DTSTART", Old: "20260702T070000Z", New: "20260702T080000Z"},
		{Property: "LOCATION", Old: "Room 4", New: "Room 5, ground floor"},
		{Property: "DESCRIPTION", New: "Bring the numbers.\nhttps://one.test/numbers?a=1&b=2"},
	}
	one := message(t, itip.Cancel, anne, ben, lines(timed[:3], guest, []string{"STATUS:CANCELLED", "RECURRENCE-ID;TZID=Europe/Berlin:20260702T100000"})...)
	one.RecurrenceID = "20260702T080000Z"
	for _, c := range []struct {
		name string
		m    itip.Message
		o    Options
	}{
		{"request", message(t, itip.Request, anne, ben, lines(timed, guest)...), out()},
		{"request-changed", changed, func() Options {
			o := out()
			o.References = []string{"first@cal.one.test"}
			o.RSVPURL = "https://cal.one.test/rsvp/0123?x=1&y=2"
			return o
		}()},
		{"request-allday", message(t, itip.Request, anne, ben, lines([]string{"DTSTART;VALUE=DATE:20260702", "DTEND;VALUE=DATE:20260704", "SUMMARY:Off-site"}, guest)...), out()},
		{"cancel-occurrence", one, out()},
		{"cancel-removed", message(t, itip.Cancel, anne, ben, lines(timed[:3], guest)...), out()},
		{"reply-declined", message(t, itip.Reply, ben, anne, lines(timed[:3], reply)...), back()},
		{"add", message(t, itip.Add, anne, ben, lines(timed, guest)...), out()},
		{"publish", message(t, itip.Publish, anne, ben, timed...), out()},
		{"refresh", message(t, itip.Refresh, ben, anne, guest[1]), back()},
		{"counter", message(t, itip.Counter, ben, anne, lines(timed, guest)...), back()},
		{"declinecounter", message(t, itip.DeclineCounter, anne, ben, lines(timed[:3], guest)...), out()},
	} {
		t.Run(c.name, func(t *testing.T) {
			mail, err := Compose(c.m, c.o)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Compose(c.m, c.o)
			if err != nil || !bytes.Equal(mail.Raw, again.Raw) {
				t.Fatal("the same message is not the same octets")
			}
			strict(t, mail, c.m)
			p, err := Parse(mail.Raw, Limits{})
			if err != nil || len(p.Found) != 1 || p.Found[0].Method != c.m.Method || p.Found[0].MethodFrom != "both" || p.Found[0].Review != "" {
				t.Fatalf("our own mail is read as %+v (%v)", p, err)
			}
			if p.MessageID != mail.MessageID || p.Subject != mail.Subject || string(p.From) != "mailto:"+c.o.From.Address {
				t.Errorf("identity read back: %q %q %q", p.MessageID, p.Subject, p.From)
			}
			golden := filepath.Join("testdata", "compose", c.name+".eml")
			if *update {
				os.MkdirAll(filepath.Dir(golden), 0o777)
				if err := os.WriteFile(golden, mail.Raw, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(mail.Raw, want) {
				t.Errorf("differs from %s:\n%s", golden, mail.Raw)
			}
		})
	}
}

// strict reads a mail with the standard library, which forgives nothing, and
// checks what is promised of every mail (OUT-01 to OUT-04).
func strict(t *testing.T, composed *Mail, m itip.Message) {
	t.Helper()
	for line := range bytes.Lines(composed.Raw) {
		if !bytes.HasSuffix(line, []byte("\r\n")) || len(line) > 1000 {
			t.Errorf("line of %d octets, or without CRLF: %.80q", len(line), line)
		}
	}
	msg, err := mail.ReadMessage(bytes.NewReader(composed.Raw))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"From", "To"} {
		if _, err := msg.Header.AddressList(f); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
	if _, err := msg.Header.Date(); err != nil {
		t.Error(err)
	}
	var kinds []string
	var objects []string
	var walk func(contentType, encoding string, r io.Reader)
	walk = func(contentType, encoding string, r io.Reader) {
		media, params, err := mime.ParseMediaType(contentType)
		if err != nil {
			t.Fatalf("%s: %v", contentType, err)
		}
		if strings.HasPrefix(media, "multipart/") {
			kinds = append(kinds, media+"{")
			parts := multipart.NewReader(r, params["boundary"])
			for {
				p, err := parts.NextRawPart()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if media == "multipart/alternative" && p.Header.Get("Content-Disposition") != "" {
					t.Error("a part of the alternative has a Content-Disposition")
				}
				walk(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p)
			}
			kinds = append(kinds, "}")
			return
		}
		kinds = append(kinds, media)
		switch encoding {
		case "base64":
			r = base64.NewDecoder(base64.StdEncoding, r)
		case "quoted-printable":
			r = quotedprintable.NewReader(r)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		switch media {
		case "text/calendar":
			if params["method"] != string(m.Method) || params["charset"] != "UTF-8" || params["component"] != m.Calendar.Kind() {
				t.Errorf("parameters %v", params)
			}
			objects = append(objects, strings.TrimRight(string(body), "\r\n"))
		case "application/ics":
			objects = append(objects, strings.TrimRight(string(body), "\r\n"))
		}
	}
	walk(msg.Header.Get("Content-Type"), msg.Header.Get("Content-Transfer-Encoding"), msg.Body)
	if got := strings.Join(kinds, " "); got != "multipart/mixed{ multipart/alternative{ text/plain text/html text/calendar } application/ics }" {
		t.Errorf("tree %s", got)
	}
	if len(objects) != 2 || objects[0] != objects[1] {
		t.Errorf("the attachment is not the calendar part: %q", objects)
	}
	for line := range strings.Lines(objects[0]) {
		if len(strings.TrimRight(line, "\r\n")) > 75 {
			t.Errorf("content line longer than 75 octets: %q", line)
		}
	}
}

// User text cannot make header fields, parts or markup.
func TestComposeHostileText(t *testing.T) {
	m := message(t, itip.Request, "anne@one.test", "ben@two.test", lines([]string{
		"DTSTART:20260702T080000Z", `SUMMARY:a\nBcc: eve@evil.test\n<script>alert(1)</script>`,
		`DESCRIPTION:--=_000\n\n<img src=x onerror=y>\n` + strings.Repeat("long", 600), "URL:javascript:alert(1)"}, guest)...)
	o := options(t, "anne@one.test", "Ann\r\nBcc: eve@evil.test", "ben@two.test", `"><b>`)
	o.RSVPURL = "javascript:alert(1)"
	mail, err := Compose(m, o)
	if err != nil {
		t.Fatal(err)
	}
	strict(t, mail, m)
	p, err := Parse(mail.Raw, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Header("Bcc")) != 0 {
		t.Error("a Bcc field was smuggled in")
	}
	root, err := (&tree{limits: Limits{}.orDefaults()}).entity(mail.Raw, "", 0, "")
	if err != nil {
		t.Fatal(err)
	}
	html := root.parts[0].parts[1].text()
	before, data, ok := strings.Cut(html, `<script type="application/ld+json">`) // data, not a program
	data, after, closed := strings.Cut(data, "</script>")
	if !ok || !closed || strings.ContainsAny(data, "<>") {
		t.Errorf("the description for mail services can be left: %s", data)
	}
	html = before + after
	for _, bad := range []string{"<script", "<img", `href="javascript`} {
		if strings.Contains(html, bad) {
			t.Errorf("the HTML contains %q", bad)
		}
	}
}

func TestComposeRefuses(t *testing.T) {
	m := message(t, itip.Request, "anne@one.test", "ben@two.test", lines(timed, guest)...)
	o := options(t, "anne@one.test", "", "ben@two.test", "")
	for name, change := range map[string]func(*itip.Message, *Options){
		"no recipient":      func(m *itip.Message, o *Options) { o.To.Address = "" },
		"line in address":   func(m *itip.Message, o *Options) { o.To.Address = "ben@two.test\r\nBcc: x@y.test" },
		"brackets":          func(m *itip.Message, o *Options) { o.To.Address = "ben@two.test>,<x@y.test" },
		"method and object": func(m *itip.Message, o *Options) { m.Method = itip.Cancel },
	} {
		m, o := m, o
		change(&m, &o)
		if mail, err := Compose(m, o); err == nil {
			t.Errorf("%s: composed %q", name, mail.Raw)
		}
	}
}

func TestMessageIDIsOfTheMessage(t *testing.T) {
	o := options(t, "anne@one.test", "", "ben@two.test", "")
	first, err := Compose(message(t, itip.Request, "anne@one.test", "ben@two.test", lines(timed, guest)...), o)
	if err != nil {
		t.Fatal(err)
	}
	o.Now = o.Now.Add(time.Hour) // a second attempt
	second, err := Compose(message(t, itip.Request, "anne@one.test", "ben@two.test", lines(timed, guest)...), o)
	if err != nil || first.MessageID != second.MessageID {
		t.Errorf("%q and %q", first.MessageID, second.MessageID)
	}
	m := message(t, itip.Request, "anne@one.test", "cat@two.test", lines(timed, guest)...)
	third, err := Compose(m, o)
	if err != nil || first.MessageID == third.MessageID {
		t.Error("two recipients, one Message-ID")
	}
}

func TestInternationalAddresses(t *testing.T) {
	m := message(t, itip.Request, "anne@one.test", "ben@bücher.test", lines(timed, guest)...)
	mail, err := Compose(m, options(t, "anne@one.test", "", "ben@bücher.test", "Ben"))
	if err != nil || mail.UTF8 || !bytes.Contains(mail.Raw, []byte("ben@xn--bcher-kva.test")) {
		t.Errorf("domain: UTF8 %v, %v", mail.UTF8, err)
	}
	mail, err = Compose(m, options(t, "anne@one.test", "", "jörg@two.test", ""))
	if err != nil || !mail.UTF8 {
		t.Errorf("local part: UTF8 %v, %v", mail.UTF8, err)
	}
}

// To-dos go out in the same form, by every method.
func TestComposeTasks(t *testing.T) {
	for _, method := range []itip.Method{itip.Publish, itip.Request, itip.Reply, itip.Add, itip.Cancel, itip.Refresh, itip.Counter, itip.DeclineCounter} {
		m := message(t, method, "anne@one.test", "ben@two.test", lines([]string{"DTSTART;TZID=Europe/Berlin:20260702T100000", "DUE;TZID=Europe/Berlin:20260703T100000", "PRIORITY:0", "SUMMARY:Größe"}, guest)...)
		cal, err := ical.Parse(bytes.ReplaceAll(m.Calendar.Bytes(), []byte("VEVENT"), []byte("VTODO")))
		if err != nil {
			t.Fatal(err)
		}
		m.Calendar = cal
		mail, err := Compose(m, options(t, "anne@one.test", "Anne", "ben@two.test", "Ben"))
		if err != nil {
			t.Errorf("%s: %v", method, err)
			continue
		}
		strict(t, mail, m)
		if p, err := Parse(mail.Raw, Limits{}); err != nil || len(p.Found) != 1 || p.Found[0].Method != method || p.Found[0].Calendar.Kind() != "VTODO" || p.Found[0].Review != "" {
			t.Errorf("%s is read as %+v, %v", method, p, err)
		}
	}
}
