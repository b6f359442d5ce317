// Package mailauth finds out which domain answers for a mail, where no mail
// server of ours did so before: SPF (RFC 7208), DKIM (RFC 6376) and DMARC with
// the DNS tree walk of RFC 9989. Its results are those of an
// Authentication-Results field (RFC 8601), so that what was checked here and
// what the site's own mail server attests are one thing to internal/trust.
//
// A DKIM signature counts only where it covers what makes a scheduling message:
// one with a body length (l=) lets anyone append a calendar, and a field that
// it does not cover can be put before the signed one (RFC 6376 8.2, 8.15). Such
// a signature has the result "policy".
//
// The chain of seals of a mail that lists and forwarders handled (ARC, RFC 8617)
// is verified as well. go-msgauth has no ARC, so that its canonical forms are
// here once more; what go-msgauth signs must verify with them.
//
// SPF needs the address of the host that sent the mail, which only the border
// listener knows.
package mailauth
