package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/store"
)

// A calendar is shared by invitation and without, with a person and a group,
// changed and taken back.
func TestSharesAndOffers(t *testing.T) {
	o := newOffice(t, fixed)
	alice, bob, carol := o.signIn("alice"), o.signIn("bob"), o.signIn("carol")
	team, err := o.accounts.Add(t.Context(), account.NewAccount{Address: "mailto:team@example.test", DisplayName: "Team", Kind: store.Group})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.accounts.AddMembers(t.Context(), team.ID, addresses("carol@example.test")); err != nil {
		t.Fatal(err)
	}
	s := ask[sharesOnWire](alice, "POST", "shares/alice/default", map[string]any{"who": "bob@example.test", "access": "act", "ask": true})
	if len(s.Kinds) != 5 || len(s.Shares) != 1 || s.Shares[0] != (shareOnWire{"bob", "Bob", "individual", "act", "invited"}) {
		t.Errorf("after asking bob: %+v", s)
	}
	offers := ask[[]offeredOnWire](bob, "GET", "offered", nil)
	if len(offers) != 1 || offers[0].OwnerName != "Alice" || offers[0].Mode != "act" {
		t.Fatalf("bob's offers: %+v", offers)
	}
	if c := ask[map[string]int](bob, "GET", "counts", nil); c["invitations"] != 1 {
		t.Errorf("bob's counts: %v", c)
	}
	shared := func(b *browser) (out []calendarOnWire) {
		t.Helper()
		for _, c := range ask[[]calendarOnWire](b, "GET", "calendars", nil) {
			if c.Owner == "alice" {
				out = append(out, c)
			}
		}
		return out
	}
	if list := shared(bob); len(list) != 0 {
		t.Errorf("bob has %+v before he accepts", list)
	}
	ask[any](bob, "POST", "shared", map[string]any{"owner": "alice", "id": offers[0].ID, "accept": true})
	if list := shared(bob); len(list) != 1 || list[0].Mode != "act" || list[0].Access != "write" || list[0].ID != offers[0].ID {
		t.Errorf("bob has %+v", list)
	}
	ask[sharesOnWire](alice, "POST", "shares/alice/default", map[string]any{"who": "bob", "access": "read", "ask": false})
	s = ask[sharesOnWire](alice, "POST", "shares/alice/default", map[string]any{"who": "team", "access": "read-write", "ask": true})
	if len(s.Shares) != 2 {
		t.Errorf("after the group: %+v", s.Shares)
	}
	if list := shared(carol); len(list) != 1 || list[0].Mode != "read-write" {
		t.Errorf("carol's calendars: %+v", list)
	}
	if list := shared(bob); len(list) != 1 || list[0].Mode != "read" {
		t.Errorf("bob's calendars after the change: %+v", list)
	}
	ask[any](bob, "POST", "shared", map[string]any{"owner": "alice", "id": offers[0].ID, "accept": false})
	if list := shared(bob); len(list) != 0 {
		t.Errorf("bob has %+v after taking it off", list)
	}
	if s = ask[sharesOnWire](alice, "DELETE", "shares/alice/default?who=team", nil); len(s.Shares) != 1 {
		t.Errorf("after taking it back from the group: %+v", s.Shares)
	}
	s = ask[sharesOnWire](alice, "POST", "feeds/alice/default", map[string]any{"detail": "busy"})
	if len(s.Feeds) != 1 || !strings.HasPrefix(s.Feeds[0].Webcal, "webcal://") || s.Feeds[0].Detail != "busy" {
		t.Errorf("feeds: %+v", s.Feeds)
	}
	if s = ask[sharesOnWire](alice, "DELETE", "feeds/alice/default?id="+jsonNumber(s.Feeds[0].ID), nil); len(s.Feeds) != 0 {
		t.Errorf("feeds after the end: %+v", s.Feeds)
	}
	for _, c := range []struct {
		by           *browser
		method, path string
		body         any
		status       int
	}{
		{bob, "GET", "shares/alice/default", nil, http.StatusForbidden},
		{bob, "POST", "shares/alice/default", map[string]any{"who": "bob", "access": "act"}, http.StatusForbidden},
		{bob, "POST", "feeds/alice/default", map[string]any{"detail": "full"}, http.StatusForbidden},
		{alice, "POST", "shares/alice/default", map[string]any{"who": "alice", "access": "read"}, http.StatusBadRequest},
		{alice, "POST", "shares/alice/default", map[string]any{"who": "nobody", "access": "read"}, http.StatusNotFound},
		{alice, "POST", "shares/alice/default", map[string]any{"who": "bob", "access": "all"}, http.StatusBadRequest},
		{alice, "DELETE", "feeds/alice/default?id=x", nil, http.StatusBadRequest},
		{carol, "POST", "shared", map[string]any{"owner": "alice", "id": 99999, "accept": true}, http.StatusNotFound},
		{alice, "POST", "proxies", map[string]any{"who": "bob", "access": "team"}, http.StatusBadRequest},
	} {
		if status, answer := c.by.try(c.method, c.path, c.body); status != c.status {
			t.Errorf("%s %s %v: %d %s, want %d", c.method, c.path, c.body, status, answer, c.status)
		}
	}
	p := ask[proxiesOnWire](alice, "POST", "proxies", map[string]any{"who": "bob", "access": "act"})
	if len(p.Act) != 1 || p.Act[0].DisplayName != "Bob" || len(p.Read) != 0 {
		t.Errorf("proxies: %+v", p)
	}
	if p = ask[proxiesOnWire](alice, "DELETE", "proxies?who=bob&access=act", nil); len(p.Act) != 0 {
		t.Errorf("proxies after taking it back: %+v", p)
	}
}

