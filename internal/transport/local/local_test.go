package local_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/harness/servicetest"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/transport/local"
	"github.com/convene-cal/convene/internal/transport/transporttest"
)

func TestKeepsThePromisesOfATransport(t *testing.T) { transporttest.Run(t, rig) }

func rig(t *testing.T) transporttest.Rig {
	s := storetest.SQLite(t)
	now := func() time.Time { return time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC) }
	services := servicetest.New(s, servicetest.Options{Now: now})
	accounts, svc, j := services.Accounts, services.Calendar, services.Journal
	people := map[string]store.Account{}
	for _, n := range []string{"alice", "bob"} {
		a, err := accounts.Add(t.Context(), account.NewAccount{Address: ical.Mailto(n + "@example.test")})
		if err != nil {
			t.Fatal(err)
		}
		people[n] = a
	}
	tr := local.New(local.Options{Calendar: svc, Accounts: accounts})
	n := 0
	entry := func(t *testing.T, to string) *store.Entry {
		t.Helper()
		n++
		uid := fmt.Sprintf("%d@example.test", n)
		e := &store.Entry{Account: people["alice"].ID, Method: "REQUEST", UID: uid, From: "mailto:alice@example.test", To: to, Transport: journal.Local,
			Calendar: []byte(strings.Join([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "METHOD:REQUEST", "BEGIN:VEVENT", "UID:" + uid, "DTSTAMP:20260302T080000Z",
				"DTSTART:20260303T090000Z", "SUMMARY:x", "ORGANIZER:mailto:alice@example.test", "ATTENDEE:" + to, "END:VEVENT", "END:VCALENDAR", ""}, "\r\n"))}
		if err := s.Update(t.Context(), func(tx *store.Tx) error { return j.Add(tx, e) }); err != nil {
			t.Fatal(err)
		}
		return e
	}
	return transporttest.Rig{
		Transport: tr, Accepted: "mailto:Bob@example.test", Foreign: "mailto:dave@elsewhere.test",
		Entry: func(t *testing.T) *store.Entry { return entry(t, "mailto:bob@example.test") },
		Reload: func(t *testing.T, e *store.Entry) *store.Entry {
			got, err := j.Show(t.Context(), e.Account, e.ID)
			if err != nil {
				t.Fatal(err)
			}
			return &got
		},
		Arrived: func(t *testing.T) []string {
			var list []store.Object
			for _, coll := range []string{"inbox", "default"} {
				list = list[:0]
				if err := svc.List(t.Context(), account.Actor{Account: people["bob"].ID}, people["bob"].ID, coll, func(o store.Object) error { list = append(list, o); return nil }); err != nil {
					t.Fatal(err)
				}
			}
			slices.SortFunc(list, func(a, b store.Object) int { return int(a.ID - b.ID) })
			var out []string
			for _, o := range list {
				out = append(out, o.UID)
			}
			return out
		},
		Hopeless: func(t *testing.T) *store.Entry { return entry(t, "mailto:gone@example.test") },
	}
}
