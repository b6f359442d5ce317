// Package mail carries scheduling messages as mail: out through a relay (SMTP
// submission, RFC 5321, 6409), in by LMTP (RFC 2033), SMTP, or a pipe.
//
// Out: one mail for each recipient (RFC 6638 3.2.6). The mail is composed once
// and kept with the journal row before the first attempt, so that an attempt
// after a crash is the same message under the same Message-ID. The envelope
// sender is an address made for that row; a delivery report that comes to it is
// matched without believing anything the report says about itself.
//
// In: 250 is said when the mail is on disk in the journal and not before
// (RFC 5321 6.1). Then it is read ([imip.Parse]), its evidence is judged
// ([trust.Judge]), and it is handed to the calendar or held; each step leaves
// the row in a state from which [Mail.Resume] goes on after a crash. Nothing is
// dropped: what cannot be processed stays in the journal with a sentence.
//
// Not here: direct delivery to MX hosts; and what DKIM, SPF, DMARC and ARC say,
// which is package mailauth's.
package mail
