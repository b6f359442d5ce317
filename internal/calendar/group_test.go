package calendar_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

func (o *office) group(name string, members ...string) {
	o.t.Helper()
	o.hireAs(store.Group, name)
	var list []ical.Address
	for _, m := range members {
		list = append(list, ical.Mailto(m))
	}
	if err := o.accounts.AddMembers(o.t.Context(), o.people[name].ID, list); err != nil {
		o.t.Fatal(err)
	}
}

func TestInvitingAGroupInvitesItsMembers(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob", "carol", "dora")
	o.hireAs(store.Room, "blue")
	o.group("team", "bob@example.test", "carol@example.test", "dave@elsewhere.test", "alice@example.test")
	o.group("staff", "team@example.test", "dora@example.test", "bob@example.test")
	r := o.put("alice", "default/1.ics", meeting("1", 3, 9, "staff@example.test"))
	if !r.Rewritten {
		t.Error("the client is not told that its event was changed")
	}
	_, text := o.event("alice", "1")
	o.expect("the group", text, "ATTENDEE", "CUTYPE=GROUP", "mailto:staff@example.test")
	o.expect("bob", text, `MEMBER="mailto:staff@example.test","mailto:team@example.test"`, ":mailto:bob@example.test")
	o.expect("dora", text, `MEMBER="mailto:staff@example.test"`, ":mailto:dora@example.test")
	if n := strings.Count(strings.ReplaceAll(text, "\r\n ", ""), ":mailto:alice@example.test"); n != 2 { // ORGANIZER and her own line
		t.Errorf("alice stands in %d lines:\n%s", n, text)
	}
	for _, who := range []string{"bob", "carol", "dora", "staff"} {
		if _, text := o.event(who, "1"); text == "" {
			t.Errorf("%s has no copy", who)
		}
	}
	o.courier()
	if got := o.post.letters(); !slices.Equal(got, []string{"REQUEST dave@elsewhere.test"}) {
		t.Errorf("posted %v", got)
	}
	o.respond("bob", "1", "ACCEPTED")
	_, text = o.event("alice", "1")
	o.expect("bob's answer", text, "PARTSTAT=ACCEPTED", ":mailto:bob@example.test")
	// Whom the organizer takes off stays off.
	text = dropLines(text, "carol@example.test")
	o.put("alice", "default/1.ics", strings.Replace(text, "SUMMARY:Planning", "SUMMARY:Planning on", 1))
	_, text = o.event("alice", "1")
	o.expectNot("carol is off", text, "carol@")
	if _, text := o.event("carol", "1"); !strings.Contains(text, "CANCELLED") && text != "" {
		t.Errorf("carol still has\n%s", text)
	}
	list, err := o.svc.Expand(t.Context(), []ical.Address{"mailto:staff@example.test", "mailto:bob@example.test", "mailto:x@elsewhere.test"})
	if err != nil || len(list) != 6 { // bob, carol, dave, alice, dora, x
		t.Errorf("expanded: %v %v", list, err)
	}
	// A preview shows the members too.
	p, err := o.svc.Preview(t.Context(), calendar.PutRequest{By: o.actor("alice"), Ref: o.ref("alice", "default/2.ics"), Data: []byte(meeting("2", 4, 9, "team@example.test"))})
	if err != nil || len(p.Sent) != 4 { // bob, carol, dave and the group's own calendar
		t.Errorf("preview: %d messages, %v", len(p.Sent), err)
	}
}

func dropLines(text, word string) string {
	var out []string
	for l := range strings.Lines(strings.ReplaceAll(text, "\r\n ", "")) {
		if !strings.Contains(l, word) {
			out = append(out, l)
		}
	}
	return strings.Join(out, "")
}

func TestGroupsHaveBounds(t *testing.T) {
	o := open(t, storetest.SQLite(t), func(co *calendar.Options) { co.Limits.Attendees = 5 }).hire("alice", "bob")
	o.group("a", "bob@example.test")
	o.group("b", "a@example.test")
	o.group("many", "1@x.test", "2@x.test", "3@x.test", "4@x.test", "5@x.test")
	id := func(name string) store.AccountID { return o.people[name].ID }
	for what, c := range map[string]struct {
		group  string
		member string
		want   problem.Condition
	}{
		"in itself":        {"a", "a@example.test", problem.BadInput},
		"a loop":           {"a", "b@example.test", problem.BadInput},
		"nobody of ours":   {"a", "nobody@example.test", problem.NotFound},
		"no address":       {"a", "urn:uuid:5", problem.BadInput},
		"in a person":      {"bob", "alice@example.test", problem.BadInput},
		"already a member": {"a", "bob@example.test", ""},
	} {
		err := o.accounts.AddMembers(t.Context(), id(c.group), []ical.Address{ical.ParseAddress(c.member)})
		if c.want == "" && err != nil || c.want != "" && !problem.Has(err, c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
	if err := o.accounts.RemoveMembers(t.Context(), id("a"), []ical.Address{"mailto:zoe@x.test"}); !problem.Has(err, problem.NotFound) {
		t.Errorf("taken out who is not in: %v", err)
	}
	// A loop that got into the store all the same ends.
	err := o.store.Update(t.Context(), func(tx *store.Tx) error {
		return tx.SetMembers(id("a"), []store.Member{{Key: "mailto:b@example.test", URI: "mailto:b@example.test"}, {Key: "mailto:bob@example.test", URI: "mailto:bob@example.test"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	o.put("alice", "default/1.ics", meeting("1", 3, 9, "b@example.test"))
	if _, text := o.event("bob", "1"); text == "" {
		t.Error("bob is not invited")
	}
	if _, err := o.tryPut("alice", "default/2.ics", meeting("2", 3, 9, "many@example.test"), calendar.Precondition{}); !problem.Has(err, problem.TooManyAttendees) {
		t.Errorf("a crowd: %v", err)
	}
}
