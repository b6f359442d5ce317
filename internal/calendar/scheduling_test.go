package calendar_test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

func (o *office) respond(name, uid, partstat string) calendar.PutResult {
	o.t.Helper()
	r, err := o.svc.Respond(o.t.Context(), calendar.RespondRequest{By: o.actor(name), Owner: o.people[name].ID, UID: uid, PartStat: partstat})
	if err != nil {
		o.t.Fatalf("%s answers %s: %v", name, partstat, err)
	}
	return r
}

func (o *office) inbox(name string) int { o.t.Helper(); return len(o.list(name, "inbox")) }

func TestAMeetingFromInvitationToCancellation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := open(t, s).hire("alice", "bob", "carol")
		const uid = "m@example.test"

		// Alice invites a colleague and somebody from elsewhere by saving.
		r := o.put("alice", "default/m.ics", meeting(uid, 3, 9, "bob@example.test", "dave@elsewhere.test"))
		if r.ScheduleTag == "" || len(r.Sent) != 2 {
			t.Fatalf("put: schedule tag %q, %d messages", r.ScheduleTag, len(r.Sent))
		}
		bobs, text := o.event("bob", uid)
		o.expect("bob's copy", text, "ATTENDEE", "bob@example.test", "NEEDS-ACTION")
		o.expect("bob's copy", text, "DTSTART:20260303T090000Z")
		o.expectNot("bob's copy", text, "METHOD")
		o.expectNot("bob's copy", text, "SCHEDULE-STATUS")
		if !bobs.Scheduling || bobs.ScheduleTag == "" {
			t.Errorf("bob's copy is no scheduling object: %+v", bobs)
		}
		if n := o.inbox("bob"); n != 1 {
			t.Errorf("bob's inbox has %d items, want 1", n)
		}
		alices, text := o.get("alice", "default/m.ics")
		o.expect("alice's event", text, "bob@example.test", "SCHEDULE-STATUS=1.2")
		o.expect("alice's event", text, "dave@elsewhere.test", "SCHEDULE-STATUS=1.0")
		if r.ETag != "" && r.ETag != alices.ETag {
			t.Errorf("put gave the ETag %s, it is %s", r.ETag, alices.ETag)
		}
		if got := o.post.letters(); len(got) != 0 {
			t.Errorf("mailed before the courier ran: %q", got)
		}
		o.courier()
		if got, want := o.post.letters(), []string{"REQUEST dave@elsewhere.test"}; !slices.Equal(got, want) {
			t.Errorf("mailed %q, want %q", got, want)
		}
		alices, text = o.get("alice", "default/m.ics")
		o.expect("alice's event", text, "dave@elsewhere.test", "SCHEDULE-STATUS=1.1")
		tag := alices.ScheduleTag
		if tag != r.ScheduleTag {
			t.Error("delivery statuses changed the schedule tag")
		}

		// Bob accepts: alice sees it, her schedule tag stays (RFC 6638 3.2.10).
		o.later(time.Minute)
		o.respond("bob", uid, "ACCEPTED")
		alices, text = o.get("alice", "default/m.ics")
		o.expect("alice's event", text, "bob@example.test", "PARTSTAT=ACCEPTED")
		o.expect("alice's event", text, "bob@example.test", "SCHEDULE-STATUS=2.0")
		if alices.ScheduleTag != tag {
			t.Error("an answer changed the organizer's schedule tag")
		}
		if n := o.inbox("alice"); n != 1 {
			t.Errorf("alice's inbox has %d items, want the answer", n)
		}
		_, text = o.event("bob", uid)
		o.expect("bob's copy", text, "ORGANIZER", "SCHEDULE-STATUS=1.2")

		// Dave answers by mail; bob's copy is refreshed without fuss.
		o.later(time.Minute)
		before, _ := o.event("bob", uid)
		reply := strings.Replace(vevent(uid, "DTSTART:20260303T090000Z", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT=TENTATIVE:mailto:dave@elsewhere.test", "SEQUENCE:0"), "VERSION", "METHOD:REPLY\r\nVERSION", 1)
		reply = strings.Replace(reply, "20260301T120000Z", "20260302T080130Z", 1)
		if got := o.mail("alice", "dave@elsewhere.test", reply); got.Result.Decision != itip.Applied {
			t.Errorf("dave's answer: %s %s: %s", got.Result.Decision, got.Result.Reason, got.Result.Sentence)
		}
		after, text := o.event("bob", uid)
		o.expect("bob's copy", text, "dave@elsewhere.test", "TENTATIVE")
		if after.ScheduleTag != before.ScheduleTag || after.ETag == before.ETag {
			t.Errorf("refreshing bob's copy: schedule tag %s → %s, etag %s → %s", before.ScheduleTag, after.ScheduleTag, before.ETag, after.ETag)
		}
		if n := o.inbox("bob"); n != 1 {
			t.Errorf("bob's inbox has %d items after a refresh, want still 1", n)
		}
		// The same mail again changes nothing (IN-07).
		alices, _ = o.get("alice", "default/m.ics")
		if got := o.mail("alice", "dave@elsewhere.test", reply); got.Result.Decision != itip.Unchanged {
			t.Errorf("the same mail again: %s", got.Result.Decision)
		}
		if again, _ := o.get("alice", "default/m.ics"); again.ETag != alices.ETag {
			t.Error("the same mail again changed the event")
		}

		// Alice moves it and adds carol.
		o.later(time.Minute)
		_, text = o.get("alice", "default/m.ics")
		moved := strings.NewReplacer("20260303T09", "20260303T14", "20260303T10", "20260303T15", "END:VEVENT", "ATTENDEE:mailto:carol@example.test\r\nEND:VEVENT").Replace(text)
		o.put("alice", "default/m.ics", moved)
		_, text = o.event("bob", uid)
		o.expect("bob's copy", text, "DTSTART:20260303T140000Z")
		o.expect("bob's copy", text, "bob@example.test", "NEEDS-ACTION")
		if _, text = o.event("carol", uid); text == "" {
			t.Error("carol has no copy")
		}
		o.courier()
		if got, want := o.post.letters(), []string{"REQUEST dave@elsewhere.test"}; !slices.Equal(got, want) {
			t.Errorf("mailed %q, want %q", got, want)
		}

		// Carol is not needed after all.
		o.later(time.Minute)
		_, text = o.get("alice", "default/m.ics")
		var kept []string
		for l := range strings.Lines(strings.ReplaceAll(text, "\r\n ", "")) {
			if !strings.Contains(l, "carol@") {
				kept = append(kept, l)
			}
		}
		o.put("alice", "default/m.ics", strings.Join(kept, ""))
		_, text = o.event("carol", uid)
		o.expect("carol's copy", text, "STATUS:CANCELLED")

		// Alice deletes it.
		o.later(time.Minute)
		if err := o.svc.Delete(t.Context(), calendar.DeleteRequest{By: o.actor("alice"), Ref: o.ref("alice", "default/m.ics")}); err != nil {
			t.Fatal(err)
		}
		_, text = o.event("bob", uid)
		o.expect("bob's copy", text, "STATUS:CANCELLED")
		o.courier()
		if got, want := o.post.letters(), []string{"CANCEL dave@elsewhere.test"}; !slices.Equal(got, want) {
			t.Errorf("mailed %q, want %q", got, want)
		}
		for _, l := range o.rows("alice") {
			if strings.HasSuffix(l, " due") || strings.HasSuffix(l, " failed") {
				t.Errorf("alice's journal: %s", l)
			}
		}
	})
}

