package cip

import (
	"net"
	"strings"
	"testing"

	"github.com/convene-cal/convene/cip"
)

// Who is not invited learns nothing of who is, however well their server is known.
func TestAnAnswerOfSomebodyUninvitedTellsNothing(t *testing.T) {
	a := start(t, "a.test", []string{"ann", "ben"}, nil)
	a.put("ann", "m.ics", "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Test//EN\nBEGIN:VEVENT\nUID:m1@a.test\nDTSTAMP:20260101T000000Z\nDTSTART:20990101T100000Z\nDTEND:20990101T110000Z\nSUMMARY:Talk\nORGANIZER:mailto:ann@a.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@a.test\nATTENDEE;RSVP=TRUE:mailto:ben@a.test\nATTENDEE;RSVP=TRUE:mailto:dan@b.test\nEND:VEVENT\nEND:VCALENDAR\n")
	a.respond("ben", "m1@a.test", "ACCEPTED")
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })
	s := &session{c: a.cip, conn: here, raw: here, stopped: t.Context()}
	for _, c := range []struct {
		server, who string
		tells       bool
	}{{"evil.test", "eve@evil.test", false}, {"b.test", "dan@b.test", true}} {
		s.id = identity{secure: true, server: c.server, by: "login"}
		answer, err := cip.ParseAnswer([]byte("UID:m1@a.test\r\nSEQUENCE:1\r\nATTENDEE;STATUS=ACCEPTED:"+c.who+"\r\n"), s.Reading())
		if err != nil {
			t.Fatal(err)
		}
		r := s.Answer(t.Context(), answer)
		told := false
		for _, i := range r.Infos {
			told = told || strings.Contains(i.ID, "ben")
		}
		if told != c.tells {
			t.Errorf("%s is told of ben: %v; %+v", c.who, told, r)
		}
	}
}
