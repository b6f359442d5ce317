package calendar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// CollectionView is a collection as an actor sees it.
type CollectionView struct {
	store.Collection
	Owner  store.Account
	Access acl.Access // FreeBusy: exists, and only its busy time may be asked for

	// Of another's calendar:
	Mount   string // its URL segment in the actor's own home
	Invited bool   // the actor has not answered the invitation to it
}

// Collections lists the collections of a home that the actor may read, in the
// owner's order.
func (s *Service) Collections(ctx context.Context, by account.Actor, owner store.AccountID) ([]CollectionView, error) {
	var out []CollectionView
	err := s.store.View(ctx, func(tx *store.Tx) error {
		who, err := s.home(tx, owner)
		if err != nil {
			return err
		}
		all, err := tx.Collections(owner)
		if err != nil {
			return fmt.Errorf("collections of account %d: %w", owner, err)
		}
		for _, c := range all {
			a, err := s.access(tx, by, c)
			if err != nil {
				return err
			}
			if a >= acl.Read {
				v, err := s.seenBy(tx, by, c, who, a)
				if err != nil {
					return err
				}
				out = append(out, v)
			}
		}
		return nil
	})
	return out, err
}

// Collection finds one collection. It is found also when the actor may only
// ask for its busy time: look at Access.
func (s *Service) Collection(ctx context.Context, by account.Actor, owner store.AccountID, name string) (CollectionView, error) {
	var v CollectionView
	look := s.store.View
	if by.Account == owner { // two queries that need not agree
		look = s.store.Peek
	}
	err := look(ctx, func(tx *store.Tx) error {
		who, err := s.home(tx, owner)
		if err != nil {
			return err
		}
		c, a, err := s.collection(tx, by, owner, name, acl.FreeBusy)
		if err != nil {
			return err
		}
		v, err = s.seenBy(tx, by, c, who, a)
		return err
	})
	return v, err
}

// HomeProperties are the dead WebDAV properties of an account's principal and
// home, "{namespace}name" to XML.
func (s *Service) HomeProperties(ctx context.Context, by account.Actor, owner store.AccountID) (map[string]string, error) {
	var out map[string]string
	err := s.store.View(ctx, func(tx *store.Tx) error {
		who, err := s.home(tx, owner)
		if err != nil {
			return err
		}
		if by.Account == owner {
			out = settingsOf(who).DAV
		}
		return nil
	})
	if out == nil {
		out = map[string]string{}
	}
	return out, err
}

// SetHomeProperties changes them; edit may be called twice, and its error
// changes nothing and is returned.
func (s *Service) SetHomeProperties(ctx context.Context, by account.Actor, owner store.AccountID, edit func(map[string]string) error) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		if by.Account != owner {
			return problem.New(problem.NeedPrivileges, "Only their owner can change these properties.")
		}
		who, err := s.home(tx, owner)
		if err != nil {
			return err
		}
		props := settingsOf(who).DAV
		if props == nil {
			props = map[string]string{}
		}
		if err := edit(props); err != nil {
			return err
		}
		if err := checkCollection(&store.Collection{Properties: props}); err != nil {
			return err
		}
		if who, err = withSetting(who, "dav", props); err != nil {
			return err
		}
		return tx.UpdateAccount(who)
	})
}

// home is the account whose home it is.
func (s *Service) home(tx *store.Tx, owner store.AccountID) (store.Account, error) {
	who, err := tx.Account(owner)
	if errors.Is(err, store.ErrNotFound) {
		return who, problem.New(problem.NotFound, "There is no such calendar user.").Because(err)
	}
	if err != nil {
		return who, fmt.Errorf("account %d: %w", owner, err)
	}
	return who, nil
}

// MakeCalendarRequest makes a calendar. Of Collection the fields Name (URL
// segment), DisplayName, Description, Color, Order, Components, TimeZone,
// Transparent and Properties count; no Components means all kinds.
type MakeCalendarRequest struct {
	By         account.Actor
	Owner      store.AccountID
	Collection store.Collection
}

// componentKinds that a calendar can be made for (CALDAV:supported-calendar-component-set).
var componentKinds = []string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY", "VPOLL"}

