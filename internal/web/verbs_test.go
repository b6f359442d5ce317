package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/store"
)

func TestProposalsDelegatesAndPublications(t *testing.T) {
	o := newOffice(t, fixed)
	alice, bob := o.signIn("alice"), o.signIn("bob")
	made := ask[saved](alice, "POST", "events", meeting("alice", "Planning", "2026-11-20T13:00", "2026-11-20T14:00", "bob@example.test"))
	uid := ask[eventOnWire](alice, "GET", made.path(), nil).UID
	sent := ask[[]sending](bob, "POST", "propose?zone=Europe/Stockholm", map[string]any{"owner": "bob", "uid": uid, "start": "2026-11-20T15:00", "end": "2026-11-20T16:00", "comment": "Later?"})
	if len(sent) != 1 || sent[0].Sentence != "gets your proposal, at once" || len(sent[0].Changes) == 0 {
		t.Errorf("proposed: %+v", sent)
	}
	page := ask[struct{ Messages []messageOnWire }](alice, "GET", "messages?show=held", nil)
	if len(page.Messages) != 1 || !page.Messages[0].Proposal || !strings.Contains(page.Messages[0].Sentence, "Later?") {
		t.Fatalf("held: %+v", page.Messages)
	}
	ask[messageOnWire](alice, "POST", "messages/"+jsonNumber(page.Messages[0].ID)+"/approve", map[string]any{})
	if got := ask[eventOnWire](alice, "GET", made.path()+"?zone=Europe/Stockholm", nil); got.Start != "2026-11-20T15:00" {
		t.Errorf("taken up: %s", got.Start)
	}
	ask[[]sending](bob, "POST", "refresh", map[string]any{"owner": "bob", "uid": uid})
	if sent := ask[[]sending](alice, "POST", "publish", map[string]any{"owner": "alice", "uid": uid, "to": []string{"press@elsewhere.test"}}); len(sent) != 1 || sent[0].Sentence != "gets it for information, by mail" {
		t.Errorf("published: %+v", sent)
	}
	if sent := ask[[]sending](bob, "POST", "forward", map[string]any{"owner": "bob", "uid": uid, "to": []string{"gus@elsewhere.test"}}); len(sent) != 1 {
		t.Errorf("forwarded: %+v", sent)
	}
	if sent := ask[[]sending](bob, "POST", "delegate", map[string]any{"owner": "bob", "uid": uid, "to": "carol@example.test"}); len(sent) == 0 {
		t.Errorf("delegated: %+v", sent)
	}
	for what, c := range map[string]struct {
		path string
		body map[string]any
	}{
		"a time that is none":   {"propose", map[string]any{"owner": "bob", "uid": uid, "start": "soon"}},
		"nothing":               {"propose", map[string]any{"owner": "bob", "uid": uid}},
		"to nobody":             {"publish", map[string]any{"owner": "alice", "uid": uid}},
		"not hers":              {"forward", map[string]any{"owner": "alice", "uid": "none", "to": []string{"x@y.test"}}},
		"to what is no address": {"delegate", map[string]any{"owner": "bob", "uid": uid, "to": "carol"}},
	} {
		if status := statusOf(bob, "POST", c.path, c.body); status < 400 || status >= 500 {
			t.Errorf("%s: status %d", what, status)
		}
	}
}

func TestUndoAndPreferences(t *testing.T) {
	o := newOffice(t, fixed)
	alice := o.signIn("alice")
	p := ask[preferencesOnWire](alice, "PUT", "preferences", map[string]any{"undoSeconds": 120, "tellBusy": []string{"@elsewhere.test"}})
	if p.UndoSeconds == nil || *p.UndoSeconds != 120 || len(p.TellBusy) != 1 {
		t.Errorf("preferences: %+v", p)
	}
	made := ask[saved](alice, "POST", "events", meeting("alice", "Planning", "2026-11-20T13:00", "2026-11-20T14:00", "dave@elsewhere.test"))
	uid := ask[eventOnWire](alice, "GET", made.path(), nil).UID
	if u := ask[undoOnWire](alice, "GET", "undo?owner=alice&uid="+uid, nil); u.Seconds != 120 {
		t.Errorf("undo for %d s", u.Seconds)
	}
	if page := ask[struct{ Messages []messageOnWire }](alice, "GET", "messages?show=waiting", nil); len(page.Messages) != 1 || !page.Messages[0].CanUndo {
		t.Errorf("waiting: %+v", page.Messages)
	}
	ask[map[string]any](alice, "POST", "undo", map[string]any{"owner": "alice", "uid": uid})
	if status := statusOf(alice, "GET", made.path(), nil); status != http.StatusNotFound {
		t.Errorf("after undo: status %d", status)
	}
	if u := ask[undoOnWire](alice, "GET", "undo?owner=alice&uid="+uid, nil); u.Seconds != 0 {
		t.Errorf("undo twice for %d s", u.Seconds)
	}
	d := ask[preferencesOnWire](alice, "POST", "designates", map[string]any{"address": "bob@example.test"})
	if len(d.Designates) != 1 || d.Designates[0].Address != "bob@example.test" || d.Designates[0].For != "" {
		t.Errorf("designates: %+v", d.Designates)
	}
	if d = ask[preferencesOnWire](alice, "DELETE", "designates?address=bob@example.test&for=", nil); len(d.Designates) != 0 {
		t.Errorf("designates after: %+v", d.Designates)
	}
	for _, c := range []struct {
		method, path string
		body         map[string]any
	}{
		{"PUT", "preferences", map[string]any{"undoSeconds": 1 << 40}},
		{"PUT", "preferences", map[string]any{"undoSeconds": -5}},
		{"PUT", "preferences", map[string]any{"tellBusy": []string{"?"}}},
		{"POST", "designates", map[string]any{"address": ""}},
		{"POST", "designates", map[string]any{"address": "alice@example.test"}},
		{"POST", "undo", map[string]any{"owner": "bob", "uid": uid}},
	} {
		if status := statusOf(alice, c.method, c.path, c.body); status < 400 || status >= 500 {
			t.Errorf("%s %s %v: status %d", c.method, c.path, c.body, status)
		}
	}
}

