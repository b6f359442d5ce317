package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// jsonLines reads the one JSON object a line of a command.
func jsonLines(t *testing.T, out string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for l := range strings.Lines(out) {
		var v map[string]any
		if err := json.Unmarshal([]byte(l), &v); err != nil {
			t.Fatalf("%v in %s", err, l)
		}
		list = append(list, v)
	}
	return list
}

// A meeting is proposed, previewed, put off, published and asked for by hand.
func TestTheVerbsOfSchedulingFromTheCommandLine(t *testing.T) {
	s := newService(t, "example.test", []string{"alice", "bob"}).start()
	s.cli("", "account", "add", "team@example.test", "--kind", "group", "--no-password")
	s.cli("", "account", "members", "add", "team@example.test", "bob@example.test", "zoe@elsewhere.test")
	if got := s.cli("", "account", "members", "list", "team@example.test"); got != "bob@example.test\nzoe@elsewhere.test\n" {
		t.Errorf("members: %q", got)
	}
	s.cli("", "account", "members", "remove", "team@example.test", "zoe@elsewhere.test")

	add := []string{"event", "add", "--account", "alice@example.test", "--summary", "Lunch", "--start", "2027-04-01T12:00", "--duration", "1h", "--tz", "Europe/Berlin", "--attendee", "team@example.test"}
	preview := s.cli("", append(add, "--preview")...)
	if !strings.Contains(preview, "bob@example.test gets an invitation, at once") {
		t.Errorf("preview: %s", preview)
	}
	if got := s.cli("", "event", "list", "--account", "bob@example.test", "--from", "2027-04-01"); got != "" {
		t.Errorf("the preview did something: %s", got)
	}
	uid := strings.TrimSpace(s.cli("", add...))

	sent := jsonLines(t, s.cli("", "event", "propose", "--account", "bob@example.test", uid, "--start", "2027-04-01T15:00", "--comment", "After lunch?", "--json"))
	if len(sent) != 1 || sent[0]["to"] != "mailto:alice@example.test" || sent[0]["method"] != "COUNTER" {
		t.Errorf("propose: %v", sent)
	}
	held := jsonLines(t, s.cli("", "message", "list", "--account", "alice@example.test", "--state", "held", "--json"))
	if len(held) != 1 || !strings.Contains(held[0]["sentence"].(string), "After lunch?") {
		t.Fatalf("held: %v", held)
	}
	s.cli("", "message", "approve", held[0]["id"].(string))
	if got := s.cli("", "event", "show", "--account", "bob@example.test", uid); !strings.Contains(got, "DTSTART;TZID=Europe/Berlin:20270401T150000") {
		t.Errorf("bob's copy:\n%s", got)
	}
	// Taken up by Alice: the preview of a further change tells what Bob would read.
	if got := s.cli("", "event", "edit", "--account", "alice@example.test", uid, "--location", "Roof", "--preview"); !strings.Contains(got, "bob@example.test gets an update, at once\n    ") || !strings.Contains(got, "Roof") {
		t.Errorf("preview of an edit: %s", got)
	}
	if got := s.cli("", "event", "edit", "--account", "alice@example.test", uid, "--preview"); !strings.Contains(got, "gets nothing: nothing that concerns them changed") {
		t.Errorf("preview of nothing: %s", got)
	}
	s.cli("", "event", "refresh", "--account", "bob@example.test", uid)
	if got := jsonLines(t, s.cli("", "event", "publish", "--account", "alice@example.test", uid, "--to", "press@elsewhere.test", "--json")); len(got) != 1 || got[0]["method"] != "PUBLISH" {
		t.Errorf("publish: %v", got)
	}
	if got := s.cli("", "event", "delete", "--account", "alice@example.test", uid, "--preview"); !strings.Contains(got, "bob@example.test gets a cancellation") {
		t.Errorf("preview of a deletion: %s", got)
	}
	for _, bad := range []struct {
		args []string
		says string
		code int
	}{
		{[]string{"event", "propose", "--account", "alice@example.test", uid, "--location", "x"}, "organize", 1},
		{[]string{"event", "propose", "--account", "bob@example.test", uid, "--start", "soon"}, "is not a time", 2},
		{[]string{"event", "propose", "--account", "bob@example.test", uid}, "should be otherwise", 1},
		{[]string{"event", "refresh", "--account", "alice@example.test", uid}, "organize", 1},
		{[]string{"event", "publish", "--account", "bob@example.test", uid, "--to", "x@y.test"}, "organized by", 1},
		{[]string{"event", "publish", "--account", "alice@example.test", uid, "--to", "nobody"}, "mail address", 1},
		{[]string{"account", "members", "add", "bob@example.test", "alice@example.test"}, "no group", 1},
		{[]string{"account", "members", "add", "team@example.test", "team@example.test"}, "itself", 1},
	} {
		if out, errs, status := run(t, "", append(bad.args, "--data", s.data)...); status != bad.code || !strings.Contains(errs, bad.says) {
			t.Errorf("convene %v: status %d, %s%s", bad.args, status, out, errs)
		}
	}
}

