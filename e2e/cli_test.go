package e2e

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"version"}, 0, "convene"},
		{[]string{"no-such-command"}, 2, "no-such-command"},
		{[]string{"account", "add"}, 2, ""},
		{[]string{"serve", "--no-such-flag"}, 2, ""},
		{[]string{"ical", "check", "/no/such/file.ics"}, 1, "/no/such/file.ics"},
		{[]string{"serve", "--data", "/proc/convene"}, 1, "/proc"},
		{[]string{"message", "list", "--state", "helt"}, 2, "held"},
		{[]string{"message", "list", "--limit", "-1"}, 2, "--limit"},
	} {
		out, errs, status := run(t, "", tt.args...)
		if status != tt.status || !strings.Contains(out+errs, tt.says) {
			t.Errorf("convene %v: status %d, want %d; %s%s", tt.args, status, tt.status, out, errs)
		}
	}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	for _, c := range []string{"demo", "init", "serve", "account add", "account list", "account show", "account set-password", "account set-address",
		"account disable", "account delete", "account rename", "app-password add", "app-password list", "app-password revoke", "calendar add", "calendar list",
		"calendar share", "calendar unshare", "calendar delete", "event add", "event list", "event show", "event edit", "event delete", "event respond",
		"event propose", "event refresh", "event publish", "event delegate", "event forward", "event undo", "event book", "account designate add", "account designate remove", "account designate list", "account set-preference", "account members add", "account set-policy", "account show-policy", "account members remove", "account members list",
		"import", "export", "message list", "message show", "message approve", "message reject", "message retry", "message receive",
		"freebusy", "ical check", "ical fmt", "ical expand", "ical diff", "backup", "restore", "migrate-store", "version"} {
		out, errs, status := run(t, "", append(strings.Fields(c), "--help")...)
		if status != 0 || !strings.Contains(out, "Example") {
			t.Errorf("convene %s --help: status %d, no example in\n%s%s", c, status, out, errs)
		}
	}
}

// The file tools have nothing to wind up: a signal ends them where they are,
// and leaves no temporary file behind.
func TestSignalEndsFileTools(t *testing.T) {
	for _, args := range [][]string{{"ical", "check", "-"}, {"ical", "convert", "--to", "jcal", "-"}} {
		dir := t.TempDir()
		cmd := exec.Command(binary, args...)
		cmd.Env = append(os.Environ(), "TMPDIR="+dir)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// More than a pipe holds: when it is written, the program is reading.
		text := "BEGIN:VCALENDAR\r\n" + strings.Repeat("X-A:b\r\n", 1<<17)
		if _, err := io.WriteString(in, text); err != nil {
			t.Fatal(err)
		}
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
			t.Errorf("convene %v: %v", args, cmd.ProcessState)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("convene %v leaves %v, %v", args, left, err)
		}
	}
}

func TestAccountsAndAppPasswords(t *testing.T) {
	s := newService(t, "example.test", []string{"alice"}).start()
	s.cli("s3cret\n", "account", "add", "bob@example.test", "--name", "Bob Builder", "--password-stdin")
	s.cli("", "account", "add", "blue-room@example.test", "--kind", "room", "--no-password")
	if _, errs, status := run(t, "x", "account", "add", "bob@example.test", "--password-stdin", "--data", s.data); status != 1 || !strings.Contains(errs, "bob") {
		t.Errorf("adding an account twice: %d %s", status, errs)
	}
	var names []string
	for l := range strings.Lines(s.cli("", "account", "list", "--json")) {
		var a map[string]any
		if err := json.Unmarshal([]byte(l), &a); err != nil {
			t.Fatalf("%v in %s", err, l)
		}
		names = append(names, a["name"].(string))
	}
	if got := strings.Join(names, " "); got != "alice blue-room bob" {
		t.Errorf("accounts: %s", got)
	}
	bob := func(password string) int {
		req := s.do("", "PROPFIND", "/dav/principals/bob/", "", "Depth", "0", "Authorization", "Basic "+basic("bob", password))
		return req.status
	}
	if bob("s3cret") != 207 {
		t.Error("bob cannot sign in beside a running server")
	}
	out := s.cli("", "app-password", "add", "bob@example.test", "--label", "phone", "--json")
	var app struct{ ID, Password string }
	if err := json.Unmarshal([]byte(out), &app); err != nil || app.Password == "" {
		t.Fatalf("app-password add: %v %s", err, out)
	}
	if bob(app.Password) != 207 {
		t.Error("the app password does not open the account")
	}
	s.cli("", "app-password", "revoke", "bob@example.test", app.ID)
	eventually(t, "a revoked app password is refused", func() (bool, string) { return bob(app.Password) == 401, "" })
	s.cli("changed", "account", "set-password", "bob@example.test", "--password-stdin")
	eventually(t, "the old password is refused", func() (bool, string) { return bob("s3cret") == 401, "" })
	if bob("changed") != 207 {
		t.Error("the new password is refused")
	}
	s.cli("", "account", "disable", "bob@example.test")
	eventually(t, "a disabled account is refused", func() (bool, string) { return bob("changed") == 401, "" })
}

