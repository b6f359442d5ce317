package e2e

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/harness/program"
)

// keybox is a person's GnuPG.
type keybox struct {
	t    testing.TB
	home string
}

func newKeybox(t testing.TB, person string) keybox {
	t.Helper()
	program.Need(t, "crypto", "gpg")
	program.Need(t, "crypto", "gpgconf")
	k := keybox{t, t.TempDir()}
	t.Cleanup(func() { exec.Command("gpgconf", "--homedir", k.home, "--kill", "all").Run() })
	if person != "" {
		k.run("", "--quick-generate-key", person, "ed25519", "sign", "never")
		fingerprint := regexp.MustCompile(`(?m)^fpr:+([0-9A-F]+):`).FindStringSubmatch(k.run("", "--with-colons", "--list-keys"))
		k.run("", "--quick-add-key", fingerprint[1], "cv25519", "encr", "never")
	}
	return k
}

func (k keybox) run(in string, args ...string) string {
	k.t.Helper()
	out, errs, err := k.try(in, args...)
	if err != nil {
		k.t.Fatalf("gpg %s: %v\n%s%s", strings.Join(args, " "), err, out, errs)
	}
	return out
}

func (k keybox) try(in string, args ...string) (string, string, error) {
	cmd := exec.Command("gpg", append([]string{"--homedir", k.home, "--batch", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "", "--trust-model", "always"}, args...)...)
	cmd.Stdin = strings.NewReader(in)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	return out.String(), errs.String(), err
}

// sign makes a multipart/signed (RFC 3156 5) of an entity.
func (k keybox) sign(entity string) string {
	k.t.Helper()
	return k.signed(entity)
}

// signAt signs as of another time, as gpg writes it.
func (k keybox) signAt(when, entity string) string {
	k.t.Helper()
	return k.signed(entity, "--faked-system-time", when)
}

func (k keybox) signed(entity string, options ...string) string {
	k.t.Helper()
	signature := k.run(entity, append(options, "--armor", "--detach-sign", "--digest-algo", "SHA256")...)
	return "Content-Type: multipart/signed; micalg=pgp-sha256; protocol=\"application/pgp-signature\"; boundary=\"sig\"\r\n\r\n--sig\r\n" + entity +
		"\r\n--sig\r\nContent-Type: application/pgp-signature\r\n\r\n" + signature + "\r\n--sig--\r\n"
}

// encrypt makes a multipart/encrypted (RFC 3156 4) of an entity.
func (k keybox) encrypt(to, entity string, options ...string) string {
	k.t.Helper()
	text := k.run(entity, append([]string{"--armor", "--encrypt", "--recipient", to}, options...)...)
	return "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=\"enc\"\r\n\r\n--enc\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--enc\r\nContent-Type: application/octet-stream\r\n\r\n" + text + "\r\n--enc--\r\n"
}

var boundaryPattern = regexp.MustCompile(`(?is)^Content-Type:\s*multipart/\w+;.*?boundary="?([^"\s;]+)`)

// bodyParts gives the parts of the multipart that stands first in a text.
func bodyParts(t testing.TB, text string) []string {
	t.Helper()
	m := regexp.MustCompile(`(?im)^Content-Type:\s*multipart`).FindStringIndex(text)
	if m == nil {
		t.Fatalf("no multipart:\n%s", text)
	}
	b := boundaryPattern.FindStringSubmatch(text[m[0]:])
	_, body, _ := strings.Cut(text, "\r\n\r\n")
	pieces := strings.Split("\r\n"+body, "\r\n--"+b[1])
	var parts []string
	for _, p := range pieces[1 : len(pieces)-1] {
		parts = append(parts, strings.TrimPrefix(p, "\r\n"))
	}
	return parts
}

// armored is the block in a part.
func armored(part string) string {
	if i := strings.Index(part, "-----BEGIN PGP"); i >= 0 {
		return part[i:]
	}
	return part
}

