package davserver

import (
	"context"
	"fmt"
	"strings"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// resource is a place that exists and that the user may know of.
type resource struct {
	place
	owner store.Account // of a principal, home, collection or object
	coll  calendar.CollectionView
	obj   store.Object
	body  []byte            // text of the object, when it was fetched with it
	props map[string]string // dead properties of a principal or home
	file  store.File        // of a plain resource
	note  store.Notification
	base  string // of an object among many: the href of its collection
}

func (r *resource) href() string {
	if r.base != "" {
		return r.base + escape(r.name)
	}
	return r.place.href()
}

func nothingAt(p place) error {
	if p.kind == nowhere {
		return problem.New(problem.NotFound, "There is nothing at this address.")
	}
	return problem.New(problem.NotFound, "There is nothing at %s.", p.href())
}

// account finds who a URL segment names; it is remembered for this request.
func (q *request) account(name string) (store.Account, error) {
	if a, ok := q.owners[name]; ok {
		return a, nil
	}
	a, err := q.s.accounts.Find(q.ctx, name)
	if err != nil {
		return a, err
	}
	if a.Name != name { // found by an address or in other letters: not this URL (RFC 3986 6.2.2.1)
		return store.Account{}, problem.New(problem.NotFound, "There is no account %s on this server.", name)
	}
	if q.owners == nil {
		q.owners = map[string]store.Account{}
	}
	q.owners[name] = a
	return a, nil
}

// me is the account of the user.
func (q *request) me() (store.Account, error) { return q.account(q.by.Name) }

// find looks a place up. Who may not read a collection does not learn whether
// it is there.
func (q *request) find(p place) (*resource, error) {
	r := &resource{place: p}
	switch p.kind {
	case root, principalSet, homeSet:
		return r, nil
	case beyond, nowhere:
		return nil, nothingAt(p)
	case plain:
		owner, err := q.accountID(p.account)
		if err != nil {
			return nil, err
		}
		f, err := q.s.calendar.File(q.ctx, q.by, owner, p.path)
		if err != nil {
			return nil, err
		}
		return q.fileResource(p, f), nil
	}
	var err error
	if p.kind&(notices|notice) != 0 {
		if p.account != q.by.Name {
			return nil, nothingAt(p)
		}
		if r.owner, err = q.me(); err != nil {
			return nil, err
		}
		if p.kind == notice {
			r.note, r.coll.Collection, err = q.s.calendar.Notification(q.ctx, q.by, p.name)
		}
		return r, err
	}
	if p.kind == proxy {
		r.owner, err = q.account(p.account)
		return r, err
	}
	if p.kind&(principal|home) != 0 {
		if r.owner, err = q.account(p.account); err != nil {
			return nil, err
		}
		if p.kind == home {
			if err := q.mayEnter(r.owner); err != nil {
				return nil, err
			}
		}
		if r.owner.ID == q.by.Account {
			all, err := q.s.calendar.HomeProperties(q.ctx, q.by, r.owner.ID)
			if err != nil {
				return nil, err
			}
			r.props = deadOf(p.kind, all)
		}
		return r, nil
	}
	if p.kind&objects != 0 {
		if r, err = q.text(p, inOnePiece); err != nil {
			return nil, err
		}
	}
	id, coll, err := q.target(p)
	if err != nil {
		return nil, err
	}
	if r.coll, err = q.s.calendar.Collection(q.ctx, q.by, id, coll); err != nil {
		return nil, err
	}
	r.owner = r.coll.Owner
	if r.coll.Access < acl.Read {
		return nil, nothingAt(p)
	}
	return r, nil
}

// text is an object by itself, without its collection: all that GET needs. Its
// body is nil where it has more than max octets.
func (q *request) text(p place, max int) (*resource, error) {
	id, coll, err := q.target(p)
	if err != nil {
		return nil, err
	}
	r := &resource{place: p, owner: store.Account{ID: id, Name: p.account}}
	r.coll.Name = coll
	r.obj, r.body, err = q.s.calendar.GetSmall(q.ctx, q.by, calendar.Ref{Owner: id, Collection: coll, Name: p.name}, max)
	return r, err
}

// findPlain is find for requests that look at no property: objects come
// without their collection.
func (q *request) findPlain(p place) (*resource, error) {
	if p.kind&objects != 0 {
		return q.text(p, inOnePiece)
	}
	return q.find(p)
}

// accountID is who a URL segment names; for one's own there is nothing to look up.
func (q *request) accountID(name string) (store.AccountID, error) {
	if name == q.by.Name {
		return q.by.Account, nil
	}
	a, err := q.account(name)
	return a.ID, err
}

// mayEnter refuses the home of another who shares nothing: that it exists is
// known from the principal, what is in it is not.
func (q *request) mayEnter(owner store.Account) error {
	if owner.ID == q.by.Account {
		return nil
	}
	list, err := q.s.calendar.Collections(q.ctx, q.by, owner.ID)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return problem.New(problem.NeedPrivileges, "%s shares no calendar with you.", owner.Name).At(homeHref(owner.Name))
	}
	return nil
}