func TestAnAttendeeDeletesAndDeclines(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	const uid = "m@example.test"
	o.put("alice", "default/m.ics", meeting(uid, 3, 9, "bob@example.test"))
	bobs, _ := o.event("bob", uid)
	if err := o.svc.Delete(t.Context(), calendar.DeleteRequest{By: o.actor("bob"), Ref: o.ref("bob", "default/"+bobs.Name)}); err != nil {
		t.Fatal(err)
	}
	_, text := o.get("alice", "default/m.ics")
	o.expect("alice's event", text, "bob@example.test", "PARTSTAT=DECLINED")

	// New words do not bring it back; a new time asks bob again.
	o.later(time.Minute)
	o.put("alice", "default/m.ics", strings.Replace(text, "SUMMARY:Planning", "SUMMARY:Planning the year", 1))
	if _, copy := o.event("bob", uid); copy != "" {
		t.Errorf("bob has what he deleted again, for a change of words:\n%s", copy)
	}
	o.later(time.Minute)
	_, text = o.get("alice", "default/m.ics")
	o.put("alice", "default/m.ics", strings.NewReplacer("20260303T09", "20260305T09", "20260303T10", "20260305T10").Replace(text))
	_, copy := o.event("bob", uid)
	o.expect("bob's copy", copy, "DTSTART:20260305T090000Z")
	o.expect("bob's copy", copy, "bob@example.test", "NEEDS-ACTION")
}

