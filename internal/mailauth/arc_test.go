package mailauth

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/convene-cal/convene/internal/harness/arcseal"
)

// A DKIM signature is made of the same parts as a link of a chain: what another
// program signed in every form must verify here, and nothing else.
func TestSignaturesOfAnotherProgram(t *testing.T) {
	bodies := []string{"", "\r\n", "a", "BEGIN:VCALENDAR\r\nX: a  b\t c \r\n\r\nEND:VCALENDAR\r\n\r\n\r\n", " \r\n \r\nx\r\n"}
	for _, kind := range []string{"rsa", "ed25519"} {
		key := newSigner(t, kind)
		c := New(&zone{txt: map[string][]string{"s1._domainkey.one.test": {key.record}}}, time.Now)
		for _, form := range []dkim.Canonicalization{dkim.CanonicalizationSimple, dkim.CanonicalizationRelaxed} {
			for i, body := range bodies {
				mail := "From: Ann\t <ann@one.test>\r\nSubject: a  b\r\n\tc \r\nX-Two: 1\r\nX-Two:  2\r\nMIME-Version : 1.0\r\n\r\n" + body
				var out bytes.Buffer
				if err := dkim.Sign(&out, strings.NewReader(mail), &dkim.SignOptions{Domain: "one.test", Selector: "s1", Signer: key.key, HeaderKeys: []string{"From", "Subject", "X-Two", "X-Two", "X-Two"}, HeaderCanonicalization: form, BodyCanonicalization: form}); err != nil {
					t.Fatal(err)
				}
				m := splitMail(out.Bytes())
				f := m.fields[0]
				if err := c.verifyMessage(t.Context(), m, f, parseTags(unfold(f.value))); err != nil {
					t.Errorf("%s %s body %d: %v\n%s", kind, form, i, err, out.String())
				}
				changed := splitMail(bytes.Replace(out.Bytes(), []byte("a  b"), []byte("a  d"), 1))
				if err := c.verifyMessage(t.Context(), changed, changed.fields[0], parseTags(unfold(changed.fields[0].value))); err == nil {
					t.Errorf("%s %s body %d: changed, and it holds", kind, form, i)
				}
			}
		}
	}
}

func (s signer) seal(t testing.TB, mail string, n int, domain, results, cv string) string {
	t.Helper()
	return arcseal.Seal(t, s.key, mail, n, domain, results, cv)
}

