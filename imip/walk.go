package imip

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/convene-cal/convene/imip/tnef"
)

// candidate is a part that holds, or may hold, calendar objects.
type candidate struct {
	kind    candidateKind
	text    string
	method  string // the part's method parameter
	part    string
	inAlt   bool // stands in a multipart/alternative
	skipped bool // another variant of the same alternative was taken
	protection
}

// candidateKind orders candidates: of two with the same invitation the smaller counts.
type candidateKind int

const (
	calendarPart  candidateKind = iota // text/calendar
	icsPart                            // application/ics: a copy for mail programs that cannot see the other (IN-01)
	tnefPart                           // a meeting in Exchange's own format (IN-10)
	namedPart                          // only its name or its beginning says it is a calendar: never processed by itself (RFC 6047 2.6)
	forwardedPart                      // inside an attached message
)

// place is what surrounds an entity.
type place struct {
	alternative *entity
	forwarded   bool
	protection
}

// walker visits the tree and collects what concerns calendars.
type walker struct {
	parsed     *Parsed
	tree       *tree
	candidates []*candidate
	named      map[string]*entity // parts by Content-ID
	files      map[*entity]*attached
	open       Opener
	tnef       string // why a winmail.dat is of no use
	opaque     string // why a signed message in the opaque form cannot be read
	closed     string // why an encrypted one cannot
	wasOpened  bool
	tooLarge   bool
	broken     []string // sentences about calendar parts that cannot be read
}

func (w *walker) walk(e *entity, at place) error {
	switch e.media.value {
	case "multipart/report":
		if kind := reportKind(e); kind != "" && !at.forwarded {
			w.parsed.Report = true
			w.parsed.Delivery = readReport(e, kind)
			return nil // it may quote our own invitation (IN-04)
		}
	case "multipart/alternative":
		at.alternative = e
	case "multipart/signed": // RFC 1847 2.1: the first part is the signed content
		if len(e.parts) > 0 {
			if err := w.walk(e.parts[0], at.signedBy(clearSignature(e))); err != nil {
				return err
			}
			for _, c := range e.parts[1:] {
				if err := w.walk(c, at); err != nil {
					return err
				}
			}
			return nil
		}
	case "multipart/encrypted": // RFC 1847 2.2: the second part is the encrypted content
		if len(e.parts) == 2 && isPGP(e) {
			return w.opened(e, PGP, e.parts[1].decoded(), at)
		}
		w.parsed.Encrypted = true
		return nil
	}
	if e.parts != nil {
		for _, c := range e.parts {
			if err := w.walk(c, at); err != nil {
				return err
			}
		}
		return nil
	}
	return w.leaf(e, at)
}

// leaf notes what a part that is no multipart holds: a calendar, a mail inside,
// or a form that is recognised and not opened.
func (w *walker) leaf(e *entity, at place) error {
	if ids := messageIDs(e.header.get("content-id")); len(ids) > 0 && !at.forwarded && len(w.named) < maxAttachments {
		if w.named == nil {
			w.named = map[string]*entity{}
		}
		w.named[ids[0]] = e
	}
	name := strings.ToLower(e.fileName())
	c := &candidate{method: e.media.params["method"], part: strings.TrimSpace(e.path + " " + e.media.value), inAlt: at.alternative != nil, protection: at.protection}
	switch e.media.value {
	case "text/calendar":
		c.kind = calendarPart
	case "application/ics":
		c.kind = icsPart
	case "message/rfc822", "message/global":
		inner, err := w.tree.entity(e.decoded(), e.path, strings.Count(e.path, ".")+2, "text/plain")
		if err != nil {
			return err
		}
		return w.walk(inner, place{forwarded: true})
	case "application/ms-tnef", "application/vnd.ms-tnef":
		return w.winmail(e, c, at)
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		return w.pkcs7(e, at)
	case "application/pgp-keys":
		if !at.forwarded {
			w.senderKey(e)
		}
		return nil
	default:
		if name == "winmail.dat" {
			return w.winmail(e, c, at)
		}
		ics := path.Ext(name) == ".ics" || path.Ext(name) == ".ifb"
		if e.media.value == "text/plain" && !ics && !at.forwarded && w.parsed.Text == "" {
			w.parsed.Text = clip(e.text(), 64<<10)
		}
		if !ics && !startsLikeCalendar(e) {
			return nil
		}
		c.kind = namedPart
	}
	if at.forwarded {
		c.kind = forwardedPart
	}
	raw := e.decoded()
	if len(raw) > w.tree.limits.Calendar {
		w.tooLarge = true
		w.parsed.Notes = append(w.parsed.Notes, fmt.Sprintf("The calendar part %s has %d octets, more than the %d that are read.", c.part, len(raw), w.tree.limits.Calendar))
		return nil
	}
	c.text = toUTF8(raw, e.media.params["charset"])
	if c.kind == calendarPart && at.alternative != nil {
		w.variant(at.alternative, e, c)
	}
	w.candidates = append(w.candidates, c)
	return nil
}

