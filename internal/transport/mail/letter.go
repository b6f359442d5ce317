package mail

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/imip/cms"
	"github.com/convene-cal/convene/imip/smime"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
)

// letter writes a mail in words into the journal: it goes to the relay like any
// other message, to addresses of our own domains too, because a person's mailbox
// is seldom here. about names the event, "" for none. Without a relay nothing is
// written, and sent is false.
func (m *Mail) letter(ctx context.Context, account store.AccountID, about string, l imip.Letter) (sent bool, err error) {
	if m.relay == nil || len(m.o.Domains) == 0 {
		return false, nil
	}
	l.Now, l.Host = m.now(), m.messageHost()
	keys, err := m.keys(ctx, account)
	if err != nil {
		return false, err
	}
	if signer, ok, err := keys.ServiceSigner(l.From.Address, time.Time{}); err != nil {
		return false, err
	} else if ok && m.o.Sign {
		l.Secure = func(entity []byte) ([]byte, error) { return smime.Sign(entity, []cms.Signer{signer}, l.Now) }
	}
	mail, err := l.Compose()
	if err != nil {
		return false, err
	}
	domain := ical.Mailto(l.From.Address).Domain()
	if m.o.DKIM != nil && m.ours(domain) {
		if mail.Raw, err = m.o.DKIM.Sign(mail.Raw, domain); err != nil {
			return false, err
		}
	}
	e := store.Entry{
		Account: account, Direction: journal.Out, Transport: Name, State: journal.Due, Status: "1.0", UID: about,
		From: string(ical.Mailto(l.From.Address)), To: string(ical.Mailto(l.To.Address)), Raw: mail.Raw, MessageID: mail.MessageID,
		Digest: ownDigest(mail.MessageID), Created: l.Now, Updated: l.Now, NextAttempt: l.Now,
		Sentence: "A mail in words: " + mail.Subject,
	}
	err = m.o.Store.Update(ctx, func(tx *store.Tx) error {
		e.ID = 0
		if err := tx.AddEntry(&e); err != nil {
			return err
		}
		// A letter that cannot be delivered comes back like any other message.
		var err error
		if e.Evidence, err = json.Marshal(outgoing{EnvelopeFrom: newReturnPath(&e, m.o.Domains[0])}); err != nil {
			return err
		}
		return tx.UpdateEntry(e)
	})
	if err != nil {
		return false, fmt.Errorf("write a mail to %s: %w", l.To.Address, err)
	}
	m.o.Journal.Wake()
	return true, nil
}

// words takes a mail without a calendar that came to a reply address: somebody
// pressed "reply" and wrote to the organizer. It goes on to them (IN-09), but
// what a machine wrote does not: that is how loops begin (RFC 3834 2).
func (m *Mail) words(ctx context.Context, e store.Entry, r record, p *imip.Parsed) ([]store.Entry, error) {
	about := r.ReplyTo[0]
	e.UID = about.UID
	who := firstOf(p.FromName, p.From.Email(), ical.ParseAddress(about.Attendee).Email())
	text := oneLine(p.Text)
	if p.AutoSubmitted {
		return m.settle(ctx, e, stateIgnored, "automatic-answer", fmt.Sprintf("A machine of %s answered the invitation: %s", who, oneLine(firstOf(p.Subject, p.Sentence))))
	}
	var organizer imip.Mailbox
	title := ""
	err := m.o.Store.View(ctx, func(tx *store.Tx) error {
		account, err := tx.Account(e.Account)
		if err != nil {
			return err
		}
		organizer.Name = account.DisplayName
		known, err := scheduled(tx, e.Account, about.UID)
		if err == nil && known != nil {
			organizer.Address = organizerOf(known).Email()
			title = oneLine(known.Main()[0].Text("SUMMARY"))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("whom message %d is for: %w", e.ID, err)
	}
	sentence := fmt.Sprintf("%s wrote about %s: “%s”", who, firstOf(title, "an event of yours"), text)
	if organizer.Address == "" {
		return m.settle(ctx, e, stateIgnored, "words", sentence)
	}
	domain := ical.Mailto(organizer.Address).Domain()
	if !m.ours(domain) {
		domain = m.o.Domains[0]
	}
	l := imip.Letter{
		From: imip.Mailbox{Name: who + " (via Convene)", Address: "postmaster@" + domain}, ReplyTo: imip.Mailbox{Name: p.FromName, Address: p.From.Email()}, To: organizer,
		Subject:  firstOf(p.Subject, "About "+title),
		Text:     fmt.Sprintf("%s (%s) wrote to the address of your invitation to %s:\n\n%s\n", who, p.From.Email(), firstOf(title, "an event"), p.Text),
		Original: e.Raw,
	}
	sent, err := m.letter(ctx, e.Account, about.UID, l)
	switch {
	case err != nil:
		m.log.Warn("a guest's words could not be passed on", "id", e.ID, "account", e.Account, "error", err)
	case sent:
		sentence += " It was passed on to " + organizer.Address + "."
	}
	return m.settle(ctx, e, stateIgnored, "words", sentence)
}
