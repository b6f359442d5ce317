package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// On a full disk a save is refused with a sentence, what was acknowledged
// stays readable, and when there is room again saving works without a restart.
func TestFullDisk(t *testing.T) {
	mount := t.TempDir()
	if out, err := exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount).CombinedOutput(); err != nil {
		t.Skipf("SKIP disk: a small file system cannot be mounted here: %s", out)
	}
	s := newService(t, "example.test", []string{"alice"})
	// The data folder is copied onto a file system of 6 MB, with 1 MB that can be freed.
	script := fmt.Sprintf(`mount -t tmpfs -o size=6m tmpfs %[1]s && cp -a %[2]s %[1]s/data && dd if=/dev/zero of=%[1]s/ballast bs=1024 count=1024 2>/dev/null && exec "$0" "$@"`, mount, s.data)
	args := append([]string{}, s.args...)
	for i, a := range args {
		if a == s.data {
			args[i] = filepath.Join(mount, "data")
		}
	}
	s.wrap = []string{"unshare", "-rm", "sh", "-c", script}
	s.args = args
	s.start()

	big := strings.Repeat("DESCRIPTION-TEXT ", 1000)
	stored, refused := map[string]string{}, response{}
	for i := range 2000 {
		uid := fmt.Sprintf("full-%d", i)
		text := event(uid, "DTSTART:20270401T100000Z\nSUMMARY:"+uid+"\nX-FILL:"+big)
		r := s.do("alice", "PUT", "/dav/calendars/alice/default/"+uid+".ics", text, "Content-Type", "text/calendar")
		if r.status == 201 {
			stored[uid] = text
			continue
		}
		refused = r
		break
	}
	if refused.status != 507 && refused.status != 503 {
		t.Fatalf("after %d events: status %d: %.300s", len(stored), refused.status, refused.body)
	}
	if len(strings.TrimSpace(refused.body)) == 0 {
		t.Error("the refusal has no sentence")
	}
	for uid, text := range stored {
		if r := s.do("alice", "GET", "/dav/calendars/alice/default/"+uid+".ics", ""); r.status != 200 || r.body != text {
			t.Fatalf("%s was acknowledged and is %d on a full disk", uid, r.status)
		}
	}
	if err := os.Remove(fmt.Sprintf("/proc/%d/root%s/ballast", s.cmd.Process.Pid, mount)); err != nil {
		t.Fatal(err)
	}
	r := s.do("alice", "PUT", "/dav/calendars/alice/default/again.ics", event("again", "DTSTART:20270401T100000Z"), "Content-Type", "text/calendar")
	if r.status != 201 {
		t.Errorf("with room again a save is %d: %.300s", r.status, r.body)
	}
}
