package store

import "regexp"

// memo is what the transactions of SQLite's writer have read of tables that
// seldom change and are asked about with every message: who has an address,
// and which collections a home has. It is exact: only the writer uses it, one
// transaction at a time, and it is forgotten when a statement of the writer, or
// another process, changes one of those tables. What is in it is shared and
// must not be changed by who gets it.
type memo struct {
	known map[question]any
	heads map[AccountID]int64 // see head.go
	off   bool                // the transaction that is open has changed them: until it ends they are read
}

// question is a key of one kind of answer.
type question struct {
	kind string
	key  any
}

// memoLimit bounds the answers, of which most take about a hundred octets.
const memoLimit = 5000

// upsetting are the statements that change what a memo answers from, in all forms
// that SQLite has for them (https://sqlite.org/lang_insert.html, lang_update.html).
var upsetting = regexp.MustCompile(`(?i)\b(into|update(\s+or\s+\w+)?|delete\s+from)\s+(\w+\.)?["\x60\[]?(account|address|redirect|collection|sender_rule)\b`)

func (m *memo) forget() {
	clear(m.known)
	clear(m.heads)
}

func (m *memo) upset() {
	clear(m.known)
	m.off = true
}

// undone is called when some of what was written is undone.
func (m *memo) undone() { clear(m.heads) }

// settle is called when the transaction has ended.
func (m *memo) settle() { m.off = false }

// recall finds an answer that was kept.
func recall[T any](tx *Tx, kind string, key any) (answer T, ok bool) {
	if tx.memo == nil || tx.memo.off {
		return answer, false
	}
	answer, ok = tx.memo.known[question{kind, key}].(T)
	return answer, ok
}

// keep keeps an answer for those that ask the same.
func keep[T any](tx *Tx, kind string, key any, answer T) {
	m := tx.memo
	if m == nil || m.off {
		return
	}
	if len(m.known) >= memoLimit {
		m.forget()
	}
	if m.known == nil {
		m.known = make(map[question]any)
	}
	m.known[question{kind, key}] = answer
}

// remembered is the answer to a question: the one that was kept, or else what
// is read now.
func remembered[T any](tx *Tx, kind string, key any, read func() (T, error)) (T, error) {
	if answer, ok := recall[T](tx, kind, key); ok {
		return answer, nil
	}
	answer, err := read()
	if err == nil {
		keep(tx, kind, key, answer)
	}
	return answer, err
}
