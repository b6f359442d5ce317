package mail

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-smtp"
	"golang.org/x/net/idna"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
)

// report takes a delivery status notification (RFC 3464), or whatever else came
// to a return path. It counts only for a message whose secret it brings back,
// in the address it came to or in the envelope identifier: anyone can write a
// report, and a forged one must not make an attendee look unreachable.
func (m *Mail) report(ctx context.Context, e store.Entry, r record, p *imip.Parsed) ([]store.Entry, error) {
	var about store.Entry
	var err error = errNoToken
	if r.Sent != 0 {
		about, err = m.entry(ctx, e.Account, r.Sent) // the secret was checked at RCPT
	} else if p.Delivery != nil && p.Delivery.EnvelopeID != "" {
		about, err = m.sentBy(ctx, p.Delivery.EnvelopeID)
		if err == nil && about.Account != e.Account {
			err = errNoToken
		}
	}
	if errors.Is(err, errNoToken) && len(r.ReplyTo) > 0 && p.Delivery != nil {
		// Some servers report to the From or Reply-To address, which is one guest's too.
		about, err = m.lastTo(ctx, e.Account, r.ReplyTo[0])
	}
	if errors.Is(err, errNoToken) || errors.Is(err, store.ErrNotFound) {
		sentence := p.Sentence
		if p.Delivery != nil && p.Delivery.Kind == "delivery-status" {
			sentence += " It cannot be matched to a message that was sent from here, and changes nothing."
		}
		return m.settle(ctx, e, stateIgnored, "unmatched-report", sentence)
	}
	if err != nil {
		return nil, err
	}
	e.UID, e.RecurrenceID, e.Method, e.Object = about.UID, about.RecurrenceID, "", about.Object
	if p.Delivery == nil || p.Delivery.Kind != "delivery-status" || len(p.Delivery.Recipients) == 0 {
		return m.settle(ctx, e, stateIgnored, "automatic-answer", fmt.Sprintf("A machine answered the message to %s: %s", ical.Address(about.To).Email(), oneLine(firstOf(p.Subject, p.Sentence))))
	}
	rc := recipientOf(p.Delivery.Recipients, about.To)
	o, change := reported(rc)
	if !change {
		return m.settle(ctx, e, stateIgnored, "delivery-report", p.Delivery.Sentence())
	}
	if err := m.o.Journal.Report(ctx, about.Account, about.ID, o); err != nil {
		return nil, fmt.Errorf("note the delivery report on message %d: %w", about.ID, err)
	}
	return m.settle(ctx, e, stateApplied, "delivery-report", p.Delivery.Sentence())
}

// lastTo is the latest message that went to the guest of a reply address.
func (m *Mail) lastTo(ctx context.Context, account store.AccountID, a answersFor) (store.Entry, error) {
	var rows []store.Entry
	err := m.o.Store.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Entries(store.EntryFilter{Account: account, UID: a.UID, Direction: journal.Out, States: []string{journal.Sent, journal.Delivered}})
		return err
	})
	for _, e := range rows { // newest first
		if e.MessageID != "" && ical.Address(e.To).Key() == a.Attendee {
			return e, nil
		}
	}
	if err == nil {
		err = errNoToken
	}
	return store.Entry{}, err
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return t
		}
	}
	return ""
}

// recipientOf picks the group about our recipient; each of our mails has one,
// but a list may report on its members.
func recipientOf(list []imip.ReportedRecipient, to string) imip.ReportedRecipient {
	for _, rc := range list {
		if ical.Mailto(rc.Original).Equal(ical.Address(to)) || ical.Mailto(rc.Final).Equal(ical.Address(to)) {
			return rc
		}
	}
	return list[0]
}

// reported is what a report means for the row (RFC 3464 2.3.3). A message that was
// relayed or expanded stays as it was, and one that is late is still on its way.
func reported(rc imip.ReportedRecipient) (journal.Outcome, bool) {
	said := strings.TrimSpace(rc.Status + " " + rc.Diagnostic)
	switch rc.Action {
	case "failed":
		return journal.Outcome{State: journal.Failed, Status: statusOf(rc.Status), Reason: "bounced", Sentence: fmt.Sprintf("The mail server of %s refused the message: %s", firstOf(rc.Original, rc.Final), oneLine(said))}, true
	case "delivered":
		return journal.Outcome{State: journal.Delivered, Status: "1.2", Reason: "reported", Sentence: fmt.Sprintf("The mail server of %s reports that the message was delivered.", firstOf(rc.Original, rc.Final))}, true
	}
	return journal.Outcome{}, false
}

func isReply(err error) bool {
	var reply *smtp.SMTPError
	return errors.As(err, &reply)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// asciiAddress writes the domain in A-labels; the local part has no such form.
func asciiAddress(email string) string {
	at := strings.LastIndexByte(email, '@')
	if isASCII(email[at+1:]) {
		return email
	}
	if domain, err := idna.Lookup.ToASCII(email[at+1:]); err == nil {
		return email[:at+1] + domain
	}
	return email
}