// collection finds a collection, of which the user may know no more than that
// it is there.
func (q *request) collection(p place) (calendar.CollectionView, error) {
	id, coll, err := q.target(p)
	if err != nil {
		return calendar.CollectionView{}, err
	}
	return q.s.calendar.Collection(q.ctx, q.by, id, coll)
}

// target is the home and the name in it of the collection that a place is, or
// is in: another's for a calendar that is mounted in one's own home.
func (q *request) target(p place) (store.AccountID, string, error) {
	owner, id, mounted := calendar.ParseMountName(p.coll)
	if !mounted || p.account != q.by.Name {
		id, err := q.accountID(p.account)
		return id, p.coll, err
	}
	if v, ok := q.mounts[p.coll]; ok {
		return v.Account, v.Name, nil
	}
	v, err := q.s.calendar.Mounted(q.ctx, q.by, owner, id)
	if err != nil {
		if problem.Has(err, problem.NotFound) {
			err = nothingAt(p)
		}
		return 0, "", err
	}
	if q.mounts == nil {
		q.mounts = map[string]calendar.CollectionView{}
	}
	q.mounts[p.coll] = v
	return v.Account, v.Name, nil
}

// children visits what is directly in a collection, in a stable order.
func (q *request) children(r *resource, visit func(*resource) error) error {
	switch r.kind {
	case root:
		if err := visit(&resource{place: place{kind: principalSet}}); err != nil {
			return err
		}
		return visit(&resource{place: place{kind: homeSet}})
	case principalSet, homeSet:
		// One's own only: the others are found by search, which has limits (RFC 3744 9.4).
		me, err := q.me()
		if err != nil {
			return err
		}
		k := principal
		if r.kind == homeSet {
			k = home
		}
		c, err := q.find(place{kind: k, account: me.Name})
		if err != nil {
			return err
		}
		return visit(c)
	case home:
		list, err := q.s.calendar.Collections(q.ctx, q.by, r.owner.ID)
		if err != nil {
			return err
		}
		for _, v := range list {
			v.Owner = r.owner
			if err := visit(q.member(r, v)); err != nil {
				return err
			}
		}
		if r.owner.ID == q.by.Account {
			shared, err := q.s.calendar.SharedWith(q.ctx, q.by)
			if err != nil {
				return err
			}
			for _, v := range shared {
				if err := visit(q.member(r, v)); err != nil {
					return err
				}
			}
		}
		if r.owner.ID == q.by.Account {
			if err := visit(&resource{place: place{kind: notices, account: r.owner.Name, coll: noticesName}, owner: r.owner}); err != nil {
				return err
			}
		}
		return q.filesIn(r, "", visit)
	case plain:
		return q.filesIn(r, r.path, visit)
	case principal:
		for _, which := range []string{proxyReadName, proxyWriteName} {
			if err := visit(&resource{place: place{kind: proxy, account: r.owner.Name, name: which}, owner: r.owner}); err != nil {
				return err
			}
		}
	case notices:
		list, err := q.s.calendar.Notifications(q.ctx, q.by)
		if err != nil {
			return err
		}
		for _, n := range list {
			if err := visit(&resource{place: place{kind: notice, account: r.owner.Name, coll: noticesName, name: n.Name}, owner: r.owner, note: n}); err != nil {
				return err
			}
		}
	case calendarColl, inbox:
		return q.members(r, q.s.calendar.List, visit)
	}
	return nil
}

