package store

import (
	"database/sql"
	"fmt"
)

const collectionColumns = `c.account, c.id, c.name, c.kind, c.display_name, c.description, c.color, c.position, c.components,
	c.time_zone, c.transparent, c.created, c.modified, s.seq, c.properties`

const collectionTables = ` from collection c join collection_state s on s.account = c.account and s.collection = c.id `

func scanCollection(r *sql.Rows, c *Collection) error {
	return r.Scan(&c.Account, &c.ID, &c.Name, &c.Kind, &c.DisplayName, &c.Description, &c.Color, &c.Order, text{&c.Components},
		&c.TimeZone, &c.Transparent, instant{&c.Created}, instant{&c.Modified}, &c.Seq, text{&c.Properties})
}

// AddCollection stores a new collection and sets c.ID and c.Seq. A taken name
// is ErrExists.
func (tx *Tx) AddCollection(c *Collection) error {
	if err := indexable("calendar's name", c.Name); err != nil {
		return err
	}
	seq, err := tx.nextSeq(c.Account)
	if err != nil {
		return err
	}
	if c.Modified.IsZero() {
		c.Modified = c.Created
	}
	n, err := tx.exec(`
		insert into collection (account, id, name, kind, display_name, description, color, position, components, time_zone, transparent, created, modified, properties)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict do nothing`,
		c.Account, seq, c.Name, c.Kind, c.DisplayName, c.Description, c.Color, c.Order, jsonText(c.Components), c.TimeZone, c.Transparent,
		c.Created, c.Modified, jsonText(c.Properties))
	if err != nil {
		return fmt.Errorf("add collection %s: %w", c.Name, err)
	}
	if n == 0 {
		return exists("collection %s", c.Name)
	}
	if _, err := tx.exec(`insert into collection_state (account, collection, seq, changed) values ($1, $2, $3, $3)`, c.Account, seq, seq); err != nil {
		return fmt.Errorf("add collection %s: %w", c.Name, err)
	}
	c.ID, c.Seq = seq, seq
	return nil
}

// UpdateCollection replaces name and properties; Kind, Created and Seq stay.
// It moves the home's sequence, not the collection's: no object changed.
func (tx *Tx) UpdateCollection(c Collection) error {
	if err := indexable("calendar's name", c.Name); err != nil {
		return err
	}
	seq, err := tx.nextSeq(c.Account)
	if err != nil {
		return err
	}
	old, err := tx.Collection(c.Account, c.ID)
	if err != nil {
		return err
	}
	var other int64
	taken, err := tx.row([]any{&other}, `select id from collection where account = $1 and name = $2 and id <> $3`, c.Account, c.Name, c.ID)
	if err != nil {
		return err
	}
	if taken {
		return exists("collection %s", c.Name)
	}
	if old.Name != c.Name {
		if err := tx.leaveTombstone(c.Account, theHome, old.Name, seq); err != nil {
			return err
		}
		if seq, err = tx.nextSeq(c.Account); err != nil {
			return err
		}
	}
	if _, err := tx.exec(`update collection_state set changed = $3 where account = $1 and collection = $2`, c.Account, c.ID, seq); err != nil {
		return err
	}
	_, err = tx.exec(`
		update collection set name = $3, display_name = $4, description = $5, color = $6, position = $7, components = $8, time_zone = $9,
			transparent = $10, modified = $11, properties = $12 where account = $1 and id = $2`,
		c.Account, c.ID, c.Name, c.DisplayName, c.Description, c.Color, c.Order, jsonText(c.Components), c.TimeZone, c.Transparent,
		c.Modified, jsonText(c.Properties))
	if err != nil {
		return fmt.Errorf("update collection %s: %w", c.Name, err)
	}
	return nil
}

