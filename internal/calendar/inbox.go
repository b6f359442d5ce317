package calendar

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/store"
)

// inboxItem puts the message into the scheduling inbox, last of all (RFC 6638
// 4.1: only once all automatic processing has been done).
func (s *Service) inboxItem(tx *store.Tx, a Arrival, e *store.Entry) error {
	all, err := tx.Collections(a.To)
	if err != nil {
		return fmt.Errorf("collections of account %d: %w", a.To, err)
	}
	for _, c := range all {
		if c.Kind != store.Inbox {
			continue
		}
		body := a.Message.Bytes()
		o := store.Object{Account: a.To, Collection: c.ID, Modified: s.now()}
		s.describe(&o, a.Message, etag(body), false)
		if o.Name, err = freeInboxName(tx, c, e.Digest); err != nil {
			return err
		}
		ix, err := s.timeIndex(a.Message, tz.NewResolver(a.Message, nil))
		if err != nil {
			ix = store.Index{Timeless: true} // RFC 6638 2.3: no DTSTART matches every range
		}
		if err := tx.PutObject(&o, body, ix); err != nil {
			return fmt.Errorf("put message into the inbox: %w", err)
		}
		return nil
	}
	return nil // an account without an inbox wants none
}

func freeInboxName(tx *store.Tx, c store.Collection, digest string) (string, error) {
	for i := range 100 {
		sum := sha256.Sum256([]byte(digest + strconv.Itoa(i)))
		name := hex.EncodeToString(sum[:12]) + ".ics"
		o, err := object(tx, c, name)
		if err != nil {
			return "", err
		}
		if o == nil {
			return name, nil
		}
	}
	return "", fmt.Errorf("no free name in the inbox of account %d", c.Account)
}
