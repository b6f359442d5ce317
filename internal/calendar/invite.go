package calendar

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

func sortByName(list []store.Account) {
	slices.SortFunc(list, func(a, b store.Account) int { return cmp.Compare(a.Name, b.Name) })
}

// Kinds of notifications.
const (
	NoteInvited  = "invited"  // to the one who is invited
	NoteRemoved  = "removed"  // to the one who was
	NoteAccepted = "accepted" // to the owner
	NoteDeclined = "declined"
)

// Note is what a notification says beside its row.
type Note struct {
	From       string   `json:"from"` // account name of who caused it
	Access     string   `json:"access,omitempty"`
	Title      string   `json:"title,omitempty"`
	Components []string `json:"components,omitempty"`
	ReplyTo    string   `json:"reply-to,omitempty"` // name of the invitation that was answered
}

// NoteOf reads what a notification says.
func NoteOf(n store.Notification) (note Note) {
	_ = json.Unmarshal([]byte(n.Body), &note) // written here
	return note
}

// maxNotifications of one account: further ones push the oldest out.
const maxNotifications = 500

func (s *Service) notify(tx *store.Tx, to store.AccountID, kind string, c store.Collection, note Note) error {
	list, err := tx.Notifications(to)
	if err != nil {
		return err
	}
	if len(list) >= maxNotifications {
		if err := tx.DeleteNotification(to, list[0].Name); err != nil {
			return err
		}
	}
	body, err := json.Marshal(note)
	if err != nil {
		return err
	}
	return tx.AddNotification(&store.Notification{Account: to, Name: newUUID() + ".xml", Kind: kind, Owner: c.Account, Collection: c.ID, Created: s.now(), Body: string(body)})
}

// Invitee is someone to share a calendar with by invitation.
type Invitee struct {
	Account store.AccountID
	Access  acl.Access
	Title   string // a name for the calendar, as the owner proposes it
}