func TestChains(t *testing.T) {
	list, forwarder, evil := newSigner(t, "rsa"), newSigner(t, "ed25519"), newSigner(t, "ed25519")
	c := New(&zone{txt: map[string][]string{"s1._domainkey.list.test": {list.record}, "s1._domainkey.forward.test": {forwarder.record}, "s1._domainkey.evil.test": {evil.record}}}, time.Now)
	const found = "mx.list.test; dmarc=pass header.from=one.test"
	one := list.seal(t, invitation, 1, "list.test", found, "none")
	two := forwarder.seal(t, one, 2, "forward.test", "mx.forward.test; arc=pass; dmarc=fail header.from=one.test", "pass")
	replace := func(s, old, new string) string {
		t.Helper()
		if !strings.Contains(s, old) {
			t.Fatalf("no %q in\n%s", old, s)
		}
		return strings.Replace(s, old, new, 1)
	}
	long := invitation
	for n := 1; n <= maxSealsChecked+1; n++ {
		cv := "pass"
		if n == 1 {
			cv = "none"
		}
		long = evil.seal(t, long, n, "evil.test", "mx.evil.test; none", cv)
	}
	for _, x := range []struct {
		name, mail, want string
		hops             string
	}{
		{"no chain", invitation, "none", ""},
		{"a header without measure", "X: 1\r\n" + strings.Repeat(" \r\n", maxHeader/3) + one, "fail", ""},
		{"a signature of more fields than there are", replace(one, "; h=", "; h="+strings.Repeat("a:", maxKeys)), "fail", ""},
		{"one link", one, "pass", "list.test"},
		{"two links", two, "pass", "list.test forward.test"},
		{"bare line ends", strings.ReplaceAll(two, "\r\n", "\n"), "pass", "list.test forward.test"},
		{"the body was changed", replace(one, "END:VCALENDAR", "X:1\r\nEND:VCALENDAR"), "fail", ""},
		{"the author was changed", replace(one, "From: Ann", "From: Eve"), "fail", ""},
		{"the results were changed", replace(two, "header.from=one.test", "header.from=two.test"), "fail", ""},
		{"a calendar among the header fields", "BEGIN:VCALENDAR\r\n" + one, "fail", ""},
		{"a second author", "From: Eve <eve@evil.test>\r\n" + one, "fail", ""},
		{"another type in front", "Content-Type: text/plain\r\n" + one, "fail", ""},
		{"a link is missing", two[:strings.Index(two, "ARC-Seal: i=1")] + strings.SplitN(two[strings.Index(two, "ARC-Seal: i=1"):], "\r\n", 2)[1], "fail", ""},
		{"a link twice", strings.SplitN(one, "\r\n", 2)[0] + "\r\n" + one, "fail", ""},
		{"a link numbered 0", replace(one, "ARC-Seal: i=1", "ARC-Seal: i=0"), "fail", ""},
		{"a link numbered 51", replace(one, "ARC-Seal: i=1", "ARC-Seal: i=51"), "fail", ""},
		{"it failed before", forwarder.seal(t, one, 2, "forward.test", "mx.forward.test; arc=fail", "fail"), "fail", ""},
		{"the first says pass", list.seal(t, invitation, 1, "list.test", found, "pass"), "fail", ""},
		{"another domain's name on the seal", evil.seal(t, invitation, 1, "list.test", found, "none"), "fail", ""},
		{"a domain without a key", evil.seal(t, invitation, 1, "nowhere.test", found, "none"), "fail", ""},
		{"only the first octets of the body count", replace(one, "c=relaxed/simple", "c=relaxed/simple; l=1"), "fail", ""},
		{"more links than anybody needs", long, "fail", ""},
		{"a chain taken from another mail", one[:strings.Index(one, "From: Ann")] + replace(invitation, "Planning", "Something else"), "fail", ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			got := c.CheckARC(t.Context(), []byte(x.mail))
			var hops []string
			for _, h := range got.Hops {
				hops = append(hops, h.Sealer)
			}
			if got.Value != x.want || strings.Join(hops, " ") != x.hops || got.Value == "fail" && got.Reason == "" {
				t.Errorf("%s %v %q, want %s %s", got.Value, hops, got.Reason, x.want, x.hops)
			}
			if x.name == "a signature of more fields than there are" && !strings.Contains(got.Reason, "too many") {
				t.Errorf("they were all looked for: %s", got.Reason)
			}
			if x.name == "two links" && (len(got.Hops[0].Results) != 1 || got.Hops[0].Results[0].Value != "pass" || got.Hops[0].Authserv != "mx.list.test") {
				t.Errorf("%+v", got.Hops[0])
			}
		})
	}
}

// Whatever stands in the fields of a chain, nothing passes that nobody sealed.
func FuzzARC(f *testing.F) {
	key := newSigner(f, "ed25519")
	c := New(&zone{txt: map[string][]string{"s1._domainkey.list.test": {key.record}}}, time.Now)
	sealed := key.seal(f, invitation, 1, "list.test", "mx.list.test; dmarc=pass header.from=one.test", "none")
	f.Add([]byte(sealed))
	f.Add([]byte(key.seal(f, sealed, 2, "list.test", "mx.list.test; none", "pass")))
	f.Add([]byte("ARC-Seal: i=1; a=rsa-sha256; cv=none; d=list.test; s=s1; b=\r\nARC-Message-Signature: i=1; h=from:from; bh=; b==\r\nARC-Authentication-Results: i=1;\r\n\r\n"))
	f.Add([]byte("ARC-Seal\r\n :\r\nARC-Seal: i=99999999999999999999\r\n\r\n"))
	_, text, _ := strings.Cut(sealed, "\r\n\r\n")
	f.Fuzz(func(t *testing.T, mail []byte) {
		chain := c.CheckARC(context.Background(), mail)
		switch chain.Value {
		case "none", "fail":
			if len(chain.Hops) > 0 {
				t.Fatalf("%s with hops %+v", chain.Value, chain.Hops)
			}
		case "pass":
			// Only what we sealed can pass, and then the body and author are ours.
			m := splitMail(crlf(mail))
			if !bytes.Equal(bytes.TrimRight(m.body, "\r\n"), bytes.TrimRight([]byte(text), "\r\n")) {
				t.Fatalf("a changed mail passes:\n%q", mail)
			}
			for _, h := range m.headers() {
				if h.name == "from" && !strings.Contains(h.value, "ann@one.test") {
					t.Fatalf("another author passes: %q", h.value)
				}
			}
		default:
			t.Fatalf("value %q", chain.Value)
		}
	})
}
