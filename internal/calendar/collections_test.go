package calendar_test

import (
	"testing"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

func TestImportedMeetingsTellNobody(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	for r, err := range o.svc.Import(t.Context(), calendar.ImportRequest{By: o.actor("alice"), Owner: o.people["alice"].ID, Collection: "default", Data: []byte(meeting("m@example.test", 3, 9, "bob@example.test", "dave@elsewhere.test"))}) {
		if err != nil || r.State != calendar.ImportCreated {
			t.Errorf("import: %+v, %v", r, err)
		}
	}
	o.courier()
	if got := o.post.letters(); len(got) != 0 {
		t.Errorf("mailed %q", got)
	}
	if _, text := o.event("bob", "m@example.test"); text != "" {
		t.Error("bob was invited")
	}
}

func TestDeletingACalendarCancelsItsMeetings(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	alice := o.people["alice"].ID
	if _, err := o.svc.MakeCalendar(t.Context(), calendar.MakeCalendarRequest{By: o.actor("alice"), Owner: alice, Collection: store.Collection{Name: "work"}}); err != nil {
		t.Fatal(err)
	}
	o.put("alice", "work/m.ics", meeting("m@example.test", 3, 9, "bob@example.test"))
	if err := o.svc.DeleteCollection(t.Context(), calendar.DeleteCollectionRequest{By: o.actor("alice"), Owner: alice, Collection: "default"}); !problem.Has(err, problem.DefaultCalendarNeeded) {
		t.Errorf("delete the default calendar: %v, want default-calendar-needed", err)
	}
	if err := o.svc.DeleteCollection(t.Context(), calendar.DeleteCollectionRequest{By: o.actor("alice"), Owner: alice, Collection: "work"}); err != nil {
		t.Fatal(err)
	}
	_, text := o.event("bob", "m@example.test")
	o.expect("bob's copy", text, "STATUS:CANCELLED")
	if err := o.svc.DeleteCollection(t.Context(), calendar.DeleteCollectionRequest{By: o.actor("alice"), Owner: alice, Collection: "inbox"}); !problem.Has(err, problem.Forbidden) {
		t.Errorf("delete the inbox: %v, want forbidden", err)
	}
}

func TestMovingAMeetingBetweenCalendarsTellsNobody(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	if _, err := o.svc.MakeCalendar(t.Context(), calendar.MakeCalendarRequest{By: o.actor("alice"), Owner: o.people["alice"].ID, Collection: store.Collection{Name: "work"}}); err != nil {
		t.Fatal(err)
	}
	o.put("alice", "default/m.ics", meeting("m@example.test", 3, 9, "bob@example.test"))
	before, text := o.get("alice", "default/m.ics")
	rows := len(o.rows("alice"))
	req := calendar.MoveRequest{By: o.actor("alice"), From: o.ref("alice", "default/m.ics"), To: o.ref("alice", "work/n.ics")}
	if _, err := o.svc.Copy(t.Context(), calendar.CopyRequest(req)); !problem.Has(err, problem.UniqueSchedulingObject) {
		t.Errorf("copy: %v, want unique-scheduling-object-resource", err)
	}
	r, err := o.svc.Move(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	after, moved := o.get("alice", "work/n.ics")
	if moved != text || after.ETag != before.ETag || after.ScheduleTag != before.ScheduleTag || !r.Created || r.ETag != before.ETag {
		t.Errorf("moved: %+v, tags %s %s → %s %s", r, before.ETag, before.ScheduleTag, after.ETag, after.ScheduleTag)
	}
	if _, gone := o.get("alice", "default/m.ics"); gone != "" {
		t.Error("it is still in its old place")
	}
	if n := len(o.rows("alice")); n != rows {
		t.Errorf("%d messages were sent", n-rows)
	}
}