// What Convene signs and encrypts GnuPG verifies and opens, and the other way.
func TestGnuPGBothWays(t *testing.T) {
	t.Parallel()
	guest, fake := newKeybox(t, "Guest <guest@outside.test>"), newKeybox(t, "Guest <guest@outside.test>")
	out := startRelay(t, "127.0.0.1:0", nil)
	s := newService(t, "example.test", []string{"alice", "bob"}, "--mail-relay", "smtp://"+out.addr+"?tls=none", "--mail-inbound-policy", "quarantine")
	s.env = append(s.env, "CONVENE_MAIL_ENCRYPT=when-possible")
	home := t.TempDir()
	file(t, home+"/guest.asc", guest.run("", "--armor", "--export"))
	s.cli("", "key", "generate", "--kind", "pgp", "--account", "alice@example.test")
	s.cli("", "key", "trust", "--account", "alice@example.test", home+"/guest.asc")
	// bob's key was made by GnuPG, and he knows nobody to encrypt to.
	bob := newKeybox(t, "Bob <bob@example.test>")
	file(t, home+"/bob.asc", bob.run("", "--armor", "--export-secret-keys"))
	s.cli("\n", "key", "import", "--account", "bob@example.test", "--password-stdin", home+"/bob.asc")
	for _, k := range append(s.keys("alice@example.test"), s.keys("bob@example.test")...) {
		if k.Role == "own" {
			who := "alice@example.test"
			if !strings.Contains(s.cli("", "key", "list", "--json", "--account", who), k.Fingerprint) {
				who = "bob@example.test"
			}
			guest.run(s.cli("", "key", "export", "--account", who, k.Fingerprint), "--import")
		}
	}
	s.start()

	mail := s.invite(out, "alice", "guest@outside.test", "for-gnupg")
	parts := bodyParts(t, mail)
	if len(parts) != 2 || !strings.Contains(mail, "multipart/encrypted") || !strings.Contains(parts[0], "Version: 1") {
		t.Fatalf("alice's invitation:\n%s", mail)
	}
	inner, said, err := guest.try(armored(parts[1]), "--decrypt")
	if err != nil || !strings.Contains(inner, "text/calendar") {
		t.Fatalf("gpg --decrypt: %v %s\n%s", err, said, inner)
	}
	verify := func(signedText, signature string) (string, error) {
		file(t, home+"/text", signedText)
		file(t, home+"/text.asc", signature)
		_, said, err := guest.try("", "--verify", home+"/text.asc", home+"/text")
		return said, err
	}
	if !strings.Contains(said, "Good signature") { // inside it may be a multipart/signed
		inside := bodyParts(t, inner)
		if said, err := verify(inside[0], armored(inside[1])); err != nil || !strings.Contains(said, "alice@example.test") {
			t.Errorf("alice's signature: %v %s\n%s", err, said, inner)
		}
	} else if !strings.Contains(said, "alice@example.test") {
		t.Errorf("alice's signature: %s", said)
	}
	mail = s.invite(out, "bob", "guest@outside.test", "by-bob")
	if parts = bodyParts(t, mail); len(parts) != 2 {
		t.Fatalf("bob's invitation:\n%s", mail)
	}
	if said, err := verify(parts[0], armored(parts[1])); err != nil || !strings.Contains(said, "bob@example.test") {
		t.Errorf("bob's signature: %v %s\n%s", err, said, mail)
	}
	if said, err := verify(strings.Replace(parts[0], "Content-Type", "Content-type", 1), armored(parts[1])); err == nil {
		t.Errorf("a changed text verifies: %s", said)
	}

	for _, c := range []struct {
		name, want string
		make       func(entity string) string
	}{
		{"signed", "applied T3", guest.sign},
		{"signed-encrypted-inside", "applied T3", func(e string) string { return guest.encrypt("alice@example.test", guest.sign(e)) }},
		{"signed-and-encrypted", "applied T3", func(e string) string { return guest.encrypt("alice@example.test", e, "--sign") }},
		{"by-another-key", "held unsigned-now", fake.sign},
		{"changed", "held bad-signature", func(e string) string {
			return strings.Replace(guest.sign(strings.Replace(e, "ACCEPTED", "DECLINED", 1)), "DECLINED", "ACCEPTED", 1)
		}},
		{"unsigned", "held unsigned-now", func(e string) string { return e }},
		{"encrypted-only", "held unsigned-now", func(e string) string { return guest.encrypt("alice@example.test", e) }},
	} {
		uid := "pgp-" + c.name
		s.expect(201, s.do("alice", "PUT", "/dav/calendars/alice/default/"+uid+".ics", event(uid, "DTSTART:20270401T100000Z\nSUMMARY:Lunch\nORGANIZER:mailto:alice@example.test\nATTENDEE;SCHEDULE-AGENT=NONE;RSVP=TRUE:mailto:guest@outside.test"), "Content-Type", "text/calendar"))
		mail := "From: guest@outside.test\nTo: alice@example.test\nSubject: Re: Lunch\nMessage-ID: <" + uid + "@outside.test>\nMIME-Version: 1.0\n" + c.make(answerEntity(uid, "guest@outside.test"))
		if said := s.deliver("guest@outside.test", "alice@example.test", mail); said[0] != '2' {
			t.Fatal(said)
		}
		list := s.messages("--uid", uid)
		if len(list) != 1 {
			t.Fatalf("%s: %+v in %+v", c.name, list, s.messages())
		}
		got := list[0].State + " " + list[0].Reason
		if list[0].State == "applied" {
			got = list[0].State + " " + list[0].Evidence.Level
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s: %s", c.name, got, c.want, list[0].Sentence)
		}
		_, text := s.find("alice", uid)
		if _, accepted := line(text, "ATTENDEE", "PARTSTAT=ACCEPTED"); accepted != strings.HasPrefix(c.want, "applied") {
			t.Errorf("%s: alice has\n%s", c.name, text)
		}
	}
}