// variant keeps one of several text/calendar parts in one multipart/alternative:
// they are the same thing for different readers (RFC 6047 2.4), and the last is
// the richest (RFC 2046 5.1.4). One that is empty or no calendar does not count.
func (w *walker) variant(alternative, e *entity, c *candidate) {
	if !strings.Contains(strings.ToUpper(c.text), "END:VCALENDAR") {
		return
	}
	inside := alternative.path
	for _, earlier := range w.candidates {
		if earlier.kind == calendarPart && earlier.inAlt && !earlier.skipped && within(earlier.part, inside) {
			earlier.skipped = true
			w.parsed.Notes = append(w.parsed.Notes, fmt.Sprintf("The calendar parts %s and %s are alternatives of each other; the last was taken.", earlier.part, c.part))
		}
	}
}

// within tells whether the part "1.2.1 text/calendar" lies in the entity "1.2".
func within(part, ancestor string) bool {
	p, _, _ := strings.Cut(part, " ")
	return ancestor == "" || strings.HasPrefix(p, ancestor+".")
}

// startsLikeCalendar looks for an object at the very beginning of a text part.
func startsLikeCalendar(e *entity) bool {
	if !strings.HasPrefix(e.media.value, "text/") && e.media.value != "application/octet-stream" {
		return false
	}
	head := e.body
	if len(head) > 4096 { // the beginning decides; decoding all of each attachment would cost more than it tells
		head = head[:4096]
	}
	head = bytes.TrimLeft(decodeTransfer(head, e.header.get("content-transfer-encoding")), " \t\r\n\ufeff")
	return beginsCalendar(head)
}

// winmail reads a meeting in Exchange's own format (MS-OXTNEF): what the same
// message would be in iCalendar is a candidate like any other part.
func (w *walker) winmail(e *entity, c *candidate, at place) error {
	const unreadable = "The mail's content lies in a winmail.dat, Exchange's own format, "
	data := e.decoded()
	if w.tnef = unreadable + "which is too large to be read"; len(data) > w.tree.limits.Size {
		return nil
	}
	m, err := tnef.Decode(data)
	if err != nil {
		w.tnef = unreadable + "and cannot be read: " + strings.TrimPrefix(err.Error(), "tnef: ")
		return nil
	}
	if !m.Scheduling() {
		w.tnef = unreadable + "and is no message of a meeting"
		return nil
	}
	p := w.parsed
	cal, err := m.Calendar(tnef.Mail{From: p.From, FromName: p.FromName, To: p.To, Date: p.Date})
	if err != nil {
		w.tnef = "The meeting lies in a winmail.dat (" + m.Class + "), Exchange's own format, and cannot be told in iCalendar: " + strings.TrimPrefix(err.Error(), "tnef: ")
		return nil
	}
	c.kind, c.method = tnefPart, cal.Method()
	if at.forwarded {
		c.kind = forwardedPart
	}
	c.text = string(cal.Bytes())
	w.parsed.Notes = append(w.parsed.Notes, fmt.Sprintf("The meeting was read from the part %s, which is in Exchange's own format.", c.part))
	w.candidates = append(w.candidates, c)
	return nil
}

// nothing says why there is no calendar object to process.
func (w *walker) nothing() string {
	switch {
	case w.parsed.Report:
		return w.parsed.Delivery.Sentence()
	case len(w.broken) > 0:
		return w.broken[0]
	case w.tooLarge:
		return w.parsed.Notes[0]
	case w.parsed.Encrypted && !w.wasOpened:
		return "The mail is encrypted, and " + cmp.Or(w.closed, "this server has no key to open it; only the recipient's own mail program can") + "."
	case w.opaque != "":
		return "The mail is signed in the opaque S/MIME form (application/pkcs7-mime) and cannot be read: " + w.opaque + "."
	case w.tnef != "":
		return w.tnef + ". The sender's administrator can have it sent as iCalendar: Set-RemoteDomain -TNEFEnabled $false."
	}
	return "The mail has no calendar part."
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
