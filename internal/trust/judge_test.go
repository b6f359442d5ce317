package trust

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip/smime"
	"github.com/convene-cal/convene/itip"
)

func person(email string) itip.Attendee {
	if email == "" {
		return itip.Attendee{}
	}
	return itip.Attendee{Address: ical.Mailto(email)}
}

// evidence of a mail from an address, with the results a trusted server wrote.
func evidence(from, results string) Evidence {
	e := Evidence{}
	if from != "" {
		e.From = ical.Mailto(from)
	}
	if results != "" {
		e.ReadResults([]string{"mx.our.test; " + results}, []string{"mx.our.test"})
	}
	return e
}

// signedBy is a believed signature.
func signedBy(addresses ...string) []Signature {
	s := Signature{Standing: smime.Trusted, Time: now.Add(-time.Hour), Sentence: "Signed."}
	for _, a := range addresses {
		s.Addresses = append(s.Addresses, ical.Mailto(a))
	}
	return []Signature{s}
}

// standing is a signature in the name of an address that is not believed.
func standing(s smime.Standing, address string) []Signature {
	return []Signature{{Standing: s, Addresses: []ical.Address{ical.Mailto(address)}, Sentence: "The signature is " + string(s) + "."}}
}

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func allow(principal, designate ical.Address) bool {
	return principal == "mailto:ann@one.test" && designate == "mailto:sam@one.test"
}

const (
	pass   = "dmarc=pass header.from=one.test; dkim=pass header.d=one.test"
	noDKIM = "dmarc=fail header.from=one.test; spf=pass smtp.mailfrom=other.test"
)

