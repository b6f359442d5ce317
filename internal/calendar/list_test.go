package calendar_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

func TestSyncTellsWhatChanged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := open(t, s).hire("alice")
		alice, ctx := o.people["alice"].ID, t.Context()
		put := func(n int, hour string) {
			o.put("alice", fmt.Sprintf("default/%d.ics", n), vevent(fmt.Sprintf("%d@x", n), "DTSTART:20260303T"+hour+"0000Z"))
		}
		sync := func(since int64, limit int) calendar.SyncResult {
			t.Helper()
			r, err := o.svc.Sync(ctx, o.actor("alice"), alice, "default", since, limit)
			if err != nil {
				t.Fatalf("sync since %d: %v", since, err)
			}
			return r
		}
		names := func(r calendar.SyncResult) []string {
			var out []string
			for _, x := range r.Changed {
				out = append(out, x.Name)
			}
			slices.Sort(out)
			for _, x := range r.Deleted {
				out = append(out, "-"+x)
			}
			return out
		}
		for n := 1; n <= 4; n++ {
			put(n, "09")
		}
		first := sync(0, 0)
		if got := names(first); !slices.Equal(got, []string{"1.ics", "2.ics", "3.ics", "4.ics"}) {
			t.Errorf("initial: %q", got)
		}
		v, err := o.svc.Collection(ctx, o.actor("alice"), alice, "default")
		if err != nil || v.Seq != first.Seq {
			t.Errorf("the collection is at %d, the sync ended at %d (%v)", v.Seq, first.Seq, err)
		}
		if again := sync(first.Seq, 0); len(names(again)) != 0 || again.Seq != first.Seq {
			t.Errorf("nothing changed: %q, %d → %d", names(again), first.Seq, again.Seq)
		}
		put(2, "10")
		put(5, "09")
		put(6, "09")
		for _, n := range []string{"3.ics", "6.ics"} {
			if err := o.svc.Delete(ctx, calendar.DeleteRequest{By: o.actor("alice"), Ref: o.ref("alice", "default/"+n)}); err != nil {
				t.Fatal(err)
			}
		}
		delta := sync(first.Seq, 0)
		if got := names(delta); !slices.Equal(got, []string{"2.ics", "5.ics", "-3.ics", "-6.ics"}) {
			t.Errorf("delta: %q", got)
		}
		// In pages it is the same.
		var paged []string
		at := first.Seq
		for more := true; more; {
			r := sync(at, 1)
			paged = append(paged, names(r)...)
			at, more = r.Seq, r.More
		}
		slices.Sort(paged)
		if !slices.Equal(paged, []string{"-3.ics", "-6.ics", "2.ics", "5.ics"}) || at != delta.Seq {
			t.Errorf("in pages: %q ending at %d, want %d", paged, at, delta.Seq)
		}
		for _, bad := range []int64{-1, delta.Seq + 1000} {
			if _, err := o.svc.Sync(ctx, o.actor("alice"), alice, "default", bad, 0); !problem.Has(err, problem.InvalidSyncToken) {
				t.Errorf("since %d: %v, want valid-sync-token", bad, err)
			}
		}
	})
}

func TestQueryFindsTheMonth(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := open(t, s).hire("alice")
		o.put("alice", "default/1.ics", vevent("1@x", "DTSTART:20260303T090000Z"))
		o.put("alice", "default/2.ics", vevent("2@x", "DTSTART:20260503T090000Z"))
		o.put("alice", "default/3.ics", vevent("3@x", "DTSTART:20200103T090000Z", "RRULE:FREQ=MONTHLY"))
		o.put("alice", "default/4.ics", vevent("4@x", "DTSTART:20200603T090000Z", "RRULE:FREQ=YEARLY"))
		query := func(component string, from, to time.Time) []string {
			t.Helper()
			var out []string
			err := o.svc.Query(t.Context(), o.actor("alice"), o.people["alice"].ID, []string{"default"}, component, from, to, func(ob store.Object, body []byte) error {
				if len(body) != ob.Size {
					t.Errorf("%s: %d octets of %d", ob.Name, len(body), ob.Size)
				}
				out = append(out, ob.Name)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(out)
			return out
		}
		march := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		if got := query("VEVENT", march, march.AddDate(0, 1, 0)); !slices.Equal(got, []string{"1.ics", "3.ics"}) {
			t.Errorf("March: %q", got)
		}
		if got := query("", march.AddDate(0, 1, 0), time.Time{}); !slices.Equal(got, []string{"2.ics", "3.ics", "4.ics"}) {
			t.Errorf("from April on: %q", got)
		}
		if got := query("", time.Time{}, time.Time{}); len(got) != 4 {
			t.Errorf("always: %q", got)
		}
		if got := query("VTODO", march, march.AddDate(0, 1, 0)); len(got) != 0 {
			t.Errorf("tasks: %q", got)
		}
	})
}

