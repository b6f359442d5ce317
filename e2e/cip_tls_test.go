package e2e

import (
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/harness/certs"
)

// certifiedFor writes a certificate of a host and gives its files.
func certifiedFor(t testing.TB, ca *certs.Identity, host string) (cert, key string) {
	t.Helper()
	return ca.Issue(t, "p256", func(x *x509.Certificate) {
		x.DNSNames, x.ExtKeyUsage = []string{host}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		x.NotBefore, x.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	}).Write(t, t.TempDir(), host)
}

// Two services that know each other by nothing but their certificates, with
// TLS from the first octet or asked for: a meeting, its answer, busy time.
func TestMeetingByCIPWithCertificates(t *testing.T) {
	for _, how := range []string{"tls", "starttls"} {
		t.Run(how, func(t *testing.T) {
			ca := certs.CA(t, "Test CA")
			roots, _ := ca.Write(t, t.TempDir(), "ca")
			var at [2]string // each needs the other's before either listens
			var held []net.Listener
			for i := range at {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				at[i] = l.Addr().String()
				defer l.Close() // should the test end before
				held = append(held, l)
			}
			listen := map[string]string{"tls": "--cip-tls-listen", "starttls": "--cip-listen"}[how]
			var both [2]*service
			for i, domain := range []string{"here.test", "there.test"} {
				cert, key := certifiedFor(t, ca, domain)
				s := newService(t, domain, []string{"ann"}, listen, at[i])
				toml := fmt.Sprintf("[http]\ntls = \"files\"\ncert = %q\nkey = %q\n[cip]\nallow-anonymous = \"no\"\nca = %q\n", cert, key, roots) +
					peer([]string{"there.test", "here.test"}[i], at[1-i], "tls", how)
				if err := os.WriteFile(filepath.Join(s.data, "convene.toml"), []byte(toml), 0o600); err != nil {
					t.Fatal(err)
				}
				both[i] = s
			}
			for _, l := range held {
				l.Close()
			}
			here, there := both[0], both[1]
			here.start()
			there.start()
			uid := strings.TrimSpace(here.cli("", "event", "add", "--account", "ann@here.test", "--summary", "Secured", "--start", "2029-04-01T10:00", "--duration", "1h", "--attendee", "ann@there.test"))
			text := ""
			shows := func(s *service, account string, parts ...string) {
				t.Helper()
				eventually(t, fmt.Sprintf("%s has %q", account, parts), func() (bool, string) {
					text = strings.ReplaceAll(strings.ReplaceAll(s.cli("", "export", "--account", account, "--calendar", "default"), "\r\n ", ""), "\r", "")
					for line := range strings.Lines(text) {
						all := true
						for _, p := range parts {
							all = all && strings.Contains(line, p)
						}
						if all {
							return true, ""
						}
					}
					return false, text + here.log.String() + there.log.String()
				})
			}
			shows(there, "ann@there.test", "SUMMARY:Secured")
			there.cli("", "event", "respond", uid, "--account", "ann@there.test", "--partstat", "accepted")
			shows(here, "ann@here.test", "ATTENDEE", "PARTSTAT=ACCEPTED", "ann@there.test")
			for _, m := range here.messages("--uid", uid) {
				if m.Transport != "cip" {
					t.Errorf("journal: %+v", m)
				}
			}
			// The command line asks the other service as the service itself does.
			out := here.cli("", "freebusy", "ann@there.test", "ann@here.test", "--from", "2029-04-01", "--to", "2029-04-02")
			if strings.Count(out, "2029-04-01T10:00Z") != 2 {
				t.Errorf("busy: %s", out)
			}
		})
	}
}

// A password in clear is not even looked at when it comes from afar; over TLS
// it is taken, and by the client too.
func TestCIPPasswordsFromAfar(t *testing.T) {
	afar := outward(t)
	ca := certs.CA(t, "Test CA")
	roots, _ := ca.Write(t, t.TempDir(), "ca")
	cert, key := certifiedFor(t, ca, "b.test")
	s := cipService(t, "b.test", []string{"ben"}, net.JoinHostPort(afar, "0"), fmt.Sprintf("[http]\ntls = \"files\"\ncert = %q\nkey = %q\n", cert, key)+
		peer("a.test", "127.0.0.1:1", "password", "secret of a")).start()
	w := dialCIP(t, s.cip)
	if got := w.line(); got != "OK CIP 1.0 b.test" {
		t.Errorf("greeting %q", got)
	}
	w.expect("NO 000", "AUTHENTICATE LOGIN ben ben")
	w.expect("NO 000", "AUTHENTICATE LOGIN a.test secret of a")
	w.expect("* PERMDENIED ben@b.test\nNO 000", "SENDEVENT +\nUID:1@b.test\nSEQUENCE:1\nDTSTART:20290401T100000Z\nATTENDEE;ROLE=OWNER:ben@b.test\n.")

	// The client does not send it either, unless it is told to.
	ask := []string{"cip", "freebusy", s.cip, "ben@b.test", "--from", "2029-04-01", "--to", "2029-04-02", "--login", "ben", "--password-stdin"}
	if _, errs, status := run(t, "ben", ask...); status != 1 || !strings.Contains(errs, "TLS") {
		t.Errorf("in clear: %d %s", status, errs)
	}
	if _, errs, status := run(t, "ben", append(ask, "--plaintext")...); status != 1 || !strings.Contains(errs, "sign in") {
		t.Errorf("in clear, on purpose: %d %s", status, errs)
	}
	if _, errs, status := run(t, "ben", append(ask, "--tls")...); status != 1 || !strings.Contains(errs, "certificate") {
		t.Errorf("a certificate of nobody we know: %d %s", status, errs)
	}
	// It is for b.test, which is where the command goes: by its name in DNS, or,
	// here, of the address.
	if out, errs, status := run(t, "ben", append(ask, "--tls", "--ca", roots, "--server-id", "b.test")...); status != 0 || !strings.Contains(out, "ATTENDEE:ben@b.test") {
		t.Errorf("over TLS: %d %s%s", status, out, errs)
	}
}

