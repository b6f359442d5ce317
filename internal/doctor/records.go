package doctor

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	"blitiri.com.ar/go/spf"

	"github.com/convene-cal/convene/internal/mailauth"
)

// incoming follows the way of answers: from the MX record to an address.
func (x *examiner) incoming(d string) {
	ctx, cancel := x.limited()
	defer cancel()
	list, err := x.Resolver.LookupMX(ctx, d)
	subject := "MX " + d
	switch {
	case err != nil && !missing(err):
		x.say("dns", subject, Warning, noAnswer, "there is no answer: %v", cause(err))
		return
	case len(list) == 0:
		x.say("dns", subject, Error, "Add an MX record that names the mail server, which hands invitations to this service.", "there is no MX record: answers to invitations do not arrive")
		return
	case list[0].Host == ".": // RFC 7505
		x.say("dns", subject, Error, "Add an MX record that names the mail server.", "the domain says that it takes no mail")
		return
	}
	var reached []string
	for _, mx := range list {
		host := strings.TrimSuffix(mx.Host, ".")
		if net.ParseIP(host) != nil { // RFC 1035 3.3.9: a name
			x.say("dns", subject, Error, "Give the mail server a name with an A or AAAA record, and name that.", "the MX record is the address %s, and has to be a name: many do not deliver there", host)
			continue
		}
		hostCtx, cancel := x.limited()
		addresses, err := x.Resolver.LookupHost(hostCtx, host)
		cancel()
		switch {
		case err != nil && !missing(err):
			x.say("dns", subject, Warning, noAnswer, "there is no answer about %s: %v", host, cause(err))
		case len(addresses) == 0:
			x.say("dns", subject, Error, "Add an A or AAAA record for "+host+", or correct the MX record.", "the MX record names %s, which has no address", host)
		default:
			reached = append(reached, host)
		}
	}
	if len(reached) > 0 {
		x.say("dns", subject, OK, "", "mail goes to %s", strings.Join(reached, ", "))
	}
}

// proof is what a record makes of the mail that we send.
type proof int

const (
	unknown proof = iota // it is others' to say: the relay's address, or its signature
	proves
	refuses
)

// outgoing holds what other mail servers ask the DNS against what is sent: From
// and the return path are of the domain, and the signature is too where there
// is one, so that whatever passes is aligned (RFC 9989 4.4).
func (x *examiner) outgoing(d string) {
	if x.Config.Mail.Relay == "" {
		return
	}
	byAddress := x.spf(d)
	bySignature := x.dkim(d)
	x.dmarc(d, byAddress, bySignature)
}

// records are the TXT records of a name that begin with a word; ok is false
// where there was no answer, which is said.
func (x *examiner) records(subject, name, prefix string) (found []string, ok bool) {
	ctx, cancel := x.limited()
	defer cancel()
	list, err := x.Resolver.LookupTXT(ctx, name)
	if err != nil && !missing(err) {
		x.say("dns", subject, Warning, noAnswer, "there is no answer: %v", cause(err))
		return nil, false
	}
	for _, s := range list {
		if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
			found = append(found, s)
		}
	}
	return found, true
}

// spf evaluates the record for the addresses that mail is likely to leave from:
// the relay's, or this machine's where the relay is one of ours.
func (x *examiner) spf(d string) proof {
	subject := "SPF " + d
	advice := `Add a TXT record such as "v=spf1 mx -all" that names the servers which send for ` + d + "."
	found, ok := x.records(subject, d, "v=spf1")
	switch {
	case !ok:
		return unknown
	case len(found) == 0:
		x.say("dns", subject, Warning, advice, "there is no record: others cannot tell our mail from forged mail (RFC 7208)")
		return unknown
	case len(found) > 1: // RFC 7208 4.5
		x.say("dns", subject, Error, "Make one record of them.", "there are %d records, and then none of them counts", len(found))
		return refuses
	}
	host, addresses := x.leavesFrom()
	if len(addresses) == 0 {
		addresses = []net.IP{net.IPv4(192, 0, 2, 1)} // RFC 5737: nobody's; whether the record can be read at all
	}
	passed := unknown
	for _, ip := range addresses {
		ctx, cancel := x.limited()
		result, err := spf.CheckHostWithSender(ip, x.Config.Hostname, "bounce@"+d, spf.WithContext(ctx), spf.WithResolver(forSPF{x.Resolver}))
		cancel()
		switch {
		case result == spf.PermError:
			x.say("dns", subject, Error, "Correct the record: "+found[0], "the record has a fault, and then it does not count: %v", err)
			return refuses
		case result == spf.TempError:
			x.say("dns", subject, Warning, noAnswer, "what the record names could not be looked up: %v", err)
			return unknown
		case host == "":
		case result == spf.Pass:
			if passed == unknown {
				passed = proves
			}
		default:
			x.say("dns", subject, Warning, "Name it in the record (ip4:, ip6: or a:), unless it hands our mail to another server that is named.",
				"the record does not name %s (%s), to which mail.relay leads: mail that leaves there is %s", host, ip, spfWords[result])
			passed = refuses
		}
	}
	switch {
	case host == "":
		x.say("dns", subject, OK, "", "the record is there; from which address the relay sends is not known here")
	case passed == proves:
		x.say("dns", subject, OK, "", "the record is there and names %s", host)
	}
	return passed
}