// DeleteCollection removes a collection with its objects, which go to the
// history, its change log and its shares.
func (tx *Tx) DeleteCollection(account AccountID, id int64) error {
	seq, err := tx.nextSeq(account)
	if err != nil {
		return err
	}
	old, err := tx.Collection(account, id)
	if err != nil {
		return err
	}
	if _, err := tx.exec(keepVersion+` and o.collection = $4`, account, tx.Now(), true, id); err != nil {
		return fmt.Errorf("keep objects of collection %d: %w", id, err)
	}
	if _, err := tx.exec(`delete from collection where account = $1 and id = $2`, account, id); err != nil {
		return fmt.Errorf("delete collection %s: %w", old.Name, err)
	}
	if err := tx.keepTexts(account, `text in (select -o.id from object o where o.account = $1 and o.collection = $2)`, id); err != nil {
		return err
	}
	for table, key := range map[string]string{"object_text": "id", "pattern": "object"} {
		if _, err := tx.exec(`delete from `+table+` where account = $1 and `+key+` in (select o.id from object o where o.account = $1 and o.collection = $2)`, account, id); err != nil {
			return fmt.Errorf("delete texts of collection %d: %w", id, err)
		}
	}
	for _, table := range []string{"object", "occupancy", "tombstone", "collection_state", "share", "personal", "feed", "subscription"} { // who waits for push is told first
		if _, err := tx.exec(`delete from `+table+` where account = $1 and collection = $2`, account, id); err != nil {
			return fmt.Errorf("delete %s of collection %d: %w", table, id, err)
		}
	}
	return tx.leaveTombstone(account, theHome, old.Name, seq)
}

// Collections lists a home's collections by their order, then name.
func (tx *Tx) Collections(account AccountID) ([]Collection, error) {
	return collect(tx, scanCollection, `select `+collectionColumns+collectionTables+`where c.account = $1 order by c.position, c.name`, account)
}

// Places lists a home's collections as Collections does, with ID, Name, Kind
// and Components only: what is needed to choose one for a new object.
func (tx *Tx) Places(account AccountID) ([]Collection, error) {
	return remembered(tx, "places", account, func() ([]Collection, error) {
		return collect(tx, func(r *sql.Rows, c *Collection) error {
			c.Account = account
			return r.Scan(&c.ID, &c.Name, &c.Kind, text{&c.Components})
		}, `select c.id, c.name, c.kind, c.components from collection c where c.account = $1 order by c.position, c.name`, account)
	})
}

// Collection finds a collection by its identifier.
func (tx *Tx) Collection(account AccountID, id int64) (Collection, error) {
	return first(tx, scanCollection, fmt.Sprintf("collection %d", id),
		`select `+collectionColumns+collectionTables+`where c.account = $1 and c.id = $2`, account, id)
}

// CollectionByName finds a collection by its URL segment.
func (tx *Tx) CollectionByName(account AccountID, name string) (Collection, error) {
	return first(tx, scanCollection, "collection "+name,
		`select `+collectionColumns+collectionTables+`where c.account = $1 and c.name = $2`, account, name)
}

const shareColumns = `account, collection, grantee, access`

func scanShare(r *sql.Rows, s *Share) error {
	return r.Scan(&s.Account, &s.Collection, &s.Grantee, &s.Access)
}

// WholeHome is the number that stands for all of a home where a share's
// collection stands.
const WholeHome = 0

// AddShare gives another account access, replacing what it had.
func (tx *Tx) AddShare(s Share) error {
	if s.Collection != WholeHome {
		if _, err := tx.Collection(s.Account, s.Collection); err != nil {
			return err
		}
	}
	_, err := tx.exec(`insert into share (account, collection, grantee, access) values ($1, $2, $3, $4)
		on conflict (account, collection, grantee) do update set access = excluded.access`, s.Account, s.Collection, s.Grantee, s.Access)
	tx.touch(s.Account)
	tx.touch(s.Grantee)
	return err
}

// DeleteShare takes the access back; ErrNotFound when there was none.
func (tx *Tx) DeleteShare(owner AccountID, collection int64, grantee AccountID) error {
	n, err := tx.exec(`delete from share where account = $1 and collection = $2 and grantee = $3`, owner, collection, grantee)
	if err == nil && n == 0 {
		return notFound("share of collection %d", collection)
	}
	tx.touch(owner)
	tx.touch(grantee)
	return err
}

// SharesOf lists to whom a collection is shared.
func (tx *Tx) SharesOf(owner AccountID, collection int64) ([]Share, error) {
	return collect(tx, scanShare, `select `+shareColumns+` from share where account = $1 and collection = $2 order by grantee`, owner, collection)
}

// SharesTo lists what is shared to an account.
func (tx *Tx) SharesTo(grantee AccountID) ([]Share, error) {
	return collect(tx, scanShare, `select `+shareColumns+` from share where grantee = $1 order by account, collection`, grantee)
}

// ShareOf finds the share of one collection to one account.
func (tx *Tx) ShareOf(owner AccountID, collection int64, grantee AccountID) (Share, error) {
	return first(tx, scanShare, fmt.Sprintf("share of collection %d", collection),
		`select `+shareColumns+` from share where account = $1 and collection = $2 and grantee = $3`, owner, collection, grantee)
}