func TestRoomsAndTheirPolicies(t *testing.T) {
	o := newOffice(t, fixed)
	room, err := o.accounts.Add(t.Context(), account.NewAccount{Address: "mailto:blue@example.test", DisplayName: "Blue room", Kind: store.Room})
	if err != nil {
		t.Fatal(err)
	}
	alice, bob := o.signIn("alice"), o.signIn("bob")
	if err := o.accounts.Edit(t.Context(), o.people["alice"].Account, func(a *store.Account) error { a.Admin = true; return nil }); err != nil {
		t.Fatal(err)
	}
	list := ask[[]roomOnWire](alice, "GET", "rooms", nil)
	if len(list) != 1 || list[0].Address != "blue@example.test" || !list[0].MayChange {
		t.Fatalf("rooms: %+v", list)
	}
	if list := ask[[]roomOnWire](bob, "GET", "rooms", nil); len(list) != 1 || list[0].MayChange {
		t.Errorf("rooms for bob: %+v", list)
	}
	policy := list[0].Policy
	policy.Open, policy.Longest, policy.Capacity, policy.Approvers = []string{"mon-fri 08:00-18:00"}, 240, 8, []string{"bob@example.test"}
	if got := ask[roomOnWire](alice, "PUT", "rooms/blue", policy); got.Policy.Longest != 240 || got.Policy.Open[0] != "mon-fri 08:00-18:00" {
		t.Errorf("saved: %+v", got)
	}
	p, err := o.calendar.BookingPolicy(t.Context(), o.people["bob"], room.ID)
	if err != nil || p.Longest != 4*time.Hour {
		t.Errorf("stored: %+v %v", p, err)
	}
	ask[saved](alice, "POST", "events", meeting("alice", "Planning", "2026-11-20T13:00", "2026-11-20T14:00", "blue@example.test"))
	page := ask[struct{ Messages []messageOnWire }](bob, "GET", "messages?show=held", nil)
	if len(page.Messages) != 1 || !page.Messages[0].Booking {
		t.Errorf("bob decides about %+v", page.Messages)
	}
	if status := statusOf(bob, "PUT", "rooms/blue", policy); status != http.StatusForbidden {
		t.Errorf("bob sets the policy: %d", status)
	}
	policy.Longest = 1 << 60
	if status := statusOf(alice, "PUT", "rooms/blue", policy); status < 400 || status >= 500 {
		t.Errorf("without end: %d", status)
	}
	if status := statusOf(alice, "PUT", "rooms/nowhere", policy); status != http.StatusNotFound {
		t.Errorf("no room: %d", status)
	}
}

// SC-045 in the browser.
func TestADesignateIsLetActForEver(t *testing.T) {
	o := newOffice(t, fixed)
	bob := o.signIn("bob")
	send := func(uid string) calendar.Received {
		cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261120T090000Z\r\nSUMMARY:S\r\n" +
			"ORGANIZER;SENT-BY=\"mailto:sec@elsewhere.test\":mailto:boss@elsewhere.test\r\nATTENDEE:mailto:bob@example.test\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := o.calendar.Receive(t.Context(), calendar.Arrival{To: o.people["bob"].Account, Recipient: "mailto:bob@example.test", From: "mailto:sec@elsewhere.test", Message: cal, Transport: "mail"})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	send("1")
	page := ask[struct{ Messages []messageOnWire }](bob, "GET", "messages?show=held", nil)
	if len(page.Messages) != 1 || !page.Messages[0].CanAlways {
		t.Fatalf("held: %+v", page.Messages)
	}
	ask[messageOnWire](bob, "POST", "messages/"+jsonNumber(page.Messages[0].ID)+"/approve?always=1", map[string]any{})
	if r := send("2"); r.Entry.State != "applied" {
		t.Errorf("the next one is %s: %s", r.Entry.State, r.Entry.Sentence)
	}
}

func statusOf(b *browser, method, path string, body any) int {
	status, _ := b.try(method, path, body)
	return status
}
