package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
)

const objectColumns = `o.account, o.collection, o.id, o.name, o.uid, o.etag, o.schedule_tag, o.component, o.size, o.created, o.modified,
	o.seq, o.organizer, o.scheduling, o.summary, o.properties`

func (o *Object) fields() []any {
	return []any{&o.Account, &o.Collection, &o.ID, &o.Name, &o.UID, &o.ETag, &o.ScheduleTag, &o.Component, &o.Size,
		instant{&o.Created}, instant{&o.Modified}, &o.Seq, &o.Organizer, &o.Scheduling, &o.Summary, text{&o.Properties}}
}

func scanObject(r *sql.Rows, o *Object) error { return r.Scan(o.fields()...) }

func scanObjectMemory(r *sql.Rows, o *Object) error {
	return r.Scan(append(o.fields(), &o.Memory)...)
}

// Rows of other tables are fetched by scalar subqueries rather than joins:
// they are single rows by their key under every plan, whereas PostgreSQL
// without statistics, as after an import, has read whole homes for a join.
const objectWithMemory = `select ` + objectColumns + `,
	(select t.memory from object_text t where t.account = o.account and t.id = o.id) from object o `

// inCalendar is the condition that an object is not in the scheduling inbox.
const inCalendar = `(select c.kind from collection c where c.account = o.account and c.id = o.collection) = 'calendar'`

// nextSeq takes the next number of a home's sequence. Since every change does
// so first, two transactions that change the same home cannot pass each other
// unseen: SQLite has one writer, PostgreSQL makes the later one run again.
func (tx *Tx) nextSeq(account AccountID) (int64, error) {
	seq, found, err := tx.next(account, setHomeSeq, nextHomeSeq, account)
	if err != nil {
		return 0, fmt.Errorf("change home of account %d: %w", account, err)
	}
	if !found {
		return 0, notFound("home of account %d", account)
	}
	tx.touch(account)
	return seq, nil
}

func (tx *Tx) bump(account AccountID, collection, seq int64) error {
	n, err := tx.exec(`update collection_state set seq = $3, changed = $3 where account = $1 and collection = $2`, account, collection, seq)
	if err == nil && n == 0 {
		return notFound("collection %d", collection)
	}
	return err
}

// TouchObjects marks objects of a collection as changed although they are not:
// who looks at them sees something else from now on.
func (tx *Tx) TouchObjects(account AccountID, collection int64, ids []int64) error {
	for _, id := range ids {
		seq, err := tx.nextSeq(account)
		if err != nil {
			return err
		}
		if _, err := tx.exec(`update object set seq = $4 where account = $1 and collection = $2 and id = $3`, account, collection, id, seq); err != nil {
			return err
		}
		if err := tx.bump(account, collection, seq); err != nil {
			return err
		}
	}
	return nil
}

// PutObject stores an object and its text: a new one when o.ID is 0, else the
// object of that ID, in the collection and under the name it has. It sets
// o.ID, o.Seq and o.Size, moves the collection's sequence and keeps the text
// that is replaced. A taken name is ErrExists. Two objects of one UID are the
// caller's business: see ObjectsByUID.
func (tx *Tx) PutObject(o *Object, body []byte, x Index) error {
	if err := indexable("UID", o.UID, "name", o.Name); err != nil {
		return err
	}
	seq, err := tx.nextSeq(o.Account)
	if err != nil {
		return err
	}
	if o.Modified.IsZero() {
		o.Modified = tx.Now()
	}
	o.Size = len(body)
	if o.ID == 0 {
		err = tx.insertObject(o, body, x, seq)
	} else {
		err = tx.updateObject(o, body, x, seq)
	}
	if err != nil {
		return fmt.Errorf("store object %s: %w", o.Name, err)
	}
	o.Seq = seq
	return tx.bump(o.Account, o.Collection, seq)
}

func (tx *Tx) insertObject(o *Object, body []byte, x Index, seq int64) error {
	if o.Created.IsZero() {
		o.Created = o.Modified
	}
	cover := x.cover()
	n, err := tx.exec(`
		insert into object (account, collection, id, name, uid, etag, schedule_tag, component, size, created, modified, seq, organizer,
			scheduling, summary, first, last, horizon, cover, known, properties)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $3, $12, $13, $14, $15, $16, $17, $18, $19, '') on conflict do nothing`,
		o.Account, o.Collection, seq, o.Name, o.UID, o.ETag, o.ScheduleTag, o.Component, o.Size, o.Created, o.Modified,
		o.Organizer, o.Scheduling, o.Summary, x.First, x.Last, x.horizon(), cover, x.Known)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrExists
	}
	o.ID = seq
	if err := tx.setPattern(o.Account, o.ID, 0, x); err != nil {
		return err
	}
	if _, err := tx.exec(`insert into object_text (account, id, memory, body) values ($1, $2, $3, $4)`, o.Account, o.ID, o.Memory, body); err != nil {
		return err
	}
	return tx.occupy(o.Account, o.Collection, o.ID, x)
}

