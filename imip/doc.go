// Package imip carries iTIP messages as mail and finds them in mail: RFC 6047,
// with draft-ietf-calsch-imip-04 and RFC 2447, whose examples are all read.
//
// [Parse] is the tolerant half. Mail software breaks MIME in many small ways,
// and a person's answer must not be lost to one of them: parameters are given
// twice or without quotes, closing boundaries are missing, charsets are wrong,
// footers are appended, the same invitation lies in one mail three times.
// Parse reads what a mail program would show, and says for each calendar
// object it found whether it may be processed without asking a person
// ([Found.Review]). Only the media type makes a part a scheduling message,
// never a file name (RFC 6047 2.6).
//
// [Compose] is the strict half: one message for one recipient with one
// calendar object, as text, HTML and text/calendar, the same octets for the
// same input, so that a second attempt is the same message.
//
// Where the package goes its own way (and see docs/interoperability.md for what
// it forgives, IN-01 …, and how it writes, OUT-01 …):
//   - A text/calendar part without the method parameter is taken for a
//     scheduling message when the object has a METHOD (RFC 6047 2.4 note 2 says
//     it is none): mail gateways strip the parameter. [Found.MethodFrom] says so.
//   - An object with several UIDs is split (RFC 5546 forbids it, RFC 2447 4.4
//     shows it).
//   - Signed mail is unwrapped in its clear and its opaque form (RFC 1847, RFC
//     8551), and the signatures are handed on unverified ([Found.Signatures]):
//     whom to believe is not known here. Encrypted mail is opened by whom has keys.
//
// The package does no I/O; who a message really comes from is decided elsewhere.
package imip