func TestRoomsHaveAPolicy(t *testing.T) {
	s := newService(t, "example.test", []string{"alice", "bob", "janet"}).start()
	s.cli("", "account", "add", "blue@example.test", "--name", "Blue", "--kind", "room", "--no-password", "--tz", "Europe/Berlin")
	if got := s.cli("", "account", "show-policy", "blue@example.test"); !strings.Contains(got, "accepts everything that is free") {
		t.Errorf("no policy: %s", got)
	}
	got := jsonLines(t, s.cli("", "account", "set-policy", "blue@example.test", "--open", "mon-fri 08:00-18:00", "--longest", "4h", "--capacity", "8", "--approver", "janet@example.test", "--json"))[0]
	if got["longest"] != "4h0m0s" || got["capacity"] != 8.0 || got["open"].([]any)[0] != "mon-fri 08:00-18:00" {
		t.Errorf("set: %v", got)
	}
	s.cli("", "account", "set-policy", "blue@example.test", "--capacity", "4") // the rest stays
	if got := s.cli("", "account", "show-policy", "blue@example.test"); !strings.Contains(got, "open mon-fri 08:00-18:00") || !strings.Contains(got, "holds 4 people") || !strings.Contains(got, "when janet@example.test agrees") {
		t.Errorf("policy: %s", got)
	}
	book := func(who, start string) string {
		return strings.TrimSpace(s.cli("", "event", "add", "--account", who+"@example.test", "--summary", "Plan", "--start", start, "--duration", "1h", "--tz", "Europe/Berlin", "--attendee", "blue@example.test"))
	}
	uid := book("alice", "2027-04-01T12:00")
	if got := s.cli("", "event", "show", "--account", "alice@example.test", uid); !strings.Contains(strings.ReplaceAll(got, "\r\n ", ""), "PARTSTAT=TENTATIVE") {
		t.Errorf("before janet agrees:\n%s", got)
	}
	held := jsonLines(t, s.cli("", "message", "list", "--account", "janet@example.test", "--state", "held", "--json"))
	if len(held) != 1 || held[0]["reason"] != "room-approval" {
		t.Fatalf("janet is asked: %v", held)
	}
	s.cli("", "message", "approve", held[0]["id"].(string))
	if got := s.cli("", "event", "show", "--account", "alice@example.test", uid); strings.Contains(got, "PARTSTAT=TENTATIVE") {
		t.Errorf("after janet agreed:\n%s", got)
	}
	night := book("bob", "2027-04-01T22:00")
	if got := s.cli("", "event", "show", "--account", "bob@example.test", night); !strings.Contains(strings.ReplaceAll(got, "\r\n ", ""), "PARTSTAT=DECLINED") {
		t.Errorf("at night:\n%s", got)
	}
	s.cli("", "account", "set-policy", "blue@example.test", "--approver", "")
	for _, bad := range [][]string{{"blue@example.test", "--open", "someday"}, {"blue@example.test", "--conflicts", "200"}, {"alice@example.test", "--capacity", "2"}} {
		if out, errs, status := run(t, "", append(append([]string{"account", "set-policy"}, bad...), "--data", s.data)...); status == 0 || errs == "" {
			t.Errorf("set-policy %v: status %d, %s%s", bad, status, out, errs)
		}
	}
}

