package mail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/imip/phrase"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// Send implements [journal.Transport]. Each entry is one mail to one recipient.
// The mail is composed and stored with its row before anything is sent, and
// the same octets go out with every attempt. One connection serves the batch.
func (m *Mail) Send(ctx context.Context, batch []*store.Entry) []journal.Outcome {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	s := sending{m: m}
	defer s.hangUp()
	outcomes := make([]journal.Outcome, len(batch))
	for done := 0; done < len(batch); {
		n := portion(batch[done:])
		s.portion(ctx, batch[done:done+n], outcomes[done:done+n])
		done += n
	}
	return outcomes
}

// inHand is about how many octets of mails are in memory at once: a meeting may
// have a megaoctet of guests, and a hundred mails are in a batch.
const inHand = 16 << 20

// portion is how many of the first rows are composed together, at least one.
// Those that were before are read one by one.
func portion(batch []*store.Entry) int {
	octets := 0
	for i, e := range batch {
		if e.MessageID == "" {
			octets += len(e.Calendar) * 5 / 2 // as it is, and a third more in base64
		}
		if octets > inHand && i > 0 {
			return i
		}
	}
	return len(batch)
}

// sending is a batch on its way.
type sending struct {
	m        *Mail
	made     lastRead
	client   *smtp.Client // nil = not connected
	failures int          // of connections, one after the other
}

func (s *sending) hangUp() {
	if s.client != nil {
		s.client.Quit()
	}
}

// portion sends rows and fills in their outcomes.
func (s *sending) portion(ctx context.Context, batch []*store.Entry, outcomes []journal.Outcome) {
	if err := s.m.prepare(ctx, batch, outcomes, &s.made); err != nil {
		for i := range outcomes {
			if outcomes[i].State == "" {
				outcomes[i] = unprepared(err)
			}
		}
	}
	for i, e := range batch {
		if outcomes[i].State == "" {
			outcomes[i] = s.one(ctx, e)
		}
		e.Raw = nil // it is in the store
	}
}

func unprepared(err error) journal.Outcome {
	return journal.Outcome{State: journal.Retry, Status: "1.0", Reason: "store", Sentence: "The message could not be prepared for sending: " + oneLine(err.Error())}
}

// one sends one row, over the connection there is or a new one.
func (s *sending) one(ctx context.Context, e *store.Entry) journal.Outcome {
	if ctx.Err() != nil {
		return interrupted()
	}
	if s.failures >= 3 {
		// A relay that is down is not asked again for each of a hundred messages.
		return journal.Outcome{State: journal.Retry, Status: "1.0", Reason: "unreachable", Sentence: "The mail relay could not be used; the message waits."}
	}
	if e.Raw == nil {
		row, err := s.m.entry(ctx, e.Account, e.ID)
		switch {
		case err != nil:
			return unprepared(err)
		case row.Raw == nil:
			return journal.Outcome{State: journal.Failed, Status: "5.1", Reason: "lost", Sentence: "The mail that was composed is not in the store any more; save the event again to send it."}
		}
		e.Raw = row.Raw
	}
	if s.client == nil {
		c, err := s.m.relay.connect(ctx)
		if err != nil {
			s.failures++
			return outcome(temporary(err), false)
		}
		s.client = c
	}
	o, broken := s.m.sendOne(ctx, s.client, e)
	if broken {
		s.failures++
		s.client.Close()
		s.client = nil
	} else {
		s.failures = 0
	}
	return o
}

// batchTime bounds one batch, however slow the relay is: below the journal's
// lease of ten minutes, after which another courier would send the rest too.
const batchTime = 8 * time.Minute

// interrupted is for a message that was not tried, or not to the end.
func interrupted() journal.Outcome {
	return journal.Outcome{State: journal.Retry, Status: "1.0", Reason: "stopped", Sentence: "Sending was interrupted; the message waits.", After: time.Second}
}

// temporary makes a refusal while connecting one of the relay, not of the
// message: our password or the relay's certificate can be put right.
func temporary(err error) error {
	var reply *smtp.SMTPError
	if errors.As(err, &reply) && !reply.Temporary() {
		return fmt.Errorf("%s (%d)", oneLine(err.Error()), reply.Code)
	}
	return err
}

