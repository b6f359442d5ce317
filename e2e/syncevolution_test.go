package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// SyncEvolution finds the calendars, reads, writes and deletes single items,
// and keeps a folder of files in step with a calendar, both ways.
func TestSyncEvolution(t *testing.T) { onEachStore(t, syncEvolution) }

func syncEvolution(t *testing.T, store ...string) {
	need(t, "clients", "syncevolution", "apt-get install syncevolution")
	s := newService(t, "example.test", []string{"alice"}, store...).start()
	at := "/dav/calendars/alice/default/"
	put := func(uid, summary string) {
		t.Helper()
		r := s.do("alice", "PUT", at+uid+".ics", event(uid, "DTSTART:20270401T100000Z\nDTEND:20270401T110000Z\nSUMMARY:"+summary), "Content-Type", "text/calendar")
		if r.status/100 != 2 {
			t.Fatalf("PUT: %d %s", r.status, r.body)
		}
	}
	put("from-server", "Written by the server")
	s.expect(201, s.do("alice", "PUT", "/dav/calendars/alice/tasks/task.ics", strings.ReplaceAll(strings.ReplaceAll(event("task", "SUMMARY:Water the plants"), "VEVENT", "VTODO"), "DTSTART", "X-NO"), "Content-Type", "text/calendar"))
	home := t.TempDir()
	tool := func(args ...string) string {
		t.Helper()
		return client(t, home, "syncevolution", append([]string{"--daemon=no"}, args...)...)
	}
	has := func(what, out string, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if !strings.Contains(out, p) {
				t.Errorf("%s: no %q in\n%s", what, p, out)
			}
		}
	}
	login := []string{"username=alice", "password=alice"}
	has("discovery", tool(append([]string{"--print-databases", "backend=caldav", "syncURL=http://" + s.http + "/"}, login...)...), "http://"+s.http+at)
	has("discovery of tasks", tool(append([]string{"--print-databases", "backend=caldavtodo", "syncURL=http://" + s.http + "/"}, login...)...), "/tasks/")
	tasks := append([]string{"backend=caldavtodo", "database=http://" + s.http + "/dav/calendars/alice/tasks/"}, login...)
	has("tasks", tool(append([]string{"--export", "-"}, tasks...)...), "SUMMARY:Water the plants")

	calendar := append([]string{"backend=caldav", "database=http://" + s.http + at}, login...)
	has("items", tool(append([]string{"--print-items"}, calendar...)...), "Written by the server")
	file(t, home+"/in/one.ics", event("one", "DTSTART;TZID=Europe/Berlin:20270402T100000\nDTEND;TZID=Europe/Berlin:20270402T110000\nSUMMARY:Imported"))
	tool(append([]string{"--import", home + "/in"}, calendar...)...)
	if _, text := s.find("alice", "one"); !strings.Contains(text, "SUMMARY:Imported") {
		t.Errorf("imported:\n%s", text)
	}
	file(t, home+"/one.ics", event("one", "DTSTART:20270402T100000Z\nDTEND:20270402T110000Z\nSUMMARY:Changed by SyncEvolution"))
	name := ""
	for l := range strings.Lines(tool(append([]string{"--print-items"}, calendar...)...)) {
		if id, title, ok := strings.Cut(l, ": "); ok && strings.TrimSpace(title) == "Imported" {
			name = id
		}
	}
	tool(append([]string{"--configure", "--keyring=no", "--template", "webdav", "syncURL=http://" + s.http + "/"}, append(login, "target-config@convene", "calendar")...)...)
	tool("--update", home+"/one.ics", "--delimiter", "none", "target-config@convene", "calendar", name)
	if _, text := s.find("alice", "one"); !strings.Contains(text, "SUMMARY:Changed by SyncEvolution") {
		t.Errorf("updated:\n%s", text)
	}
	tool("--delete-items", "target-config@convene", "calendar", name)
	if path, _ := s.find("alice", "one"); path != "" {
		t.Errorf("%s was deleted", path)
	}

	// A folder and the calendar, as a phone is kept.
	folder := home + "/folder"
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	tool("--configure", "--keyring=no", "--template", "SyncEvolution_Client", "sync=two-way", "syncURL=local://@convene", "username=", "password=", "peerIsClient=1",
		"calendar/backend=file", "calendar/database=file://"+folder, "calendar/databaseFormat=text/calendar", "convene@default", "calendar")
	files := func() (text string) {
		t.Helper()
		list, err := filepath.Glob(folder + "/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			text += read(t, f)
		}
		return text
	}
	tool("--sync", "slow", "convene@default", "calendar")
	has("the folder", files(), "SUMMARY:Written by the server")
	file(t, folder+"/made", event("made", "DTSTART:20270403T100000Z\nDTEND:20270403T110000Z\nSUMMARY:Made in the folder"))
	put("later", "Written later")
	tool("convene@default", "calendar")
	has("the folder", files(), "SUMMARY:Written by the server", "SUMMARY:Written later")
	has("the server", s.do("alice", "GET", at, "").body, "SUMMARY:Made in the folder", "SUMMARY:Written later")

	file(t, folder+"/made", strings.Replace(read(t, folder+"/made"), "Made in the folder", "Changed in the folder", 1))
	s.expect(204, s.do("alice", "DELETE", at+"later.ics", ""))
	put("from-server", "Changed by the server")
	tool("convene@default", "calendar")
	if text := files(); strings.Contains(text, "Written later") || !strings.Contains(text, "SUMMARY:Changed by the server") {
		t.Errorf("the folder has\n%s", text)
	}
	has("the server", s.do("alice", "GET", at, "").body, "SUMMARY:Changed in the folder")
	if err := os.Remove(folder + "/made"); err != nil {
		t.Fatal(err)
	}
	tool("convene@default", "calendar")
	if path, _ := s.find("alice", "made"); path != "" {
		t.Errorf("%s was deleted in the folder", path)
	}
}
