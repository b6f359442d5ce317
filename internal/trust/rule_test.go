package trust

import (
	"encoding/json"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// Rules make what the policy says stricter, and never looser.
func TestRules(t *testing.T) {
	ours := []string{"mx.our.test"}
	stored := &Stored{Organizer: ical.Mailto("ann@one.test")}
	every := func(l Level) map[itip.Method]Level { return map[itip.Method]Level{EveryMethod: l} }
	verify, accept := Policy{Inbound: Verify, AuthservIDs: ours}, Policy{Inbound: Accept}
	unknown := Policy{Inbound: Verify, AuthservIDs: ours, UnknownSenders: "hold"}
	request := func(p Policy, from, results string, rules ...Rule) Question {
		return Question{Evidence: evidence(from, results), Policy: p, Method: itip.Request, Organizer: person("ann@one.test"), Now: now, Rules: rules}
	}
	cancel := func(p Policy, from, results string, rules ...Rule) Question {
		q := request(p, from, results, rules...)
		q.Method, q.Stored = itip.Cancel, stored
		return q
	}
	signed := func(q Question) Question { q.Evidence.Signatures = signedBy("ann@one.test"); return q }
	for _, c := range []struct {
		name   string
		q      Question
		want   Decision
		reason string
	}{
		{"no rule", request(verify, "ann@one.test", pass), Apply, "verified"},
		{"never this person", request(verify, "ann@one.test", pass, Rule{Subject: "ann@one.test", Do: Never}), Reject, "denied"},
		{"never, in capitals", request(verify, "ANN@One.Test", pass, Rule{Subject: "ann@one.test", Do: Never}), Reject, "denied"},
		{"never this domain", request(verify, "ann@one.test", pass, Rule{Subject: "one.test", Do: Never}), Reject, "denied"},
		{"never a domain above", request(verify, "ann@sub.one.test", pass, Rule{Subject: "one.test", Do: Never}), Reject, "denied"},
		{"never a domain that only ends like it", request(verify, "ann@one.test", pass, Rule{Subject: "e.test", Do: Never}), Apply, "verified"},
		{"never, whom it speaks for", request(accept, "office@two.test", "", Rule{Subject: "ann@one.test", Do: Never}), Reject, "denied"},
		{"never, but this one", request(verify, "ann@one.test", pass, Rule{Subject: "one.test", Do: Never}, Rule{Subject: "ann@one.test", Do: Always}), Apply, "verified"},
		{"the site refuses: nobody undoes it", request(verify, "ann@one.test", pass, Rule{Subject: "one.test", Do: Never, Site: true}, Rule{Subject: "ann@one.test", Do: Always}), Reject, "denied"},
		{"the site holds and somebody refuses", request(verify, "ann@one.test", pass, Rule{Subject: "one.test", Do: Ask, Site: true}, Rule{Subject: "ann@one.test", Do: Never}), Hold, "rule"},
		{"hold everybody", request(accept, "ann@one.test", "", Rule{Do: Ask}), Hold, "rule"},
		{"hold everybody but this domain", request(accept, "ann@one.test", "", Rule{Do: Ask}, Rule{Subject: "one.test", Do: Always}), Apply, "accepted"},
		{"always: not unknown", request(unknown, "ann@one.test", pass, Rule{Subject: "ann@one.test", Do: Always}), Apply, "verified"},
		{"always, and forged", request(unknown, "ann@one.test", "", Rule{Subject: "ann@one.test", Do: Always}), Hold, "unknown-sender"},
		{"always makes nobody proven", request(verify, "ann@one.test", "", Rule{Subject: "ann@one.test", Do: Always}), Hold, "unverified"},
		{"always lets nobody act for others", cancel(verify, "eve@evil.test", "dmarc=pass header.from=evil.test", Rule{Subject: "eve@evil.test", Do: Always}), Hold, "wrong-sender"},
		{"strangers wait, says the user", request(verify, "ann@one.test", pass, Rule{Unknown: "hold"}), Hold, "unknown-sender"},
		{"a level for all methods", request(verify, "office@one.test", pass, Rule{Minimum: every(T2)}), Hold, "unverified"},
		{"a level that is met", request(verify, "ann@one.test", pass, Rule{Minimum: every(T2)}), Apply, "verified"},
		{"a level for another method", request(verify, "office@one.test", pass, Rule{Minimum: map[itip.Method]Level{itip.Cancel: T3}}), Apply, "verified"},
		{"a level for this method", cancel(verify, "ann@one.test", pass, Rule{Subject: "one.test", Minimum: map[itip.Method]Level{itip.Cancel: T3}}), Hold, "unverified"},
		{"a low level loosens nothing", cancel(verify, "ann@one.test", "", Rule{Minimum: every(T0)}), Hold, "unverified"},
		{"a level under accept", request(accept, "ann@one.test", "", Rule{Minimum: every(T1)}), Hold, "unverified"},
		{"a level under accept that is met", request(Policy{Inbound: Accept, AuthservIDs: ours}, "ann@one.test", pass, Rule{Minimum: every(T1)}), Apply, "accepted"},
		{"signed required for a domain", request(verify, "ann@one.test", pass, Rule{Subject: "one.test", Signed: true}), Hold, "not-signed"},
		{"signed required and signed", signed(request(verify, "ann@one.test", pass, Rule{Subject: "one.test", Signed: true})), Apply, "verified"},
		{"signed required of another domain", request(verify, "ann@one.test", pass, Rule{Subject: "bank.test", Signed: true}), Apply, "verified"},
	} {
		v := Judge(c.q)
		if v.Do != c.want || v.Reason != c.reason || v.Sentence == "" {
			t.Errorf("%s: %s %s %q, want %s %s", c.name, v.Do, v.Reason, v.Sentence, c.want, c.reason)
		}
	}
}

func TestLevelsInWords(t *testing.T) {
	var r Rule
	if err := json.Unmarshal([]byte(`{"minimum":{"REQUEST":"t2","*":"T3"}}`), &r); err != nil || r.Minimum[itip.Request] != T2 || r.Minimum[EveryMethod] != T3 {
		t.Errorf("%+v %v", r, err)
	}
	if err := json.Unmarshal([]byte(`{"minimum":{"REQUEST":"T4"}}`), &r); err == nil {
		t.Error("T4 is a level")
	}
}

// What came over a list that the site believes is from its domain, and no more.
func TestRelayed(t *testing.T) {
	chain := func(hops ...Hop) Chain { return Chain{Value: "pass", Hops: hops} }
	found := func(sealer, result string) Hop {
		_, results, _ := ParseAuthenticationResults("mx; " + result)
		return Hop{Sealer: sealer, Results: results}
	}
	const ok, no = "dmarc=pass header.from=one.test", "dmarc=fail header.from=one.test"
	for _, c := range []struct {
		name    string
		chain   Chain
		sealers []string
		want    string
	}{
		{"a list that is believed", chain(found("list.test", ok)), []string{"LIST.test"}, "one.test"},
		{"nobody is believed", chain(found("list.test", ok)), nil, ""},
		{"another is believed", chain(found("list.test", ok)), []string{"other.test"}, ""},
		{"a chain that fails", Chain{Value: "fail", Hops: []Hop{found("list.test", ok)}}, []string{"list.test"}, ""},
		{"a second list behind it, believed too", chain(found("list.test", ok), found("forward.test", no)), []string{"list.test", "forward.test"}, "one.test"},
		{"a handler behind it that is not believed", chain(found("list.test", ok), found("evil.test", ok)), []string{"list.test"}, ""},
		{"only the last is believed, and it found nothing", chain(found("evil.test", ok), found("list.test", no)), []string{"list.test"}, ""},
		{"about another author", chain(found("list.test", "dmarc=pass header.from=two.test")), []string{"list.test"}, ""},
	} {
		e := evidence("ann@one.test", "dmarc=fail header.from=one.test")
		e.ReadChain(c.chain, c.sealers)
		if got := e.RelayedDomain(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		q := Question{Evidence: e, Policy: Policy{Inbound: Verify, AuthservIDs: []string{"mx.our.test"}}, Method: itip.Request, Organizer: person("ann@one.test"), Now: now}
		fresh := Judge(q)
		q.Stored, q.Method = &Stored{Organizer: "mailto:ann@one.test"}, itip.Cancel
		if change := Judge(q); (fresh.Do == Apply) != (c.want != "") || change.Do != Hold {
			t.Errorf("%s: an invitation is %s, a cancellation %s", c.name, fresh.Do, change.Do)
		}
	}
}
