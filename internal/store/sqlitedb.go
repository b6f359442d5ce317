package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// sqliteConn is one connection with its prepared statements, straight on the
// engine: package database/sql locks, boxes and converts each value of each row,
// and that took longer than reading them did. One goroutine at a time uses it.
// Statements run without the caller's context: interrupting one in a shared
// commit would hurt its neighbours, and Tx asks the context between statements.
type sqliteConn struct {
	tls   *libc.TLS
	db    uintptr // sqlite3*
	stmts map[string]*sqliteStmt
	out   [2]uintptr // where the engine writes what it made
}

// sqliteError is what the engine said.
type sqliteError struct {
	code  int // extended result code
	words string
	cause error // of the system, nil when it is not known
}

func (e *sqliteError) Error() string { return fmt.Sprintf("%s (%d)", e.words, e.code) }
func (e *sqliteError) Unwrap() error { return e.cause }

// openSQLiteConn opens a file by its URI.
func openSQLiteConn(uri string) (*sqliteConn, error) {
	c := &sqliteConn{tls: libc.NewTLS(), stmts: make(map[string]*sqliteStmt)}
	name := cText(uri)
	rc := lib.Xsqlite3_open_v2(c.tls, address(name), c.result(0), lib.SQLITE_OPEN_READWRITE|lib.SQLITE_OPEN_NOMUTEX|lib.SQLITE_OPEN_URI, 0)
	runtime.KeepAlive(name)
	if c.db = c.out[0]; rc != lib.SQLITE_OK {
		return nil, errors.Join(c.failure(rc), c.close())
	}
	lib.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	return c, nil
}

// cText is a text as the engine takes it, with a NUL at its end. It is on the
// heap, where nothing moves, as long as the caller keeps it alive.
func cText(s string) []byte { return append(append(make([]byte, 0, len(s)+1), s...), 0) }

// address of octets for the engine.
func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// result is where the engine writes its i-th result.
func (c *sqliteConn) result(i int) uintptr {
	c.out[i] = 0
	return uintptr(unsafe.Pointer(&c.out[i]))
}

// octetsAt are octets of the engine, which are its own: they are gone with the
// next step of their statement.
func octetsAt(p uintptr, n int32) []byte {
	if p == 0 || n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&p))), n)
}

func (c *sqliteConn) failure(rc int32) error {
	e := &sqliteError{code: int(rc), words: "the engine gave no reason"}
	if c.db != 0 {
		e.words = libc.GoString(lib.Xsqlite3_errmsg(c.tls, c.db))
		if n := lib.Xsqlite3_system_errno(c.tls, c.db); n != 0 && rc&0xff == sqliteIOErr {
			e.cause = syscall.Errno(n)
		}
	}
	return e
}

func (c *sqliteConn) close() error {
	for _, s := range c.stmts {
		lib.Xsqlite3_finalize(c.tls, s.p)
	}
	c.stmts = nil
	var err error
	if c.db != 0 {
		if rc := lib.Xsqlite3_close_v2(c.tls, c.db); rc != lib.SQLITE_OK {
			err = c.failure(rc)
		}
	}
	c.db = 0
	c.tls.Close()
	return err
}

// sqliteStmt is a prepared statement and, while it runs, its rows.
type sqliteStmt struct {
	c       *sqliteConn
	p       uintptr // sqlite3_stmt*
	order   []int   // which argument each parameter is: the engine numbers $3 and $1 as they come
	columns int
	busy    bool
	once    bool // not among c.stmts: it was needed while its twin ran
	rc      int32
	first   bool // the row that the statement stands on was not asked for yet
	args    []any
}

func (c *sqliteConn) prepare(query string) (*sqliteStmt, error) {
	known := c.stmts[query]
	if known != nil && !known.busy {
		return known, nil
	}
	text := cText(sqliteDialect.render(query))
	rc := lib.Xsqlite3_prepare_v3(c.tls, c.db, address(text), int32(len(text)), lib.SQLITE_PREPARE_PERSISTENT, c.result(0), c.result(1))
	runtime.KeepAlive(text)
	if rc != lib.SQLITE_OK {
		return nil, c.failure(rc)
	}
	s := &sqliteStmt{c: c, p: c.out[0], once: known != nil}
	for i := range lib.Xsqlite3_bind_parameter_count(c.tls, s.p) {
		name := libc.GoString(lib.Xsqlite3_bind_parameter_name(c.tls, s.p, i+1))
		n, err := strconv.Atoi(strings.TrimPrefix(name, "$"))
		if err != nil {
			lib.Xsqlite3_finalize(c.tls, s.p)
			return nil, fmt.Errorf("store: the parameter %q is no number: %w", name, err)
		}
		s.order = append(s.order, n-1)
	}
	s.columns = int(lib.Xsqlite3_column_count(c.tls, s.p))
	if known == nil {
		c.stmts[query] = s
	}
	return s, nil
}

