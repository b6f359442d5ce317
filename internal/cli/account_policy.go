package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// policyFlags change single rules of a room's policy; what is not given stays.
type policyFlags struct {
	Open        []string       `help:"When it is open: 'mon-fri 08:00-18:00'; repeat for several; 'always'." placeholder:"HOURS" sep:"none"`
	Ahead       *time.Duration `help:"How far ahead it can be booked, e.g. 2160h (90 days); 0 for no bound." placeholder:"D"`
	Notice      *time.Duration `help:"How long before it must be booked; 0 for no bound." placeholder:"D"`
	Shortest    *time.Duration `help:"Shortest booking." placeholder:"D"`
	Longest     *time.Duration `help:"Longest booking." placeholder:"D"`
	Capacity    *int           `help:"How many people it holds; 0 for not counted." placeholder:"N"`
	Conflicts   *int           `help:"How many per cent of a series may be taken: the rest is accepted." placeholder:"PERCENT"`
	Overlapping *int           `help:"Bookings at the same time (seats, cars)." placeholder:"N"`
	Endless     *bool          `help:"Whether series may go on beyond --ahead." negatable:""`
	Tentative   *bool          `help:"Whether to answer tentative where somebody else may need it, instead of declining." negatable:""`
	Organizer   *[]string      `help:"Who may book it; repeat for several, '' for everybody." placeholder:"ADDRESS"`
	Domain      *[]string      `help:"Domains whose people may book it; '' for all." placeholder:"DOMAIN"`
	Approver    *[]string      `help:"Who must agree; repeat for several, '' for nobody." placeholder:"ADDRESS"`
}

type accountSetPolicy struct {
	accountName `embed:""`
	policyFlags `embed:""`
	Reset       bool `help:"Forget the policy first: everything that is free is accepted."`
	JSON        bool `help:"Print the policy as one JSON object."`
}

func (accountSetPolicy) Help() string {
	return "What a room or resource answers by itself. Rules that are not given stay.\n\nExample: convene account set-policy blue-room@example.org --open 'mon-fri 08:00-18:00' --ahead 2160h --longest 4h --capacity 8 --approver janet@example.org"
}

func (c accountSetPolicy) Run(e *env) error {
	return e.as(c.Address, func(s *server.Services, a store.Account, by account.Actor) error {
		p, err := s.Calendar.BookingPolicy(e.ctx, by, a.ID)
		if err != nil {
			return err
		}
		if c.Reset {
			p = itip.RoomPolicy{}
		}
		if err := c.apply(&p); err != nil {
			return err
		}
		if err := s.Calendar.SetBookingPolicy(e.ctx, by, a.ID, p); err != nil {
			return err
		}
		return printPolicy(e, a, p, c.JSON)
	})
}

func (f policyFlags) apply(p *itip.RoomPolicy) error {
	if len(f.Open) > 0 {
		open, err := calendar.ParseHours(f.Open)
		if err != nil {
			return usageError{err}
		}
		p.Open = open
	}
	given(f.Ahead, &p.Ahead)
	given(f.Notice, &p.Notice)
	given(f.Shortest, &p.Shortest)
	given(f.Longest, &p.Longest)
	given(f.Capacity, &p.Capacity)
	given(f.Conflicts, &p.Conflicts)
	given(f.Overlapping, &p.Overlapping)
	given(f.Endless, &p.EndlessAllowed)
	given(f.Tentative, &p.Tentative)
	for from, to := range map[*[]string]*[]string{f.Organizer: &p.Organizers, f.Domain: &p.Domains, f.Approver: &p.Approvers} {
		if from == nil {
			continue
		}
		*to = nil
		for _, x := range *from {
			if x = strings.TrimSpace(x); x != "" {
				*to = append(*to, x)
			}
		}
	}
	return nil
}

// given takes over a flag that was on the command line.
func given[T any](flag, to *T) {
	if flag != nil {
		*to = *flag
	}
}

type accountShowPolicy struct {
	accountName `embed:""`
	JSON        bool `help:"One JSON object."`
}

func (accountShowPolicy) Help() string {
	return "Example: convene account show-policy blue-room@example.org"
}

func (c accountShowPolicy) Run(e *env) error {
	return e.as(c.Address, func(s *server.Services, a store.Account, by account.Actor) error {
		p, err := s.Calendar.BookingPolicy(e.ctx, by, a.ID)
		if err != nil {
			return err
		}
		return printPolicy(e, a, p, c.JSON)
	})
}

// policyLine is a policy as scripts read it.
type policyLine struct {
	Name        string   `json:"name"`
	Open        []string `json:"open"`
	Ahead       string   `json:"ahead"`
	Notice      string   `json:"notice"`
	Shortest    string   `json:"shortest"`
	Longest     string   `json:"longest"`
	Capacity    int      `json:"capacity"`
	Conflicts   int      `json:"conflicts"`
	Overlapping int      `json:"overlapping"`
	Endless     bool     `json:"endless"`
	Tentative   bool     `json:"tentative"`
	Organizers  []string `json:"organizers"`
	Domains     []string `json:"domains"`
	Approvers   []string `json:"approvers"`
}

func printPolicy(e *env, a store.Account, p itip.RoomPolicy, asJSON bool) error {
	open := calendar.HoursText(p.Open)
	if asJSON {
		list := func(l []string) []string { return append([]string{}, l...) }
		return e.printJSON(policyLine{a.Name, list(open), p.Ahead.String(), p.Notice.String(), p.Shortest.String(), p.Longest.String(), p.Capacity, p.Conflicts,
			p.Overlapping, p.EndlessAllowed, p.Tentative, list(p.Organizers), list(p.Domains), list(p.Approvers)})
	}
	var lines []string
	say := func(is bool, format string, args ...any) {
		if is {
			lines = append(lines, "  "+fmt.Sprintf(format, args...))
		}
	}
	say(p.Open != nil && len(open) == 0, "closed")
	say(len(open) > 0, "open %s", strings.Join(open, ", "))
	say(p.Ahead > 0, "booked at most %s ahead", p.Ahead)
	say(p.EndlessAllowed && p.Ahead > 0, "series may go on beyond")
	say(p.Notice > 0, "booked at least %s before", p.Notice)
	say(p.Shortest > 0, "for %s at least", p.Shortest)
	say(p.Longest > 0, "for %s at most", p.Longest)
	say(p.Capacity > 0, "holds %d people", p.Capacity)
	say(p.Conflicts > 0, "takes a series of which up to %d per cent are taken", p.Conflicts)
	say(p.Overlapping > 1, "%d bookings at the same time", p.Overlapping)
	say(p.Tentative, "answers tentative where somebody else may need it")
	say(len(p.Organizers) > 0, "for %s", strings.Join(p.Organizers, ", "))
	say(len(p.Domains) > 0, "for people of %s", strings.Join(p.Domains, ", "))
	say(len(p.Approvers) > 0, "when %s agrees", strings.Join(p.Approvers, " or "))
	if len(lines) == 0 {
		lines = []string{"  accepts everything that is free"}
	}
	_, err := fmt.Fprintf(forPeople(e.Out), "%s\n%s\n", a.Name, strings.Join(lines, "\n"))
	return err
}
