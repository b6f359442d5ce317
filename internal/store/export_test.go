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

// GoBack has a home give its last number again.
func GoBack(t *testing.T, s *Store, account AccountID) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx *Tx) error {
		_, err := tx.exec(`update home set seq = seq - 1 where account = $1`, account)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// KeepTexts bounds the texts that a store keeps in memory.
func KeepTexts(s *Store, octets int) { s.texts.limit = octets }

// KeptTexts are the octets of those, as counted and as they are.
func KeptTexts(s *Store) (counted, really int) {
	s.texts.mu.Lock()
	defer s.texts.mu.Unlock()
	for _, k := range s.texts.known {
		really += k.weight()
	}
	return s.texts.octets, really
}
