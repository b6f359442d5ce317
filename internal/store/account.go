package store

import (
	"database/sql"
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const accountColumns = `a.id, a.name, a.kind, a.display_name, a.password_hash, a.disabled, a.admin, a.time_zone, a.language, a.created, a.settings`

func (a *Account) fields() []any {
	return []any{&a.ID, &a.Name, &a.Kind, &a.DisplayName, &a.PasswordHash, &a.Disabled, &a.Admin, &a.TimeZone, &a.Language, instant{&a.Created}, &a.Settings}
}

func scanAccount(r *sql.Rows, a *Account) error { return r.Scan(a.fields()...) }

// AddAccount stores a new account and its empty home, and sets a.ID. A taken
// name is ErrExists.
func (tx *Tx) AddAccount(a *Account) error {
	if err := indexable("account's name", a.Name); err != nil {
		return err
	}
	found, err := tx.returning([]any{&a.ID}, `
		insert into account (name, kind, display_name, password_hash, disabled, admin, time_zone, language, created, settings, search)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing returning id`,
		a.Name, a.Kind, a.DisplayName, a.PasswordHash, a.Disabled, a.Admin, a.TimeZone, a.Language, a.Created, a.Settings, searchText(*a, nil))
	if err != nil {
		return fmt.Errorf("add account %s: %w", a.Name, err)
	}
	if !found {
		return exists("account %s", a.Name)
	}
	tx.touch(a.ID)
	_, err = tx.exec(`insert into home (account, seq, min_seq) values ($1, 0, 0)`, a.ID)
	return err
}

// UpdateAccount replaces everything but the identifier and the creation time.
func (tx *Tx) UpdateAccount(a Account) error {
	if err := indexable("account's name", a.Name); err != nil {
		return err
	}
	var other AccountID
	taken, err := tx.row([]any{&other}, `select id from account where name = $1 and id <> $2`, a.Name, a.ID)
	if err != nil {
		return err
	}
	if taken {
		return exists("account %s", a.Name)
	}
	n, err := tx.exec(`
		update account set name = $2, kind = $3, display_name = $4, password_hash = $5, disabled = $6, admin = $7,
			time_zone = $8, language = $9, settings = $10 where id = $1`,
		a.ID, a.Name, a.Kind, a.DisplayName, a.PasswordHash, a.Disabled, a.Admin, a.TimeZone, a.Language, a.Settings)
	if err != nil {
		return fmt.Errorf("update account %s: %w", a.Name, err)
	}
	if n == 0 {
		return notFound("account %d", a.ID)
	}
	tx.touch(a.ID)
	return tx.indexNames(a.ID)
}

// owned are the tables whose rows belong to an account, in no special order.
var owned = []string{"home", "address", "app_password", "session", "redirect", "collection", "collection_state", "object",
	"object_text", "occupancy", "pattern", "tombstone", "version", "share", "entry", "entry_text", "entry_raw", "booking_policy", "member", "consent",
	"mount", "personal", "lock", "file", "feed", "subscription", "notification", "attachment", "cip_event", "cip_moved", "mail_key", "reply_address", "sender_rule", "push_registration", "visit"}

// DeleteAccount removes the account and everything that is its own, history
// and journal included, and the shares others gave it.
func (tx *Tx) DeleteAccount(id AccountID) error {
	n, err := tx.exec(`delete from account where id = $1`, id)
	if err != nil {
		return fmt.Errorf("delete account %d: %w", id, err)
	}
	if n == 0 {
		return notFound("account %d", id)
	}
	for _, table := range owned {
		if _, err := tx.exec(`delete from `+table+` where account = $1`, id); err != nil {
			return fmt.Errorf("delete %s of account %d: %w", table, id, err)
		}
	}
	for _, theirs := range []string{`share where grantee`, `mount where owner`, `personal where reader`, `push_registration where reader`} {
		if _, err := tx.exec(`delete from `+theirs+` = $1`, id); err != nil {
			return fmt.Errorf("delete what others have of account %d: %w", id, err)
		}
	}
	tx.touch(id)
	return nil
}

// Account finds an account by its identifier.
func (tx *Tx) Account(id AccountID) (Account, error) {
	return first(tx, scanAccount, fmt.Sprintf("account %d", id), `select `+accountColumns+` from account a where a.id = $1`, id)
}

// AccountByName finds an account by its URL name.
func (tx *Tx) AccountByName(name string) (Account, error) {
	return first(tx, scanAccount, "account "+name, `select `+accountColumns+` from account a where a.name = $1`, name)
}

// AccountByAddress finds the account that a calendar user address belongs to,
// by the address's comparison key.
func (tx *Tx) AccountByAddress(key string) (Account, error) {
	return first(tx, scanAccount, "address "+key,
		`select `+accountColumns+` from address d join account a on a.id = d.account where d.key = $1`, key)
}

// Holder is an account with the calendar user addresses it has.
type Holder struct {
	Account
	Addresses []string // URIs, the preferred first
}

// Holders finds the accounts that some addresses belong to, by the addresses'
// comparison keys, with one query. Keys that nobody has are not in the map.
func (tx *Tx) Holders(keys []string) (map[string]Holder, error) {
	found := make(map[string]Holder, len(keys))
	var unknown []string
	for _, key := range keys {
		if h, ok := recall[Holder](tx, "holder", key); !ok {
			unknown = append(unknown, key)
		} else if h.ID != 0 {
			found[key] = h
		}
	}
	if len(unknown) == 0 {
		return found, nil
	}
	err := tx.each(func(r *sql.Rows) error {
		var key, uri string
		var a Account
		if err := r.Scan(append([]any{&key, &uri}, a.fields()...)...); err != nil {
			return err
		}
		h, more := found[key]
		if !more {
			h.Account = a
		}
		h.Addresses = append(h.Addresses, uri)
		found[key] = h
		return nil
	}, `select m.key, own.uri, `+accountColumns+` from address m join account a on a.id = m.account join address own on own.account = a.id
		where m.key among($1) order by own.position, own.key`, jsonText(unknown))
	if err != nil {
		return nil, fmt.Errorf("look up %d addresses: %w", len(unknown), err)
	}
	for _, key := range unknown {
		keep(tx, "holder", key, found[key])
	}
	return found, nil
}

// Redirected finds the addresses that took the place of some others; those
// that were never renamed are not in the map.
func (tx *Tx) Redirected(keys []string) (map[string]string, error) {
	found := map[string]string{}
	var unknown []string
	for _, key := range keys {
		if uri, ok := recall[string](tx, "redirect", key); !ok {
			unknown = append(unknown, key)
		} else if uri != "" {
			found[key] = uri
		}
	}
	if len(unknown) == 0 {
		return found, nil
	}
	err := tx.each(func(r *sql.Rows) error {
		var key, uri string
		err := r.Scan(&key, &uri)
		found[key] = uri
		return err
	}, `select old_key, new_uri from redirect where old_key among($1)`, jsonText(unknown))
	if err != nil {
		return nil, fmt.Errorf("look for renamed addresses: %w", err)
	}
	for _, key := range unknown {
		keep(tx, "redirect", key, found[key])
	}
	return found, nil
}

// Accounts lists up to limit accounts (0: all) in order of name, after a name.
func (tx *Tx) Accounts(afterName string, limit int) ([]Account, error) {
	return collect(tx, scanAccount, `select `+accountColumns+` from account a where a.name > $1 order by a.name limit $2`, afterName, unlimited(limit))
}

// unlimited is a LIMIT that both engines take for "all".
func unlimited(limit int) int64 {
	if limit <= 0 {
		return 1 << 40
	}
	return int64(limit)
}

const addressColumns = `account, key, uri, position, verified`

func scanAddress(r *sql.Rows, a *Address) error {
	return r.Scan(&a.Account, &a.Key, &a.URI, &a.Position, &a.Verified)
}

// Addresses lists an account's calendar user addresses, the preferred first.
func (tx *Tx) Addresses(id AccountID) ([]Address, error) {
	return collect(tx, scanAddress, `select `+addressColumns+` from address where account = $1 order by position, key`, id)
}

// SetAddresses replaces an account's addresses; positions are given by the
// order of the list. An address of another account is ErrExists.
func (tx *Tx) SetAddresses(id AccountID, list []Address) error {
	if _, err := tx.Account(id); err != nil {
		return err
	}
	if _, err := tx.exec(`delete from address where account = $1`, id); err != nil {
		return fmt.Errorf("replace addresses of account %d: %w", id, err)
	}
	for i, a := range list {
		if err := indexable("address", a.Key); err != nil {
			return err
		}
		n, err := tx.exec(`insert into address (account, key, uri, position, verified) values ($1, $2, $3, $4, $5) on conflict do nothing`,
			id, a.Key, a.URI, i, a.Verified)
		if err != nil {
			return fmt.Errorf("add address %s: %w", a.URI, err)
		}
		if n == 0 {
			return exists("address %s", a.URI)
		}
	}
	tx.touch(id)
	return tx.indexNames(id)
}

// searchText is what SearchAccounts looks into: name and addresses, folded,
// with a blank before each word.
func searchText(a Account, addresses []Address) string {
	words := []string{a.Name, a.DisplayName}
	for _, d := range addresses {
		words = append(words, d.Key)
	}
	return " " + strings.Join(strings.Fields(fold(strings.Join(words, " "))), " ")
}

// fold makes "JÖRG" and "jorg" the same: lower case without diacritics.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(s)) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (tx *Tx) indexNames(id AccountID) error {
	a, err := tx.Account(id)
	if err != nil {
		return err
	}
	list, err := tx.Addresses(id)
	if err != nil {
		return err
	}
	_, err = tx.exec(`update account set search = $2 where id = $1`, id, searchText(a, list))
	return err
}

