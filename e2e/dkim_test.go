package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

// dkimpy runs python3-dkim: its verifier and signer are written by other people.
func dkimpy(t testing.TB, script, mail string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("/usr/bin/python3", append([]string{"-c", script}, args...)...)
	cmd.Stdin = strings.NewReader(mail)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	return string(out) + errs.String(), err
}

const verifyScript = `
import sys, dkim
name, text = sys.argv[1:]
mail = sys.stdin.buffer.read()
ok = dkim.verify(mail, dnsfunc=lambda n, timeout=5: text.encode() if n.decode().rstrip('.') == name else None)
sys.exit(0 if ok else 1)
`

const signScript = `
import sys, dkim
key, selector, domain = sys.argv[1:]
mail = sys.stdin.buffer.read()
headers = [b'from', b'to', b'subject', b'message-id', b'mime-version', b'content-type', b'content-transfer-encoding', b'date']
sig = dkim.sign(mail, selector.encode(), domain.encode(), open(key, 'rb').read(), include_headers=headers, canonicalize=(b'relaxed', b'simple'))
sys.stdout.buffer.write(sig + mail)
`

// Our DKIM signatures verify elsewhere, and others' here, with the keys that a
// name server gives.
func TestDKIMBothWays(t *testing.T) {
	t.Parallel()
	if err := exec.Command("/usr/bin/python3", "-c", "import dkim").Run(); err != nil {
		need(t, "crypto", "dkimpy for python3", "apt-get install python3-dkim")
	}
	need(t, "crypto", "openssl", "apt-get install openssl")
	home := t.TempDir()
	records := map[string]string{"_dmarc.outside.test": "v=DMARC1; p=reject", "_dmarc.strict.test": "v=DMARC1; p=reject; adkim=s"}
	publish := func(name string, kind ...string) (path, text string) {
		path = home + "/" + name + ".pem"
		command(t, "openssl", append([]string{"genpkey", "-out", path}, kind...)...)
		var b strings.Builder
		for l := range strings.Lines(command(t, "openssl", "pkey", "-in", path, "-pubout")) {
			if !strings.HasPrefix(l, "-") {
				b.WriteString(strings.TrimSpace(l))
			}
		}
		text = "v=DKIM1; k=rsa; p=" + b.String()
		records[name] = text
		return path, text
	}
	bits := []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}
	ours, oursText := publish("cal._domainkey.example.test", bits...)
	theirs, _ := publish("s1._domainkey.outside.test", bits...)
	short := []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"} // quickly made, and long enough (RFC 8301 3.2)
	evil, _ := publish("s1._domainkey.evil.test", short...)
	stranger := home + "/stranger.pem"
	command(t, "openssl", append([]string{"genpkey", "-out", stranger}, short...)...)

	out := startRelay(t, "127.0.0.1:0", nil)
	s := newService(t, "example.test", []string{"alice"}, "--mail-relay", "smtp://"+out.addr+"?tls=none", "--mail-inbound-policy", "verify")
	s.env = append(s.env, "CONVENE_MAIL_RESOLVER="+nameserver(t, records), "CONVENE_MAIL_DKIM_KEY=file:"+ours, "CONVENE_MAIL_DKIM_SELECTOR=cal")
	s.start()
	mail := s.invite(out, "alice", "guest@outside.test", "dkim-out")
	if !strings.HasPrefix(mail, "DKIM-Signature:") {
		t.Fatalf("not signed:\n%s", mail)
	}
	if said, err := dkimpy(t, verifyScript, mail, "cal._domainkey.example.test", oursText); err != nil {
		t.Errorf("dkimpy does not verify our signature: %v %s\n%s", err, said, mail)
	}
	if _, err := dkimpy(t, verifyScript, strings.Replace(mail, "\r\nSubject: ", "\r\nSubject: Not ", 1), "cal._domainkey.example.test", oursText); err == nil {
		t.Error("dkimpy verifies a changed mail")
	}

	sign := func(key, selector, domain string) func(string) string {
		return func(mail string) string {
			signed, err := dkimpy(t, signScript, strings.ReplaceAll(mail, "\n", "\r\n"), key, selector, domain)
			if err != nil {
				t.Fatalf("dkimpy: %v %s", err, signed)
			}
			return signed
		}
	}
	for _, c := range []struct {
		name, want string
		make       func(mail string) string
	}{
		{"signed", "applied T2", sign(theirs, "s1", "outside.test")},
		{"by-another-domain", "held", sign(evil, "s1", "evil.test")},
		{"by-an-unpublished-key", "held", sign(stranger, "s1", "outside.test")},
		{"key-not-there", "held", sign(theirs, "s9", "outside.test")},
		{"unsigned", "held", func(mail string) string { return mail }},
		{"changed", "held", func(mail string) string {
			return strings.Replace(sign(theirs, "s1", "outside.test")(mail), "SUMMARY:From outside", "SUMMARY:From inside!", 1)
		}},
		{"second-from", "held", func(mail string) string {
			return "From: boss@example.test\r\n" + sign(theirs, "s1", "outside.test")(mail)
		}},
	} {
		uid := "dkim-" + c.name
		mail := strings.ReplaceAll(invitation(uid), "ann@example.test", "alice@example.test")
		if said := s.deliver("olga@outside.test", "alice@example.test", c.make(mail)); said[0] != '2' {
			t.Fatal(said)
		}
		list := s.messages("--uid", uid)
		if len(list) != 1 {
			t.Fatalf("%s: %+v in %+v", c.name, list, s.messages())
		}
		got := list[0].State
		if got == "applied" {
			got += " " + list[0].Evidence.Level
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s: %s (%s)", c.name, got, c.want, list[0].Sentence, list[0].Reason)
		}
		if _, text := s.find("alice", uid); (text != "") != strings.HasPrefix(c.want, "applied") {
			t.Errorf("%s: alice has %q", c.name, text)
		}
	}
}
