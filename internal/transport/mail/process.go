package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/imip/pgp"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/gate"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/keyring"
	"github.com/convene-cal/convene/internal/mailauth"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
	"github.com/convene-cal/convene/itip"
)

// record is the Evidence of an incoming row: who sent it, and how it was read.
type record struct {
	trust.Evidence
	Sent       int64        `json:"report-on,omitempty"`     // came to the return path of this row
	ReplyTo    []answersFor `json:"reply-address,omitempty"` // the guests and events that the addresses it came to, or names, were made for
	Invited    string       `json:"invited,omitempty"`       // the guest whose answer it is for that reason, comparison key
	Border     bool         `json:"border,omitempty"`        // see Envelope.Border
	Hello      string       `json:"ehlo,omitempty"`
	Encrypted  bool         `json:"encrypted,omitempty"`
	Acting     string       `json:"acting,omitempty"` // the address that the message speaks for
	Verdict    string       `json:"verdict,omitempty"`
	Subject    string       `json:"subject,omitempty"`
	Part       string       `json:"part,omitempty"`
	MethodFrom string       `json:"method-from,omitempty"`
	Repairs    []string     `json:"repairs,omitempty"`
	Notes      []string     `json:"notes,omitempty"`
	Reason     string       `json:"review-reason,omitempty"`
	Flood      string       `json:"flood,omitempty"`    // the outbreak for which it was held: "sender:eve@evil.test"
	Released   bool         `json:"released,omitempty"` // an administrator let it through a flood
	Review     string       `json:"review,omitempty"`   // why a person must look first
}

func envelopeEvidence(env Envelope, t target) []byte {
	r := record{Sent: t.sent, Border: env.Border}
	if t.reply != nil {
		r.ReplyTo = []answersFor{*t.reply}
	}
	r.Remote, r.Hello = env.Remote, env.Hello
	if env.From != "" {
		r.EnvelopeFrom = ical.Mailto(env.From)
	}
	return r.json()
}

func (r record) json() []byte {
	b, err := json.Marshal(r)
	if err != nil { // strings and numbers only: it cannot fail
		return nil
	}
	return b
}

func recordOf(e *store.Entry) record {
	var r record
	if len(e.Evidence) > 0 {
		_ = json.Unmarshal(e.Evidence, &r) // what we wrote; an unreadable one is no evidence
	}
	return r
}

// process takes a row from "received" to its outcome. It may begin again at
// any point: a row that has its calendar object is judged and applied, one that
// has not is read first. It returns the row and the further rows that the mail
// became.
func (m *Mail) process(ctx context.Context, e store.Entry) (rows []store.Entry, err error) {
	defer func() {
		// A fault of ours that one mail lays bare must not keep the service from
		// starting: the mail is kept and put aside.
		if p := recover(); p != nil {
			m.log.Error("a mail could not be processed for a fault of this program", "id", e.ID, "account", e.Account, "panic", p, "stack", string(debug.Stack()))
			rows, err = m.settle(ctx, e, stateRejected, "internal", "The mail could not be processed for a fault of this program. It is kept as it came.")
		}
	}()
	rows = []store.Entry{e}
	learned := newBearers()
	if len(e.Calendar) == 0 {
		var err error
		if rows, err = m.read(ctx, e, learned); err != nil {
			return []store.Entry{e}, err
		}
	}
	var failed []error
	for i := range rows {
		if rows[i].State != stateReceived {
			continue
		}
		if err := m.apply(ctx, &rows[i]); err != nil {
			failed = append(failed, err)
		} else if rows[i].State == stateApplied {
			m.learn(ctx, &rows[i], learned)
		}
	}
	return rows, errors.Join(failed...)
}

