package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// synced is a folder of calendars that vdirsyncer keeps in step with the
// server's, as somebody has it who uses khal or todoman.
type synced struct {
	*service
	home, user string
}

// vdirsyncer sets a folder up; winner of a conflict is "a", the folder, or "b",
// the server.
func (s *service) vdirsyncer(user, winner string) synced {
	s.t.Helper()
	v := synced{s, s.t.TempDir(), user}
	file(s.t, v.home+"/.config/vdirsyncer/config", `
[general]
status_path = "`+v.home+`/status/"
[pair p]
a = "local"
b = "remote"
collections = ["from b"]
conflict_resolution = "`+winner+` wins"
[storage local]
type = "filesystem"
path = "`+v.home+`/calendars/"
fileext = ".ics"
[storage remote]
type = "caldav"
url = "http://`+s.http+`/"
username = "`+user+`"
password = "`+user+`"
`)
	client(s.t, v.home, "vdirsyncer", "discover")
	return v
}

func (v synced) sync() { v.t.Helper(); client(v.t, v.home, "vdirsyncer", "sync") }

// refused is a sync in which the server takes something not; it says so.
func (v synced) refused() string {
	v.t.Helper()
	cmd := exec.Command("vdirsyncer", "sync")
	cmd.Env = append(os.Environ(), "HOME="+v.home, "XDG_CONFIG_HOME="+v.home+"/.config", "XDG_DATA_HOME="+v.home+"/.local", "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err == nil {
		v.t.Errorf("vdirsyncer noticed no refusal:\n%s", out)
	}
	return string(out)
}

// local finds the file of an event by its UID, "" when there is none.
func (v synced) local(uid string) (path, text string) {
	v.t.Helper()
	list, err := filepath.Glob(v.home + "/calendars/*/*.ics")
	if err != nil {
		v.t.Fatal(err)
	}
	for _, f := range list {
		if text := read(v.t, f); strings.Contains(text, "UID:"+uid+"\r\n") || strings.Contains(text, "UID:"+uid+"\n") {
			return f, text
		}
	}
	return "", ""
}

// rewrite edits the file of an event as its program would.
func (v synced) rewrite(uid, old, new string) {
	v.t.Helper()
	path, text := v.local(uid)
	if !strings.Contains(text, old) {
		v.t.Fatalf("%s has no %q:\n%s", path, old, text)
	}
	file(v.t, path, strings.Replace(text, old, new, 1))
}

func (s *service) put(user, path, data string) {
	s.t.Helper()
	if r := s.do(user, "PUT", path, data, "Content-Type", "text/calendar"); r.status/100 != 2 {
		s.t.Fatalf("PUT %s: %d %s", path, r.status, r.body)
	}
}

// What somebody does in a year: a first sync of a large calendar, changes and
// deletions on both sides, one of them at once on both, an event moved to
// another calendar, and one occurrence moved.
func TestVdirsyncerBothSides(t *testing.T) { onEachStore(t, vdirsyncerBothSides) }

func vdirsyncerBothSides(t *testing.T, store ...string) {
	need(t, "clients", "vdirsyncer", "apt-get install vdirsyncer")
	const at, many = "/dav/calendars/alice/default/", 1000
	s := newService(t, "example.test", []string{"alice"}, store...)
	var all strings.Builder
	all.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n")
	for i := range many {
		fmt.Fprintf(&all, "BEGIN:VEVENT\r\nUID:old-%d-\r\nDTSTAMP:20200101T000000Z\r\nDTSTART:20%02d%02d%02dT100000Z\r\nDURATION:PT1H\r\nSUMMARY:Number %d\r\nEND:VEVENT\r\n", i, 10+i%20, 1+i%12, 1+i%28, i)
	}
	all.WriteString("END:VCALENDAR\r\n")
	old := filepath.Join(t.TempDir(), "old.ics")
	file(t, old, all.String())
	s.cli("", "import", old, "--account", "alice", "--calendar", "default")
	s.start()
	s.expect(201, s.do("alice", "MKCALENDAR", "/dav/calendars/alice/second/", ""))
	v := s.vdirsyncer("alice", "b")
	v.sync()
	if files, _ := filepath.Glob(v.home + "/calendars/default/*.ics"); len(files) != many {
		t.Fatalf("the first sync brought %d of %d events", len(files), many)
	}

	// Deleted, changed and made in the folder.
	gone, _ := v.local("old-7-")
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	v.rewrite("old-8-", "SUMMARY:Number 8\r\n", "SUMMARY:Eight\r\n")
	file(t, v.home+"/calendars/default/series.ics", event("series", "DTSTART:20270401T080000Z\nDTEND:20270401T090000Z\nRRULE:FREQ=DAILY;COUNT=5\nSUMMARY:Daily"))
	v.sync()
	if path, _ := s.find("alice", "old-7-"); path != "" {
		t.Error("the server keeps what was deleted in the folder")
	}
	s.has("alice", "old-8-", "SUMMARY:Eight")
	s.has("alice", "series", "RRULE:FREQ=DAILY;COUNT=5")

	// One occurrence is moved in the folder, and is one object with its series.
	v.rewrite("series", "END:VCALENDAR", "BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20270101T000000Z\r\nRECURRENCE-ID:20270403T080000Z\r\nDTSTART:20270403T150000Z\r\nDTEND:20270403T160000Z\r\nSUMMARY:Later that day\r\nEND:VEVENT\r\nEND:VCALENDAR")
	v.sync()
	s.has("alice", "series", "RECURRENCE-ID:20270403T080000Z")
	day := `<c:calendar-query xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><prop><c:calendar-data><c:expand start="20270403T000000Z" end="20270404T000000Z"/></c:calendar-data></prop><c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"><c:time-range start="20270403T000000Z" end="20270404T000000Z"/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>`
	if r := s.do("alice", "REPORT", at, day, "Depth", "1", "Content-Type", "application/xml"); !strings.Contains(r.body, "SUMMARY:Later that day") || strings.Contains(r.body, "SUMMARY:Daily") {
		t.Errorf("on the day of the moved occurrence:\n%s", r.body)
	}

	// Both sides change one event: the server's wins here, and a deletion is none where the other side changed.
	path, text := s.find("alice", "old-9-")
	s.put("alice", path, strings.Replace(text, "SUMMARY:Number 9\r\n", "SUMMARY:By the server\r\n", 1))
	v.rewrite("old-9-", "SUMMARY:Number 9\r\n", "SUMMARY:In the folder\r\n")
	path, _ = s.find("alice", "old-10-")
	s.expect(204, s.do("alice", "DELETE", path, ""))
	v.sync()
	v.sync() // what was settled stays
	if _, text := v.local("old-9-"); !strings.Contains(text, "SUMMARY:By the server") {
		t.Errorf("after a conflict the folder has\n%s", text)
	}
	s.has("alice", "old-9-", "SUMMARY:By the server")
	if path, _ := v.local("old-10-"); path != "" {
		t.Errorf("%s was deleted on the server", path)
	}

	// And with a folder that wins, from another machine.
	w := s.vdirsyncer("alice", "a")
	w.sync()
	path, text = s.find("alice", "old-11-")
	s.put("alice", path, strings.Replace(text, "SUMMARY:Number 11\r\n", "SUMMARY:By the server\r\n", 1))
	w.rewrite("old-11-", "SUMMARY:Number 11\r\n", "SUMMARY:In the folder\r\n")
	w.sync()
	s.has("alice", "old-11-", "SUMMARY:In the folder")

	// To another calendar.
	from, _ := v.local("old-12-")
	if err := os.Rename(from, v.home+"/calendars/second/moved.ics"); err != nil {
		t.Fatal(err)
	}
	v.sync()
	v.sync()
	if path, _ := s.find("alice", "old-12-"); path != "" {
		t.Errorf("%s was moved away", path)
	}
	if r := s.do("alice", "GET", "/dav/calendars/alice/second/", ""); !strings.Contains(r.body, "UID:old-12-\r\n") {
		t.Errorf("the other calendar has\n%.600s", r.body)
	}
}

