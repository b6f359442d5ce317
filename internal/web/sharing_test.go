package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// A person shares, publishes, lets somebody act and takes it all back, on a
// page without JavaScript.
func TestSharingPage(t *testing.T) {
	o := newOffice(t, fixed)
	alice, bob := o.signIn("alice"), o.signIn("bob")
	do := func(b *browser, status int, has string, fields ...string) string {
		t.Helper()
		values := url.Values{}
		for i := 0; i+1 < len(fields); i += 2 {
			values.Set(fields[i], fields[i+1])
		}
		r := b.form("/sharing/plain", values)
		body := text(t, r)
		if r.StatusCode != status || !strings.Contains(body, has) {
			t.Errorf("%v: %s, without %q:\n%s", fields, r.Status, has, body)
		}
		return body
	}
	see := func(b *browser, has string) string {
		t.Helper()
		body := text(t, b.get("/sharing/plain"))
		if !strings.Contains(body, has) {
			t.Errorf("the page lacks %q:\n%s", has, body)
		}
		return body
	}
	if r := o.browser().get("/sharing/plain"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("without signing in: %s", r.Status)
	}
	see(alice, "Nobody else sees what is in it")
	do(alice, 422, "nobody", "do", "share", "calendar", "default", "who", "nobody@example.test", "access", "read")
	do(alice, 422, "kind of access", "do", "share", "calendar", "default", "who", "bob", "access", "everything")
	do(alice, 200, "It is shared with Bob", "do", "share", "calendar", "default", "who", "bob@example.test", "access", "act")
	see(alice, "act for me in it")
	theirs := see(bob, "Calendar of Alice")
	owner := regexp.MustCompile(`name="owner" value="([^"]+)"><input type="hidden" name="id" value="(\d+)"`).FindStringSubmatch(theirs)
	do(bob, 200, "Done", "do", "decline", "owner", owner[1], "id", owner[2])
	see(alice, "has declined")
	do(alice, 200, "no longer", "do", "unshare", "calendar", "default", "who", "bob")

	page := do(alice, 200, "/feeds/", "do", "publish-busy", "calendar", "default")
	do(alice, 200, "has ended", "do", "end-feed", "feed", regexp.MustCompile(`name="feed" value="(\d+)"`).FindStringSubmatch(page)[1])
	if strings.Contains(see(alice, "Sharing"), "/feeds/") {
		t.Error("an ended address is still listed")
	}
	do(alice, 200, "acts for you", "do", "act", "who", "carol")
	do(alice, 200, "Done", "do", "dismiss", "who", "carol", "access", "act")
	do(alice, 422, "no address of a calendar", "do", "follow", "url", "nonsense")
	followed := do(alice, 200, "not fetched yet", "do", "follow", "url", "webcal://calendar.invalid/x.ics")
	do(alice, 200, "no longer", "do", "unfollow", "calendar", regexp.MustCompile(`name="calendar" value="(subscribed-[a-z0-9]+)"`).FindStringSubmatch(followed)[1])
	do(alice, 422, "no such button", "do", "explode")
	do(bob, 422, "", "do", "restore", "object", "1", "seq", "1")
}
