package store_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/convene-cal/convene/internal/store"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "convene")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	s, err := store.Open(ctx, store.Options{Dir: dir})
	if err != nil {
		panic(err)
	}
	defer s.Close()

	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	ann := store.Account{Name: "ann", Kind: store.Individual, Created: now}
	work := store.Collection{Name: "work", Kind: store.Calendar, Created: now}
	var event store.Object
	err = s.Update(ctx, func(tx *store.Tx) error {
		if err := tx.AddAccount(&ann); err != nil {
			return err
		}
		work.Account = ann.ID
		if err := tx.AddCollection(&work); err != nil {
			return err
		}
		// The function may run again: what it fills in begins anew.
		event = store.Object{Account: ann.ID, Collection: work.ID, Name: "1.ics", UID: "1@example.com", ETag: `"a"`, Component: "VEVENT"}
		return tx.PutObject(&event, []byte("BEGIN:VCALENDAR..."), store.Index{First: now.Unix(), Last: now.Add(time.Hour).Unix()})
	})
	if err != nil {
		panic(err)
	}

	err = s.View(ctx, func(tx *store.Tx) error {
		for o, err := range tx.ObjectsInRange(ann.ID, []int64{work.ID}, "VEVENT", now.Unix(), now.AddDate(0, 1, 0).Unix()) {
			if err != nil {
				return err
			}
			fmt.Println(o.Name, o.UID)
		}
		changes, _, err := tx.Changes(ann.ID, work.ID, work.Seq, 10)
		fmt.Println(len(changes), "change since the calendar was made")
		return err
	})
	if err != nil {
		panic(err)
	}
	// Output:
	// 1.ics 1@example.com
	// 1 change since the calendar was made
}
