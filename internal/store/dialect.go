package store

import (
	"regexp"
	"strings"
)

// dialect is all that the two engines do not share in the SQL text.
type dialect struct {
	name       string
	migrations string // folder
	numbers    string // a table of one column "value" made of a JSON array of integers in $1
	oneof      string // the condition that a column is in such an array
	among      string // the same for an array of texts
	skipLocked string // after a select that claims rows
	nextEntry  string // the next journal identifier
	setEntry   string // continue the identifiers after $1
	setAccount string
}

var sqliteDialect = &dialect{
	name:       "sqlite",
	migrations: "migrations/sqlite",
	numbers:    "json_each($1)",
	oneof:      "in (select value from json_each($1))",
	among:      "in (select value from json_each($1))",
	nextEntry:  "update counter set value = value + 1 where name = 'entry' returning value",
	setEntry:   "update counter set value = $1 where name = 'entry' and value < $1",
	setAccount: "update sqlite_sequence set seq = $1 where name = 'account' and seq < $1",
}

var postgresDialect = &dialect{
	name:       "postgres",
	migrations: "migrations/postgres",
	numbers:    "(select cast(e as bigint) as value from json_array_elements_text(cast($1 as json)) e) n",
	// An array, not a join: without statistics, as after an import, PostgreSQL
	// joins by reading everything the account has for each row.
	oneof:      "= any(cast(translate(cast($1 as text), '[]', '{}') as bigint[]))",
	among:      "= any(array(select json_array_elements_text(cast($1 as json))))",
	skipLocked: "for update skip locked",
	nextEntry:  "select nextval('entry_id_seq')",
	setEntry:   "select setval('entry_id_seq', greatest($1, nextval('entry_id_seq')))",
	setAccount: "select setval(pg_get_serial_sequence('account', 'id'), greatest($1, nextval(pg_get_serial_sequence('account', 'id'))))",
}

var arrayCall = regexp.MustCompile(`(numbers|oneof|among)\((\$\d+)\)`)

// render puts the engine's own words into a query of this package.
func (d *dialect) render(query string) string {
	query = arrayCall.ReplaceAllStringFunc(query, func(call string) string {
		m := arrayCall.FindStringSubmatch(call)
		text := map[string]string{"numbers": d.numbers, "oneof": d.oneof, "among": d.among}[m[1]]
		return strings.ReplaceAll(text, "$1", m[2])
	})
	return strings.ReplaceAll(query, "{skip locked}", d.skipLocked)
}
