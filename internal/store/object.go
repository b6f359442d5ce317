package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
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
	var seq int64
	found, err := tx.returning([]any{&seq}, `update home set seq = seq + 1 where account = $1 returning seq`, account)
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
			scheduling, summary, first, last, horizon, cover, properties)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $3, $12, $13, $14, $15, $16, $17, $18, '') on conflict do nothing`,
		o.Account, o.Collection, seq, o.Name, o.UID, o.ETag, o.ScheduleTag, o.Component, o.Size, o.Created, o.Modified,
		o.Organizer, o.Scheduling, o.Summary, x.First, x.Last, x.horizon(), cover)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrExists
	}
	o.ID = seq
	if _, err := tx.exec(`insert into object_text (account, id, memory, body) values ($1, $2, $3, $4)`, o.Account, o.ID, o.Memory, body); err != nil {
		return err
	}
	return tx.occupy(o.Account, o.Collection, o.ID, x)
}

// updateObject writes the object over its row and keeps the earlier text where
// that differs. Its time index is rewritten only where it moved.
func (tx *Tx) updateObject(o *Object, body []byte, x Index, seq int64) error {
	var collection, first, last int64
	var name, oldCover string
	found, err := tx.row([]any{&collection, &name, &first, &last, &oldCover},
		`select collection, name, first, last, cover from object where account = $1 and id = $2`, o.Account, o.ID)
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
	cover := x.cover()
	if _, err := tx.exec(`
		update object set uid = $4, etag = $5, schedule_tag = $6, component = $7, size = $8, modified = $9, seq = $10, organizer = $11,
			scheduling = $12, summary = $13, first = $14, last = $15, horizon = $16, cover = $17
		where account = $1 and collection = $2 and id = $3`,
		o.Account, o.Collection, o.ID, o.UID, o.ETag, o.ScheduleTag, o.Component, o.Size, o.Modified, seq, o.Organizer, o.Scheduling,
		o.Summary, x.First, x.Last, x.horizon(), cover); err != nil {
		return err
	}
	if err := tx.setText(o, body); err != nil {
		return err
	}
	if cover == oldCover && first == x.First && last == x.Last {
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
	var collection int64
	var name, cover string
	found, err := tx.row([]any{&collection, &name, &cover}, `select collection, name, cover from object where account = $1 and id = $2`, account, id)
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
	if _, err := tx.exec(`update occupancy set collection = $4 where account = $1 and collection = $2 and object = $3
		and period oneof($5)`, account, collection, id, toCollection, cover); err != nil {
		return fmt.Errorf("move object %s: %w", name, err)
	}
	if _, err := tx.exec(`update personal set collection = $4 where account = $1 and collection = $2 and object = $3`, account, collection, id, toCollection); err != nil {
		return fmt.Errorf("move object %s: %w", name, err)
	}
	return tx.bump(account, toCollection, seq)
}

// The columns of a listing come as one text: what costs in reading many rows is
// the number of values, each with a call into the engine, more than their size.
const (
	packedBy     = "\x1f" // the unit separator of ASCII
	packedFields = 14
)

var packedColumns = func() string {
	names := []string{"id", "created", "modified", "seq", "size", "scheduling", "component", "etag", "schedule_tag", "properties", "name", "organizer", "uid", "summary"}
	return "concat(o." + strings.Join(names, ", cast($5 as text), o.") + ")"
}()

// scanPacked reads such a text. An object whose fields cannot be told apart has
// only its ID.
func scanPacked(r *sql.Rows, o *Object) error {
	var row sql.RawBytes
	if err := r.Scan(&row); err != nil {
		return err
	}
	return o.unpack(string(row))
}

func (o *Object) unpack(row string) error {
	var f [packedFields]string
	rest, n := row, 0
	for ; n < packedFields-1; n++ {
		i := strings.IndexByte(rest, packedBy[0])
		if i < 0 {
			break
		}
		f[n], rest = rest[:i], rest[i+1:]
	}
	id, err := strconv.ParseInt(f[0], 10, 64)
	if err != nil {
		return fmt.Errorf("a row of a listing cannot be read: %w", err)
	}
	o.ID = id
	if n < packedFields-1 || strings.IndexByte(rest, packedBy[0]) >= 0 {
		return nil
	}
	var numbers [5]int64
	for i := 1; i < 5; i++ {
		if numbers[i], err = strconv.ParseInt(f[i], 10, 64); err != nil {
			return fmt.Errorf("a row of a listing cannot be read: %w", err)
		}
	}
	at := func(micros int64) time.Time {
		if micros == 0 {
			return time.Time{}
		}
		return time.UnixMicro(micros).UTC()
	}
	o.Created, o.Modified, o.Seq, o.Size = at(numbers[1]), at(numbers[2]), numbers[3], int(numbers[4])
	o.Scheduling = f[5] == "1" || f[5] == "t" // as each engine writes it
	o.Component, o.ETag, o.ScheduleTag, o.Name, o.Organizer, o.UID, o.Summary = f[6], f[7], f[8], f[10], f[11], f[12], rest
	if f[9] != "" {
		return json.Unmarshal([]byte(f[9]), &o.Properties)
	}
	return nil
}

// listPage is how many rows a listing holds in memory at a time.
const listPage = 1000

// ListObjects goes through a collection without reading any text. It may be
// left early, and tx may be used within the loop.
func (tx *Tx) ListObjects(account AccountID, collection int64) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		var after int64
		var page []Object
		for {
			var err error
			if page, err = tx.ObjectsAfter(account, collection, after, listPage, page[:0]); err != nil {
				yield(Object{}, err)
				return
			}
			for _, o := range page {
				if !yield(o, nil) {
					return
				}
			}
			if len(page) < listPage {
				return
			}
			after = page[len(page)-1].ID
		}
	}
}

// ObjectsAfter appends the next objects of a collection to a page, at most
// limit, by their IDs, which are those after one. Whoever goes through a
// collection by it need not keep a snapshot open meanwhile: what is there all
// the time comes once.
func (tx *Tx) ObjectsAfter(account AccountID, collection, after int64, limit int, page []Object) ([]Object, error) {
	begin := len(page)
	err := tx.each(func(r *sql.Rows) error {
		page = append(page, Object{Account: account, Collection: collection})
		return scanPacked(r, &page[len(page)-1])
	}, `select `+packedColumns+` from object o
		where o.account = $1 and o.collection = $2 and o.id > $3 order by o.id limit $4`, account, collection, after, limit, packedBy)
	for i := begin; i < len(page) && err == nil; i++ {
		if page[i].Seq == 0 { // a text of its own holds the separator
			page[i], err = first(tx, scanObject, "object", `select `+objectColumns+` from object o where o.account = $1 and o.collection = $2 and o.id = $3`, account, collection, page[i].ID)
		}
	}
	return page, err
}

// Text is an object with its octets.
type Text struct {
	Object
	Body []byte // nil where it has more than was asked for
}

const packedText = `select ` + "%s" + `, case when o.size <= $4 then (select t.body from object_text t where t.account = o.account and t.id = o.id) end
	from object o where o.account = $1 and o.collection = $2 and `

// TextsOf reads objects of a collection by their IDs, with the octets of those
// that have at most max. Those that are gone are not in the list, whose order
// is none.
func (tx *Tx) TextsOf(account AccountID, collection int64, ids []int64, max int) ([]Text, error) {
	return tx.texts(account, collection, "o.id oneof($3)", numbers(ids), max)
}

// TextsNamed is TextsOf by names.
func (tx *Tx) TextsNamed(account AccountID, collection int64, names []string, max int) ([]Text, error) {
	return tx.texts(account, collection, "o.name among($3)", jsonText(names), max)
}

// TextNamed finds an object by the names of its collection and its own, with
// its octets where it has at most max. Its Memory is not read.
func (tx *Tx) TextNamed(account AccountID, collection, name string, max int) (Text, error) {
	t := Text{Object: Object{Account: account}}
	var row sql.RawBytes
	found := false
	err := tx.each(func(r *sql.Rows) error {
		found = true
		if err := r.Scan(&row, &t.Collection, &t.Body); err != nil {
			return err
		}
		return t.unpack(string(row))
	}, `select `+packedColumns+`, o.collection, case when o.size <= $4 then (select t.body from object_text t where t.account = o.account and t.id = o.id) end
		from object o where o.account = $1 and o.name = $3 and o.collection = (select c.id from collection c where c.account = $1 and c.name = $2)`,
		account, collection, name, int64(max), packedBy)
	if err == nil && !found {
		err = ErrNotFound
	}
	if err == nil && t.Seq == 0 { // a text of its own holds the separator
		t.Object, err = tx.ObjectByID(account, t.ID)
	}
	if err != nil {
		return t, fmt.Errorf("object %s of %s: %w", name, collection, err)
	}
	return t, nil
}

func (tx *Tx) texts(account AccountID, collection int64, which, list string, max int) ([]Text, error) {
	var out []Text
	err := tx.each(func(r *sql.Rows) error {
		out = append(out, Text{Object: Object{Account: account, Collection: collection}})
		t := &out[len(out)-1]
		var row sql.RawBytes
		if err := r.Scan(&row, &t.Body); err != nil {
			return err
		}
		return t.unpack(string(row))
	}, fmt.Sprintf(packedText, packedColumns)+which, account, collection, list, int64(max), packedBy)
	for i := range out {
		if err == nil && out[i].Seq == 0 { // a text of its own holds the separator
			out[i].Object, err = first(tx, scanObject, "object", `select `+objectColumns+` from object o where o.account = $1 and o.collection = $2 and o.id = $3`, account, collection, out[i].ID)
		}
	}
	return out, err
}

// TagsAfter is ObjectsAfter for who compares only: the objects have nothing but
// ID, Name, ETag and Component.
func (tx *Tx) TagsAfter(account AccountID, collection, after int64, limit int, page []Object) ([]Object, error) {
	begin := len(page)
	err := tx.each(func(r *sql.Rows) error {
		var row sql.RawBytes
		if err := r.Scan(&row); err != nil {
			return err
		}
		o := Object{Account: account, Collection: collection}
		var id string
		rest := string(row)
		for _, field := range []*string{&id, &o.Component, &o.ETag} {
			*field, rest, _ = strings.Cut(rest, packedBy)
		}
		var err error
		o.ID, err = strconv.ParseInt(id, 10, 64)
		o.Name = rest // the last, so that it may hold the separator
		page = append(page, o)
		return err
	}, `select concat(o.id, cast($5 as text), o.component, cast($5 as text), o.etag, cast($5 as text), o.name) from object o
		where o.account = $1 and o.collection = $2 and o.id > $3 order by o.id limit $4`, account, collection, after, limit, packedBy)
	if err != nil {
		return page[:begin], fmt.Errorf("list tags: %w", err)
	}
	return page, nil
}
