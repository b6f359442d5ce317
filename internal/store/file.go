package store

import (
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// File is a plain WebDAV resource of a home, or a plain collection of them
// (RFC 4918 5.2): what a home may hold beside calendars.
type File struct {
	Account     AccountID
	Path        string // relative to the home, segments decoded and joined by slashes, none at the ends
	Directory   bool
	ContentType string
	Language    string // Content-Language
	ETag        string // with its quotes; empty for collections
	Size        int
	Created     time.Time
	Modified    time.Time
	Properties  map[string]string // dead properties, as Collection.Properties
}

const fileColumns = `f.account, f.path, f.directory, f.content_type, f.language, f.etag, f.size, f.created, f.modified, f.properties`

func scanFile(r *sql.Rows, f *File) error {
	return r.Scan(&f.Account, &f.Path, &f.Directory, &f.ContentType, &f.Language, &f.ETag, &f.Size, instant{&f.Created}, instant{&f.Modified}, text{&f.Properties})
}

// below is the condition that a path lies under $n: those that begin with it
// and a slash, which are a range, since "0" follows "/".
func below(n int) string {
	return fmt.Sprintf(`f.path > $%[1]d || '/' and f.path < $%[1]d || '0'`, n)
}

// PutFile stores a file or plain collection in place of what was there.
func (tx *Tx) PutFile(f File, body []byte) error {
	if err := indexable("path", f.Path); err != nil {
		return err
	}
	packed := ""
	if len(f.Properties) > 0 {
		packed = jsonText(f.Properties)
	}
	_, err := tx.exec(`insert into file (account, path, directory, content_type, language, etag, size, created, modified, properties, body)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		on conflict (account, path) do update set directory = excluded.directory, content_type = excluded.content_type, language = excluded.language,
			etag = excluded.etag, size = excluded.size, modified = excluded.modified, properties = excluded.properties, body = excluded.body`,
		f.Account, f.Path, f.Directory, f.ContentType, f.Language, f.ETag, len(body), f.Created, f.Modified, packed, body)
	if err != nil {
		return fmt.Errorf("store file %s: %w", f.Path, err)
	}
	return nil
}

// SetFileProperties replaces the dead properties of a file.
func (tx *Tx) SetFileProperties(account AccountID, path string, properties map[string]string) error {
	packed := ""
	if len(properties) > 0 {
		packed = jsonText(properties)
	}
	n, err := tx.exec(`update file set properties = $3 where account = $1 and path = $2`, account, path, packed)
	if err == nil && n == 0 {
		return notFound("file %s", path)
	}
	return err
}

// File finds a file or plain collection.
func (tx *Tx) File(account AccountID, path string) (File, error) {
	return first(tx, scanFile, "file "+path, `select `+fileColumns+` from file f where f.account = $1 and f.path = $2`, account, path)
}

// FileBody reads the octets of a file.
func (tx *Tx) FileBody(account AccountID, path string) ([]byte, error) {
	var body []byte
	found, err := tx.row([]any{&body}, `select body from file where account = $1 and path = $2`, account, path)
	if err == nil && !found {
		return nil, notFound("file %s", path)
	}
	return body, err
}

// Files lists what lies under a path, at any depth, in order of path; under ""
// lies everything.
func (tx *Tx) Files(account AccountID, under string) ([]File, error) {
	if under == "" {
		return collect(tx, scanFile, `select `+fileColumns+` from file f where f.account = $1 order by f.path`, account)
	}
	return collect(tx, scanFile, `select `+fileColumns+` from file f where f.account = $1 and `+below(2)+` order by f.path`, account, under)
}

// FilesIn lists what lies directly in a path.
func (tx *Tx) FilesIn(account AccountID, in string) ([]File, error) {
	if in == "" {
		return collect(tx, scanFile, `select `+fileColumns+` from file f where f.account = $1 and f.path not like '%/%' order by f.path`, account)
	}
	all, err := tx.Files(account, in)
	direct := all[:0]
	for _, f := range all {
		if !strings.Contains(f.Path[len(in)+1:], "/") {
			direct = append(direct, f)
		}
	}
	return direct, err
}

// DeleteFile removes a file, or a plain collection with all that is in it.
func (tx *Tx) DeleteFile(account AccountID, path string) error {
	n, err := tx.exec(`delete from file where account = $1 and path = $2`, account, path)
	if err != nil {
		return err
	}
	if n == 0 {
		return notFound("file %s", path)
	}
	_, err = tx.exec(`delete from file as f where f.account = $1 and `+below(2), account, path)
	return err
}

// CopyFile copies a file, or a plain collection with all that is in it if deep
// and alone otherwise, to a path where nothing is.
func (tx *Tx) CopyFile(account AccountID, from, to string, deep bool, now time.Time) error {
	const columns = `directory, content_type, language, etag, size`
	copied := `insert into file (account, path, ` + columns + `, created, modified, properties, body)
		select f.account, cast($3 as text) || substr(f.path, cast($4 as integer)), ` + columns + `, cast($5 as bigint), cast($5 as bigint), f.properties, f.body from file f where f.account = $1 and `
	start := len([]rune(from)) + 1
	n, err := tx.exec(copied+`f.path = $2`, account, from, to, start, now)
	if err != nil {
		return fmt.Errorf("copy file %s: %w", from, err)
	}
	if n == 0 {
		return notFound("file %s", from)
	}
	if deep {
		if _, err := tx.exec(copied+below(2), account, from, to, start, now); err != nil {
			return fmt.Errorf("copy files in %s: %w", from, err)
		}
	}
	return nil
}

// MoveFile gives a file, with all that is in it, a path where nothing is.
func (tx *Tx) MoveFile(account AccountID, from, to string) error {
	start := len([]rune(from)) + 1
	moved := `update file as f set path = cast($3 as text) || substr(f.path, cast($4 as integer)) where f.account = $1 and `
	n, err := tx.exec(moved+`f.path = $2`, account, from, to, start)
	if err != nil {
		return fmt.Errorf("move file %s: %w", from, err)
	}
	if n == 0 {
		return notFound("file %s", from)
	}
	if _, err := tx.exec(moved+below(2), account, from, to, start); err != nil {
		return fmt.Errorf("move files in %s: %w", from, err)
	}
	return nil
}

// Usage is how many octets an account's calendars and files take.
func (tx *Tx) Usage(account AccountID) (int64, error) {
	var n int64
	_, err := tx.row([]any{&n}, `select cast(coalesce((select sum(o.size) from object o where o.account = $1), 0)
		+ coalesce((select sum(f.size) from file f where f.account = $1), 0)
		+ coalesce((select sum(a.size) from attachment a where a.account = $1), 0) as bigint)`, account)
	return n, err
}