// updateObject writes the object over its row and keeps the earlier text where
// that differs. Its time index is rewritten only where it moved.
func (tx *Tx) updateObject(o *Object, body []byte, x Index, seq int64) error {
	var collection, first, last, known int64
	var name, oldCover string
	found, err := tx.row([]any{&collection, &name, &first, &last, &oldCover, &known},
		`select collection, name, first, last, cover, known from object where account = $1 and id = $2`, o.Account, o.ID)
	if err != nil {
		return err
	}
	if !found {
		return ErrNotFound
	}
	if collection != o.Collection || name != o.Name {
		return fmt.Errorf("it is %q of collection %d: MoveObject moves", name, collection)
	}
	if _, err := tx.exec(keepVersion+` and o.id = $4 and (select t.body from object_text t where t.account = o.account and t.id = o.id) <> $5`, o.Account, tx.Now(), false, o.ID, body); err != nil {
		return fmt.Errorf("keep the earlier version: %w", err)
	}
	x = x.as(oldCover)
	cover := x.cover()
	if _, err := tx.exec(`
		update object set uid = $4, etag = $5, schedule_tag = $6, component = $7, size = $8, modified = $9, seq = $10, organizer = $11,
			scheduling = $12, summary = $13, first = $14, last = $15, horizon = $16, cover = $17, known = $18
		where account = $1 and collection = $2 and id = $3`,
		o.Account, o.Collection, o.ID, o.UID, o.ETag, o.ScheduleTag, o.Component, o.Size, o.Modified, seq, o.Organizer, o.Scheduling,
		o.Summary, x.First, x.Last, x.horizon(), cover, x.Known); err != nil {
		return err
	}
	if err := tx.setText(o, body); err != nil {
		return err
	}
	if err := tx.setPattern(o.Account, o.ID, known, x); err != nil {
		return err
	}
	if cover == oldCover && first == x.First && last == x.Last && known == x.Known {
		return nil
	}
	if err := tx.vacate(o.Account, o.Collection, o.ID, oldCover); err != nil {
		return err
	}
	return tx.occupy(o.Account, o.Collection, o.ID, x)
}

func (tx *Tx) setText(o *Object, body []byte) error {
	if o.Memory == nil {
		_, err := tx.exec(`update object_text set body = $3 where account = $1 and id = $2`, o.Account, o.ID, body)
		return err
	}
	_, err := tx.exec(`update object_text set body = $3, memory = $4 where account = $1 and id = $2`, o.Account, o.ID, body, o.Memory)
	return err
}

// UpdateMemory replaces what the scheduling engine remembers beside an object;
// the object itself does not change.
func (tx *Tx) UpdateMemory(account AccountID, id int64, memory []byte) error {
	n, err := tx.exec(`update object_text set memory = $3 where account = $1 and id = $2`, account, id, memory)
	if err == nil && n == 0 {
		return notFound("object %d", id)
	}
	return err
}

// SetObjectProperties replaces an object's dead properties. The change log does
// not move: RFC 6578 reports resources, and their content is as it was.
func (tx *Tx) SetObjectProperties(account AccountID, id int64, properties map[string]string) error {
	packed := ""
	if len(properties) > 0 {
		packed = jsonText(properties)
	}
	n, err := tx.exec(`update object set properties = $3 where account = $1 and id = $2`, account, id, packed)
	if err == nil && n == 0 {
		return notFound("object %d", id)
	}
	return err
}

// Object finds an object by its name.
func (tx *Tx) Object(account AccountID, collection int64, name string) (Object, error) {
	return first(tx, scanObjectMemory, "object "+name,
		objectWithMemory+`where o.account = $1 and o.collection = $2 and o.name = $3`, account, collection, name)
}

// ObjectByID finds an object wherever it is in the home.
func (tx *Tx) ObjectByID(account AccountID, id int64) (Object, error) {
	return first(tx, scanObjectMemory, fmt.Sprintf("object %d", id), objectWithMemory+`where o.account = $1 and o.id = $2`, account, id)
}

// ObjectsByUID lists the objects with a UID in all calendars of a home (not
// the scheduling inbox), oldest first.
func (tx *Tx) ObjectsByUID(account AccountID, uid string) ([]Object, error) {
	return collect(tx, scanObjectMemory, objectWithMemory+`where o.account = $1 and o.uid = $2 and `+inCalendar+` order by o.id`, account, uid)
}

// Body reads the octets of an object.
func (tx *Tx) Body(account AccountID, id int64) ([]byte, error) {
	var body []byte
	found, err := tx.row([]any{&body}, `select body from object_text where account = $1 and id = $2`, account, id)
	if err == nil && !found {
		return nil, notFound("object %d", id)
	}
	return body, err
}

// BodyPart reads some of the octets of an object, from an offset on; fewer, or
// none, where it ends.
func (tx *Tx) BodyPart(account AccountID, id int64, offset, length int) ([]byte, error) {
	var part []byte
	found, err := tx.row([]any{&part}, `select substr(body, cast($3 as integer), cast($4 as integer)) from object_text where account = $1 and id = $2`, account, id, offset+1, length)
	if err == nil && !found {
		return nil, notFound("object %d", id)
	}
	return part, err
}