// A colleague's calendar is among one's own; what may only be read is not
// changed. A guest answers by a change in a file, and the organizer has it; who
// deletes the file declines.
func TestVdirsyncerWithOthers(t *testing.T) { onEachStore(t, vdirsyncerWithOthers) }

func vdirsyncerWithOthers(t *testing.T, store ...string) {
	need(t, "clients", "vdirsyncer", "apt-get install vdirsyncer")
	const at = "/dav/calendars/alice/default/"
	s := newService(t, "example.test", []string{"alice", "bob"}, store...).start()
	s.put("alice", at+"plan.ics", event("plan", "DTSTART:20270401T100000Z\nSUMMARY:Alice's plan"))
	s.expect(200, s.do("alice", "ACL", at, `<acl xmlns="DAV:"><ace><principal><href>/dav/principals/bob/</href></principal><grant><privilege><read/></privilege></grant></ace></acl>`, "Content-Type", "application/xml"))
	v := s.vdirsyncer("bob", "b")
	v.sync()
	path, _ := v.local("plan")
	if !strings.Contains(path, "/shared-") {
		t.Fatalf("alice's calendar is not among bob's: %q", path)
	}
	v.rewrite("plan", "SUMMARY:Alice's plan", "SUMMARY:Bob's plan")
	file(t, filepath.Dir(path)+"/mine.ics", event("mine", "DTSTART:20270401T100000Z\nSUMMARY:Slipped in"))
	v.refused()
	if r := s.do("alice", "GET", at, ""); !strings.Contains(r.body, "SUMMARY:Alice's plan") || strings.Contains(r.body, "Bob's plan") || strings.Contains(r.body, "Slipped in") {
		t.Errorf("a reader changed the calendar:\n%s", r.body)
	}
	s.expect(200, s.do("alice", "ACL", at, `<acl xmlns="DAV:"/>`, "Content-Type", "application/xml")) // taken back

	v = s.vdirsyncer("bob", "b")
	s.put("bob", "/dav/calendars/bob/default/own.ics", event("own", "DTSTART:20270406T100000Z\nSUMMARY:My own"))
	s.put("alice", at+"meeting.ics", event("meeting", "DTSTART:20270405T100000Z\nDTEND:20270405T110000Z\nSUMMARY:Meeting\nORGANIZER:mailto:alice@example.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test\nATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@example.test"))
	v.sync()
	if path, _ := v.local("plan"); path != "" {
		t.Errorf("what is shared no longer is there: %s", path)
	}
	v.rewrite("meeting", "PARTSTAT=NEEDS-ACTION", "PARTSTAT=TENTATIVE")
	v.sync()
	s.has("alice", "meeting", "ATTENDEE", "PARTSTAT=TENTATIVE", "mailto:bob@example.test")
	v.sync() // the server wrote that the answer went out: without that, a deletion would meet a change
	path, _ = v.local("meeting")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	v.sync()
	s.has("alice", "meeting", "ATTENDEE", "PARTSTAT=DECLINED", "mailto:bob@example.test")
}
