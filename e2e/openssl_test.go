package e2e

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/harness/program"
)

// authority certifies mail addresses with OpenSSL.
type authority struct {
	t    testing.TB
	dir  string
	cert string
	made int
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert = a.dir + "/ca.pem"
	command(t, "openssl", append([]string{"req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=" + name,
		"-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", a.dir + "/ca.key", "-out", a.cert}, ec...)...)
	return a
}

// Kinds of keys, as arguments of `openssl req`.
var (
	ec  = []string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"}
	rsa = []string{"-newkey", "rsa:2048"}
)

// bearer is a person with a certificate.
type bearer struct{ cert, key, ca string }

func (a *authority) issue(kind []string, address string) bearer {
	a.t.Helper()
	a.made++
	base := fmt.Sprintf("%s/%d", a.dir, a.made)
	file(a.t, base+".ext", "subjectAltName=email:"+address+"\nkeyUsage=digitalSignature,keyEncipherment,keyAgreement\nextendedKeyUsage=emailProtection\nbasicConstraints=CA:FALSE\n")
	command(a.t, "openssl", append([]string{"req", "-new", "-nodes", "-subj", "/CN=" + address, "-keyout", base + ".key", "-out", base + ".csr"}, kind...)...)
	command(a.t, "openssl", "x509", "-req", "-in", base+".csr", "-CA", a.cert, "-CAkey", a.dir+"/ca.key", "-set_serial", fmt.Sprint(a.made), "-days", "30", "-extfile", base+".ext", "-out", base+".crt")
	return bearer{base + ".crt", base + ".key", a.cert}
}

// p12 packs certificate, chain and key under the password "secret".
func (b bearer) p12(t testing.TB, options ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "key.p12")
	command(t, "openssl", append([]string{"pkcs12", "-export", "-in", b.cert, "-inkey", b.key, "-certfile", b.ca, "-passout", "pass:secret", "-out", out}, options...)...)
	return out
}

// key is a line of `convene key list --json`.
type key struct{ Protocol, Fingerprint, Role string }

func (s *service) keys(of string) (list []key) {
	s.t.Helper()
	args := []string{"key", "list", "--json"}
	if of != "" {
		args = append(args, "--account", of)
	}
	for d := json.NewDecoder(strings.NewReader(s.cli("", args...))); d.More(); {
		var k key
		if err := d.Decode(&k); err != nil {
			s.t.Fatal(err)
		}
		list = append(list, k)
	}
	return list
}

// invite makes an event of the person's with one guest and gives the mail that
// left.
func (s *service) invite(out *relay, person, guest, uid string) (mail string) {
	s.t.Helper()
	text := event(uid, "DTSTART:20270401T100000Z\nDTEND:20270401T110000Z\nSUMMARY:Überraschung\nORGANIZER:mailto:"+person+"@example.test\nATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:"+guest)
	s.expect(201, s.do(person, "PUT", "/dav/calendars/"+person+"/default/"+uid+".ics", text, "Content-Type", "text/calendar"))
	eventually(s.t, "the invitation leaves", func() (bool, string) {
		list := s.messages("--uid", uid)
		if len(list) != 1 || list[0].State != "sent" {
			return false, fmt.Sprintf("%+v", list)
		}
		out.mu.Lock()
		defer out.mu.Unlock()
		mail = out.mails[len(out.mails)-1]
		return true, ""
	})
	return mail
}

