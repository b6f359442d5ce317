package cip

import (
	"testing"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/store"
)

func TestGroup(t *testing.T) {
	a, b := start(t, "a.test", []string{"ann"}, nil), start(t, "b.test", []string{"ben", "bea"}, nil)
	join(a, b, cip.VCal10)
	a.courier()
	team, err := b.Accounts.Add(t.Context(), account.NewAccount{Address: "mailto:team@b.test", Kind: store.Group})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Accounts.AddMembers(t.Context(), team.ID, []ical.Address{"mailto:ben@b.test", "mailto:bea@b.test"}); err != nil {
		t.Fatal(err)
	}
	a.put("ann", "1.ics", meetingText("1@a.test", "ann@a.test", "SUMMARY:x\n", "team@b.test"))
	for _, who := range []string{"ben", "bea"} {
		b.has(who, "1@a.test", "ATTENDEE", "MEMBER=", who+"@b.test")
	}
	l, err := a.cip.connect(t.Context(), "b.test")
	if err != nil {
		t.Fatal(err)
	}
	defer l.conn.Close()
	loop := "UID:2@a.test\r\nSEQUENCE:1\r\nDTSTART:20290601T100000Z\r\nX-CIP-TRACE:c.test,b.test\r\nATTENDEE;ROLE=OWNER:ann@a.test\r\nATTENDEE:team@b.test\r\n"
	if r, err := l.SendEvent([]byte(loop)); err != nil || r.OK || len(r.Infos) != 2 || r.Infos[1].Code != cip.NotFound {
		t.Errorf("a loop: %+v, %v", r, err)
	}
}