func TestEventsFromTheCommandLine(t *testing.T) {
	s := newService(t, "example.test", []string{"alice", "bob"}).start()
	uid := strings.TrimSpace(s.cli("", "event", "add", "--account", "alice@example.test", "--summary", "Lunch", "--start", "2027-04-01T12:00", "--end", "2027-04-01T13:00",
		"--tz", "Europe/Berlin", "--attendee", "bob@example.test"))
	if _, text := s.find("bob", uid); !strings.Contains(text, "SUMMARY:Lunch") {
		t.Errorf("bob's copy of %q: %s", uid, text)
	}
	s.cli("", "event", "respond", uid, "--account", "bob@example.test", "--partstat", "accepted")
	s.has("alice", uid, "ATTENDEE", "PARTSTAT=ACCEPTED", "bob@")
	s.cli("", "event", "edit", uid, "--account", "alice@example.test", "--start", "2027-04-01T12:30", "--end", "2027-04-01T13:30")
	s.has("bob", uid, "DTSTART", "20270401T123000")
	if out := s.cli("", "event", "list", "--account", "bob@example.test", "--from", "2027-04-01", "--to", "2027-04-02"); !strings.Contains(out, "Lunch") {
		t.Errorf("event list: %s", out)
	}
	if out := s.cli("", "freebusy", "alice@example.test", "--from", "2027-04-01", "--to", "2027-04-02"); !strings.Contains(out, "10:30") {
		t.Errorf("freebusy: %s", out)
	}
	s.cli("", "event", "delete", uid, "--account", "alice@example.test")
	s.has("bob", uid, "STATUS:CANCELLED")
}

// An old .vcs file from a directory is taken in the owner's time, told about and
// known again; what is exported in its syntax comes back.
func TestOldCalendarFiles(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	must(t, "alice", "account", "add", "alice@example.test", "--password-stdin", "--data", data)
	files := filepath.Join(dir, "old")
	if err := os.Mkdir(files, 0o700); err != nil {
		t.Fatal(err)
	}
	old := "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\nUID:old\r\nDTSTART:20270401T100000Z\r\nRRULE:MP1 1+ TH #3\r\n" +
		"SUMMARY;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:B=FCro\r\nPALARM:;;;file:///x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	if err := os.WriteFile(filepath.Join(files, "phone.vcs"), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 created", "1 unchanged"} {
		out, errs, code := run(t, "", "import", "--account", "alice@example.test", "--calendar", "old", "--data", data, files)
		if code != 0 || !strings.Contains(out, want) || !strings.Contains(errs, "phone.vcs: line 8: the procedure") {
			t.Errorf("import says %d: %s%s, want %s", code, out, errs, want)
		}
	}
	for format, want := range map[string]string{"ics": "RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=1TH", "vcs": "RRULE:MP1 1+ TH #3", "jscalendar": `"nthOfPeriod":1`} {
		out := must(t, "", "export", "--account", "alice@example.test", "--calendar", "old", "--format", format, "--data", data)
		if !strings.Contains(out, want) {
			t.Errorf("the export as %s lacks %q:\n%s", format, want, out)
		}
		if back := must(t, out, "ical", "convert", "--to", "ics", "-"); !strings.Contains(back, "SUMMARY:Büro") {
			t.Errorf("%s comes back as\n%s", format, back)
		}
	}
}

