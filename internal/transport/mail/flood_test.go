package mail

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/gate"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

// guarded is a site that believes mx.our.test, with limits, and rob as its
// administrator.
func guarded(t *testing.T, relay *fakeRelay, l gate.Limits) *site {
	t.Helper()
	x := newSite(t, sqlite(t), "smtp://"+relay.addr+"?tls=none", func(o *Options) {
		o.Trust = trust.Policy{Inbound: trust.Verify, AuthservIDs: []string{"mx.our.test"}}
		o.Gate = gate.New(o.Store, l, o.Now)
	})
	x.journal.Use(x.mail)
	if err := x.store.Update(t.Context(), func(tx *store.Tx) error {
		a, err := tx.Account(x.rob.ID)
		if err != nil {
			return err
		}
		a.Admin = true
		return tx.UpdateAccount(a)
	}); err != nil {
		t.Fatal(err)
	}
	return x
}

// vouched is an invitation that the site's mail server vouches for.
func vouched(from, uid string) []byte {
	_, domain, _ := strings.Cut(from, "@")
	return append([]byte("Authentication-Results: mx.our.test; dmarc=pass header.from="+domain+"\r\n"), answer(from, "REQUEST", uid, "ORGANIZER:mailto:"+from, "ATTENDEE;RSVP=TRUE:mailto:ann@one.test")...)
}

// One sender's flood is held, told once to the administrator, and settled in one go.
func TestFlood(t *testing.T) {
	for _, release := range []bool{true, false} {
		t.Run(fmt.Sprint("release ", release), func(t *testing.T) {
			relay := startRelay(t, nil)
			x := guarded(t, relay, gate.Limits{Sender: 3, Domain: 100, Recipient: 100})
			counts := map[string]int{}
			for i := range 7 {
				e := x.take(t, vouched("eve@evil.test", fmt.Sprint("e", i)), "eve@evil.test", "ann@one.test")
				counts[e.State+" "+e.Reason]++
				if e.State == stateHeld && !strings.Contains(e.Sentence, "eve@evil.test") {
					t.Errorf("%q", e.Sentence)
				}
			}
			if len(counts) != 2 || counts["held flood"] != 4 {
				t.Fatalf("%v", counts)
			}
			if e := x.take(t, vouched("dan@two.test", "d"), "dan@two.test", "ann@one.test"); e.State != stateApplied {
				t.Errorf("somebody else's: %s %q", e.State, e.Sentence)
			}
			told := x.out(t, relay)
			if len(told) != 1 || told[0].to != "rob@one.test" || !strings.Contains(string(told[0].raw), "convene message flood release --kind sender 'eve@evil.test'") {
				t.Fatalf("%d mails: %+v", len(told), told)
			}
			admin := account.Actor{Account: x.rob.ID, Admin: true}
			list, err := x.mail.o.Gate.Floods(t.Context(), admin, 10)
			if err != nil || len(list) != 1 || list[0].Seen != 4 || list[0].State != gate.Open {
				t.Errorf("%+v %v", list, err)
			}
			do, want := x.mail.RejectFlood, stateRejected
			if release {
				do, want = x.mail.ReleaseFlood, stateApplied
			}
			if _, err := do(t.Context(), account.Actor{Account: x.ann.ID}, gate.BySender, "eve@evil.test"); !problem.Has(err, problem.NeedPrivileges) {
				t.Errorf("anybody settles it: %v", err)
			}
			if _, err := do(t.Context(), admin, gate.BySender, "nobody@evil.test"); !problem.Has(err, problem.NotFound) {
				t.Errorf("no such flood: %v", err)
			}
			done, err := do(t.Context(), admin, gate.BySender, "eve@evil.test")
			if err != nil || done.Messages != 4 || done.States[want] != 4 {
				t.Fatalf("%+v %v", done, err)
			}
			if again, err := do(t.Context(), admin, gate.BySender, "eve@evil.test"); err != nil || again.Messages != 0 {
				t.Errorf("again: %+v %v", again, err)
			}
			for i := range 7 {
				if n := x.objects(t, x.ann.ID, fmt.Sprint("e", i)); (n == 1) != (release || i < 3) {
					t.Errorf("e%d is %d times in the calendar", i, n)
				}
			}
			// A released sender is left alone for a day, a rejected one is not.
			for i := range 5 {
				x.take(t, vouched("eve@evil.test", fmt.Sprint("f", i)), "eve@evil.test", "ann@one.test")
			}
			held, err := x.journal.List(t.Context(), store.EntryFilter{Account: x.ann.ID, Direction: journal.In, States: []string{stateHeld}})
			if err != nil || (len(held) == 0) != release {
				t.Errorf("%d held afterwards, %v", len(held), err)
			}
			if more := x.out(t, relay); len(more) != 0 {
				t.Errorf("the administrator is told of the same again: %d mails", len(more))
			}
		})
	}
}

