package calendar

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// MaxUndoWindow is the longest that messages wait for second thoughts.
const MaxUndoWindow = 5 * time.Minute

// Preferences are how a person's scheduling goes.
type Preferences struct {
	// UndoWindow is how long messages that leave this service wait; nil = as the
	// service does.
	UndoWindow *time.Duration
	// TellBusy are those outside who are told when the person is busy, when they
	// ask by message: addresses, domains ("@example.org"), or "*" for everybody.
	TellBusy []string
	// NoDelegation says that guests of the person's events may not send others in
	// their place (RFC 5546 3.2.2.3).
	NoDelegation bool
	// Crashers says what becomes of answers by people who were not invited.
	Crashers itip.CrasherPolicy
	// NewSeries are those outside whose programs cannot move a series in place:
	// addresses or domains ("@example.org"). They are told of its end and are
	// invited to a new one.
	NewSeries []string
	// DeleteCancelled takes events out of the calendar that their organizer called
	// off, rather than showing them as cancelled. They can be brought back.
	DeleteCancelled bool
	// HidePrivate: others do not see events that are PRIVATE or CONFIDENTIAL at
	// all, rather than as busy time. Free/busy counts them in both cases.
	HidePrivate bool
	// SignMail says whether mail is signed where there is a key, and EncryptMail
	// whether it is encrypted: "never", "when-possible" or "always"; nil and "" =
	// as the service does. The mail transport obeys them.
	SignMail    *bool
	EncryptMail string
}

// Preferences reads them.
func (s *Service) Preferences(ctx context.Context, by account.Actor, owner store.AccountID) (p Preferences, err error) {
	if err := ownSettings(by, owner); err != nil {
		return p, err
	}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		a, err := s.home(tx, owner)
		if err == nil {
			p = preferencesOf(a)
		}
		return err
	})
	return p, err
}

// SetPreferences replaces them.
func (s *Service) SetPreferences(ctx context.Context, by account.Actor, owner store.AccountID, p Preferences) error {
	if err := ownSettings(by, owner); err != nil {
		return err
	}
	if w := p.UndoWindow; w != nil && (*w < 0 || *w > MaxUndoWindow) {
		return problem.New(problem.BadInput, "Messages can wait between 0s and %s, not %s.", MaxUndoWindow, *w)
	}
	if len(p.TellBusy) > maxPolicyList {
		return problem.New(problem.BadInput, "The list of who may know has at most %d entries.", maxPolicyList)
	}
	if len(p.NewSeries) > maxPolicyList {
		return problem.New(problem.BadInput, "The list of who gets a new series has at most %d entries.", maxPolicyList)
	}
	for _, list := range [][]string{p.TellBusy, p.NewSeries} {
		if err := outsiders(list); err != nil {
			return err
		}
	}
	switch p.Crashers {
	case itip.AskAboutCrashers, itip.AdmitCrashers, itip.RefuseCrashers, itip.IgnoreCrashers:
	default:
		return problem.New(problem.BadInput, "Who answers without being invited is asked about, admitted (admit), refused (refuse) or ignored (ignore), not %q.", clip(string(p.Crashers)))
	}
	switch p.EncryptMail {
	case "", "never", "when-possible", "always":
	default:
		return problem.New(problem.BadInput, "Mail is encrypted never, when-possible or always, not %q.", clip(p.EncryptMail))
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		a, err := s.home(tx, owner)
		if err != nil {
			return err
		}
		window := json.RawMessage("null")
		if p.UndoWindow != nil {
			window, _ = json.Marshal(p.UndoWindow.String())
		}
		if a, err = withSetting(a, "undo-window", window); err != nil {
			return err
		}
		for key, value := range map[string]any{"crashers": p.Crashers, "tell-busy": p.TellBusy, "new-series": p.NewSeries, "sign-mail": p.SignMail, "encrypt-mail": p.EncryptMail} {
			if a, err = withSetting(a, key, value); err != nil {
				return err
			}
		}
		for key, value := range map[string]bool{"no-delegation": p.NoDelegation, "delete-cancelled": p.DeleteCancelled} {
			if a, err = withSetting(a, key, value); err != nil {
				return err
			}
		}
		if preferencesOf(a).HidePrivate != p.HidePrivate {
			if a, err = withSetting(a, "hide-private", p.HidePrivate); err != nil {
				return err
			}
			if err := s.touchClassified(tx, owner); err != nil {
				return err
			}
		}
		return tx.UpdateAccount(a)
	})
}

// outsiders brings a list of addresses, domains and "*" into one form.
func outsiders(list []string) error {
	for i, who := range list {
		switch who = strings.ToLower(strings.TrimSpace(who)); {
		case who == "*" || strings.HasPrefix(who, "@") && len(who) > 1 && !strings.ContainsAny(who[1:], "@ "):
		default:
			mail := ical.ParseAddress(who).Email()
			if mail == "" {
				return problem.New(problem.BadInput, "%q is no address, domain (@example.org) or * for everybody.", clip(who))
			}
			who = mail
		}
		list[i] = who
	}
	return nil
}

// touchClassified marks the classified events of a home as changed: for those
// who see it they come or go.
func (s *Service) touchClassified(tx *store.Tx, owner store.AccountID) error {
	list, err := tx.Collections(owner)
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.Kind != store.Calendar {
			continue
		}
		var ids []int64
		if err := candidates(tx, owner, []int64{c.ID}, "", time.Time{}, time.Time{}, func(o store.Object, body []byte) error {
			if !mayBeClassified(body) {
				return nil
			}
			if cal, err := ical.ParseLimits(body, s.parseLimits()); err == nil && classified(cal) {
				ids = append(ids, o.ID)
			}
			return nil
		}); err != nil {
			return err
		}
		if err := tx.TouchObjects(owner, c.ID, ids); err != nil {
			return err
		}
	}
	return nil
}

func ownSettings(by account.Actor, owner store.AccountID) error {
	if by.Account != owner && !by.Admin {
		return problem.New(problem.NeedPrivileges, "These settings are their owner's.")
	}
	return nil
}

func preferencesOf(a store.Account) Preferences {
	set := settingsOf(a)
	p := Preferences{TellBusy: set.TellBusy, NewSeries: set.NewSeries, NoDelegation: set.NoDelegation, Crashers: itip.CrasherPolicy(set.Crashers), DeleteCancelled: set.DeleteCancelled, HidePrivate: set.HidePrivate, SignMail: set.SignMail, EncryptMail: set.EncryptMail}
	if d, err := time.ParseDuration(set.UndoWindow); err == nil && set.UndoWindow != "" {
		d = max(0, min(d, MaxUndoWindow))
		p.UndoWindow = &d
	}
	return p
}

// tells reports whether somebody outside is told when the person is busy.
func (p Preferences) tells(asker ical.Address) bool { return among(p.TellBusy, asker) }

// renews reports whether somebody's program cannot move a series in place (REC-07).
func (p Preferences) renews(guest ical.Address) bool { return among(p.NewSeries, guest) }

func among(list []string, asker ical.Address) bool {
	for _, who := range list {
		if who == "*" || strings.HasPrefix(who, "@") && strings.EqualFold(who[1:], asker.Domain()) || strings.EqualFold(who, asker.Email()) {
			return true
		}
	}
	return false
}

// undoWindow is how long messages of an account wait.
func (s *Service) undoWindow(a store.Account) time.Duration {
	if p := preferencesOf(a); p.UndoWindow != nil {
		return *p.UndoWindow
	}
	return s.o.UndoWindow
}
