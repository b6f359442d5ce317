package calendar_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Nobody reads or acts for everybody unless the configuration names them; what
// they do is on record before they do it, and passwords, shares and settings
// stay with their owner.
func TestOversight(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var rights *acl.ACL
		o := open(t, s, func(co *calendar.Options) { rights = co.ACL }).hire("ann", "rita", "otto")
		ann, rita, otto := o.people["ann"].ID, o.people["rita"], o.people["otto"]
		by := func(a store.Account) account.Actor {
			return account.Actor{Account: a.ID, Name: a.Name, Admin: a.Admin, Via: account.ViaPassword}
		}
		ref := func(name string) calendar.Ref { return calendar.Ref{Owner: ann, Collection: "default", Name: name} }
		put := func(who store.Account, name, uid, more string) error {
			_, err := o.svc.Put(t.Context(), calendar.PutRequest{By: by(who), Ref: ref(name), Data: []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//T//T//EN\r\nBEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20260301T000000Z\r\nDTSTART:20260310T100000Z\r\nSUMMARY:Secret plan\r\n" + more + "END:VEVENT\r\nEND:VCALENDAR\r\n")})
			return err
		}
		get := func(who store.Account, name string) (string, error) {
			_, body, err := o.svc.Get(t.Context(), by(who), ref(name))
			return string(body), err
		}
		visits := func() (out []string) {
			list, err := o.svc.Visits(t.Context(), by(o.people["ann"]), ann)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range list {
				what := "read"
				if v.Changed {
					what = "changed"
				}
				out = append(out, v.At.UTC().Format("15h ")+v.Visitor+" "+what)
			}
			return out
		}
		saw := func(want ...string) {
			t.Helper()
			if got := visits(); strings.Join(got, ", ") != strings.Join(want, ", ") {
				t.Errorf("visits %v, want %v", got, want)
			}
		}
		for name, more := range map[string]string{"open.ics": "", "private.ics": "CLASS:PRIVATE\r\n"} {
			if err := put(o.people["ann"], name, name, more); err != nil {
				t.Fatal(err)
			}
		}

		// Off by default, for administrators too.
		admin := by(rita)
		admin.Admin = true
		if _, _, err := o.svc.Get(t.Context(), admin, ref("open.ics")); !problem.Has(err, problem.NotFound) {
			t.Errorf("an administrator reads: %v", err)
		}
		if _, err := get(otto, "open.ics"); !problem.Has(err, problem.NotFound) {
			t.Errorf("a colleague reads: %v", err)
		}
		saw()

		rights.Appoint(o.accounts.FindTx, []acl.Overseer{{Login: "rita@example.test", Access: acl.Read}, {Login: "otto", Access: acl.Act}, {Login: "nobody@example.test", Access: acl.Act}})
		if list, err := o.svc.Overseers(t.Context()); err != nil || len(list) != 2 || list[0].Name != "otto" || list[1].Access != acl.Read {
			t.Errorf("overseers: %+v %v", list, err)
		}

		// Who reads sees no private event and changes nothing.
		if text, err := get(rita, "open.ics"); err != nil || !strings.Contains(text, "Secret plan") {
			t.Errorf("%v %s", err, text)
		}
		saw("08h rita read")
		if text, err := get(rita, "private.ics"); err != nil || strings.Contains(text, "Secret plan") {
			t.Errorf("private: %v %s", err, text)
		}
		if err := put(rita, "open.ics", "open.ics", ""); !problem.Has(err, problem.NeedPrivileges) {
			t.Errorf("who only reads writes: %v", err)
		}
		saw("08h rita read")

		// Who acts does what a secretary does; each hour is told once.
		o.later(time.Hour)
		if text, err := get(otto, "private.ics"); err != nil || !strings.Contains(text, "Secret plan") {
			t.Errorf("%v %s", err, text)
		}
		if err := put(otto, "new.ics", "new", ""); err != nil {
			t.Error(err)
		}
		if err := put(otto, "new.ics", "new", "LOCATION:Attic\r\n"); err != nil {
			t.Error(err)
		}
		saw("09h otto read", "09h otto changed", "08h rita read")
		if text, err := get(o.people["ann"], "new.ics"); err != nil || !strings.Contains(text, "Attic") {
			t.Errorf("%v %s", err, text)
		}
		list := 0
		if err := o.svc.List(t.Context(), by(otto), ann, "default", func(store.Object) error { list++; return nil }); err != nil || list != 3 {
			t.Errorf("lists %d: %v", list, err)
		}
		if _, err := o.svc.MakeCalendar(t.Context(), calendar.MakeCalendarRequest{By: by(otto), Owner: ann, Collection: store.Collection{Name: "made"}}); err != nil {
			t.Error(err)
		}

		// What is the owner's alone.
		for what, err := range map[string]error{
			"share":       o.svc.SetShares(t.Context(), by(otto), ann, "default", map[store.AccountID]acl.Access{otto.ID: acl.Act}),
			"proxies":     o.svc.SetProxies(t.Context(), by(otto), ann, acl.Act, []store.AccountID{otto.ID}),
			"preferences": o.svc.SetPreferences(t.Context(), by(otto), ann, calendar.Preferences{}),
			"history": func() error {
				_, err := o.svc.History(t.Context(), by(otto), ann, calendar.HistoryFilter{})
				return err
			}(),
			"visits": func() error { _, err := o.svc.Visits(t.Context(), by(otto), ann); return err }(),
		} {
			if err == nil {
				t.Errorf("an overseer changes or sees: %s", what)
			}
		}

		// The record outlives the account of who is in it.
		if err := o.accounts.Delete(t.Context(), rita.ID); err != nil {
			t.Fatal(err)
		}
		saw("09h otto read", "09h otto changed", "08h rita read")
		rights.Appoint(o.accounts.FindTx, nil)
		if _, err := get(otto, "open.ics"); !problem.Has(err, problem.NotFound) {
			t.Errorf("after the appointment ended: %v", err)
		}
	})
}
