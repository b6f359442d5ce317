package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// pragma asks a store for a number.
func pragma(t *testing.T, s *Store, name string) (n int64) {
	t.Helper()
	if err := s.View(t.Context(), func(tx *Tx) error {
		_, err := tx.row([]any{&n}, "pragma "+name)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// addTexts stores new objects with texts of a size.
func addTexts(t *testing.T, s *Store, c *Collection, size, n int) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx *Tx) error {
		if c.ID == 0 {
			a := Account{Name: "ann", Created: time.Unix(1, 0)}
			if err := tx.AddAccount(&a); err != nil {
				return err
			}
			*c = Collection{Account: a.ID, Name: "default", Kind: Calendar}
			if err := tx.AddCollection(c); err != nil {
				return err
			}
		}
		for i := range n {
			name := fmt.Sprintf("%d-%d", size, i)
			o := Object{Account: c.Account, Collection: c.ID, Name: name + ".ics", UID: name, Component: "VEVENT"}
			if err := tx.PutObject(&o, bytes.Repeat([]byte("x"), size), Index{}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// Whatever the size of usual events, their rows leave little of the pages empty.
func TestTextsFillPages(t *testing.T) {
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Durability: "normal"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var c Collection
	addTexts(t, s, &c, 1, 1)
	const n = 300
	const beside = 450 // octets of an object's other rows and indexes
	for _, size := range []int{600, 1000, 1300, 1400, 1600, 1800, 1990, 2010, 2030, 2050, 2055, 2070, 2200, 2500, 2700} {
		before := pragma(t, s, "page_count")
		addTexts(t, s, &c, size, n)
		octets := float64((pragma(t, s, "page_count")-before)*pragma(t, s, "page_size")) / n
		if octets > 1.5*float64(size)+beside {
			t.Errorf("%d octets of text take %.0f on disk", size, octets)
		}
	}
}

// A database with pages of another size works on with them, and its log is not
// longer than another's.
func TestPagesOfAnOlderStore(t *testing.T) {
	dir := t.TempDir()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, sqliteFile)+"?_pragma=page_size(4096)&_journal_mode=WAL")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("create table older (x); drop table older"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s, err := Open(t.Context(), Options{Dir: dir, Durability: "normal"})
		if err != nil {
			t.Fatal(err)
		}
		if size := pragma(t, s, "page_size"); size != 4096 {
			t.Errorf("its pages have %d octets now", size)
		}
		var pages int64
		if err := s.engine.(*sqliteEngine).write.conn.c.QueryRowContext(context.Background(), "pragma wal_autocheckpoint").Scan(&pages); err != nil || pages != writerCheckpoint/4096 {
			t.Errorf("the log may have %d pages, %v", pages, err)
		}
		if pragma(t, s, "freelist_count") == 0 {
			var c Collection
			addTexts(t, s, &c, 2055, 10)
			if err := s.Update(t.Context(), func(tx *Tx) error { return tx.DeleteCollection(c.Account, c.ID) }); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
