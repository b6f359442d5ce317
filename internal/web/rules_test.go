package web

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/gate"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

// heldFor says why a message waits.
func (o *office) heldFor(uid, reason string) {
	o.t.Helper()
	err := o.store.Update(o.t.Context(), func(tx *store.Tx) error {
		list, err := tx.Entries(store.EntryFilter{UID: uid})
		for _, e := range list {
			e.Reason = reason
			if err := tx.UpdateEntry(e); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

// What is said of a sender on a message is a rule from then on.
func TestAlwaysAndNever(t *testing.T) {
	o := newOffice(t, fixed)
	alice := o.signIn("alice")
	o.mail("alice", "stranger", "Talk", "2026-11-20", daveNot, "You have had nothing to do with dave@elsewhere.test so far.")
	o.heldFor("stranger", "unknown-sender")
	o.mail("alice", "unproven", "Talk", "2026-11-21", daveNot, "Nothing proves that dave@elsewhere.test sent this.")
	byUID := func() map[string]messageOnWire {
		t.Helper()
		out := map[string]messageOnWire{}
		for _, m := range ask[struct{ Messages []messageOnWire }](alice, "GET", "messages", nil).Messages {
			out[m.UID] = m
		}
		return out
	}
	list := byUID()
	if m := list["stranger"]; !m.CanAlways || !m.CanNever {
		t.Errorf("a stranger's: %+v", m)
	}
	if m := list["unproven"]; m.CanAlways || !m.CanNever { // knowing somebody proves nothing
		t.Errorf("an unproven one: %+v", m)
	}
	if m := ask[messageOnWire](alice, "POST", fmt.Sprintf("messages/%d/approve?always=1", list["stranger"].ID), map[string]any{}); m.State != "applied" {
		t.Errorf("always: %+v", m)
	}
	rules := ask[[]trust.Rule](alice, "GET", "rules", nil)
	if len(rules) != 1 || rules[0].Subject != "dave@elsewhere.test" || rules[0].Do != trust.Always {
		t.Errorf("rules: %+v", rules)
	}
	ask[[]trust.Rule](alice, "PUT", "rules", trust.Rule{Subject: "dave@elsewhere.test", Do: trust.Always, Signed: true})
	if m := ask[messageOnWire](alice, "POST", fmt.Sprintf("messages/%d/reject?never=1", list["unproven"].ID), map[string]any{}); m.State != calendar.StateRejected {
		t.Errorf("never: %+v", m)
	}
	rules = ask[[]trust.Rule](alice, "GET", "rules", nil)
	if len(rules) != 1 || rules[0].Do != trust.Never || !rules[0].Signed {
		t.Errorf("rules: %+v", rules)
	}
	if rules = ask[[]trust.Rule](alice, "DELETE", "rules?subject=dave@elsewhere.test", nil); len(rules) != 0 {
		t.Errorf("rules after the removal: %+v", rules)
	}
}

// The site's rules and the floods are the administrators'.
func TestSiteRulesAndFloods(t *testing.T) {
	o := newOffice(t, fixed)
	o.admin("alice")
	alice, bob := o.signIn("alice"), o.signIn("bob")
	if rules := ask[[]trust.Rule](alice, "PUT", "rules?site=1", map[string]any{"subject": "bank.test", "signed": true}); len(rules) != 1 || !rules[0].Signed {
		t.Errorf("site rules: %+v", rules)
	}
	if rules := ask[[]trust.Rule](bob, "GET", "rules", nil); len(rules) != 0 {
		t.Errorf("bob's rules: %+v", rules)
	}
	if _, _, err := o.gate.Note(t.Context(), gate.Exceeded{Kind: gate.BySender, Subject: "eve@evil.test"}); err != nil {
		t.Fatal(err)
	}
	floods := ask[[]gate.Flood](alice, "GET", "floods", nil)
	if len(floods) != 1 || floods[0].Subject != "eve@evil.test" || floods[0].State != gate.Open {
		t.Errorf("floods: %+v", floods)
	}
	for _, c := range []struct {
		method, path string
		body         any
		status       int
	}{
		{"GET", "rules?site=1", nil, http.StatusForbidden},
		{"PUT", "rules?site=1", map[string]any{"subject": "x.test", "do": "never"}, http.StatusForbidden},
		{"DELETE", "rules?site=1&subject=bank.test", nil, http.StatusForbidden},
		{"GET", "floods", nil, http.StatusForbidden},
		{"POST", "floods", map[string]any{"kind": "sender", "subject": "eve@evil.test", "release": true}, http.StatusForbidden},
		{"PUT", "rules", map[string]any{"subject": "x.test", "do": "perhaps"}, http.StatusBadRequest},
		{"PUT", "rules", map[string]any{"subject": "not an address", "do": "never"}, http.StatusBadRequest},
	} {
		if status, answer := bob.try(c.method, c.path, c.body); status != c.status {
			t.Errorf("%s %s %v: %d %s, want %d", c.method, c.path, c.body, status, answer, c.status)
		}
	}
	if r := ask[map[string]int](alice, "POST", "floods", map[string]any{"kind": "sender", "subject": "eve@evil.test", "release": false}); r["messages"] != 3 {
		t.Errorf("settled: %v", r)
	}
	if fmt.Sprint(o.settled) != "[sender eve@evil.test rejected]" {
		t.Errorf("settled: %q", o.settled)
	}
}

// Rules, signing and a flood, with the keyboard.
func TestBrowserMail(t *testing.T) {
	chromium(t)
	o := newOffice(t, time.Now)
	o.admin("alice")
	me := o.signIn("alice")
	day := time.Now().AddDate(0, 0, 14).Format(time.DateOnly)
	o.mail("alice", "stranger", "Talk", day, daveNot, "You have had nothing to do with dave@elsewhere.test so far.")
	o.heldFor("stranger", "unknown-sender")
	if _, _, err := o.gate.Note(t.Context(), gate.Exceeded{Kind: gate.BySender, Subject: "eve@evil.test"}); err != nil {
		t.Fatal(err)
	}
	alice := openBrowser(t, o.url)()
	alice.scheme("light")
	alice.signIn("alice")
	alice.press("Messages")
	alice.press("Never from this person")
	alice.until(`document.querySelector(".message .chip")?.innerText === "rejected"`)
	alice.shot("never")
	alice.press("Mail")
	alice.says("dave@elsewhere.test Refuse")
	alice.says("from eve@evil.test")
	alice.shot("mail")
	alice.tabTo(`f.name === "sign"`)
	alice.keys(kb.ArrowDown + kb.ArrowDown)
	alice.says("Saved.")
	if p := ask[preferencesOnWire](me, "GET", "preferences", nil); p.SignMail == nil {
		t.Errorf("preferences: %+v", p)
	}
	alice.press("Make it")
	alice.says("alice@example.test")
	alice.tabTo(`f.innerText === "Refuse all"`)
	alice.keys(kb.Enter)
	alice.says("3 messages are refused.")
	alice.press("Remove: dave@elsewhere.test")
	alice.until(`!document.body.innerText.includes("dave@elsewhere.test Refuse")`)
	alice.quiet()
}
