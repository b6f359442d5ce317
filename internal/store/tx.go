package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// conn runs the statements of one transaction.
type conn interface {
	exec(ctx context.Context, query string, args []any) (affected int64, err error)
	query(ctx context.Context, query string, args []any) (*sql.Rows, error)
}

// Tx is one transaction. It is not safe for concurrent use and ends with the
// function it was given to.
type Tx struct {
	s       *Store
	ctx     context.Context
	conn    conn
	write   bool
	memo    *memo      // nil: there is none
	kept    *textCache // nil: this is no snapshot
	wrote   bool       // it may have changed rows
	broken  error      // the engine ended or poisoned the transaction; nothing works any more
	touched map[AccountID]struct{}
	shared  sharedText
}

var errReadOnly = errors.New("store: a change inside View; use Update")

// Context is the one given to View or Update.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Now is the store's clock, for rows written in this transaction.
func (tx *Tx) Now() time.Time { return tx.s.now().UTC().Truncate(time.Microsecond) }

// touch remembers whose watchers are to be told after the commit.
func (tx *Tx) touch(id AccountID) {
	if tx.touched == nil {
		tx.touched = make(map[AccountID]struct{}, 1)
	}
	tx.touched[id] = struct{}{}
}

func (tx *Tx) check() error {
	if tx.broken != nil {
		return tx.broken
	}
	return tx.ctx.Err()
}

// failed records errors after which the engine has ended the transaction, so
// that a function that ignores one cannot write outside it: PostgreSQL after
// any error, SQLite after those of https://sqlite.org/lang_transaction.html 2.
func (tx *Tx) failed(err error) error {
	if tx.s.dialect == postgresDialect {
		tx.broken = err
		return err
	}
	switch sqliteCode(err) {
	case sqliteFull, sqliteIOErr, sqliteNoMem, sqliteBusy, sqliteCorrupt, sqliteCantOpen, sqliteReadOnly:
		tx.broken = err
	}
	return err
}

// exec runs a statement that changes rows and counts them.
func (tx *Tx) exec(query string, args ...any) (int64, error) {
	if err := tx.check(); err != nil {
		return 0, err
	}
	if !tx.write {
		return 0, errReadOnly
	}
	plain(args)
	tx.wrote = true
	n, err := tx.conn.exec(tx.ctx, query, args)
	if err != nil {
		return 0, tx.failed(err)
	}
	return n, nil
}

// each calls scan for every row of a query. No row is open when it returns,
// and scan must not use tx: PostgreSQL runs one statement at a time.
func (tx *Tx) each(scan func(*sql.Rows) error, query string, args ...any) error {
	if err := tx.check(); err != nil {
		return err
	}
	plain(args)
	tx.wrote = tx.wrote || !strings.HasPrefix(strings.TrimLeft(query, "\n\t "), "select ")
	rows, err := tx.conn.query(tx.ctx, query, args)
	if err != nil {
		return tx.failed(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return tx.failed(err)
	}
	return nil
}

// row scans the first row of a query and reports whether there was one.
func (tx *Tx) row(dest []any, query string, args ...any) (bool, error) {
	found := false
	err := tx.each(func(r *sql.Rows) error {
		if found {
			return nil
		}
		found = true
		return r.Scan(dest...)
	}, query, args...)
	return found, err
}

// returning is row for a statement that changes rows.
func (tx *Tx) returning(dest []any, query string, args ...any) (bool, error) {
	if !tx.write {
		return false, errReadOnly
	}
	return tx.row(dest, query, args...)
}

// collect gathers rows by a scan function of the row type.
func collect[T any](tx *Tx, scan func(*sql.Rows, *T) error, query string, args ...any) ([]T, error) {
	var list []T
	err := tx.each(func(r *sql.Rows) error {
		var v T
		if err := scan(r, &v); err != nil {
			return err
		}
		list = append(list, v)
		return nil
	}, query, args...)
	return list, err
}

// first is collect for a query of one row; absent wraps ErrNotFound.
func first[T any](tx *Tx, scan func(*sql.Rows, *T) error, what string, query string, args ...any) (T, error) {
	list, err := collect(tx, scan, query, args...)
	if err != nil {
		var zero T
		return zero, fmt.Errorf("%s: %w", what, err)
	}
	if len(list) == 0 {
		var zero T
		return zero, notFound("%s", what)
	}
	return list[0], nil
}

// plain makes arguments that both engines take. PostgreSQL's text holds
// neither NUL nor broken UTF-8; hostile input has both, and a look-up must
// find what was stored, so every text argument goes through here.
func plain(args []any) {
	for i, a := range args {
		switch v := a.(type) {
		case string:
			if !utf8.ValidString(v) || strings.IndexByte(v, 0) >= 0 {
				args[i] = strings.ReplaceAll(strings.ToValidUTF8(v, "\uFFFD"), "\x00", "\uFFFD")
			}
		case []byte:
			if v == nil {
				args[i] = []byte{}
			}
		case AccountID:
			args[i] = int64(v)
		case int:
			args[i] = int64(v)
		case time.Time:
			args[i] = micros(v)
		}
	}
}

// micros is how instants are stored; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instant scans what micros stored.
type instant struct{ t *time.Time }

func (i instant) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("store: instant is %T", v)
	}
	if n == 0 {
		*i.t = time.Time{}
	} else {
		*i.t = time.UnixMicro(n).UTC()
	}
	return nil
}

// text is JSON in a text column; an empty one leaves the zero value.
type text struct{ v any }

func (j text) Scan(v any) error {
	switch s := v.(type) {
	case string:
		if s == "" {
			return nil
		}
		return json.Unmarshal([]byte(s), j.v)
	case []byte:
		return json.Unmarshal(s, j.v)
	}
	return fmt.Errorf("store: JSON column is %T", v)
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: %T does not marshal: %v", v, err)) // only strings, numbers and times come here
	}
	return string(b)
}
