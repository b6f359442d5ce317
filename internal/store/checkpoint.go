package store

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// The pages that SQLite's commits append to its log are copied into the
// database by a connection of their own, beside the writer, which would
// otherwise hold up everybody who waits for it.
const (
	// checkpointRows changed since the last time are worth a copy; a row is
	// about two pages, with those of the indexes.
	checkpointRows = 1500
	// writerCheckpoint is the length of the log, in octets, at which the writer
	// copies the rest itself: only while nobody writes can the log begin anew,
	// and under a load that never pauses nobody else would come to it.
	writerCheckpoint = 16 << 20
	// logAtRest is how long nobody has written much when the log is emptied: its
	// file keeps the size of the greatest rush otherwise.
	logAtRest = 2 * time.Second
)

// emptyLog copies the log and gives its room on disk back, unless somebody
// reads or writes just then.
const emptyLog = "pragma wal_checkpoint(truncate)"

// boundLog makes a connection copy the log itself at writerCheckpoint, which
// SQLite counts in pages.
func (c *sqliteConn) boundLog() error {
	var size int64
	if err := c.c.QueryRowContext(context.Background(), "pragma page_size").Scan(&size); err != nil {
		return err
	}
	return c.do(fmt.Sprintf("pragma wal_autocheckpoint = %d", writerCheckpoint/size))
}

type checkpointer struct {
	wake chan struct{} // holds one
	mu   sync.Mutex
	seen int64 // rows that were changed when the last copy began
}

// written tells of a commit, with the rows the writer has changed so far.
func (c *checkpointer) written(rows int64) {
	c.mu.Lock()
	due := rows-c.seen >= checkpointRows
	if due {
		c.seen = rows
	}
	c.mu.Unlock()
	if due {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// run copies until ctx ends.
func (c *checkpointer) run(ctx context.Context, s *Store, connect func() (*sqliteConn, error)) {
	var conn *sqliteConn
	defer func() {
		if conn != nil {
			_ = conn.close() // it only read
		}
	}()
	rest := time.NewTimer(logAtRest)
	rest.Stop()
	defer rest.Stop()
	for {
		how := "pragma wal_checkpoint(passive)" // waits for nobody
		select {
		case <-c.wake:
			rest.Reset(logAtRest)
		case <-rest.C:
			how = emptyLog
		case <-ctx.Done():
			return
		}
		var err error
		if conn == nil {
			conn, err = connect()
		}
		if err == nil {
			err = conn.do(how)
		}
		if err != nil {
			s.log.Warn("the log of the store is not copied; the next commits will do it", "error", err)
		}
	}
}
