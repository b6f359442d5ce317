package store

import (
	"database/sql"
	"fmt"
	"time"
)

// Visit says that somebody was in a home by the configuration of the site rather
// than by what its owner granted.
type Visit struct {
	Account AccountID // whose home it is
	At      time.Time // the beginning of the hour
	Visitor string    // URL name, also of an account that is no more
	Changed bool      // or only read
}

// AddVisit notes a visit; one that is noted already stays as it is.
func (tx *Tx) AddVisit(v Visit) error {
	_, err := tx.exec(`insert into visit (account, at, visitor, changed) values ($1, $2, $3, $4) on conflict do nothing`,
		v.Account, v.At, v.Visitor, v.Changed)
	if err != nil {
		return fmt.Errorf("note a visit to account %d: %w", v.Account, err)
	}
	return nil
}

// Visits lists the visits to a home, the latest first.
func (tx *Tx) Visits(account AccountID, limit int) ([]Visit, error) {
	return collect(tx, func(r *sql.Rows, v *Visit) error {
		return r.Scan(&v.Account, instant{&v.At}, &v.Visitor, &v.Changed)
	}, `select account, at, visitor, changed from visit where account = $1 order by at desc, visitor, changed limit $2`, account, unlimited(limit))
}

// PruneVisits forgets those before a time.
func (tx *Tx) PruneVisits(before time.Time) error {
	_, err := tx.exec(`delete from visit where at < $1`, before)
	return err
}