func TestJudge(t *testing.T) {
	ours := []string{"mx.our.test"}
	stored := &Stored{Organizer: ical.Mailto("ann@one.test")}
	continued := &Stored{Organizer: ical.Mailto("ann@one.test"), FromDomain: "one.test", From: ical.Mailto("office@one.test")}
	for _, c := range []struct {
		name   string
		q      Question
		want   Decision
		level  Level
		reason string
	}{
		// accept: the address rules of iTIP alone
		{"accept: the organizer invites", Question{Evidence: evidence("ann@one.test", ""), Policy: Policy{Inbound: Accept}, Method: itip.Request, Organizer: person("ann@one.test")}, Apply, T0, "accepted"},
		{"accept: someone else invites in her name", Question{Evidence: evidence("eve@evil.test", ""), Policy: Policy{Inbound: Accept}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T0, "wrong-sender"},
		{"accept: the envelope is the organizer", Question{Evidence: Evidence{From: "mailto:list@one.test", EnvelopeFrom: "mailto:ann@one.test"}, Policy: Policy{Inbound: Accept}, Method: itip.Request, Organizer: person("ann@one.test")}, Apply, T0, "accepted"},
		{"accept: a stranger cancels", Question{Evidence: evidence("eve@evil.test", ""), Policy: Policy{Inbound: Accept}, Method: itip.Cancel, Organizer: person("ann@one.test"), Stored: stored}, Hold, T0, "wrong-sender"},
		{"accept: an attendee cancels in the organizer's name", Question{Evidence: evidence("ben@two.test", ""), Policy: Policy{Inbound: Accept}, Method: itip.Cancel, Organizer: person("ann@one.test"), Stored: stored}, Hold, T0, "wrong-sender"},
		{"accept: an answer for oneself", Question{Evidence: evidence("ben@two.test", ""), Policy: Policy{Inbound: Accept}, Method: itip.Reply, Organizer: person("ann@one.test"), Attendee: person("ben@two.test"), Stored: stored}, Apply, T0, "accepted"},
		{"accept: RFC 6047 2.2.1, spoof@ declines for b@", Question{Evidence: evidence("spoof@xyz.example.net", ""), Policy: Policy{Inbound: Accept}, Method: itip.Reply, Attendee: person("b@example.com"), Stored: stored}, Hold, T0, "wrong-sender"},
		{"accept: a mail with two authors", Question{Evidence: evidence("", ""), Policy: Policy{Inbound: Accept}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T0, "wrong-sender"},
		{"accept: SENT-BY is for the user to decide", Question{Evidence: evidence("sam@one.test", ""), Policy: Policy{Inbound: Accept}, Method: itip.Request, Organizer: itip.Attendee{Address: "mailto:ann@one.test", SentBy: "mailto:sam@one.test"}}, Hold, T0, "sent-by"},
		{"accept: an answer without ORGANIZER (Exchange)", Question{Evidence: evidence("ben@two.test", ""), Policy: Policy{Inbound: Accept}, Method: itip.Reply, Attendee: person("ben@two.test"), Stored: stored}, Apply, T0, "accepted"},
		{"nobody is named", Question{Evidence: evidence("ann@one.test", pass), Policy: Policy{Inbound: Accept}, Method: itip.Request}, Hold, T0, "no-organizer"},

		// verify: the minimum levels
		{"verify: no evidence", Question{Evidence: evidence("ann@one.test", ""), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T0, "unverified"},
		{"verify: DMARC pass and the same address", Question{Evidence: evidence("ann@one.test", pass), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test"), Stored: stored}, Apply, T2, "verified"},
		{"verify: DMARC pass of a colleague, new invitation", Question{Evidence: evidence("office@one.test", pass), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test")}, Apply, T1, "verified"},
		{"verify: DMARC pass of a colleague, cancellation", Question{Evidence: evidence("office@one.test", pass), Policy: Policy{AuthservIDs: ours}, Method: itip.Cancel, Organizer: person("ann@one.test"), Stored: stored}, Hold, T1, "unverified"},
		{"verify: the same, where another of the domain made the event", Question{Evidence: evidence("eve@one.test", pass), Policy: Policy{AuthservIDs: ours}, Method: itip.Cancel, Organizer: person("ann@one.test"), Stored: continued}, Hold, T1, "unverified"},
		{"verify: the same, by the address that made the event", Question{Evidence: evidence("office@one.test", pass), Policy: Policy{AuthservIDs: ours}, Method: itip.Cancel, Organizer: person("ann@one.test"), Stored: continued}, Apply, T1, "verified"},
		{"verify: DMARC pass of another domain", Question{Evidence: evidence("eve@evil.test", "dmarc=pass header.from=evil.test"), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T0, "wrong-sender"},
		{"verify: pass about another From than this", Question{Evidence: evidence("ann@one.test", "dmarc=pass header.from=evil.test"), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T0, "unverified"},
		{"verify: pass about nobody", Question{Evidence: evidence("ann@one.test", "dmarc=pass"), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T0, "unverified"},
		{"verify: DMARC fails", Question{Evidence: evidence("ann@one.test", noDKIM), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T0, "unverified"},
		{"verify: aligned DKIM without DMARC", Question{Evidence: evidence("ann@one.test", "dkim=pass header.d=one.test"), Policy: Policy{AuthservIDs: ours}, Method: itip.Reply, Attendee: person("ann@one.test"), Stored: stored}, Apply, T2, "verified"},
		{"verify: DKIM of a stranger", Question{Evidence: evidence("ann@one.test", "dkim=pass header.d=evil.test"), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T0, "unverified"},
		{"verify: DKIM of a top-level domain", Question{Evidence: evidence("ann@one.test", "dkim=pass header.d=test"), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T0, "unverified"},
		{"verify: a forged pass beside the real fail", Question{Evidence: evidence("ann@one.test", noDKIM+"; dmarc=pass header.from=one.test"), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T0, "unverified"},
		{"verify: another organizer takes the event", Question{Evidence: evidence("eve@evil.test", "dmarc=pass header.from=evil.test"), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("eve@evil.test"), Stored: stored}, Hold, T2, "organizer-change"},
		{"verify: spam", Question{Evidence: func() Evidence { e := evidence("ann@one.test", pass); e.Spam = true; return e }(), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T0, "unverified"},
		{"verify: an answer by token alone", Question{Evidence: Evidence{From: "mailto:ben@home.test", Token: true}, Policy: Policy{AuthservIDs: ours}, Method: itip.Reply, Attendee: person("ben@two.test"), Stored: stored}, Apply, T1, "verified"},
		{"verify: a cancellation by token", Question{Evidence: func() Evidence {
			e := evidence("eve@evil.test", "dmarc=pass header.from=evil.test")
			e.Token = true
			return e
		}(), Policy: Policy{AuthservIDs: ours}, Method: itip.Cancel, Organizer: person("ann@one.test"), Stored: stored}, Hold, T0, "wrong-sender"},
		{"verify: a question by token alone", Question{Evidence: Evidence{From: "mailto:ben@home.test", Token: true}, Policy: Policy{AuthservIDs: ours}, Method: itip.Refresh, Attendee: person("ben@two.test"), Stored: stored}, Hold, T1, "unverified"},
		{"verify: a signature of the organizer", Question{Evidence: Evidence{From: "mailto:list@x.test", Signatures: signedBy("ann@one.test")}, Method: itip.Cancel, Organizer: person("ann@one.test"), Stored: stored}, Apply, T3, "verified"},

		// a server that said who it is
		{"the organizer's server invites", Question{Evidence: Evidence{Peers: []string{"one.test"}, PeerBy: "login"}, Method: itip.Request, Organizer: person("ann@one.test")}, Apply, T2, "verified"},
		{"the organizer's server cancels", Question{Evidence: Evidence{Peers: []string{"one.test"}, PeerBy: "address"}, Method: itip.Cancel, Organizer: person("ann@one.test"), Stored: stored}, Apply, T2, "verified"},
		{"another server cancels", Question{Evidence: Evidence{Peers: []string{"evil.test"}, PeerBy: "login"}, Policy: Policy{Inbound: Accept}, Method: itip.Cancel, Organizer: person("ann@one.test"), Stored: stored}, Hold, T0, "wrong-sender"},
		{"a server of a name above", Question{Evidence: Evidence{Peers: []string{"one.test"}, PeerBy: "login"}, Policy: Policy{Inbound: Accept}, Method: itip.Request, Organizer: person("ann@mail.one.test")}, Hold, T0, "wrong-sender"},
		{"another server takes the event over", Question{Evidence: Evidence{Peers: []string{"evil.test"}, PeerBy: "login"}, Method: itip.Request, Organizer: person("eve@evil.test"), Stored: stored}, Hold, T2, "organizer-change"},
		{"a server answers for its user", Question{Evidence: Evidence{Peers: []string{"two.test"}, PeerBy: "login"}, Method: itip.Reply, Attendee: person("ben@two.test"), Stored: stored}, Apply, T2, "verified"},
		{"a server answers for another's", Question{Evidence: Evidence{Peers: []string{"two.test"}, PeerBy: "login"}, Method: itip.Reply, Attendee: person("cy@three.test"), Stored: stored}, Hold, T0, "wrong-sender"},

		// quarantine: signed, or held
		{"quarantine: DMARC is not enough", Question{Evidence: evidence("ann@one.test", pass), Policy: Policy{Inbound: Quarantine, AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T2, "not-signed"},
		{"quarantine: signed", Question{Evidence: Evidence{From: "mailto:ann@one.test", Signatures: signedBy("ann@one.test")}, Policy: Policy{Inbound: Quarantine}, Method: itip.Request, Organizer: person("ann@one.test")}, Apply, T3, "verified"},

		// signatures
		{"signed by somebody else", Question{Evidence: Evidence{From: "mailto:ann@one.test", Signatures: signedBy("eve@evil.test")}, Policy: Policy{Inbound: Accept}, Method: itip.Cancel, Organizer: person("ann@one.test"), Stored: stored}, Hold, T0, "signer-mismatch"},
		{"signed by somebody else, with DMARC of the organizer", Question{Evidence: func() Evidence {
			e := evidence("ann@one.test", pass)
			e.Signatures = signedBy("eve@evil.test")
			return e
		}(), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T2, "signer-mismatch"},
		{"one of two signers is the organizer", Question{Evidence: Evidence{From: "mailto:list@x.test", Signatures: append(signedBy("eve@evil.test"), signedBy("ann@one.test")...)}, Method: itip.Request, Organizer: person("ann@one.test")}, Apply, T3, "verified"},
		{"an attendee signs a cancellation", Question{Evidence: Evidence{From: "mailto:ben@two.test", Signatures: signedBy("ben@two.test")}, Policy: Policy{Inbound: Accept}, Method: itip.Cancel, Organizer: person("ann@one.test"), Attendee: person("ben@two.test"), Stored: stored}, Hold, T0, "signer-mismatch"},
		{"an answer for somebody else, signed", Question{Evidence: Evidence{From: "mailto:ben@two.test", Signatures: signedBy("ben@two.test")}, Method: itip.Reply, Attendee: person("carl@two.test"), Stored: stored}, Hold, T0, "signer-mismatch"},
		{"a signature that does not hold", Question{Evidence: func() Evidence {
			e := evidence("ann@one.test", pass)
			e.Signatures = standing(smime.Broken, "ann@one.test")
			return e
		}(), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T2, "bad-signature"},
		{"a signature that does not hold, under accept", Question{Evidence: Evidence{From: "mailto:ann@one.test", Signatures: standing(smime.Broken, "ann@one.test")}, Policy: Policy{Inbound: Accept}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T0, "bad-signature"},
		{"a revoked certificate", Question{Evidence: Evidence{From: "mailto:ann@one.test", Signatures: standing(smime.Revoked, "ann@one.test")}, Policy: Policy{Inbound: Accept}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T0, "revoked"},
		{"a signature by an unknown authority proves nothing", Question{Evidence: Evidence{From: "mailto:ann@one.test", Signatures: standing(smime.Unknown, "ann@one.test")}, Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T0, "unverified"},
		{"nor takes anything away", Question{Evidence: func() Evidence {
			e := evidence("ann@one.test", pass)
			e.Signatures = standing(smime.Unknown, "ann@one.test")
			return e
		}(), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test")}, Apply, T2, "verified"},
		{"unsigned from somebody who signs", Question{Evidence: evidence("ann@one.test", pass), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: person("ann@one.test"), Signs: ical.Mailto("ann@one.test").Equal}, Hold, T2, "unsigned-now"},
		{"an old signed cancellation", Question{Evidence: Evidence{From: "mailto:ann@one.test", Signatures: signedBy("ann@one.test")}, Method: itip.Cancel, Organizer: person("ann@one.test"), Stored: stored, Now: now.AddDate(0, 2, 0)}, Hold, T3, "old-signature"},
		{"a domain that must sign", Question{Evidence: evidence("ann@one.test", pass), Policy: Policy{AuthservIDs: ours, SignedDomains: []string{"one.test"}}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T2, "not-signed"},
		{"a domain that must sign, under accept", Question{Evidence: evidence("ann@one.test", pass), Policy: Policy{Inbound: Accept, SignedDomains: []string{"one.test"}}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T2, "not-signed"},
		{"a domain that must sign, and does", Question{Evidence: Evidence{From: "mailto:ann@one.test", Signatures: signedBy("ann@one.test")}, Policy: Policy{SignedDomains: []string{"one.test"}}, Method: itip.Request, Organizer: person("ann@one.test")}, Apply, T3, "verified"},

		// designates
		{"a designate with consent", Question{Evidence: evidence("sam@one.test", pass), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: itip.Attendee{Address: "mailto:ann@one.test", SentBy: "mailto:sam@one.test"}, Consent: allow}, Apply, T2, "verified"},
		{"a designate with consent, under accept", Question{Evidence: evidence("sam@one.test", ""), Policy: Policy{Inbound: Accept}, Method: itip.Request, Organizer: itip.Attendee{Address: "mailto:ann@one.test", SentBy: "mailto:sam@one.test"}, Consent: allow}, Apply, T0, "accepted"},
		{"a designate with consent and no proof", Question{Evidence: evidence("sam@one.test", ""), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: itip.Attendee{Address: "mailto:ann@one.test", SentBy: "mailto:sam@one.test"}, Consent: allow}, Hold, T0, "unverified"},
		{"a designate who signs, without consent", Question{Evidence: Evidence{From: "mailto:sam@one.test", Signatures: signedBy("sam@one.test")}, Method: itip.Request, Organizer: itip.Attendee{Address: "mailto:ann@one.test", SentBy: "mailto:sam@one.test"}}, Hold, T0, "sent-by"},
		{"a designate of somebody else", Question{Evidence: evidence("sam@one.test", pass), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: itip.Attendee{Address: "mailto:ben@one.test", SentBy: "mailto:sam@one.test"}, Consent: allow}, Hold, T1, "sent-by"},
		{"SENT-BY names another than who sends", Question{Evidence: evidence("eve@evil.test", "dmarc=pass header.from=evil.test"), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: itip.Attendee{Address: "mailto:ann@one.test", SentBy: "mailto:sam@one.test"}, Consent: allow}, Hold, T0, "wrong-sender"},

		{"unknown senders are held", Question{Evidence: evidence("ann@one.test", pass), Policy: Policy{Inbound: Accept, UnknownSenders: "hold"}, Method: itip.Request, Organizer: person("ann@one.test")}, Hold, T2, "unknown-sender"},
		{"known senders are not", Question{Evidence: evidence("ann@one.test", pass), Policy: Policy{Inbound: Accept, UnknownSenders: "hold"}, Method: itip.Request, Organizer: person("ann@one.test"), Known: true}, Apply, T2, "accepted"},
		{"a refused domain", Question{Evidence: evidence("ann@mail.one.test", pass), Policy: Policy{Inbound: Accept, DenyDomains: []string{"one.test"}}, Method: itip.Request, Organizer: person("ann@mail.one.test")}, Reject, T0, "denied"},
		{"iCloud's organizer token", Question{Evidence: evidence("ann@one.test", pass), Policy: Policy{AuthservIDs: ours}, Method: itip.Request, Organizer: itip.Attendee{Address: "mailto:2_GE@imip.me.com", Email: "ann@one.test"}}, Apply, T2, "verified"},
		{"EMAIL beside an ordinary address does not count", Question{Evidence: evidence("eve@evil.test", "dmarc=pass header.from=evil.test"), Policy: Policy{AuthservIDs: ours}, Method: itip.Reply, Attendee: itip.Attendee{Address: "mailto:ben@two.test", Email: "eve@evil.test"}, Stored: stored}, Hold, T0, "wrong-sender"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Judge(c.q)
			if v.Do != c.want || v.Level != c.level || v.Reason != c.reason {
				t.Errorf("got %v %v %q, want %v %v %q: %s", v.Do, v.Level, v.Reason, c.want, c.level, c.reason, v.Sentence)
			}
			if v.Sentence == "" || !strings.HasSuffix(v.Sentence, ".") {
				t.Errorf("no sentence: %q", v.Sentence)
			}
			if v.Do == Apply && v.Acting == "" {
				t.Error("applied for nobody")
			}
		})
	}
}

func TestAuthenticationResults(t *testing.T) {
	for _, c := range []struct {
		value, id, want string
		ok              bool
	}{
		{"example.org 1; none", "example.org", "", true},
		{"example.com; spf=pass smtp.mailfrom=example.net", "example.com", "spf=pass smtp.mailfrom=example.net", true},
		{"example.com; dkim=pass reason=\"good signature\" header.i=@mail.example.org; dkim=fail", "example.com", "dkim=pass header.i=@mail.example.org|dkim=fail", true},
		{"foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = (wait for it) fail policy (A dot can go here) . (like that) expired", "foo.example.net", "", true},
		{"Mx.Our.Test;\tDMARC=Pass (p=reject dis=none) header.from=one.test", "mx.our.test", "dmarc=pass header.from=one.test", true},
		{"mx.our.test; dkim = pass header.d = one.test", "mx.our.test", "dkim=pass header.d=one.test", true},
		{"mx.our.test; dmarc=pass (; dmarc=fail) header.from=one.test", "mx.our.test", "dmarc=pass header.from=one.test", true},
		{"mx.our.test; dmarc=pass header.from=one.test header.from=evil.test", "mx.our.test", "dmarc=pass header.from=", true},
		{"evil.test (mx.our.test;); dmarc=pass", "evil.test", "dmarc=pass", true},
		{"\"mx.our.test\"; dmarc=pass", "mx.our.test", "dmarc=pass", true},
		{"mx.our.test; dmarc=pass (unclosed header.from=one.test", "", "", false},
		{"mx.our.test \"x; dmarc=pass", "", "", false},
		{"a b c; dmarc=pass", "", "", false},
		{"dmarc=pass", "", "", false},
		{"", "", "", false},
	} {
		id, results, ok := ParseAuthenticationResults(c.value)
		var got []string
		for _, r := range results {
			s := r.Method + "=" + r.Value
			for _, k := range []string{"header.from", "header.d", "header.i", "smtp.mailfrom"} {
				if v, ok := r.Properties[k]; ok {
					s += " " + k + "=" + v
				}
			}
			got = append(got, s)
		}
		if c.want == "" && id == "foo.example.net" { // what is said with comments everywhere is a failure, not a pass
			for _, r := range results {
				if r.Value == "pass" {
					t.Errorf("%q: reads as pass", c.value)
				}
			}
			continue
		}
		if ok != c.ok || id != c.id || strings.Join(got, "|") != c.want {
			t.Errorf("%q: got %q %q %v, want %q %q %v", c.value, id, strings.Join(got, "|"), ok, c.id, c.want, c.ok)
		}
	}
}

func TestForeignAuthenticationResultsAreNoEvidence(t *testing.T) {
	e := Evidence{From: "mailto:ann@one.test"}
	e.ReadResults([]string{"mx.evil.test; dmarc=pass header.from=one.test", "mx.our.test.evil.test; dmarc=pass header.from=one.test", "mx.our.test; dmarc=fail header.from=one.test"}, []string{"mx.our.test"})
	if e.AuthenticatedDomain() != "" || len(e.Results) != 1 || len(e.Ignored) != 2 {
		t.Errorf("%+v", e)
	}
}

func FuzzAuthenticationResults(f *testing.F) {
	f.Add("mx.our.test 1; dmarc=pass (x) header.from=\"one.test\"; none")
	f.Fuzz(func(t *testing.T, s string) {
		id, results, ok := ParseAuthenticationResults(s)
		if !ok && (id != "" || results != nil) {
			t.Fatalf("%q: unreadable, and yet %q %v", s, id, results)
		}
		e := Evidence{From: "mailto:ann@one.test"}
		e.ReadResults([]string{s}, []string{"mx.our.test"})
		if d := e.AuthenticatedDomain(); d != "" && d != "one.test" {
			t.Fatalf("authenticated %q", d)
		}
	})
}