// prepare composes what was not composed before, and stores it, in one transaction.
func (m *Mail) prepare(ctx context.Context, batch []*store.Entry, outcomes []journal.Outcome, last *lastRead) error {
	var made []*store.Entry
	var addresses []*store.ReplyAddress
	for i, e := range batch {
		switch {
		case m.relay == nil:
			outcomes[i] = journal.Outcome{State: journal.Failed, Status: "5.2", Reason: "no-way", Sentence: "No mail relay is configured (mail.relay)."}
			continue
		case ical.Address(e.To).Email() == "":
			outcomes[i] = journal.Outcome{State: journal.Failed, Status: "3.7", Reason: "not-mailable", Sentence: fmt.Sprintf("%s is no address that mail can be sent to.", e.To)}
			continue
		case m.o.Trust.Denies(ical.Address(e.To)):
			outcomes[i] = journal.Outcome{State: journal.Failed, Status: "5.3", Reason: "denied", Sentence: fmt.Sprintf("This site's policy has no scheduling with %s (mail.deny-domains).", ical.Address(e.To).Domain())}
			continue
		case e.MessageID != "":
			continue
		}
		address, err := m.compose(ctx, e, last)
		if err != nil {
			if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errStore) {
				return err
			}
			m.log.Error("message cannot be composed", "id", e.ID, "method", e.Method, "uid", e.UID, "to", e.To, "error", err)
			outcomes[i] = journal.Outcome{State: journal.Failed, Status: "5.1", Reason: "compose", Sentence: "The mail could not be composed: " + oneLine(err.Error())}
			continue
		}
		made = append(made, e)
		if address != nil {
			addresses = append(addresses, address)
		}
	}
	if len(made) == 0 {
		return nil
	}
	return m.o.Store.Update(ctx, func(tx *store.Tx) error {
		for _, r := range addresses {
			if err := tx.SetReplyAddress(*r); err != nil {
				return err
			}
		}
		for _, e := range made {
			row, err := bareRow(tx, e)
			if err != nil {
				return err
			}
			row.Raw, row.MessageID, row.References, row.Evidence, row.Digest = e.Raw, e.MessageID, e.References, e.Evidence, e.Digest
			if err := tx.UpdateEntry(row); err != nil {
				return err
			}
		}
		return nil
	})
}

var errStore = errors.New("the store could not be read")

// ownDigest marks the row of a mail we sent, so that it is known when it comes back.
func ownDigest(messageID string) string { return "sent-" + messageID }

// bareRow reads a row without its mail.
func bareRow(tx *store.Tx, e *store.Entry) (store.Entry, error) {
	rows, err := tx.EntriesByID(e.Account, []int64{e.ID})
	if err != nil {
		return store.Entry{}, err
	}
	row, there := rows[e.ID]
	if !there {
		return row, fmt.Errorf("message %d: %w", e.ID, store.ErrNotFound)
	}
	return row, nil
}

// lastRead is the message that was read last, with the people it names: the guests
// of a meeting mostly get the same, and what their mails have in common is made once.
type lastRead struct {
	octets []byte
	cal    *ical.Calendar
	people map[string][]itip.Attendee // of all components, their organizers too, by address
	breach error                      // of RFC 5546
	press  imip.Press
}

func (v *lastRead) read(octets []byte) error {
	if v.cal != nil && bytes.Equal(v.octets, octets) {
		return nil
	}
	cal, err := ical.Parse(octets)
	if err != nil {
		return err
	}
	v.octets, v.cal, v.people, v.breach = octets, cal, map[string][]itip.Attendee{}, itip.CheckMessage(cal)
	add := func(a itip.Attendee) { v.people[a.Address.Key()] = append(v.people[a.Address.Key()], a) }
	for _, c := range cal.Main() {
		for _, a := range itip.Attendees(c) {
			add(a)
		}
		if org, ok := itip.Organizer(c); ok {
			add(org)
		}
	}
	return nil
}

