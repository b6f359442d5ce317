package calendar_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

func TestPutKeepsTheOctets(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := open(t, s).hire("alice")
		// Odd folding, lower case, unknown things, LF: all of it is the client's.
		data := strings.ReplaceAll(vevent("1@example.test", "dtstart:20260302T090000Z", "X-ODD;X-P=\"a;b\":1", "SUMMARY:Lo", " ng", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT5M", "DESCRIPTION:x", "END:VALARM"), "\r\n", "\n")
		r := o.put("alice", "default/1.ics", data)
		ob, got := o.get("alice", "default/1.ics")
		if got != data {
			t.Errorf("stored\n%q\nwant\n%q", got, data)
		}
		if !r.Created || r.Rewritten || r.ETag == "" || r.ETag != ob.ETag || r.ScheduleTag != "" || !strings.HasPrefix(r.ETag, `"`) {
			t.Errorf("result %+v, stored etag %s", r, ob.ETag)
		}
		if ob.UID != "1@example.test" || ob.Component != "VEVENT" || ob.Summary != "Long" || ob.Size != len(data) {
			t.Errorf("described as %+v", ob)
		}

		again := o.put("alice", "default/1.ics", data)
		ob2, _ := o.get("alice", "default/1.ics")
		if again.Created || !again.Unchanged || again.ETag != r.ETag || ob2.Seq != ob.Seq {
			t.Errorf("the same octets again: %+v, seq %d → %d", again, ob.Seq, ob2.Seq)
		}
		changed := o.put("alice", "default/1.ics", strings.Replace(data, "Lo\n ng", "Short", 1))
		ob3, _ := o.get("alice", "default/1.ics")
		if changed.ETag == r.ETag || ob3.Seq <= ob.Seq {
			t.Errorf("a change: etag %s → %s, seq %d → %d", r.ETag, changed.ETag, ob.Seq, ob3.Seq)
		}
	})
}

func TestPutRefusesWhatIsNotACalendarObject(t *testing.T) {
	const when = "DTSTART:20260302T090000Z"
	event := component("VEVENT", "1@example.test", when)
	for _, c := range []struct {
		name, data string
		want       problem.Condition
		says       string
	}{
		{"no iCalendar", "hello", problem.InvalidCalendarData, "line 1"},
		{"no data", "", problem.InvalidCalendarData, ""},
		{"half of it", strings.TrimSuffix(vcalendar(event), "END:VCALENDAR\r\n"), problem.InvalidCalendarData, "whole"},
		{"METHOD (RFC 4791 4.1)", strings.Replace(vcalendar(event), "PRODID", "METHOD:REQUEST\r\nPRODID", 1), problem.InvalidCalendarObject, "METHOD"},
		{"two UIDs", vcalendar(event, component("VEVENT", "2@example.test", when)), problem.InvalidCalendarObject, "two objects"},
		{"two kinds", vcalendar(event, component("VTODO", "1@example.test")), problem.InvalidCalendarObject, "one kind"},
		{"no UID", strings.Replace(vcalendar(event), "UID:1@example.test\r\n", "", 1), problem.InvalidCalendarObject, "UID"},
		{"nothing in it", vcalendar(), problem.InvalidCalendarObject, "no event"},
		{"only a time zone", vcalendar("BEGIN:VTIMEZONE\r\nTZID:X\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"), problem.InvalidCalendarObject, ""},
		{"no DTSTART", vevent("1@example.test", "SUMMARY:x"), problem.InvalidCalendarData, "DTSTART"},
		{"DTSTART that is no date", vevent("1@example.test", "DTSTART:tomorrow"), problem.InvalidCalendarData, "DTSTART"},
		{"a day that is not", vevent("1@example.test", "DTSTART;VALUE=DATE:20260231"), problem.InvalidCalendarData, "DTSTART"},
		{"a rule that is none", vevent("1@example.test", when, "RRULE:FREQ=SOMETIMES"), problem.InvalidCalendarData, "RRULE"},
		{"ends before it starts", vevent("1@example.test", when, "DTEND:20260301T090000Z"), problem.InvalidCalendarData, "before it starts"},
		{"version 1.0", strings.Replace(vcalendar(event), "2.0", "1.0", 1), problem.UnsupportedCalendarData, "1.0"},
		{"the same occurrence twice", vcalendar(component("VEVENT", "1@example.test", when, "RRULE:FREQ=DAILY"), component("VEVENT", "1@example.test", when, "RECURRENCE-ID:20260303T090000Z"), component("VEVENT", "1@example.test", when, "RECURRENCE-ID:20260303T090000Z")), problem.InvalidCalendarObject, "twice"},
		{"two masters", vcalendar(event, event), problem.InvalidCalendarObject, "RECURRENCE-ID"},
		{"a zone nobody knows", vevent("1@example.test", "DTSTART;TZID=Middle Earth/Shire:20260302T090000"), problem.InvalidCalendarObject, "Shire"},
		{"too early", vevent("1@example.test", "DTSTART:09990302T090000Z"), problem.BeforeMinDate, "earliest"},
		{"too late", vevent("1@example.test", "DTSTART:30000302T090000Z"), problem.AfterMaxDate, "before"},
		{"too often", vevent("1@example.test", when, "RRULE:FREQ=DAILY;COUNT=20000"), problem.TooManyInstances, "10000"},
		{"a task in a calendar of events", vcalendar(component("VTODO", "1@example.test")), problem.UnsupportedComponent, "VTODO"},
		{"too many attendees", vevent("1@example.test", append([]string{when}, strings.Split(strings.Repeat("ATTENDEE:mailto:x@y.test\n", 11), "\n")[:11]...)...), problem.TooManyAttendees, "10"},
		{"too large", vevent("1@example.test", when, "DESCRIPTION:"+strings.Repeat("x", 60000)), problem.TooLarge, "50000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := open(t, storetest.SQLite(t), func(co *calendar.Options) { co.Limits = calendar.Limits{Attendees: 10, ResourceSize: 50000} }).hire("alice")
			_, err := o.tryPut("alice", "default/1.ics", c.data, calendar.Precondition{})
			p := problem.Of(err)
			if err == nil || p.Condition != c.want || !strings.Contains(strings.ToLower(p.Sentence), strings.ToLower(c.says)) {
				t.Errorf("got %v (%s), want %s with %q", err, p.Condition, c.want, c.says)
			}
			if n := len(o.list("alice", "default")); n != 0 {
				t.Errorf("%d objects are stored", n)
			}
		})
	}
}

