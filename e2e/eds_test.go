package e2e

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Evolution Data Server is what Evolution and GNOME Calendar keep calendars
// with; eds/script.py says what it does here.
func TestEvolutionDataServer(t *testing.T) { onEachStore(t, evolutionDataServer) }

func evolutionDataServer(t *testing.T, store ...string) {
	const install = "apt-get install evolution-data-server gir1.2-ecal-2.0 python3-gi dbus-daemon"
	need(t, "clients", "dbus-run-session", install)
	if err := exec.Command("/usr/bin/python3", "-c", "import gi; gi.require_version('ECal', '2.0')").Run(); err != nil {
		need(t, "clients", "ECal for python3", install)
	}
	if _, err := os.Stat("/usr/libexec/evolution-calendar-factory"); err != nil {
		need(t, "clients", "evolution-data-server", install)
	}
	s := newService(t, "example.test", []string{"alice", "bob"}, store...).start()
	s.expect(201, s.do("bob", "PUT", "/dav/calendars/bob/default/busy.ics", event("busy", "DTSTART:20270401T100000Z\nDTEND:20270401T110000Z\nSUMMARY:Secret"), "Content-Type", "text/calendar"))
	// Its daemons outlive the session for a moment, and write; so the folder is
	// not the test's.
	home, err := os.MkdirTemp("", "convene-eds")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	host, port, _ := net.SplitHostPort(s.http)
	script, err := filepath.Abs("eds/script.py")
	if err != nil {
		t.Fatal(err)
	}
	line := []string{"dbus-run-session", "--", "/usr/bin/python3", script, host, port, "alice", "alice"}
	apart := []string{"unshare", "--pid", "--fork", "--kill-child"} // all that it starts ends with it
	if exec.Command(apart[0], append(apart[1:], "true")...).Run() == nil {
		line = append(apart, line...)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home+"/.config", "XDG_CACHE_HOME="+home+"/.cache", "XDG_DATA_HOME="+home+"/.local", "XDG_RUNTIME_DIR="+home,
		"LC_ALL=C.UTF-8", "GIO_USE_PROXY_RESOLVER=dummy", "GSETTINGS_BACKEND=memory", "PYTHONDONTWRITEBYTECODE=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "is content") {
		t.Errorf("%v\n%s", err, out)
	}
}
