package calendar_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/itip"
)

// SC-171: invited as bob+events@; the answer comes from that address.
func TestInvitedByAVariantOfAnAddress(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("bob")
	cal := parse(t, method("REQUEST", vevent("1", "DTSTART:20260303T090000Z", "SUMMARY:Plan", "SEQUENCE:0", "ORGANIZER:mailto:ann@elsewhere.test", "ATTENDEE:mailto:bob+events@example.test")))
	r, err := o.svc.Receive(t.Context(), arrivalFor(o, "bob", "bob+events@example.test", "ann@elsewhere.test", cal))
	if err != nil || r.Result.Decision != itip.Applied {
		t.Fatalf("%+v %v", r.Result, err)
	}
	o.respond("bob", "1", "ACCEPTED")
	o.courier()
	if got := o.post.letters(); !slices.Equal(got, []string{"REPLY ann@elsewhere.test"}) {
		t.Fatalf("posted %v", got)
	}
	o.expect("the answer", o.posted("bob", "ann@elsewhere.test"), "ATTENDEE", "PARTSTAT=ACCEPTED", "mailto:bob+events@example.test")
}

// SC-173: a group is invited; who joined it since answers as its member, and is
// put on the list without a question.
func TestAMemberOfAnInvitedGroupAnswers(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	o.group("team", "bob@example.test")
	o.put("alice", "default/1.ics", meeting("1", 3, 9, "team@example.test"))
	answer := func(who string) itip.Decision {
		return o.mail("alice", who, method("REPLY", vevent("1", "DTSTART:20260303T090000Z", "SEQUENCE:0", "ORGANIZER:mailto:alice@example.test",
			`ATTENDEE;MEMBER="mailto:team@example.test";CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED:mailto:`+who))).Result.Decision
	}
	if got := answer("zoe@elsewhere.test"); got != itip.Held {
		t.Errorf("who is no member: %s", got)
	}
	if err := o.accounts.AddMembers(t.Context(), o.people["team"].ID, []ical.Address{"mailto:dave@elsewhere.test"}); err != nil {
		t.Fatal(err)
	}
	if got := answer("dave@elsewhere.test"); got != itip.Applied {
		t.Errorf("who is one: %s", got)
	}
	_, text := o.event("alice", "1")
	o.expect("dave", text, `MEMBER="mailto:team@example.test"`, "PARTSTAT=ACCEPTED", ":mailto:dave@elsewhere.test")
	o.expectNot("zoe", text, "zoe@")
}

// SC-174, SC-176, SC-177: the same person twice, an organizer who does not
// attend, an organizer who invites an alias of hers.
func TestWhoIsWho(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	if err := o.accounts.SetAddresses(t.Context(), o.people["alice"].ID, []ical.Address{"mailto:alice@example.test", "mailto:a.archer@elsewhere.test"}); err != nil {
		t.Fatal(err)
	}
	r := o.put("alice", "default/1.ics", vevent("1", "DTSTART:20260303T090000Z", "SUMMARY:Plan", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT=TENTATIVE:mailto:A.Archer@elsewhere.test",
		"ATTENDEE:mailto:bob@example.test", "ATTENDEE:MAILTO:BOB@example.test"))
	o.courier()
	if got := o.post.letters(); len(got) != 0 || len(r.Sent) != 1 {
		t.Errorf("mailed to herself %v, sent %d", got, len(r.Sent))
	}
	_, text := o.event("alice", "1")
	o.expect("her own line stays", text, "PARTSTAT=TENTATIVE", "A.Archer@elsewhere.test")
	_, text = o.event("bob", "1")
	if n := strings.Count(strings.ToLower(strings.ReplaceAll(text, "\r\n ", "")), "mailto:bob@example.test"); n != 1 {
		t.Errorf("bob stands in %d lines:\n%s", n, text)
	}
	o.respond("bob", "1", "ACCEPTED")
	_, text = o.event("alice", "1")
	o.expect("bob has accepted", text, "PARTSTAT=ACCEPTED", "bob@example.test")
}
