package imip

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convene-cal/convene/itip"
)

func winmail(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("tnef", "testdata", name+".dat"))
	if err != nil {
		t.Fatal(err)
	}
	return "Content-Type: application/ms-tnef; name=\"winmail.dat\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(data) + "\r\n"
}

// A winmail.dat is a message like the text/calendar that Outlook would have
// sent, and gives way to one that is there.
func TestWinmail(t *testing.T) {
	const head = "From: Dan Two <dan@two.test>\r\nTo: ann@one.test\r\nDate: Mon, 01 Jun 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\n"
	mixed := func(parts ...string) string {
		return "Content-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\n" + strings.Join(parts, "\r\n--bb\r\n") + "\r\n--bb--\r\n"
	}
	const other = "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:040000008200E00074C5B7101A82E00800000000E040C9C12685C401000000000000000\r\n 0100000000BF0ED4B6E4EE94E9E39E3867B378EF3\r\nSUMMARY:From the calendar part\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	for _, c := range []struct {
		name, body string
		method     itip.Method
		summary    string
		review     string
	}{
		{"a request", mixed("Content-Type: text/plain\r\n\r\nWhen: Monday", winmail(t, "request")), itip.Request, "Planung – Größe zwei", ""},
		{"alone", winmail(t, "cancel"), itip.Cancel, "Canceled: Planning", ""},
		{"an answer", winmail(t, "accepted"), itip.Reply, "Accepted: Planning", ""},
		{"a proposal", winmail(t, "counter"), itip.Counter, "New Time Proposed: Planning", ""},
		{"beside a calendar part", mixed(winmail(t, "request"), other), itip.Request, "From the calendar part", ""},
		{"in a forwarded mail", mixed("Content-Type: message/rfc822\r\n\r\n" + head + winmail(t, "request")), itip.Request, "Planung – Größe zwei", "forwarded"},
	} {
		p, err := Parse([]byte(head+c.body), Limits{})
		if err != nil || len(p.Found) != 1 {
			t.Errorf("%s: %d objects, %q, %v", c.name, len(p.Found), p.Sentence, err)
			continue
		}
		f := p.Found[0]
		if f.Method != c.method || f.Calendar.Main()[0].Text("SUMMARY") != c.summary || f.Reason != c.review {
			t.Errorf("%s: %s %q %q", c.name, f.Method, f.Calendar.Main()[0].Text("SUMMARY"), f.Reason)
		}
	}
}
