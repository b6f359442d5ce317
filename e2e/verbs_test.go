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