// compose fills in Raw, MessageID, References, Evidence and Digest of a row. It
// gives the reply address that the mail names, nil if it names none.
func (m *Mail) compose(ctx context.Context, e *store.Entry, last *lastRead) (address *store.ReplyAddress, err error) {
	if err := last.read(e.Calendar); err != nil {
		return nil, fmt.Errorf("message %d: %w", e.ID, err)
	}
	cal := last.cal
	msg := itip.Message{Method: itip.Method(e.Method), From: ical.Address(e.From), To: ical.Address(e.To), UID: e.UID, RecurrenceID: e.RecurrenceID, Sequence: e.Sequence, Calendar: cal, Refresh: e.Refresh}
	if len(e.Changes) > 0 {
		if err := json.Unmarshal(e.Changes, &msg.Changes); err != nil {
			return nil, fmt.Errorf("message %d: changes: %w", e.ID, err)
		}
	}
	o := imip.Options{Now: m.now(), Host: m.messageHost()}
	var own []ical.Address
	var preferences []byte
	err = m.o.Store.View(ctx, func(tx *store.Tx) error {
		acc, err := tx.Account(e.Account)
		if err != nil {
			return err
		}
		addresses, err := tx.Addresses(e.Account)
		if err != nil {
			return err
		}
		own = nil
		for _, a := range addresses {
			own = append(own, ical.Address(a.URI))
		}
		o.From.Name, o.Language = acc.DisplayName, acc.Language
		preferences = acc.Settings
		o.Robot = (acc.Kind == "room" || acc.Kind == "resource") && (msg.Method == itip.Reply || msg.Method == itip.Counter)
		if acc.TimeZone != "" {
			o.Zone, _ = tz.Load(acc.TimeZone) // an unknown zone is left out of the text
		}
		if msg.Method == itip.Refresh {
			if o.Title, err = titleOf(tx, e); err != nil {
				return err
			}
		}
		o.References, err = thread(tx, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	m.people(&msg, &o, own, last.people)
	err = m.o.Store.View(ctx, func(tx *store.Tx) (err error) {
		address, err = m.withReplyAddress(tx, e, &msg, &o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	var kept outgoing
	if m.o.PublicURL != "" && msg.Method == itip.Request {
		kept.Page = newToken(e)
		o.RSVPURL = strings.TrimSuffix(m.o.PublicURL, "/") + "/rsvp/" + kept.Page
	}
	s, err := m.securityOf(ctx, e.Account, preferences)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	who := spoken{from: o.From.Address, acting: msg.From.Email()}
	if _, agent, ok := tokenOf(o.From.Address); ok && agent && address != nil {
		who.made = address.Created
	}
	if o.Secure, err = s.secure(m, who, o.To.Address); err != nil {
		return nil, err
	}
	// The engine writes what RFC 5546's tables allow; a breach is a fault of
	// ours, which must not keep an invitation from people.
	err = last.breach
	if msg.Calendar != cal { // a reply address stands in it
		err = itip.CheckMessage(msg.Calendar)
	}
	if err != nil {
		m.log.Error("an outgoing message breaks RFC 5546", "id", e.ID, "uid", e.UID, "method", e.Method, "error", err)
	}
	mail, err := last.press.Compose(msg, o)
	if err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(o.From.Address, "@")
	if m.o.DKIM != nil && m.ours(domain) {
		if mail.Raw, err = m.o.DKIM.Sign(mail.Raw, domain); err != nil {
			return nil, err
		}
	}
	kept.EnvelopeFrom = newReturnPath(e, domain)
	if e.Evidence, err = json.Marshal(kept); err != nil {
		return nil, err
	}
	e.Raw, e.MessageID, e.References, e.Digest = mail.Raw, mail.MessageID, strings.Join(o.References, " "), ownDigest(mail.MessageID)
	return address, nil
}

// messageHost is the right-hand side of our Message-IDs.
func (m *Mail) messageHost() string {
	if !strings.Contains(m.o.Hostname, ".") && len(m.o.Domains) > 0 {
		return m.o.Domains[0] // RFC 5322 3.6.4: unique, and "localhost" is everyone's
	}
	return m.o.Hostname
}

// titleOf is the title that the sender's own copy of an event has.
func titleOf(tx *store.Tx, e *store.Entry) (string, error) {
	stored, err := tx.ObjectsByUID(e.Account, e.UID)
	if err != nil || len(stored) == 0 {
		return "", err
	}
	return stored[0].Summary, nil
}

// people fills in who writes to whom. From is an address of our own domains:
// mail in the name of a domain that others run is refused everywhere; then the
// person's own address is where answers go.
func (m *Mail) people(msg *itip.Message, o *imip.Options, own []ical.Address, named map[string][]itip.Attendee) {
	o.From.Address, o.To.Address = msg.From.Email(), msg.To.Email()
	for _, a := range slices.Concat(named[msg.From.Key()], named[msg.To.Key()]) {
		from := a.Address.Equal(msg.From)
		if a.CN != "" && !strings.EqualFold(a.CN, a.Address.Email()) {
			if from {
				o.From.Name = a.CN
			}
			if a.Address.Equal(msg.To) {
				o.To.Name = a.CN
			}
		}
		if _, known := phrase.Of(a.Language); known && a.Address.Equal(msg.To) { // OUT-13; else that of who writes
			o.Language = a.Language
		}
		if from && a.SentBy != "" && o.Sender.Address == "" && m.ours(a.SentBy.Domain()) {
			o.Sender.Address = a.SentBy.Email()
		}
	}
	if o.From.Address != "" && m.ours(msg.From.Domain()) {
		return
	}
	if i := slices.IndexFunc(own, func(a ical.Address) bool { return a.Email() != "" && m.ours(a.Domain()) }); i >= 0 {
		o.ReplyTo = imip.Mailbox{Name: o.From.Name, Address: o.From.Address}
		o.From.Address = own[i].Email()
	}
}

// thread lists the Message-IDs that a mail follows: those sent to the same
// person about the event, or, for an answer, those received from them. What an
// organizer sends is looked for by its recipient alone: ten thousand guests have
// ten thousand rows.
func thread(tx *store.Tx, e *store.Entry) ([]string, error) {
	f := store.EntryFilter{Account: e.Account, UID: e.UID, Bare: true}
	if fromOrganizer[itip.Method(e.Method)] {
		f.To = e.To
	}
	rows, err := tx.Entries(f)
	if err != nil {
		return nil, err
	}
	to := ical.Address(e.To)
	var ids []string
	for _, r := range slices.Backward(rows) { // listings are newest first
		with := ical.Address(r.To)
		if r.Direction == journal.In {
			with = ical.Address(r.From)
		}
		if r.ID != e.ID && r.MessageID != "" && with.Equal(to) && !slices.Contains(ids, r.MessageID) {
			ids = append(ids, r.MessageID)
		}
	}
	return ids, nil
}

// sendOne hands one mail to the relay. broken tells that the connection cannot
// be used any more.
func (m *Mail) sendOne(ctx context.Context, c *smtp.Client, e *store.Entry) (o journal.Outcome, broken bool) {
	// Whatever waits on the connection ends with ctx.
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	from, to := returnPathOf(e), asciiAddress(ical.Address(e.To).Email())
	options := &smtp.MailOptions{Size: int64(len(e.Raw)), Return: smtp.DSNReturnHeaders, EnvelopeID: strings.TrimSuffix(from[:max(strings.IndexByte(from, '@'), 0)], "@")}
	recipient := &smtp.RcptOptions{Notify: []smtp.DSNNotify{smtp.DSNNotifyFailure, smtp.DSNNotifyDelayed}, OriginalRecipientType: smtp.DSNAddressTypeRFC822, OriginalRecipient: to}
	header, _, _ := bytes.Cut(e.Raw, []byte("\r\n\r\n"))
	if !isASCII(to) || !isASCII(from) || !isASCII(string(header)) {
		if offered, _ := c.Extension("SMTPUTF8"); !offered {
			// RFC 6531 3.2: there is no way to write the address for this relay.
			return journal.Outcome{State: journal.Failed, Status: "5.2", Reason: "no-smtputf8", Sentence: fmt.Sprintf("The address %s needs internationalized mail (SMTPUTF8), which the mail relay does not offer.", to)}, false
		}
		options.UTF8, recipient.OriginalRecipientType = true, smtp.DSNAddressTypeUTF8
	}
	if most, ok := c.MaxMessageSize(); ok && most > 0 && len(e.Raw) > most {
		return journal.Outcome{State: journal.Failed, Status: "5.2", Reason: "too-large", Sentence: fmt.Sprintf("The mail has %d octets and the relay takes at most %d.", len(e.Raw), most)}, false
	}
	fail := func(err error, rcpt bool) (journal.Outcome, bool) {
		o := outcome(err, rcpt)
		if ctx.Err() != nil {
			o = interrupted()
		}
		var reply *smtp.SMTPError
		if !errors.As(err, &reply) || reply.Code == 421 { // RFC 5321 3.8: 421 closes the channel
			return o, true
		}
		return o, c.Reset() != nil
	}
	if err := c.Mail(from, options); err != nil {
		return fail(err, false)
	}
	if err := c.Rcpt(to, recipient); err != nil {
		return fail(err, true)
	}
	w, err := c.Data()
	if err != nil {
		return fail(err, false)
	}
	if _, err := w.Write(e.Raw); err != nil {
		return fail(err, false)
	}
	answer, err := w.CloseWithResponse()
	if err != nil {
		return fail(err, false)
	}
	return journal.Outcome{State: journal.Sent, Status: "1.1", Sentence: fmt.Sprintf("Handed to the mail relay %s: %s", m.relay.host, oneLine(answer.StatusText))}, false
}
