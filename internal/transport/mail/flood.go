package mail

import (
	"context"
	"fmt"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/gate"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
	"github.com/convene-cal/convene/itip"
)

// reasonFlood marks what is held because there is too much of it.
const reasonFlood = "flood"

// errCrowded puts mail off: whoever sends so much can wait.
var errCrowded = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "Too many scheduling messages within an hour; try again later"}

// arrived is what is counted of a mail: who wrote it, or who handed it in.
func arrived(from ical.Address, recipient store.AccountID) gate.Arrived {
	key := strings.TrimPrefix(from.Key(), "mailto:")
	return gate.Arrived{Sender: key, Domain: strings.ToLower(from.Domain()), Recipient: fmt.Sprint(int64(recipient))}
}

// flooded holds a message that is one too many (ITIP-10; RFC 5546 6.1.5, 6.2.2): flood is
// not "" then, and names the outbreak. People of this service whose mail is
// proven are not counted, nor what an administrator let through.
func (m *Mail) flooded(ctx context.Context, e *store.Entry, r *record, v trust.Verdict, q trust.Question) (flood, sentence string, err error) {
	if m.o.Gate == nil || r.Released || v.Do == trust.Reject || m.ours(r.From.Domain()) && r.AuthenticatedDomain() != "" {
		return "", "", nil
	}
	from := r.From
	if from == "" {
		from = r.EnvelopeFrom
	}
	a := arrived(from, e.Account)
	switch {
	case m.proven(r) || v.Level == trust.T3:
		a.Proven = true
	case r.Token: // who that is, the address it came to says
		a = arrived(ical.ParseAddress(r.Invited), e.Account)
		a.Proven = true
	default: // what anybody could have written in somebody's name must not make that one's own mail wait
		a.Sender, a.Domain = "", ""
	}
	a.New = q.Stored == nil && !q.Known && (q.Method == itip.Request || q.Method == itip.Publish || q.Method == itip.Add)
	x := m.o.Gate.Count(ctx, a)
	if x == nil {
		return "", "", nil
	}
	if x.Kind != gate.BySender { // of many strangers; whom the recipient wrote to does not wait for them, however many they are
		if known, err := m.wroteTo(ctx, e.Account, from); err != nil || known {
			return "", "", err
		}
	}
	released, fresh, err := m.o.Gate.Note(ctx, *x)
	if err != nil || released {
		return "", "", err
	}
	who := map[string]string{gate.BySender: "from " + x.Subject, gate.ByDomain: "from people of " + x.Subject, gate.ToRecipient: "to one account", gate.Unproven: "to one account of which nothing shows who wrote them"}[x.Kind]
	if fresh {
		m.reportFlood(ctx, *x, who)
	}
	return x.Kind + ":" + x.Subject, fmt.Sprintf("More than %d messages came within an hour %s; this one waits for the administrator, who was told.", x.Limit, who), nil
}

// wroteTo tells whether an account has invited or answered somebody.
func (m *Mail) wroteTo(ctx context.Context, id store.AccountID, who ical.Address) (known bool, err error) {
	err = m.o.Store.View(ctx, func(tx *store.Tx) (err error) {
		known, err = journal.HasWritten(tx, id, who)
		return err
	})
	return known, err
}

// reportFlood writes to the administrators. That it cannot be sent stops nothing:
// the outbreak stands in the store too.
func (m *Mail) reportFlood(ctx context.Context, x gate.Exceeded, who string) {
	m.log.Warn("a flood of scheduling mail: what is more is held", "kind", x.Kind, "subject", x.Subject, "limit", x.Limit)
	if len(m.o.Domains) == 0 {
		return
	}
	list, err := m.o.Accounts.List(ctx, "", 1000)
	if err != nil {
		m.log.Error("the administrators cannot be told of a flood of mail", "error", err)
		return
	}
	for _, a := range list {
		if !a.Admin || a.Disabled {
			continue
		}
		to, err := m.ownAddress(ctx, a.ID)
		if err != nil || to == "" {
			continue
		}
		subject := strings.ReplaceAll(x.Subject, "'", `'\''`) // an address may hold what a shell would run
		_, err = m.letter(ctx, a.ID, "", imip.Letter{
			From: imip.Mailbox{Name: "Convene", Address: "postmaster@" + m.o.Domains[0]}, To: imip.Mailbox{Name: a.DisplayName, Address: to},
			Subject: "A flood of scheduling mail " + who,
			Text: fmt.Sprintf("More than %d scheduling messages came within an hour %s. What came since is held and changes no calendar; nobody was answered.\n\n"+
				"Look:     convene message flood list\nRefuse:   convene message flood reject --kind %s '%s'\nLet in:   convene message flood release --kind %s '%s'\nFor good: convene sender set '%s' --never\n",
				x.Limit, who, x.Kind, subject, x.Kind, subject, subject),
		})
		if err != nil {
			m.log.Error("an administrator cannot be told of a flood of mail", "account", a.ID, "error", err)
		}
	}
}

