package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/convene-cal/convene/internal/store"
)

// seen is what the evidence of an outgoing row says of the page that its
// recipient was given to answer on; other members belong to the transport.
type seen struct {
	Page   string    `json:"page"`
	Opened time.Time `json:"opened,omitzero"`
}

// PageOf is the token of the page that the recipient of an outgoing message was
// given, "" without one, and when it was opened first, zero for never.
func PageOf(e store.Entry) (token string, opened time.Time) {
	var s seen
	if e.Direction != Out || len(e.Evidence) == 0 || json.Unmarshal(e.Evidence, &s) != nil {
		return "", time.Time{}
	}
	return s.Page, s.Opened
}

// Opened notes that the recipient of an outgoing message opened its page. Only
// the first time is kept.
func (j *Journal) Opened(ctx context.Context, account store.AccountID, id int64) error {
	err := j.o.Store.Update(ctx, func(tx *store.Tx) error {
		e, err := tx.Entry(account, id)
		if err != nil {
			return err
		}
		members := map[string]json.RawMessage{}
		if err := json.Unmarshal(e.Evidence, &members); err != nil {
			return nil // a row without a page
		}
		if _, again := members["opened"]; again {
			return nil
		}
		now := j.o.Now().UTC()
		if members["opened"], err = json.Marshal(now.Truncate(time.Second)); err != nil {
			return err
		}
		if e.Evidence, err = json.Marshal(members); err != nil {
			return err
		}
		e.Raw = nil // stays as it is
		return tx.UpdateEntry(e)
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("note that the page of message %d was opened: %w", id, err)
	}
	return nil
}