func TestBodiesInTheOrderAsked(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice")
	var names []string
	for n := range 250 {
		name := fmt.Sprintf("%d.ics", n)
		o.put("alice", "default/"+name, vevent(name, "DTSTART:20260303T090000Z"))
		names = append(names, name)
	}
	slices.Reverse(names)
	names = slices.Insert(names, 7, "none.ics")
	var got []string
	err := o.svc.Bodies(t.Context(), o.actor("alice"), o.people["alice"].ID, "default", names, math.MaxInt, func(ob store.Object, body []byte, err error) error {
		if (ob.Name == "none.ics") != problem.Has(err, problem.NotFound) || err == nil && len(body) != ob.Size {
			t.Errorf("%s: %d octets, %v", ob.Name, len(body), err)
		}
		got = append(got, ob.Name)
		return nil
	})
	if err != nil || !slices.Equal(got, names) {
		t.Errorf("%v: %d names in another order or number", err, len(got))
	}
	stop := errors.New("enough")
	if err := o.svc.Bodies(t.Context(), o.actor("alice"), o.people["alice"].ID, "default", names, math.MaxInt, func(store.Object, []byte, error) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("an error of the callback: %v", err)
	}
}

func TestMakingAndChangingCalendars(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	alice, ctx := o.people["alice"].ID, t.Context()
	make := func(by string, c store.Collection) error {
		_, err := o.svc.MakeCalendar(ctx, calendar.MakeCalendarRequest{By: o.actor(by), Owner: alice, Collection: c})
		return err
	}
	for _, c := range []struct {
		name string
		by   string
		coll store.Collection
		want problem.Condition
	}{
		{"a calendar", "alice", store.Collection{Name: "work", Components: []string{"vevent"}}, ""},
		{"its name again", "alice", store.Collection{Name: "work"}, problem.ResourceMustBeNull},
		{"the inbox", "alice", store.Collection{Name: "inbox"}, problem.ResourceMustBeNull},
		{"in another's home", "bob", store.Collection{Name: "mine"}, problem.NeedPrivileges},
		{"for alarms", "alice", store.Collection{Name: "x", Components: []string{"VALARM"}}, problem.UnsupportedComponent},
		{"with a zone that is none (RFC 4791 5.2.2)", "alice", store.Collection{Name: "y", TimeZone: "Berlin"}, problem.InvalidCalendarData},
		{"with an event as zone", "alice", store.Collection{Name: "z", TimeZone: vevent("1", "DTSTART:20260303T090000Z")}, problem.InvalidCalendarData},
		{"with a slash", "alice", store.Collection{Name: "a/b"}, problem.BadInput},
	} {
		err := make(c.by, c.coll)
		if c.want == "" && err != nil || c.want != "" && !problem.Has(err, c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	update := func(by string, edit func(*store.Collection) error) error {
		_, err := o.svc.UpdateCollection(ctx, o.actor(by), alice, "work", edit)
		return err
	}
	o.put("alice", "work/1.ics", vevent("1@x", "DTSTART:20260303T090000Z"))
	if err := update("alice", func(c *store.Collection) error { c.Components = []string{"VTODO"}; return nil }); !problem.Has(err, problem.ProtectedProperty) {
		t.Errorf("forbid what it holds: %v", err)
	}
	if err := update("alice", func(c *store.Collection) error {
		c.DisplayName = "Work"
		c.Properties = map[string]string{"{x}y": "<y/>"}
		return nil
	}); err != nil {
		t.Error(err)
	}
	stop := errors.New("no")
	if err := update("alice", func(c *store.Collection) error { c.DisplayName = "Other"; return stop }); !errors.Is(err, stop) {
		t.Errorf("an error of the edit: %v", err)
	}
	v, err := o.svc.Collection(ctx, o.actor("alice"), alice, "work")
	if err != nil || v.DisplayName != "Work" || v.Properties["{x}y"] != "<y/>" {
		t.Errorf("%+v, %v", v.Collection, err)
	}
	if err := o.svc.SetDefaultCalendar(ctx, o.actor("alice"), alice, "tasks"); !problem.Has(err, problem.InvalidDefaultCalendar) {
		t.Errorf("invitations to the tasks: %v", err)
	}
	if err := o.svc.SetDefaultCalendar(ctx, o.actor("alice"), alice, "work"); err != nil {
		t.Error(err)
	}
	if c, err := o.svc.DefaultCalendar(ctx, o.actor("alice"), alice); err != nil || c.Name != "work" {
		t.Errorf("invitations go to %s, %v", c.Name, err)
	}
}

func TestHomeSyncAndProperties(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	alice, ctx := o.people["alice"].ID, t.Context()
	first, err := o.svc.HomeSync(ctx, o.actor("alice"), alice, 0, 0)
	if err != nil || len(first.Changed) != 4 {
		t.Fatalf("initial: %d collections, %v", len(first.Changed), err)
	}
	o.makeCalendar("alice", "work")
	r := o.put("alice", "work/1.ics", vevent("1@x", "DTSTART:20260303T090000Z"))
	if err := o.svc.SetProperties(ctx, o.actor("alice"), o.ref("alice", "work/1.ics"), func(p map[string]string) error { p["{x}note"] = "<note/>"; return nil }); err != nil {
		t.Fatal(err)
	}
	ob, _ := o.get("alice", "work/1.ics")
	if ob.Properties["{x}note"] != "<note/>" || ob.ETag != r.ETag || ob.Seq != r.Object.Seq {
		t.Errorf("a property changed the object: %+v", ob)
	}
	if err := o.svc.SetProperties(ctx, o.actor("bob"), o.ref("alice", "work/1.ics"), func(map[string]string) error { return nil }); !problem.Has(err, problem.NotFound) {
		t.Errorf("bob sets properties: %v", err)
	}
	if _, err := o.svc.Copy(ctx, calendar.CopyRequest{By: o.actor("alice"), From: o.ref("alice", "work/1.ics"), To: o.ref("alice", "default/1.ics")}); err != nil {
		t.Fatal(err)
	}
	if ob, _ := o.get("alice", "default/1.ics"); ob.Properties["{x}note"] != "<note/>" {
		t.Errorf("a copy without properties: %+v", ob)
	}
	delta, err := o.svc.HomeSync(ctx, o.actor("alice"), alice, first.Seq, 0)
	if err != nil || len(delta.Changed) != 2 || len(delta.Deleted) != 0 {
		t.Errorf("delta: %+v, %v", delta, err)
	}
	if err := o.svc.DeleteCollection(ctx, calendar.DeleteCollectionRequest{By: o.actor("alice"), Owner: alice, Collection: "work"}); err != nil {
		t.Fatal(err)
	}
	last, err := o.svc.HomeSync(ctx, o.actor("alice"), alice, delta.Seq, 0)
	if err != nil || !slices.Equal(last.Deleted, []string{"work"}) {
		t.Errorf("after deleting: %+v, %v", last, err)
	}
}

func TestMaintainMovesTheTimeIndex(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice")
	o.put("alice", "default/1.ics", vevent("1@x", "DTSTART:20260603T090000Z", "RRULE:FREQ=YEARLY"))
	o.put("alice", "default/2.ics", vevent("2@x", "DTSTART:19900603T090000Z", "RRULE:FREQ=SECONDLY"))
	o.later(4 * 366 * 24 * time.Hour)
	found := func() (n int) {
		from := time.Date(2031, 3, 1, 0, 0, 0, 0, time.UTC)
		if err := o.svc.Query(t.Context(), o.actor("alice"), o.people["alice"].ID, []string{"default"}, "", from, from.AddDate(0, 1, 0), func(ob store.Object, _ []byte) error {
			if ob.UID == "1@x" {
				n++
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if found() != 1 {
		t.Error("beyond the window the series is not a candidate")
	}
	if err := o.svc.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found() != 0 {
		t.Error("within the new window a series of Junes is still a candidate for March")
	}
	if n, err := o.svc.RollIndex(t.Context(), 10); n != 0 || err != nil {
		t.Errorf("again: %d moved, %v", n, err)
	}
}

// Of however many who read parts of large texts only a few do so at once, since
// the database has the whole of each in memory meanwhile; who gave up, or was
// refused, does not keep the others waiting.
func TestPartsWaitForOneAnother(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := open(t, s).hire("alice")
		o.put("alice", "default/1.ics", vevent("1@x", "DTSTART:20260303T090000Z"))
		ref := calendar.Ref{Owner: o.people["alice"].ID, Collection: "default", Name: "1.ics"}
		before, _, err := o.svc.Get(t.Context(), o.actor("alice"), ref)
		if err != nil {
			t.Fatal(err)
		}
		release := calendar.HoldParts(o.svc)
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := o.svc.Part(gone, before, 0, 10); !errors.Is(err, context.Canceled) {
			t.Errorf("who gave up gets %v", err)
		}
		results := make(chan error)
		for range 10 {
			go func() {
				_, err := o.svc.Part(t.Context(), before, 0, 10)
				results <- err
			}()
		}
		o.put("alice", "default/1.ics", vevent("1@x", "DTSTART:20260303T100000Z"))
		release()
		for range 10 {
			if err := <-results; !problem.Has(err, problem.PreconditionFailed) {
				t.Errorf("a part was read before there was a place: %v", err)
			}
		}
		after, body, err := o.svc.Get(t.Context(), o.actor("alice"), ref)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if part, err := o.svc.Part(t.Context(), after, 3, 10); err != nil || string(part) != string(body[3:13]) {
				t.Errorf("%q, %v", part, err)
			}
		}
	})
}
