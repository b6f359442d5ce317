package store

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"
)

// ReplyAddress is an address made for the answers of one guest to one event of
// an account.
type ReplyAddress struct {
	Account  AccountID
	UID      string
	Attendee string // comparison key
	Selector string // finds the row, with the account
	Secret   string // proves that the address was given out
	Agent    bool   // it stands as ORGANIZER in what the guest gets
	Created  time.Time
	Expires  time.Time // zero: with the event
}

const replyAddressColumns = `r.account, r.uid, r.attendee, r.selector, r.secret, r.agent, r.created, r.expires`

func scanReplyAddress(rows *sql.Rows, r *ReplyAddress) error {
	return rows.Scan(&r.Account, &r.UID, &r.Attendee, &r.Selector, &r.Secret, &r.Agent, instant{&r.Created}, instant{&r.Expires})
}

// ReplyAddressFor reads the address made for a guest of an event.
func (tx *Tx) ReplyAddressFor(account AccountID, uid, attendee string) (ReplyAddress, error) {
	return first(tx, scanReplyAddress, "reply address of "+attendee, `select `+replyAddressColumns+` from reply_address r
		where r.account = $1 and r.uid = $2 and r.attendee = $3`, account, uid, attendee)
}

// ReplyAddressBySelector reads the address that mail came to. The caller
// compares the secret.
func (tx *Tx) ReplyAddressBySelector(account AccountID, selector string) (ReplyAddress, error) {
	return first(tx, scanReplyAddress, "reply address", `select `+replyAddressColumns+` from reply_address r
		where r.account = $1 and r.selector = $2`, account, selector)
}

// SetReplyAddress stores an address in the place of an earlier one for the same
// guest and event, which is then worth nothing.
func (tx *Tx) SetReplyAddress(r ReplyAddress) error {
	if err := indexable("UID", r.UID, "attendee", r.Attendee, "selector", r.Selector); err != nil {
		return err
	}
	_, err := tx.exec(`insert into reply_address (account, uid, attendee, selector, secret, agent, created, expires)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (account, uid, attendee) do update set selector = excluded.selector, secret = excluded.secret, agent = excluded.agent,
			created = excluded.created, expires = excluded.expires`,
		r.Account, r.UID, r.Attendee, r.Selector, r.Secret, r.Agent, r.Created, r.Expires)
	if err != nil {
		return fmt.Errorf("store the reply address of %s: %w", r.Attendee, err)
	}
	return nil
}

// DeleteReplyAddress takes the address of a guest back; of all guests of the
// event where attendee is "". It is no error when there is none.
func (tx *Tx) DeleteReplyAddress(account AccountID, uid, attendee string) error {
	_, err := tx.exec(`delete from reply_address where account = $1 and uid = $2 and (attendee = $3 or $3 = '')`, account, uid, attendee)
	return err
}

// PruneReplyAddresses forgets those that expired before an instant, in portions:
// more says that it should be called again.
func (tx *Tx) PruneReplyAddresses(before time.Time) (more bool, err error) {
	n, err := tx.exec(`delete from reply_address where (account, uid, attendee) in (
		select account, uid, attendee from reply_address where expires > $1 and expires < $2 limit $3)`, time.Time{}, before, pruneAtOnce)
	return n == pruneAtOnce, err
}

// SenderRule is what an account, or the site, says of somebody's messages.
type SenderRule struct {
	Account AccountID // Site: holds for everyone
	Subject string    // "ann@one.test", "one.test", "" = everybody; lower case
	Rule    []byte    // JSON of the service that obeys it
	Created time.Time
}

func scanSenderRule(rows *sql.Rows, r *SenderRule) error {
	return rows.Scan(&r.Account, &r.Subject, &r.Rule, instant{&r.Created})
}

// SenderRules lists the rules of an account, or of Site, by subject.
func (tx *Tx) SenderRules(account AccountID) ([]SenderRule, error) {
	return remembered(tx, "sender rules", account, func() ([]SenderRule, error) {
		return collect(tx, scanSenderRule, `select r.account, r.subject, r.rule, r.created from sender_rule r where r.account = $1 order by r.subject`, account)
	})
}

// SetSenderRule stores a rule in the place of the one about the same subject.
func (tx *Tx) SetSenderRule(r SenderRule) error {
	if err := indexable("subject of a rule", r.Subject); err != nil {
		return err
	}
	if r.Account != Site {
		if _, err := tx.Account(r.Account); err != nil {
			return err
		}
	}
	_, err := tx.exec(`insert into sender_rule (account, subject, rule, created) values ($1, $2, $3, $4)
		on conflict (account, subject) do update set rule = excluded.rule, created = excluded.created`, r.Account, r.Subject, string(r.Rule), r.Created)
	if err != nil {
		return fmt.Errorf("store the rule about %q: %w", r.Subject, err)
	}
	return nil
}