func TestPutTakesWhatClientsSend(t *testing.T) {
	for name, data := range map[string]string{
		"a floating time":              vevent("1@example.test", "DTSTART:20260302T090000"),
		"all day":                      vevent("1@example.test", "DTSTART;VALUE=DATE:20260302"),
		"a zone by its name alone":     vevent("1@example.test", "DTSTART;TZID=Europe/Berlin:20260302T090000", "DTEND;TZID=Europe/Berlin:20260302T100000"),
		"a Windows zone":               vevent("1@example.test", "DTSTART;TZID=W. Europe Standard Time:20260302T090000"),
		"an occurrence without series": vevent("1@example.test", "RECURRENCE-ID:20260302T090000Z", "DTSTART:20260302T100000Z"),
		"no PRODID":                    strings.Replace(vevent("1@example.test", "DTSTART:20260302T090000"), "PRODID:-//Test//EN\r\n", "", 1),
		"a birthday without year":      vevent("1@example.test", "DTSTART;VALUE=DATE:16040229", "RRULE:FREQ=YEARLY"),
		"an endless rule":              vevent("1@example.test", "DTSTART:20260302T090000Z", "RRULE:FREQ=SECONDLY"),
		"a rule until far away":        vevent("1@example.test", "DTSTART:20260302T090000Z", "RRULE:FREQ=YEARLY;UNTIL=99991231T235959Z"),
		"only exceptions":              vevent("1@example.test", "DTSTART:20260302T090000Z", "RRULE:FREQ=DAILY;COUNT=1", "EXDATE:20260302T090000Z"),
		"an X- component":              vcalendar(component("VEVENT", "1@example.test", "DTSTART:20260302T090000"), "BEGIN:X-EXTRA\r\nX-A:1\r\nEND:X-EXTRA\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			o := open(t, storetest.SQLite(t)).hire("alice")
			if r := o.put("alice", "default/1.ics", data); r.Rewritten {
				t.Errorf("rewritten")
			}
		})
	}
}

