package calendar_test

import (
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// What the site calls its zones is understood and written out, in what clients
// store and in messages; what defines a name itself keeps its own meaning.
func TestZonesOfTheSite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		own, err := tz.ReadOwn([]byte("HQ = Asia/Tokyo\n"))
		if err != nil {
			t.Fatal(err)
		}
		o := open(t, s, func(co *calendar.Options) { co.Zones = own }).hire("alice")
		text := vevent("1@example.test", "DTSTART;TZID=HQ:20260302T090000", "DTEND;TZID=HQ:20260302T100000", "SUMMARY:There")
		if r := o.put("alice", "default/1.ics", text); !r.Rewritten {
			t.Error("a zone was added, and the client is not told")
		}
		_, got := o.get("alice", "default/1.ics")
		if strings.Count(got, "BEGIN:VTIMEZONE") != 1 || !strings.Contains(got, "TZID:HQ\r\n") || !strings.Contains(got, "TZOFFSETTO:+0900\r\n") || !strings.Contains(got, "SUMMARY:There\r\n") {
			t.Errorf("stored\n%s", got)
		}
		if z := tz.NewResolver(parse(t, got), nil).Find("HQ"); z.Name() != "HQ" && z.Name() != "Asia/Tokyo" {
			t.Errorf("it is read as %s", z.Name())
		}
		if r := o.put("alice", "default/1.ics", got); r.Rewritten || !r.Unchanged {
			t.Errorf("the stored octets again: %+v", r)
		}

		defined := strings.Replace(got, "TZOFFSETTO:+0900", "TZOFFSETTO:-0330", 1)
		defined = strings.ReplaceAll(strings.Replace(defined, "TZOFFSETFROM:+0900", "TZOFFSETFROM:-0330", 1), "1@example.test", "2@example.test")
		if r := o.put("alice", "default/2.ics", defined); r.Rewritten {
			t.Error("a zone that is defined was touched")
		}

		request := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:3@elsewhere.test\r\nDTSTAMP:20260301T000000Z\r\nSEQUENCE:0\r\nDTSTART;TZID=HQ:20260303T090000\r\n" +
			"DTEND;TZID=HQ:20260303T100000\r\nORGANIZER:mailto:dave@elsewhere.test\r\nATTENDEE:mailto:dave@elsewhere.test\r\nATTENDEE;RSVP=TRUE:mailto:alice@example.test\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
		message := parse(t, request)
		r, err := o.svc.Receive(t.Context(), calendar.Arrival{To: o.people["alice"].ID, Recipient: "mailto:alice@example.test", From: "mailto:dave@elsewhere.test", Message: message, Transport: "mail"})
		if err != nil || r.Err != nil {
			t.Fatal(err, r.Err)
		}
		if r.Result == nil || r.Result.Object == nil || !strings.Contains(string(r.Result.Object.Bytes()), "TZOFFSETTO:+0900") {
			t.Errorf("received %+v", r.Result)
		}
		if string(message.Bytes()) != request {
			t.Error("the caller's message was changed")
		}
	})
}
