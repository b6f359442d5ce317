package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"math/bits"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/convene-cal/convene/internal/problem"
)

// pgEngine runs REPEATABLE READ transactions on a pool of connections. Several
// processes may serve one database.
type pgEngine struct {
	config *pgx.ConnConfig
	db     *sql.DB
	node   string   // to know our own notifications
	texts  sync.Map // query of this package → as PostgreSQL wants it

	mu    sync.Mutex
	fresh map[AccountID]struct{} // accounts to tell the other nodes about
	wake  chan struct{}

	written atomic.Int64 // rows this process wrote
	analyze chan struct{}
}

const (
	pgChannel = "convene"
	// pgAttempts bounds how often a transaction that met others runs again; the
	// pauses between add up to some seconds.
	pgAttempts = 40
	// pgDeadConns is how many dead connections in a row a transaction tries.
	pgDeadConns = 4
	// pgGather is how long changes gather before one notification tells the
	// other nodes: NOTIFY takes a lock that all commits of a cluster share.
	pgGather = 20 * time.Millisecond
	// pgAnalyzeFirst is after how many rows the planner's statistics are
	// renewed, then after twice as many, and so on. PostgreSQL does that by
	// itself after a minute, in which a first import would be read by plans
	// made for empty tables: whole calendars for one event.
	pgAnalyzeFirst = 1000
	pgAnalyzeLast  = 4_000_000
)

func openPostgres(ctx context.Context, o Options) (*pgEngine, error) {
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		// The driver's own words repeat the address, which may hold a password.
		return nil, errors.New("store url: it is not a PostgreSQL address; it looks like postgres://user:password@host:5432/database")
	}
	if config.RuntimeParams["synchronous_commit"] == "" { // else the URL says better, as remote_apply
		config.RuntimeParams["synchronous_commit"] = "on"
		if o.Durability == "normal" {
			// A server crash may lose the last commits, never half of one.
			config.RuntimeParams["synchronous_commit"] = "off"
		}
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "convene"
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(o.ReadConns + 16) // readers, and writers that wait for one another
	db.SetMaxIdleConns(o.ReadConns)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store on %s: %w", config.Host, explain(err)), db.Close())
	}
	return &pgEngine{config: config, db: db, node: rand.Text(), wake: make(chan struct{}, 1), analyze: make(chan struct{}, 1)}, nil
}

func (e *pgEngine) migrate(ctx context.Context, to int64) (int64, error) {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return 0, err
	}
	return migrateUp(ctx, goose.DialectPostgres, e.db, postgresDialect, to, goose.WithSessionLocker(locker))
}

func (e *pgEngine) close() error { return e.db.Close() }

// pgConn is one transaction of database/sql; pgx prepares and remembers each
// text on its connection.
type pgConn struct {
	e  *pgEngine
	tx interface { // *sql.Tx, or *sql.DB for queries on their own
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
}

func (c pgConn) text(query string) string {
	if t, ok := c.e.texts.Load(query); ok {
		return t.(string)
	}
	t := postgresDialect.render(query)
	c.e.texts.Store(query, t)
	return t
}

func (c pgConn) exec(ctx context.Context, query string, args []any) (int64, error) {
	r, err := c.tx.ExecContext(ctx, c.text(query), args...)
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	before := c.e.written.Add(n) - n
	if bits.Len64(uint64(before/pgAnalyzeFirst)) < bits.Len64(uint64((before+n)/pgAnalyzeFirst)) && before < pgAnalyzeLast {
		select {
		case c.e.analyze <- struct{}{}:
		default:
		}
	}
	return n, err
}

func (c pgConn) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	return c.tx.QueryContext(ctx, c.text(query), args...)
}

// begin begins a transaction, on another connection when one is found dead, as
// the pool's are after a failover.
func (e *pgEngine) begin(ctx context.Context, readOnly bool) (t *sql.Tx, err error) {
	for range pgDeadConns {
		t, err = e.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: readOnly})
		if err == nil || !pgconn.SafeToRetry(err) || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	return t, nil
}

func (e *pgEngine) peek(ctx context.Context, s *Store, fn func(*Tx) error) error {
	tx := &Tx{s: s, ctx: ctx, conn: pgConn{e, e.db}}
	if err := fn(tx); err != nil {
		return err
	}
	return tx.broken
}

func (e *pgEngine) view(ctx context.Context, s *Store, fn func(*Tx) error) error {
	t, err := e.begin(ctx, true)
	if err != nil {
		return err
	}
	defer t.Rollback()
	tx := &Tx{s: s, ctx: ctx, conn: pgConn{e, t}, kept: &s.texts}
	if err := fn(tx); err != nil {
		return err
	}
	return tx.broken
}

