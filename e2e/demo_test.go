package e2e

import (
	"io"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The demo as a new user meets it: two services, sample calendars, a printed
// walk-through, and a meeting that crosses by real SMTP and books a room.
func TestDemo(t *testing.T) {
	cmd := exec.Command(binary, "demo", "--port", "0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := &logBuffer{}
	cmd.Stderr = io.Discard
	keys, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go said.copy(out)
	defer func() {
		cmd.Process.Signal(syscall.SIGINT)
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("after Ctrl-C: %v", err)
			}
		case <-time.After(time.Minute):
			cmd.Process.Kill()
			t.Error("the demo does not end at Ctrl-C")
		}
	}()
	eventually(t, "the walk-through is printed", func() (bool, string) {
		return strings.Contains(said.String(), "Ctrl-C ends the demo"), said.String()
	})
	urls := regexp.MustCompile(`(?m)^  \S+\.test\s+http://(\S+)`).FindAllStringSubmatch(said.String(), -1)
	if len(urls) != 2 {
		t.Fatalf("no two addresses in\n%s", said)
	}
	here, there := &service{t: t, http: urls[0][1]}, &service{t: t, http: urls[1][1]}
	if r := here.do("", "GET", "/", ""); r.status != 200 && r.status/100 != 3 {
		t.Errorf("the web page: %d", r.status)
	}
	if r := here.do("alice", "GET", "/dav/calendars/alice/default/", ""); !strings.Contains(r.body, "SUMMARY:Week planning") {
		t.Errorf("no sample calendar: %s", r.body)
	}
	const uid = "demo-meeting"
	text := event(uid, "DTSTART:20270401T100000Z\nDTEND:20270401T110000Z\nSUMMARY:Across\nORGANIZER:mailto:alice@example.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test\nATTENDEE;RSVP=TRUE:mailto:dave@elsewhere.test\nATTENDEE;CUTYPE=ROOM;RSVP=TRUE:mailto:blue-room@example.test")
	here.expect(201, here.do("alice", "PUT", "/dav/calendars/alice/default/across.ics", text, "Content-Type", "text/calendar"))
	here.has("alice", uid, "ATTENDEE", "PARTSTAT=ACCEPTED", "blue-room@")
	there.has("dave", uid, "ATTENDEE", "PARTSTAT=NEEDS-ACTION", "dave@")
	there.answer("dave", uid, "TENTATIVE")
	here.has("alice", uid, "ATTENDEE", "PARTSTAT=TENTATIVE", "dave@")

	// CIP carried it, and mail does when CIP is off; both can be read.
	dir := regexp.MustCompile(`message list --data (\S+)`).FindStringSubmatch(said.String())
	if dir == nil {
		t.Fatalf("no data folder in\n%s", said)
	}
	carried := func(uid string) string {
		return must(t, "", "message", "list", "--data", dir[1], "--json", "--uid", uid)
	}
	if log := carried(uid); !strings.Contains(log, `"transport":"cip"`) || strings.Contains(log, `"transport":"mail"`) {
		t.Errorf("the journal: %s", log)
	}
	io.WriteString(keys, "cip off\n")
	eventually(t, "CIP is off", func() (bool, string) { return strings.Contains(said.String(), "CIP is off"), said.String() })
	third := strings.ReplaceAll(strings.Replace(text, "UID:"+uid, "UID:demo-third", 1), "20270401T", "20270402T")
	here.expect(201, here.do("alice", "PUT", "/dav/calendars/alice/default/third.ics", third, "Content-Type", "text/calendar"))
	there.has("dave", "demo-third", "ATTENDEE", "PARTSTAT=NEEDS-ACTION", "dave@")
	if log := carried("demo-third"); !strings.Contains(log, `"transport":"cip"`) || !strings.Contains(log, `"transport":"mail"`) {
		t.Errorf("the journal: %s", log)
	}
	io.WriteString(keys, "cip on\n")

	// The room is taken: a second meeting at that time is declined.
	second := strings.ReplaceAll(strings.Replace(text, "UID:"+uid, "UID:demo-second", 1), "mailto:dave@elsewhere.test", "mailto:bob@example.test")
	here.expect(201, here.do("alice", "PUT", "/dav/calendars/alice/default/second.ics", second, "Content-Type", "text/calendar"))
	here.has("alice", "demo-second", "ATTENDEE", "PARTSTAT=DECLINED", "blue-room@")
}

func (l *logBuffer) copy(r io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		l.mu.Lock()
		l.text.Write(buf[:n])
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}
