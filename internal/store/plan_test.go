package store

import (
	"context"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
)

// wholeHome matches a step of a query plan that reads a table, or everything
// of an account in it, from one end to the other.
var wholeHome = regexp.MustCompile(`SCAN (o|t|y|n|v|d|b|e|w|p|pattern|object|object_text|occupancy|tombstone|version|entry|entry_raw)\b|` +
	`SEARCH (o|t|y|n|v|d|b|e|w|p|pattern|object|object_text|occupancy|tombstone|version|entry|entry_raw) USING .*\((account=\?)?\)`)

// whole are the queries that are meant to.
var whole = []string{"delete from object where account = $1", "delete from version where account = $1", "delete from entry", "delete from object_text where account = $1",
	"delete from occupancy where account = $1", "delete from tombstone where account = $1", "from entry e where true", "e.state not in", "from version v where v.account = $1 order by"}

// TestQueriesReadOnlyWhatTheyNeed asks SQLite how it runs every statement that
// a walk through Tx prepares.
func TestQueriesReadOnlyWhatTheyNeed(t *testing.T) {
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Durability: "normal"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now := time.Unix(1_800_000_000, 0)
	if err := s.Update(t.Context(), func(tx *Tx) error { return walk(tx, now) }); err != nil {
		t.Fatal(err)
	}
	conn := s.engine.(*sqliteEngine).write.conn
	asked := 0
statements:
	for query := range conn.stmts {
		verb, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(query)), " ")
		if verb != "select" && verb != "update" && verb != "delete" && verb != "insert" && verb != "with" {
			continue
		}
		for _, w := range whole {
			if strings.Contains(query, w) {
				continue statements
			}
		}
		asked++
		args := make([]any, 100)
		rows, err := conn.c.QueryContext(context.Background(), "explain query plan "+sqliteDialect.render(query), args[:strings.Count(query, "$")]...)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			if wholeHome.MatchString(detail) {
				t.Errorf("%s\n  in %s", detail, strings.Join(strings.Fields(query), " "))
			}
		}
		rows.Close()
	}
	if asked < 40 {
		t.Errorf("only %d statements were asked about: the walk misses most of Tx", asked)
	}
}

