package calendar

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/convene-cal/convene/internal/store"
)

// inboxItem puts the message into the scheduling inbox, last of all (RFC 6638
// 4.1: only once all automatic processing has been done).
func (s *Service) inboxItem(tx *store.Tx, a Arrival, e *store.Entry, dir *Directory) error {
	all, err := dir.collections(a.To)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.Kind != store.Inbox {
			continue
		}
		w := dir.writing(a.Message)
		o := store.Object{Account: a.To, Collection: c.ID, Modified: s.now()}
		s.describe(&o, a.Message, w.etag(), false)
		ix, err := w.timeIndex(s)
		if err != nil {
			ix = store.Index{Timeless: true} // RFC 6638 2.3: no DTSTART matches every range
		}
		ix.Unlisted = true
		if err := putUnderFreeName(tx, &o, w.body, ix, inboxNames(e.Digest)); err != nil {
			return fmt.Errorf("put message into the inbox: %w", err)
		}
		e.Apart = store.InInbox(&o, w.body)
		return nil
	}
	return nil // an account without an inbox wants none
}

// inboxNames are names to try for an item. The same message may be there
// already when its owner has it applied once more.
func inboxNames(digest string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range 100 {
			sum := sha256.Sum256([]byte(digest + strconv.Itoa(i)))
			if !yield(hex.EncodeToString(sum[:12]) + ".ics") {
				return
			}
		}
	}
}

// putUnderFreeName stores a new object under the first of some names that is
// free in its collection.
func putUnderFreeName(tx *store.Tx, o *store.Object, body []byte, ix store.Index, names iter.Seq[string]) error {
	for o.Name = range names {
		if err := tx.PutObject(o, body, ix); !errors.Is(err, store.ErrExists) {
			return err
		}
	}
	return fmt.Errorf("no free name for %s in collection %d", o.UID, o.Collection)
}
