package acl

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Access is what one may do; each includes those before it.
type Access uint8

const (
	None     Access = iota // does not learn that it exists
	FreeBusy               // when, not what
	Read                   // everything there is, but events classified PRIVATE or CONFIDENTIAL are the caller's to blank
	Write                  // change objects
	Team                   // and what the calendar is called and said to be, as one of equals
	Act                    // and see classified events, and answer, invite and ask in the owner's name: a secretary
	Own                    // share and delete it
)

var names = [...]string{"none", "freebusy", "read", "read-write", "team", "act", "own"}

// Kinds are the words of what can be granted, the least first.
func Kinds() []string { return slices.Clone(names[FreeBusy:Own]) }

func (a Access) String() string {
	if int(a) < len(names) {
		return names[a]
	}
	return fmt.Sprintf("access(%d)", uint8(a))
}

// Parse reads the words of shares: freebusy, read, read-write, team, act.
func Parse(s string) (Access, error) {
	if i := slices.Index(names[:], s); i >= int(FreeBusy) && i < int(Own) {
		return Access(i), nil
	}
	return None, problem.New(problem.BadInput, "%q is no kind of access; it is freebusy, read, read-write, team or act.", s)
}

// Question is what a decision depends on.
type Question struct {
	Who         store.AccountID // 0: nobody signed in
	Owner       store.AccountID
	Kind        string // of the collection
	Transparent bool   // RFC 6638 9.1
	Share       Access // granted to Who; None when nothing was
	Home        Access // granted to Who for all of the owner's home
	Oversight   Access // given to Who for all homes by the site's configuration
}

// Decide answers a question.
func Decide(q Question) Access {
	switch {
	case q.Who == 0:
		return None
	case q.Who == q.Owner:
		return Own
	case q.Kind != store.Calendar:
		// RFC 6638 6.1: inbox and outbox are their owner's, and of those who act
		// for the owner altogether. Asking for somebody's free/busy goes through
		// one's own outbox.
		if q.Home == Act || q.Oversight == Act {
			return Act
		}
		if q.Kind == store.Outbox && q.Share == FreeBusy { // schedule-send-freebusy
			return Read
		}
		return None
	case q.Transparent:
		return max(q.Share, q.Home, q.Oversight)
	}
	return max(FreeBusy, q.Share, q.Home, q.Oversight)
}

// ACL looks up what Decide needs. The zero value is ready, and knows no overseers.
type ACL struct {
	overseers []Overseer
	find      func(tx *store.Tx, login string) (store.Account, error)
}

// New is an ACL without overseers.
func New() *ACL { return &ACL{} }

// OfCollection decides for a collection already read, by what its owner granted.
func (*ACL) OfCollection(tx *store.Tx, who store.AccountID, c *store.Collection) (Access, error) {
	q, err := question(tx, who, c)
	if err != nil {
		return None, err
	}
	return Decide(q), nil
}

func question(tx *store.Tx, who store.AccountID, c *store.Collection) (Question, error) {
	q := Question{Who: who, Owner: c.Account, Kind: c.Kind, Transparent: c.Transparent}
	if who == 0 || who == c.Account {
		return q, nil
	}
	var err error
	if q.Share, err = granted(tx, who, c.Account, c.ID); err == nil {
		q.Home, err = granted(tx, who, c.Account, store.WholeHome)
	}
	return q, err
}

// granted is the most that the shares of a collection give to an account, by
// itself, as a member of groups (RFC 3744 2), or as one of all who have one.
func granted(tx *store.Tx, who, owner store.AccountID, collection int64) (Access, error) {
	list, err := tx.SharesOf(owner, collection)
	if err != nil || len(list) == 0 {
		return None, err
	}
	have := None
	var groups map[store.AccountID]bool
	for _, s := range list {
		if s.Grantee != who && s.Grantee != store.Everyone {
			if groups == nil {
				if groups, err = Groups(tx, who); err != nil {
					return None, err
				}
			}
			if !groups[s.Grantee] {
				continue
			}
		}
		a, err := Parse(s.Access)
		if err != nil {
			return None, fmt.Errorf("share of collection %d: %w", collection, err)
		}
		have = max(have, a)
	}
	return have, nil
}

// maxGroupDepth bounds groups in groups.
const maxGroupDepth = 10

