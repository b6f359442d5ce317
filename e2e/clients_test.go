package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/harness/pg"
)

// need skips loudly when a program is missing, and fails when CONVENE_REQUIRE
// says that this machine has to have it.
func need(t testing.TB, what, program, install string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if strings.Contains(os.Getenv("CONVENE_REQUIRE"), what) {
		t.Fatalf("%s is required and is not installed: %s", program, install)
	}
	t.Skipf("SKIP %s: %s", program, install)
}

// onEachStore runs a script on SQLite and on PostgreSQL; store is a setting for
// newService.
func onEachStore(t *testing.T, script func(t *testing.T, store ...string)) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		script(t)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		script(t, "CONVENE_STORE_URL="+pg.Database(t))
	})
}

// client runs a calendar program with a home of its own.
func client(t testing.TB, home string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home+"/.config", "XDG_CACHE_HOME="+home+"/.cache", "XDG_DATA_HOME="+home+"/.local", "LC_ALL=C.UTF-8", "TZ=Europe/Berlin")
	cmd.Stdin = strings.NewReader(strings.Repeat("y\n", 50))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func file(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// vdirsyncer/storage.py asks of the server what vdirsyncer's storages promise,
// through its own CalDAV storage.
func TestVdirsyncerStorage(t *testing.T) { onEachStore(t, vdirsyncerStorage) }

func vdirsyncerStorage(t *testing.T, store ...string) {
	need(t, "clients", "vdirsyncer", "apt-get install vdirsyncer")
	s := newService(t, "example.test", []string{"alice"}, store...).start()
	cmd := exec.Command("/usr/bin/python3", "-B", "vdirsyncer/storage.py", "http://"+s.http+"/", "alice", "alice")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "LC_ALL=C.UTF-8", "TZ=UTC")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "\nok ") < 25 || !strings.HasSuffix(string(out), "failed: 0\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

// vdirsyncer finds the calendars by itself, syncs both ways, and khal makes an
// event that reaches the invited colleague's server copy.
func TestVdirsyncerAndKhal(t *testing.T) { onEachStore(t, vdirsyncerAndKhal) }

func vdirsyncerAndKhal(t *testing.T, store ...string) {
	need(t, "clients", "vdirsyncer", "apt-get install vdirsyncer")
	need(t, "clients", "khal", "apt-get install khal")
	s := newService(t, "example.test", []string{"alice", "bob"}, store...).start()
	s.expect(201, s.do("alice", "PUT", "/dav/calendars/alice/default/from-server.ics", event("from-server", "DTSTART:20270401T100000Z\nDTEND:20270401T110000Z\nSUMMARY:Written by the server"), "Content-Type", "text/calendar"))
	home := t.TempDir()
	file(t, home+"/.config/vdirsyncer/config", `
[general]
status_path = "`+home+`/status/"
[pair alice]
a = "local"
b = "remote"
collections = ["from b"]
conflict_resolution = "b wins"
[storage local]
type = "filesystem"
path = "`+home+`/calendars/"
fileext = ".ics"
[storage remote]
type = "caldav"
url = "http://`+s.http+`/"
username = "alice"
password = "alice"
`)
	file(t, home+"/.config/khal/config", `
[calendars]
[[default]]
path = `+home+`/calendars/default
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
[default]
default_calendar = default
`)
	client(t, home, "vdirsyncer", "discover")
	client(t, home, "vdirsyncer", "sync")
	if out := client(t, home, "khal", "list", "2027-04-01", "2d"); !strings.Contains(out, "Written by the server") {
		t.Errorf("khal does not see the server's event: %s", out)
	}
	client(t, home, "khal", "new", "-a", "default", "2027-04-02", "15:00", "16:00", "Written by khal")
	client(t, home, "vdirsyncer", "sync")
	if r := s.do("alice", "GET", "/dav/calendars/alice/default/", ""); !strings.Contains(r.body, "Written by khal") {
		t.Errorf("the server does not have khal's event: %d %s", r.status, r.body)
	}

	// A change and a deletion on the server reach the client.
	path, text := s.find("alice", "from-server")
	if r := s.do("alice", "PUT", path, strings.Replace(text, "Written by the server", "Changed by the server", 1), "Content-Type", "text/calendar"); r.status != 204 {
		t.Fatalf("PUT: %d %s", r.status, r.body)
	}
	client(t, home, "vdirsyncer", "sync")
	if out := client(t, home, "khal", "list", "2027-04-01", "2d"); !strings.Contains(out, "Changed by the server") {
		t.Errorf("khal does not see the change: %s", out)
	}
	if r := s.do("alice", "DELETE", path, ""); r.status != 204 {
		t.Fatalf("DELETE: %d", r.status)
	}
	client(t, home, "vdirsyncer", "sync")
	if out := client(t, home, "khal", "list", "2027-04-01", "2d"); strings.Contains(out, "by the server") || !strings.Contains(out, "Written by khal") {
		t.Errorf("after the deletion khal lists: %s", out)
	}
}

// swaks is a mailer written by other people: what it says is real SMTP.
func TestInvitationBySwaks(t *testing.T) {
	need(t, "clients", "swaks", "apt-get install swaks")
	s := newService(t, "example.test", []string{"alice"}, "--mail-smtp-listen", "127.0.0.1:0").start()
	home := t.TempDir()
	invitation := strings.Replace(event("by-swaks", "DTSTART:20270401T100000Z\nDTEND:20270401T110000Z\nSUMMARY:From outside\nORGANIZER:mailto:olga@outside.test\nATTENDEE;RSVP=TRUE:mailto:alice@example.test"), "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST", 1)
	file(t, home+"/mail", "From: olga@outside.test\nTo: alice@example.test\nSubject: Invitation\nMessage-ID: <swaks-1@outside.test>\nMIME-Version: 1.0\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\n\n"+strings.ReplaceAll(invitation, "\r\n", "\n"))
	host, port, _ := strings.Cut(s.smtp, ":")
	client(t, home, "swaks", "--server", host, "--port", port, "--from", "olga@outside.test", "--to", "alice@example.test", "--data", "@"+home+"/mail")
	s.has("alice", "by-swaks", "SUMMARY", "From outside")
}

// litmus is the WebDAV suite that everyone measures with; a home passes all of it.
func TestLitmus(t *testing.T) { onEachStore(t, litmus) }

func litmus(t *testing.T, store ...string) {
	need(t, "clients", "litmus", "apt-get install litmus")
	s := newService(t, "example.test", []string{"alice"}, store...).start()
	cmd := exec.Command("litmus", "http://"+s.http+"/dav/calendars/alice/", "alice", "alice")
	cmd.Dir = t.TempDir() // it writes debug.log
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "100.0%") != 5 || strings.Contains(string(out), "WARNING") {
		t.Errorf("litmus: %v\n%s", err, out)
	}
}

