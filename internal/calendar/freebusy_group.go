package calendar

import (
	"fmt"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/internal/store"
)

// groupBusy gathers when a group is busy: when its own calendars are, or any of
// its members, at any depth, each once. What the actor may not know of one is
// not in it.
type groupBusy struct {
	q       *busyQuestion
	at      int // place of the answer
	address ical.Address

	opened    map[store.AccountID]bool // groups, and people, that are in it
	periods   []freebusy.Period
	known     bool             // something is
	unknown   int              // members
	missing   []ical.Address   // of them
	elsewhere []FreeBusyAnswer // members of other services, to be asked about
	asked     map[string]bool  // their keys
}

// open adds an account, and where it is a group its members.
func (g *groupBusy) open(acc store.Account, depth int) error {
	if g.opened[acc.ID] || depth == groupDepth {
		return nil
	}
	g.opened[acc.ID] = true
	periods, status, err := g.q.person(acc, true)
	if err != nil {
		return err
	}
	switch known := strings.HasPrefix(status, "2."); {
	case known:
		g.known, g.periods = true, freebusy.Merge(append(g.periods, periods...))
	case acc.Kind != store.Group:
		if err := g.misses(acc); err != nil {
			return err
		}
	}
	if acc.Kind != store.Group {
		return nil
	}
	members, err := g.q.tx.Members(acc.ID)
	if err != nil {
		return fmt.Errorf("members of account %d: %w", acc.ID, err)
	}
	for _, m := range members {
		if g.q.people++; g.q.people > g.q.s.limits.FreeBusyPeople {
			g.unknown++
			continue
		}
		if err := g.member(ical.Address(m.URI), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// misses notes a member whose busy time is not in the answer.
func (g *groupBusy) misses(acc store.Account) error {
	g.unknown++
	list, err := addresses(g.q.tx, acc.ID)
	if len(list) > 0 {
		g.missing = append(g.missing, list[0])
	}
	return err
}

func (g *groupBusy) member(a ical.Address, depth int) error {
	acc, ok := g.q.dir.account(a)
	switch {
	case g.q.dir.err != nil:
		return fmt.Errorf("look up %s: %w", a, g.q.dir.err)
	case ok:
		return g.open(acc, depth)
	case g.q.s.ourDomain(a) || a.Email() == "" || g.asked[a.Key()]:
		return nil // has gone, or is there already
	}
	g.asked[a.Key()] = true
	periods, told, err := g.q.s.heard(g.q.tx, g.q.by.Account, a, g.q.from, g.q.to)
	if err != nil {
		return err
	}
	if told {
		g.known, g.periods = true, freebusy.Merge(append(g.periods, periods...))
		return nil
	}
	g.elsewhere = append(g.elsewhere, FreeBusyAnswer{Address: a, Status: statusNoAnswer, For: g.address})
	return nil
}

// answer is that of the group, when the members elsewhere have been asked about.
func (g *groupBusy) answer() FreeBusyAnswer {
	for _, m := range g.elsewhere {
		if !strings.HasPrefix(m.Status, "2.") {
			g.unknown++
			g.missing = append(g.missing, m.Address)
			continue
		}
		g.known, g.periods = true, append(g.periods, m.Periods...)
		g.unknown += m.Unknown
	}
	if !g.known {
		return FreeBusyAnswer{Address: g.address, Status: statusNoRight}
	}
	periods := freebusy.Merge(g.periods)
	if periods == nil {
		periods = []freebusy.Period{}
	}
	return FreeBusyAnswer{Address: g.address, Status: statusSuccess, Periods: periods, Unknown: g.unknown, Missing: g.missing}
}