// SearchAccounts lists up to limit accounts that are not disabled, in order of
// display name, in which every token begins a word of the name or an address.
// Case and diacritics do not count.
func (tx *Tx) SearchAccounts(tokens []string, limit int) ([]Account, error) {
	where, args := "not a.disabled", []any(nil)
	escape := strings.NewReplacer(`!`, `!!`, `%`, `!%`, `_`, `!_`)
	for _, token := range tokens {
		for _, word := range strings.Fields(fold(token)) {
			args = append(args, "% "+escape.Replace(word)+"%")
			where += fmt.Sprintf(" and a.search like $%d escape '!'", len(args))
		}
	}
	args = append(args, unlimited(limit))
	return collect(tx, scanAccount, `select `+accountColumns+` from account a where `+where+
		fmt.Sprintf(` order by a.display_name, a.id limit $%d`, len(args)), args...)
}

const appPasswordColumns = `account, id, label, hash, created, last_used, expires`

func scanAppPassword(r *sql.Rows, p *AppPassword) error {
	return r.Scan(&p.Account, &p.ID, &p.Label, &p.Hash, instant{&p.Created}, instant{&p.LastUsed}, instant{&p.Expires})
}

// AddAppPassword stores an app password and sets p.ID.
func (tx *Tx) AddAppPassword(p *AppPassword) error {
	seq, err := tx.nextSeq(p.Account)
	if err != nil {
		return err
	}
	p.ID = seq
	_, err = tx.exec(`insert into app_password (account, id, label, hash, created, last_used, expires) values ($1, $2, $3, $4, $5, $6, $7)`,
		p.Account, p.ID, p.Label, p.Hash, p.Created, p.LastUsed, p.Expires)
	return err
}