func TestControlCharactersAreTakenOut(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice")
	r := o.put("alice", "default/1.ics", vevent("1@example.test", "DTSTART:20260302T090000Z", "SUMMARY:a\x0bb\x01c"))
	_, got := o.get("alice", "default/1.ics")
	o.expect("stored", got, "SUMMARY:abc")
	if !r.Rewritten || r.ETag != "" {
		t.Errorf("result %+v: not the client's octets, so no ETag (RFC 4791 5.3.4)", r)
	}
}

func TestPreconditions(t *testing.T) {
	data := vevent("1@example.test", "DTSTART:20260302T090000Z")
	for _, c := range []struct {
		name   string
		exists bool
		p      func(etag string) calendar.Precondition
		ok     bool
	}{
		{"If-None-Match: * on nothing", false, func(string) calendar.Precondition { return calendar.Precondition{IfNoneMatch: []string{"*"}} }, true},
		{"If-None-Match: * on something", true, func(string) calendar.Precondition { return calendar.Precondition{IfNoneMatch: []string{"*"}} }, false},
		{"If-Match on nothing", false, func(string) calendar.Precondition { return calendar.Precondition{IfMatch: []string{`"x"`}} }, false},
		{"If-Match: * on nothing", false, func(string) calendar.Precondition { return calendar.Precondition{IfMatch: []string{"*"}} }, false},
		{"If-Match: * on something", true, func(string) calendar.Precondition { return calendar.Precondition{IfMatch: []string{"*"}} }, true},
		{"If-Match right", true, func(e string) calendar.Precondition { return calendar.Precondition{IfMatch: []string{`"x"`, e}} }, true},
		{"If-Match wrong", true, func(string) calendar.Precondition { return calendar.Precondition{IfMatch: []string{`"x"`}} }, false},
		{"If-Match weak (RFC 9110 13.1.1)", true, func(e string) calendar.Precondition { return calendar.Precondition{IfMatch: []string{"W/" + e}} }, false},
		{"If-None-Match with the tag", true, func(e string) calendar.Precondition { return calendar.Precondition{IfNoneMatch: []string{e}} }, false},
		{"If-None-Match with another tag", true, func(string) calendar.Precondition { return calendar.Precondition{IfNoneMatch: []string{`"x"`}} }, true},
		{"If-Unmodified-Since before the change", true, func(string) calendar.Precondition {
			return calendar.Precondition{IfUnmodifiedSince: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)}
		}, false},
		{"If-Unmodified-Since after the change", true, func(string) calendar.Precondition {
			return calendar.Precondition{IfUnmodifiedSince: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
		}, true},
		{"If-Match before If-Unmodified-Since (RFC 9110 13.2.2)", true, func(e string) calendar.Precondition {
			return calendar.Precondition{IfMatch: []string{e}, IfUnmodifiedSince: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)}
		}, true},
		{"If-Schedule-Tag-Match on a plain event", true, func(e string) calendar.Precondition { return calendar.Precondition{IfScheduleTagMatch: e} }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := open(t, storetest.SQLite(t)).hire("alice")
			tag := ""
			if c.exists {
				tag = o.put("alice", "default/1.ics", data).ETag
			}
			_, err := o.tryPut("alice", "default/1.ics", strings.Replace(data, "0900", "1000", 1), c.p(tag))
			if c.ok != (err == nil) || !c.ok && !problem.Has(err, problem.PreconditionFailed) {
				t.Errorf("put: %v", err)
			}
		})
	}
}

func TestOfConcurrentChangesOneWins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := open(t, s).hire("alice")
		first := o.put("alice", "default/1.ics", vevent("1@example.test", "DTSTART:20260302T090000Z"))
		const n = 8
		errs := make([]error, n)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				_, errs[i] = o.tryPut("alice", "default/1.ics", vevent("1@example.test", fmt.Sprintf("DTSTART:202603%02dT090000Z", i+3)), calendar.Precondition{IfMatch: []string{first.ETag}})
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !problem.Has(err, problem.PreconditionFailed) {
				t.Errorf("a loser got %v, want precondition-failed", err)
			}
		}
		if won != 1 {
			t.Errorf("%d of %d changes with the same If-Match went in, want 1", won, n)
		}
	})
}

