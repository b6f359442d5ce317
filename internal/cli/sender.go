package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/transport/mail"
	"github.com/convene-cal/convene/internal/trust"
	"github.com/convene-cal/convene/itip"
)

type senderCommands struct {
	List   senderList   `cmd:"" help:"List the rules about senders."`
	Set    senderSet    `cmd:"" help:"Say what becomes of somebody's messages."`
	Forget senderForget `cmd:"" help:"Forget a rule."`
}

// ofWhom is the account whose rules are meant; without one, the whole site.
type ofWhom struct {
	Account string `help:"Rules of this account; without it, of the whole site." placeholder:"ADDRESS"`
}

func (c ofWhom) with(e *env, do func(*server.Services, store.AccountID) error) error {
	return e.with(func(s *server.Services) error {
		if c.Account == "" {
			return do(s, store.Site)
		}
		a, err := s.Accounts.Find(e.ctx, c.Account)
		if err != nil {
			return err
		}
		return do(s, a.ID)
	})
}

// operator is whoever has the store in their hands.
var operator = account.Actor{Name: "command line", Admin: true}

type senderList struct {
	ofWhom `embed:""`
	JSON   bool `help:"One JSON object a rule."`
}

func (senderList) Help() string { return "Example: convene sender list --account ann@example.org" }

func (c senderList) Run(e *env) error {
	return c.with(e, func(s *server.Services, owner store.AccountID) error {
		rules, err := s.Gate.Rules(e.ctx, operator, owner)
		if err != nil {
			return err
		}
		for _, r := range rules {
			if c.JSON {
				err = e.printJSON(r)
			} else {
				_, err = fmt.Fprintf(forPeople(e.Out), "%-30s %s\n", firstWord(r.Subject, "*"), ruleWords(r))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func firstWord(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// ruleWords writes a rule as the flags that set it.
func ruleWords(r trust.Rule) string {
	var words []string
	if r.Do != "" {
		words = append(words, "--"+r.Do)
	}
	if r.Signed {
		words = append(words, "--signed")
	}
	if r.Unknown != "" {
		words = append(words, "--unknown "+r.Unknown)
	}
	var methods []string
	for m, l := range r.Minimum {
		methods = append(methods, "--minimum '"+string(m)+"="+l.String()+"'")
	}
	slices.Sort(methods)
	return strings.Join(append(words, methods...), " ")
}

type senderSet struct {
	ofWhom  `embed:""`
	Subject string            `arg:"" help:"An address, a domain, or * for everybody."`
	Always  bool              `help:"Known: nothing of theirs waits for being unknown." xor:"do"`
	Never   bool              `help:"Refused." xor:"do"`
	Hold    bool              `help:"Waits for a decision." xor:"do"`
	Signed  bool              `help:"Must be signed to be applied."`
	Unknown string            `help:"First messages of people one has not met: hold or allow." placeholder:"WORD"`
	Minimum map[string]string `help:"Least level for a method (REQUEST, CANCEL, … or *): T1 the domain is proven, T2 the address, T3 signed." placeholder:"METHOD=LEVEL"`
}

func (senderSet) Help() string {
	return "A rule makes mail.inbound-policy stricter and never looser, and takes the place of the one about the same subject.\n\nExamples:\n  convene sender set bank.example --signed\n  convene sender set eve@evil.example --never --account ann@example.org\n  convene sender set '*' --minimum CANCEL=T3 --unknown hold"
}

func (c senderSet) Run(e *env) error {
	r := trust.Rule{Subject: c.Subject, Signed: c.Signed, Unknown: c.Unknown, Minimum: map[itip.Method]trust.Level{}}
	switch {
	case c.Always:
		r.Do = trust.Always
	case c.Never:
		r.Do = trust.Never
	case c.Hold:
		r.Do = trust.Ask
	}
	for m, text := range c.Minimum {
		var l trust.Level
		if err := l.UnmarshalText([]byte(text)); err != nil {
			return usagef("--minimum: %v", err)
		}
		r.Minimum[itip.Method(m)] = l
	}
	if r.Do == "" && !r.Signed && r.Unknown == "" && len(r.Minimum) == 0 {
		return usagef("say what becomes of messages of %s: --always, --never, --hold, --signed, --unknown or --minimum", c.Subject)
	}
	return c.with(e, func(s *server.Services, owner store.AccountID) error {
		return s.Gate.SetRule(e.ctx, operator, owner, r)
	})
}

type senderForget struct {
	ofWhom  `embed:""`
	Subject string `arg:"" help:"As convene sender list shows it."`
}

func (senderForget) Help() string {
	return "Example: convene sender forget eve@evil.example --account ann@example.org"
}

func (c senderForget) Run(e *env) error {
	return c.with(e, func(s *server.Services, owner store.AccountID) error {
		return s.Gate.DeleteRule(e.ctx, operator, owner, c.Subject)
	})
}

type floodCommands struct {
	List    floodList    `cmd:"" help:"List floods, the latest first."`
	Release floodRelease `cmd:"" help:"Let in what a flood held: each message is judged by itself."`
	Reject  floodReject  `cmd:"" help:"Refuse what a flood held; nobody is told."`
}

type floodList struct {
	Limit int  `help:"At most so many." default:"50" placeholder:"N"`
	JSON  bool `help:"One JSON object a flood."`
}

func (floodList) Help() string { return "Example: convene message flood list" }

func (c floodList) Run(e *env) error {
	return e.with(func(s *server.Services) error {
		list, err := s.Gate.Floods(e.ctx, operator, c.Limit)
		if err != nil {
			return err
		}
		for _, f := range list {
			if c.JSON {
				err = e.printJSON(f)
			} else {
				_, err = fmt.Fprintf(forPeople(e.Out), "%-9s %-8s %-30s %d messages, %s to %s\n", f.State, f.Kind, f.Subject, f.Seen, f.Began.Format(time.RFC3339), f.Last.Format(time.RFC3339))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// whichFlood names an outbreak.
type whichFlood struct {
	Kind    string `help:"sender, domain, recipient or unproven." enum:"sender,domain,recipient,unproven" default:"sender" placeholder:"WORD"`
	Subject string `arg:"" help:"As convene message flood list shows it."`
}

func (c whichFlood) settle(e *env, do func(*server.Services) (mail.SettledFlood, error)) error {
	return e.with(func(s *server.Services) error {
		done, err := do(s)
		if err != nil {
			return err
		}
		var states []string
		for state, n := range done.States {
			states = append(states, fmt.Sprintf("%d %s", n, state))
		}
		slices.Sort(states)
		_, err = fmt.Fprintf(forPeople(e.Out), "%d messages: %s\n", done.Messages, firstWord(strings.Join(states, ", "), "nothing was held"))
		return err
	})
}

type floodRelease struct {
	whichFlood `embed:""`
}

func (floodRelease) Help() string {
	return "The sender is not counted for a day.\n\nExample: convene message flood release eve@evil.example"
}

func (c floodRelease) Run(e *env) error {
	return c.settle(e, func(s *server.Services) (mail.SettledFlood, error) {
		return s.Mail.ReleaseFlood(e.ctx, operator, c.Kind, c.Subject)
	})
}

type floodReject struct {
	whichFlood `embed:""`
}

func (floodReject) Help() string {
	return "Example: convene message flood reject --kind domain evil.example"
}

func (c floodReject) Run(e *env) error {
	return c.settle(e, func(s *server.Services) (mail.SettledFlood, error) {
		return s.Mail.RejectFlood(e.ctx, operator, c.Kind, c.Subject)
	})
}
