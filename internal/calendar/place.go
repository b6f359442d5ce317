package calendar

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Ref is a place: the owner of a home, the URL segment of a collection, and
// the name of an object in it (decoded, without slashes).
type Ref struct {
	Owner      store.AccountID
	Collection string
	Name       string
}

func (r Ref) String() string { return r.Collection + "/" + r.Name }

// collection finds a collection and what the actor may do there. One that the
// actor may not even know of is not found.
func (s *Service) collection(tx *store.Tx, by account.Actor, owner store.AccountID, name string, need acl.Access) (store.Collection, acl.Access, error) {
	c, err := tx.CollectionByName(owner, name)
	if errors.Is(err, store.ErrNotFound) {
		return c, acl.None, notFound(name + "/")
	}
	if err != nil {
		return c, acl.None, fmt.Errorf("collection %s: %w", name, err)
	}
	have, err := s.accessTo(tx, by, c, need)
	if err != nil {
		return c, acl.None, err
	}
	if err := permit(c, have, need); err != nil {
		return c, have, err
	}
	if need >= acl.Write && need < acl.Own {
		return c, have, follows(c)
	}
	return c, have, nil
}

// access is what an actor may do with a collection that it means to look at.
func (s *Service) access(tx *store.Tx, by account.Actor, c store.Collection) (acl.Access, error) {
	return s.accessTo(tx, by, c, acl.Read)
}

// accessTo is what an actor may do with a collection, which it needs some access
// to. Where that is the configuration's to give rather than the owner's, it is
// noted first.
func (s *Service) accessTo(tx *store.Tx, by account.Actor, c store.Collection, need acl.Access) (acl.Access, error) {
	have, granted, err := s.acl.WithOversight(tx, by.Account, &c)
	if err != nil {
		return acl.None, fmt.Errorf("rights on %s: %w", c.Name, err)
	}
	if have > granted {
		err = s.visited(tx, by, c.Account, c.Name, have, need)
	}
	return have, err
}

// homeAccess is accessTo for all of a home.
func (s *Service) homeAccess(tx *store.Tx, by account.Actor, owner store.AccountID, need acl.Access) (acl.Access, error) {
	have, granted, err := s.acl.HomeWithOversight(tx, by.Account, owner)
	if err == nil && have > granted {
		err = s.visited(tx, by, owner, "", have, need)
	}
	return have, err
}

// permit refuses what the rights do not allow: what cannot be read is not
// found (RFC 3744 7), what cannot be changed says so (7.1.1).
func permit(c store.Collection, have, need acl.Access) error {
	switch {
	case have >= need:
		return nil
	case have < acl.Read && need >= acl.Read || have == acl.None:
		return notFound(c.Name + "/")
	default:
		return problem.New(problem.NeedPrivileges, "You may read the calendar %s, but not change it. Its owner can share it with you for writing.", title(c)).At(c.Name + "/")
	}
}

// title is what a person calls a collection.
func title(c store.Collection) string {
	if c.DisplayName != "" {
		return c.DisplayName
	}
	return c.Name
}

// maxNameLength of an object's or collection's URL segment, in octets: what file systems and clients take.
const maxNameLength = 255

// checkName refuses names that cannot be one URL segment.
func checkName(name string) error {
	switch {
	case name == "" || name == "." || name == "..":
		return problem.New(problem.BadInput, "A name is needed, and %q is none.", name)
	case len(name) > maxNameLength:
		return problem.New(problem.BadInput, "The name is %d octets long; %d are allowed.", len(name), maxNameLength)
	case !utf8.ValidString(name):
		return problem.New(problem.BadInput, "The name %q is not UTF-8.", name)
	case strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r < 0x20 || r == 0x7f }):
		return problem.New(problem.BadInput, "The name %q holds a slash or a control character.", name)
	}
	return nil
}

// object finds an object by its place; absent gives nil.
func object(tx *store.Tx, c store.Collection, name string) (*store.Object, error) {
	o, err := tx.Object(c.Account, c.ID, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("object %s/%s: %w", c.Name, name, err)
	}
	return &o, nil
}
