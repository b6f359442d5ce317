package calendar_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// method makes a message of an object.
func method(m, data string) string {
	return strings.Replace(data, "VERSION", "METHOD:"+m+"\r\nVERSION", 1)
}

// posted is the text of the latest message to somebody outside.
func (o *office) posted(from, to string) string {
	o.t.Helper()
	rows, err := o.journal.List(o.t.Context(), store.EntryFilter{Account: o.people[from].ID, Direction: journal.Out, States: []string{journal.Sent, journal.Delivered}})
	if err != nil {
		o.t.Fatal(err)
	}
	for _, e := range rows {
		if ical.Address(e.To).Email() == to {
			return string(e.Calendar)
		}
	}
	return ""
}

// SC-030 to SC-033: Bob sends Carol in his place; she declines, and he is asked again.
func TestDelegation(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob", "carol")
	o.put("alice", "default/1.ics", meeting("1", 3, 9, "bob@example.test"))
	bob := o.people["bob"].ID
	delegate := calendar.DelegateRequest{By: o.actor("bob"), Owner: bob, UID: "1", To: "mailto:carol@example.test"}
	for what, to := range map[string]ical.Address{"to nobody": "urn:uuid:1", "to himself": "mailto:bob@example.test", "to the organizer": "mailto:alice@example.test"} {
		q := delegate
		q.To = to
		if _, err := o.svc.Delegate(t.Context(), q); problem.Of(err).Condition == problem.Internal || err == nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := o.svc.Delegate(t.Context(), delegate); err != nil {
		t.Fatal(err)
	}
	_, text := o.event("alice", "1")
	o.expect("bob at alice's", text, "PARTSTAT=DELEGATED", `DELEGATED-TO="mailto:carol@example.test"`, ":mailto:bob@example.test")
	o.expect("carol at alice's", text, `DELEGATED-FROM="mailto:bob@example.test"`, ":mailto:carol@example.test")
	if _, text := o.event("carol", "1"); text == "" {
		t.Fatal("carol is not asked")
	}
	o.respond("carol", "1", "DECLINED")
	_, text = o.event("bob", "1")
	o.expect("bob is asked again", text, "PARTSTAT=NEEDS-ACTION", ":mailto:bob@example.test")
}

// SC-042, SC-043: an invitation is forwarded; who answers without being invited
// is for the organizer to admit or to turn away.
func TestPartyCrashersWaitForTheOrganizer(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	o.put("alice", "default/1.ics", meeting("1", 3, 9, "bob@example.test"))
	sent, err := o.svc.Forward(t.Context(), calendar.ForwardRequest{By: o.actor("bob"), Owner: o.people["bob"].ID, UID: "1", To: []ical.Address{"mailto:gus@elsewhere.test"}})
	if err != nil || len(sent) != 1 || sent[0].Method != itip.Request {
		t.Fatalf("%+v %v", sent, err)
	}
	o.courier()
	if got := o.post.letters(); !slices.Equal(got, []string{"REQUEST gus@elsewhere.test"}) {
		t.Fatalf("posted %v", got)
	}
	forwarded := o.posted("bob", "gus@elsewhere.test")
	o.expectNot("as it came", forwarded, "gus@")
	reply := func(who, partstat string) {
		o.mail("alice", who, method("REPLY", vevent("1", "DTSTART:20260303T090000Z", "SEQUENCE:0", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT="+partstat+":mailto:"+who)))
	}
	reply("gus@elsewhere.test", "ACCEPTED")
	reply("gwen@elsewhere.test", "ACCEPTED")
	_, text := o.event("alice", "1")
	o.expectNot("never added by themselves", text, "elsewhere.test")
	held := o.held("alice")
	if len(held) != 2 || held[0].Reason != itip.ReasonPartyCrasher {
		t.Fatalf("held: %+v", held)
	}
	gwen, gus := held[0], held[1]
	if _, err := o.svc.Approve(t.Context(), o.actor("alice"), o.people["alice"].ID, gus.ID); err != nil {
		t.Fatal(err)
	}
	e, err := o.svc.Reject(t.Context(), o.actor("alice"), o.people["alice"].ID, gwen.ID)
	if err != nil || !strings.Contains(e.Sentence, "gwen@elsewhere.test") {
		t.Fatalf("%s %v", e.Sentence, err)
	}
	_, text = o.event("alice", "1")
	o.expect("gus is in", text, "PARTSTAT=ACCEPTED", ":mailto:gus@elsewhere.test")
	o.expectNot("gwen is not", text, "gwen@")
	o.courier()
	got := o.post.letters()
	slices.Sort(got)
	if !slices.Equal(got, []string{"CANCEL gwen@elsewhere.test", "REQUEST gus@elsewhere.test"}) {
		t.Errorf("posted %v", got)
	}
	for what, q := range map[string]calendar.ForwardRequest{
		"to nobody":       {UID: "1"},
		"to a guest":      {UID: "1", To: []ical.Address{"mailto:bob@example.test"}},
		"what is not his": {UID: "2", To: []ical.Address{"mailto:x@elsewhere.test"}},
	} {
		q.By, q.Owner = o.actor("bob"), o.people["bob"].ID
		if _, err := o.svc.Forward(t.Context(), q); err == nil || problem.Of(err).Condition == problem.Internal {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// SC-045, SC-046: a designate's message is held until somebody says it is well.
func TestDesignatesNeedConsent(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("bob", "ann", "sue")
	request := func(uid string) string {
		return method("REQUEST", vevent(uid, "DTSTART:20260303T090000Z", "DTEND:20260303T100000Z", "SUMMARY:Plan", "SEQUENCE:0",
			`ORGANIZER;SENT-BY="mailto:sec@elsewhere.test":mailto:boss@elsewhere.test`, "ATTENDEE:mailto:bob@example.test"))
	}
	o.mail("bob", "sec@elsewhere.test", request("1"))
	held := o.held("bob")
	if len(held) != 1 || held[0].Reason != itip.ReasonDesignate {
		t.Fatalf("held: %+v", held)
	}
	bob := o.people["bob"].ID
	if _, err := o.svc.ApproveAlways(t.Context(), o.actor("ann"), bob, held[0].ID); !problem.Has(err, problem.NotFound) {
		t.Errorf("ann approves: %v", err)
	}
	if _, err := o.svc.ApproveAlways(t.Context(), o.actor("bob"), bob, held[0].ID); err != nil {
		t.Fatal(err)
	}
	r := o.mail("bob", "sec@elsewhere.test", request("2"))
	if r.Result.Decision != itip.Applied {
		t.Errorf("the next one: %s %s", r.Result.Decision, r.Result.Sentence)
	}
	list, err := o.svc.Designates(t.Context(), o.actor("bob"), bob)
	if err != nil || len(list) != 1 || list[0].Address != "mailto:sec@elsewhere.test" || !list[0].Principal.Equal("mailto:boss@elsewhere.test") {
		t.Errorf("designates: %+v %v", list, err)
	}
	if err := o.svc.ForbidDesignate(t.Context(), o.actor("bob"), bob, list[0]); err != nil {
		t.Error(err)
	}
	if r := o.mail("bob", "sec@elsewhere.test", request("3")); r.Result.Decision != itip.Held {
		t.Errorf("after it was taken back: %s", r.Result.Decision)
	}
	if err := o.svc.ForbidDesignate(t.Context(), o.actor("bob"), bob, list[0]); !problem.Has(err, problem.NotFound) {
		t.Errorf("taken back twice: %v", err)
	}
	// The other side: Ann names Sue, whose answers for her then count with Bob.
	o.put("bob", "default/4.ics", strings.ReplaceAll(meeting("4", 4, 9, "eve@elsewhere.test"), "alice@", "bob@"))
	answer := func(sequence string) calendar.Received {
		return o.mail("bob", "pa@elsewhere.test", method("REPLY", vevent("4", "DTSTART:20260304T090000Z", "SEQUENCE:"+sequence, "ORGANIZER:mailto:bob@example.test",
			`ATTENDEE;PARTSTAT=ACCEPTED;SENT-BY="mailto:pa@elsewhere.test":mailto:eve@elsewhere.test`)))
	}
	if r := answer("0"); r.Result.Decision != itip.Held {
		t.Errorf("an answer by a designate: %s", r.Result.Decision)
	}
	allow := func(by string, owner store.AccountID, d calendar.Designate) error {
		return o.svc.AllowDesignate(t.Context(), o.actor(by), owner, d)
	}
	if err := allow("bob", bob, calendar.Designate{Principal: "mailto:eve@elsewhere.test", Address: "mailto:pa@elsewhere.test"}); err != nil {
		t.Fatal(err)
	}
	o.later(time.Minute)
	again := o.mail("bob", "pa@elsewhere.test", method("REPLY", strings.Replace(vevent("4", "DTSTART:20260304T090000Z", "SEQUENCE:0", "ORGANIZER:mailto:bob@example.test",
		`ATTENDEE;PARTSTAT=ACCEPTED;SENT-BY="mailto:pa@elsewhere.test":mailto:eve@elsewhere.test`), "20260301T120000Z", "20260301T130000Z", 1)))
	if again.Result.Decision != itip.Applied {
		t.Errorf("with consent: %s %s", again.Result.Decision, again.Result.Sentence)
	}
	for what, err := range map[string]error{
		"herself":      allow("ann", o.people["ann"].ID, calendar.Designate{Address: "mailto:ann@example.test"}),
		"no address":   allow("ann", o.people["ann"].ID, calendar.Designate{Address: "x"}),
		"for somebody": allow("sue", o.people["ann"].ID, calendar.Designate{Address: "mailto:sue@example.test"}),
	} {
		if err == nil || problem.Of(err).Condition == problem.Internal {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := o.svc.AllowDesignate(t.Context(), account.Actor{Account: o.people["sue"].ID, Admin: true}, o.people["ann"].ID, calendar.Designate{Address: "mailto:sue@example.test"}); err != nil {
		t.Errorf("an administrator: %v", err)
	}
}

// SC-027: hidden guests see themselves and the organizer.
func TestGuestsMayBeHidden(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob", "carol")
	o.put("alice", "default/1.ics", strings.Replace(meeting("1", 3, 9, "bob@example.test", "carol@example.test", "dave@elsewhere.test"), "SUMMARY", itip.HideGuests+":TRUE\r\nSUMMARY", 1))
	_, text := o.event("bob", "1")
	o.expect("bob's copy", text, "ATTENDEE", "bob@example.test")
	o.expectNot("bob's copy", text, "carol@")
	o.expectNot("bob's copy", text, "dave@")
	o.courier()
	o.expectNot("dave's mail", o.posted("alice", "dave@elsewhere.test"), "ATTENDEE", "carol@")
	o.respond("bob", "1", "ACCEPTED")
	_, text = o.event("alice", "1")
	o.expect("answers count", text, "PARTSTAT=ACCEPTED", "bob@example.test")
	_, text = o.event("carol", "1")
	o.expectNot("carol's copy", text, "bob@")
}

// SC-091, SC-092: a question for free/busy time by mail.
func TestFreeBusyByMessage(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("bob")
	bob := o.people["bob"].ID
	o.put("bob", "default/1.ics", vevent("1", "DTSTART:20260303T090000Z", "DTEND:20260303T100000Z", "SUMMARY:Secret"))
	n := 0
	ask := func(from string) calendar.Received {
		n++
		return o.mail("bob", from, vcalendarOf("REQUEST", component("VFREEBUSY", "fb"+string(rune('0'+n)), "ORGANIZER:mailto:"+from, "ATTENDEE:mailto:bob@example.test",
			"DTSTART:20260303T080000Z", "DTEND:20260303T200000")))
	}
	// By default nobody outside is told anything, not even no.
	if r := ask("ann@elsewhere.test"); r.Result.Reason != itip.ReasonFreeBusy {
		t.Errorf("asked: %s %s", r.Result.Reason, r.Result.Sentence)
	}
	o.courier()
	if got := o.post.letters(); len(got) != 0 {
		t.Errorf("answered %v", got)
	}
	if err := o.svc.SetPreferences(t.Context(), o.actor("bob"), bob, calendar.Preferences{TellBusy: []string{"@Elsewhere.test"}}); err != nil {
		t.Fatal(err)
	}
	ask("ann@elsewhere.test")
	ask("ann@nowhere.test")
	o.courier()
	if got := o.post.letters(); !slices.Equal(got, []string{"REPLY ann@elsewhere.test"}) {
		t.Fatalf("answered %v", got)
	}
	text := o.posted("bob", "ann@elsewhere.test")
	o.expect("the answer", text, "FREEBUSY", "20260303T090000Z/")
	o.expectNot("the answer", text, "Secret")
	if err := o.svc.SetPreferences(t.Context(), o.actor("bob"), bob, calendar.Preferences{TellBusy: []string{"nonsense"}}); !problem.Has(err, problem.BadInput) {
		t.Errorf("a preference that is none: %v", err)
	}

	// The other way: Bob asks Ann, and what she answers is used from then on.
	from, to := morning, morning.AddDate(0, 0, 7)
	busy := func() calendar.FreeBusyAnswer {
		list, err := o.svc.FreeBusy(t.Context(), o.actor("bob"), []ical.Address{"mailto:ann@elsewhere.test"}, from.Add(time.Hour), to.Add(-time.Hour), "")
		if err != nil {
			t.Fatal(err)
		}
		return list[0]
	}
	if got := busy(); got.Status != "5.1;Service unavailable" {
		t.Errorf("before: %s", got.Status)
	}
	sent, err := o.svc.AskFreeBusy(t.Context(), calendar.AskFreeBusyRequest{By: o.actor("bob"), Owner: bob, Who: []ical.Address{"mailto:ann@elsewhere.test", "mailto:bob@example.test"}, From: from, To: to})
	if err != nil || len(sent) != 1 || sent[0].Method != itip.Request {
		t.Fatalf("%+v %v", sent, err)
	}
	o.courier()
	question := parse(t, o.posted("bob", "ann@elsewhere.test"))
	uid := question.Main()[0].Value("UID")
	o.mail("bob", "ann@elsewhere.test", vcalendarOf("REPLY", component("VFREEBUSY", uid, "ORGANIZER:mailto:bob@example.test", "ATTENDEE:mailto:ann@elsewhere.test",
		"DTSTART:20260302T080000Z", "DTEND:20260309T080000Z", "FREEBUSY:20260304T140000Z/PT30M,20260304T090000Z/PT1H", "REQUEST-STATUS:2.0;Success")))
	got := busy()
	if got.Status != "2.0;Success" || len(got.Periods) != 2 || !got.Periods[0].From.Equal(time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("after: %+v", got)
	}
	// Somebody else cannot answer for her.
	r := o.mail("bob", "eve@elsewhere.test", vcalendarOf("REPLY", component("VFREEBUSY", uid, "ORGANIZER:mailto:bob@example.test", "ATTENDEE:mailto:ann@elsewhere.test",
		"DTSTART:20260302T080000Z", "DTEND:20260309T080000Z", "FREEBUSY:20260304T080000Z/20260308T200000Z")))
	if r.Result.Decision != itip.Rejected || len(busy().Periods) != 2 {
		t.Errorf("forged: %s", r.Result.Decision)
	}
	// SC-090: published, without UID.
	if r := o.mail("bob", "ann@elsewhere.test", strings.Replace(vcalendarOf("PUBLISH", component("VFREEBUSY", "x", "ORGANIZER:mailto:ann@elsewhere.test", "DTSTART:20260302T080000Z", "DTEND:20260309T080000Z",
		"FREEBUSY:20260305T090000Z/PT1H")), "UID:x\r\n", "", 1)); r.Result.Reason != itip.ReasonFreeBusy || len(busy().Periods) != 1 {
		t.Errorf("published: %+v", r.Result)
	}
}

func vcalendarOf(m string, components ...string) string { return method(m, vcalendar(components...)) }

// Who was a guest of an event that is deleted and has passed it on names people
// whom nobody told of its end: each hears of it once, and nobody after the third
// such answer of one guest.
func TestDelegatesOfADeletedEventAreToldOnce(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice")
	o.put("alice", "default/1.ics", meeting("1", 3, 9, "gus@elsewhere.test", "ann@elsewhere.test"))
	o.courier()
	if err := o.svc.Delete(t.Context(), calendar.DeleteRequest{By: o.actor("alice"), Ref: o.ref("alice", "default/1.ics")}); err != nil {
		t.Fatal(err)
	}
	o.courier()
	o.post.letters()
	passes := func(to ...string) []string {
		o.mail("alice", "gus@elsewhere.test", method("REPLY", vevent("1", "DTSTART:20260303T090000Z", "SEQUENCE:0", "ORGANIZER:mailto:alice@example.test",
			`ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:`+strings.Join(to, `","mailto:`)+`":mailto:gus@elsewhere.test`)))
		o.courier()
		return o.post.letters()
	}
	for i, x := range []struct{ to, told []string }{
		{[]string{"dora@elsewhere.test", "ann@elsewhere.test"}, []string{"CANCEL dora@elsewhere.test"}}, // ann was a guest, and knows
		{[]string{"dora@elsewhere.test", "DORA@elsewhere.test"}, nil},
		{[]string{"eve@elsewhere.test"}, []string{"CANCEL eve@elsewhere.test"}},
		{[]string{"finn@elsewhere.test"}, nil},
	} {
		if got := passes(x.to...); !slices.Equal(got, x.told) {
			t.Errorf("answer %d to the deleted event: %v are told, not %v", i+1, got, x.told)
		}
	}
}

// Somebody says once for all what becomes of answers by people who were not invited.
func TestUninvitedByPreference(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice")
	o.put("alice", "default/1.ics", meeting("1", 3, 9, "bob@elsewhere.test"))
	o.courier()
	o.post.letters()
	alice := o.people["alice"].ID
	if err := o.svc.SetPreferences(t.Context(), o.actor("alice"), alice, calendar.Preferences{Crashers: "perhaps"}); !problem.Has(err, problem.BadInput) {
		t.Errorf("a policy that does not exist: %v", err)
	}
	for _, x := range []struct {
		who    string
		policy itip.CrasherPolicy
		listed bool
		told   []string
	}{
		{"gus@elsewhere.test", itip.IgnoreCrashers, false, nil},
		{"gwen@elsewhere.test", itip.RefuseCrashers, false, []string{"CANCEL gwen@elsewhere.test"}},
		{"hal@elsewhere.test", itip.AdmitCrashers, true, []string{"REQUEST hal@elsewhere.test"}},
		{"ida@elsewhere.test", itip.AskAboutCrashers, false, nil},
	} {
		if err := o.svc.SetPreferences(t.Context(), o.actor("alice"), alice, calendar.Preferences{Crashers: x.policy}); err != nil {
			t.Fatal(err)
		}
		if p, err := o.svc.Preferences(t.Context(), o.actor("alice"), alice); err != nil || p.Crashers != x.policy {
			t.Errorf("the policy %q is kept as %q, %v", x.policy, p.Crashers, err)
		}
		o.mail("alice", x.who, method("REPLY", vevent("1", "DTSTART:20260303T090000Z", "SEQUENCE:0", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:"+x.who)))
		o.courier()
		if got := o.post.letters(); !slices.Equal(got, x.told) {
			t.Errorf("%q: told %v, not %v", x.policy, got, x.told)
		}
		if _, text := o.event("alice", "1"); strings.Contains(text, x.who) != x.listed {
			t.Errorf("%q: listed is not %v:\n%s", x.policy, x.listed, text)
		}
	}
	if held := o.held("alice"); len(held) != 1 || ical.Address(held[0].From).Email() != "ida@elsewhere.test" {
		t.Errorf("held are %v", held)
	}
}

// REQ-15: a change of an invitation goes to where its guest keeps the event.
func TestAnUpdateFindsTheEventInWhateverCalendar(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("bob")
	o.makeCalendar("bob", "work")
	invitation := func(summary, sequence string) string {
		return method("REQUEST", vevent("1", "SEQUENCE:"+sequence, "DTSTART:20260303T090000Z", "DTEND:20260303T100000Z", "SUMMARY:"+summary, "ORGANIZER:mailto:gus@elsewhere.test", "ATTENDEE:mailto:bob@example.test"))
	}
	o.mail("bob", "gus@elsewhere.test", invitation("Lunch", "0"))
	from := ""
	for _, x := range o.list("bob", "default") {
		from = x.Name
	}
	if _, err := o.svc.Move(t.Context(), calendar.MoveRequest{By: o.actor("bob"), From: o.ref("bob", "default/"+from), To: o.ref("bob", "work/moved.ics")}); err != nil {
		t.Fatal(err)
	}
	o.mail("bob", "gus@elsewhere.test", invitation("Dinner", "1"))
	if list := o.list("bob", "default"); len(list) != 0 {
		t.Errorf("%d events came back to where it was", len(list))
	}
	_, text := o.get("bob", "work/moved.ics")
	o.expect("where it is", text, "SUMMARY:Dinner")
}
