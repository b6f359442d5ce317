package cip

import (
	"errors"
	"slices"
	"strings"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// guest is an attendee of a SENDEVENT and what becomes of the event for them.
type guest struct {
	cip.Person
	account store.Account
	info    cip.Info // zero: no line
	ours    bool     // counts for the completion
	stored  bool
	skip    bool // decided already; nothing is to be done
	had     *before
}

// before is what a guest has of the event.
type before struct {
	organizer ical.Address
	version   int64 // the highest that is known
	held      bool  // known from messages only
}

// guests looks attendees up, in the order of their lines.
func (c *CIP) guests(tx *store.Tx, dir *calendar.Directory, attendees []cip.Person, trace []string) ([]guest, error) {
	list := make([]guest, len(attendees))
	addresses := make([]ical.Address, len(attendees))
	for i, w := range attendees {
		list[i].Person, addresses[i] = w, w.Address
	}
	accounts, err := dir.Holders(addresses)
	if err != nil {
		return nil, err
	}
	// groups that lead back to us.
	circle := len(trace) > maxTrace || slices.ContainsFunc(trace, c.ours)
	for i := range list {
		g := &list[i]
		if g.account = accounts[i]; g.account.ID != 0 {
			g.ours = true
		} else if err := c.unknown(tx, g); err != nil {
			return nil, err
		}
		if circle {
			g.info, g.skip = cip.Info{Code: cip.NotFound, ID: g.ID}, true
		}
	}
	return list, nil
}

// maxTrace is how many servers an event may have come through on behalf of
// groups.
const maxTrace = 5

// unknown says of an attendee without an account here what there is to say: one
// that has another address now, or nobody of ours.
func (c *CIP) unknown(tx *store.Tx, g *guest) error {
	g.info, g.skip = cip.Info{Code: cip.NotFound, ID: g.ID}, true
	if g.ours = c.ours(cip.ServerOf(g.ID)); !g.ours || g.Address == "" {
		return nil
	}
	r, err := tx.Redirect(g.Address.Key())
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	// Several moves are told as one.
	for range maxRedirects {
		next, err := tx.Redirect(ical.Address(r.NewURI).Key())
		if err != nil {
			break
		}
		r = next
	}
	if id, ok := cip.UserID(ical.Address(r.NewURI)); ok && !strings.EqualFold(id, g.ID) {
		g.info = cip.Info{Code: cip.Redirect, Kind: cip.RedirectUser, ID: g.ID, New: id}
	}
	return nil
}

// has says what an account knows of an event.
func (c *CIP) has(tx *store.Tx, dir *calendar.Directory, id store.AccountID, uid string) (*before, error) {
	traces, err := dir.Traces(id, uid)
	if err != nil || !traces.Object && !traces.Entry {
		return nil, err
	}
	objects, err := tx.ObjectsByUID(id, uid)
	if err != nil {
		return nil, err
	}
	var b *before
	for _, o := range objects {
		if !o.Scheduling {
			continue
		}
		b = &before{}
		body, err := tx.Body(o.Account, o.ID)
		if err != nil {
			return nil, err
		}
		if cal, err := ical.Parse(body); err == nil {
			for _, comp := range cal.Main() {
				if w, ok := itip.Organizer(comp); ok {
					b.organizer = w.Address
				}
			}
			if m := cal.Master(); m != nil {
				b.version = int64(sequenceOf(m)) + 1
			}
		}
		break
	}
	// The versions that came by CIP are in the rows of the messages.
	rows, err := tx.Received(id, uid, Name)
	if err != nil {
		return nil, err
	}
	highest := int64(-1)
	for _, r := range rows {
		if in := recordOf(&r); in.EventID != "" && itip.Method(r.Method) != itip.Reply && r.State != calendar.StateRejected {
			highest = max(highest, in.Version)
		}
	}
	if highest >= 0 {
		if b == nil {
			b = &before{held: true}
		}
		b.version = highest
	}
	return b, nil
}
