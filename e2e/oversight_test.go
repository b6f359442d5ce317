package e2e

import (
	"strings"
	"testing"
)

// Who reads or acts for everybody is named in the configuration, and by default
// nobody is; each visit is on record for the owner and in the service's log.
func TestOversight(t *testing.T) { onEachStore(t, oversight) }

func oversight(t *testing.T, store ...string) {
	s := newService(t, "example.test", []string{"alice", "rita", "otto"}, store...)
	s.cli("", "account", "add", "boss@example.test", "--admin", "--no-password")
	s.start()
	at := "/dav/calendars/alice/default/one.ics"
	s.expect(201, s.do("alice", "PUT", at, event("one", "DTSTART:20270401T100000Z\nSUMMARY:Plan"), "Content-Type", "text/calendar"))
	s.expect(404, s.do("rita", "GET", at, ""))
	s.expect(404, s.do("otto", "GET", at, ""))
	if out := s.cli("", "account", "visits", "alice"); out != "" {
		t.Errorf("visits before anybody is named: %s", out)
	}
	s.stop()

	s.env = append(s.env, "CONVENE_OVERSIGHT_READ=rita@example.test", "CONVENE_OVERSIGHT_ACT=otto,nobody@example.test")
	s.start()
	for _, line := range []string{`let into everybody's calendars" login=rita@example.test may=read`, `let into everybody's calendars" login=otto may=act`, `oversight names no account" login=nobody@example.test`} {
		if !strings.Contains(s.log.String(), line) {
			t.Errorf("the log lacks %s:\n%s", line, s.log)
		}
	}
	find := `<propfind xmlns="DAV:"><prop><resourcetype/><acl/></prop></propfind>`
	if r := s.expect(207, s.do("rita", "PROPFIND", "/dav/calendars/alice/", find, "Depth", "1")); !strings.Contains(r.body, "/alice/default/") || strings.Contains(r.body, "/alice/inbox/") {
		t.Errorf("who reads everybody's calendars finds:\n%s", r.body)
	}
	s.expect(200, s.do("rita", "GET", at, ""))
	s.expect(403, s.do("rita", "DELETE", at, ""))
	s.expect(204, s.do("otto", "PUT", at, event("one", "DTSTART:20270401T100000Z\nSUMMARY:Changed"), "Content-Type", "text/calendar"))
	s.expect(403, s.do("otto", "ACL", "/dav/calendars/alice/default/", `<acl xmlns="DAV:"><ace><principal><href>/dav/principals/otto/</href></principal><grant><privilege><read/></privilege></grant></ace></acl>`, "Content-Type", "application/xml"))
	members := `<propertyupdate xmlns="DAV:"><set><prop><group-member-set><href>/dav/principals/otto/</href></group-member-set></prop></set></propertyupdate>`
	if r := s.do("otto", "PROPPATCH", "/dav/principals/alice/calendar-proxy-write/", members, "Content-Type", "application/xml"); !strings.Contains(r.body, "need-privileges") {
		t.Errorf("an overseer makes themselves a proxy: %d %s", r.status, r.body)
	}
	s.expect(200, s.do("alice", "GET", at, "")) // her password is what it was

	out := s.cli("", "account", "visits", "alice")
	for _, who := range []string{"rita", "otto"} {
		if !strings.Contains(out, who) || !strings.Contains(s.log.String(), "msg=oversight by="+who+" owner=alice calendar=default") {
			t.Errorf("no record of %s:\n%s%s", who, out, s.log)
		}
	}
	if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) < 3 || !strings.Contains(out, "changed") || !strings.Contains(out, "rita                 read") || strings.Contains(out, "rita                 changed") {
		t.Errorf("visits:\n%s", out)
	}
	if r := s.do("alice", "PROPFIND", "/dav/calendars/alice/default/", find, "Depth", "0"); !strings.Contains(r.body, "/dav/principals/otto/") || !strings.Contains(r.body, "/dav/principals/rita/") {
		t.Errorf("the owner does not see in the ACL who is let in:\n%s", r.body)
	}
}