// What was changed and deleted comes back; a followed calendar says how old it is.
func TestHistoryAndFollowed(t *testing.T) {
	o := newOffice(t, fixed)
	alice := o.signIn("alice")
	made := ask[saved](alice, "POST", "events", meeting("alice", "Planning", "2026-11-20T13:00", "2026-11-20T14:00"))
	e := ask[eventOnWire](alice, "GET", made.path(), nil)
	ask[saved](alice, "PUT", made.path(), meeting("alice", "Meddling", "2026-11-20T15:00", "2026-11-20T16:00"), "If-Match", e.ETag)
	type history struct {
		Days     int
		Versions []versionOnWire
	}
	h := ask[history](alice, "GET", "history?uid="+made.UID, nil)
	if h.Days == 0 || len(h.Versions) != 1 || h.Versions[0].Summary != "Planning" || !strings.Contains(h.Versions[0].When, "13:00") || h.Versions[0].Deleted {
		t.Fatalf("history: %+v", h)
	}
	ask[any](alice, "POST", "history", map[string]any{"object": h.Versions[0].Object, "seq": h.Versions[0].Seq})
	if e = ask[eventOnWire](alice, "GET", made.path(), nil); e.Event.Summary != "Planning" {
		t.Errorf("restored: %+v", e.Event)
	}
	if status, answer := alice.try("DELETE", made.path(), nil, "If-Match", e.ETag); status >= 300 {
		t.Fatal(answer)
	}
	h = ask[history](alice, "GET", "history?deleted=1", nil)
	if len(h.Versions) != 1 || !h.Versions[0].Deleted {
		t.Fatalf("deleted: %+v", h)
	}
	if status, answer := o.signIn("bob").try("POST", "history", map[string]any{"object": h.Versions[0].Object, "seq": h.Versions[0].Seq}); status != http.StatusNotFound {
		t.Errorf("bob restores alice's: %d %s", status, answer)
	}
	ask[any](alice, "POST", "history", map[string]any{"object": h.Versions[0].Object, "seq": h.Versions[0].Seq})
	if occ := occurrences(alice, "2026-11-16", "2026-11-23"); len(occ) != 1 {
		t.Errorf("back from the deleted: %+v", occ)
	}

	f := ask[[]followedOnWire](alice, "POST", "followed", map[string]any{"url": "webcal://calendar.invalid/x.ics"})
	if len(f) != 1 || f[0].Refreshed != "" {
		t.Fatalf("followed: %+v", f)
	}
	ask[[]followedOnWire](alice, "POST", "followed/"+jsonNumber(f[0].ID)+"/refresh", "{}")
	for _, c := range ask[[]calendarOnWire](alice, "GET", "calendars", nil) {
		if c.Followed != (c.ID == f[0].ID) || c.Followed && c.Access != "read" {
			t.Errorf("calendar: %+v", c)
		}
	}
	if status, _ := alice.try("POST", "followed", map[string]any{"url": "nonsense"}); status != http.StatusForbidden && status != http.StatusBadRequest {
		t.Errorf("nonsense is followed: %d", status)
	}
}

// Alice shares from the calendar's menu; bob accepts among his invitations, and
// takes it off again.
func TestBrowserSharing(t *testing.T) {
	chromium(t)
	o := newOffice(t, time.Now)
	newWindow := openBrowser(t, o.url)
	alice, bob := newWindow(), newWindow()
	alice.scheme("light")
	alice.signIn("alice")
	alice.press("Change or share Calendar")
	alice.says("Nobody else sees what is in it")
	alice.tabTo(`f.placeholder === "Name or mail address"`)
	alice.keys("bob@example.test")
	alice.tabTo(`f.type === "checkbox"`)
	alice.keys(" ")
	alice.tabTo(`f.innerText === "Share"`)
	alice.keys(kb.Enter)
	alice.says("has not answered yet")
	alice.shot("share")
	bob.signIn("bob")
	bob.press("Invitations")
	bob.says("Alice shares the calendar")
	bob.press("Accept")
	bob.says("is among your calendars now")
	bob.press("Calendar")
	bob.press("About Calendar")
	bob.says("A calendar of Alice; you can read it.")
	bob.press("Take it off my list")
	bob.until(`!document.querySelector("dialog[open]") && document.querySelectorAll(".calendars li").length === 1`)
	alice.until(`document.querySelector("dialog[open]").innerText.includes("has declined")`)
	alice.press("Take back: Bob")
	alice.says("Nobody else sees what is in it")
	alice.quiet()
	bob.quiet()
}
