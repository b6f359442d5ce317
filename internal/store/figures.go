package store

import (
	"database/sql"
	"time"
)

// Figures are what an operator watches: quick to read at any size of the store.
type Figures struct {
	Accounts int64
	Entries  map[string]int64 // rows of the journal by state
	NextDue  time.Time        // when the next message may go out; zero when none waits
}

// Load is what this process has written since it opened the store.
type Load struct {
	Updates int64 // transactions
	Commits int64 // what they shared
}

// Load counts the transactions.
func (s *Store) Load() Load {
	return Load{Updates: s.updates.Load(), Commits: s.commits.Load()}
}

// Figures counts. It reads indexes only.
func (tx *Tx) Figures() (Figures, error) {
	f := Figures{Entries: map[string]int64{}}
	if _, err := tx.row([]any{&f.Accounts}, `select count(*) from account`); err != nil {
		return f, err
	}
	if err := tx.each(func(r *sql.Rows) error {
		var state string
		var n int64
		if err := r.Scan(&state, &n); err != nil {
			return err
		}
		f.Entries[state] = n
		return nil
	}, `select state, count(*) from entry group by state`); err != nil {
		return f, err
	}
	at, _, err := tx.NextDue()
	f.NextDue = at
	return f, err
}
