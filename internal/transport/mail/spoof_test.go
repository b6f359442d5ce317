package mail

import (
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/store"
)

// spoof is a mail with a calendar object, from whom it likes.
func spoof(from, method, uid string, lines ...string) []byte {
	return []byte("From: " + from + "\r\nTo: ann@one.test\r\nMessage-ID: <" + strings.ReplaceAll(method+from+uid, " ", "") + "@x.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=" + method + "\r\n\r\n" + string(object(method, uid, lines...)))
}

// Even where no evidence is asked for, only the organizer changes or cancels,
// and an attendee answers only for itself (RFC 6047 2.2.1).
func TestNobodyActsForOthers(t *testing.T) {
	const organizer, ben, cat = "ORGANIZER:mailto:ann@one.test", "ATTENDEE;PARTSTAT=DECLINED:mailto:ben@two.test", "ATTENDEE;PARTSTAT=DECLINED:mailto:cat@two.test"
	for _, c := range []struct {
		name     string
		raw      []byte
		want     string // how the row ends
		own, its []string
	}{
		{"an answer for oneself", spoof("ben@two.test", "REPLY", "own", organizer, ben), "REPLY:applied", []string{"PARTSTAT=DECLINED;SCHEDULE-STATUS=2.0:mailto:ben@two.test"}, nil},
		{"an answer for someone else", spoof("ben@two.test", "REPLY", "own", organizer, cat), "REPLY:held!wrong-sender", nil, nil},
		{"an answer for oneself and someone else", spoof("ben@two.test", "REPLY", "own", organizer, cat, ben), "REPLY:", []string{"PARTSTAT=DECLINED;SCHEDULE-STATUS=2.0:mailto:ben@two.test", "PARTSTAT=NEEDS-ACTION;SCHEDULE-STATUS=1.0:mailto:cat@two.test"}, nil},
		{"a stranger's answer in a friend's name", spoof(`"ben@two.test" <eve@evil.test>`, "REPLY", "own", organizer, ben), "REPLY:held!wrong-sender", nil, nil},
		{"an attendee cancels what ann organizes", spoof("ben@two.test", "CANCEL", "own", organizer, ben, "SEQUENCE:9"), "CANCEL:held!wrong-sender", nil, nil},
		{"an attendee makes himself organizer of it", spoof("ben@two.test", "CANCEL", "own", "ORGANIZER:mailto:ben@two.test", ben), "CANCEL:ignored!own-event", nil, nil},
		{"an attendee moves what ann organizes", spoof("ben@two.test", "REQUEST", "own", organizer, ben), "REQUEST:held!wrong-sender", nil, nil},
		{"the organizer cancels", spoof("dan@two.test", "CANCEL", "theirs", "ORGANIZER:mailto:dan@two.test", "ATTENDEE:mailto:ann@one.test", "STATUS:CANCELLED", "SEQUENCE:9"), "CANCEL:applied", nil, []string{"STATUS:CANCELLED"}},
		{"a colleague of the organizer cancels", spoof("eve@two.test", "CANCEL", "theirs", "ORGANIZER:mailto:dan@two.test", "ATTENDEE:mailto:ann@one.test", "STATUS:CANCELLED"), "CANCEL:held!wrong-sender", nil, nil},
		{"someone takes the event over", spoof("eve@two.test", "REQUEST", "theirs", "ORGANIZER:mailto:eve@two.test", "ATTENDEE:mailto:ann@one.test", "LOCATION:elsewhere"), "REQUEST:held!organizer-changed", nil, nil},
		{"an assistant says to act for the organizer", spoof("sam@two.test", "REQUEST", "theirs", `ORGANIZER;SENT-BY="mailto:sam@two.test":mailto:dan@two.test`, "ATTENDEE:mailto:ann@one.test", "LOCATION:elsewhere"), "REQUEST:held!sent-by", nil, nil},
		{"two authors", spoof("dan@two.test\r\nFrom: eve@evil.test", "CANCEL", "theirs", "ORGANIZER:mailto:dan@two.test", "ATTENDEE:mailto:ann@one.test"), "CANCEL:held!wrong-sender", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newSite(t, sqlite(t), "", nil)
			ann := account.Actor{Account: x.ann.ID, Name: x.ann.Name}
			own := strings.Replace(string(object("X", "own", organizer, "ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:ben@two.test", "ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:cat@two.test")), "METHOD:X\r\n", "", 1)
			if _, err := x.calendar.Put(t.Context(), calendar.PutRequest{By: ann, Ref: calendar.Ref{Owner: x.ann.ID, Collection: "default", Name: "own.ics"}, Data: []byte(own)}); err != nil {
				t.Fatal(err)
			}
			if rows, err := x.mail.Intake(t.Context(), spoof("dan@two.test", "REQUEST", "theirs", "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test"), Envelope{From: "dan@two.test", To: []string{"ann@one.test"}}); err != nil || states(rows) != "REQUEST:applied" {
				t.Fatalf("%s, %v", states(rows), err)
			}
			before := map[string]string{"own": x.body(t, "own"), "theirs": x.body(t, "theirs")}
			rows, err := x.mail.Intake(t.Context(), c.raw, Envelope{From: "bounce@evil.test", To: []string{"ann@one.test"}})
			if err != nil {
				t.Fatal(err)
			}
			got := states(rows)
			if !strings.HasPrefix(got, c.want) || rows[0].Sentence == "" {
				t.Errorf("row is %s %q, want %s", got, rows[0].Sentence, c.want)
			}
			for uid, want := range map[string][]string{"own": c.own, "theirs": c.its} {
				after := x.body(t, uid)
				if want == nil && after != before[uid] {
					t.Errorf("%s changed:\n%s", uid, after)
				}
				for _, w := range want {
					if !strings.Contains(after, w) {
						t.Errorf("%s lacks %q:\n%s", uid, w, after)
					}
				}
			}
		})
	}
}

// body is ann's object with a UID, unfolded.
func (x *site) body(t *testing.T, uid string) string {
	t.Helper()
	var text string
	if err := x.store.View(t.Context(), func(tx *store.Tx) error {
		list, err := tx.ObjectsByUID(x.ann.ID, uid)
		if err != nil || len(list) == 0 {
			return err
		}
		b, err := tx.Body(x.ann.ID, list[0].ID)
		text = strings.ReplaceAll(string(b), "\r\n ", "")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return text
}
