package imip

import (
	"fmt"
	"strings"
)

// DeliveryReport is a delivery status notification (RFC 3464) or another
// machine's report on a mail.
type DeliveryReport struct {
	Kind       string // "delivery-status", "disposition-notification" or "feedback-report"
	EnvelopeID string // Original-Envelope-Id: the ENVID we gave (RFC 3461)
	MessageID  string // of the mail reported on, from its returned header or Original-Message-ID; without brackets
	Recipients []ReportedRecipient
}

// ReportedRecipient is one group of recipient fields (RFC 3464 2.3).
type ReportedRecipient struct {
	Original   string // Original-Recipient's address, "" if none
	Final      string // Final-Recipient's address
	Action     string // failed, delayed, delivered, relayed, expanded
	Status     string // enhanced status code, as "5.1.1"
	Diagnostic string // what the remote said
}

// Sentence sums the report up for a person.
func (r *DeliveryReport) Sentence() string {
	switch r.Kind {
	case "disposition-notification":
		return "The mail is a read receipt; it changes nothing."
	case "feedback-report":
		return "The mail is a complaint that a mail service sent by machine; it changes nothing."
	}
	for _, rc := range r.Recipients {
		who := rc.Final
		if rc.Original != "" {
			who = rc.Original
		}
		what := map[string]string{"failed": "could not be delivered to", "delayed": "is delayed on its way to", "delivered": "was delivered to", "relayed": "was passed on towards", "expanded": "was passed to the list"}[rc.Action]
		if what == "" {
			continue
		}
		s := fmt.Sprintf("A mail server reports: a message %s %s", what, who)
		if rc.Status != "" {
			s += " (" + rc.Status + ")"
		}
		if rc.Diagnostic != "" {
			s += ": " + rc.Diagnostic
		}
		return s
	}
	return "The mail is a delivery report that names no recipient."
}

// reportKind tells a machine's report by its report-type (RFC 6522 3), or by
// the part that makes it one where the parameter is missing. "" is no report.
func reportKind(e *entity) string {
	kinds := []string{"delivery-status", "disposition-notification", "feedback-report"}
	for _, k := range kinds {
		if strings.EqualFold(e.media.params["report-type"], k) {
			return k
		}
	}
	for _, c := range e.parts {
		for _, k := range kinds {
			if c.media.value == "message/"+k || c.media.value == "message/global-"+k {
				return k
			}
		}
	}
	return ""
}

func readReport(e *entity, kind string) *DeliveryReport {
	r := &DeliveryReport{Kind: kind}
	var visit func(e *entity)
	visit = func(e *entity) {
		switch e.media.value {
		case "message/delivery-status", "message/global-delivery-status", "message/disposition-notification":
			r.groups(e.decoded())
		case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
			h, _ := splitHeader(skipBlank(e.decoded()), 1000)
			if ids := messageIDs(h.get("message-id")); len(ids) > 0 {
				r.MessageID = ids[0]
			}
		}
		for _, c := range e.parts {
			visit(c)
		}
	}
	visit(e)
	return r
}

// groups reads the fields of the message, then those of each recipient, which
// are set apart by blank lines (RFC 3464 2.1).
func (r *DeliveryReport) groups(data []byte) {
	for len(data) > 0 && len(r.Recipients) < 1000 {
		var h header
		before := len(data)
		h, data = splitHeader(data, 100)
		if len(data) == before { // no header at all
			return
		}
		if id := h.get("original-envelope-id"); id != "" {
			r.EnvelopeID = id
		}
		if ids := messageIDs(h.get("original-message-id")); len(ids) > 0 && r.MessageID == "" {
			r.MessageID = ids[0]
		}
		if h.get("final-recipient") == "" && h.get("original-recipient") == "" && h.get("action") == "" {
			continue
		}
		status, _, _ := strings.Cut(strings.TrimSpace(stripComments(h.get("status"))), " ")
		action, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(stripComments(h.get("action")))), " ")
		diagnostic := h.get("diagnostic-code")
		if kind, text, ok := strings.Cut(diagnostic, ";"); ok && !strings.ContainsAny(kind, " \t") {
			diagnostic = strings.TrimSpace(text)
		}
		r.Recipients = append(r.Recipients, ReportedRecipient{
			Original:   typedAddress(h.get("original-recipient")),
			Final:      typedAddress(h.get("final-recipient")),
			Action:     word(action),
			Status:     word(status),
			Diagnostic: clip(oneLine(diagnostic), 500),
		})
	}
}

// typedAddress takes the address from "rfc822; bob@example.com".
func typedAddress(v string) string {
	if _, a, ok := strings.Cut(v, ";"); ok {
		v = a
	}
	return clip(strings.Join(strings.FieldsFunc(strings.Trim(strings.TrimSpace(v), "<>"), isControl), ""), maxAddress)
}

// maxAddress is the length of the longest mail address (RFC 5321 4.5.3.1).
const maxAddress = 320

// word is a short one of a machine; a report may be anyone's.
func word(s string) string {
	return clip(strings.Join(strings.FieldsFunc(s, isControl), ""), 40)
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
