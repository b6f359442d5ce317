package imip

import (
	"strings"
	"testing"
)

// deliveryReport is a report with some fields about a message and its recipients.
func deliveryReport(kind, fields, returned string) []byte {
	return []byte("From: mailer-daemon@two.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=" + kind + "; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/" + kind +
		"\r\n\r\n" + fields + "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" + returned + "\r\n--b--\r\n")
}

// Whatever a server reports, it is a report: nothing of what it quotes is taken
// for a message, and what is read has bounds and no line breaks where words stand.
func FuzzReport(f *testing.F) {
	quoted := "Message-ID: <1@one.test>\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u\r\nEND:VEVENT\r\nEND:VCALENDAR"
	f.Add("delivery-status", "Reporting-MTA: dns; two.test\r\nOriginal-Envelope-Id: bounce+1-2-ab\r\n\r\nFinal-Recipient: rfc822; ben@two.test\r\nAction: failed\r\nStatus: 5.1.1 (no such user)\r\nDiagnostic-Code: smtp; 550 5.1.1\r\n nobody\r\n", quoted)
	f.Add("delivery-status", "\r\n\r\nAction: Delayed\r\nOriginal-Recipient: rfc822;<a@b>\r\n\r\nAction: failed", quoted)
	f.Add("disposition-notification", "Final-Recipient: rfc822;ben@two.test\r\nOriginal-Message-ID: <1@one.test>\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n", "")
	f.Add("feedback-report", "Feedback-Type: abuse\r\n", quoted)
	f.Fuzz(func(t *testing.T, kind, fields, returned string) {
		kind = map[bool]string{true: kind, false: "delivery-status"}[kind == "disposition-notification" || kind == "feedback-report"]
		if strings.Contains(fields+returned, "--b") {
			t.Skip("it would be another mail: the boundary occurs")
		}
		p, err := Parse(deliveryReport(kind, fields, returned), Limits{})
		if err != nil {
			return
		}
		if !p.Report || p.Delivery == nil || p.Delivery.Kind != kind || len(p.Found) != 0 || p.Sentence == "" {
			t.Fatalf("read as %+v", p)
		}
		if len(p.Delivery.Recipients) > 1000 {
			t.Fatalf("%d recipients", len(p.Delivery.Recipients))
		}
		for _, r := range p.Delivery.Recipients {
			if len(r.Diagnostic) > 500 || strings.ContainsAny(r.Action+r.Status+r.Final+r.Original, "\r\n") {
				t.Fatalf("%+v", r)
			}
		}
	})
}