// outward is an address of this machine that is not its loopback.
func outward(t testing.TB) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			if l, err := net.Listen("tcp", net.JoinHostPort(n.IP.String(), "0")); err == nil {
				l.Close()
				return n.IP.String()
			}
		}
	}
	t.Skip("SKIPPED: this machine has no address but its loopback, so that nothing can come from afar")
	return ""
}

// What a script sees of a refusal: the information on standard output, the
// sentence on standard error, and the status.
func TestCIPCommandLine(t *testing.T) {
	s := cipService(t, "b.test", []string{"ben"}, "127.0.0.1:0", peer("a.test", "127.0.0.1:1", "password", "x")).start()
	file := filepath.Join(t.TempDir(), "1.txt")
	if err := os.WriteFile(file, []byte("UID:1@a.test\nSEQUENCE:1\nDTSTART:20290401T100000Z\nATTENDEE;ROLE=OWNER:ann@a.test\nATTENDEE:ghost@b.test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		out    string
		errs   string // a part
	}{
		{"refused", []string{"send", s.cip, file, "--login", "a.test", "--password-stdin"}, 1, "* NOTFOUND ann@a.test\n* NOTFOUND ghost@b.test\n", "convene: the server refuses: NO 000 No attendee received the event.\n"},
		{"not signed in", []string{"freebusy", s.cip, "ben@b.test"}, 1, "* NOTFOUND ben@b.test\n", "convene: the server refuses: NO 000 No such user here.\n"},
		{"wrong password", []string{"freebusy", s.cip, "ben@b.test", "--login", "ben", "--password-stdin"}, 1, "", "sign in as ben"},
		{"nobody there", []string{"talk", "127.0.0.1:1"}, 1, "", "no connection"},
		{"the end before the beginning", []string{"freebusy", s.cip, "ben@b.test", "--from", "2029-04-02", "--to", "2029-04-01"}, 2, "", "--to 2029-04-01 is not after"},
		{"no user id", []string{"rsvp", s.cip, "--uid", "1@b.test", "--attendee", "nobody", "--status", "accepted"}, 2, "", "no user id"},
	} {
		out, errs, status := run(t, "x", append([]string{"cip"}, tt.args...)...)
		if status != tt.status || out != tt.out || !strings.Contains(errs, tt.errs) {
			t.Errorf("%s: status %d, want %d\n%s%s", tt.name, status, tt.status, out, errs)
		}
	}
	if _, errs, status := run(t, "", "freebusy", "ben@b.test", "--from", "2029-04-02", "--to", "2029-04-01", "--data", s.data); status != 2 || !strings.Contains(errs, "--to") {
		t.Errorf("freebusy backwards: %d %s", status, errs)
	}
	if _, errs, status := run(t, "", "freebusy", "ann@a.test", "--from", "2029-04-01", "--to", "2029-04-02", "--data", s.data); status != 2 || !strings.Contains(errs, "--as") {
		t.Errorf("freebusy by nobody: %d %s", status, errs)
	}
}

// The client with servers of other versions (section 1.4), and with one that
// does not want to talk.
func TestCIPClientAndVersions(t *testing.T) {
	for greeting, goesOn := range map[string]bool{
		"OK CIP 1.0 b.test": true, "OK CIP 1.9 b.test": true, "OK CIP 1.65535 b.test": true, "OK CIP 0.9 b.test": false, "OK CIP 2.0 b.test": false,
		"OK CIP 1 b.test": false, "OK CIP 1.0.0 b.test": false, "NO 000 Service not available": false, "220 mail.b.test ESMTP": false,
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		heard := make(chan string, 1)
		go func() {
			conn, err := l.Accept()
			if err != nil {
				heard <- err.Error()
				return
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(time.Minute))
			io.WriteString(conn, greeting+"\r\n")
			var said strings.Builder
			b := make([]byte, 1)
			for !strings.HasSuffix(said.String(), "\r\n.\r\n") {
				if n, err := conn.Read(b); n == 0 || err != nil {
					break
				}
				said.WriteByte(b[0])
			}
			io.WriteString(conn, "OK 000\r\n")
			heard <- said.String()
		}()
		_, errs, status := run(t, "", "cip", "rsvp", l.Addr().String(), "--uid", "1@b.test", "--attendee", "ann@a.test", "--status", "accepted")
		said := <-heard
		l.Close()
		want := ""
		if goesOn {
			want = "RSVP +\r\nUID:1@b.test\r\nATTENDEE;ROLE=ATTENDEE;STATUS=CONFIRMED:ann@a.test\r\n.\r\n"
		}
		if said != want || goesOn != (status == 0) {
			t.Errorf("%s: status %d, it says %q, want %q; %s", greeting, status, said, want, errs)
		}
	}
}