func TestScheduleReplyFIsSilent(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	const uid = "m@example.test"
	o.put("alice", "default/m.ics", meeting(uid, 3, 9, "bob@example.test"))
	bobs, _ := o.event("bob", uid)
	req := calendar.DeleteRequest{By: o.actor("bob"), Ref: o.ref("bob", "default/"+bobs.Name), Reply: itip.ReplySuppress}
	if sent, err := o.svc.PreviewDelete(t.Context(), req); err != nil || len(sent.Sent) != 0 {
		t.Errorf("preview: %v, %v", sent, err)
	}
	if err := o.svc.Delete(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	_, text := o.get("alice", "default/m.ics")
	o.expectNot("alice's event", text, "bob@example.test", "DECLINED")
}

func TestScheduleTagMergesAnswersTheClientDidNotSee(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	const uid = "m@example.test"
	o.put("alice", "default/m.ics", meeting(uid, 3, 9, "bob@example.test"))
	seen, text := o.get("alice", "default/m.ics")
	o.later(time.Minute)
	o.respond("bob", uid, "ACCEPTED")
	o.later(time.Minute)
	edited := strings.Replace(text, "SUMMARY:Planning", "SUMMARY:Planning the year", 1)
	if _, err := o.tryPut("alice", "default/m.ics", edited, calendar.Precondition{IfMatch: []string{seen.ETag}}); !problem.Has(err, problem.PreconditionFailed) {
		t.Errorf("with the old ETag: %v, want precondition-failed", err)
	}
	r, err := o.tryPut("alice", "default/m.ics", edited, calendar.Precondition{IfScheduleTagMatch: seen.ScheduleTag})
	if err != nil {
		t.Fatalf("with the schedule tag, which an answer does not change: %v", err)
	}
	_, text = o.get("alice", "default/m.ics")
	o.expect("alice's event", text, "SUMMARY:Planning the year")
	o.expect("alice's event", text, "bob@example.test", "PARTSTAT=ACCEPTED")
	if r.ScheduleTag == seen.ScheduleTag {
		t.Error("a change by the client kept the schedule tag")
	}
	if _, err := o.tryPut("alice", "default/m.ics", edited, calendar.Precondition{IfScheduleTagMatch: seen.ScheduleTag}); !problem.Has(err, problem.PreconditionFailed) {
		t.Errorf("with the old schedule tag: %v, want precondition-failed", err)
	}
}

// A crash after the commit and before the deliveries: the courier of the next
// process delivers, once.
func TestCrashBetweenCommitAndDelivery(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := open(t, s).hire("alice", "bob")
		const uid = "m@example.test"
		// This process never gets to deliver: its journal has no transports.
		dying := calendar.New(calendar.Options{Store: s, Accounts: o.accounts, ACL: nil, Now: o.clock})
		dying.SetJournal(journal.New(journal.Options{Store: s, Now: o.clock}))
		o.svc.SetJournal(o.journal)
		if _, err := dying.Put(t.Context(), calendar.PutRequest{By: o.actor("alice"), Ref: o.ref("alice", "default/m.ics"), Data: []byte(meeting(uid, 3, 9, "bob@example.test"))}); err != nil {
			t.Fatal(err)
		}
		if _, text := o.event("bob", uid); text != "" {
			t.Fatal("delivered without a transport")
		}
		o.later(time.Minute)
		o.courier()
		if _, text := o.event("bob", uid); text == "" {
			t.Error("the courier did not deliver")
		}
		_, text := o.get("alice", "default/m.ics")
		o.expect("alice's event", text, "bob@example.test", "SCHEDULE-STATUS=1.2")

		// And a crash after the delivery, before it was noted: it is sent again.
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			rows, err := tx.Entries(store.EntryFilter{Account: o.people["alice"].ID, Direction: journal.Out})
			if err != nil {
				return err
			}
			for _, e := range rows {
				e.State, e.Attempts = journal.Due, nil
				if err := tx.UpdateEntry(e); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		before, _ := o.event("bob", uid)
		o.courier()
		after, _ := o.event("bob", uid)
		if n := o.inbox("bob"); n != 1 || before.ETag != after.ETag || before.Seq != after.Seq {
			t.Errorf("the second delivery had an effect: %d inbox items, seq %d → %d", n, before.Seq, after.Seq)
		}
		if got := o.rows("bob"); len(got) != 1 {
			t.Errorf("bob's journal: %q, want one message", got)
		}
	})
}