// What the administrator is to paste into a shell is one word, whatever the address.
func TestAFloodFromAnOddAddress(t *testing.T) {
	relay := startRelay(t, nil)
	x := guarded(t, relay, gate.Limits{Sender: 1})
	for i := range 2 {
		x.take(t, vouched("x'|reboot|'@evil.test", fmt.Sprint("e", i)), "x@evil.test", "ann@one.test")
	}
	told := x.out(t, relay)
	if len(told) != 1 || !strings.Contains(string(told[0].raw), `--kind sender 'x'\''|reboot|'\''@evil.test'`) {
		t.Fatalf("%d mails: %+v", len(told), told)
	}
}

// Many strangers at once fill an account's limit; whom it knows gets through.
func TestAFloodOfStrangers(t *testing.T) {
	relay := startRelay(t, nil)
	x := guarded(t, relay, gate.Limits{Recipient: 3})
	x.journal.Use(x.mail)
	x.put(t, "own", annOrganizes, "ATTENDEE;RSVP=TRUE:mailto:dan@two.test")
	x.out(t, relay)
	if e := x.take(t, vouched("dan@two.test", "first"), "dan@two.test", "ann@one.test"); e.State != stateApplied {
		t.Fatal(e.Sentence)
	}
	held := 0
	for i := range 6 {
		if e := x.take(t, vouched(fmt.Sprintf("s%d@evil%d.test", i, i), fmt.Sprint("s", i)), "x@evil.test", "ann@one.test"); e.Reason == reasonFlood {
			held++
		}
	}
	if held != 4 {
		t.Errorf("%d of 6 held", held)
	}
	if e := x.take(t, vouched("dan@two.test", "second"), "dan@two.test", "ann@one.test"); e.State != stateApplied {
		t.Errorf("somebody known: %s %q", e.State, e.Sentence)
	}
	if e := x.take(t, vouched("s9@evil.test", "s9"), "x@evil.test", "rob@one.test"); e.Reason == reasonFlood {
		t.Errorf("to somebody else: %q", e.Sentence)
	}
}

// What others write in somebody's name does not make that person's mail wait.
func TestAFloodInSomebodyElsesName(t *testing.T) {
	relay := startRelay(t, nil)
	x := guarded(t, relay, gate.Limits{Sender: 2, Domain: 2, Recipient: 100})
	for i := range 12 {
		forged := answer("dan@two.test", "REQUEST", fmt.Sprint("f", i), "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test")
		if e := x.take(t, forged, "dan@two.test", "ann@one.test"); e.State != stateHeld || e.Reason != "unverified" {
			t.Errorf("forged: %s %s %q", e.State, e.Reason, e.Sentence)
		}
	}
	if e := x.take(t, vouched("dan@two.test", "d"), "dan@two.test", "ann@one.test"); e.State != stateApplied {
		t.Errorf("his own: %s %q", e.State, e.Sentence)
	}
	if x.mail.crowded("dan@two.test", target{account: x.ann.ID}) {
		t.Error("his mail is put off")
	}
	if told := x.out(t, relay); len(told) != 0 {
		t.Errorf("administrators are told that he floods: %d mails", len(told))
	}
}

