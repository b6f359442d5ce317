package acl_test

import (
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/harness/pg"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

func TestMain(m *testing.M) { pg.Main(m) }

func TestDecide(t *testing.T) {
	const owner, colleague = 1, 2
	for _, c := range []struct {
		what string
		q    acl.Question
		want acl.Access
	}{
		{"the owner", acl.Question{Who: owner, Owner: owner, Kind: store.Calendar}, acl.Own},
		{"the owner's inbox", acl.Question{Who: owner, Owner: owner, Kind: store.Inbox}, acl.Own},
		{"nobody", acl.Question{Owner: owner, Kind: store.Calendar, Share: acl.Write}, acl.None},
		{"a colleague", acl.Question{Who: colleague, Owner: owner, Kind: store.Calendar}, acl.FreeBusy},
		{"a colleague, transparent", acl.Question{Who: colleague, Owner: owner, Kind: store.Calendar, Transparent: true}, acl.None},
		{"a colleague, transparent and shared", acl.Question{Who: colleague, Owner: owner, Kind: store.Calendar, Transparent: true, Share: acl.Read}, acl.Read},
		{"a colleague's inbox", acl.Question{Who: colleague, Owner: owner, Kind: store.Inbox, Share: acl.Write}, acl.None},
		{"a colleague's outbox", acl.Question{Who: colleague, Owner: owner, Kind: store.Outbox}, acl.None},
		{"shared for free/busy", acl.Question{Who: colleague, Owner: owner, Kind: store.Calendar, Share: acl.FreeBusy}, acl.FreeBusy},
		{"shared for reading", acl.Question{Who: colleague, Owner: owner, Kind: store.Calendar, Share: acl.Read}, acl.Read},
		{"shared for writing", acl.Question{Who: colleague, Owner: owner, Kind: store.Calendar, Share: acl.Write}, acl.Write},
	} {
		if got := acl.Decide(c.q); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}

func TestGrantAndRevoke(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := acl.New()
		now := time.Unix(1_800_000_000, 0)
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			var id [2]store.AccountID
			for i, name := range []string{"ann", "bob"} {
				x := store.Account{Name: name, Kind: store.Individual, Created: now}
				if err := tx.AddAccount(&x); err != nil {
					return err
				}
				id[i] = x.ID
			}
			calendar := store.Collection{Account: id[0], Name: "default", Kind: store.Calendar, Created: now}
			inbox := store.Collection{Account: id[0], Name: "inbox", Kind: store.Inbox, Created: now}
			for _, c := range []*store.Collection{&calendar, &inbox} {
				if err := tx.AddCollection(c); err != nil {
					return err
				}
			}
			want := func(what string, who store.AccountID, collection int64, want acl.Access) {
				t.Helper()
				if got, err := a.Of(tx, who, id[0], collection); err != nil || got != want {
					t.Errorf("%s: %s %v, want %s", what, got, err, want)
				}
			}
			want("owner", id[0], calendar.ID, acl.Own)
			want("colleague", id[1], calendar.ID, acl.FreeBusy)
			want("absent", id[1], 4711, acl.None)
			if err := a.Grant(tx, id[0], calendar.ID, id[1], acl.Read); err != nil {
				return err
			}
			want("shared", id[1], calendar.ID, acl.Read)
			if err := a.Grant(tx, id[0], calendar.ID, id[1], acl.Write); err != nil {
				return err
			}
			want("raised", id[1], calendar.ID, acl.Write)
			if list, err := a.SharedWith(tx, id[1]); err != nil || len(list) != 1 || list[0].Access != "read-write" {
				t.Errorf("shared with bob: %+v %v", list, err)
			}
			for _, bad := range []struct {
				what    string
				coll    int64
				grantee store.AccountID
				access  acl.Access
				want    problem.Condition
			}{
				{"the inbox", inbox.ID, id[1], acl.Read, problem.Forbidden},
				{"to the owner", calendar.ID, id[0], acl.Read, problem.BadInput},
				{"to nobody", calendar.ID, 4711, acl.Read, problem.NotFound},
				{"an absent calendar", 4711, id[1], acl.Read, problem.NotFound},
				{"ownership", calendar.ID, id[1], acl.Own, problem.BadInput},
			} {
				if err := a.Grant(tx, id[0], bad.coll, bad.grantee, bad.access); !problem.Has(err, bad.want) {
					t.Errorf("grant of %s: %v, want %s", bad.what, err, bad.want)
				}
			}
			if err := a.Revoke(tx, id[0], calendar.ID, id[1]); err != nil {
				return err
			}
			want("revoked", id[1], calendar.ID, acl.FreeBusy)
			if err := a.Revoke(tx, id[0], calendar.ID, id[1]); !problem.Has(err, problem.NotFound) {
				t.Errorf("revoked twice: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