func TestImportExportBackup(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	must(t, "alice", "account", "add", "alice@example.test", "--password-stdin", "--data", data)
	file := filepath.Join(dir, "many.ics")
	one, two := event("one", "DTSTART:20270401T100000Z\nSUMMARY:First\nX-ODD;X-P=\"a,b\":kept"), event("two", "DTSTART;VALUE=DATE:20270402\nSUMMARY:Zweites \u00fc")
	if err := os.WriteFile(file, []byte(one+two+"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:no uid\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, _ := run(t, "", "import", "--account", "alice@example.test", "--calendar", "holidays", "--data", data, file)
	if !strings.Contains(out+errs, "many.ics") || !strings.Contains(out+errs, "2") {
		t.Errorf("import says: %s%s", out, errs)
	}
	export := func(data string) string {
		return must(t, "", "export", "--account", "alice@example.test", "--calendar", "holidays", "--data", data)
	}
	first := export(data)
	for _, want := range []string{"SUMMARY:First", "X-ODD;X-P=\"a,b\":kept", "SUMMARY:Zweites ü", "UID:one", "UID:two"} {
		if !strings.Contains(first, want) {
			t.Errorf("the export lacks %q", want)
		}
	}
	if out, _, _ := run(t, "", "import", "--account", "alice@example.test", "--calendar", "holidays", "--data", data, file); !strings.Contains(out, "2 unchanged") {
		t.Errorf("importing the same again says: %s", out)
	}
	if again := export(data); again != first {
		t.Errorf("importing twice changed the calendar:\n%s", again)
	}
	archive := filepath.Join(dir, "backup")
	must(t, "", "backup", archive, "--data", data)
	if _, errs, status := run(t, "", "backup", archive, "--data", data); status != 1 || !strings.Contains(errs, "there already") {
		t.Errorf("a backup over an older one: status %d, %s", status, errs)
	}
	restored := filepath.Join(dir, "restored")
	must(t, "", "restore", archive, "--data", restored)
	if got := export(restored); got != first {
		t.Errorf("the restored calendar differs:\n%s", got)
	}
	moved := filepath.Join(dir, "moved")
	must(t, "", "migrate-store", "--to", moved, "--data", restored)
	if got := export(moved); got != first {
		t.Errorf("the calendar differs in its new store:\n%s", got)
	}
	if _, errs, status := run(t, "", "migrate-store", "--to", moved, "--data", restored); status != 1 || !strings.Contains(errs, "empty") {
		t.Errorf("migrating into a store in use: status %d, %s", status, errs)
	}
}

// A mail whose invitation waits for its owner is told of: it is in no calendar.
func TestImportTellsWhatItHolds(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "invitation.eml")
	must(t, "alice", "account", "add", "alice@example.test", "--password-stdin", "--data", data)
	body := strings.Replace(event("held", "DTSTART:20270401T100000Z\nSUMMARY:Lunch\nORGANIZER:mailto:zoe@elsewhere.test\nATTENDEE:mailto:alice@example.test"), "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST", 1)
	text := "From: zoe@elsewhere.test\r\nTo: alice@example.test\r\nSubject: Lunch\r\nMessage-ID: <1@elsewhere.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\n" + body
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := must(t, "", "import", "--account", "alice@example.test", "--data", data, file); !strings.Contains(out, "1 held") {
		t.Errorf("import says: %s", out)
	}
	if out := must(t, "", "message", "list", "--state", "held", "--data", data); !strings.Contains(out, "zoe@elsewhere.test") {
		t.Errorf("held messages: %s", out)
	}
}

func TestFileTools(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.ics")
	text := event("a", "DTSTART;TZID=Europe/Berlin:20270301T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=3\nSUMMARY:Weekly")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var starts []string
	for l := range strings.Lines(must(t, "", "ical", "expand", "--json", file)) {
		var o struct{ UID, Start, End, TZID, Summary string }
		if err := json.Unmarshal([]byte(l), &o); err != nil {
			t.Fatalf("%v in %s", err, l)
		}
		starts = append(starts, o.Start)
	}
	if got, want := strings.Join(starts, " "), "2027-03-01T09:00:00+01:00 2027-03-08T09:00:00+01:00 2027-03-15T09:00:00+01:00"; got != want {
		t.Errorf("expand: %s, want %s", got, want)
	}
	out, _, status := run(t, text, "ical", "check", "--json", "-")
	if status != 1 || !strings.Contains(out, `"severity":"error"`) {
		t.Errorf("a TZID without VTIMEZONE passes the check: %d %s", status, out)
	}
	if got := must(t, text, "ical", "fmt", "--preserve", "-"); got != text {
		t.Errorf("fmt --preserve changed\n%q\nto\n%q", text, got)
	}
}

// A mail server's pipe: exit statuses of sysexits.h, and the same gate as LMTP.
func TestPipe(t *testing.T) {
	s := newService(t, "example.test", []string{"alice"})
	pipe := func(mail string, args ...string) int {
		cmd := exec.Command(binary, append([]string{"message", "receive", "--data", s.data}, args...)...)
		cmd.Env = append(os.Environ(), "CONVENE_MAIL_INBOUND_POLICY=accept", "CONVENE_DOMAINS=example.test", "CONVENE_MAIL_MAX_MESSAGE_SIZE=100000")
		cmd.Stdin = strings.NewReader(mail)
		out, err := cmd.CombinedOutput()
		if err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		if cmd.ProcessState.ExitCode() != 0 && len(out) == 0 {
			t.Error("a failure without a sentence")
		}
		return cmd.ProcessState.ExitCode()
	}
	invitation := "From: olga@outside.test\nTo: alice@example.test\nSubject: x\nMessage-ID: <pipe-1@outside.test>\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\n\n" +
		strings.ReplaceAll(strings.Replace(event("by-pipe", "DTSTART:20270401T100000Z\nSUMMARY:Piped\nORGANIZER:mailto:olga@outside.test\nATTENDEE;RSVP=TRUE:mailto:alice@example.test"), "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST", 1), "\r\n", "\n")
	if status := pipe(invitation, "--to", "alice@example.test"); status != 0 {
		t.Errorf("an invitation: %d", status)
	}
	if status := pipe(invitation); status != 0 {
		t.Errorf("the same mail again, for whom its own To says: %d", status)
	}
	if status := pipe(invitation, "--to", "nobody@example.test"); status != 67 {
		t.Errorf("unknown recipient: %d, want 67 (EX_NOUSER)", status)
	}
	if status := pipe("Subject: big\n\n"+strings.Repeat("x", 200_000), "--to", "alice@example.test"); status != 65 {
		t.Errorf("too large: %d, want 65 (EX_DATAERR)", status)
	}
	if out := s.cli("", "event", "list", "--account", "alice@example.test", "--from", "2027-04-01", "--to", "2027-04-02"); strings.Count(out, "Piped") != 1 {
		t.Errorf("after the pipe: %s", out)
	}
}

func TestConvert(t *testing.T) {
	dir := t.TempDir()
	text := event("a", "DTSTART;TZID=Europe/Berlin:20270301T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=3\nSUMMARY:Weekly\\, again\nX-ODD;X-P=\"a,b\":kept")
	strict := must(t, text, "ical", "fmt", "-")
	for _, format := range []string{"jcal", "xcal"} {
		file := filepath.Join(dir, "a."+format)
		must(t, text, "ical", "convert", "--to", format, "-o", file, "-")
		if got := must(t, "", "ical", "convert", "--to", "ics", file); got != strict {
			t.Errorf("by way of %s:\n%s\nwas\n%s", format, got, strict)
		}
	}
	var one []any
	if err := json.Unmarshal([]byte(must(t, text, "ical", "convert", "--to", "jcal", "-")), &one); err != nil || one[0] != "vcalendar" {
		t.Errorf("one calendar: %v %v", err, one)
	}
	several := must(t, text+text, "ical", "convert", "--to", "jcal", "-")
	if err := json.Unmarshal([]byte(several), &one); err != nil || len(one) != 2 {
		t.Errorf("two calendars: %v %v", err, one)
	}
	if got := must(t, several, "ical", "convert", "--to", "ics", "-"); got != strict+strict {
		t.Errorf("two calendars by way of jcal:\n%s", got)
	}
	same := filepath.Join(dir, "a.jcal")
	if _, errs, status := run(t, "", "ical", "convert", "--to", "ics", "-o", same, same); status != 2 || !strings.Contains(errs, "another") {
		t.Errorf("writing over the input: %d %s", status, errs)
	}
	// What stands behind the components in one syntax stands before them in the other.
	late := strings.Replace(text, "END:VCALENDAR", "X-WR-CALNAME:Late\r\nEND:VCALENDAR", 1)
	if got := must(t, late, "ical", "convert", "--to", "xcal", "-"); !strings.Contains(got, "<x-wr-calname><unknown>Late</unknown></x-wr-calname></properties>\n<components>") {
		t.Errorf("a late property: %s", got)
	}
	for _, tt := range []struct {
		in, to string
		status int
		says   string
	}{
		{`["vcalendar",[],`, "ics", 1, "line 1"},
		{"<icalendar><vcalendar>", "jcal", 1, "line 1"},
		{"junk", "jcal", 1, "not an iCalendar object"},
		{text, "pdf", 2, "jcal"},
	} {
		_, errs, status := run(t, tt.in, "ical", "convert", "--to", tt.to, "-")
		if status != tt.status || !strings.Contains(errs, tt.says) {
			t.Errorf("%q to %s: status %d, %s", tt.in, tt.to, status, errs)
		}
	}
}

func TestExportInOtherSyntaxes(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	must(t, "alice", "account", "add", "alice@example.test", "--password-stdin", "--data", data)
	must(t, event("one", "DTSTART:20270401T100000Z\nSUMMARY:First"), "import", "--account", "alice@example.test", "--calendar", "work", "--data", data, "-")
	export := func(format string) string {
		return must(t, "", "export", "--account", "alice@example.test", "--calendar", "work", "--format", format, "--data", data)
	}
	ics := export("ics")
	for _, format := range []string{"jcal", "xcal"} {
		if got := must(t, export(format), "ical", "convert", "--to", "ics", "-"); got != ics {
			t.Errorf("%s export:\n%s\nis not\n%s", format, got, ics)
		}
	}
	if _, errs, status := run(t, "", "export", "--account", "alice@example.test", "--format", "pdf", "--data", data); status != 2 || !strings.Contains(errs, "xcal") {
		t.Errorf("an unknown format: %d %s", status, errs)
	}
}