// Groups are the groups that an account belongs to, by itself or through others.
func Groups(tx *store.Tx, who store.AccountID) (map[store.AccountID]bool, error) {
	groups := map[store.AccountID]bool{}
	next := []store.AccountID{who}
	for depth := 0; depth < maxGroupDepth && len(next) > 0; depth++ {
		var found []store.AccountID
		for _, id := range next {
			addresses, err := tx.Addresses(id)
			if err != nil {
				return nil, err
			}
			for _, a := range addresses {
				list, err := tx.GroupsOf(a.Key)
				if err != nil {
					return nil, err
				}
				for _, g := range list {
					if !groups[g.ID] && g.ID != who {
						groups[g.ID] = true
						found = append(found, g.ID)
					}
				}
			}
		}
		next = found
	}
	return groups, nil
}

// OfHome is what an account may do with all of another's home, by what its owner
// granted: a proxy.
func (*ACL) OfHome(tx *store.Tx, who, owner store.AccountID) (Access, error) {
	if who == owner {
		return Own, nil
	}
	return granted(tx, who, owner, store.WholeHome)
}

// Of decides for a collection by its identifier. One that is absent is None,
// so that it looks like one that is hidden.
func (a *ACL) Of(tx *store.Tx, who, owner store.AccountID, collection int64) (Access, error) {
	c, err := tx.Collection(owner, collection)
	if errors.Is(err, store.ErrNotFound) {
		return None, nil
	}
	if err != nil {
		return None, err
	}
	return a.OfCollection(tx, who, &c)
}

// Shares lists to whom a collection is shared.
func (*ACL) Shares(tx *store.Tx, owner store.AccountID, collection int64) ([]store.Share, error) {
	return tx.SharesOf(owner, collection)
}

// SharedWith lists what others share to an account, by itself and through its
// groups, each collection once and with the most that is given.
func (*ACL) SharedWith(tx *store.Tx, who store.AccountID) ([]store.Share, error) {
	list, err := tx.SharesTo(who)
	if err != nil {
		return nil, err
	}
	groups, err := Groups(tx, who)
	if err != nil {
		return nil, err
	}
	for g := range groups {
		more, err := tx.SharesTo(g)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	slices.SortFunc(list, func(a, b store.Share) int {
		level := func(s store.Share) Access { a, _ := Parse(s.Access); return a }
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Collection, b.Collection), cmp.Compare(level(b), level(a)))
	})
	kept := list[:0]
	for _, s := range list {
		if n := len(kept); s.Account == who || n > 0 && kept[n-1].Account == s.Account && kept[n-1].Collection == s.Collection {
			continue
		}
		kept = append(kept, s)
	}
	return kept, nil
}

// Grant shares a calendar, the outbox for asking when people are busy in its
// owner's name (RFC 6638 6.2), or the whole home, to another account of this
// server, or a calendar to [store.Everyone], replacing what it had. The caller has made sure that the one who asks
// owns it.
func (*ACL) Grant(tx *store.Tx, owner store.AccountID, collection int64, grantee store.AccountID, access Access) error {
	if access < FreeBusy || access > Act {
		return problem.New(problem.BadInput, "Access %q cannot be given; it is freebusy, read, read-write, team or act.", access)
	}
	if grantee == owner {
		return problem.New(problem.BadInput, "A calendar is not shared with its owner.")
	}
	if grantee == store.Everyone {
		if access > Write || collection == store.WholeHome {
			return problem.New(problem.BadInput, "Everyone at once can be let see when somebody is busy, read a calendar, or read and write it; more is for people who are named.")
		}
	} else if _, err := tx.Account(grantee); errors.Is(err, store.ErrNotFound) {
		return problem.New(problem.NotFound, "There is no such account to share with.").Because(err)
	} else if err != nil {
		return err
	}
	if collection == store.WholeHome {
		return tx.AddShare(store.Share{Account: owner, Grantee: grantee, Access: access.String()})
	}
	c, err := tx.Collection(owner, collection)
	if errors.Is(err, store.ErrNotFound) {
		return problem.New(problem.NotFound, "There is no such calendar.").Because(err)
	} else if err != nil {
		return err
	}
	if c.Kind != store.Calendar && (c.Kind != store.Outbox || access != FreeBusy) {
		return problem.New(problem.Forbidden, "The scheduling %s cannot be shared.", c.Kind)
	}
	return tx.AddShare(store.Share{Account: owner, Collection: collection, Grantee: grantee, Access: access.String()})
}

// Revoke takes a share back.
func (*ACL) Revoke(tx *store.Tx, owner store.AccountID, collection int64, grantee store.AccountID) error {
	err := tx.DeleteShare(owner, collection, grantee)
	if errors.Is(err, store.ErrNotFound) {
		return problem.New(problem.NotFound, "The calendar was not shared with them.").Because(err)
	}
	return err
}