func TestUIDRules(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	if _, err := o.svc.MakeCalendar(t.Context(), calendar.MakeCalendarRequest{By: o.actor("alice"), Owner: o.people["alice"].ID, Collection: store.Collection{Name: "work", DisplayName: "Work"}}); err != nil {
		t.Fatal(err)
	}
	plain := vevent("1@example.test", "DTSTART:20260302T090000Z")
	o.put("alice", "default/1.ics", plain)
	for _, c := range []struct {
		name, path, data string
		want             problem.Condition
		where            string
	}{
		{"the same UID under another name", "default/2.ics", plain, problem.UIDConflict, "default/1.ics"},
		{"another UID in its place (RFC 4791 5.3.2.1)", "default/1.ics", vevent("2@example.test", "DTSTART:20260302T090000Z"), problem.UIDConflict, "default/1.ics"},
		{"the same plain UID in another calendar", "work/1.ics", plain, "", ""},
		{"a meeting", "default/m.ics", meeting("m@example.test", 3, 9, "bob@example.test"), "", ""},
		{"the meeting in another calendar (RFC 6638 3.2.4.1)", "work/m.ics", meeting("m@example.test", 3, 9, "bob@example.test"), problem.UniqueSchedulingObject, "default/m.ics"},
	} {
		_, err := o.tryPut("alice", c.path, c.data, calendar.Precondition{})
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if p := problem.Of(err); err == nil || p.Condition != c.want || p.Where != c.where {
			t.Errorf("%s: %v (%s at %q), want %s at %q", c.name, err, p.Condition, p.Where, c.want, c.where)
		}
	}
}

func TestRights(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	o.put("alice", "default/1.ics", vevent("1@example.test", "DTSTART:20260302T090000Z"))
	bob, alices := o.actor("bob"), o.ref("alice", "default/1.ics")
	if _, _, err := o.svc.Get(t.Context(), bob, alices); !problem.Has(err, problem.NotFound) {
		t.Errorf("bob reads alice's event: %v, want not-found (RFC 3744 7: its existence is hidden)", err)
	}
	if err := o.svc.Delete(t.Context(), calendar.DeleteRequest{By: bob, Ref: alices}); !problem.Has(err, problem.NotFound) {
		t.Errorf("bob deletes it: %v, want not-found", err)
	}
	share(t, o, "alice", "default", "bob", "read")
	if _, body, err := o.svc.Get(t.Context(), bob, alices); err != nil || len(body) == 0 {
		t.Errorf("with a share for reading: %v", err)
	}
	if err := o.svc.Delete(t.Context(), calendar.DeleteRequest{By: bob, Ref: alices}); !problem.Has(err, problem.NeedPrivileges) {
		t.Errorf("bob deletes what he may read: %v, want need-privileges", err)
	}
	for _, ref := range []calendar.Ref{alices, o.ref("alice", "default/bobs.ics")} {
		if _, err := o.svc.Put(t.Context(), calendar.PutRequest{By: bob, Ref: ref, Data: []byte(vevent("1@example.test", "DTSTART:20260303T090000Z"))}); !problem.Has(err, problem.NeedPrivileges) {
			t.Errorf("bob writes where he may read, to %s: %v, want need-privileges", ref.Name, err)
		}
	}
	if _, err := o.tryPut("alice", "inbox/1.ics", vevent("2@example.test", "DTSTART:20260302T090000Z"), calendar.Precondition{}); !problem.Has(err, problem.MethodNotAllowed) {
		t.Errorf("put into the inbox: %v, want method-not-allowed", err)
	}
	share(t, o, "alice", "default", "bob", "read-write")
	o.put("alice", "default/2.ics", vevent("2@example.test", "DTSTART:20260302T090000Z", "SUMMARY:Surgery", "LOCATION:Clinic", "CLASS:PRIVATE"))
	ref := o.ref("alice", "default/2.ics")
	_, body, err := o.svc.Get(t.Context(), bob, ref)
	if err != nil || strings.Contains(string(body), "Surgery") || strings.Contains(string(body), "Clinic") || !strings.Contains(string(body), "DTSTART:20260302T090000Z") {
		t.Errorf("a private event as bob sees it: %v\n%s", err, body)
	}
	if _, err := o.svc.Put(t.Context(), calendar.PutRequest{By: bob, Ref: ref, Data: body}); !problem.Has(err, problem.NeedPrivileges) {
		t.Errorf("bob overwrites what he cannot see: %v, want need-privileges", err)
	}
	o.put("bob", "default/own.ics", vevent("own@example.test", "DTSTART:20260302T090000Z"))
	o.put("alice", "default/open.ics", vevent("open@example.test", "DTSTART:20260302T090000Z"))
	for name, verb := range map[string]func(context.Context, calendar.MoveRequest) error{
		"move": func(ctx context.Context, r calendar.MoveRequest) error { _, err := o.svc.Move(ctx, r); return err },
		"copy": func(ctx context.Context, r calendar.MoveRequest) error {
			_, err := o.svc.Copy(ctx, calendar.CopyRequest(r))
			return err
		},
	} {
		for _, from := range []calendar.Ref{o.ref("bob", "default/own.ics"), o.ref("alice", "default/open.ics")} {
			if err := verb(t.Context(), calendar.MoveRequest{By: bob, From: from, To: ref, Overwrite: true}); !problem.Has(err, problem.NeedPrivileges) {
				t.Errorf("bob puts something in its place by %s: %v, want need-privileges", name, err)
			}
		}
	}
}