// When it goes on, the listener takes no more for the time being.
func TestAFloodIsPutOff(t *testing.T) {
	relay := startRelay(t, nil)
	x := guarded(t, relay, gate.Limits{Sender: 1})
	c := dial(t, x.listen(t, false), false)
	put := 0
	for i := range 8 {
		answers := deliver(t, c, false, "eve@evil.test", vouched("eve@evil.test", fmt.Sprint("e", i)), "ann@one.test")
		if err := answers["ann@one.test"]; err != nil {
			put++
			if !strings.Contains(err.Error(), "451") && !strings.Contains(err.Error(), "Too many") {
				t.Errorf("message %d: %v", i, err)
			}
		}
	}
	if put != 8-gate.DeferAbove-1 {
		t.Errorf("%d of 8 were put off", put)
	}
	if answers := deliver(t, c, false, "dan@two.test", vouched("dan@two.test", "d"), "ann@one.test"); answers["ann@one.test"] != nil {
		t.Errorf("somebody else's: %v", answers)
	}
}

// A rule counts for mail as soon as it is there.
func TestSenderRules(t *testing.T) {
	x := guarded(t, startRelay(t, nil), gate.Limits{})
	ann := account.Actor{Account: x.ann.ID}
	admin := account.Actor{Account: x.rob.ID, Admin: true}
	try := func(uid string) string {
		e := x.take(t, vouched("dan@two.test", uid), "dan@two.test", "ann@one.test")
		return e.State + " " + e.Reason
	}
	if got := try("a"); got != "applied added" {
		t.Errorf("without a rule: %s", got)
	}
	if err := x.mail.o.Gate.SetRule(t.Context(), ann, x.ann.ID, trust.Rule{Subject: "dan@two.test", Do: trust.Never}); err != nil {
		t.Fatal(err)
	}
	if got := try("b"); got != "rejected denied" {
		t.Errorf("never: %s", got)
	}
	if err := x.mail.o.Gate.DeleteRule(t.Context(), ann, x.ann.ID, "dan@two.test"); err != nil {
		t.Fatal(err)
	}
	if err := x.mail.o.Gate.SetRule(t.Context(), admin, store.Site, trust.Rule{Subject: "two.test", Signed: true}); err != nil {
		t.Fatal(err)
	}
	if got := try("c"); got != "held not-signed" {
		t.Errorf("signed required: %s", got)
	}
}

func TestCountingForgetsInAnHour(t *testing.T) {
	x := guarded(t, startRelay(t, nil), gate.Limits{Sender: 1})
	clock := now
	x.mail.o.Gate = gate.New(x.store, gate.Limits{Sender: 1}, func() time.Time { return clock })
	for i, want := range []string{stateApplied, stateHeld, stateApplied} {
		if i == 2 {
			clock = clock.Add(3 * time.Hour)
		}
		if e := x.take(t, vouched("dan@two.test", fmt.Sprint(i)), "dan@two.test", "ann@one.test"); e.State != want {
			t.Errorf("message %d is %s, want %s", i, e.State, want)
		}
	}
}

// forged is an invitation in somebody's name that nobody vouches for.
func forged(from, uid string) []byte {
	return answer(from, "REQUEST", uid, "ORGANIZER:mailto:"+from, "ATTENDEE;RSVP=TRUE:mailto:ann@one.test")
}

