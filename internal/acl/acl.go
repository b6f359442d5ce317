package acl

import (
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
	Own                    // change the collection, share and delete it
)

var names = [...]string{"none", "freebusy", "read", "read-write", "own"}

func (a Access) String() string {
	if int(a) < len(names) {
		return names[a]
	}
	return fmt.Sprintf("access(%d)", uint8(a))
}

// Parse reads the words of shares: freebusy, read, read-write.
func Parse(s string) (Access, error) {
	if i := slices.Index(names[:], s); i >= int(FreeBusy) && i < int(Own) {
		return Access(i), nil
	}
	return None, problem.New(problem.BadInput, "%q is no kind of access; it is freebusy, read or read-write.", s)
}

// Question is what a decision depends on.
type Question struct {
	Who         store.AccountID // 0: nobody signed in
	Owner       store.AccountID
	Kind        string // of the collection
	Transparent bool   // RFC 6638 9.1
	Share       Access // granted to Who; None when nothing was
}

// Decide answers a question.
func Decide(q Question) Access {
	switch {
	case q.Who == 0:
		return None
	case q.Who == q.Owner:
		return Own
	case q.Kind != store.Calendar:
		// RFC 6638 6.1: inbox and outbox are their owner's. Asking for
		// somebody's free/busy goes through one's own outbox.
		return None
	case q.Transparent:
		return q.Share
	}
	return max(FreeBusy, q.Share)
}

// ACL looks up what Decide needs. The zero value is ready.
type ACL struct{}

// New is for symmetry with the other services: there is nothing to set.
func New() *ACL { return &ACL{} }

// OfCollection decides for a collection already read.
func (*ACL) OfCollection(tx *store.Tx, who store.AccountID, c *store.Collection) (Access, error) {
	q := Question{Who: who, Owner: c.Account, Kind: c.Kind, Transparent: c.Transparent}
	if who != 0 && who != c.Account {
		share, err := tx.ShareOf(c.Account, c.ID, who)
		switch {
		case err == nil:
			if q.Share, err = Parse(share.Access); err != nil {
				return None, fmt.Errorf("share of collection %d: %w", c.ID, err)
			}
		case !errors.Is(err, store.ErrNotFound):
			return None, err
		}
	}
	return Decide(q), nil
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

// SharedWith lists what others share to an account.
func (*ACL) SharedWith(tx *store.Tx, who store.AccountID) ([]store.Share, error) {
	return tx.SharesTo(who)
}

// Grant shares a calendar to another account of this server, replacing what it
// had. The caller has made sure that the one who asks owns it.
func (*ACL) Grant(tx *store.Tx, owner store.AccountID, collection int64, grantee store.AccountID, access Access) error {
	if access < FreeBusy || access > Write {
		return problem.New(problem.BadInput, "Access %q cannot be given; it is freebusy, read or read-write.", access)
	}
	if grantee == owner {
		return problem.New(problem.BadInput, "A calendar is not shared with its owner.")
	}
	if _, err := tx.Account(grantee); errors.Is(err, store.ErrNotFound) {
		return problem.New(problem.NotFound, "There is no such account to share with.").Because(err)
	} else if err != nil {
		return err
	}
	c, err := tx.Collection(owner, collection)
	if errors.Is(err, store.ErrNotFound) {
		return problem.New(problem.NotFound, "There is no such calendar.").Because(err)
	} else if err != nil {
		return err
	}
	if c.Kind != store.Calendar {
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
