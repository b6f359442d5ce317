package davserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/davserver"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

const lockinfo = `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner><href>mailto:ann@example.test</href></owner></lockinfo>`

var sharedLock = strings.Replace(lockinfo, "exclusive", "shared", 1)

func (a *answer) token() string {
	a.t.Helper()
	token := strings.Trim(a.header.Get("Lock-Token"), "<>")
	if token == "" {
		a.t.Fatalf("%s: no Lock-Token in status %d\n%s", a.what, a.status, a.body)
	}
	return token
}

// A story of locks on calendars and events (RFC 4918 6, 7), on both databases.
func TestLocks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := openOn(t, s, davserver.Limits{}, "ann", "bob")
		h.put("ann", ann+"1.ics", event("1", one))
		changed := event("1", one+" changed")

		token := h.as("ann", "LOCK", ann+"1.ics", "Depth: 0\nTimeout: Second-600", lockinfo).is(200).token()
		h.as("ann", "PROPFIND", ann+"1.ics", "Depth: 0", props("lockdiscovery")).is(207).
			has("<d:locktoken><d:href>"+token+"</d:href></d:locktoken>", "<d:timeout>Second-600</d:timeout>", "mailto:ann@example.test", "<d:lockroot><d:href>"+ann+"1.ics</d:href></d:lockroot>")
		h.as("ann", "LOCK", ann+"1.ics", "Depth: 0", lockinfo).is(423).has("no-conflicting-lock")
		for _, m := range []string{"PUT", "DELETE", "PROPPATCH"} {
			h.as("ann", m, ann+"1.ics", "", changed).is(423).has("<d:lock-token-submitted><d:href>" + ann + "1.ics</d:href>")
		}
		h.as("ann", "MOVE", ann+"1.ics", "Destination: "+ann+"2.ics", "").is(423)
		h.as("ann", "PUT", ann+"1.ics", "If: (<urn:uuid:made-up>)", changed).is(412)
		h.as("ann", "PUT", ann+"1.ics", "If: (<"+token+">)", changed).is(204)
		h.as("ann", "PUT", ann+"2.ics", "", event("2", one)).is(201) // another object

		h.later(9 * time.Minute)
		h.as("ann", "LOCK", ann+"1.ics", "If: (<"+token+">)\nTimeout: Second-600", "").is(200).has("Second-600")
		h.later(9 * time.Minute)
		h.as("ann", "PUT", ann+"1.ics", "", changed).is(423)
		h.later(2 * time.Minute) // a stale lock is none
		h.as("ann", "PUT", ann+"1.ics", "", event("1", one)).is(204)
		h.as("ann", "PUT", ann+"1.ics", "If: (<"+token+">)", changed).is(412)
		h.as("ann", "UNLOCK", ann+"1.ics", "Lock-Token: <"+token+">", "").is(409)

		// A whole calendar, and a member that is in the way.
		inner := h.as("ann", "LOCK", ann+"2.ics", "Depth: 0", sharedLock).is(200).token()
		h.as("ann", "LOCK", ann, "Depth: infinity", lockinfo).is(207).has("423 Locked", "424 Failed Dependency")
		h.as("ann", "UNLOCK", ann+"2.ics", "Lock-Token: <"+inner+">", "").is(204)
		whole := h.as("ann", "LOCK", ann, "Depth: infinity", lockinfo).is(200).token()
		h.as("ann", "PUT", ann+"3.ics", "", event("3", one)).is(423).has("<d:href>/dav/calendars/ann/default</d:href>")
		h.as("ann", "PUT", ann+"3.ics", "If: <"+ann+"> (<"+whole+">)", event("3", one)).is(201)
		h.as("bob", "UNLOCK", ann, "Lock-Token: <"+whole+">", "").is(404)
		h.as("ann", "UNLOCK", ann+"3.ics", "Lock-Token: <"+whole+">", "").is(204) // any place in its scope

		// A lock of depth 0 on a calendar protects which members it has.
		flat := h.as("ann", "LOCK", ann, "Depth: 0", lockinfo).is(200).token()
		h.as("ann", "PUT", ann+"4.ics", "", event("4", one)).is(423)
		h.as("ann", "DELETE", ann+"3.ics", "", "").is(423)
		h.as("ann", "PUT", ann+"3.ics", "", event("3", one+" changed")).is(204)
		h.as("ann", "UNLOCK", ann, "Lock-Token: <"+flat+">", "").is(204)

		// Two readers of a shared lock; one token is enough for its holder.
		first := h.as("ann", "LOCK", ann+"1.ics", "Depth: 0", sharedLock).is(200).token()
		h.as("ann", "LOCK", ann+"1.ics", "Depth: 0", sharedLock).is(200).token()
		h.as("ann", "LOCK", ann+"1.ics", "Depth: 0", lockinfo).is(423)
		h.as("ann", "PUT", ann+"1.ics", "If: (<"+first+">)", event("1", one+" again")).is(204)

		// What is deleted is locked no longer.
		gone := h.as("ann", "LOCK", ann+"3.ics", "Depth: 0", lockinfo).is(200).token()
		h.as("ann", "DELETE", ann+"3.ics", "If: (<"+gone+">)", "").is(204)
		h.as("ann", "PUT", ann+"3.ics", "", event("3", one)).is(201)
	})
}