// Whoever forges makes nobody's mail wait but forged mail: however much of it
// comes to an account, in whatever names, what is proven comes in.
func TestForgersSilenceNobody(t *testing.T) {
	relay := startRelay(t, nil)
	x := guarded(t, relay, gate.Limits{Sender: 5, Domain: 5, Recipient: 3})
	c := dial(t, x.listen(t, false), false)
	var held, putOff int
	for i := range 40 {
		from := fmt.Sprintf("s%d@victim%d.test", i, i%7)
		if err := deliver(t, c, false, from, forged(from, fmt.Sprint("f", i)), "ann@one.test")["ann@one.test"]; err != nil {
			putOff++
		} else {
			held++
		}
	}
	if putOff == 0 || held < 3 {
		t.Errorf("%d held, %d put off", held, putOff)
	}
	list, err := x.mail.o.Gate.Floods(t.Context(), account.Actor{Account: x.rob.ID, Admin: true}, 10)
	if err != nil || len(list) != 1 || list[0].Kind != gate.Unproven {
		t.Errorf("%+v, %v", list, err)
	}
	for i, from := range []string{"dan@two.test", "s1@victim1.test"} {
		if err := deliver(t, c, false, from, vouched(from, fmt.Sprint("d", i)), "ann@one.test")["ann@one.test"]; err != nil {
			t.Fatalf("%s: %v", from, err)
		}
		if n := x.objects(t, x.ann.ID, fmt.Sprint("d", i)); n != 1 {
			t.Errorf("the invitation of %s, whose name is used or not, is %d times in the calendar", from, n)
		}
	}
	if told := x.out(t, relay); len(told) != 1 || !strings.Contains(string(told[0].raw), "release --kind unproven") {
		t.Errorf("%d letters", len(told))
	}
	admin := account.Actor{Account: x.rob.ID, Admin: true}
	if done, err := x.mail.RejectFlood(t.Context(), admin, gate.Unproven, list[0].Subject); err != nil || done.States[stateRejected] != int(list[0].Seen) {
		t.Errorf("%+v, %v", done, err)
	}
}

// One domain, with all that is below it, has its share of an account's limit.
// Another's invitations come in beside it.
func TestADomainHasItsShare(t *testing.T) {
	x := guarded(t, startRelay(t, nil), gate.Limits{Recipient: 60})
	waits := func(from, uid string) bool {
		return x.take(t, vouched(from, uid), from, "ann@one.test").Reason == reasonFlood
	}
	for i := range 60 {
		if waits(fmt.Sprintf("s%d@n%d.evil.test", i, i), fmt.Sprint("e", i)) {
			t.Fatalf("message %d waits below the limit", i)
		}
	}
	if !waits("s@other.evil.test", "more") {
		t.Error("beyond the limit it goes on")
	}
	for i := range 2 { // their share of 60
		if waits(fmt.Sprintf("p%d@two.test", i), fmt.Sprint("d", i)) {
			t.Error("another's waits for it")
		}
	}
	if !waits("p9@two.test", "third") {
		t.Error("beyond the limit a domain has more than its share")
	}
}

// Thirty domains that collude fill an account's limit, and strangers wait for that.
// Whom the account has written to does not, also where the listener takes no more of
// others; to have had an invitation applied makes nobody known.
func TestDomainsThatCollude(t *testing.T) {
	relay := startRelay(t, nil)
	x := guarded(t, relay, gate.Limits{Recipient: 60})
	x.journal.Use(x.mail)
	x.put(t, "own", annOrganizes, "ATTENDEE;RSVP=TRUE:mailto:dan@two.test")
	x.out(t, relay)
	waits := func(from, uid string) bool {
		return x.take(t, vouched(from, uid), from, "ann@one.test").Reason == reasonFlood
	}
	for i := range 300 {
		waits(fmt.Sprintf("s@evil%d.test", i%30), fmt.Sprint("e", i))
	}
	if !waits("s@evil1.test", "again") || !waits("new@three.test", "stranger") {
		t.Error("beyond the limit it goes on")
	}
	c := dial(t, x.listen(t, false), false)
	for i := range 5 { // far more than the share of two.test
		uid := fmt.Sprint("d", i)
		if err := deliver(t, c, false, "dan@two.test", vouched("dan@two.test", uid), "ann@one.test")["ann@one.test"]; err != nil {
			t.Fatalf("dan, whom ann invited, is put off: %v", err)
		}
		if n := x.objects(t, x.ann.ID, uid); n != 1 {
			t.Errorf("invitation %d of dan's, whom ann invited, is %d times in her calendar", i, n)
		}
	}
	if err := deliver(t, c, false, "s@evil1.test", vouched("s@evil1.test", "late"), "ann@one.test")["ann@one.test"]; err == nil {
		t.Error("one of those who fill the limit is not put off")
	}
}
