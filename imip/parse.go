package imip

import (
	"bytes"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// Parsed is what a mail says: its identity fields, and the calendar objects in it.
type Parsed struct {
	From          ical.Address // the one author; "" where the mail names none or several
	Sender        ical.Address // the Sender field (RFC 5322 3.6.2), "" if none
	To            []ical.Address
	FromName      string
	MessageID     string   // without angle brackets
	References    []string // In-Reply-To and References, oldest first, without angle brackets
	Subject       string
	Date          time.Time // zero where missing or unreadable
	AutoSubmitted bool      // RFC 3834 5: any value but "no"
	ListID        string    // RFC 2919: it came through a mailing list
	Report        bool      // a DSN or MDN; see Delivery
	Delivery      *DeliveryReport
	Signed        string // "pkcs7" or "pgp" where a calendar lies in a signed entity; see Found.Signatures
	Encrypted     bool   // some of it is encrypted, and was opened or not

	AuthenticationResults []string // RFC 8601 values as they stand, topmost first
	Received              []string
	Found                 []Found
	Notes                 []string // remarks for the record, a sentence each
	Sentence              string   // why there is nothing to process, where Found is empty
	Text                  string   // what a person wrote: the first text/plain part, at most 64 KB

	header header
	keys   [][]byte // see SenderKeys
}

// Header gives every value of a field, unfolded and undecoded, topmost first.
func (p *Parsed) Header(name string) []string { return p.header.all(strings.ToLower(name)) }

// Found is a calendar object in a mail.
type Found struct {
	Calendar     *ical.Calendar
	Method       itip.Method // upper case; "" = neither the part nor the object has one
	MethodFrom   string      // "both", "header" or "body"; "" = none
	Inconsistent bool        // part and object name different methods
	Part         string      // place and media type: "1.2 text/calendar"
	Repairs      []string
	Signatures   []*Signature // of the signed entities that it lies in, the outermost first
	Encrypted    bool         // lies in an encrypted entity that was opened
	Reason       string       // machine word for Review: "inconsistent-method", "no-method", "method-from-header", "unknown-method", "several-objects", "mixed-components", "attached", "forwarded", "malleable"
	Review       string       // not "": a person must look before anything is applied, and this sentence says why
}

// Parse reads a mail, for which nobody has keys, as a [Reader] does.
func Parse(raw []byte, limits Limits) (*Parsed, error) { return Reader{Limits: limits}.Parse(raw) }

// Reader reads mails.
type Reader struct {
	Limits Limits
	Open   Opener // nil = nothing encrypted can be opened
}

// Parse reads a mail. It fails only with [ErrLimit]: everything that a person
// could read gives a result, if only a Sentence. The data may be retained.
func (r Reader) Parse(raw []byte) (*Parsed, error) {
	limits := r.Limits.orDefaults()
	if len(raw) > limits.Size {
		return nil, fmt.Errorf("imip: the mail has %d octets, more than %d: %w", len(raw), limits.Size, ErrLimit)
	}
	t := &tree{limits: limits}
	root, err := t.entity(bytes.TrimLeft(raw, "\r\n"), "", 0, "text/plain")
	if err != nil {
		return nil, err
	}
	p := identity(root.header)
	w := &walker{parsed: p, tree: t, open: r.Open}
	if err := w.walk(root, place{}); err != nil {
		return nil, err
	}
	p.Found, err = interpret(w, limits)
	if err != nil {
		return nil, err
	}
	for _, f := range p.Found {
		for _, s := range f.Signatures {
			p.Signed = s.Protocol
		}
	}
	if len(p.Found) == 0 {
		p.Sentence = w.nothing()
	}
	return p, nil
}

// identity reads the fields that say who sent what.
func identity(h header) *Parsed {
	p := &Parsed{header: h}
	p.From = mailto(soleAddress(h.all("from")))
	if list := ParseMailboxes(h.get("from")); len(list) > 0 {
		p.FromName = list[0].Name
	}
	p.Sender = mailto(soleAddress(h.all("sender")))
	for _, name := range []string{"to", "cc"} {
		for _, v := range h.all(name) {
			for _, m := range ParseMailboxes(v) {
				p.To = append(p.To, mailto(m.Address))
			}
		}
	}
	p.Subject = decodeWords(h.get("subject"))
	if ids := messageIDs(h.get("message-id")); len(ids) > 0 {
		p.MessageID = ids[0]
	} else {
		p.MessageID = strings.Trim(h.get("message-id"), "<> ")
	}
	p.References = messageIDs(h.get("references"))
	for _, id := range messageIDs(h.get("in-reply-to")) {
		if len(p.References) == 0 || p.References[len(p.References)-1] != id {
			p.References = append(p.References, id)
		}
	}
	if d, err := mail.ParseDate(stripComments(h.get("date"))); err == nil {
		p.Date = d.UTC()
	}
	auto, _, _ := strings.Cut(stripComments(h.get("auto-submitted")), ";")
	auto = strings.ToLower(strings.TrimSpace(auto))
	p.AutoSubmitted = auto != "" && auto != "no"
	p.ListID = h.get("list-id")
	p.AuthenticationResults = h.all("authentication-results")
	p.Received = h.all("received")
	return p
}

func mailto(email string) ical.Address {
	if email == "" {
		return ""
	}
	return ical.Mailto(email)
}

var messageIDPattern = regexp.MustCompile(`<([^<>\s]+)>`)

func messageIDs(v string) []string {
	var ids []string
	for _, m := range messageIDPattern.FindAllStringSubmatch(v, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

// Messages cuts a file into mails: the messages of an mbox (RFC 4155), or the
// one mail that the file is.
func Messages(data []byte) [][]byte {
	if !bytes.HasPrefix(data, []byte("From ")) {
		return [][]byte{data}
	}
	var list [][]byte
	start := 0
	for pos := 0; pos < len(data); {
		end := bytes.IndexByte(data[pos:], '\n')
		next := len(data)
		if end >= 0 {
			next = pos + end + 1
		}
		// A separator stands at the beginning or behind a blank line.
		if pos > start && bytes.HasPrefix(data[pos:], []byte("From ")) &&
			(bytes.HasSuffix(data[:pos], []byte("\n\n")) || bytes.HasSuffix(data[:pos], []byte("\n\r\n"))) {
			list = append(list, data[start:pos])
			start = pos
		}
		pos = next
	}
	return append(list, data[start:])
}
