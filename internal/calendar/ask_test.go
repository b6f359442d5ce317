package calendar_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// held are the messages that wait for somebody's decision.
func (o *office) held(name string) []store.Entry {
	o.t.Helper()
	list, err := o.journal.List(o.t.Context(), store.EntryFilter{Account: o.people[name].ID, Direction: journal.In, States: []string{calendar.StateHeld}})
	if err != nil {
		o.t.Fatal(err)
	}
	return list
}

// SC-050, SC-051 between colleagues: the attendee proposes, the organizer
// takes it up, and everybody is asked anew.
func TestAnAttendeeProposesAnotherTime(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob", "carol")
	o.put("alice", "default/1.ics", vevent("1@example.test", "ORGANIZER:mailto:alice@example.test", "ATTENDEE:mailto:alice@example.test", "ATTENDEE:mailto:bob@example.test",
		"ATTENDEE:mailto:carol@example.test", "DTSTART:20260303T090000Z", "DTEND:20260303T100000Z", "SUMMARY:Plan"))
	bob := o.people["bob"].ID
	proposal := calendar.ProposeRequest{By: o.actor("bob"), Owner: bob, UID: "1@example.test", Proposal: itip.Proposal{Start: ical.UTCTime(morning.AddDate(0, 0, 2)), Comment: "On the road on Tuesday"}}
	sent, err := o.svc.Propose(t.Context(), proposal)
	if err != nil || len(sent) != 1 || sent[0].Method != itip.Counter || !sent[0].Local {
		t.Fatalf("sent %+v, %v", sent, err)
	}
	_, text := o.event("bob", "1@example.test")
	o.expect("the event stays", text, "DTSTART:20260303T090000Z")
	held := o.held("alice")
	if len(held) != 1 || held[0].Method != "COUNTER" || !strings.Contains(held[0].Sentence, "On the road") || !strings.Contains(held[0].Sentence, "Wednesday, 4 March 2026, 08:00") {
		t.Fatalf("held for alice: %+v", held)
	}
	if _, err := o.svc.Approve(t.Context(), o.actor("alice"), o.people["alice"].ID, held[0].ID); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"alice", "bob", "carol"} {
		_, text := o.event(who, "1@example.test")
		o.expect("the time of "+who, text, "DTSTART:20260304T080000Z")
	}
	// The organizer cannot propose to herself, strangers not at all.
	for who, want := range map[string]problem.Condition{"alice": problem.AllowedOrganizerChange, "dave": problem.NotFound} {
		if who == "dave" {
			o.hire("dave")
		}
		q := proposal
		q.By, q.Owner = o.actor(who), o.people[who].ID
		if _, err := o.svc.Propose(t.Context(), q); !problem.Has(err, want) {
			t.Errorf("%s proposes: %v, want %s", who, err, want)
		}
	}
	q := proposal
	q.By = o.actor("carol")
	if _, err := o.svc.Propose(t.Context(), q); !problem.Has(err, problem.NeedPrivileges) && !problem.Has(err, problem.NotFound) {
		t.Errorf("carol proposes for bob: %v", err)
	}
	q = proposal
	q.Comment = strings.Repeat("x", 20_000)
	if _, err := o.svc.Propose(t.Context(), q); !problem.Has(err, problem.TooLarge) {
		t.Errorf("a novel: %v", err)
	}
}