// Bodies reads the octets of many objects by ID; those that are gone are not
// in the map. All of them are in memory at once: ask in portions.
func (tx *Tx) Bodies(account AccountID, ids []int64) (map[int64][]byte, error) {
	found := make(map[int64][]byte, len(ids))
	err := tx.each(func(r *sql.Rows) error {
		var id int64
		var body []byte
		if err := r.Scan(&id, &body); err != nil {
			return err
		}
		found[id] = body
		return nil
	}, `select t.id, t.body from object_text t where t.account = $1 and t.id oneof($2)`, account, numbers(ids))
	return found, err
}

// numbers is the argument of numbers($n) in a query.
func numbers[T int64 | int32](list []T) string {
	if len(list) == 0 {
		return "[]"
	}
	b, err := json.Marshal(list)
	if err != nil {
		panic(err) // integers marshal
	}
	return string(b)
}

// DeleteObject removes an object, leaving a tombstone in the change log and
// its text in the history.
func (tx *Tx) DeleteObject(account AccountID, id int64) error {
	seq, err := tx.nextSeq(account)
	if err != nil {
		return err
	}
	var collection, known int64
	var name, cover string
	found, err := tx.row([]any{&collection, &name, &cover, &known}, `select collection, name, cover, known from object where account = $1 and id = $2`, account, id)
	if err != nil {
		return err
	}
	if !found {
		return notFound("object %d", id)
	}
	if _, err := tx.exec(keepVersion+` and o.id = $4`, account, tx.Now(), true, id); err != nil {
		return fmt.Errorf("keep deleted object %s: %w", name, err)
	}
	if err := tx.vacate(account, collection, id, cover); err != nil {
		return fmt.Errorf("delete object %s: %w", name, err)
	}
	if err := tx.setPattern(account, id, known, Index{}); err != nil {
		return fmt.Errorf("delete object %s: %w", name, err)
	}
	if err := tx.keepTexts(account, `text = $2`, -id); err != nil {
		return fmt.Errorf("delete object %s: %w", name, err)
	}
	if _, err := tx.exec(`delete from object_text where account = $1 and id = $2`, account, id); err != nil {
		return fmt.Errorf("delete object %s: %w", name, err)
	}
	if _, err := tx.exec(`delete from object where account = $1 and collection = $2 and id = $3`, account, collection, id); err != nil {
		return fmt.Errorf("delete object %s: %w", name, err)
	}
	if _, err := tx.exec(`delete from personal where account = $1 and collection = $2 and object = $3`, account, collection, id); err != nil {
		return fmt.Errorf("delete object %s: %w", name, err)
	}
	return tx.bury(account, collection, name, seq)
}

// MoveObject gives an object another name, collection or both; it keeps its
// ID, text and entity tag. The change log has it gone from the one place and
// new in the other. A taken name is ErrExists.
func (tx *Tx) MoveObject(account AccountID, id, toCollection int64, newName string) error {
	if err := indexable("name", newName); err != nil {
		return err
	}
	seq, err := tx.nextSeq(account)
	if err != nil {
		return err
	}
	var collection int64
	var name, cover string
	found, err := tx.row([]any{&collection, &name, &cover}, `select collection, name, cover from object where account = $1 and id = $2`, account, id)
	if err != nil {
		return err
	}
	if !found {
		return notFound("object %d", id)
	}
	if collection == toCollection && name == newName {
		return nil
	}
	var other int64
	taken, err := tx.row([]any{&other}, `select id from object where account = $1 and collection = $2 and name = $3`, account, toCollection, newName)
	if err != nil {
		return err
	}
	if taken {
		return exists("object %s", newName)
	}
	// Two numbers, since a portion of the change log may end between them.
	if err := tx.bury(account, collection, name, seq); err != nil {
		return err
	}
	if seq, err = tx.nextSeq(account); err != nil {
		return err
	}
	if _, err := tx.exec(`update object set collection = $4, name = $5, seq = $6 where account = $1 and collection = $2 and id = $3`,
		account, collection, id, toCollection, newName, seq); err != nil {
		return fmt.Errorf("move object %s: %w", name, err)
	}
	if cover == unlisted {
		return fmt.Errorf("move object %s: an item of the inbox stays there", name)
	}
	if _, err := tx.exec(`update occupancy set collection = $4 where account = $1 and collection = $2 and object = $3
		and period oneof($5)`, account, collection, id, toCollection, cover); err != nil {
		return fmt.Errorf("move object %s: %w", name, err)
	}
	if _, err := tx.exec(`update personal set collection = $4 where account = $1 and collection = $2 and object = $3`, account, collection, id, toCollection); err != nil {
		return fmt.Errorf("move object %s: %w", name, err)
	}
	return tx.bump(account, toCollection, seq)
}
