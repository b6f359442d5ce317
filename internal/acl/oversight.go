package acl

import (
	"errors"

	"github.com/convene-cal/convene/internal/store"
)

// Overseer is an account that the configuration of the site lets read
// everybody's calendars, or act for everybody, whatever their owners grant:
// nobody, unless an operator names them. It never gives [Own]: sharing, history,
// passwords and keys stay with the owner. Whoever lets an overseer in takes
// care that it is noted for the owner to see.
type Overseer struct {
	Login  string // its address or name
	Access Access // Read or Act
}

// Appoint names the overseers; find is who a login stands for. Call it before
// the first question.
func (a *ACL) Appoint(find func(tx *store.Tx, login string) (store.Account, error), list []Overseer) {
	a.overseers, a.find = list, find
}

// Oversight is what the configuration lets an account do in every home.
func (a *ACL) Oversight(tx *store.Tx, who store.AccountID) (Access, error) {
	have := None
	for _, o := range a.overseers {
		x, err := a.find(tx, o.Login)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return None, err
		}
		if who != 0 && x.ID == who {
			have = max(have, o.Access)
		}
	}
	return have, nil
}

// Overseers are the accounts that are named and exist, with what they may do.
func (a *ACL) Overseers(tx *store.Tx) (map[store.AccountID]Access, error) {
	all := map[store.AccountID]Access{}
	for _, o := range a.overseers {
		x, err := a.find(tx, o.Login)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all[x.ID] = max(all[x.ID], o.Access)
	}
	return all, nil
}

// WithOversight decides for a collection already read as [ACL.OfCollection]
// does, with what oversight adds. What the owner granted by themselves is told
// beside it: where it is less, the answer is oversight's.
func (a *ACL) WithOversight(tx *store.Tx, who store.AccountID, c *store.Collection) (have, granted Access, err error) {
	q, err := question(tx, who, c)
	if err != nil {
		return None, None, err
	}
	if granted = Decide(q); granted == Own || len(a.overseers) == 0 {
		return granted, granted, nil
	}
	if q.Oversight, err = a.Oversight(tx, who); err != nil {
		return None, None, err
	}
	return Decide(q), granted, nil
}

// HomeWithOversight is to [ACL.OfHome] what WithOversight is to OfCollection.
func (a *ACL) HomeWithOversight(tx *store.Tx, who, owner store.AccountID) (have, granted Access, err error) {
	granted, err = a.OfHome(tx, who, owner)
	if err != nil || granted == Own || len(a.overseers) == 0 {
		return granted, granted, err
	}
	more, err := a.Oversight(tx, who)
	return max(granted, more), granted, err
}
