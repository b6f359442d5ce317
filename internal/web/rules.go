package web

import (
	"context"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/gate"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

// rulesOf is whose rules about senders a request means.
func (a *app) rulesOf(r *request) (store.AccountID, error) {
	if a.o.Gate == nil {
		return 0, problem.New(problem.NotFound, "Rules about senders are not kept here.")
	}
	if r.URL.Query().Get("site") != "" {
		return store.Site, nil // the gate knows who may
	}
	return r.who.Account, nil
}

func (a *app) getRules(r *request) (any, error) {
	of, err := a.rulesOf(r)
	if err != nil {
		return nil, err
	}
	list, err := a.o.Gate.Rules(r.ctx(), r.who, of)
	return append([]trust.Rule{}, list...), err
}

func (a *app) putRule(r *request) (any, error) {
	var q trust.Rule
	if err := r.read(&q); err != nil {
		return nil, err
	}
	of, err := a.rulesOf(r)
	if err != nil {
		return nil, err
	}
	if err := a.o.Gate.SetRule(r.ctx(), r.who, of, q); err != nil {
		return nil, err
	}
	return a.getRules(r)
}

func (a *app) deleteRule(r *request) (any, error) {
	of, err := a.rulesOf(r)
	if err != nil {
		return nil, err
	}
	if err := a.o.Gate.DeleteRule(r.ctx(), r.who, of, r.URL.Query().Get("subject")); err != nil {
		return nil, err
	}
	return a.getRules(r)
}

// maxFloods told of at once.
const maxFloods = 100

func (a *app) getFloods(r *request) (any, error) {
	if _, err := a.rulesOf(r); err != nil {
		return nil, err
	}
	list, err := a.o.Gate.Floods(r.ctx(), r.who, maxFloods)
	return append([]gate.Flood{}, list...), err
}

func (a *app) postFlood(r *request) (any, error) {
	var q struct {
		Kind    string `json:"kind"`
		Subject string `json:"subject"`
		Release bool   `json:"release"`
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	if a.o.SettleFlood == nil {
		return nil, problem.New(problem.NotFound, "Floods of mail are not looked after here.")
	}
	n, err := a.o.SettleFlood(r.ctx(), r.who, q.Kind, q.Subject, q.Release)
	return map[string]int{"messages": n}, err
}

// Held messages of these reasons wait because of who sent them, not for want of
// proof; a rule settles that for good.
var heldForSender = map[string]bool{"unknown-sender": true, "rule": true}

// senderOf is the address that a rule about a received message would name: "" for
// one that came from within.
func senderOf(e store.Entry) string {
	if e.Direction != journal.In || e.Transport == journal.Local || e.Transport == viaPage || e.Transport == "" {
		return ""
	}
	return strings.ToLower(ical.Address(e.From).Email())
}

// always applies a held message and says the same of its sender's further ones:
// a designate may go on acting for the same person, a stranger is none any more.
func (a *app) always(ctx context.Context, by account.Actor, owner store.AccountID, id int64) (store.Entry, error) {
	e, err := a.o.Journal.Show(ctx, owner, id)
	if err != nil {
		return e, err
	}
	if !heldForSender[e.Reason] || a.o.Gate == nil {
		return a.o.Calendar.ApproveAlways(ctx, by, owner, id)
	}
	from := senderOf(e)
	done, err := a.o.Calendar.Approve(ctx, by, owner, id)
	if err != nil || from == "" {
		return done, err
	}
	return done, a.rule(ctx, by, owner, from, trust.Always)
}

// never puts a held message aside, and says that nothing more of its sender is
// wanted.
func (a *app) never(ctx context.Context, by account.Actor, owner store.AccountID, id int64) (store.Entry, error) {
	e, err := a.o.Journal.Show(ctx, owner, id)
	if err != nil {
		return e, err
	}
	from := senderOf(e)
	if from == "" || a.o.Gate == nil {
		return e, problem.New(problem.BadInput, "Whose messages are refused must be somebody outside; this one came from within.")
	}
	if err := a.rule(ctx, by, owner, from, trust.Never); err != nil || e.State != calendar.StateHeld {
		return e, err
	}
	return a.o.Calendar.Reject(ctx, by, owner, id)
}

// rule sets what is done with a sender's messages, and leaves what else was said
// of them.
func (a *app) rule(ctx context.Context, by account.Actor, owner store.AccountID, subject, do string) error {
	list, err := a.o.Gate.Rules(ctx, by, owner)
	if err != nil {
		return err
	}
	rule := trust.Rule{Subject: subject}
	for _, r := range list {
		if strings.EqualFold(r.Subject, subject) {
			rule = r
		}
	}
	rule.Do = do
	return a.o.Gate.SetRule(ctx, by, owner, rule)
}