func TestARoomIsNotBookedTwice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := open(t, s).hire("alice", "bob")
		o.hireAs(store.Room, "blue-room")
		var wg sync.WaitGroup
		for _, who := range []string{"alice", "bob"} {
			wg.Go(func() {
				data := strings.ReplaceAll(meeting(who+"@x", 3, 9, "blue-room@example.test"), "alice@example.test", who+"@example.test")
				o.put(who, "default/m.ics", data)
			})
		}
		wg.Wait()
		accepted, declined := 0, 0
		for _, who := range []string{"alice", "bob"} {
			_, text := o.get(who, "default/m.ics")
			if find(text, "blue-room", "PARTSTAT=ACCEPTED") != "" {
				accepted++
			}
			if find(text, "blue-room", "PARTSTAT=DECLINED") != "" {
				declined++
			}
		}
		if accepted != 1 || declined != 1 {
			t.Errorf("the room accepted %d and declined %d of two meetings at the same time", accepted, declined)
		}
		// Another hour is free.
		o.put("alice", "default/n.ics", meeting("n@x", 3, 12, "blue-room@example.test"))
		_, text := o.get("alice", "default/n.ics")
		o.expect("alice's event", text, "blue-room", "PARTSTAT=ACCEPTED")
	})
}

func TestAWriterOfASharedCalendarActsForItsOwner(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob", "carol")
	share(t, o, "alice", "default", "bob", "read-write")
	_, err := o.svc.Put(t.Context(), calendar.PutRequest{By: o.actor("bob"), Ref: o.ref("alice", "default/m.ics"), Data: []byte(meeting("m@example.test", 3, 9, "carol@example.test"))})
	if err != nil {
		t.Fatal(err)
	}
	_, text := o.event("carol", "m@example.test")
	o.expect("carol's copy", text, "ORGANIZER", "SENT-BY", "bob@example.test", "alice@example.test")
}

func TestTwoChangesInARowArriveInOrder(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	const uid = "m@example.test"
	o.put("alice", "default/m.ics", meeting(uid, 3, 9, "bob@example.test"))
	// An earlier message to bob is stuck, so the cancellation waits behind it.
	stuck := &store.Entry{Account: o.people["alice"].ID, Method: "REQUEST", UID: uid, RecurrenceID: "20260310T090000Z", From: "mailto:alice@example.test", To: "mailto:bob@example.test", Transport: journal.Local, NextAttempt: o.clock().Add(time.Hour),
		Calendar: []byte(strings.Replace(vevent(uid, "RECURRENCE-ID:20260310T090000Z", "DTSTART:20260310T090000Z", "ORGANIZER:mailto:alice@example.test", "ATTENDEE:mailto:bob@example.test"), "VERSION", "METHOD:REQUEST\r\nVERSION", 1))}
	if err := o.store.Update(t.Context(), func(tx *store.Tx) error { return o.journal.Add(tx, stuck) }); err != nil {
		t.Fatal(err)
	}
	o.later(time.Minute)
	_, text := o.get("alice", "default/m.ics")
	o.put("alice", "default/m.ics", strings.Replace(text, "SUMMARY:Planning", "SUMMARY:Planning the year", 1))
	_, text = o.event("bob", uid)
	o.expect("bob's copy, while an earlier message waits", text, "SUMMARY:Planning")
	o.expectNot("bob's copy, while an earlier message waits", text, "the year")
	o.later(2 * time.Hour)
	o.courier()
	o.courier()
	_, text = o.event("bob", uid)
	o.expect("bob's copy", text, "SUMMARY:Planning the year")
}