// What leaves the service waits; in the meantime it is taken back.
func TestUndoAndGuestsFromTheCommandLine(t *testing.T) {
	s := newService(t, "example.test", []string{"alice", "bob", "carol"}).start()
	if got := s.cli("", "account", "set-preference", "alice@example.test", "--undo-window", "5m", "--tell-busy", "@elsewhere.test"); !strings.Contains(got, "5m0s") || !strings.Contains(got, "tells busy   @elsewhere.test\n") {
		t.Errorf("preferences: %s", got)
	}
	uid := strings.TrimSpace(s.cli("", "event", "add", "--account", "alice@example.test", "--summary", "Plan", "--start", "2027-04-01T12:00", "--duration", "1h", "--attendee", "dave@elsewhere.test", "--hide-guests"))
	if got := s.cli("", "event", "show", "--account", "alice@example.test", uid); !strings.Contains(got, "X-CONVENE-HIDE-GUESTS:TRUE") {
		t.Errorf("guests are not hidden:\n%s", got)
	}
	if got := s.cli("", "event", "undo", "--account", "alice@example.test", uid); !strings.Contains(got, "one message was not sent") {
		t.Errorf("undo: %s", got)
	}
	if _, errs, status := run(t, "", "event", "undo", "--account", "alice@example.test", uid, "--data", s.data); status != 1 || !strings.Contains(errs, "nothing to take back") {
		t.Errorf("undone twice: %d %s", status, errs)
	}
	uid = strings.TrimSpace(s.cli("", "event", "add", "--account", "alice@example.test", "--summary", "Talk", "--start", "2027-04-02T12:00", "--duration", "1h", "--attendee", "bob@example.test"))
	s.cli("", "event", "delegate", "--account", "bob@example.test", uid, "--to", "carol@example.test")
	if got := s.cli("", "event", "show", "--account", "carol@example.test", uid); !strings.Contains(got, "SUMMARY:Talk") {
		t.Errorf("carol's copy:\n%s", got)
	}
	s.cli("", "event", "forward", "--account", "bob@example.test", uid, "--to", "gus@elsewhere.test")
	s.cli("", "account", "designate", "add", "alice@example.test", "bob@example.test")
	if got := s.cli("", "account", "designate", "list", "alice@example.test"); got != "bob@example.test for alice\n" {
		t.Errorf("designates: %q", got)
	}
	s.cli("", "account", "designate", "remove", "alice@example.test", "bob@example.test")
	asked := jsonLines(t, s.cli("", "freebusy", "dave@elsewhere.test", "--as", "alice@example.test", "--from", "2027-04-01", "--to", "2027-04-02", "--ask", "--json"))
	if len(asked) != 1 || asked[0]["sentence"] != "is asked when they are busy, by mail" {
		t.Errorf("asked: %v", asked)
	}
	for _, bad := range [][]string{
		{"event", "delegate", "--account", "alice@example.test", uid, "--to", "bob@example.test"},
		{"event", "forward", "--account", "alice@example.test", uid, "--to", "x@y.test"},
		{"account", "set-preference", "alice@example.test", "--undo-window", "6m"},
		{"account", "set-preference", "alice@example.test", "--undo-window", "soon"},
		{"account", "designate", "add", "alice@example.test", "alice@example.test"},
		{"event", "respond", "--account", "carol@example.test", uid, "--partstat", "completed"},
		{"freebusy", "bob@example.test", "--from", "2027-04-01", "--to", "2027-04-02", "--ask"},
	} {
		if out, errs, status := run(t, "", append(bad, "--data", s.data)...); status == 0 || errs == "" {
			t.Errorf("convene %v: status %d, %s%s", bad, status, out, errs)
		}
	}
}
