package store

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strconv"
)

// sqliteConn is one connection with its prepared statements. Statements run
// without the caller's context: interrupting one in a shared commit would hurt
// its neighbours, and Tx asks the context between statements.
type sqliteConn struct {
	c       *sql.Conn
	stmts   map[string]statement
	changed int64 // rows that exec has changed
	memo    memo  // the writer's
}

type statement struct {
	*sql.Stmt
	upsets   bool  // what the memo knows
	recounts bool  // heads that it knows
	order    []int // of the arguments, by the places they have in the text; nil: as they are
}

// prepare gives a statement that is about to be run.
func (c *sqliteConn) prepare(query string) (statement, error) {
	s, ok := c.stmts[query]
	if !ok {
		text, order := byPlace(sqliteDialect.render(query))
		prepared, err := c.c.PrepareContext(context.Background(), text)
		if err != nil {
			return s, err
		}
		s = statement{prepared, upsetting.MatchString(query), forgetsHeads(query), order}
		c.stmts[query] = s
	}
	if s.upsets {
		c.memo.upset()
	}
	if s.recounts {
		c.memo.undone()
	}
	return s, nil
}

var parameter = regexp.MustCompile(`\$[0-9]+`)

// byPlace gives parameters by their places instead of numbers, which the driver
// looks up as names each time, and the number of each place.
func byPlace(query string) (text string, order []int) {
	inOrder := true
	text = parameter.ReplaceAllStringFunc(query, func(p string) string {
		n, _ := strconv.Atoi(p[1:])
		order = append(order, n-1)
		inOrder = inOrder && n == len(order)
		return "?"
	})
	if inOrder {
		order = nil
	}
	return text, order
}

// arrange gives the arguments by their places.
func (s statement) arrange(args []any) ([]any, error) {
	if s.order == nil {
		return args, nil
	}
	list := make([]any, len(s.order))
	for place, n := range s.order {
		if n >= len(args) {
			return nil, fmt.Errorf("%d arguments for a statement with $%d", len(args), n+1)
		}
		list[place] = args[n]
	}
	return list, nil
}

func (c *sqliteConn) exec(_ context.Context, query string, args []any) (int64, error) {
	s, err := c.prepare(query)
	if err != nil {
		return 0, err
	}
	if args, err = s.arrange(args); err != nil {
		return 0, err
	}
	r, err := s.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	c.changed += n
	return n, err
}

func (c *sqliteConn) query(_ context.Context, query string, args []any) (*sql.Rows, error) {
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	if args, err = s.arrange(args); err != nil {
		return nil, err
	}
	return s.QueryContext(context.Background(), args...)
}

func (c *sqliteConn) do(query string) error {
	_, err := c.exec(context.Background(), query, nil)
	return err
}

func (c *sqliteConn) close() error {
	for _, s := range c.stmts {
		s.Close()
	}
	return c.c.Close()
}
