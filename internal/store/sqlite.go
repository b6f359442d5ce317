package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // driver "sqlite"
)

// sqliteEngine has one connection that writes and some that read.
type sqliteEngine struct {
	dir   string
	db    *sql.DB
	poll  time.Duration
	write sqliteWriter
	read  readPool
	log   checkpointer
}

const (
	sqliteFile = "convene.db"
	// busyTimeout is how long to wait for a writer in another process: the
	// command line beside a server whose commits follow one another.
	busyTimeout = 20 * time.Second
	// pageSize is that of new databases; others keep theirs. A row lies in one
	// page, and most events have 1 to 3 KB: of those two fit into SQLite's usual
	// 4096 octets, or, with 2,050 octets, only one and nothing beside it. With
	// 8192 at most a third of a page stays empty for texts up to 2,700 octets.
	// Larger ones cost more than they save: every commit writes whole pages.
	pageSize = 8192
	// batchLimit and batchTime bound a shared commit, so that its first member
	// does not wait for long and other processes get their turn.
	batchLimit = 256
	batchTime  = 10 * time.Millisecond
	// crowdTime is how long after one had to wait several are taken to write.
	crowdTime = 100 * time.Millisecond
	// Where a processor that was given up came back later than yieldTime, others
	// compute at length; then it is kept for yieldRest times as long.
	yieldTime = 2 * time.Millisecond
	yieldRest = 10
	// carefulTime is how long after an update of a group failed each has a
	// savepoint.
	carefulTime = time.Second
)

func openSQLite(ctx context.Context, o Options) (*sqliteEngine, error) {
	dir, err := filepath.Abs(o.Dir) // a file: URI has no relative paths
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	file := filepath.Join(dir, sqliteFile)
	// Made here so that it and its -wal and -shm, which take its mode, are ours alone.
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	synchronous := "FULL"
	if o.Durability == "normal" {
		synchronous = "NORMAL"
	}
	q := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		fmt.Sprintf("page_size(%d)", pageSize),
		"synchronous(" + synchronous + ")",
		"temp_store(MEMORY)",
		"cache_size(-2000)", // KiB a connection; the system caches the file too
	}, "_journal_mode": {"WAL"}} // the driver sets that last, which is when the file gets its first page
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: file, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	turns, err := openTurns(filepath.Join(o.Dir, "writer.lock"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the store: %w", err), db.Close())
	}
	e := &sqliteEngine{dir: o.Dir, db: db, poll: o.PollEvery}
	e.write.turns, e.write.log = turns, &e.log
	e.log.wake = make(chan struct{}, 1)
	if e.poll <= 0 {
		e.poll = 500 * time.Millisecond
	}
	if e.write.conn, err = e.connect(ctx, "pragma cache_size = -8000"); err == nil {
		err = e.write.conn.boundLog()
	}
	if err != nil {
		return nil, errors.Join(err, turns.close(), db.Close())
	}
	e.read.init(o.ReadConns, func() (*sqliteConn, error) {
		return e.connect(context.Background(), "pragma query_only = true")
	})
	return e, nil
}

func (e *sqliteEngine) connect(ctx context.Context, pragmas ...string) (*sqliteConn, error) {
	c, err := e.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the store %s: %w", filepath.Join(e.dir, sqliteFile), explain(err))
	}
	for _, p := range pragmas {
		if _, err := c.ExecContext(ctx, p); err != nil {
			return nil, errors.Join(fmt.Errorf("open the store %s: %s: %w", filepath.Join(e.dir, sqliteFile), p, explain(err)), c.Close())
		}
	}
	return &sqliteConn{c: c, stmts: make(map[string]statement)}, nil
}

func (e *sqliteEngine) migrate(ctx context.Context, to int64) (int64, error) {
	unlock, err := lockFile(filepath.Join(e.dir, "migrate.lock"), true)
	if err != nil {
		return 0, err
	}
	defer unlock()
	return migrateUp(ctx, goose.DialectSQLite3, e.db, sqliteDialect, to)
}

// migrateUp applies the migrations up to a version, 0 for all.
func migrateUp(ctx context.Context, d goose.Dialect, db *sql.DB, ours *dialect, to int64, opts ...goose.ProviderOption) (int64, error) {
	opts = append(opts, goose.WithDisableGlobalRegistry(true))
	p, err := goose.NewProvider(d, db, migrationsOf(ours), opts...)
	if err != nil {
		return 0, err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return 0, err
	}
	if current > target {
		return 0, fmt.Errorf("the store was written by a newer version of this program (schema %d, this one knows %d): install that version", current, target)
	}
	if to == 0 {
		to = target
	}
	if current < to {
		if _, err := p.UpTo(ctx, to); err != nil {
			return 0, err
		}
	}
	return p.GetDBVersion(ctx)
}