// members visits the objects of a collection, as one of the listings of the
// calendar service gives them. The resource is the same for all of them and
// becomes the next one after the visit.
func (q *request) members(r *resource, list func(context.Context, account.Actor, store.AccountID, string, func(store.Object) error) error, visit func(*resource) error) error {
	one := r.object(store.Object{})
	one.base = collectionHref(r.place.account, r.place.coll)
	return list(q.ctx, q.by, r.owner.ID, r.coll.Name, func(o store.Object) error {
		one.obj, one.name = o, o.Name
		return visit(one)
	})
}

// filesIn visits what is directly in a plain collection or, at "", in a home.
func (q *request) filesIn(r *resource, path string, visit func(*resource) error) error {
	list, err := q.s.calendar.Files(q.ctx, q.by, r.owner.ID, path)
	if err != nil {
		return err
	}
	for _, f := range list {
		c := q.fileResource(place{kind: plain, account: r.place.account}, f)
		if err := visit(c); err != nil {
			return err
		}
	}
	return nil
}

// member is a collection of a home, of its owner's or mounted there.
func (q *request) member(h *resource, v calendar.CollectionView) *resource {
	k := calendarColl
	switch v.Kind {
	case store.Inbox:
		k = inbox
	case store.Outbox:
		k = outbox
	}
	p := place{kind: k, account: h.owner.Name, coll: v.Name}
	owner := h.owner
	if v.Account != h.owner.ID {
		p.coll, owner = v.Mount, v.Owner
	}
	return &resource{place: p, owner: owner, coll: v}
}

// object is one in the collection.
func (r *resource) object(o store.Object) *resource {
	k := object
	if r.kind == inbox {
		k = message
	}
	return &resource{place: place{kind: k, account: r.place.account, coll: r.place.coll, name: o.Name}, owner: r.owner, coll: r.coll, obj: o}
}

// hrefOf turns a place that the door names, relative to the home the request
// is about, into an href.
func (q *request) hrefOf(where string) string {
	if strings.HasPrefix(where, "/") {
		return where
	}
	owner := q.at.account
	if owner == "" {
		owner = q.by.Name
	}
	coll, name, _ := strings.Cut(where, "/")
	if _, _, mounted := calendar.ParseMountName(q.at.coll); mounted {
		coll = q.at.coll
	}
	return collectionHref(owner, coll) + escape(name)
}

// syncToken names a state of the collection; a token of one collection is none
// of another (RFC 6578 4: an absolute URI, opaque to clients).
func (r *resource) syncToken(seq int64) string {
	return calendar.SyncToken(r.owner.ID, r.coll.ID, seq) // the home is its collection 0
}

// parseSyncToken is the inverse of syncToken, for the same collection.
func (r *resource) parseSyncToken(token string) (int64, error) {
	var acct, coll, seq int64
	if n, err := fmt.Sscanf(token, calendar.SyncScheme+"%d-%d-%d", &acct, &coll, &seq); err != nil || n != 3 ||
		acct != int64(r.owner.ID) || coll != r.coll.ID || seq < 0 || token != r.syncToken(seq) {
		return 0, problem.New(problem.InvalidSyncToken, "The sync token is not one of this collection. Synchronise from the beginning, without a token.")
	}
	return seq, nil
}
