package mail

import (
	"fmt"
	"slices"
	"testing"

	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/transport/transporttest"
)

// The promises of journal.Transport.
func TestTransportPromises(t *testing.T) {
	transporttest.Run(t, func(t *testing.T) transporttest.Rig {
		relay := startRelay(t, nil)
		x := newSite(t, sqlite(t), "smtp://"+relay.addr, nil)
		n := 0
		entry := func(to string) *store.Entry {
			n++
			return x.due(t, fmt.Sprintf("event-%d", n), to)
		}
		return transporttest.Rig{
			Transport: x.mail, Accepted: "mailto:ben@two.test", Foreign: "urn:uuid:1",
			Entry:  func(t *testing.T) *store.Entry { return entry("ben@two.test") },
			Reload: func(t *testing.T, e *store.Entry) *store.Entry { r := x.row(t, e.Account, e.ID); return &r },
			Arrived: func(t *testing.T) []string {
				var uids, seen []string
				for _, m := range relay.got() {
					p, err := imip.Parse(m.raw, imip.Limits{})
					if err != nil || len(p.Found) != 1 {
						t.Fatalf("mail is read as %+v (%v)", p, err)
					}
					// To the recipient a mail under a known Message-ID is the same mail.
					if !slices.Contains(seen, p.MessageID) {
						seen, uids = append(seen, p.MessageID), append(uids, p.Found[0].Calendar.UID())
					}
				}
				return uids
			},
			Break:    func(t *testing.T) { relay.setRcpt(func(string) error { return errFull }) },
			Mend:     func(t *testing.T) { relay.setRcpt(nil) },
			Hopeless: func(t *testing.T) *store.Entry { return entry("jörg@two.test") },
		}
	})
}

// Large mails are not all in memory at once, and none is left out.
func TestPortions(t *testing.T) {
	row := func(calendar, raw int) *store.Entry {
		return &store.Entry{Calendar: make([]byte, calendar), Raw: make([]byte, raw)}
	}
	for _, x := range []struct {
		batch []*store.Entry
		want  int
	}{
		{nil, 0},
		{[]*store.Entry{row(1000, 0), row(1000, 0)}, 2},
		{[]*store.Entry{row(inHand, 0), row(1, 0)}, 1},
		{[]*store.Entry{row(1000, inHand), row(1, 0), row(1, 0)}, 1},
		{[]*store.Entry{row(inHand/8, 0), row(0, inHand/2), row(inHand/8, 0), row(1, 0)}, 3},
	} {
		if n := portion(x.batch); n != x.want {
			t.Errorf("%d of %d rows in a portion, want %d", n, len(x.batch), x.want)
		}
	}
}
