package store

import (
	"errors"
	"regexp"
	"testing"
	"time"
)

// TestHeadsAreExact: whatever moves the numbers that everything new takes the
// next of, or takes some back, the next one is the one after that in the table.
func TestHeadsAreExact(t *testing.T) {
	dir := t.TempDir()
	here, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	there, err := Open(t.Context(), Options{Dir: dir}) // as the command line beside the server
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	update := func(s *Store, fn func(*Tx) error) {
		t.Helper()
		if err := s.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	a := Account{Name: "ann", Created: time.Unix(1, 0)}
	update(here, func(tx *Tx) error { a.ID = 0; return tx.AddAccount(&a) })
	c := Collection{Account: a.ID, Name: "default", Kind: Calendar, Created: time.Unix(1, 0)}
	update(here, func(tx *Tx) error { c.ID = 0; return tx.AddCollection(&c) })
	add := func(tx *Tx) error {
		var before, entries, after, later int64
		heads := `select (select seq from home where account = $1), (select value from counter where name = 'entry')`
		if _, err := tx.row([]any{&before, &entries}, heads, a.ID); err != nil {
			return err
		}
		seq, err := tx.nextSeq(a.ID)
		if err != nil {
			return err
		}
		e := Entry{Account: a.ID, Direction: "in", Created: time.Unix(1, 0)}
		if err := tx.AddEntry(&e); err != nil {
			return err
		}
		if _, err := tx.row([]any{&after, &later}, heads, a.ID); err != nil {
			return err
		}
		if seq != before+1 || after != seq || e.ID != entries+1 || later != e.ID {
			t.Errorf("numbers %d after %d, %d after %d; the table says %d and %d", seq, before, e.ID, entries, after, later)
		}
		return nil
	}
	undone := errors.New("undone")
	fails := func(s *Store) {
		t.Helper()
		if err := s.Update(t.Context(), func(tx *Tx) error { return errors.Join(add(tx), add(tx), undone) }); !errors.Is(err, undone) {
			t.Fatal(err)
		}
	}
	twice := func(tx *Tx) error { return errors.Join(add(tx), add(tx)) }
	update(here, twice)
	update(there, twice)
	update(here, twice)
	fails(here)
	update(here, twice)
	fails(there)
	update(there, twice)
	update(here, func(tx *Tx) error {
		if err := add(tx); err != nil {
			return err
		}
		if _, err := tx.exec(`update home set seq = 1000 where account = $1`, a.ID); err != nil {
			return err
		}
		if _, err := tx.exec(`delete from counter where name = 'entry'`); err != nil {
			return err
		}
		if _, err := tx.exec(`insert into counter (name, value) values ('entry', 1000)`); err != nil {
			return err
		}
		return add(tx)
	})
	// In a group: the savepoint of one that fails is given up, what came before stays.
	w := &here.engine.(*sqliteEngine).write
	w.mu.Lock()
	w.careful = time.Now().Add(time.Hour)
	if err := w.begin(here); err != nil {
		t.Fatal(err)
	}
	g := w.group
	for i, fn := range []func(*Tx) error{twice, func(tx *Tx) error { return errors.Join(twice(tx), undone) }, twice} {
		if err := w.inside(t.Context(), here, fn); errors.Is(err, undone) != (i == 1) {
			t.Errorf("%d: %v", i, err)
		}
		g.size++
	}
	w.commit(here)
	w.mu.Unlock()
	if g.err != nil {
		t.Error(g.err)
	}
}

// TestEveryMoveOfAHeadIsNoticed looks at each piece of SQL in the package.
func TestEveryMoveOfAHeadIsNoticed(t *testing.T) {
	writes := regexp.MustCompile(`(?is)\b(?:insert\b.*\binto|replace\s+into|update\b(?:\s+or\s+\w+)?|delete\s+from)\s+(?:home|counter)\b`)
	ours := map[string]bool{nextHomeSeq: true, setHomeSeq: true, setNextEntry: true, sqliteDialect.nextEntry: true}
	seen := 0
	forEachText(t, func(at, text string) {
		if !writes.MatchString(text) {
			return
		}
		seen++
		if forgetsHeads(text) == ours[text] {
			t.Errorf("%s: %q", at, text)
		}
	})
	if seen < 6 { // else this test looks at nothing
		t.Errorf("%d statements that write heads were found", seen)
	}
	for _, odd := range []string{"delete from home", "replace into counter values (1)", "UPDATE OR IGNORE home set seq = 1", "insert into home (account) values ($1)"} {
		if !forgetsHeads(odd) {
			t.Errorf("%q is not noticed", odd)
		}
	}
}

// TestByPlace: parameters that are numbered in order, in another, and twice.
func TestByPlace(t *testing.T) {
	for query, want := range map[string]struct {
		text  string
		given []any
		args  []any
	}{
		"a = $1 and b = $2":          {"a = ? and b = ?", []any{1, 2}, []any{1, 2}},
		"a = $2 and b = $1":          {"a = ? and b = ?", []any{1, 2}, []any{2, 1}},
		"a = $1 and b = $1, c = $10": {"a = ? and b = ?, c = ?", []any{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []any{1, 1, 10}},
		"a":                          {"a", nil, nil},
	} {
		text, order := byPlace(query)
		got, err := statement{order: order}.arrange(want.given)
		if text != want.text || err != nil || len(got) != len(want.args) {
			t.Fatalf("%s: %s, %v, %v", query, text, got, err)
		}
		for i := range got {
			if got[i] != want.args[i] {
				t.Errorf("%s: %v, want %v", query, got, want.args)
			}
		}
	}
	_, order := byPlace("a = $2")
	if _, err := (statement{order: order}).arrange([]any{1}); err == nil {
		t.Error("a missing argument is not told")
	}
}