// walk calls the methods of Tx that calendars and couriers live on.
func walk(tx *Tx, now time.Time) error {
	a := Account{Name: "ann", Created: now}
	c := Collection{Name: "default", Kind: Calendar, Created: now}
	o := Object{Name: "1.ics", UID: "u", Component: "VEVENT"}
	e := Entry{Direction: "out", UID: "u", To: "bob", State: StateDue, Created: now, Raw: []byte("mail")}
	x := Index{First: 0, Last: math.MaxInt64, Periods: []int32{2026 * 12}, Horizon: now.Unix(), Known: HasPattern, Pattern: "x"}
	steps := []func() error{
		func() error { return tx.AddAccount(&a) },
		func() error { return tx.SetAddresses(a.ID, []Address{{Key: "a", URI: "mailto:a"}}) },
		func() error { _, err := tx.AccountByAddress("a"); return err },
		func() error { _, err := tx.Holders([]string{"a", "b"}); return err },
		func() error { _, err := tx.Redirected([]string{"a", "b"}); return err },
		func() error { _, err := tx.AccountByName("ann"); return err },
		func() error { c.Account = a.ID; return tx.AddCollection(&c) },
		func() error { _, err := tx.Collections(a.ID); return err },
		func() error { _, err := tx.Places(a.ID); return err },
		func() error { _, err := tx.CollectionByName(a.ID, "default"); return err },
		func() error { o.Account, o.Collection = a.ID, c.ID; return tx.PutObject(&o, []byte("1"), x) },
		func() error { return tx.PutObject(&o, []byte("2"), Index{}) },
		func() error { return tx.SetIndex(a.ID, o.ID, x) },
		func() error { return tx.UpdateMemory(a.ID, o.ID, nil) },
		func() error { _, err := tx.Object(a.ID, c.ID, "1.ics"); return err },
		func() error { _, err := tx.ObjectByID(a.ID, o.ID); return err },
		func() error { _, err := tx.ObjectsByUID(a.ID, "u"); return err },
		func() error { _, err := tx.Meetings("u"); return err },
		func() error { _, err := tx.Traces(a.ID, "u"); return err },
		func() error { _, err := tx.Received(a.ID, "u", "cip"); return err },
		func() error { return tx.PutCIPEvent(CIPEvent{Account: a.ID, UID: "u", Wire: "w"}) },
		func() error { _, err := tx.CIPEvent(a.ID, "u"); return err },
		func() error { _, err := tx.CIPEventByWire("w"); return err },
		func() error {
			return tx.SetCIPMoved(CIPMoved{Account: a.ID, OldKey: "x", NewKey: "y", NewURI: "mailto:y"})
		},
		func() error { _, err := tx.CIPMovedTo(a.ID, "x"); return err },
		func() error { _, err := tx.CIPMovedFrom(a.ID, "y"); return err },
		func() error { _, err := tx.Body(a.ID, o.ID); return err },
		func() error { _, err := tx.Bodies(a.ID, []int64{o.ID}); return err },
		func() error {
			for _, err := range tx.ListObjects(a.ID, c.ID) {
				return err
			}
			return nil
		},
		func() error {
			for _, err := range tx.ObjectsInRange(a.ID, []int64{c.ID}, "", 0, 86400) {
				return err
			}
			return nil
		},
		func() error {
			for _, err := range tx.ObjectsInRange(a.ID, []int64{c.ID}, "", math.MinInt64, math.MaxInt64) {
				return err
			}
			return nil
		},
		func() error { _, err := tx.TextNamed(a.ID, "default", "1.ics", 100); return err },
		func() error { return tx.TextsNamed(a.ID, c.ID, []string{"1.ics"}, 100, new(Texts)) },
		func() error { return tx.TextsOf(a.ID, c.ID, []int64{o.ID}, 100, new(Texts)) },
		func() error { return tx.TaggedTextsOf(a.ID, c.ID, []int64{o.ID}, 100, new(Texts)) },
		func() error {
			return tx.Patterns(a.ID, []int64{o.ID}, func(int64, []byte) error { return nil })
		},
		func() error { return tx.SetDerived(Derivation{Name: "x"}) },
		func() error { _, err := tx.Derived("x"); return err },
		func() error { _, err := tx.HoldingsAfter(Holding{}, 10); return err },
		func() error { _, err := tx.TagsAfter(a.ID, c.ID, 0, 10, nil); return err },
		func() error { _, err := tx.SpanningAfter(a.ID, c.ID, 0, 86400, 0, 10); return err },
		func() error { _, _, err := tx.Changes(a.ID, c.ID, 0, 10); return err },
		func() error { _, _, err := tx.Changes(a.ID, c.ID, 1, 10); return err },
		func() error { _, err := tx.StaleHorizons(0, 10); return err },
		func() error { return tx.MoveObject(a.ID, o.ID, c.ID, "2.ics") },
		func() error { _, err := tx.Versions(a.ID, VersionFilter{Object: o.ID}); return err },
		func() error { _, err := tx.Versions(a.ID, VersionFilter{UID: "u"}); return err },
		func() error { _, err := tx.DeletedUID(a.ID, "u"); return err },
		func() error { _, err := tx.PruneVersions(now); return err },
		func() error { _, err := tx.PruneTombstones(now); return err },
		func() error { _, err := tx.ShareOf(a.ID, c.ID, 7); _ = err; return nil },
		func() error { _, err := tx.SharesTo(a.ID); return err },
		func() error { e.Account = a.ID; return tx.AddEntry(&e) },
		func() error { return tx.UpdateEntry(e) },
		func() error { _, err := tx.Entry(a.ID, e.ID); return err },
		func() error { _, err := tx.FindEntry(e.ID); return err },
		func() error { _, err := tx.EntryByDigest(a.ID, "x"); _ = err; return nil },
		func() error { _, err := tx.EntriesWaiting(a.ID, "u"); return err },
		func() error { _, err := tx.ClaimDue(now, time.Minute, 10, "me"); return err },
		func() error { _, _, err := tx.NextDue(); return err },
		func() error { _, err := tx.PruneEntries(now); return err },
		func() error { _, err := tx.HeldBecause("flood", 0, 0, 10); return err },
		func() error {
			return tx.SetReplyAddress(ReplyAddress{Account: a.ID, UID: "u", Attendee: "b", Selector: "s"})
		},
		func() error { _, err := tx.ReplyAddressFor(a.ID, "u", "b"); return err },
		func() error { _, err := tx.ReplyAddressBySelector(a.ID, "s"); return err },
		func() error { return tx.DeleteReplyAddress(a.ID, "u", "b") },
		func() error { _, err := tx.SenderRules(a.ID); return err },
		func() error { return tx.DeleteObject(a.ID, o.ID) },
		func() error { return tx.DeleteCollection(a.ID, c.ID) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