// MakeCalendar makes a calendar in a home (RFC 4791 5.3.1).
func (s *Service) MakeCalendar(ctx context.Context, req MakeCalendarRequest) (store.Collection, error) {
	c := req.Collection
	c.Account, c.Kind, c.ID, c.Seq = req.Owner, store.Calendar, 0, 0
	if err := checkName(c.Name); err != nil {
		return c, err
	}
	if err := checkCollection(&c); err != nil {
		return c, err
	}
	made := c
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		made = c
		if may, err := s.homeAccess(tx, req.By, req.Owner, acl.Act); err != nil {
			return err
		} else if may < acl.Act {
			return problem.New(problem.NeedPrivileges, "You can make calendars in your own home only.").At(c.Name + "/")
		}
		if _, _, taken := ParseMountName(c.Name); taken {
			return problem.New(problem.ResourceMustBeNull, "The name %s is kept for calendars that others share.", c.Name).At(c.Name + "/")
		}
		if _, err := s.home(tx, req.Owner); err != nil {
			return err
		}
		made.Created = s.now()
		made.Modified = made.Created
		err := tx.AddCollection(&made)
		if errors.Is(err, store.ErrExists) {
			// RFC 4791 5.3.1.1: resource-must-be-null
			return problem.New(problem.ResourceMustBeNull, "There is already a calendar with the name %s.", c.Name).At(c.Name + "/").Because(err)
		}
		if err != nil {
			return fmt.Errorf("make calendar %s: %w", c.Name, err)
		}
		return nil
	})
	return made, err
}

// UpdateCollection changes the properties of a collection: edit gets it as it
// is, and may be called twice. Account, ID, Kind and Seq stay whatever edit
// does; another Name renames it. An error of edit changes nothing and is
// returned.
func (s *Service) UpdateCollection(ctx context.Context, by account.Actor, owner store.AccountID, name string, edit func(*store.Collection) error) (store.Collection, error) {
	var out store.Collection
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		c, have, err := s.collection(tx, by, owner, name, acl.Read)
		if err != nil {
			return err
		}
		if have < acl.Act && c.Kind == store.Outbox {
			return problem.New(problem.NeedPrivileges, "You may ask for free/busy time through this outbox, and nothing else.").At(c.Name + "/")
		}
		if have < acl.Own && c.Kind == store.Calendar {
			out, err = s.updateMounted(tx, by, c, have, edit)
			return err
		}
		was := c
		c.Components = slices.Clone(c.Components)
		props := make(map[string]string, len(c.Properties))
		for k, v := range c.Properties {
			props[k] = v
		}
		c.Properties = props
		if err := edit(&c); err != nil {
			return err
		}
		c.Account, c.ID, c.Kind, c.Seq, c.Created = was.Account, was.ID, was.Kind, was.Seq, was.Created
		if err := checkCollection(&c); err != nil {
			return err
		}
		if c.Name != was.Name {
			if was.Kind != store.Calendar && was.Kind != store.Subscribed {
				return problem.New(problem.Forbidden, "The scheduling %s cannot be renamed.", was.Kind).At(was.Name + "/")
			}
			if err := checkName(c.Name); err != nil {
				return err
			}
		}
		if !slices.Equal(c.Components, was.Components) {
			for o, err := range tx.ListObjects(c.Account, c.ID) {
				if err != nil {
					return err
				}
				if len(c.Components) > 0 && !slices.Contains(c.Components, o.Component) {
					return problem.New(problem.ProtectedProperty, "The calendar %s already holds a %s, so it must stay allowed.", title(was), o.Component).At(c.Name + "/")
				}
			}
		}
		c.Modified = s.now()
		if err := tx.UpdateCollection(c); err != nil {
			if errors.Is(err, store.ErrExists) {
				return problem.New(problem.Exists, "There is already a calendar with the name %s.", c.Name).At(c.Name + "/").Because(err)
			}
			return fmt.Errorf("change calendar %s: %w", name, err)
		}
		out = c
		return nil
	})
	return out, err
}

// Longest texts of a collection, in octets: what a person writes, not a store of data.
const (
	maxDisplayName = 1 << 10
	maxDescription = 64 << 10
	maxProperties  = 1 << 20 // all dead properties together
)

