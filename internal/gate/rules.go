package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
	"github.com/convene-cal/convene/itip"
)

// Gate is safe for concurrent use.
type Gate struct {
	store  *store.Store
	now    func() time.Time
	limits Limits
	counts [counted]window

	// Log is told when counting fails; set it before the gate is used.
	Log *slog.Logger

	sharing sync.Mutex
	shared  time.Time // when counts were last shared
}

// New opens the gate of a store.
func New(s *store.Store, l Limits, now func() time.Time) *Gate {
	g := &Gate{store: s, now: now, limits: l, Log: slog.New(slog.DiscardHandler)}
	for i := range g.counts {
		g.counts[i].most = [counted]int{l.Sender, l.Domain, l.Recipient, l.Recipient, l.Recipient, l.Recipient}[i]
	}
	return g
}

// maxRules of one account, or of the site.
const maxRules = 1000

// Rules lists the rules of an account, or of store.Site, by subject. Only the
// account itself and administrators may know.
func (g *Gate) Rules(ctx context.Context, by account.Actor, owner store.AccountID) (rules []trust.Rule, err error) {
	if err := mayRule(by, owner); err != nil {
		return nil, err
	}
	err = g.store.View(ctx, func(tx *store.Tx) (err error) {
		rules, err = of(tx, owner, nil)
		return err
	})
	return rules, err
}

// Load reads the rules that hold for mail to an account: the site's and its own.
func Load(tx *store.Tx, owner store.AccountID) ([]trust.Rule, error) {
	rules, err := of(tx, store.Site, nil)
	if err == nil && owner != store.Site {
		rules, err = of(tx, owner, rules)
	}
	return rules, err
}

func of(tx *store.Tx, owner store.AccountID, rules []trust.Rule) ([]trust.Rule, error) {
	rows, err := tx.SenderRules(owner)
	if err != nil {
		return nil, fmt.Errorf("rules of account %d: %w", owner, err)
	}
	for _, row := range rows {
		var r trust.Rule
		if err := json.Unmarshal(row.Rule, &r); err != nil {
			return nil, fmt.Errorf("rule about %q of account %d: %w", row.Subject, owner, err)
		}
		r.Subject, r.Site = row.Subject, owner == store.Site
		rules = append(rules, r)
	}
	return rules, nil
}

// SetRule stores a rule in the place of the one about the same subject; one that
// says nothing is deleted.
func (g *Gate) SetRule(ctx context.Context, by account.Actor, owner store.AccountID, r trust.Rule) error {
	if err := mayRule(by, owner); err != nil {
		return err
	}
	subject, err := subjectOf(r.Subject)
	if err != nil {
		return err
	}
	if r, err = checked(r, owner); err != nil {
		return err
	}
	r.Subject = ""
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return g.store.Update(ctx, func(tx *store.Tx) error {
		have, err := tx.SenderRules(owner)
		if err != nil {
			return err
		}
		if r.Do == "" && len(r.Minimum) == 0 && !r.Signed && r.Unknown == "" {
			err := tx.DeleteSenderRule(owner, subject)
			if errors.Is(err, store.ErrNotFound) {
				return nil
			}
			return err
		}
		if len(have) >= maxRules {
			return problem.New(problem.TooLarge, "There are %d rules about senders; forget some first.", len(have))
		}
		return tx.SetSenderRule(store.SenderRule{Account: owner, Subject: subject, Rule: text, Created: g.now()})
	})
}

// DeleteRule forgets a rule.
func (g *Gate) DeleteRule(ctx context.Context, by account.Actor, owner store.AccountID, subject string) error {
	if err := mayRule(by, owner); err != nil {
		return err
	}
	s, err := subjectOf(subject)
	if err != nil {
		return err
	}
	err = g.store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteSenderRule(owner, s) })
	if errors.Is(err, store.ErrNotFound) {
		return problem.New(problem.NotFound, "There is no rule about %s.", shown(s)).Because(err)
	}
	return err
}

func mayRule(by account.Actor, owner store.AccountID) error {
	switch {
	case by.Admin:
		return nil
	case owner == store.Site:
		return problem.New(problem.NeedPrivileges, "Rules for the whole site are the administrators'.")
	case by.Account != owner:
		return problem.New(problem.NeedPrivileges, "Whose messages somebody takes is for them to say.")
	}
	return nil
}

// subjectOf writes an address or a domain the way they are compared.
func subjectOf(s string) (string, error) {
	s = strings.TrimSpace(s)
	bad := problem.New(problem.BadInput, "%.80q is neither a mail address nor a domain.", s)
	switch {
	case s == "" || s == "*":
		return "", nil
	case strings.Contains(strings.TrimPrefix(s, "@"), "@"):
		a := ical.ParseAddress(s)
		if a.Email() == "" {
			return "", bad
		}
		return strings.TrimPrefix(a.Key(), "mailto:"), nil
	}
	domain, err := idna.Lookup.ToASCII(strings.TrimSuffix(strings.TrimPrefix(s, "@"), "."))
	if err != nil || domain == "" || strings.ContainsAny(domain, " /:") {
		return "", bad
	}
	return strings.ToLower(domain), nil
}

// known are the methods that a rule may name.
var known = map[itip.Method]bool{trust.EveryMethod: true, itip.Publish: true, itip.Request: true, itip.Reply: true, itip.Add: true, itip.Cancel: true, itip.Refresh: true, itip.Counter: true, itip.DeclineCounter: true}

func checked(r trust.Rule, owner store.AccountID) (trust.Rule, error) {
	switch r.Do {
	case "", trust.Always, trust.Never, trust.Ask:
	default:
		return r, problem.New(problem.BadInput, "A rule says always, never or hold, not %.20q.", r.Do)
	}
	switch r.Unknown {
	case "", "hold":
	case "allow": // what holds without a rule
		r.Unknown = ""
	default:
		return r, problem.New(problem.BadInput, "First messages of strangers are held or allowed, not %.20q.", r.Unknown)
	}
	if r.Do == trust.Always && owner == store.Site {
		return r, problem.New(problem.BadInput, "Whom somebody knows is for them to say; the site can refuse, hold, or ask for proof.")
	}
	out := map[itip.Method]trust.Level{}
	for m, l := range r.Minimum {
		m = itip.Method(strings.ToUpper(string(m)))
		if !known[m] {
			return r, problem.New(problem.BadInput, "%.20q is no method of scheduling messages; write REQUEST, CANCEL, REPLY and so on, or * for all.", string(m))
		}
		if l > trust.T0 {
			out[m] = l
		}
	}
	r.Minimum = out
	return r, nil
}

func shown(subject string) string {
	if subject == "" {
		return "everybody"
	}
	return subject
}