// spfWords say what others make of mail that does not pass.
var spfWords = map[spf.Result]string{spf.Fail: "refused by many", spf.SoftFail: "suspect to others", spf.Neutral: "not proven", spf.None: "not proven"}

// leavesFrom gives the addresses of the relay, where the world knows them.
func (x *examiner) leavesFrom() (host string, list []net.IP) {
	u, err := url.Parse(x.Config.Mail.Relay)
	if err != nil {
		return "", nil
	}
	if host = u.Hostname(); isLocal(host) || host == "" {
		host = x.Config.Hostname
	}
	if isLocal(host) || !strings.Contains(host, ".") {
		return "", nil
	}
	if ip := net.ParseIP(host); ip != nil {
		return host, []net.IP{ip}
	}
	ctx, cancel := x.limited()
	defer cancel()
	addresses, err := x.Resolver.LookupHost(ctx, host)
	if err != nil {
		return "", nil // the relay is asked by itself
	}
	for _, a := range addresses {
		if ip := net.ParseIP(a); ip != nil && !ip.IsPrivate() && !ip.IsLoopback() {
			list = append(list, ip)
		}
	}
	if len(list) == 0 {
		return "", nil
	}
	return host, list
}

// forSPF asks our resolver what the library asks.
type forSPF struct{ Resolver }

func (r forSPF) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	list, err := r.LookupHost(ctx, host)
	var out []net.IPAddr
	for _, a := range list {
		if ip := net.ParseIP(a); ip != nil {
			out = append(out, net.IPAddr{IP: ip})
		}
	}
	return out, err
}

// LookupAddr is for the mechanism ptr, which nobody should use (RFC 7208 5.5).
func (forSPF) LookupAddr(_ context.Context, address string) ([]string, error) {
	return nil, &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}
}

// tags reads a record of tags and values (RFC 6376 3.2); nil where it is none.
func tags(record string) map[string]string {
	out := map[string]string{}
	for _, part := range strings.Split(record, ";") {
		name, value, ok := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		if !ok {
			if name != "" {
				return nil
			}
			continue
		}
		out[name] = strings.Join(strings.Fields(value), "")
	}
	return out
}

