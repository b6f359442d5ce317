package store

import (
	"bufio"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/internal/problem"
)

// A backup is one gzip file of JSON lines that either engine writes and reads:
//
//	{"convene-backup":1,"schema":1,"made":"2026-03-02T09:00:00Z"}
//	{"table":"account","columns":["id","name", ...]}
//	[1,"ann", ... ,{"b":"octets in base64"}]
//	...
//	{"end":4711}          the number of rows: without it the file is cut off
//
// It holds everything but signed-in browsers and WebDAV locks, which last for
// hours: people sign in again.
//
// A backup of an older schema is restored as the migrations since would have
// left it: tables that came later stay empty, columns that came later take
// their default, which a migration has to give them anyway to add a column to
// rows that are there.

// archived are the tables of a backup, in the order of the file.
var archived = []string{"account", "home", "address", "app_password", "redirect", "collection", "collection_state", "object", "object_text",
	"occupancy", "tombstone", "version", "share", "entry", "entry_text", "entry_raw", "booking_policy", "member", "consent",
	"mount", "personal", "file", "feed", "subscription", "notification", "attachment", "cip_event", "cip_moved", "mail_key",
	"reply_address", "sender_rule", "flood", "push_registration", "push_key", "pattern", "derivation"}

// notedEmpty are the tables in which a service that was started on an empty store
// may have noted something already. The backup's rows take their place: clients
// know the push key of then, and what was derived is of the objects of now.
var notedEmpty = []string{"push_key", "flood", "derivation"}

const backupFormat = 1

// archiveLine is every line that is not a row.
type archiveLine struct {
	Format  int        `json:"convene-backup,omitempty"`
	Schema  int64      `json:"schema,omitempty"`
	Made    *time.Time `json:"made,omitempty"`
	Table   string     `json:"table,omitempty"`
	Columns []string   `json:"columns,omitempty"`
	End     *int64     `json:"end,omitempty"`
}

// octets is a blob in a row.
type octets struct {
	B []byte `json:"b"`
}

// Backup writes a consistent state of the whole store to a file, which appears
// when it is complete, readable by its owner alone: it holds password hashes
// and everyone's calendars. The store goes on meanwhile. progress
// is called now and then with the number of rows written so far.
func (s *Store) Backup(ctx context.Context, path string, progress ...func(rows int64)) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".convene-backup-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := s.BackupTo(ctx, f, progress...); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the backup: %w", explain(err))
	}
	return os.Rename(f.Name(), path)
}

