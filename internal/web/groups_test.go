package web

import (
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// admin makes an account an administrator's.
func (o *office) admin(name string) {
	o.t.Helper()
	if err := o.accounts.Edit(o.t.Context(), o.people[name].Account, func(a *store.Account) error { a.Admin = true; return nil }); err != nil {
		o.t.Fatal(err)
	}
}

// Administrators make groups and say who is in them; members see theirs.
func TestGroups(t *testing.T) {
	o := newOffice(t, fixed)
	o.admin("alice")
	alice, bob, carol := o.signIn("alice"), o.signIn("bob"), o.signIn("carol")
	g := ask[groupOnWire](alice, "POST", "groups", map[string]any{"address": "team@example.test", "displayName": "Team"})
	if g.Name != "team" || !g.MayChange || len(g.Members) != 0 {
		t.Errorf("made: %+v", g)
	}
	g = ask[groupOnWire](alice, "POST", "groups/team/members", map[string]any{"who": []string{"bob@example.test", "dave@elsewhere.test"}})
	if len(g.Members) != 2 || g.Members[0] != (memberOnWire{"bob@example.test", "Bob", "individual"}) || g.Members[1].Name != "" {
		t.Errorf("members: %+v", g.Members)
	}
	if list := ask[[]groupOnWire](bob, "GET", "groups", nil); len(list) != 1 || list[0].MayChange || len(list[0].Members) != 2 {
		t.Errorf("bob's groups: %+v", list)
	}
	if list := ask[[]groupOnWire](carol, "GET", "groups", nil); len(list) != 0 {
		t.Errorf("carol's groups: %+v", list)
	}
	for _, c := range []struct {
		by           *browser
		method, path string
		body         any
		status       int
	}{
		{bob, "POST", "groups/team/members", map[string]any{"who": []string{"carol@example.test"}}, http.StatusForbidden},
		{bob, "DELETE", "groups/team/members", map[string]any{"who": []string{"bob@example.test"}}, http.StatusForbidden},
		{bob, "POST", "groups", map[string]any{"address": "x@example.test", "displayName": "X"}, http.StatusForbidden},
		{alice, "POST", "groups/alice/members", map[string]any{"who": []string{"bob@example.test"}}, http.StatusBadRequest},
		{alice, "POST", "groups/team/members", map[string]any{"who": []string{"team@example.test"}}, http.StatusBadRequest},
		{alice, "POST", "groups/nothing/members", map[string]any{"who": []string{"bob@example.test"}}, http.StatusNotFound},
		{alice, "POST", "groups", map[string]any{"address": "team@example.test", "displayName": "Again"}, http.StatusConflict},
	} {
		if status, answer := c.by.try(c.method, c.path, c.body); status != c.status {
			t.Errorf("%s %s %v: %d %s, want %d", c.method, c.path, c.body, status, answer, c.status)
		}
	}
	if g = ask[groupOnWire](alice, "DELETE", "groups/team/members", map[string]any{"who": []string{"bob@example.test"}}); len(g.Members) != 1 {
		t.Errorf("after taking bob out: %+v", g.Members)
	}
}

// An administrator fills a group; the approver of a room decides on its page.
func TestBrowserGroupsAndRooms(t *testing.T) {
	chromium(t)
	o := newOffice(t, time.Now)
	o.admin("alice")
	room, err := o.accounts.Add(t.Context(), account.NewAccount{Address: "mailto:blue@example.test", DisplayName: "Blue room", Kind: store.Room})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.calendar.SetBookingPolicy(t.Context(), account.Actor{Account: o.people["alice"].Account, Admin: true}, room.ID, itip.RoomPolicy{Approvers: []string{"alice@example.test"}}); err != nil {
		t.Fatal(err)
	}
	day := time.Now().AddDate(0, 0, 14).Format(time.DateOnly)
	made := ask[saved](o.signIn("bob"), "POST", "events", meeting("bob", "Choir", day+"T10:00", day+"T11:00", "blue@example.test"))
	alice := openBrowser(t, o.url)()
	alice.scheme("light")
	alice.signIn("alice")
	alice.press("Rooms")
	alice.says("Requests that wait for you")
	alice.says("There are no groups yet")
	alice.shot("rooms-request")
	alice.press("Give the room")
	alice.until(`!document.body.innerText.includes("Requests that wait for you")`)
	if e := ask[eventOnWire](o.signIn("bob"), "GET", made.path(), nil); statOf(e, "blue@example.test") != "ACCEPTED" {
		t.Errorf("the room: %+v", e.Event.Attendees)
	}
	alice.tabTo(`f.name === "group"`)
	alice.keys("The team" + kb.Tab + "team@example.test" + kb.Enter)
	alice.says("0 members")
	alice.tabTo(`f.list && f.closest(".group-card")`)
	alice.keys("bob@example.test, dave@elsewhere.test" + kb.Enter)
	alice.says("2 members")
	alice.shot("groups")
	alice.press("Remove: Bob")
	alice.says("1 member")
	alice.quiet()
}
