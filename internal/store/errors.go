package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"github.com/convene-cal/convene/internal/problem"
)

// Result codes of SQLite (https://sqlite.org/rescode.html), primary code in the low byte.
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteNoMem      = 7
	sqliteReadOnly   = 8
	sqliteIOErr      = 10
	sqliteCorrupt    = 11
	sqliteFull       = 13
	sqliteCantOpen   = 14
	sqliteConstraint = 19
)

// sqliteCode is the primary result code, 0 when err is not SQLite's.
func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// sqlState is PostgreSQL's five-letter code, "" when err is not PostgreSQL's.
func sqlState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// explain turns an engine's error into a refusal where the reader can do
// something about it: no room, or not reachable now. The engine's words stay
// in the chain for the log.
func explain(err error) error {
	var p *problem.Problem
	if err == nil || errors.As(err, &p) {
		return err
	}
	full := func() error {
		return problem.New(problem.InsufficientStorage, "The server's disk is full: nothing was saved. Try again when the administrator has made room.").Because(err)
	}
	away := func() error {
		return problem.New(problem.Unavailable, "The calendar store cannot be reached at the moment: nothing was saved. Try again in a minute.").Because(err)
	}
	switch sqliteCode(err) {
	case sqliteFull:
		return full()
	case sqliteBusy, sqliteLocked, sqliteIOErr, sqliteNoMem, sqliteCantOpen, sqliteReadOnly:
		if errors.Is(err, syscall.ENOSPC) {
			return full()
		}
		return away()
	}
	// https://www.postgresql.org/docs/15/errcodes-appendix.html
	switch state := sqlState(err); {
	case state == "53100": // disk_full
		return full()
	case state == "54000": // program_limit_exceeded: an index entry, see maxKey
		return problem.New(problem.BadInput, "A name, UID or address in it is too long.").Because(err)
	case retriable(err):
		return problem.New(problem.Unavailable, "Too many changes to this calendar arrived at once: nothing was saved. Try again.").Because(err)
	case len(state) == 5 && (state[:2] == "08" || state[:2] == "53" || state[:2] == "57" || state[:2] == "58"): // connection, resources, operator intervention, system
		if state != "57014" { // query_canceled is the caller's own
			return away()
		}
	case state == "25006": // read_only_sql_transaction: a standby, during failover
		return away()
	}
	var ne *net.OpError
	var ce *pgconn.ConnectError
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return full()
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &ne), errors.As(err, &ce), errors.Is(err, driver.ErrBadConn), errors.Is(err, io.ErrUnexpectedEOF), pgconn.SafeToRetry(err):
		return away()
	}
	return err
}

// retriable reports whether a PostgreSQL transaction met another and should be
// run again: serialization_failure, deadlock_detected.
func retriable(err error) bool {
	state := sqlState(err)
	return state == "40001" || state == "40P01"
}

// maxKey bounds what stands in an index, in octets: PostgreSQL's entries hold
// 2704 at most, of which the longest index of ours has two such columns.
const maxKey = 1024

// indexable refuses what is too long to be found again; pairs are what it is
// called and the value.
func indexable(pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		if len(pairs[i+1]) > maxKey {
			return problem.New(problem.BadInput, "The %s is too long: it has %d octets, and %d are possible.", pairs[i], len(pairs[i+1]), maxKey)
		}
	}
	return nil
}

func notFound(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrNotFound)
}

func exists(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrExists)
}