// What Convene signs and encrypts, OpenSSL verifies and opens.
func TestSignedInvitationsForOpenSSL(t *testing.T) {
	t.Parallel()
	program.Need(t, "crypto", "openssl")
	out := startRelay(t, "127.0.0.1:0", nil)
	s := newService(t, "example.test", []string{"alice", "bob", "carol", "dora", "emil"}, "--mail-relay", "smtp://"+out.addr+"?tls=none")
	s.env = append(s.env, "CONVENE_MAIL_ENCRYPT=when-possible")
	company := newAuthority(t, "Company")
	s.cli("", "key", "generate", "--account", "alice@example.test")
	s.cli("", "key", "generate", "--account", "bob@example.test", "--kind", "ec")
	s.cli("secret\n", "key", "import", "--account", "carol@example.test", "--password-stdin", company.issue(rsa, "carol@example.test").p12(t))
	s.cli("secret\n", "key", "import", "--account", "dora@example.test", "--password-stdin", company.issue(ec, "dora@example.test").p12(t, "-legacy"))
	site := filepath.Join(t.TempDir(), "site.pem")
	for _, k := range s.keys("") {
		file(t, site, s.cli("", "key", "export", k.Fingerprint))
	}
	guest := newAuthority(t, "Elsewhere").issue(rsa, "guest@outside.test")
	s.cli("", "key", "trust", guest.ca)
	s.cli("", "key", "trust", "--account", "emil@example.test", guest.cert)
	s.cli("", "key", "generate", "--account", "emil@example.test")
	s.start()
	home := t.TempDir()
	for _, c := range []struct {
		person, ca string
		encrypted  bool
	}{
		{"alice", site, false}, {"bob", site, false}, {"carol", company.cert, false}, {"dora", company.cert, false}, {"emil", site, true},
	} {
		mail := s.invite(out, c.person, "guest@outside.test", "signed-"+c.person)
		path := filepath.Join(home, c.person)
		if file(t, path, mail); c.encrypted {
			if strings.Contains(mail, "multipart/signed") {
				t.Errorf("%s: one can see that it is signed:\n%s", c.person, mail)
			}
			file(t, path, command(t, "openssl", "cms", "-decrypt", "-in", path, "-recip", guest.cert, "-inkey", guest.key))
		}
		content := command(t, "openssl", "cms", "-verify", "-in", path, "-CAfile", c.ca, "-purpose", "smimesign", "-signer", path+".signer")
		if !strings.Contains(content, "text/calendar") || !strings.Contains(content, "method=REQUEST") {
			t.Errorf("%s: signed was\n%s", c.person, content)
		}
		if of := command(t, "openssl", "x509", "-in", path+".signer", "-noout", "-email"); strings.TrimSpace(of) != c.person+"@example.test" {
			t.Errorf("%s: signed by %s", c.person, of)
		}
		// OpenSSL is not pleased with everything.
		if text := read(t, path); strings.Contains(text, "Content-Type: text/plain") {
			file(t, path, strings.Replace(text, "Content-Type: text/plain", "Content-Type: text/other", 1))
			if err := exec.Command("openssl", "cms", "-verify", "-in", path, "-CAfile", c.ca, "-out", "/dev/null").Run(); err == nil {
				t.Errorf("%s: a changed mail verifies", c.person)
			}
		} else {
			t.Errorf("%s: the text is not where it was expected:\n%s", c.person, text)
		}
	}
}

// entity is a MIME part with somebody's answer.
func answerEntity(uid, who string) string {
	text := strings.Replace(event(uid, "DTSTART:20270401T100000Z\nORGANIZER:mailto:alice@example.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:"+who), "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REPLY", 1)
	return "Content-Type: text/calendar; charset=utf-8; method=REPLY\r\n\r\n" + text
}

