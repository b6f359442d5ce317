package store

import (
	"testing"
	"time"
)

// LimitPages makes SQLite's disk full at a number of pages.
func LimitPages(t *testing.T, s *Store, pages int64) {
	t.Helper()
	w := &s.engine.(*sqliteEngine).write
	w.mu.Lock()
	defer w.mu.Unlock()
	var got int64
	if err := w.conn.c.QueryRowContext(t.Context(), "pragma max_page_count = "+jsonText(pages)).Scan(&got); err != nil {
		t.Fatal(err)
	}
}

// Count is the number of rows of a table.
func (tx *Tx) Count(table string) (n int, err error) {
	_, err = tx.row([]any{&n}, `select count(*) from `+table)
	return n, err
}

// LoseTexts takes away the octets that an account's journal keeps apart, as a
// damaged disk would.
func (tx *Tx) LoseTexts(id AccountID) error {
	_, err := tx.exec(`delete from entry_text where account = $1`, id)
	return err
}

// Octets are those of a column of a table.
func (tx *Tx) Octets(table, column string) (n int, err error) {
	_, err = tx.row([]any{&n}, `select coalesce(sum(length(`+column+`)), 0) from `+table)
	return n, err
}

// Forgive has the next update of a group written without a savepoint, whoever
// failed before. tx is one of SQLite's writer.
func Forgive(tx *Tx) {
	if e, ok := tx.s.engine.(*sqliteEngine); ok && tx.write {
		e.write.careful = time.Time{}
	}
}