// BackupTo is Backup to a writer.
func (s *Store) BackupTo(ctx context.Context, w io.Writer, progress ...func(rows int64)) error {
	schema, err := s.engine.migrate(ctx, 0)
	if err != nil {
		return explain(err)
	}
	buffered := bufio.NewWriterSize(w, 1<<16)
	zip := gzip.NewWriter(buffered)
	out := json.NewEncoder(zip)
	out.SetEscapeHTML(false)
	made := s.now().UTC().Truncate(time.Second)
	if err := out.Encode(archiveLine{Format: backupFormat, Schema: schema, Made: &made}); err != nil {
		return err
	}
	var total int64
	err = s.View(ctx, func(tx *Tx) error {
		for _, table := range archived {
			if err := tx.dump(table, out, func() {
				if total++; total%1000 == 0 {
					report(progress, total)
				}
			}); err != nil {
				return fmt.Errorf("back up %s: %w", table, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := errors.Join(out.Encode(archiveLine{End: &total}), zip.Close(), buffered.Flush()); err != nil {
		return fmt.Errorf("write the backup: %w", explain(err))
	}
	report(progress, total)
	return nil
}

func report(progress []func(int64), rows int64) {
	for _, p := range progress {
		p(rows)
	}
}

func (tx *Tx) dump(table string, out *json.Encoder, wrote func()) error {
	columns, _, err := tx.columns(table)
	if err != nil {
		return err
	}
	if err := out.Encode(archiveLine{Table: table, Columns: columns}); err != nil {
		return err
	}
	values := make([]any, len(columns))
	dest := make([]any, len(columns))
	for i := range dest {
		dest[i] = &values[i]
	}
	return tx.each(func(r *sql.Rows) error {
		if err := tx.ctx.Err(); err != nil {
			return err
		}
		if err := r.Scan(dest...); err != nil {
			return err
		}
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				values[i] = octets{append([]byte{}, b...)} // SQLite's empty blob is nil
			}
		}
		wrote()
		return out.Encode(values)
	}, "select "+strings.Join(columns, ", ")+" from "+table)
}

// columns are a table's names, and whether each is a boolean to the engine.
func (tx *Tx) columns(table string) (names []string, boolean []bool, err error) {
	rows, err := tx.conn.query(tx.ctx, "select * from "+table+" limit 0", nil)
	if err != nil {
		return nil, nil, tx.failed(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	for _, t := range types {
		names = append(names, t.Name())
		boolean = append(boolean, t.DatabaseTypeName() == "BOOL")
	}
	return names, boolean, err
}

// Restore fills an empty store from a backup of either engine, all or nothing.
// A store with accounts in it is refused.
func (s *Store) Restore(ctx context.Context, path string, progress ...func(rows int64)) error {
	schema, err := s.engine.migrate(ctx, 0)
	if err != nil {
		return explain(err)
	}
	return s.Update(ctx, func(tx *Tx) error {
		if list, err := tx.Accounts("", 1); err != nil {
			return err
		} else if len(list) > 0 {
			return problem.New(problem.Exists, "The store has accounts in it; a backup is restored into an empty one. Give a new data directory or database.")
		}
		f, err := os.Open(path)
		if err != nil {
			return problem.New(problem.BadInput, "The backup %s cannot be opened: %v", path, err).Because(err)
		}
		defer f.Close()
		for _, table := range notedEmpty {
			if _, err := tx.exec(`delete from ` + table); err != nil {
				return fmt.Errorf("empty %s: %w", table, err)
			}
		}
		l := loader{tx: tx, schema: schema, progress: progress}
		if err := l.load(f); err != nil {
			var p *problem.Problem
			if l.engine != nil || errors.As(err, &p) {
				return err
			}
			return problem.New(problem.BadInput, "The backup cannot be read, line %d: %v", l.line, err).At(path).Because(err)
		}
		return nil
	})
}

// loader puts the lines of a backup into the tables.
type loader struct {
	tx       *Tx
	schema   int64
	progress []func(int64)
	line     int
	rows     int64
	engine   error // what failed was the store, not the file
	older    bool  // the backup has an older schema than the store

	columns []string
	boolean []bool
	insert  string
}

var errCutOff = errors.New("the file is cut off: its last line is missing")

// maxBackupLine bounds the memory one line takes: the largest mail, in base64.
const maxBackupLine = 256 << 20

func (l *loader) load(r io.Reader) error {
	zip, err := gzip.NewReader(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return errors.New("it is not a backup of this program (a gzip file)")
	}
	lines := bufio.NewScanner(zip)
	lines.Buffer(make([]byte, 1<<16), maxBackupLine)
	ended := false
	for lines.Scan() {
		l.line++
		if err := l.tx.ctx.Err(); err != nil {
			return err
		}
		text := lines.Bytes()
		switch {
		case ended:
			return errors.New("there is something after its end")
		case len(text) > 0 && text[0] == '[':
			err = l.row(text)
		default:
			ended, err = l.directive(text)
		}
		if err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return errCutOff
		}
		return err
	}
	if !ended {
		return errCutOff
	}
	return l.numbersContinue()
}

func (l *loader) directive(text []byte) (ended bool, err error) {
	var d archiveLine
	if err := json.Unmarshal(text, &d); err != nil {
		return false, err
	}
	switch {
	case l.line == 1:
		if d.Format != backupFormat {
			return false, errors.New("it is not a backup of this program, or of a version that this one does not know")
		}
		if d.Schema > l.schema || d.Schema < 1 {
			return false, fmt.Errorf("it was made with schema %d and this program knows %d: restore it with the version that made it, or a newer one", d.Schema, l.schema)
		}
		l.older = d.Schema < l.schema
		return false, nil
	case d.Table != "":
		return false, l.begin(d.Table, d.Columns)
	case d.End != nil:
		if *d.End != l.rows {
			return false, fmt.Errorf("it says it has %d rows, and %d are there", *d.End, l.rows)
		}
		return true, nil
	}
	return false, errors.New("the line is of no known kind")
}

// begin checks names against the schema: they go into a statement's text.
func (l *loader) begin(table string, columns []string) error {
	known := false
	for _, t := range archived {
		known = known || t == table
	}
	if !known {
		return fmt.Errorf("there is no table %q", table)
	}
	names, boolean, err := l.tx.columns(table)
	if err != nil {
		l.engine = err
		return err
	}
	l.columns, l.boolean = columns, make([]bool, len(columns))
	for i, c := range columns {
		at := slices.Index(names, c)
		if at < 0 || slices.Contains(columns[:i], c) {
			return fmt.Errorf("table %s has columns %v, known are %v", table, columns, names)
		}
		l.boolean[i] = boolean[at]
	}
	if !l.older && len(columns) < len(names) {
		return fmt.Errorf("table %s has columns %v, want %v", table, columns, names)
	}
	params := make([]string, len(columns))
	for i := range params {
		params[i] = fmt.Sprintf("$%d", i+1)
	}
	l.insert = "insert into " + table + " (" + strings.Join(columns, ", ") + ") values (" + strings.Join(params, ", ") + ")"
	return nil
}

func (l *loader) row(text []byte) error {
	if l.insert == "" {
		return errors.New("a row before any table")
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	if len(raw) != len(l.columns) {
		return fmt.Errorf("%d values for %d columns", len(raw), len(l.columns))
	}
	args := make([]any, len(raw))
	for i, v := range raw {
		var err error
		if args[i], err = value(v, l.boolean[i]); err != nil {
			return fmt.Errorf("column %s: %w", l.columns[i], err)
		}
	}
	if _, err := l.tx.exec(l.insert, args...); err != nil {
		l.engine = err
		return fmt.Errorf("restore line %d: %w", l.line, err)
	}
	if l.rows++; l.rows%1000 == 0 {
		report(l.progress, l.rows)
	}
	return nil
}

// value reads one value; SQLite writes booleans as 0 and 1.
func value(raw json.RawMessage, boolean bool) (any, error) {
	if len(raw) == 0 {
		return nil, errors.New("no value")
	}
	switch raw[0] {
	case '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, err
		}
		return s, nil
	case '{':
		var o octets
		if err := json.Unmarshal(raw, &o); err != nil {
			return nil, err
		}
		return o.B, nil
	case 't', 'f':
		var b bool
		if err := json.Unmarshal(raw, &b); err != nil {
			return nil, err
		}
		return b, nil
	}
	var n int64
	if err := json.Unmarshal(raw, &n); err != nil {
		return nil, err
	}
	if boolean {
		return n != 0, nil
	}
	return n, nil
}

// numbersContinue makes new accounts and journal rows follow the restored ones.
func (l *loader) numbersContinue() error {
	for query, set := range map[string]string{
		"select coalesce(max(id), 0) from account": l.tx.s.dialect.setAccount,
		"select coalesce(max(id), 0) from entry":   l.tx.s.dialect.setEntry,
	} {
		var last int64
		if _, err := l.tx.row([]any{&last}, query); err != nil {
			l.engine = err
			return err
		}
		if last == 0 {
			continue
		}
		if _, err := l.tx.exec(set, last); err != nil {
			l.engine = err
			return err
		}
	}
	report(l.progress, l.rows)
	return nil
}
