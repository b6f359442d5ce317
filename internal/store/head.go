package store

import (
	"fmt"
	"regexp"
)

// Heads are the numbers that everything new takes the next of: those of homes,
// and that of journal rows. SQLite's writer knows the ones it gave last, and
// need not have the engine tell them, for which that makes a table each time.
// They are exact like the rest of the memo: forgotten when another process has
// written, when a transaction is undone in whole or in part, and when any other
// statement changes where they are kept.

// entryHead is the head of journal rows; homes have the number of their account.
const entryHead AccountID = -1

const (
	nextHomeSeq  = `update home set seq = seq + 1 where account = $1 returning seq`
	setHomeSeq   = `update home set seq = $2 where account = $1`
	setNextEntry = `update counter set value = $1 where name = 'entry'`
)

// heading are the statements after which heads are not known.
var heading = regexp.MustCompile(`(?i)\b(into|update(\s+or\s+\w+)?|delete\s+from)\s+(\w+\.)?["\x60\[]?(home|counter)\b`)

func forgetsHeads(query string) bool {
	return heading.MatchString(query) && query != nextHomeSeq && query != setHomeSeq && query != setNextEntry && query != sqliteDialect.nextEntry
}

// next takes the next number of a head: with set, which has the arguments, where
// the number before is known, else with ask, which tells it.
func (tx *Tx) next(head AccountID, set, ask string, args ...any) (n int64, found bool, err error) {
	if tx.memo != nil {
		if last, known := tx.memo.heads[head]; known {
			changed, err := tx.exec(set, append(args, last+1)...)
			if err != nil {
				return 0, false, err
			}
			if changed != 1 {
				return 0, false, fmt.Errorf("%d rows have the number after %d", changed, last)
			}
			tx.memo.heads[head] = last + 1
			return last + 1, true, nil
		}
	}
	found, err = tx.returning([]any{&n}, ask, args...)
	if err != nil || !found || tx.memo == nil {
		return n, found, err
	}
	if tx.memo.heads == nil || len(tx.memo.heads) >= memoLimit {
		tx.memo.heads = map[AccountID]int64{}
	}
	tx.memo.heads[head] = n
	return n, true, nil
}