// Plain collections hold anything and can be copied, moved and deleted whole.
func TestPlainCollections(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := openOn(t, s, davserver.Limits{}, "ann")
		home := "/dav/calendars/ann/"
		for _, p := range []string{"a/", "a/b/", "a/b/ü x/"} {
			h.as("ann", "MKCOL", home+strings.ReplaceAll(strings.ReplaceAll(p, "ü", "%C3%BC"), " ", "%20"), "", "").is(201)
		}
		h.as("ann", "MKCOL", home+"a/none/c/", "", "").is(409)
		h.as("ann", "PUT", home+"a/none/file", "", "x").is(409)
		h.as("ann", "PUT", home+"a/b/%C3%BC%20x/file", "Content-Type: text/plain\nContent-Language: de", "hello").is(201)
		h.as("ann", "PROPPATCH", home+"a/b/%C3%BC%20x/file", "", `<propertyupdate xmlns="DAV:"><set><prop><x:y xmlns:x="u:x">z</x:y></prop></set></propertyupdate>`).is(207)
		h.as("ann", "COPY", home+"a/", "Destination: "+home+"c/", "").is(201)
		h.as("ann", "COPY", home+"a/", "Destination: "+home+"c/\nOverwrite: F", "").is(412)
		h.as("ann", "COPY", home+"a/", "Destination: "+home+"shallow/\nDepth: 0", "").is(201)
		h.as("ann", "GET", home+"shallow/b/%C3%BC%20x/file", "", "").is(404)
		h.as("ann", "COPY", home+"a/", "Destination: "+home+"a/b/in/", "").is(403)
		h.as("ann", "MOVE", home+"c/b/", "Destination: "+home+"c/moved/", "").is(201)
		h.as("ann", "PROPFIND", home+"c/moved/%C3%BC%20x/", "Depth: 1", props("getcontentlanguage", "y xmlns='u:x'")).is(207).has(home+"c/moved/%C3%BC%20x/file", ">de<", ">z<")
		h.as("ann", "GET", home+"a/b/%C3%BC%20x/file", "", "").is(200).has("hello")
		h.as("ann", "DELETE", home+"a/", "", "").is(204)
		h.as("ann", "GET", home+"a/b/%C3%BC%20x/file", "", "").is(404)
		h.as("ann", "GET", home+"c/moved/%C3%BC%20x/file", "", "").is(200).has("hello")
	})
}

// A lock says nothing of what it lies on to those who may not know that it is
// there.
func TestLocksTellStrangersNothing(t *testing.T) {
	h := open(t, "ann", "bob")
	h.as("ann", "MKCALENDAR", "/dav/calendars/ann/hidden/", "", `<C:mkcalendar`+ns+`><set><prop><C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp></prop></set></C:mkcalendar>`).is(201)
	h.put("ann", "/dav/calendars/ann/hidden/divorce.ics", event("1", one))
	h.as("ann", "MKCOL", "/dav/calendars/ann/files/", "", "").is(201)
	lock := `<lockinfo` + ns + `><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`
	for _, at := range []string{"/dav/calendars/ann/hidden/divorce.ics", "/dav/calendars/ann/files/"} {
		h.as("ann", "LOCK", at, "", lock).is(200)
	}
	for _, c := range []struct{ method, path, there string }{
		{"DELETE", "/dav/calendars/ann/hidden/", "/dav/calendars/ann/nothing/"},
		{"DELETE", "/dav/calendars/ann/hidden/divorce.ics", "/dav/calendars/ann/nothing/divorce.ics"},
		{"DELETE", "/dav/calendars/ann/files/", "/dav/calendars/ann/nothing/"},
		{"PROPPATCH", "/dav/calendars/ann/files/", "/dav/calendars/ann/nothing/"},
	} {
		body := ""
		if c.method == "PROPPATCH" {
			body = `<propertyupdate` + ns + `><set><prop><displayname>x</displayname></prop></set></propertyupdate>`
		}
		got, want := h.as("bob", c.method, c.path, "", body), h.as("bob", c.method, c.there, "", body)
		if got.status != want.status {
			t.Errorf("bob: %s %s: %d, of what is not there %d\n%s", c.method, c.path, got.status, want.status, got.body)
		}
		got.lacks("divorce.ics</", "locked by")
	}
}

// However a tree comes to where it is, it is not deeper than one that is made there.
func TestTreesAreNotTooDeep(t *testing.T) {
	h := open(t, "ann")
	const home = "/dav/calendars/ann/"
	deep := func(root string, n int) string {
		t.Helper()
		path := home + root + "/"
		h.as("ann", "MKCOL", path, "", "").is(201)
		for range n - 1 {
			path += "d/"
			h.as("ann", "MKCOL", path, "", "").is(201)
		}
		return path
	}
	end := deep("a", 12)
	deep("b", 12)
	for _, method := range []string{"MOVE", "COPY"} {
		h.as("ann", method, home+"b/", "Destination: "+end+"b/", "").is(403).has("at most 20 deep")
	}
	h.as("ann", "COPY", home+"b/", "Depth: 0\nDestination: "+end+"b/", "").is(201)
	h.as("ann", "MOVE", home+"b/d/d/d/d/", "Destination: "+end+"e/", "").is(201)
}
