package calendar

import (
	"errors"
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// settle writes delivery statuses into SCHEDULE-STATUS of the senders'
// objects (RFC 6638 3.2.9, 7.3): of the ATTENDEE for what an organizer sent,
// of the ORGANIZER for what an attendee answered. The schedule tag stays.
func (s *Service) settle(tx *store.Tx, done []journal.Settled) error {
	type key struct {
		account store.AccountID
		object  int64
	}
	var order []key
	byObject := map[key][]*store.Entry{}
	for _, d := range done {
		e := d.Entry
		if e.Object == 0 || e.Refresh || e.Method == string(itip.Refresh) {
			continue
		}
		k := key{e.Account, e.Object}
		if _, seen := byObject[k]; !seen {
			order = append(order, k)
		}
		byObject[k] = append(byObject[k], e)
	}
	for _, k := range order {
		if err := s.setStatuses(tx, k.account, k.object, byObject[k]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) setStatuses(tx *store.Tx, account store.AccountID, id int64, entries []*store.Entry) error {
	o, err := tx.ObjectByID(account, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil // deleted: there is nowhere to note it but the journal
	}
	if err != nil {
		return fmt.Errorf("object %d of messages: %w", id, err)
	}
	body, err := tx.Body(account, id)
	if err != nil {
		return fmt.Errorf("object %d of messages: %w", id, err)
	}
	cal, err := ical.ParseLimits(body, s.parseLimits())
	if err != nil {
		s.log.Error("stored object cannot be read", "account", account, "object", id, "error", err)
		return nil
	}
	changed := false
	statuses := itip.StatusesOf(cal)
	for _, e := range entries {
		if e.UID != o.UID {
			continue
		}
		if setStatus(cal, statuses, e) {
			changed = true
		}
	}
	if !changed {
		return nil
	}
	return s.rewrite(tx, &o, cal)
}

func setStatus(cal *ical.Calendar, statuses *itip.Statuses, e *store.Entry) bool {
	to := ical.Address(e.To)
	if itip.Method(e.Method) != itip.Reply && itip.Method(e.Method) != itip.Counter {
		return statuses.Set(to, e.RecurrenceID, e.Status)
	}
	changed := false
	for _, c := range cal.Main() {
		p := c.Prop("ORGANIZER")
		if p == nil || !p.Address().Equal(to) || p.Param("SCHEDULE-STATUS") == e.Status {
			continue
		}
		p.SetParam("SCHEDULE-STATUS", e.Status)
		changed = true
	}
	return changed
}

// rewrite stores an object that the server itself changed, in its place, with
// its schedule tag.
func (s *Service) rewrite(tx *store.Tx, o *store.Object, cal *ical.Calendar) error {
	body := cal.Bytes()
	tag := etag(body)
	if tag == o.ETag {
		return nil
	}
	ix, err := s.timeIndex(cal, tz.NewResolver(cal, nil))
	if err != nil {
		return err
	}
	s.describe(o, cal, tag, o.Scheduling)
	o.Modified = s.now()
	if err := tx.PutObject(o, body, ix); err != nil {
		return fmt.Errorf("store object %d: %w", o.ID, err)
	}
	return nil
}