// todoman makes a task in the folder that vdirsyncer keeps, and the server has it.
func TestTodoman(t *testing.T) { onEachStore(t, todoman) }

func todoman(t *testing.T, store ...string) {
	need(t, "clients", "vdirsyncer", "apt-get install vdirsyncer")
	need(t, "clients", "todoman", "apt-get install todoman")
	s := newService(t, "example.test", []string{"alice"}, store...).start()
	home := t.TempDir()
	file(t, home+"/.config/vdirsyncer/config", `
[general]
status_path = "`+home+`/status/"
[pair alice]
a = "local"
b = "remote"
collections = ["tasks"]
[storage local]
type = "filesystem"
path = "`+home+`/calendars/"
fileext = ".ics"
[storage remote]
type = "caldav"
url = "http://`+s.http+`/"
username = "alice"
password = "alice"
`)
	file(t, home+"/.config/todoman/config.py", `path = "`+home+`/calendars/*"
default_list = "tasks"
`)
	client(t, home, "vdirsyncer", "discover")
	client(t, home, "vdirsyncer", "sync")
	client(t, home, "todoman", "new", "--list", "tasks", "Water the plants")
	client(t, home, "vdirsyncer", "sync")
	r := s.do("alice", "GET", "/dav/calendars/alice/tasks/", "")
	if !strings.Contains(r.body, "SUMMARY:Water the plants") {
		t.Errorf("the task is not on the server:\n%s", r.body)
	}

	// Done, and another deleted, which is not a matter of exit codes.
	client(t, home, "todoman", "new", "--list", "tasks", "--due", "2030-04-01", "Buy soil")
	client(t, home, "vdirsyncer", "sync")
	number := func(title string) string {
		t.Helper()
		for l := range strings.Lines(client(t, home, "todoman", "--porcelain", "list")) {
			_, after, ok := strings.Cut(l, `"id": `)
			if id, _, _ := strings.Cut(after, ","); ok && strings.Contains(l, title) {
				return strings.TrimSpace(id)
			}
		}
		// One object over several lines.
		for part := range strings.SplitSeq(client(t, home, "todoman", "--porcelain", "list"), "}") {
			_, after, ok := strings.Cut(part, `"id": `)
			if id, _, _ := strings.Cut(after, ","); ok && strings.Contains(part, title) {
				return strings.TrimSpace(id)
			}
		}
		t.Fatalf("todoman does not list %q", title)
		return ""
	}
	client(t, home, "todoman", "done", number("Water the plants"))
	client(t, home, "todoman", "delete", "--yes", number("Buy soil"))
	client(t, home, "vdirsyncer", "sync")
	r = s.do("alice", "GET", "/dav/calendars/alice/tasks/", "")
	if !strings.Contains(r.body, "STATUS:COMPLETED") || strings.Contains(r.body, "Buy soil") {
		t.Errorf("after one is done and one deleted the server has:\n%s", r.body)
	}
	// Opened again on the server, and the folder follows.
	href := hrefPattern.FindStringSubmatch(s.do("alice", "PROPFIND", "/dav/calendars/alice/tasks/", `<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>`, "Depth", "1,noroot", "Content-Type", "application/xml").body)
	if href == nil {
		t.Fatal("no task on the server")
	}
	text := s.expect(200, s.do("alice", "GET", href[1], "")).body
	s.expect(204, s.do("alice", "PUT", href[1], strings.NewReplacer("STATUS:COMPLETED", "STATUS:NEEDS-ACTION", "PERCENT-COMPLETE:100", "PERCENT-COMPLETE:0").Replace(text), "Content-Type", "text/calendar"))
	client(t, home, "vdirsyncer", "sync")
	files, err := filepath.Glob(home + "/calendars/tasks/*.ics")
	if err != nil || len(files) != 1 || !strings.Contains(read(t, files[0]), "STATUS:NEEDS-ACTION") {
		t.Errorf("the folder has %v, %v", files, err)
	}
}