// begin binds the arguments and takes the first step. The engine reads texts
// and octets where they lie, so args live until end.
func (s *sqliteStmt) begin(args []any) error {
	s.busy, s.args = true, args
	for i, n := range s.order {
		if n < 0 || n >= len(args) {
			return errors.Join(fmt.Errorf("store: a statement wants argument %d of %d", n+1, len(args)), s.end())
		}
		if rc := s.bind(int32(i+1), args[n]); rc != lib.SQLITE_OK {
			return errors.Join(s.c.failure(rc), s.end())
		}
	}
	if s.step(); s.rc != lib.SQLITE_ROW && s.rc != lib.SQLITE_DONE {
		err := s.c.failure(s.rc)
		s.end()
		return err
	}
	s.first = s.rc == lib.SQLITE_ROW
	return nil
}

func (s *sqliteStmt) step() { s.rc = lib.Xsqlite3_step(s.c.tls, s.p) }

// static tells the engine that it need not copy (sqlite3_bind_blob, SQLITE_STATIC).
const static = 0

// empty is what an empty text or blob points to: no pointer is NULL to the engine.
var empty = []byte{0}

func (s *sqliteStmt) bind(i int32, arg any) int32 {
	tls := s.c.tls
	switch v := arg.(type) {
	case int64:
		return lib.Xsqlite3_bind_int64(tls, s.p, i, v)
	case string:
		p := uintptr(unsafe.Pointer(unsafe.StringData(v)))
		if v == "" {
			p = address(empty)
		}
		return lib.Xsqlite3_bind_text(tls, s.p, i, p, int32(len(v)), static)
	case []byte:
		if len(v) == 0 {
			return lib.Xsqlite3_bind_blob(tls, s.p, i, address(empty), 0, static)
		}
		return lib.Xsqlite3_bind_blob(tls, s.p, i, address(v), int32(len(v)), static)
	case bool:
		n := int64(0)
		if v {
			n = 1
		}
		return lib.Xsqlite3_bind_int64(tls, s.p, i, n)
	case nil:
		return lib.Xsqlite3_bind_null(tls, s.p, i)
	case float64:
		return lib.Xsqlite3_bind_double(tls, s.p, i, v)
	}
	switch r := reflect.ValueOf(arg); r.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return s.bind(i, r.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return s.bind(i, int64(r.Uint()))
	case reflect.String:
		return s.bind(i, r.String())
	case reflect.Bool:
		return s.bind(i, r.Bool())
	}
	return lib.SQLITE_MISMATCH
}

// end makes the statement ready for its next use.
func (s *sqliteStmt) end() error {
	rc := lib.Xsqlite3_reset(s.c.tls, s.p)
	lib.Xsqlite3_clear_bindings(s.c.tls, s.p)
	runtime.KeepAlive(s.args)
	s.busy, s.args = false, nil
	if s.once {
		lib.Xsqlite3_finalize(s.c.tls, s.p)
		return nil
	}
	if rc != lib.SQLITE_OK && rc == s.rc {
		return nil // told by the step that failed
	}
	if rc != lib.SQLITE_OK {
		return s.c.failure(rc)
	}
	return nil
}

func (c *sqliteConn) exec(_ context.Context, query string, args []any) (int64, error) {
	s, err := c.prepare(query)
	if err != nil {
		return 0, err
	}
	if err := s.begin(args); err != nil {
		return 0, err
	}
	for s.rc == lib.SQLITE_ROW {
		s.step()
	}
	if s.rc != lib.SQLITE_DONE {
		err := c.failure(s.rc)
		s.end()
		return 0, err
	}
	n := int64(lib.Xsqlite3_changes(c.tls, c.db))
	return n, s.end()
}

func (c *sqliteConn) query(_ context.Context, query string, args []any) (rows, error) {
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	if err := s.begin(args); err != nil {
		return nil, err
	}
	return (*sqliteRows)(s), nil
}

func (c *sqliteConn) do(query string) error {
	_, err := c.exec(context.Background(), query, nil)
	return err
}

func (c *sqliteConn) columns(_ context.Context, table string) (names []string, boolean []bool, err error) {
	s, err := c.prepare("select * from " + table + " limit 0")
	if err != nil {
		return nil, nil, err
	}
	for i := range s.columns {
		names = append(names, libc.GoString(lib.Xsqlite3_column_name(c.tls, s.p, int32(i))))
	}
	return names, make([]bool, len(names)), nil
}

// sqliteRows is a statement that runs, as the rows it gives.
type sqliteRows sqliteStmt

func (r *sqliteRows) Next() bool {
	s := (*sqliteStmt)(r)
	switch {
	case s.first:
		s.first = false
		return true
	case s.rc != lib.SQLITE_ROW:
		return false
	}
	s.step()
	return s.rc == lib.SQLITE_ROW
}

