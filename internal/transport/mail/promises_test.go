package mail

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
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
	row := func(octets int) *store.Entry { return &store.Entry{Calendar: make([]byte, octets)} }
	composed := func(octets int) *store.Entry {
		return &store.Entry{Calendar: make([]byte, octets), MessageID: "x@one.test"} // its mail is read when its turn comes
	}
	for _, x := range []struct {
		batch []*store.Entry
		want  int
	}{
		{nil, 0},
		{[]*store.Entry{row(1000), row(1000)}, 2},
		{[]*store.Entry{row(inHand), row(1)}, 1},
		{[]*store.Entry{row(1000), row(inHand), row(1)}, 1},
		{[]*store.Entry{row(inHand / 8), row(inHand / 4), row(inHand / 4), row(1)}, 2},
		{[]*store.Entry{composed(inHand), composed(inHand), row(1000)}, 3},
	} {
		if n := portion(x.batch); n != x.want {
			t.Errorf("%d of %d rows in a portion, want %d", n, len(x.batch), x.want)
		}
	}
}

// What many guests have in common is in the store once, not with each of their
// mails, and an attempt later sends the same octets.
func TestMailsOfManyGuestsAreKeptOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		relay := startRelay(t, nil)
		x := newSite(t, s, "smtp://"+relay.addr, nil)
		lines := []string{annOrganizes, "SUMMARY:Große Versammlung", "ATTENDEE:mailto:ben@two.test", "ATTENDEE:mailto:cat@two.test"}
		for i := range 100 {
			lines = append(lines, fmt.Sprintf("ATTENDEE:mailto:guest%d@two.test", i))
		}
		text := object("REQUEST", "u1", lines...)
		var rows []*store.Entry
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			rows = nil
			for _, to := range []string{"ben", "cat"} {
				e := store.Entry{Account: x.ann.ID, Direction: journal.Out, Method: "REQUEST", UID: "u1", From: "mailto:ann@one.test", To: "mailto:" + to + "@two.test", State: journal.Due, Calendar: text, Created: now, NextAttempt: now}
				if err := tx.AddEntry(&e); err != nil {
					return err
				}
				rows = append(rows, &e)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		x.mail.Send(t.Context(), rows)
		mails := relay.got()
		if len(mails) != 2 {
			t.Fatalf("%d mails", len(mails))
		}
		for i, e := range rows {
			row := x.row(t, e.Account, e.ID)
			if !bytes.Equal(row.Raw, mails[i].raw) || len(row.Raw) < 2*len(text) {
				t.Errorf("the row of %s has another mail than was sent, or only a part of it", e.To)
			}
		}
		rows[1].Raw, rows[1].MessageID = nil, "as claimed"
		x.mail.Send(t.Context(), rows[1:])
		if got := relay.got(); len(got) != 3 || !bytes.Equal(got[2].raw, mails[1].raw) {
			t.Error("the second attempt is another message")
		}
	})
}