func (e *pgEngine) update(ctx context.Context, s *Store, fn func(*Tx) error) error {
	for attempt := 1; ; attempt++ {
		touched, err := e.once(ctx, s, fn)
		if err == nil {
			s.commits.Add(1)
			s.updates.Add(1)
			if len(touched) > 0 {
				s.hub.tell(touched)
				e.announce(touched)
			}
			return nil
		}
		if !retriable(err) || attempt == pgAttempts {
			return err
		}
		// Full jitter, growing to 100 ms: the one we met needs time to commit.
		pause := time.Duration(mathrand.Int64N(int64(min(100*time.Millisecond, time.Millisecond<<min(attempt, 7)))))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (e *pgEngine) once(ctx context.Context, s *Store, fn func(*Tx) error) (map[AccountID]struct{}, error) {
	t, err := e.begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer t.Rollback()
	tx := &Tx{s: s, ctx: ctx, conn: pgConn{e, t}, write: true}
	err = fn(tx)
	if tx.broken != nil && !errors.Is(err, tx.broken) {
		err = tx.broken // fn hid it and went on
	}
	if err != nil {
		return nil, err
	}
	if err := t.Commit(); err != nil {
		if sqlState(err) == "" && !pgconn.SafeToRetry(err) {
			return nil, problem.New(problem.Unavailable, "The connection to the calendar store broke while saving: look whether it was saved before you try again.").Because(err)
		}
		return nil, fmt.Errorf("commit: %w", err)
	}
	return tx.touched, nil
}

// announce leaves word for the other nodes; watch sends it.
func (e *pgEngine) announce(touched map[AccountID]struct{}) {
	e.mu.Lock()
	if e.fresh == nil {
		e.fresh = make(map[AccountID]struct{})
	}
	for id := range touched {
		e.fresh[id] = struct{}{}
	}
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// tend: the server looks after itself.
func (*pgEngine) tend(context.Context, *Store) {}

// watch sends and receives notifications. They are hints: while the connection
// is down, nothing but time is lost.
func (e *pgEngine) watch(ctx context.Context, s *Store) {
	var others sync.WaitGroup
	defer others.Wait()
	others.Go(func() { e.send(ctx, s) })
	others.Go(func() { e.renewStatistics(ctx, s) })
	for ctx.Err() == nil {
		err := e.listen(ctx, s)
		if ctx.Err() != nil {
			break
		}
		s.log.Warn("no notifications of other nodes for the moment", "error", err)
		s.hub.tell(nil) // whatever was missed
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

// renewStatistics keeps the planner informed while the tables grow fast.
func (e *pgEngine) renewStatistics(ctx context.Context, s *Store) {
	for {
		select {
		case <-e.analyze:
		case <-ctx.Done():
			return
		}
		if _, err := e.db.ExecContext(ctx, "analyze object, object_text, occupancy, tombstone, collection, collection_state, home, entry"); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot renew the planner's statistics", "error", err)
		}
	}
}

func (e *pgEngine) listen(ctx context.Context, s *Store) error {
	c, err := pgx.ConnectConfig(ctx, e.config.Copy())
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	if _, err := c.Exec(ctx, "listen "+pgChannel); err != nil {
		return err
	}
	s.hub.tell(nil)
	for {
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		node, list, _ := strings.Cut(n.Payload, " ")
		if node == e.node {
			continue
		}
		var accounts map[AccountID]struct{} // stays nil, which is all of them, when the list is too long to send
		for field := range strings.FieldsSeq(list) {
			if id, err := strconv.ParseInt(field, 10, 64); err == nil {
				if accounts == nil {
					accounts = make(map[AccountID]struct{})
				}
				accounts[AccountID(id)] = struct{}{}
			}
		}
		s.hub.tell(accounts)
	}
}

func (e *pgEngine) send(ctx context.Context, s *Store) {
	for {
		select {
		case <-e.wake:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(pgGather):
		case <-ctx.Done():
			return
		}
		e.mu.Lock()
		fresh := e.fresh
		e.fresh = nil
		e.mu.Unlock()
		payload := e.node
		if len(fresh) <= 300 { // a payload is shorter than 8000 octets
			for id := range fresh {
				payload += " " + strconv.FormatInt(int64(id), 10)
			}
		}
		if _, err := e.db.ExecContext(ctx, "select pg_notify($1, $2)", pgChannel, payload); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot notify the other nodes", "error", err)
		}
	}
}
