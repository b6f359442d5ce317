package mail

import (
	"bytes"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/store"
)

// What somebody really signed once, and another sends again later, from another
// envelope, changes nothing: neither while the event goes on, nor when it is gone.
func TestReplaysOfSignedMail(t *testing.T) {
	p := newPeople(t)
	const dans, ann, anns = "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test", "ORGANIZER:mailto:ann@one.test"
	at := now.AddDate(0, 0, -1)
	version := func(method, sequence, stamp string, lines ...string) []byte {
		data := bytes.Replace(object(method, "theirs", append([]string{dans, ann}, lines...)...), []byte("SEQUENCE:0"), []byte("SEQUENCE:"+sequence), 1)
		data = bytes.Replace(data, []byte("DTSTAMP:20260601T090000Z"), []byte("DTSTAMP:"+stamp), 1)
		return mailOf("dan@two.test", method+sequence, signedBy(t, calendarPart(method, data), at, p.dan))
	}
	invitation, moved := version("REQUEST", "0", "20260601T090000Z"), version("REQUEST", "1", "20260601T093000Z", "LOCATION:Room 2")
	cancelled := version("CANCEL", "2", "20260601T100000Z", "STATUS:CANCELLED")
	again := version("REQUEST", "3", "20260601T110000Z", "LOCATION:Room 3")
	answer := func(partstat, stamp string) []byte {
		data := object("REPLY", "own", anns, "ATTENDEE;PARTSTAT="+partstat+":mailto:dan@two.test")
		data = bytes.Replace(data, []byte("DTSTAMP:20260601T090000Z"), []byte("DTSTAMP:"+stamp), 1)
		return mailOf("dan@two.test", "r"+partstat, signedBy(t, calendarPart("REPLY", data), at, p.dan))
	}
	yes, no := answer("ACCEPTED", "20260601T090000Z"), answer("DECLINED", "20260601T100000Z")
	for _, c := range []struct {
		name   string
		honest [][]byte
		remove bool // ann deletes the event before the replay
		replay []byte
		has    string // in her calendar before and after, "" = nothing of it
	}{
		{"the first invitation, after it moved", [][]byte{invitation, moved}, false, invitation, "LOCATION:Room 2"},
		{"the invitation, after it was cancelled", [][]byte{invitation, cancelled}, false, invitation, "STATUS:CANCELLED"},
		{"the cancellation, after she was invited anew", [][]byte{invitation, cancelled, again}, false, cancelled, "LOCATION:Room 3"},
		{"the last one", [][]byte{invitation, moved}, false, moved, "LOCATION:Room 2"},
		{"the invitation, after she deleted it", [][]byte{invitation}, true, invitation, ""},
		{"an answer, after another", [][]byte{yes, no}, false, yes, "PARTSTAT=DECLINED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, _ := signingSite(t, p, "", nil)
			x.put(t, "own", anns, "ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:dan@two.test")
			for _, raw := range c.honest {
				if e := x.take(t, raw, "dan@two.test", "ann@one.test"); e.State != stateApplied {
					t.Fatalf("%s %s %q", e.Method, e.State, e.Sentence)
				}
			}
			if c.remove {
				by := account.Actor{Account: x.ann.ID, Name: x.ann.Name}
				for _, o := range x.named(t, "theirs") {
					if err := x.calendar.Delete(t.Context(), calendar.DeleteRequest{By: by, Ref: o}); err != nil {
						t.Fatal(err)
					}
				}
			}
			before := x.body(t, "own") + x.body(t, "theirs")
			for _, from := range []string{"eve@evil.test", "dan@two.test", "list@lists.test"} {
				e := x.take(t, c.replay, from, "ann@one.test")
				if !strings.HasSuffix(e.Sentence, ".") {
					t.Errorf("%s %q", e.State, e.Sentence)
				}
			}
			if after := x.body(t, "own") + x.body(t, "theirs"); after != before || !strings.Contains(after, c.has) {
				t.Errorf("it did something:\n%s", after)
			}
		})
	}
}

// named are ann's objects with a UID, by name.
func (x *site) named(t *testing.T, uid string) (out []calendar.Ref) {
	t.Helper()
	if err := x.store.View(t.Context(), func(tx *store.Tx) error {
		list, err := tx.ObjectsByUID(x.ann.ID, uid)
		for _, o := range list {
			out = append(out, calendar.Ref{Owner: x.ann.ID, Collection: "default", Name: o.Name})
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}
