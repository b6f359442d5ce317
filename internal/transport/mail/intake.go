package mail

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// States of incoming rows beside those that calendar.Receive writes.
const (
	stateReceived = "received" // on disk, not processed
	stateApplied  = "applied"
	stateIgnored  = "ignored"
	stateHeld     = "held"
	stateRejected = "rejected"
)

// Envelope is what the transport says of a mail.
type Envelope struct {
	From   string   // MAIL FROM, "" for a report
	To     []string // RCPT TO; empty = take the mail's own header fields (a pipe)
	Remote string   // who handed it in, for the record
	Hello  string   // its EHLO name
	// Border says that the mail comes straight from outside: no mail server of
	// ours has checked it, and its Authentication-Results are its sender's own
	// words (RFC 8601 5).
	Border bool
}

// target is a recipient of ours.
type target struct {
	address string
	account store.AccountID
	sent    int64       // a delivery report on this row; 0 for an ordinary recipient
	reply   *answersFor // the guest and event that the address was made for; nil = an ordinary recipient
}

// maxReceived bounds the servers a mail has been through (RFC 5321 6.3 asks for
// 100 at least for relays; a mail that ends here has had fewer).
const maxReceived = 50

// resolve finds who an envelope recipient is. The error of an unknown one is an
// *smtp.SMTPError.
func (m *Mail) resolve(ctx context.Context, address string) (target, error) {
	address = strings.Trim(strings.TrimSpace(address), "<>")
	a := ical.Mailto(address)
	if strings.HasPrefix(strings.ToLower(address), bouncePrefix) {
		e, err := m.sentBy(ctx, address)
		if err == nil {
			return target{address: address, account: e.Account, sent: e.ID}, nil
		}
		if !errors.Is(err, errNoToken) {
			return target{}, err
		}
	}
	if _, agent, ok := tokenOf(address); ok {
		r, err := m.replyAddress(ctx, address)
		switch {
		case err == nil:
			organizer, err := m.ownAddress(ctx, r.Account)
			return target{address: organizer, account: r.Account, reply: &answersFor{r.UID, r.Attendee, r.Selector}}, err
		case !errors.Is(err, errNoToken):
			return target{}, err
		case agent && m.ours(a.Domain()):
			// There may be somebody called cal; else nobody is told which part was wrong.
			if acc, ok, err := m.o.Accounts.Lookup(ctx, withoutTag(a)); err != nil || !ok {
				return target{}, errNoUser
			} else {
				return target{address: address, account: acc.ID}, nil
			}
		}
	}
	for _, candidate := range []ical.Address{a, withoutTag(a)} {
		if candidate == "" {
			continue
		}
		acc, ok, err := m.o.Accounts.Lookup(ctx, candidate)
		if err != nil {
			return target{}, fmt.Errorf("look up %s: %w", address, err)
		}
		if ok {
			return target{address: address, account: acc.ID}, nil
		}
	}
	if strings.EqualFold(address, "postmaster") || strings.EqualFold(a.Email(), "postmaster@"+a.Domain()) && m.ours(a.Domain()) {
		return m.postmaster(ctx, address)
	}
	if !m.ours(a.Domain()) && !m.o.Accounts.IsLocal(a) {
		return target{}, errNotOurs
	}
	return target{}, errNoUser
}

// ownAddress is the first mail address of an account. It stands in the record
// of a mail in the place of the address that only one guest was given.
func (m *Mail) ownAddress(ctx context.Context, account store.AccountID) (string, error) {
	var list []store.Address
	err := m.o.Store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.Addresses(account)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("addresses of account %d: %w", account, err)
	}
	for _, a := range list {
		if mail := ical.Address(a.URI).Email(); mail != "" {
			return mail, nil
		}
	}
	return "", nil
}

// postmaster's mail, which every server must take (RFC 5321 4.5.1), is the
// first administrator's.
func (m *Mail) postmaster(ctx context.Context, address string) (target, error) {
	list, err := m.o.Accounts.List(ctx, "", 1000)
	if err != nil {
		return target{}, fmt.Errorf("look for an administrator: %w", err)
	}
	for _, a := range list {
		if a.Admin && !a.Disabled {
			return target{address: address, account: a.ID}, nil
		}
	}
	return target{}, errNoUser
}

// withoutTag removes a sub-address (RFC 5233): ann+work@ is ann@. "" if there is none.
func withoutTag(a ical.Address) ical.Address {
	local, domain, _ := strings.Cut(a.Email(), "@")
	if i := strings.IndexByte(local, '+'); i > 0 {
		return ical.Mailto(local[:i] + "@" + domain)
	}
	return ""
}

// Intake takes one mail: a row for each recipient is on disk before anything is
// made of it, and when Intake fails none is. The same mail again gives the rows
// there are. What becomes of each row, it says in State and Sentence; a row
// that is still "received" is for [Mail.Resume]. An error that is a
// problem.NotFound names a recipient who is not ours.
func (m *Mail) Intake(ctx context.Context, raw []byte, env Envelope) ([]store.Entry, error) {
	to := env.To
	if len(to) == 0 {
		to = headerRecipients(raw)
	}
	var targets []target
	var refusal error
	for _, address := range to {
		t, err := m.resolve(ctx, address)
		switch {
		case err == nil:
			targets = append(targets, t)
		case isReply(err):
			refusal = problem.New(problem.NotFound, "%s is not the address of a calendar user here.", address).At(address)
		default:
			return nil, err
		}
		if refusal != nil && len(env.To) > 0 {
			return nil, refusal
		}
	}
	if len(targets) == 0 {
		if refusal == nil {
			refusal = problem.New(problem.NotFound, "The mail names no recipient.")
		}
		return nil, refusal
	}
	return m.intake(ctx, raw, env, targets)
}