// proven tells whether something beside the mail's own words shows which domain
// it is from, or nobody asks for that.
func (m *Mail) proven(r *record) bool {
	return m.o.Trust.Inbound == trust.Accept || r.AuthenticatedDomain() != "" || r.RelayedDomain() != ""
}

// besieged tells whether a mail should be put off because of what else comes to
// all of its recipients. Only where one gets far too much is it looked at before
// it is stored: what is proven is taken, whatever others send in anybody's name.
func (m *Mail) besieged(ctx context.Context, raw []byte, env Envelope, targets []target) bool {
	if m.o.Gate == nil {
		return false
	}
	for _, t := range targets {
		if t.sent != 0 || t.reply != nil || !m.o.Gate.Besieged(fmt.Sprint(int64(t.account))) {
			return false
		}
	}
	r := record{Border: env.Border, Hello: env.Hello}
	r.Remote, r.EnvelopeFrom = env.Remote, ical.Mailto(env.From)
	p, err := imip.Parse(raw, imip.Limits{Size: m.o.MaxMessageSize + 1024})
	if err != nil || len(p.Found) == 0 && p.Signed == "" && !p.Encrypted {
		return false // none that counts
	}
	m.evidence(ctx, raw, p, &r)
	for _, t := range targets {
		a := arrived(r.From, t.account)
		a.Proven = m.proven(&r)
		if !m.o.Gate.PutOff(a) {
			return false
		}
		if a.Proven {
			if known, err := m.wroteTo(ctx, t.account, r.From); err != nil || known {
				return false
			}
		}
	}
	return true
}

// crowded tells whether a listener should put mail off.
func (m *Mail) crowded(from string, to target) bool {
	if m.o.Gate == nil || to.sent != 0 || to.reply != nil {
		return false // reports and answers to what we sent were asked for
	}
	return m.o.Gate.Crowded(arrived(ical.Mailto(from), to.account))
}

// SettledFlood says what became of the messages that a flood had held.
type SettledFlood struct {
	Messages int            `json:"messages"`
	States   map[string]int `json:"states"` // how many are in each state now
}

// atOnce is how many rows are settled in one portion.
const atOnce = 100

// ReleaseFlood lets in what an outbreak held, as if it came now one by one: each
// message is judged by its own evidence. The outbreak is none for a day.
func (m *Mail) ReleaseFlood(ctx context.Context, by account.Actor, kind, subject string) (SettledFlood, error) {
	return m.settleFlood(ctx, by, kind, subject, gate.Released, func(e store.Entry) ([]store.Entry, error) {
		r := recordOf(&e)
		r.Released = true
		e.Evidence, e.State, e.Reason, e.Sentence, e.Updated = r.json(), stateReceived, "", "Let in by the administrator.", m.now()
		if err := m.o.Store.Update(ctx, func(tx *store.Tx) error { return tx.UpdateEntry(e) }); err != nil {
			return nil, fmt.Errorf("release message %d: %w", e.ID, err)
		}
		return m.process(ctx, e)
	})
}

// RejectFlood refuses what an outbreak held. Nobody is told: an answer would tell
// a stranger which addresses there are.
func (m *Mail) RejectFlood(ctx context.Context, by account.Actor, kind, subject string) (SettledFlood, error) {
	return m.settleFlood(ctx, by, kind, subject, gate.Rejected, func(e store.Entry) ([]store.Entry, error) {
		return m.settle(ctx, e, stateRejected, reasonFlood, "Refused by the administrator, together with other messages of one flood.")
	})
}

func (m *Mail) settleFlood(ctx context.Context, by account.Actor, kind, subject, state string, each func(store.Entry) ([]store.Entry, error)) (SettledFlood, error) {
	out := SettledFlood{States: map[string]int{}}
	if m.o.Gate == nil {
		return out, problem.New(problem.NotFound, "Mail is not counted here; there are no floods.")
	}
	if err := gate.MayFlood(by); err != nil {
		return out, err
	}
	err := m.o.Store.Update(ctx, func(tx *store.Tx) error {
		if list, err := tx.FloodsOf(kind, subject, 1); err != nil {
			return err
		} else if len(list) == 0 {
			return problem.New(problem.NotFound, "There was no flood of the kind %s by %s; convene message flood list shows them.", kind, subject)
		}
		return m.o.Gate.Settle(tx, kind, subject, state)
	})
	if err != nil {
		return out, err
	}
	var after store.Entry
	for {
		var rows []store.Entry
		if err := m.o.Store.View(ctx, func(tx *store.Tx) (err error) {
			rows, err = tx.HeldBecause(reasonFlood, after.Account, after.ID, atOnce)
			return err
		}); err != nil {
			return out, fmt.Errorf("look for what is held: %w", err)
		}
		for _, e := range rows {
			after = e
			if r := recordOf(&e); r.Flood != kind+":"+subject {
				continue
			}
			full, err := m.entry(ctx, e.Account, e.ID)
			if err != nil {
				return out, err
			}
			done, err := each(full)
			if err != nil {
				return out, err
			}
			out.Messages++
			for _, d := range done {
				out.States[d.State]++
			}
		}
		if len(rows) < atOnce {
			return out, nil
		}
	}
}