// A signature by OpenSSL decides whether an answer is applied, where only
// signed mail is (T3: a signature that is believed).
func TestSignedAnswersByOpenSSL(t *testing.T) {
	t.Parallel()
	program.Need(t, "crypto", "openssl")
	s := newService(t, "example.test", []string{"alice"}, "--mail-inbound-policy", "quarantine")
	known, unknown := newAuthority(t, "Known"), newAuthority(t, "Unknown")
	guest, guestEC, mallory, fake := known.issue(rsa, "guest@outside.test"), known.issue(ec, "guest@outside.test"), known.issue(ec, "mallory@evil.test"), unknown.issue(ec, "guest@outside.test")
	s.cli("", "key", "trust", known.cert)
	s.cli("", "key", "generate", "--account", "alice@example.test")
	alice := filepath.Join(t.TempDir(), "alice.pem")
	for _, k := range s.keys("alice@example.test") {
		file(t, alice, s.cli("", "key", "export", "--account", "alice@example.test", k.Fingerprint))
	}
	s.start()
	sign := func(t *testing.T, b bearer, entity string, options ...string) string {
		path := filepath.Join(t.TempDir(), "entity")
		file(t, path, entity)
		return command(t, "openssl", append([]string{"cms", "-sign", "-in", path, "-signer", b.cert, "-inkey", b.key, "-certfile", b.ca}, options...)...)
	}
	encrypt := func(t *testing.T, entity string, options ...string) string {
		path := filepath.Join(t.TempDir(), "entity")
		file(t, path, strings.ReplaceAll(strings.ReplaceAll(entity, "\r\n", "\n"), "\n", "\r\n"))
		return command(t, "openssl", append(append([]string{"cms", "-encrypt", "-binary", "-in", path}, options...), alice)...)
	}
	for _, c := range []struct {
		name string
		make func(t *testing.T, entity string) string
		want string
	}{
		{"clear", func(t *testing.T, e string) string { return sign(t, guest, e) }, "applied T3"},
		{"opaque", func(t *testing.T, e string) string { return sign(t, guest, e, "-nodetach") }, "applied T3"},
		{"elliptic-curve", func(t *testing.T, e string) string { return sign(t, guestEC, e, "-md", "sha384") }, "applied T3"},
		{"pss", func(t *testing.T, e string) string { return sign(t, guest, e, "-keyopt", "rsa_padding_mode:pss") }, "applied T3"},
		{"key-identifier", func(t *testing.T, e string) string { return sign(t, guest, e, "-keyid") }, "applied T3"},
		{"encrypted", func(t *testing.T, e string) string { return encrypt(t, sign(t, guest, e), "-aes-256-cbc") }, "applied T3"},
		{"encrypted-gcm", func(t *testing.T, e string) string { return encrypt(t, sign(t, guest, e), "-aes-256-gcm") }, "applied T3"},
		{"oaep", func(t *testing.T, e string) string {
			return encrypt(t, sign(t, guest, e), "-aes128", "-recip", alice, "-keyopt", "rsa_padding_mode:oaep")
		}, "applied T3"},

		{"unsigned", func(_ *testing.T, e string) string { return "MIME-Version: 1.0\n" + e }, "held unsigned-now"},
		{"encrypted-unsigned", func(t *testing.T, e string) string { return encrypt(t, e, "-aes256") }, "held malleable"},
		{"somebody-else", func(t *testing.T, e string) string { return sign(t, mallory, e) }, "held signer-mismatch"},
		{"unknown-authority", func(t *testing.T, e string) string { return sign(t, fake, e) }, "held unsigned-now"},
		{"changed", func(t *testing.T, e string) string {
			return strings.Replace(sign(t, guest, strings.Replace(e, "ACCEPTED", "DECLINED", 1)), "DECLINED", "ACCEPTED", 1)
		}, "held bad-signature"},
		{"expired", func(t *testing.T, e string) string {
			old := *known
			old.dir = t.TempDir()
			command(t, "cp", known.dir+"/ca.key", old.dir+"/ca.key")
			b := old.issue(ec, "guest@outside.test")
			command(t, "openssl", "x509", "-req", "-in", strings.TrimSuffix(b.cert, ".crt")+".csr", "-CA", known.cert, "-CAkey", known.dir+"/ca.key", "-set_serial", "99", "-days", "-1", "-extfile", strings.TrimSuffix(b.cert, ".crt")+".ext", "-out", b.cert)
			return sign(t, b, e)
		}, "held unsigned-now"},
	} {
		t.Run(c.name, func(t *testing.T) {
			uid := "answer-" + c.name
			s.expect(201, s.do("alice", "PUT", "/dav/calendars/alice/default/"+uid+".ics", event(uid, "DTSTART:20270401T100000Z\nSUMMARY:Lunch\nORGANIZER:mailto:alice@example.test\nATTENDEE;SCHEDULE-AGENT=NONE;RSVP=TRUE:mailto:guest@outside.test"), "Content-Type", "text/calendar"))
			mail := "From: guest@outside.test\nTo: alice@example.test\nSubject: Re: Lunch\nMessage-ID: <" + uid + "@outside.test>\n" + c.make(t, answerEntity(uid, "guest@outside.test"))
			if said := s.deliver("guest@outside.test", "alice@example.test", mail); said[0] != '2' {
				t.Fatal(said)
			}
			list := s.messages("--uid", uid)
			if len(list) != 1 {
				t.Fatalf("%+v in %+v", list, s.messages())
			}
			got := list[0].State + " " + list[0].Reason
			if list[0].State == "applied" {
				got = list[0].State + " " + list[0].Evidence.Level
			}
			if got != c.want || list[0].Sentence == "" {
				t.Errorf("%s, want %s: %s", got, c.want, list[0].Sentence)
			}
			_, text := s.find("alice", uid)
			if _, accepted := line(text, "ATTENDEE", "PARTSTAT=ACCEPTED"); accepted != strings.HasPrefix(c.want, "applied") {
				t.Errorf("alice has\n%s", text)
			}
		})
	}
}