func (r *sqliteRows) Err() error {
	if r.rc == lib.SQLITE_ROW || r.rc == lib.SQLITE_DONE {
		return nil
	}
	return r.c.failure(r.rc)
}

func (r *sqliteRows) Close() error { return (*sqliteStmt)(r).end() }

// Scan reads the columns of the row as [sql.Rows.Scan] does, for the kinds of
// destinations that this package has.
func (r *sqliteRows) Scan(dest ...any) error {
	if len(dest) != r.columns {
		return fmt.Errorf("store: a row of %d columns is read into %d", r.columns, len(dest))
	}
	for i, d := range dest {
		if err := r.column(int32(i), d); err != nil {
			return fmt.Errorf("column %d: %w", i, err)
		}
	}
	return nil
}

func (r *sqliteRows) column(i int32, dest any) error {
	tls, kind := r.c.tls, lib.Xsqlite3_column_type(r.c.tls, r.p, i)
	switch d := dest.(type) {
	case *string:
		if kind == lib.SQLITE_NULL {
			return errNull
		}
		*d = string(r.text(i))
		return nil
	case *int64:
		return r.integer(i, kind, d)
	case *int:
		var n int64
		err := r.integer(i, kind, &n)
		*d = int(n)
		return err
	case *AccountID:
		return r.integer(i, kind, (*int64)(d))
	case *bool:
		var n int64
		err := r.integer(i, kind, &n)
		*d = n != 0
		return err
	case *[]byte:
		if kind == lib.SQLITE_NULL {
			*d = nil
			return nil
		}
		*d = append([]byte{}, r.blob(i)...)
		return nil
	case *sql.RawBytes:
		*d = sql.RawBytes(r.text(i))
		return nil
	case instant:
		var n int64
		if err := r.integer(i, kind, &n); err != nil {
			return err
		}
		d.set(n)
		return nil
	case text:
		if kind == lib.SQLITE_TEXT {
			return d.set(r.text(i))
		}
	case *any:
		*d = r.value(i, kind)
		return nil
	case sql.Scanner:
		return d.Scan(r.value(i, kind))
	}
	v := reflect.ValueOf(dest)
	if v.Kind() == reflect.Pointer {
		switch v = v.Elem(); v.Kind() {
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			var n int64
			if err := r.integer(i, kind, &n); err != nil {
				return err
			}
			if v.OverflowInt(n) {
				return fmt.Errorf("store: %d does not fit into %s", n, v.Type())
			}
			v.SetInt(n)
			return nil
		case reflect.String:
			if kind == lib.SQLITE_NULL {
				return errNull
			}
			v.SetString(string(r.text(i)))
			return nil
		case reflect.Float64:
			v.SetFloat(lib.Xsqlite3_column_double(tls, r.p, i))
			return nil
		}
	}
	return fmt.Errorf("store: nothing is read into %T", dest)
}

var errNull = errors.New("store: the value is NULL")

func (r *sqliteRows) text(i int32) []byte {
	p := lib.Xsqlite3_column_text(r.c.tls, r.p, i)
	return octetsAt(p, lib.Xsqlite3_column_bytes(r.c.tls, r.p, i))
}

func (r *sqliteRows) blob(i int32) []byte {
	p := lib.Xsqlite3_column_blob(r.c.tls, r.p, i)
	return octetsAt(p, lib.Xsqlite3_column_bytes(r.c.tls, r.p, i))
}

func (r *sqliteRows) integer(i, kind int32, to *int64) error {
	switch kind {
	case lib.SQLITE_INTEGER:
		*to = lib.Xsqlite3_column_int64(r.c.tls, r.p, i)
		return nil
	case lib.SQLITE_NULL:
		return errNull
	case lib.SQLITE_TEXT:
		n, err := strconv.ParseInt(string(r.text(i)), 10, 64)
		*to = n
		return err
	case lib.SQLITE_FLOAT:
		f := lib.Xsqlite3_column_double(r.c.tls, r.p, i)
		if f != math.Trunc(f) {
			return fmt.Errorf("store: %v is no whole number", f)
		}
		*to = int64(f)
		return nil
	}
	return errors.New("store: octets are no number")
}

// value is a column as package database/sql has values.
func (r *sqliteRows) value(i, kind int32) driver.Value {
	switch kind {
	case lib.SQLITE_INTEGER:
		return lib.Xsqlite3_column_int64(r.c.tls, r.p, i)
	case lib.SQLITE_FLOAT:
		return lib.Xsqlite3_column_double(r.c.tls, r.p, i)
	case lib.SQLITE_TEXT:
		return string(r.text(i))
	case lib.SQLITE_BLOB:
		return append([]byte{}, r.blob(i)...)
	}
	return nil
}