func (e *sqliteEngine) close() error {
	err := e.read.close()
	e.write.mu.Lock()
	defer e.write.mu.Unlock()
	// After an import beside a server nobody would empty the log for a long time.
	_, _ = e.write.conn.exec(context.Background(), "pragma busy_timeout = 0", nil)
	_ = e.write.conn.do(emptyLog) // somebody else is in there: then they will
	return errors.Join(err, e.write.conn.close(), e.db.Close(), e.write.turns.close())
}

func (e *sqliteEngine) peek(ctx context.Context, s *Store, fn func(*Tx) error) error {
	c, err := e.read.get(ctx)
	if err != nil {
		return err
	}
	defer e.read.put(c)
	tx := &Tx{s: s, ctx: ctx, conn: c}
	if err := fn(tx); err != nil {
		return err
	}
	return tx.broken
}

func (e *sqliteEngine) view(ctx context.Context, s *Store, fn func(*Tx) error) (err error) {
	c, err := e.read.get(ctx)
	if err != nil {
		return err
	}
	defer e.read.put(c)
	if err := c.do("begin"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() {
		if e := c.do("rollback"); e != nil && err == nil {
			err = e
		}
	}()
	tx := &Tx{s: s, ctx: ctx, conn: c, kept: &s.texts}
	if err := fn(tx); err != nil {
		return err
	}
	return tx.broken
}

// sqliteWriter groups concurrent updates into one commit. Whoever holds mu
// runs its function inside the open transaction; when others wait it leaves the
// transaction to them and waits for the commit, else it commits for all. A lone
// writer therefore commits at once, and the commit of one group is the time in
// which the next one gathers. Where several write, those who only wait for a
// processor on their way here are let come first: a commit costs more of it than
// they do. An update that fails after it has written takes the group with it, and
// each of its members runs again; then for a time each has a savepoint, which
// costs a tenth of its time and lets it fail alone.
type sqliteWriter struct {
	conn    *sqliteConn
	turns   *turns
	log     *checkpointer
	mu      sync.Mutex
	waiting atomic.Int32
	group   *commitGroup // open transaction, nil between commits
	crowd   time.Time    // when somebody last waited
	stay    time.Time    // until then nobody is let come first
	careful time.Time    // until then each of a group has a savepoint
	version int64        // PRAGMA data_version: moves when another process commits
}

// commitGroup is one transaction that several updates share.
type commitGroup struct {
	began   time.Time
	size    int
	touched map[AccountID]struct{}
	done    chan struct{}
	err     error // set before done is closed
}

// errGroupLost tells the members of a group that the whole transaction is
// gone, through no fault of theirs: each runs again, alone.
var errGroupLost = errors.New("store: the shared transaction was lost")

func (e *sqliteEngine) update(ctx context.Context, s *Store, fn func(*Tx) error) error {
	err := e.write.run(ctx, s, fn, false)
	if errors.Is(err, errGroupLost) {
		err = e.write.run(ctx, s, fn, true)
	}
	return err
}

// run brings one update into a group, or into a transaction alone.
func (w *sqliteWriter) run(ctx context.Context, s *Store, fn func(*Tx) error, alone bool) error {
	w.waiting.Add(1)
	w.mu.Lock()
	w.waiting.Add(-1)
	group, err := w.join(ctx, s, fn, alone)
	if group == nil {
		return err
	}
	<-group.done
	if group.err != nil && err == nil {
		return group.err
	}
	return err
}

// join runs with mu held and gives it up. It returns the group whose commit is
// to be waited for, nil when there is none.
func (w *sqliteWriter) join(ctx context.Context, s *Store, fn func(*Tx) error, alone bool) (g *commitGroup, err error) {
	defer w.mu.Unlock()
	if alone && w.group != nil {
		w.commit(s)
	}
	// Whatever happens to fn, panics and runtime.Goexit included, the last in
	// line commits for those before it.
	defer func() {
		if g := w.group; g != nil && (alone || !w.more(g)) {
			w.commit(s)
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if w.group == nil {
		if err := w.begin(s); err != nil {
			return nil, err
		}
	}
	g = w.group
	if err := w.inside(ctx, s, fn); err != nil {
		return nil, err
	}
	g.size++
	return g, nil
}

// more tells whether somebody waits who is to go on with a group.
func (w *sqliteWriter) more(g *commitGroup) bool {
	now := time.Now()
	if g.size >= batchLimit || now.Sub(g.began) > batchTime {
		return false
	}
	if w.waiting.Load() == 0 && now.Sub(w.crowd) < crowdTime && now.After(w.stay) {
		runtime.Gosched()
		if back := time.Now(); back.Sub(now) > yieldTime {
			w.stay = back.Add(yieldRest * back.Sub(now))
		}
	}
	if w.waiting.Load() == 0 {
		return false
	}
	w.crowd = now
	return true
}

func (w *sqliteWriter) begin(s *Store) error {
	w.turns.begin()
	err := w.conn.do("begin immediate")
	w.turns.began()
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	w.look(s)
	w.group = &commitGroup{began: time.Now(), done: make(chan struct{})}
	return nil
}

// inside runs fn so that its failure undoes fn alone: by its savepoint; or, where
// it is the first, by ending the transaction, of which nothing else is in it; or,
// where it has written without a savepoint, by having all that were before it run
// again, and it, too, since it may have failed for what they did.
func (w *sqliteWriter) inside(ctx context.Context, s *Store, fn func(*Tx) error) (err error) {
	first, began := w.group.size == 0, time.Now()
	savepoint := !first && began.Before(w.careful)
	if savepoint {
		if err := w.conn.do("savepoint one"); err != nil {
			w.lose(err)
			return err
		}
	}
	tx := &Tx{s: s, ctx: ctx, conn: w.conn, write: true, memo: &w.conn.memo}
	finished := false
	defer func() {
		// A finished fn may still have to be undone: it ignored that the
		// engine ended the transaction.
		if finished && err == nil && tx.broken == nil && savepoint {
			err = w.conn.do("release one")
		}
		if finished && err == nil && tx.broken == nil {
			for id := range tx.touched {
				if w.group.touched == nil {
					w.group.touched = tx.touched
					break
				}
				w.group.touched[id] = struct{}{}
			}
			return
		}
		if err == nil {
			err = tx.broken
		}
		switch {
		case first:
			w.lose(err)
		case savepoint:
			w.conn.memo.undone()
			if e := errors.Join(w.conn.do("rollback to one"), w.conn.do("release one")); e != nil {
				w.lose(e)
			}
		case tx.wrote || tx.broken != nil:
			w.careful = began.Add(carefulTime)
			w.lose(err)
			if finished {
				err = fmt.Errorf("%w: %w", errGroupLost, err)
			}
		}
	}()
	err = fn(tx)
	finished = true
	return err
}

// lose ends a transaction as a whole: because the engine has rolled it back, as
// it may when the disk is full, or because its first member failed. Members
// before the one that met it run again.
func (w *sqliteWriter) lose(cause error) {
	_ = w.conn.do("rollback") // "no transaction is active" is what we expect
	w.conn.memo.settle()
	w.conn.memo.undone()
	g := w.group
	w.group = nil
	g.err = errors.Join(errGroupLost, cause)
	close(g.done)
}

func (w *sqliteWriter) commit(s *Store) {
	g := w.group
	w.group = nil
	if err := w.conn.do("commit"); err != nil {
		_ = w.conn.do("rollback") // may be rolled back already
		w.conn.memo.undone()
		if g.size > 1 {
			err = fmt.Errorf("%w: %w", errGroupLost, err)
		}
		g.err = err
	}
	w.conn.memo.settle()
	close(g.done)
	if g.err != nil {
		return
	}
	s.commits.Add(1)
	s.updates.Add(int64(g.size))
	if len(g.touched) > 0 {
		s.hub.tell(g.touched)
	}
	w.log.written(w.conn.changed)
}

// look notices commits of other processes: data_version, asked on the only
// connection of this process that writes, moves for theirs alone.
func (w *sqliteWriter) look(s *Store) {
	rows, err := w.conn.query(context.Background(), "pragma data_version", nil)
	if err != nil {
		w.conn.memo.forget()
		s.log.Warn("cannot see whether another process changed the store", "error", err)
		return
	}
	defer rows.Close()
	var version int64
	if !rows.Next() || rows.Scan(&version) != nil {
		w.conn.memo.forget()
		return
	}
	if w.version != 0 && version != w.version {
		w.conn.memo.forget()
		s.hub.tell(nil)
	}
	w.version = version
}

func (e *sqliteEngine) watch(ctx context.Context, s *Store) {
	ticker := time.NewTicker(e.poll)
	defer ticker.Stop()
	for {
		e.write.mu.Lock()
		if e.write.group == nil { // else begin has just looked
			e.write.look(s)
		}
		e.write.mu.Unlock()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// tend copies the log.
func (e *sqliteEngine) tend(ctx context.Context, s *Store) {
	e.log.run(ctx, s, func() (*sqliteConn, error) {
		return e.connect(ctx, "pragma cache_size = -100", "pragma busy_timeout = 0")
	})
}