// calcurse keeps one calendar, both ways.
func TestCalcurse(t *testing.T) { onEachStore(t, calcurse) }

func calcurse(t *testing.T, store ...string) {
	need(t, "clients", "calcurse-caldav", "apt-get install calcurse python3-httplib2")
	if err := exec.Command("/usr/bin/python3", "-c", "import httplib2").Run(); err != nil {
		need(t, "clients", "httplib2 for python3", "apt-get install python3-httplib2")
	}
	s := newService(t, "example.test", []string{"alice"}, store...).start()
	at := "/dav/calendars/alice/default/"
	s.expect(201, s.do("alice", "PUT", at+"from-server.ics", event("from-server", "DTSTART:20270401T100000Z\nDTEND:20270401T110000Z\nSUMMARY:Written by the server"), "Content-Type", "text/calendar"))
	home := t.TempDir()
	file(t, home+"/.config/calcurse/caldav/config", `
[General]
Hostname = `+s.http+`
Path = `+at+`
AuthMethod = basic
HTTPS = No
DryRun = No
Verbose = Yes
[Auth]
Username = alice
Password = alice
`)
	file(t, home+"/.local/calcurse/todo", "")
	client(t, home, "/usr/bin/python3", "/usr/bin/calcurse-caldav", "--init", "keep-remote") // Debian's, whatever python3 comes first
	if out := client(t, home, "calcurse", "-Q", "--from", "04/01/2027", "--days", "1"); !strings.Contains(out, "Written by the server") {
		t.Errorf("calcurse has:\n%s", out)
	}
	file(t, home+"/in.ics", event("from-calcurse", "DTSTART:20270402T100000Z\nDTEND:20270402T110000Z\nSUMMARY:Written by calcurse"))
	client(t, home, "calcurse", "-i", home+"/in.ics")
	client(t, home, "/usr/bin/python3", "/usr/bin/calcurse-caldav")
	if r := s.do("alice", "GET", at, ""); !strings.Contains(r.body, "Written by calcurse") {
		t.Errorf("the server has:\n%s", r.body)
	}

	// Deleted in calcurse; changed on the server.
	path, text := s.find("alice", "from-server")
	s.expect(204, s.do("alice", "PUT", path, strings.Replace(text, "Written by the server", "Changed by the server", 1), "Content-Type", "text/calendar"))
	client(t, home, "calcurse", "-P", "--filter-pattern", "Written by calcurse")
	client(t, home, "/usr/bin/python3", "/usr/bin/calcurse-caldav")
	if r := s.do("alice", "GET", at, ""); strings.Contains(r.body, "Written by calcurse") || !strings.Contains(r.body, "Changed by the server") {
		t.Errorf("after a deletion in calcurse the server has:\n%s", r.body)
	}
	if out := client(t, home, "calcurse", "-Q", "--from", "04/01/2027", "--days", "3"); !strings.Contains(out, "Changed by the server") || strings.Contains(out, "Written by") {
		t.Errorf("calcurse has:\n%s", out)
	}
	s.expect(204, s.do("alice", "DELETE", path, ""))
	client(t, home, "/usr/bin/python3", "/usr/bin/calcurse-caldav")
	if out := client(t, home, "calcurse", "-Q", "--from", "04/01/2027", "--days", "3"); strings.Contains(out, "by the server") {
		t.Errorf("after a deletion on the server calcurse has:\n%s", out)
	}
}