// dkim compares the key that signs our mail with what the DNS says of it.
func (x *examiner) dkim(d string) proof {
	subject := "DKIM " + d
	if x.Config.Mail.DKIMKey == "" {
		x.say("dns", subject, Off, "", "this service does not sign mail itself (mail.dkim-key); have the relay do it")
		return unknown
	}
	signer, err := mailauth.NewSigner(x.Config.Mail.DKIMSelector, []byte(x.Config.Mail.DKIMKey))
	if err != nil {
		x.say("dns", subject, Error, "Give mail.dkim-key a private key in PEM, RSA or Ed25519, and mail.dkim-selector a name.", "%v", err)
		return refuses
	}
	name, want, err := signer.Record(d)
	if err != nil {
		x.say("dns", subject, Error, "Make another key.", "%v", err)
		return refuses
	}
	found, ok := x.records(subject, name, "")
	if !ok {
		return unknown
	}
	ours := tags(want)
	publish := fmt.Sprintf("Add the TXT record %q at %s.", want, name)
	fault := ""
	var is map[string]string
	switch {
	case len(found) == 0 || len(found) == 1 && strings.TrimSpace(found[0]) == "":
		fault = "the record for the key that signs our mail is not there"
	case len(found) > 1: // RFC 6376 3.6.2.2: undefined
		fault = fmt.Sprintf("there are %d records for the key that signs our mail, and others take any of them", len(found))
	default:
		is = tags(found[0])
		switch p, there := is["p"]; {
		case is == nil || !there:
			fault = "the record at " + name + " cannot be read"
		case p == "": // RFC 6376 3.6.1
			fault = "the record says that the key is revoked"
		case p != ours["p"]:
			fault = "the record is of another key than the one that signs our mail"
		case strings.TrimSpace(is["k"]) != "" && !strings.EqualFold(is["k"], ours["k"]) || is["k"] == "" && ours["k"] != "rsa":
			fault = "the record does not say that the key is " + ours["k"]
		case is["h"] != "" && !containsWord(is["h"], "sha256"):
			fault = "the record does not allow SHA-256 (h=" + is["h"] + ")"
		case is["s"] != "" && !containsWord(is["s"], "*") && !containsWord(is["s"], "email"):
			fault = "the record is not for mail (s=" + is["s"] + ")"
		}
	}
	if fault != "" {
		x.say("dns", subject, Error, publish, "%s, so that our signatures fail", fault)
		return refuses
	}
	if containsWord(is["t"], "y") {
		x.say("dns", subject, Warning, "Take t=y out of the record at "+name+".", "the record says that the domain only tries DKIM: others may take our signatures for none")
		return proves
	}
	x.say("dns", subject, OK, "", "the record of the key that signs our mail is there")
	return proves
}

func containsWord(list, word string) bool {
	for _, w := range strings.Split(list, ":") {
		if strings.EqualFold(strings.TrimSpace(w), word) {
			return true
		}
	}
	return false
}

// dmarc finds the policy that others apply to mail of the domain, its own or
// one above (RFC 9989 4.10), and whether our mail passes it.
func (x *examiner) dmarc(d string, byAddress, bySignature proof) {
	subject := "DMARC " + d
	add := `Add a TXT record such as "v=DMARC1; p=quarantine" at _dmarc.` + d + "."
	policy, where := "", ""
	for name := d; strings.Contains(name, "."); _, name, _ = strings.Cut(name, ".") {
		found, ok := x.records(subject, "_dmarc."+name, "v=DMARC1")
		if !ok {
			return
		}
		if len(found) > 1 { // RFC 9989 4.10.1
			x.say("dns", subject, Error, "Leave one of them.", "there are %d records at _dmarc.%s, and then none of them counts", len(found), name)
			return
		}
		if len(found) == 0 {
			continue
		}
		t := tags(found[0])
		policy, where = strings.ToLower(t["p"]), name
		if sp := strings.ToLower(t["sp"]); name != d && sp != "" {
			policy = sp
		}
		if policy == "" && t["rua"] != "" {
			policy = "none" // RFC 9989 4.7
		}
		break
	}
	switch policy {
	case "quarantine", "reject":
	case "none":
		if where != d {
			x.say("dns", subject, Warning, add, "the policy of %s above it is none: others accept forged mail in our name", where)
			return
		}
		x.say("dns", subject, Warning, "Raise it to p=quarantine when the reports are clean.", "the policy is none: others accept forged mail in our name")
		return
	case "":
		if where == "" {
			x.say("dns", subject, Warning, add, "there is no record: others do not know what to do with mail that is forged in our name (RFC 9989)")
			return
		}
		fallthrough
	default:
		x.say("dns", subject, Error, "Write p=none, p=quarantine or p=reject into it.", "the record at _dmarc.%s has no policy that can be read, and then it does not count", where)
		return
	}
	of := ""
	if where != d {
		of = " (of " + where + ")"
	}
	does := map[string]string{"quarantine": "put aside as spam", "reject": "refused"}[policy]
	switch {
	case byAddress != proves && bySignature == refuses, byAddress == refuses && bySignature != proves && x.Config.Mail.DKIMKey != "":
		x.say("dns", subject, Error, "Put the DKIM record right first; see above.", "the policy is %s%s, and neither signature nor address shows that our mail is ours: it is %s", policy, of, does)
	case byAddress == refuses && bySignature == unknown:
		x.say("dns", subject, Warning, "Have the relay sign for "+d+", or set mail.dkim-key; else name the relay in the SPF record.", "the policy is %s%s: unless the relay signs our mail for %s, it is %s", policy, of, d, does)
	default:
		x.say("dns", subject, OK, "", "the policy is %s%s", policy, of)
	}
}