// Invite shares a calendar by invitation: who is new on the list has it among
// their calendars once they accept. Those removed lose it at once.
func (s *Service) Invite(ctx context.Context, by account.Actor, owner store.AccountID, coll string, set []Invitee, remove []store.AccountID) (err error) {
	defer func() {
		if err == nil {
			s.audit(by, "invite", "calendar", coll, "invited", set, "removed", remove)
		}
	}()
	return s.store.Update(ctx, func(tx *store.Tx) error {
		c, err := s.owned(tx, by, owner, coll)
		if err != nil {
			return err
		}
		for _, i := range set {
			_, err := tx.ShareOf(owner, c.ID, i.Account)
			fresh := errors.Is(err, store.ErrNotFound)
			if err != nil && !fresh {
				return err
			}
			if err := s.acl.Grant(tx, owner, c.ID, i.Account, i.Access); err != nil {
				return err
			}
			m, err := tx.Mount(i.Account, owner, c.ID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if !fresh && (err != nil || m.State == store.MountAccepted) {
				continue // has it already, now with another right
			}
			changed, err := tx.Changed(owner, c.ID)
			if err != nil {
				return err
			}
			m = store.Mount{Account: i.Account, Owner: owner, Collection: c.ID, State: store.MountInvited, Seen: changed, Transparent: true, DisplayName: clipTo(i.Title, maxDisplayName), Comment: i.Title}
			if err := tx.PutMount(&m); err != nil {
				return err
			}
			if err := tx.DropNotifications(i.Account, NoteInvited, owner, c.ID); err != nil {
				return err
			}
			if err := s.notify(tx, i.Account, NoteInvited, c, Note{From: by.Name, Access: i.Access.String(), Title: cmp.Or(i.Title, title(c)), Components: c.Components}); err != nil {
				return err
			}
		}
		for _, id := range remove {
			if err := s.unshare(tx, by, c, id); err != nil && !problem.Has(err, problem.NotFound) {
				return err
			}
		}
		return nil
	})
}

// unshare takes a calendar back from somebody, who is told.
func (s *Service) unshare(tx *store.Tx, by account.Actor, c store.Collection, from store.AccountID) error {
	if err := s.acl.Revoke(tx, c.Account, c.ID, from); err != nil {
		return err
	}
	if err := tx.DropNotifications(from, NoteInvited, c.Account, c.ID); err != nil {
		return err
	}
	m, err := tx.Mount(from, c.Account, c.ID)
	if errors.Is(err, store.ErrNotFound) || err == nil && m.State != store.MountAccepted {
		return tx.DeleteMount(from, c.Account, c.ID)
	}
	if err != nil {
		return err
	}
	if err := tx.DeleteMount(from, c.Account, c.ID); err != nil {
		return err
	}
	return s.notify(tx, from, NoteRemoved, c, Note{From: by.Name, Title: cmp.Or(m.DisplayName, title(c))})
}

// Share gives one account access to a calendar, which is among their calendars
// from then on; Unshare takes it back.
func (s *Service) Share(ctx context.Context, by account.Actor, owner store.AccountID, coll string, with store.AccountID, access acl.Access) (err error) {
	defer func() {
		if err == nil {
			s.audit(by, "share", "calendar", coll, "with", with, "access", access)
		}
	}()
	return s.store.Update(ctx, func(tx *store.Tx) error {
		c, err := s.owned(tx, by, owner, coll)
		if err != nil {
			return err
		}
		return s.grant(tx, c, with, access)
	})
}

// audit notes who let whom do what: the record of sharing.
func (s *Service) audit(by account.Actor, what string, more ...any) {
	s.log.Info("sharing", append([]any{"by", by.Name, "what", what}, more...)...)
}

// grant shares a calendar without asking: an invitation that waits, or one that
// was declined, is settled by it.
func (s *Service) grant(tx *store.Tx, c store.Collection, with store.AccountID, access acl.Access) error {
	if err := s.acl.Grant(tx, c.Account, c.ID, with, access); err != nil {
		return err
	}
	if err := tx.DropNotifications(with, NoteInvited, c.Account, c.ID); err != nil {
		return err
	}
	m, err := tx.Mount(with, c.Account, c.ID)
	if errors.Is(err, store.ErrNotFound) || err == nil && m.State == store.MountAccepted {
		return nil // the home's next synchronisation finds it
	}
	if err != nil {
		return err
	}
	m.State = store.MountAccepted
	return tx.PutMount(&m)
}

// Unshare takes a calendar back from one account.
func (s *Service) Unshare(ctx context.Context, by account.Actor, owner store.AccountID, coll string, from store.AccountID) (err error) {
	defer func() {
		if err == nil {
			s.audit(by, "unshare", "calendar", coll, "from", from)
		}
	}()
	return s.store.Update(ctx, func(tx *store.Tx) error {
		c, err := s.owned(tx, by, owner, coll)
		if err != nil {
			return err
		}
		return s.unshare(tx, by, c, from)
	})
}

// answered tells the owner what became of an invitation.
func (s *Service) answered(tx *store.Tx, by account.Actor, c store.Collection, accept bool, replyTo string) error {
	if err := tx.DropNotifications(by.Account, NoteInvited, c.Account, c.ID); err != nil {
		return err
	}
	kind := NoteDeclined
	if accept {
		kind = NoteAccepted
	}
	return s.notify(tx, c.Account, kind, c, Note{From: by.Name, Title: title(c), ReplyTo: replyTo})
}

// Notifications lists what one was told and has not deleted.
func (s *Service) Notifications(ctx context.Context, by account.Actor) (list []store.Notification, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.Notifications(by.Account)
		return err
	})
	return list, err
}

// Notification finds one by its name.
func (s *Service) Notification(ctx context.Context, by account.Actor, name string) (n store.Notification, c store.Collection, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		n, err = tx.Notification(by.Account, name)
		if errors.Is(err, store.ErrNotFound) {
			return notFound(name).Because(err)
		}
		if err != nil {
			return fmt.Errorf("notification %s: %w", name, err)
		}
		c, err = tx.Collection(n.Owner, n.Collection)
		if errors.Is(err, store.ErrNotFound) { // deleted since
			c, err = store.Collection{Account: n.Owner, ID: n.Collection}, nil
		}
		return err
	})
	return n, c, err
}

// DeleteNotification removes one that was read.
func (s *Service) DeleteNotification(ctx context.Context, by account.Actor, name string) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		err := tx.DeleteNotification(by.Account, name)
		if errors.Is(err, store.ErrNotFound) {
			return notFound(name).Because(err)
		}
		return err
	})
}
