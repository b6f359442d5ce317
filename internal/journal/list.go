package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// List gives the rows of a filter, newest first.
func (j *Journal) List(ctx context.Context, f store.EntryFilter) ([]store.Entry, error) {
	var out []store.Entry
	err := j.o.Store.View(ctx, func(tx *store.Tx) (err error) {
		out, err = tx.Entries(f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	return out, nil
}

// HasMet tells whether an account has had to do with somebody before: wrote to
// them, or had a message of theirs applied. The latest messages decide.
func HasMet(tx *store.Tx, account store.AccountID, who ical.Address) (bool, error) {
	return withOneOf(tx, store.EntryFilter{Account: account, States: []string{string(itip.Applied), Sent, Delivered}}, who)
}

// HasWritten tells whether an account has written to somebody: invited or answered
// them. Unlike having met, nobody can bring it about from outside.
func HasWritten(tx *store.Tx, account store.AccountID, who ical.Address) (bool, error) {
	return withOneOf(tx, store.EntryFilter{Account: account, Direction: Out, States: []string{Sent, Delivered}}, who)
}

// withOneOf looks for somebody among the latest messages of a filter.
func withOneOf(tx *store.Tx, f store.EntryFilter, who ical.Address) (bool, error) {
	if who == "" {
		return false, nil
	}
	f.Limit, f.Bare = 1000, true
	rows, err := tx.Entries(f)
	if err != nil {
		return false, fmt.Errorf("earlier messages: %w", err)
	}
	for _, k := range rows {
		other := k.To
		if k.Direction == In {
			other = k.From
		}
		if ical.Address(other).Equal(who) {
			return true, nil
		}
	}
	return false, nil
}

// Show gives one row of an account.
func (j *Journal) Show(ctx context.Context, account store.AccountID, id int64) (store.Entry, error) {
	var e store.Entry
	err := j.o.Store.View(ctx, func(tx *store.Tx) (err error) {
		e, err = tx.Entry(account, id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return e, problem.New(problem.NotFound, "There is no message %d in this account.", id).Because(err)
	}
	if err != nil {
		return e, fmt.Errorf("show message %d: %w", id, err)
	}
	return e, nil
}

// askedAgain marks the attempt row from which the time to give up counts anew.
const askedAgain = "Asked to be sent again."

// Retry makes an outgoing message that has failed, or waits for its next
// attempt, due now. Its time to give up begins anew.
func (j *Journal) Retry(ctx context.Context, account store.AccountID, id int64) (store.Entry, error) {
	var e store.Entry
	err := j.o.Store.Update(ctx, func(tx *store.Tx) (err error) {
		if e, err = tx.Entry(account, id); err != nil {
			return err
		}
		now := j.o.Now().UTC()
		switch {
		case e.Direction != Out:
			return problem.New(problem.BadInput, "Message %d was received; only outgoing messages can be sent again.", id)
		case e.State != Due && e.State != Failed:
			return problem.New(problem.BadInput, "Message %d is %s; only a failed or waiting message can be sent again.", id, e.State)
		case e.LeaseUntil.After(now):
			return problem.New(problem.BadInput, "Message %d is being sent at this moment.", id)
		}
		e.State, e.Status, e.NextAttempt, e.Updated = Due, "1.0", now, now
		e.Attempts = append(e.Attempts, store.Attempt{Time: now, Sentence: askedAgain})
		return tx.UpdateEntry(e)
	})
	if errors.Is(err, store.ErrNotFound) {
		return e, problem.New(problem.NotFound, "There is no message %d in this account.", id).Because(err)
	}
	if err != nil {
		return e, err
	}
	j.Wake()
	return e, nil
}

// Way is the name of the transport that is asked first for an address, "" where
// there is none. Nothing is sent, and no other server is asked.
func (j *Journal) Way(ctx context.Context, to ical.Address) string {
	for _, t := range j.ways() {
		if t.Accepts(ctx, to) {
			return t.Name()
		}
	}
	return ""
}