// cadaver makes collections, puts, locks, moves and lists.
func TestCadaver(t *testing.T) { onEachStore(t, cadaver) }

func cadaver(t *testing.T, store ...string) {
	need(t, "clients", "cadaver", "apt-get install cadaver")
	s := newService(t, "example.test", []string{"alice"}, store...).start()
	home := t.TempDir()
	host, _, _ := strings.Cut(s.http, ":")
	file(t, home+"/.netrc", "machine "+host+" login alice password alice\n")
	file(t, home+"/plan.txt", "a plan")
	cmd := exec.Command("cadaver", "http://"+s.http+"/dav/calendars/alice/")
	cmd.Env = append(os.Environ(), "HOME="+home, "LC_ALL=C.UTF-8")
	cmd.Stdin = strings.NewReader("mkcol papers\nput " + home + "/plan.txt papers/plan.txt\nlock papers/plan.txt\nunlock papers/plan.txt\nmove papers/plan.txt papers/done.txt\nls papers\npropget papers/done.txt\nquit\n")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "done.txt") || strings.Contains(string(out), "failed") {
		t.Errorf("cadaver: %v\n%s", err, out)
	}
	if r := s.do("alice", "GET", "/dav/calendars/alice/papers/done.txt", ""); r.body != "a plan" {
		t.Errorf("the server has %d %q", r.status, r.body)
	}
}
