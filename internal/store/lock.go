package store

import (
	"database/sql"
	"fmt"
	"time"
)

// Lock is a WebDAV write lock (RFC 4918 6) on a place in a home, whether there
// is anything or not.
type Lock struct {
	Account  AccountID // whose home
	Token    string    // URI
	Path     string    // relative to the home, segments decoded and joined by slashes; "" is the home
	Infinite bool      // with all that lies below
	Shared   bool
	Creator  AccountID
	Owner    string // XML that the creator left
	Timeout  time.Duration
	Expires  time.Time
}

func scanLock(r *sql.Rows, l *Lock) error {
	var seconds int64
	err := r.Scan(&l.Account, &l.Token, &l.Path, &l.Infinite, &l.Shared, &l.Creator, &l.Owner, &seconds, instant{&l.Expires})
	l.Timeout = time.Duration(seconds) * time.Second
	return err
}

// AddLock stores a lock; whether it may be is the caller's business.
func (tx *Tx) AddLock(l Lock) error {
	_, err := tx.exec(`insert into lock (account, token, path, infinite, shared, creator, owner, timeout, expires) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		l.Account, l.Token, l.Path, l.Infinite, l.Shared, l.Creator, l.Owner, int64(l.Timeout/time.Second), l.Expires)
	if err != nil {
		return fmt.Errorf("lock %s: %w", l.Path, err)
	}
	return nil
}

// RefreshLock moves the end of a lock.
func (tx *Tx) RefreshLock(account AccountID, token string, timeout time.Duration, expires time.Time) error {
	n, err := tx.exec(`update lock set timeout = $3, expires = $4 where account = $1 and token = $2`, account, token, int64(timeout/time.Second), expires)
	if err == nil && n == 0 {
		return notFound("lock %s", token)
	}
	return err
}

// DeleteLock removes a lock.
func (tx *Tx) DeleteLock(account AccountID, token string) error {
	n, err := tx.exec(`delete from lock where account = $1 and token = $2`, account, token)
	if err == nil && n == 0 {
		return notFound("lock %s", token)
	}
	return err
}

// Locks lists the locks of a home that have not expired.
func (tx *Tx) Locks(account AccountID, now time.Time) ([]Lock, error) {
	return collect(tx, scanLock, `select account, token, path, infinite, shared, creator, owner, timeout, expires from lock
		where account = $1 and expires > $2 order by path, token`, account, now)
}

// ExpireLocks forgets the locks that ended before an instant.
func (tx *Tx) ExpireLocks(before time.Time) error {
	_, err := tx.exec(`delete from lock where expires < $1`, before)
	return err
}

// AnyLock reports whether any home has a lock.
func (tx *Tx) AnyLock() (bool, error) {
	var n int64
	return tx.row([]any{&n}, `select 1 from lock limit 1`)
}

// Alone reports whether no other server can share this store: only then what
// this process knows of it is all there is.
func (s *Store) Alone() bool { return s.dialect == sqliteDialect }