// DeleteSenderRule forgets a rule.
func (tx *Tx) DeleteSenderRule(account AccountID, subject string) error {
	n, err := tx.exec(`delete from sender_rule where account = $1 and subject = $2`, account, subject)
	if err == nil && n == 0 {
		return notFound("rule about %q", subject)
	}
	return err
}

// Flood is one outbreak of more mail than is good.
type Flood struct {
	Kind    string // "sender", "domain" or "recipient"
	Subject string
	Began   time.Time
	Last    time.Time // when a message was last held or put off for it
	Seen    int64     // messages that were
	State   string    // word of the service: open or settled
}

func scanFlood(rows *sql.Rows, f *Flood) error {
	return rows.Scan(&f.Kind, &f.Subject, instant{&f.Began}, instant{&f.Last}, &f.Seen, &f.State)
}

// Floods lists outbreaks, the latest first.
func (tx *Tx) Floods(limit int) ([]Flood, error) {
	return collect(tx, scanFlood, `select f.kind, f.subject, f.began, f.last, f.seen, f.state from flood f order by f.began desc, f.kind, f.subject limit $1`, unlimited(limit))
}

// FloodsOf lists the outbreaks of one subject, the latest first.
func (tx *Tx) FloodsOf(kind, subject string, limit int) ([]Flood, error) {
	return collect(tx, scanFlood, `select f.kind, f.subject, f.began, f.last, f.seen, f.state from flood f
		where f.kind = $1 and f.subject = $2 order by f.began desc limit $3`, kind, subject, unlimited(limit))
}

// SetFlood stores an outbreak, adding what was seen to what there is.
func (tx *Tx) SetFlood(f Flood) error {
	if err := indexable("sender or recipient", f.Subject); err != nil {
		return err
	}
	_, err := tx.exec(`insert into flood (kind, subject, began, last, seen, state) values ($1, $2, $3, $4, $5, $6)
		on conflict (kind, subject, began) do update set last = excluded.last, seen = flood.seen + excluded.seen, state = excluded.state`,
		f.Kind, f.Subject, f.Began, f.Last, f.Seen, f.State)
	if err != nil {
		return fmt.Errorf("note an outbreak of mail by %q: %w", f.Subject, err)
	}
	return nil
}

// SettleFloods writes a state to all outbreaks of a subject.
func (tx *Tx) SettleFloods(kind, subject, state string) error {
	_, err := tx.exec(`update flood set state = $3 where kind = $1 and subject = $2`, kind, subject, state)
	return err
}

// PruneFloods forgets outbreaks that ended before an instant.
func (tx *Tx) PruneFloods(before time.Time) error {
	_, err := tx.exec(`delete from flood where last < $1`, before)
	return err
}

// HeldBecause lists the held messages of all accounts with a reason, oldest
// first and behind a message, without their mails.
func (tx *Tx) HeldBecause(reason string, account AccountID, after int64, limit int) ([]Entry, error) {
	return tx.entries(`select `+entryColumns+` from entry e
		where e.state = 'held' and e.reason = $1 and (e.account, e.id) > ($2, $3) order by e.account, e.id limit $4`, reason, account, after, unlimited(limit))
}

// MailCount is how many messages were counted of a subject in an hour and in
// the one before, by all processes together.
type MailCount struct{ Now, Past int }

// CountMail adds to the counts of an hour (hours since 1970) and gives what they
// are then. It changes rows in the order of their subjects, so that two nodes
// do not wait for each other. Hours before the one before are forgotten.
func (tx *Tx) CountMail(hour int64, add map[string]int) (map[string]MailCount, error) {
	out := make(map[string]MailCount, len(add))
	for _, subject := range slices.Sorted(maps.Keys(add)) {
		if err := indexable("subject of a count", subject); err != nil {
			return nil, err
		}
		rows, err := collect(tx, func(r *sql.Rows, c *MailCount) error { return r.Scan(&c.Now, &c.Past) },
			`insert into mail_count (hour, subject, n) values ($1, $2, $3)
				on conflict (hour, subject) do update set n = mail_count.n + excluded.n
				returning n, coalesce((select p.n from mail_count p where p.hour = $1 - 1 and p.subject = $2), 0)`, hour, subject, add[subject])
		if err != nil {
			return nil, fmt.Errorf("count mail of %q: %w", subject, err)
		}
		if len(rows) == 1 {
			out[subject] = rows[0]
		}
	}
	_, err := tx.exec(`delete from mail_count where hour < $1`, hour-1)
	return out, err
}

// ForgetMailCount takes a subject, and those that begin with it and a slash, out
// of the counts of an hour and the one before.
func (tx *Tx) ForgetMailCount(hour int64, subject string) error {
	_, err := tx.exec(`delete from mail_count where hour between $1 - 1 and $1 and (subject = $2 or subject >= $3 and subject < $4)`, hour, subject, subject+"/", subject+"0")
	return err
}