func checkCollection(c *store.Collection) error {
	switch {
	case len(c.DisplayName) > maxDisplayName:
		return problem.New(problem.InvalidProperty, "The calendar's display name is longer than %d octets.", maxDisplayName)
	case len(c.Description) > maxDescription:
		return problem.New(problem.InvalidProperty, "The calendar's description is longer than %d octets.", maxDescription)
	}
	size := 0
	for k, v := range c.Properties {
		size += len(k) + len(v)
	}
	if size > maxProperties {
		return problem.New(problem.InsufficientStorage, "The calendar's properties take more than %d octets together.", maxProperties)
	}
	for i, k := range c.Components {
		c.Components[i] = strings.ToUpper(k)
		if !slices.Contains(componentKinds, c.Components[i]) {
			// RFC 4791 5.2.3
			return problem.New(problem.UnsupportedComponent, "A calendar cannot be made for %s; there are %s.", clip(k), strings.Join(componentKinds, ", "))
		}
	}
	return checkTimeZone(c.TimeZone)
}

// checkTimeZone: RFC 4791 5.2.2, exactly one valid VTIMEZONE.
func checkTimeZone(text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	cal, err := ical.Parse([]byte(text))
	if err != nil {
		return unreadable(err)
	}
	if len(cal.Components) != 1 || cal.Components[0].Name != "VTIMEZONE" || cal.Components[0].Text("TZID") == "" {
		return problem.New(problem.InvalidCalendarData, "The calendar's time zone is iCalendar data with exactly one VTIMEZONE that has a TZID.")
	}
	if cal.Method() != "" {
		return problem.New(problem.InvalidCalendarData, "The calendar's time zone cannot have a METHOD.")
	}
	return nil
}

// defaultCalendar is the calendar that takes new objects of a kind that arrive
// as messages (RFC 6638 4.3): the chosen one, else the one named "default",
// else the first that allows the kind.
func (s *Service) defaultCalendar(tx *store.Tx, owner store.AccountID, kind string) (store.Collection, error) {
	who, err := s.home(tx, owner)
	if err != nil {
		return store.Collection{}, err
	}
	all, err := tx.Collections(owner)
	if err != nil {
		return store.Collection{}, fmt.Errorf("collections of account %d: %w", owner, err)
	}
	chosen := settingsOf(who).DefaultCalendar
	return defaultOf(all, chosen, kind)
}

// defaultOf chooses among the collections of a home.
func defaultOf(all []store.Collection, chosen int64, kind string) (store.Collection, error) {
	best, rank := store.Collection{}, 0
	for _, c := range all {
		if c.Kind != store.Calendar || len(c.Components) > 0 && !slices.Contains(c.Components, kind) {
			continue
		}
		r := 1
		if c.Name == "default" {
			r = 2
		}
		if c.ID == chosen {
			r = 3
		}
		if r > rank {
			best, rank = c, r
		}
	}
	if rank == 0 {
		return best, problem.New(problem.DefaultCalendarNeeded, "There is no calendar that can hold a %s.", kind)
	}
	return best, nil
}

// DefaultCalendar is the calendar that new invitations go to. Only its owner
// may ask.
func (s *Service) DefaultCalendar(ctx context.Context, by account.Actor, owner store.AccountID) (store.Collection, error) {
	var c store.Collection
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		if by.Account != owner {
			return problem.New(problem.NeedPrivileges, "Which calendar receives invitations is its owner's business.")
		}
		c, err = s.defaultCalendar(tx, owner, "VEVENT")
		return err
	})
	return c, err
}

// SetDefaultCalendar chooses the calendar that new invitations go to
// (CALDAV:schedule-default-calendar-URL, RFC 6638 9.2).
func (s *Service) SetDefaultCalendar(ctx context.Context, by account.Actor, owner store.AccountID, name string) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		c, err := tx.CollectionByName(owner, name)
		if errors.Is(err, store.ErrNotFound) || err == nil && (c.Kind != store.Calendar || len(c.Components) > 0 && !slices.Contains(c.Components, "VEVENT")) {
			return problem.New(problem.InvalidDefaultCalendar, "Invitations can only go to one of your own calendars that holds events; %s is none.", clip(name)).At(name + "/")
		}
		if err != nil {
			return fmt.Errorf("calendar %s: %w", name, err)
		}
		if by.Account != owner {
			return problem.New(problem.NeedPrivileges, "Only the owner chooses the calendar for invitations.").At(name + "/")
		}
		who, err := s.home(tx, owner)
		if err != nil {
			return err
		}
		if who, err = withSetting(who, "default-calendar", c.ID); err != nil {
			return err
		}
		return tx.UpdateAccount(who)
	})
}
