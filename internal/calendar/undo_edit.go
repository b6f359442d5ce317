package calendar

import (
	"encoding/json"
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// takeBack recognises a change that restores what was there before the latest
// one, of which nobody has heard yet: it is told to nobody either. What was
// remembered then, and the answers of then, are good again.
func (s *Service) takeBack(tx *store.Tx, ch change, p *planned) error {
	if ch.old == nil || ch.new == nil || ch.imp || len(p.out.Send) == 0 || p.out.Role != itip.OrganizerRole {
		return nil
	}
	owner, err := tx.Account(ch.coll.Account)
	if err != nil {
		return fmt.Errorf("account %d: %w", ch.coll.Account, err)
	}
	if s.undoWindow(owner) == 0 {
		return nil
	}
	o, err := s.lastChange(tx, owner.ID, ch.old.UID)
	if err != nil || len(o.rows) == 0 || o.known || o.rows[0].Object != ch.old.ID {
		return err
	}
	c, err := s.changed(tx, ch.by, owner.ID, o)
	if err != nil || c == nil || c.was == nil || !c.untouched {
		return nil // the state before is not there to compare with
	}
	before := p.asked
	before.MergePartstat = true // answers that the change had opened
	before.Memory = itip.Memory{}
	if before.Old, err = ical.ParseLimits(c.body, s.parseLimits()); err != nil {
		return nil
	}
	if len(c.memory) > 0 {
		if err := json.Unmarshal(c.memory, &before.Memory); err != nil {
			return fmt.Errorf("scheduling state of object %d: %w", ch.old.ID, err)
		}
	}
	out, err := itip.Plan(before)
	if err != nil || len(out.Send) > 0 || p.dir.err != nil {
		return p.dir.err
	}
	if _, err := s.withdraw(tx, o); err != nil {
		return err
	}
	p.out = out
	return nil
}