func TestClassifiedEventsHoweverTheyAreWritten(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	share(t, o, "alice", "default", "bob", "read")
	for i, c := range []struct {
		line   string
		hidden bool
	}{
		{"CLASS:PRIVATE", true}, {"CLASS:CONFIDENTIAL", true}, {"cLaSs:pRiVaTe", true}, {"CLASS;X-A=b:PRIVATE", true},
		{"CLA\r\n SS:PRIV\r\n\tATE", true}, {"C\r\n L\r\n A\r\n S\r\n S:CONFIDENTIAL", true},
		{"CLASS:X-TOP-SECRET", true}, // RFC 5545 3.8.1.3: as PRIVATE
		{"CLASS:PUBLIC", false}, {"CLASS:public", false}, {"X-CLASS:PRIVATE", false}, {"COMMENT:\r\n CLASS:PRIVATE", false},
	} {
		name := fmt.Sprintf("default/%d.ics", i)
		o.put("alice", name, vevent(fmt.Sprint(i), "DTSTART:20260302T090000Z", "SUMMARY:Surgery", c.line))
		_, body, err := o.svc.Get(t.Context(), o.actor("bob"), o.ref("alice", name))
		if err != nil || strings.Contains(string(body), "Surgery") == c.hidden {
			t.Errorf("%q: %v\n%s", c.line, err, body)
		}
	}
}

func share(t *testing.T, o *office, owner, coll, with, access string) {
	t.Helper()
	err := o.store.Update(t.Context(), func(tx *store.Tx) error {
		c, err := tx.CollectionByName(o.people[owner].ID, coll)
		if err != nil {
			return err
		}
		return tx.AddShare(store.Share{Account: o.people[owner].ID, Collection: c.ID, Grantee: o.people[with].ID, Access: access})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSharingIsTheOwners(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob", "carol")
	alice, ctx := o.people["alice"].ID, t.Context()
	want := map[store.AccountID]acl.Access{o.people["bob"].ID: acl.Write, o.people["carol"].ID: acl.Read}
	if err := o.svc.SetShares(ctx, o.actor("bob"), alice, "default", want); !problem.Has(err, problem.NotFound) {
		t.Errorf("bob shares alice's calendar: %v", err)
	}
	if err := o.svc.SetShares(ctx, o.actor("alice"), alice, "default", want); err != nil {
		t.Fatal(err)
	}
	delete(want, o.people["carol"].ID)
	if err := o.svc.SetShares(ctx, o.actor("alice"), alice, "default", want); err != nil {
		t.Fatal(err)
	}
	list, err := o.svc.Shares(ctx, o.actor("alice"), alice, "default")
	if err != nil || len(list) != 1 || list[0].Name != "bob" || list[0].Access != acl.Write {
		t.Errorf("shares: %+v, %v", list, err)
	}
	mine, err := o.svc.SharedWith(ctx, o.actor("bob"))
	if err != nil || len(mine) != 1 || mine[0].Name != "default" || mine[0].Owner.Name != "alice" || mine[0].Access != acl.Write {
		t.Errorf("shared with bob: %+v, %v", mine, err)
	}
	if none, err := o.svc.SharedWith(ctx, o.actor("carol")); err != nil || len(none) != 0 {
		t.Errorf("shared with carol: %+v, %v", none, err)
	}
	if _, err := o.svc.Shares(ctx, o.actor("bob"), alice, "default"); !problem.Has(err, problem.NeedPrivileges) {
		t.Errorf("bob asks with whom it is shared: %v", err)
	}
}