// AppPasswords lists an account's app passwords, oldest first.
func (tx *Tx) AppPasswords(id AccountID) ([]AppPassword, error) {
	return collect(tx, scanAppPassword, `select `+appPasswordColumns+` from app_password where account = $1 order by id`, id)
}

// DeleteAppPassword revokes an app password.
func (tx *Tx) DeleteAppPassword(account AccountID, id int64) error {
	n, err := tx.exec(`delete from app_password where account = $1 and id = $2`, account, id)
	if err == nil && n == 0 {
		return notFound("app password %d", id)
	}
	tx.touch(account)
	return err
}

// TouchAppPassword notes when an app password was last used.
func (tx *Tx) TouchAppPassword(account AccountID, id int64, at time.Time) error {
	_, err := tx.exec(`update app_password set last_used = $3 where account = $1 and id = $2`, account, id, at)
	return err
}

func scanSession(r *sql.Rows, s *Session) error {
	return r.Scan(&s.Hash, &s.Account, instant{&s.Created}, instant{&s.Expires}, &s.UserAgent)
}

// AddSession stores a signed-in browser.
func (tx *Tx) AddSession(s Session) error {
	n, err := tx.exec(`insert into session (hash, account, created, expires, user_agent) values ($1, $2, $3, $4, $5) on conflict do nothing`,
		s.Hash, s.Account, s.Created, s.Expires, s.UserAgent)
	if err == nil && n == 0 {
		return exists("session")
	}
	return err
}

// Session finds a session by the hash of its secret, expired or not.
func (tx *Tx) Session(hash []byte) (Session, error) {
	return first(tx, scanSession, "session", `select hash, account, created, expires, user_agent from session where hash = $1`, hash)
}

// DeleteSession signs one browser out. A session that is gone is no error.
func (tx *Tx) DeleteSession(hash []byte) error {
	_, err := tx.exec(`delete from session where hash = $1`, hash)
	return err
}

// DeleteSessionsOf signs an account out everywhere.
func (tx *Tx) DeleteSessionsOf(id AccountID) error {
	_, err := tx.exec(`delete from session where account = $1`, id)
	return err
}

// DeleteOtherSessions signs an account out everywhere but in one browser.
func (tx *Tx) DeleteOtherSessions(id AccountID, keep []byte) error {
	_, err := tx.exec(`delete from session where account = $1 and hash <> $2`, id, keep)
	return err
}

// ExpireSessions removes the sessions that ended before now and counts them.
func (tx *Tx) ExpireSessions(now time.Time) (int64, error) {
	return tx.exec(`delete from session where expires < $1`, now)
}

// SetRedirect remembers where a renamed address is found now, replacing an
// earlier redirect of the same address.
func (tx *Tx) SetRedirect(r Redirect) error {
	if _, err := tx.exec(`delete from redirect where old_key = $1`, r.OldKey); err != nil {
		return err
	}
	_, err := tx.exec(`insert into redirect (account, old_key, new_uri) values ($1, $2, $3)`, r.Account, r.OldKey, r.NewURI)
	return err
}

// DeleteRedirect forgets a redirect, as when the address is given out again.
func (tx *Tx) DeleteRedirect(oldKey string) error {
	_, err := tx.exec(`delete from redirect where old_key = $1`, oldKey)
	return err
}

// Redirect finds where an old address leads.
func (tx *Tx) Redirect(oldKey string) (Redirect, error) {
	scan := func(r *sql.Rows, d *Redirect) error { return r.Scan(&d.Account, &d.OldKey, &d.NewURI) }
	return first(tx, scan, "redirect of "+oldKey, `select account, old_key, new_uri from redirect where old_key = $1`, oldKey)
}
