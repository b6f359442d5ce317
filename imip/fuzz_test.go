package imip

import (
	"bytes"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// Whatever people write into an event, the mail has the same fields, lines that
// every server takes, and one calendar object.
func FuzzCompose(f *testing.F) {
	f.Add("Planning", "Bring numbers\nFrom here", "Ann", "Room 5")
	f.Add("a\r\nBcc: eve@evil.test", "--=_x\r\n.\r\n", "\"><b>", strings.Repeat("ü", 500))
	f.Add("=?utf-8?q?x?=", "\x00\x1b", "Ann\u2028Ben", "\xff\xfe")
	f.Fuzz(func(t *testing.T, summary, description, name, place string) {
		cal := ical.New("-//Test//EN")
		cal.Set("METHOD", "REQUEST")
		c := ical.NewComponent("VEVENT")
		c.Add(ical.NewText("UID", "u1"), ical.NewProperty("DTSTAMP", "20260601T100000Z"), ical.NewProperty("DTSTART", "20260702T080000Z"),
			ical.NewText("SUMMARY", summary), ical.NewText("DESCRIPTION", description), ical.NewText("LOCATION", place),
			ical.NewProperty("ORGANIZER", "mailto:anne@one.test"), ical.NewProperty("ATTENDEE", "mailto:ben@two.test"))
		cal.Components = append(cal.Components, c)
		m := itip.Message{Method: itip.Request, From: "mailto:anne@one.test", To: "mailto:ben@two.test", UID: "u1", Calendar: cal}
		composed, err := Compose(m, Options{From: Mailbox{name, "anne@one.test"}, To: Mailbox{Address: "ben@two.test"}, Host: "one.test", Now: time.Unix(1780000000, 0).UTC()})
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(composed.Raw) {
			if !bytes.HasSuffix(line, []byte("\r\n")) || len(line) > 1000 || bytes.ContainsAny(line[:len(line)-2], "\r\n\x00") {
				t.Fatalf("line %.200q", line)
			}
			for _, b := range line {
				if b >= 0x80 {
					t.Fatalf("8-bit line %.200q", line)
				}
			}
		}
		msg, err := mail.ReadMessage(bytes.NewReader(composed.Raw))
		if err != nil {
			t.Fatal(err)
		}
		if len(msg.Header) != 11 {
			t.Fatalf("fields %v", msg.Header)
		}
		if from, err := msg.Header.AddressList("From"); err != nil || len(from) != 1 || from[0].Address != "anne@one.test" {
			t.Fatalf("From %q: %v %v", msg.Header.Get("From"), from, err)
		}
		p, err := Parse(composed.Raw, Limits{})
		if err != nil || len(p.Found) != 1 || p.Found[0].Review != "" || p.From != "mailto:anne@one.test" {
			t.Fatalf("read back as %+v, %v", p, err)
		}
		if strings.Contains(summary, "\x00") || !bytes.Equal([]byte(strings.ToValidUTF8(summary, "?")), []byte(summary)) {
			return
		}
		if got := p.Found[0].Calendar.Main()[0].Text("SUMMARY"); got != c.Text("SUMMARY") {
			t.Fatalf("SUMMARY %q became %q", c.Text("SUMMARY"), got)
		}
	})
}
