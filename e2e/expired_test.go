package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/harness/program"
)

// intermediate is an authority below another.
func (a *authority) intermediate(name string) *authority {
	a.t.Helper()
	below := &authority{t: a.t, dir: a.t.TempDir()}
	below.cert = below.dir + "/ca.pem"
	file(a.t, below.dir+"/ca.ext", "keyUsage=critical,keyCertSign,cRLSign\nbasicConstraints=critical,CA:TRUE,pathlen:0\n")
	command(a.t, "openssl", append([]string{"req", "-new", "-nodes", "-subj", "/CN=" + name, "-keyout", below.dir + "/ca.key", "-out", below.dir + "/ca.csr"}, ec...)...)
	command(a.t, "openssl", "x509", "-req", "-in", below.dir+"/ca.csr", "-CA", a.cert, "-CAkey", a.dir+"/ca.key", "-set_serial", "77", "-days", "30", "-extfile", below.dir+"/ca.ext", "-out", below.cert)
	return below
}

// expired is a certificate that ran out yesterday.
func (a *authority) expired(address string) bearer {
	a.t.Helper()
	b := a.issue(ec, address)
	base := strings.TrimSuffix(b.cert, ".crt")
	command(a.t, "openssl", "x509", "-req", "-in", base+".csr", "-CA", a.cert, "-CAkey", a.dir+"/ca.key", "-set_serial", "99", "-days", "-1", "-extfile", base+".ext", "-out", b.cert)
	return b
}

func fingerprint(t testing.TB, cert string) string {
	t.Helper()
	_, digits, _ := strings.Cut(command(t, "openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256"), "=")
	return strings.TrimSpace(digits)
}

// Certificates and keys that count no more, on answers and on invitations: these
// are held, and the sentence says which certificate it is and why. One that an
// authority in between issued, as `openssl smime` sends it along, counts.
func TestCertificatesThatCountNoMore(t *testing.T) {
	t.Parallel()
	program.Need(t, "crypto", "openssl")
	s := newService(t, "example.test", []string{"alice"}, "--mail-inbound-policy", "quarantine")
	root := newAuthority(t, "Root Authority")
	department, closed := root.intermediate("Department"), root.intermediate("Closed Department")
	s.cli("", "key", "trust", root.cert)
	address := func(who string) string { return who + "@outside.test" }
	people := map[string]bearer{
		"between": department.issue(rsa, address("between")), "expired": root.expired(address("expired")), "revoked": root.issue(ec, address("revoked")),
		"below-revoked": closed.issue(ec, address("below-revoked")), "alone": department.issue(ec, address("alone")),
	}
	for _, cert := range []string{people["revoked"].cert, closed.cert} {
		s.cli("", "key", "trust", cert)
		s.cli("", "key", "untrust", fingerprint(t, cert))
	}
	// GnuPG keys: one that ran out since it signed, and one that still counts.
	old, living := newKeybox(t, ""), newKeybox(t, "Living <living@outside.test>")
	old.run("", "--faked-system-time", "20200101T000000", "--quick-generate-key", "Old <old@outside.test>", "ed25519", "sign", "1y")
	home := t.TempDir()
	for name, k := range map[string]keybox{"old": old, "living": living} {
		file(t, filepath.Join(home, name), k.run("", "--armor", "--export"))
		s.cli("", "key", "trust", "--account", "alice@example.test", filepath.Join(home, name))
	}
	s.start()
	smime := func(b bearer, options ...string) func(string) string {
		return func(entity string) string {
			path := filepath.Join(t.TempDir(), "entity")
			file(t, path, entity)
			return command(t, "openssl", append([]string{"smime", "-sign", "-in", path, "-signer", b.cert, "-inkey", b.key}, options...)...)
		}
	}
	for _, c := range []struct {
		who   string
		sign  func(entity string) string
		state string // of an answer and of an invitation alike
		says  string // a regular expression
	}{
		{"between", smime(people["between"], "-certfile", department.cert), "applied", ""},
		{"alone", smime(people["alone"]), "held", `alone@outside\.test, whose certificate was issued by “Department”; nobody here vouches.*fingerprint begins`},
		{"expired", smime(people["expired"], "-certfile", root.cert), "held", `certificate of expired@outside\.test ran out on .*Root Authority`},
		{"revoked", smime(people["revoked"], "-certfile", root.cert), "held", `certificate of revoked@outside\.test is on this site's list of revoked certificates.*Root Authority`},
		{"below-revoked", smime(people["below-revoked"], "-certfile", closed.cert), "held", `authority above the certificate of below-revoked@outside\.test is on this site's list of revoked certificates.*Closed Department`},
		{"living", living.sign, "applied", ""},
		{"old", func(e string) string { return old.signAt("20200601T000000", e) }, "held", `key of old@outside\.test counts no more: it ran out.*made on 1 January 2020 and valid until`},
	} {
		for _, method := range []string{"REPLY", "REQUEST"} {
			t.Run(c.who+"/"+method, func(t *testing.T) {
				uid := strings.ToLower(c.who + "-" + method)
				who := address(c.who)
				entity := answerEntity(uid, who)
				if method == "REPLY" {
					s.expect(201, s.do("alice", "PUT", "/dav/calendars/alice/default/"+uid+".ics", event(uid, "DTSTART:20270401T100000Z\nSUMMARY:Lunch\nORGANIZER:mailto:alice@example.test\nATTENDEE;SCHEDULE-AGENT=NONE;RSVP=TRUE:mailto:"+who), "Content-Type", "text/calendar"))
				} else {
					text := strings.Replace(event(uid, "DTSTART:20270402T100000Z\nSUMMARY:Supper\nORGANIZER:mailto:"+who+"\nATTENDEE;RSVP=TRUE:mailto:alice@example.test"), "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST", 1)
					entity = "Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n" + text
				}
				mail := fmt.Sprintf("From: %s\nTo: alice@example.test\nSubject: %s\nMessage-ID: <%s@outside.test>\nMIME-Version: 1.0\n", who, uid, uid) + c.sign(entity)
				if said := s.deliver(who, "alice@example.test", mail); said[0] != '2' {
					t.Fatal(said)
				}
				list := s.messages("--uid", uid)
				if len(list) != 1 {
					t.Fatalf("%+v in %+v", list, s.messages())
				}
				if got := list[0]; got.State != c.state || !regexp.MustCompile(c.says).MatchString(got.Sentence) {
					t.Errorf("%s %s, want %s: %s", got.State, got.Reason, c.state, got.Sentence)
				}
			})
		}
	}
}