// read finds the calendar objects of a mail and writes a row for each, or the
// sentence why there are none.
func (m *Mail) read(ctx context.Context, e store.Entry, learned *bearers) ([]store.Entry, error) {
	r := recordOf(&e)
	keys, err := m.keys(ctx, e.Account)
	if err != nil {
		return nil, err
	}
	p, err := imip.Reader{Limits: imip.Limits{Size: m.o.MaxMessageSize + 1024}, Open: keys.Open}.Parse(e.Raw)
	if err != nil {
		return m.settle(ctx, e, stateRejected, "limit", "The mail is too complicated to be read: "+strings.TrimPrefix(err.Error(), "imip: ")+".")
	}
	e.MessageID, e.References = p.MessageID, strings.Join(p.References, " ")
	r.Subject, r.Notes = p.Subject, p.Notes
	m.evidence(ctx, e.Raw, p, &r)
	if r.ReplyTo, err = m.replyAddresses(ctx, e.Account, p, r.ReplyTo); err != nil {
		return nil, err
	}
	if p.From != "" {
		e.From = string(p.From)
	}
	e.Evidence = r.json()
	switch {
	case p.Delivery != nil || r.Sent != 0:
		return m.report(ctx, e, r, p)
	case p.MessageID != "" && m.isOurs(ctx, e.Account, p.MessageID):
		return m.settle(ctx, e, stateIgnored, "own-message", "This is a mail that was sent from here and has come back.")
	case len(p.Found) == 0:
		if len(r.ReplyTo) > 0 && strings.TrimSpace(p.Text) != "" && !p.Encrypted {
			return m.words(ctx, e, r, p)
		}
		return m.withoutCalendar(ctx, e, p)
	}
	var offered []*pgp.Key
	if m.o.PinFirst {
		offered = keyring.ReadOffered(p.SenderKeys())
	}
	rows := make([]store.Entry, 0, len(p.Found))
	for i, f := range p.Found {
		row := e
		if i > 0 {
			row.ID, row.Raw, row.Digest = 0, nil, fmt.Sprintf("%s-%d", e.Digest, i)
		}
		one := r
		one.Part, one.MethodFrom, one.Repairs, one.Reason, one.Review = f.Part, f.MethodFrom, f.Repairs, f.Reason, f.Review
		one.Signatures = checkSignatures(keys, f.Signatures, offered, learned)
		one.Encrypted = f.Encrypted
		rewritten := false
		if one.ReplyTo, rewritten, err = m.fromAgent(ctx, e.Account, f.Calendar, slices.Clone(r.ReplyTo)); err != nil {
			return nil, err
		}
		if rewritten {
			one.Repairs = append(slices.Clone(one.Repairs), "ORGANIZER was the address made for this guest's answers; it is the organizer's own again.")
		}
		if f.Calendar, err = m.underOwnUID(ctx, e.Account, f.Calendar); err != nil {
			return nil, err
		}
		describe(&row, f)
		row.Evidence = one.json()
		rows = append(rows, row)
	}
	if len(rows) == 1 {
		return rows, nil // written with its outcome; until then it can be read again
	}
	// The rows of one mail appear together, so that a crash between them does
	// not make them twice.
	err = m.o.Store.Update(ctx, func(tx *store.Tx) error {
		for i := range rows {
			rows[i].Updated = m.now()
			if i > 0 {
				rows[i].ID = 0
				if err := tx.AddEntry(&rows[i]); err != nil {
					return err
				}
			} else if err := tx.UpdateEntry(rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("write what the mail holds: %w", err)
	}
	return rows, nil
}

// evidence gathers who a mail is from, by its own words and by those of others.
func (m *Mail) evidence(ctx context.Context, raw []byte, p *imip.Parsed, r *record) {
	r.From, r.Sender, r.ListID = p.From, p.Sender, p.ListID
	believed := m.o.Trust.AuthservIDs
	if r.Border {
		believed = nil
	}
	r.ReadResults(p.AuthenticationResults, believed)
	if m.o.Check != nil && len(believed) == 0 && m.o.Trust.Inbound != trust.Accept {
		m.check(ctx, raw, r)
	}
	if m.o.Check != nil && len(m.o.Trust.Sealers) > 0 && len(p.Header("ARC-Seal")) > 0 {
		r.ReadChain(m.o.Check.CheckARC(ctx, raw), m.o.Trust.Sealers)
	}
	r.Spam = flaggedAsSpam(p)
}

// check finds out itself which domain answers for a mail that no server of ours
// has looked at.
func (m *Mail) check(ctx context.Context, raw []byte, r *record) {
	conn := mailauth.Connection{Hello: r.Hello, MailFrom: r.EnvelopeFrom.Email()}
	if host, _, err := net.SplitHostPort(r.Remote); err == nil && r.Border {
		conn.IP = net.ParseIP(host)
	}
	if r.Results = m.o.Check.Check(ctx, raw, r.From.Domain(), conn); len(r.Results) > 0 {
		r.Authserv = m.o.Hostname
	}
}

// underOwnUID is a guest's message under the UID that the organizer has.
func (m *Mail) underOwnUID(ctx context.Context, account store.AccountID, cal *ical.Calendar) (out *ical.Calendar, err error) {
	if _, ok := itip.OriginalUID(cal.UID()); !ok {
		return cal, nil
	}
	err = m.o.Store.View(ctx, func(tx *store.Tx) error {
		out, err = m.o.Calendar.OwnUID(tx, account, cal)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for the event of %s: %w", cal.UID(), err)
	}
	return out, nil
}

// describe puts the facts of a calendar object into its row.
func describe(row *store.Entry, f imip.Found) {
	row.Calendar, row.Method, row.UID = f.Calendar.Bytes(), string(f.Method), f.Calendar.UID()
	if f.Method == "" {
		row.Method = string(itip.Publish) // what it amounts to when the user takes it
	}
	main := f.Calendar.Main()
	if len(main) == 0 {
		return
	}
	if p := main[0].Prop("SEQUENCE"); p != nil {
		row.Sequence, _ = p.Int() // unreadable is 0 (LEN-12)
	}
	if len(main) == 1 && main[0].Prop("RECURRENCE-ID") != nil {
		row.RecurrenceID = itip.Summarize(f.Calendar, nil).RecurrenceID
	}
}

// withoutCalendar keeps a mail that asks for nothing a calendar can do.
func (m *Mail) withoutCalendar(ctx context.Context, e store.Entry, p *imip.Parsed) ([]store.Entry, error) {
	reason, sentence := "no-calendar", p.Sentence
	if p.Encrypted {
		reason = "encrypted"
	}
	if text := strings.TrimSpace(p.Text); text != "" && reason == "no-calendar" && !p.AutoSubmitted {
		sentence += " It says: “" + oneLine(text) + "”"
	}
	return m.settle(ctx, e, stateIgnored, reason, sentence)
}

// settle writes the end of a row that does not reach the calendar.
func (m *Mail) settle(ctx context.Context, e store.Entry, state, reason, sentence string) ([]store.Entry, error) {
	e.State, e.Reason, e.Sentence, e.Updated = state, reason, sentence, m.now()
	err := m.o.Store.Update(ctx, func(tx *store.Tx) error { return tx.UpdateEntry(e) })
	if err != nil {
		return nil, fmt.Errorf("write outcome of message %d: %w", e.ID, err)
	}
	return []store.Entry{e}, nil
}

// isOurs tells whether a Message-ID is that of a mail the account has sent.
func (m *Mail) isOurs(ctx context.Context, account store.AccountID, messageID string) bool {
	err := m.o.Store.View(ctx, func(tx *store.Tx) error {
		_, err := tx.EntryByDigest(account, ownDigest(messageID))
		return err
	})
	return err == nil
}

// apply judges a row that has its calendar object and hands it to the calendar.
func (m *Mail) apply(ctx context.Context, e *store.Entry) error {
	r := recordOf(e)
	cal, err := ical.Parse(e.Calendar)
	if err != nil { // it was read before; a later version may read less
		rows, err := m.settle(ctx, *e, stateRejected, "unreadable", "The calendar object cannot be read: "+err.Error())
		if err == nil {
			*e = rows[0]
		}
		return err
	}
	verdict, question, err := m.judge(ctx, e, cal, &r)
	if err != nil {
		return err
	}
	flood, tooMany, err := m.flooded(ctx, e, &r, verdict, question)
	if err != nil {
		return err
	}
	r.Flood = flood
	r.Level, r.Acting, r.Verdict = verdict.Level.String(), string(verdict.Acting), verdict.Sentence
	r.Policy = m.o.Trust.Inbound
	if verdict.Do == trust.Apply && verdict.Acting != "" {
		e.From = string(verdict.Acting) // else it stays who sent the mail
	}
	e.Evidence = r.json()
	state, reason, sentence := "", verdict.Reason, verdict.Sentence
	switch {
	case verdict.Do == trust.Reject:
		state = stateRejected
	case flood != "":
		state, reason, sentence = stateHeld, reasonFlood, tooMany
	case r.Review != "":
		state, reason, sentence = stateHeld, r.Reason, r.Review
	case verdict.Do == trust.Hold:
		state = stateHeld
	}
	if state != "" {
		rows, err := m.settle(ctx, *e, state, reason, sentence)
		if err == nil {
			*e = rows[0]
		}
		return err
	}
	received, err := m.o.Calendar.Receive(ctx, calendar.Arrival{
		To: e.Account, Recipient: ical.Address(e.To), From: verdict.Acting, Message: cal, Method: itip.Method(e.Method),
		Invited: ical.ParseAddress(r.Invited), Transport: Name, Received: e.Created, Entry: e,
	})
	if err != nil { // the store's fault: the row waits for the next start
		return fmt.Errorf("receive message %d: %w", e.ID, err)
	}
	if received.Err != nil {
		refusal := problem.Of(received.Err)
		rows, err := m.settle(ctx, *e, stateRejected, string(refusal.Condition), refusal.Sentence)
		if err == nil {
			*e = rows[0]
		}
		return err
	}
	*e = received.Entry
	return nil
}

// judge gathers what the store knows and asks [trust.Judge].
func (m *Mail) judge(ctx context.Context, e *store.Entry, cal *ical.Calendar, r *record) (trust.Verdict, trust.Question, error) {
	keys, err := m.keys(ctx, e.Account)
	if err != nil {
		return trust.Verdict{}, trust.Question{}, err
	}
	q := trust.Question{Evidence: r.Evidence, Policy: m.o.Trust, Method: itip.Method(e.Method), Now: e.Created}
	q.Signs = func(a ical.Address) bool { return keys.Signs(a.Email()) }
	q.Organizer, q.Attendee = speakers(cal, r.From)
	q.Known = r.From != "" && m.ours(r.From.Domain())
	err = m.o.Store.View(ctx, func(tx *store.Tx) error {
		q.Stored = nil
		q.Consent = m.o.Calendar.Consent(tx, e.Account)
		if m.o.Gate != nil {
			var err error
			if q.Rules, err = gate.Load(tx, e.Account); err != nil {
				return err
			}
		}
		known, err := scheduled(tx, e.Account, e.UID)
		if err != nil {
			return err
		}
		if known != nil {
			q.Stored = &trust.Stored{Organizer: organizerOf(known)}
			r.Token, r.Invited = false, ""
			if who := invited(r.ReplyTo, q.Method, e.UID); who != "" && listed(known, who) {
				r.Token, r.Invited = true, who.Key()
				q.Evidence.Token, q.Attendee = true, itip.Attendee{Address: who}
			}

			q.Stored.From, q.Stored.FromDomain, err = madeBy(tx, e)
			return err
		}
		if q.HoldsUnknown() && !q.Known {
			q.Known, err = journal.HasMet(tx, e.Account, r.From)
			return err
		}
		return nil
	})
	if err != nil {
		return trust.Verdict{}, trust.Question{}, err
	}
	return trust.Judge(q), q, nil
}

// madeBy is who sent the first message about an event that was applied, and the
// domain that was authenticated then.
func madeBy(tx *store.Tx, e *store.Entry) (from ical.Address, domain string, err error) {
	rows, err := tx.Entries(store.EntryFilter{Account: e.Account, UID: e.UID, Direction: journal.In, States: []string{stateApplied}, Limit: 200})
	if err != nil {
		return "", "", fmt.Errorf("messages about %s: %w", e.UID, err)
	}
	if len(rows) == 0 {
		return "", "", nil
	}
	first := recordOf(&rows[len(rows)-1]) // listings are newest first
	return first.From, first.AuthenticatedDomain(), nil
}

func organizerOf(cal *ical.Calendar) ical.Address {
	for _, c := range cal.Main() {
		if o, ok := itip.Organizer(c); ok {
			return o.Address
		}
	}
	return ""
}

// speakers are the organizer and the attendee a message speaks for. Of several
// attendees in an answer it is the sender, else the delegate, else the first
// (RFC 5546 4.2.6 shows two, 4.7.1 four).
func speakers(cal *ical.Calendar, from ical.Address) (organizer, attendee itip.Attendee) {
	for _, c := range cal.Main() {
		if o, ok := itip.Organizer(c); ok && organizer.Address == "" {
			organizer = o
		}
		rank := 0
		for _, a := range itip.Attendees(c) {
			n := 1
			switch {
			case from != "" && (a.Address.Equal(from) || a.Email != "" && ical.Mailto(a.Email).Equal(from) || a.SentBy.Equal(from)):
				n = 3
			case len(a.DelegatedFrom) > 0:
				n = 2
			}
			if n > rank && attendee.Address == "" || n > rank && rank > 0 {
				rank, attendee = n, a
			}
		}
	}
	return organizer, attendee
}

// flaggedAsSpam reads the verdict of the usual filters.
func flaggedAsSpam(p *imip.Parsed) bool {
	for _, name := range []string{"X-Spam-Flag", "X-Spam"} {
		for _, v := range p.Header(name) {
			if strings.EqualFold(strings.TrimSpace(v), "yes") {
				return true
			}
		}
	}
	for _, v := range p.Header("X-Spam-Status") {
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(v)), "yes") {
			return true
		}
	}
	return false
}
