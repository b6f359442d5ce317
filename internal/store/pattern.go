package store

import (
	"database/sql"
	"fmt"
)

// HasPattern is the bit of Index.Known that says that the object has an
// Index.Pattern.
const HasPattern = 1

// setPattern stores the pattern of an object whose index said old before.
func (tx *Tx) setPattern(account AccountID, object int64, old int64, x Index) error {
	var err error
	switch {
	case x.Known&HasPattern != 0:
		_, err = tx.exec(`insert into pattern (account, object, text) values ($1, $2, $3)
			on conflict (account, object) do update set text = excluded.text where pattern.text <> excluded.text`, account, object, x.Pattern)
	case old&HasPattern != 0:
		_, err = tx.exec(`delete from pattern where account = $1 and object = $2`, account, object)
	}
	if err != nil {
		return fmt.Errorf("note when it takes place: %w", err)
	}
	return nil
}

// Patterns gives the patterns of objects by their IDs, in no order; of an
// object that has none there is none. The text is valid until each returns,
// which must not use tx.
func (tx *Tx) Patterns(account AccountID, ids []int64, each func(id int64, text []byte) error) error {
	var text sql.RawBytes
	err := tx.each(func(r *sql.Rows) error {
		var id int64
		if err := r.Scan(&id, &text); err != nil {
			return err
		}
		return each(id, text)
	}, `select p.object, p.text from pattern p where p.account = $1 and p.object oneof($2)`, account, numbers(ids))
	if err != nil {
		return fmt.Errorf("read when objects take place: %w", err)
	}
	return nil
}

// Derivation says how far something was derived anew from all objects.
type Derivation struct {
	Name, Version string
	Account       AccountID // done up to this
	Object        int64     // and this one
}

// Derived finds a derivation by its name; one that never began is empty.
func (tx *Tx) Derived(name string) (Derivation, error) {
	d := Derivation{Name: name}
	_, err := tx.row([]any{&d.Version, &d.Account, &d.Object}, `select version, account, object from derivation where name = $1`, name)
	return d, err
}

// SetDerived notes how far a derivation is.
func (tx *Tx) SetDerived(d Derivation) error {
	_, err := tx.exec(`insert into derivation (name, version, account, object) values ($1, $2, $3, $4)
		on conflict (name) do update set version = excluded.version, account = excluded.account, object = excluded.object`,
		d.Name, d.Version, d.Account, d.Object)
	return err
}

// Holding is an object by its identity.
type Holding struct {
	Account AccountID
	Object  int64
}

// HoldingsAfter lists objects of the whole store by account and ID, at most
// limit, those after one.
func (tx *Tx) HoldingsAfter(after Holding, limit int) ([]Holding, error) {
	return collect(tx, func(r *sql.Rows, h *Holding) error { return r.Scan(&h.Account, &h.Object) },
		`select o.account, o.id from object o where (o.account, o.id) > ($1, $2) order by o.account, o.id limit $3`, after.Account, after.Object, limit)
}
