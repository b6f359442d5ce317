package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/harness/program"
)

// tsdav is the CalDAV library of many web applications; tsdav/script.mjs says
// what it does here.
func TestTsdav(t *testing.T) { onEachStore(t, tsdav) }

func tsdav(t *testing.T, store ...string) {
	node := program.Need(t, "node", "node")
	if _, err := os.Stat("tsdav/node_modules/tsdav"); err != nil {
		if strings.Contains(os.Getenv("CONVENE_REQUIRE"), "node") {
			t.Fatal("tsdav is required: cd e2e/tsdav && npm ci --ignore-scripts")
		}
		t.Skip("SKIP node: e2e/tsdav/node_modules is not there (cd e2e/tsdav && npm ci --ignore-scripts)")
	}
	s := newService(t, "example.test", []string{"alice", "bob"}, store...).start()
	s.expect(201, s.do("alice", "PUT", "/dav/calendars/alice/default/from-server.ics", event("from-server", "DTSTART:20270401T100000Z\nDTEND:20270401T110000Z\nSUMMARY:From the server"), "Content-Type", "text/calendar"))
	s.put("bob", "/dav/calendars/bob/default/plan.ics", event("plan", "DTSTART:20270401T100000Z\nSUMMARY:Bob's plan"))
	s.expect(200, s.do("bob", "ACL", "/dav/calendars/bob/default/", `<acl xmlns="DAV:"><ace><principal><href>/dav/principals/alice/</href></principal><grant><privilege><read/></privilege></grant></ace></acl>`, "Content-Type", "application/xml"))
	cmd := exec.CommandContext(t.Context(), node, "script.mjs", "http://"+s.http+"/")
	cmd.Dir, cmd.WaitDelay = "tsdav", time.Second
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "tsdav is content") {
		t.Errorf("%v\n%s", err, out)
	}
	s.has("bob", "meeting", "ATTENDEE", "PARTSTAT=ACCEPTED", "mailto:alice@example.test")
	if r := s.do("bob", "GET", "/dav/calendars/bob/default/", ""); !strings.Contains(r.body, "SUMMARY:Bob's plan") || strings.Contains(r.body, "Slipped in") {
		t.Errorf("bob's calendar has\n%s", r.body)
	}
}