func TestASeriesAndOneOfItsOccurrences(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	o.hireAs(store.Room, "blue-room")
	const uid = "s@example.test"
	weekly := strings.Replace(meeting(uid, 3, 9, "bob@example.test", "blue-room@example.test"), "SUMMARY", "RRULE:FREQ=WEEKLY;COUNT=4\r\nSUMMARY", 1)
	o.put("alice", "default/s.ics", weekly)
	_, text := o.get("alice", "default/s.ics")
	o.expect("alice's series", text, "blue-room", "PARTSTAT=ACCEPTED")

	// Bob comes, but not on the tenth.
	o.later(time.Minute)
	o.respond("bob", uid, "ACCEPTED")
	o.later(time.Minute)
	if _, err := o.svc.Respond(t.Context(), calendar.RespondRequest{By: o.actor("bob"), Owner: o.people["bob"].ID, UID: uid, RecurrenceID: "20260310T090000Z", PartStat: "declined"}); err != nil {
		t.Fatal(err)
	}
	_, text = o.get("alice", "default/s.ics")
	o.expect("alice's series", text, "RECURRENCE-ID", "20260310T090000Z")
	cal := parse(t, text)
	if len(cal.Overrides()) != 1 {
		t.Fatalf("%d overrides", len(cal.Overrides()))
	}
	for c, want := range map[string]string{"series": "ACCEPTED", "occurrence": "DECLINED"} {
		part := cal.Master()
		if c == "occurrence" {
			part = cal.Overrides()[0]
		}
		for _, a := range itip.Attendees(part) {
			if a.Address.Key() == "bob@example.test" && a.PartStat != want {
				t.Errorf("bob's answer to the %s is %s, want %s", c, a.PartStat, want)
			}
		}
	}

	// Alice moves the last occurrence to an hour at which the room is taken.
	o.put("alice", "default/other.ics", meeting("other@example.test", 24, 14, "blue-room@example.test"))
	o.later(time.Minute)
	_, text = o.get("alice", "default/s.ics")
	var attendees []string
	for l := range strings.Lines(strings.ReplaceAll(text, "\r\n ", "")) {
		if strings.HasPrefix(l, "ATTENDEE") && len(attendees) < 3 {
			attendees = append(attendees, strings.TrimSpace(l))
		}
	}
	override := component("VEVENT", uid, append([]string{"RECURRENCE-ID:20260324T090000Z", "DTSTART:20260324T140000Z", "DTEND:20260324T150000Z", "SUMMARY:Planning", "ORGANIZER:mailto:alice@example.test"}, attendees...)...)
	o.put("alice", "default/s.ics", strings.Replace(text, "END:VCALENDAR", override+"END:VCALENDAR", 1))
	_, text = o.get("alice", "default/s.ics")
	rooms := map[string]string{}
	for _, c := range parse(t, text).Main() {
		for _, a := range itip.Attendees(c) {
			if a.Address.Key() == "blue-room@example.test" {
				rooms[c.Value("RECURRENCE-ID")] = a.PartStat
			}
		}
	}
	if rooms[""] != "ACCEPTED" || rooms["20260324T090000Z"] != "DECLINED" {
		t.Errorf("the room says %v: want the series accepted and the moved occurrence declined", rooms)
	}

	// Free/busy follows: bob's tenth is free, his third is busy.
	for day, want := range map[int]int{3: 1, 10: 0} {
		from := time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC)
		a, err := o.svc.FreeBusy(t.Context(), o.actor("alice"), []ical.Address{"mailto:bob@example.test"}, from, from.AddDate(0, 0, 1), "")
		if err != nil || len(a[0].Periods) != want {
			t.Errorf("bob on March %d: %v, %v; want %d busy period", day, a[0].Periods, err, want)
		}
	}
}

func TestARoomAnswersEachMovedOccurrence(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	o.hireAs(store.Room, "blue-room")
	bobs := strings.ReplaceAll(meeting("other@x", 11, 14, "blue-room@example.test"), "alice@", "bob@")
	o.put("bob", "default/other.ics", bobs)
	const uid = "s@x"
	common := []string{"SUMMARY:Planning", "ORGANIZER:mailto:alice@example.test", "ATTENDEE:mailto:alice@example.test", "ATTENDEE:mailto:blue-room@example.test"}
	part := func(lines ...string) string { return component("VEVENT", uid, append(lines, common...)...) }
	o.put("alice", "default/s.ics", vcalendar(
		part("DTSTART;TZID=Europe/Berlin:20260303T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=20"),
		part("RECURRENCE-ID;TZID=Europe/Berlin:20260310T090000", "DTSTART;TZID=Europe/Berlin:20260310T120000", "DURATION:PT1H"),
		part("RECURRENCE-ID;TZID=Europe/Berlin:20260311T090000", "DTSTART;TZID=Europe/Berlin:20260311T150000", "DURATION:PT1H")))
	_, text := o.get("alice", "default/s.ics")
	got := map[string]string{}
	for _, c := range parse(t, text).Main() {
		for _, a := range itip.Attendees(c) {
			if a.Address.Key() == "blue-room@example.test" {
				got[c.Value("RECURRENCE-ID")] = a.PartStat
			}
		}
	}
	want := map[string]string{"": "ACCEPTED", "20260310T090000": "ACCEPTED", "20260311T090000": "DECLINED"}
	if !maps.Equal(got, want) {
		t.Errorf("the room says %v, want %v (it is taken on the 11th from 15:00 in Berlin)", got, want)
	}
}
