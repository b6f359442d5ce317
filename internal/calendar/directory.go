package calendar

import (
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// Directory answers within one transaction which addresses have an account
// here, asking once for each, and for many at once where it can.
type Directory struct {
	tx       *store.Tx
	accounts *account.Service
	known    map[string]known
	places   map[store.AccountID][]store.Collection
	traces   map[met]store.Traces
	alike    itip.Alike     // what messages of this service mean for copies
	written  []*writtenOut  // the objects written last
	ahead    *ahead         // what was worked out before the transaction; nil for nothing
	lacking  *ical.Calendar // a message that names zones of the site, and
	whole    *ical.Calendar // the same with their definitions
	err      error          // whoever uses it looks when it is done
}

// met is an event as a home may have met it.
type met struct {
	account store.AccountID
	uid     string
}

// known is an address that was looked up; ID 0: not ours.
type known struct {
	store.Holder
	renamed bool // the account had the address before
}

// Directory of the calendar users here, for a transaction.
func (s *Service) Directory(tx *store.Tx) *Directory { return s.directory(tx) }

func (s *Service) directory(tx *store.Tx) *Directory {
	return &Directory{tx: tx, accounts: s.o.Accounts, known: map[string]known{}}
}

// load looks up those addresses that were not yet asked for.
func (d *Directory) load(list []ical.Address) {
	var keys []string
	asked := map[string]bool{}
	for _, a := range list {
		key := a.Key()
		if _, seen := d.known[key]; !seen && !asked[key] && key != "" {
			keys, asked[key] = append(keys, key), true
		}
	}
	if len(keys) == 0 || d.err != nil {
		return
	}
	found, err := d.tx.Holders(keys)
	if err != nil {
		d.err = err
		return
	}
	var absent []string
	for _, key := range keys {
		if h, ok := found[key]; ok {
			d.known[key] = known{Holder: h}
		} else {
			absent = append(absent, key)
		}
	}
	if len(absent) == 0 {
		return
	}
	moved, err := d.tx.Redirected(absent)
	if err != nil {
		d.err = err
		return
	}
	for _, key := range absent {
		var k known
		if uri, ok := moved[key]; ok {
			acc, ok, err := d.accounts.LookupTx(d.tx, ical.Address(uri))
			if err != nil {
				d.err = err
				return
			}
			if ok {
				k = known{Holder: store.Holder{Account: acc}, renamed: true}
			}
		}
		d.known[key] = k
	}
}

// account is that of an address, or of whoever had it before.
func (d *Directory) account(a ical.Address) (store.Account, bool) {
	k, seen := d.known[a.Key()]
	if !seen {
		d.load([]ical.Address{a})
		k = d.known[a.Key()]
	}
	return k.Account, k.ID != 0
}

func (d *Directory) local(a ical.Address) bool {
	_, ok := d.account(a)
	return ok
}

// Holders looks addresses up and gives the accounts that have them now, in the
// same order; ID 0 for those that nobody here has.
func (d *Directory) Holders(list []ical.Address) ([]store.Account, error) {
	d.load(list)
	out := make([]store.Account, len(list))
	for i, a := range list {
		if k := d.known[a.Key()]; !k.renamed {
			out[i] = k.Account
		}
	}
	return out, d.err
}

// holder is an account that was found by one of its addresses, nil when it was not.
func (d *Directory) holder(id store.AccountID, address ical.Address) *store.Holder {
	if k, ok := d.known[address.Key()]; ok && k.ID == id && !k.renamed {
		return &k.Holder
	}
	return nil
}

// Traces tell where a home has met a UID, as it was before the message that is
// being received.
func (d *Directory) Traces(id store.AccountID, uid string) (store.Traces, error) {
	if t, ok := d.traces[met{id, uid}]; ok {
		return t, nil
	}
	t, err := d.tx.Traces(id, uid)
	if err != nil {
		return t, fmt.Errorf("look for %s: %w", uid, err)
	}
	if d.traces == nil {
		d.traces = map[met]store.Traces{}
	}
	d.traces[met{id, uid}] = t
	return t, nil
}

// loadTraces looks for the UIDs of messages in the homes of their recipients, for
// all recipients of a UID at once.
func (d *Directory) loadTraces(arrivals []Arrival) error {
	homes := map[string][]store.AccountID{}
	for _, a := range arrivals {
		if uid := a.Message.UID(); a.colleague() && uid != "" && len(uid) <= maxUID {
			if k := d.known[a.Recipient.Key()]; k.ID != 0 {
				homes[uid] = append(homes[uid], k.ID)
			}
		}
	}
	for uid, list := range homes {
		if len(list) < 2 {
			continue
		}
		found, err := d.tx.TracesIn(list, uid)
		if err != nil {
			return fmt.Errorf("look for %s: %w", uid, err)
		}
		if d.traces == nil {
			d.traces = map[met]store.Traces{}
		}
		for id, t := range found {
			d.traces[met{id, uid}] = t
		}
	}
	return nil
}

// collections of an account, to choose one for a new object.
func (d *Directory) collections(id store.AccountID) ([]store.Collection, error) {
	if all, ok := d.places[id]; ok {
		return all, nil
	}
	all, err := d.tx.Places(id)
	if err != nil {
		return nil, fmt.Errorf("collections of account %d: %w", id, err)
	}
	if d.places == nil {
		d.places = map[store.AccountID][]store.Collection{}
	}
	d.places[id] = all
	return all, nil
}