// A writer of a shared calendar asks in the name of its owner, and says so.
func TestADesignateProposesInTheOwnersName(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("bob", "sue")
	o.mail("bob", "ann@elsewhere.test", strings.Replace(vevent("1", "ORGANIZER:mailto:ann@elsewhere.test", "ATTENDEE:mailto:bob@example.test", "DTSTART:20260303T090000Z",
		"DTEND:20260303T100000Z", "SUMMARY:Call", "SEQUENCE:0"), "VERSION", "METHOD:REQUEST\r\nVERSION", 1))
	bob, sue := o.people["bob"].ID, o.people["sue"].ID
	if err := o.svc.SetShares(t.Context(), o.actor("bob"), bob, "default", map[store.AccountID]acl.Access{sue: acl.Write}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.svc.Propose(t.Context(), calendar.ProposeRequest{By: o.actor("sue"), Owner: bob, UID: "1", Proposal: itip.Proposal{Location: new("Sue's room")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.svc.Refresh(t.Context(), calendar.RefreshRequest{By: account.Actor{Account: sue}, Owner: bob, UID: "1"}); err != nil {
		t.Fatal(err)
	}
	o.courier()
	if got := o.post.letters(); !slices.Equal(got, []string{"COUNTER ann@elsewhere.test", "REFRESH ann@elsewhere.test"}) {
		t.Fatalf("posted %v", got)
	}
	rows, err := o.journal.List(t.Context(), store.EntryFilter{Account: bob, Direction: journal.Out})
	if err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	for _, r := range rows {
		o.expect(r.Method, string(r.Calendar), `SENT-BY="mailto:sue@example.test"`)
	}
}

// SC-069 within the service: a REFRESH brings the present state.
func TestRefreshIsAnsweredAtOnce(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	o.put("alice", "default/1.ics", vevent("1", "ORGANIZER:mailto:alice@example.test", "ATTENDEE:mailto:bob@example.test", "DTSTART:20260303T090000Z", "SUMMARY:Plan"))
	sent, err := o.svc.Refresh(t.Context(), calendar.RefreshRequest{By: o.actor("bob"), Owner: o.people["bob"].ID, UID: "1"})
	if err != nil || len(sent) != 1 || sent[0].Method != itip.Refresh {
		t.Fatalf("%+v %v", sent, err)
	}
	rows, err := o.journal.List(t.Context(), store.EntryFilter{Account: o.people["alice"].ID, Direction: journal.Out, UID: "1"})
	if err != nil || len(rows) != 2 || rows[0].Method != "REQUEST" || rows[0].State != journal.Delivered {
		t.Errorf("alice sent %+v %v", rows, err)
	}
	if _, err := o.svc.Refresh(t.Context(), calendar.RefreshRequest{By: o.actor("alice"), Owner: o.people["alice"].ID, UID: "1"}); err == nil {
		t.Error("the organizer asked herself")
	}
}

func TestPublishing(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	o.put("alice", "default/fair.ics", vevent("fair", "DTSTART:20260303T090000Z", "SUMMARY:Fair", "COLOR:red"))
	alice := o.people["alice"].ID
	publish := calendar.PublishRequest{By: o.actor("alice"), Owner: alice, UID: "fair", To: []ical.Address{"mailto:press@elsewhere.test", "mailto:bob@example.test"}}
	sent, err := o.svc.Publish(t.Context(), publish)
	if err != nil || len(sent) != 2 {
		t.Fatalf("%+v %v", sent, err)
	}
	o.courier()
	if got := o.post.letters(); !slices.Equal(got, []string{"PUBLISH press@elsewhere.test"}) {
		t.Errorf("posted %v", got)
	}
	// SC-001: offered for import, never added unasked.
	held := o.held("bob")
	if len(held) != 1 || held[0].Method != "PUBLISH" {
		t.Fatalf("held for bob: %+v", held)
	}
	if _, text := o.event("bob", "fair"); text != "" {
		t.Error("a publication was put into the calendar unasked")
	}
	if e, err := o.svc.Approve(t.Context(), o.actor("bob"), o.people["bob"].ID, held[0].ID); err != nil || e.State != string(itip.Applied) {
		t.Fatalf("%s %s %v", e.State, e.Sentence, err)
	}
	_, text := o.event("bob", "fair")
	o.expect("bob's copy", text, "SUMMARY:Fair")
	o.expectNot("bob's copy", text, "METHOD")
	for what, q := range map[string]calendar.PublishRequest{
		"to nobody":         {By: publish.By, Owner: alice, UID: "fair"},
		"to no address":     {By: publish.By, Owner: alice, UID: "fair", To: []ical.Address{"urn:uuid:1"}},
		"what is not there": {By: publish.By, Owner: alice, UID: "none", To: publish.To},
		"somebody else's":   {By: o.actor("bob"), Owner: o.people["bob"].ID, UID: "fair", To: publish.To},
		"by a stranger":     {By: o.actor("bob"), Owner: alice, UID: "fair", To: publish.To},
	} {
		if _, err := o.svc.Publish(t.Context(), q); problem.Of(err).Condition == problem.Internal {
			t.Errorf("%s: %v", what, err)
		}
	}
}
