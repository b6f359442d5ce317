package calendar_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// RFC 6638 2.2: the scheduling inbox answers queries for a range of time, also
// after the time index was derived anew.
func TestInboxByTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := open(t, s).hire("alice")
		for uid, at := range map[string]string{"1@elsewhere.test": "DTSTART:20260303T090000Z", "2@elsewhere.test": "DTSTART:20260503T090000Z"} {
			text := vevent(uid, "ORGANIZER:mailto:dave@elsewhere.test", "ATTENDEE;RSVP=TRUE:mailto:alice@example.test", at, "DURATION:PT1H", "SUMMARY:Call")
			o.mail("alice", "dave@elsewhere.test", strings.Replace(text, "VERSION", "METHOD:REQUEST\r\nVERSION", 1))
		}
		found := func() (list []string) {
			from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
			for _, coll := range []string{"inbox", "default"} {
				q := calendar.Search{Owner: o.people["alice"].ID, Collection: coll, Component: "VEVENT", From: from, To: from.AddDate(0, 1, 0), Max: 1 << 20}
				if err := o.svc.Search(t.Context(), o.actor("alice"), q, func(ob store.Object, _ []byte, _ bool) error { list = append(list, coll+" "+ob.UID); return nil }); err != nil {
					t.Fatal(err)
				}
			}
			return list
		}
		const want = "inbox 1@elsewhere.test, default 1@elsewhere.test"
		if got := strings.Join(found(), ", "); got != want {
			t.Errorf("%s; want %s", got, want)
		}
		if _, _, err := o.svc.Reindex(t.Context(), func(int) {}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(found(), ", "); got != want {
			t.Errorf("derived anew: %s; want %s", got, want)
		}
	})
}