// headerRecipients are the addresses a mail was delivered to, by its own
// fields: what the local mail server wrote, else To and Cc.
func headerRecipients(raw []byte) []string {
	p, err := imip.Parse(raw, imip.Limits{})
	if err != nil {
		return nil
	}
	var to []string
	for _, name := range []string{"X-Original-To", "Delivered-To"} {
		for _, v := range p.Header(name) {
			for _, box := range imip.ParseMailboxes(v) {
				to = append(to, box.Address)
			}
		}
		if len(to) > 0 {
			return to
		}
	}
	for _, a := range p.To {
		if e := a.Email(); e != "" {
			to = append(to, e)
		}
	}
	return to
}

// intake stores the mail for its recipients and processes it.
func (m *Mail) intake(ctx context.Context, raw []byte, env Envelope, targets []target) ([]store.Entry, error) {
	if len(raw) > m.o.MaxMessageSize+1024 { // our own Received field is not the sender's
		return nil, errTooLarge
	}
	if countReceived(raw) > maxReceived {
		return nil, errLoop
	}
	// The same mail over two connections at once is taken by one of them; the
	// other then finds what became of it.
	mail := digestOf(raw, env, target{})
	if err := m.taking.begin(ctx, mail); err != nil {
		return nil, err
	}
	defer m.taking.end(mail)
	now := m.now()
	var rows []store.Entry
	err := m.o.Store.Update(ctx, func(tx *store.Tx) error {
		rows = rows[:0]
		// Of two addresses of one person the one that says more comes first.
		slices.SortStableFunc(targets, func(a, b target) int {
			return cmp.Compare(boolInt(a.reply == nil), boolInt(b.reply == nil))
		})
		seen := map[store.AccountID]bool{}
		for _, t := range targets {
			if seen[t.account] && t.sent == 0 {
				continue // two addresses of one person
			}
			seen[t.account] = true
			digest := digestOf(raw, env, t)
			old, err := tx.EntryByDigest(t.account, digest)
			if err == nil {
				rows = append(rows, old)
				continue
			}
			if !errors.Is(err, store.ErrNotFound) {
				return err
			}
			e := store.Entry{
				Account: t.account, Direction: journal.In, Transport: Name, State: stateReceived, Sentence: "The mail is stored and waits to be processed.",
				From: string(ical.Mailto(env.From)), To: string(ical.Mailto(t.address)), Raw: raw, Digest: digest, Created: now, Updated: now,
				Evidence: envelopeEvidence(env, t),
			}
			if env.From == "" {
				e.From = ""
			}
			if err := tx.AddEntry(&e); err != nil {
				return err
			}
			rows = append(rows, e)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store the mail: %w", err)
	}
	// From here on the mail is ours, whatever happens.
	var out []store.Entry
	for _, e := range rows {
		if e.State != stateReceived {
			out = append(out, e)
			continue
		}
		done, err := m.process(ctx, e)
		if err != nil {
			m.log.Error("mail is stored but not processed; it will be tried again at the next start", "id", e.ID, "account", e.Account, "error", err)
		}
		out = append(out, done...)
	}
	return out, nil
}

// Resume processes the rows that a crash left unprocessed. Call it before the
// listeners open.
func (m *Mail) Resume(ctx context.Context) error {
	var rows []store.Entry
	err := m.o.Store.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Entries(store.EntryFilter{Direction: journal.In, States: []string{stateReceived}})
		return err
	})
	if err != nil {
		return fmt.Errorf("look for unprocessed mail: %w", err)
	}
	var failed []error
	for i := len(rows) - 1; i >= 0; i-- { // oldest first
		if rows[i].Transport != Name {
			continue
		}
		e, err := m.entry(ctx, rows[i].Account, rows[i].ID)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if e.State != stateReceived { // a sibling that was processed meanwhile
			continue
		}
		if _, err := m.process(ctx, e); err != nil {
			failed = append(failed, fmt.Errorf("process message %d: %w", e.ID, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

// digestOf recognises a mail that is delivered again: what a person wrote, by
// whom it came, and what the mail server before us attested; not the trace
// fields, which differ with each delivery.
func digestOf(raw []byte, env Envelope, t target) string {
	h := sha256.New()
	raw = bytes.TrimRight(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), "\n") // a pipe has other line ends than SMTP
	header, body := raw, []byte(nil)
	if i := bytes.Index(raw, []byte("\n\n")); i >= 0 {
		header, body = raw[:i+1], raw[i:]
	}
	fmt.Fprintf(h, "%s\x00%d\x00", strings.ToLower(env.From), t.sent)
	if t.reply != nil {
		fmt.Fprintf(h, "%s\x00", t.reply.Selector)
	}
	traced := false
	for line := range bytes.Lines(header) {
		if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := bytes.Cut(line, []byte(":"))
			switch strings.ToLower(string(bytes.TrimSpace(name))) {
			case "received", "return-path", "delivered-to", "x-original-to", "x-received":
				traced = true
			default:
				traced = false
			}
		}
		if !traced {
			h.Write(line)
		}
	}
	h.Write(body)
	return "mail-" + hex.EncodeToString(h.Sum(nil)[:20])
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func countReceived(raw []byte) int {
	n := 0
	for line := range bytes.Lines(raw) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if len(line) > 9 && bytes.EqualFold(line[:9], []byte("received:")) {
			n++
		}
	}
	return n
}
