package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

//go:embed migrations
var migrations embed.FS

// Options say where the store is and how it behaves.
type Options struct {
	URL        string // "" = SQLite in Dir; or "postgres://..."
	Dir        string // directory of the SQLite store, made when missing (mode 0700)
	Durability string // "full" (default): a commit survives a power cut; "normal": a crash of this process
	Serve      bool   // this is the server: a second one on the same directory is refused. The command line works beside it
	ReadConns  int    // connections for View; 0 = twice the processors
	Log        *slog.Logger
	Now        func() time.Time // for timestamps of the history; nil = time.Now
	PollEvery  time.Duration    // how often to look for commits of other processes; 0 = 500 ms
}

// Store is an open store. Its methods are safe for concurrent use.
type Store struct {
	engine  engine
	dialect *dialect
	log     *slog.Logger
	now     func() time.Time
	hub     hub
	texts   textCache
	updates atomic.Int64 // see Load
	commits atomic.Int64
	stop    context.CancelFunc
	beside  sync.WaitGroup // what runs until stop
	unlock  func() error
}

// engine runs transactions on one of the databases.
type engine interface {
	view(ctx context.Context, s *Store, fn func(*Tx) error) error
	peek(ctx context.Context, s *Store, fn func(*Tx) error) error
	update(ctx context.Context, s *Store, fn func(*Tx) error) error
	watch(ctx context.Context, s *Store) // tells s.hub of other processes' commits until ctx ends
	tend(ctx context.Context, s *Store)  // does what else is to be done beside transactions until ctx ends
	migrate(ctx context.Context, to int64) (version int64, err error)
	close() error
}

// Open opens the store and brings its schema up to date.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	if _, err := s.engine.migrate(ctx, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("bring the store's schema up to date: %w", explain(err)), s.Close())
	}
	s.start(o)
	return s, nil
}

// open does all of Open but the schema and the watching.
func open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{log: o.Log, now: o.Now, texts: textCache{limit: textCacheLimit}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if o.ReadConns <= 0 {
		o.ReadConns = 2 * runtime.NumCPU()
	}
	if o.Durability != "" && o.Durability != "full" && o.Durability != "normal" {
		return nil, fmt.Errorf("store durability %q: it is \"full\" or \"normal\"", o.Durability)
	}
	switch {
	case o.URL == "":
		if o.Dir == "" {
			return nil, errors.New("store: neither a directory nor a URL is given")
		}
		if err := os.MkdirAll(o.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("make the data directory: %w", err)
		}
		if o.Serve {
			unlock, err := lockFile(filepath.Join(o.Dir, "store.lock"), false)
			if err != nil {
				return nil, fmt.Errorf("another server runs on the data directory %s: stop it first, or give this one a directory of its own: %w", o.Dir, err)
			}
			s.unlock = unlock
		}
		s.dialect = sqliteDialect
		engine, err := openSQLite(ctx, o)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.engine = engine
	case strings.HasPrefix(o.URL, "postgres://"), strings.HasPrefix(o.URL, "postgresql://"):
		s.dialect = postgresDialect
		engine, err := openPostgres(ctx, o)
		if err != nil {
			return nil, err
		}
		s.engine = engine
	default:
		scheme, _, _ := strings.Cut(o.URL, ":") // the rest may hold a password
		return nil, fmt.Errorf("store url with scheme %q: it is empty for the embedded store, or begins with postgres://", scheme)
	}
	return s, nil
}

func (s *Store) start(o Options) {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.beside.Go(func() { s.engine.watch(ctx, s) })
	s.beside.Go(func() { s.engine.tend(ctx, s) })
}

// Engine is "sqlite" or "postgres", for people.
func (s *Store) Engine() string { return s.dialect.name }

// View gives fn a consistent snapshot, which no concurrent change disturbs. It
// must not change anything.
func (s *Store) View(ctx context.Context, fn func(*Tx) error) error {
	return explain(s.engine.view(ctx, s, fn))
}

// Peek is View for a function of one or two queries that need not agree: each
// sees a snapshot of its own. Beginning and ending a transaction around one
// query takes as long as the query does.
func (s *Store) Peek(ctx context.Context, fn func(*Tx) error) error {
	return explain(s.engine.peek(ctx, s, fn))
}

// Update runs fn in a transaction, which is durable when Update returns nil,
// and as if it had never begun when it returns an error or fn panics. fn may
// run more than once and must do nothing but use its tx and set results, which
// it resets first. It must not call View or Update.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	return explain(s.engine.update(ctx, s, fn))
}

// Close waits for running transactions and closes the store.
func (s *Store) Close() error {
	if s.stop != nil {
		s.stop()
		s.beside.Wait()
	}
	var err error
	if s.engine != nil {
		err = s.engine.close()
	}
	if s.unlock != nil {
		err = errors.Join(err, s.unlock())
	}
	s.hub.close()
	return err
}

// migrationsOf is the folder of one engine.
func migrationsOf(d *dialect) fs.FS {
	sub, err := fs.Sub(migrations, d.migrations)
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}
