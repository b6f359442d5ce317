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

// Texts is room for texts that are read one portion after the other, each into
// the place of the one before. Their octets may be others' too, and must not be
// changed.
type Texts struct {
	List   []Text
	octets []byte
}

// Octets is how many octets of texts there are.
func (t *Texts) Octets() (n int) {
	for i := range t.List {
		n += len(t.List[i].Body)
	}
	return n
}

// TextsOf reads objects of a collection by their IDs, with the octets of those
// that have at most max. Those that are gone are not in the list, whose order
// is none.
func (tx *Tx) TextsOf(account AccountID, collection int64, ids []int64, max int, into *Texts) error {
	return tx.texts(packedColumns, (*Object).unpack, account, collection, "o.id oneof($3)", numbers(ids), max, into)
}

// TaggedTextsOf is TextsOf for who needs little else: the objects have nothing
// but ID, Name, ETag, Component, Seq and Size.
func (tx *Tx) TaggedTextsOf(account AccountID, collection int64, ids []int64, max int, into *Texts) error {
	return tx.texts(tagColumns, (*Object).unpackTags, account, collection, "o.id oneof($3)", numbers(ids), max, into)
}

const tagColumns = `concat(o.id, cast($5 as text), o.seq, cast($5 as text), o.size, cast($5 as text), o.component, cast($5 as text), o.etag, cast($5 as text), o.name)`

func (o *Object) unpackTags(row string) (err error) {
	var id, seq, size string
	for _, field := range []*string{&id, &seq, &size, &o.Component, &o.ETag} {
		*field, row, _ = strings.Cut(row, packedBy)
	}
	o.Name = row // the last, so that it may hold the separator
	if o.ID, err = strconv.ParseInt(id, 10, 64); err == nil {
		if o.Seq, err = strconv.ParseInt(seq, 10, 64); err == nil {
			o.Size, err = strconv.Atoi(size)
		}
	}
	return err
}

// TextsNamed is TextsOf by names.
func (tx *Tx) TextsNamed(account AccountID, collection int64, names []string, max int, into *Texts) error {
	return tx.texts(packedColumns, (*Object).unpack, account, collection, "o.name among($3)", jsonText(names), max, into)
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

func (tx *Tx) texts(columns string, unpack func(*Object, string) error, account AccountID, collection int64, which, list string, max int, into *Texts) error {
	into.List, into.octets = into.List[:0], into.octets[:0]
	along := int64(max)
	if tx.kept != nil {
		along = -1 // they come after the list, those that are not known
	}
	var row, body sql.RawBytes
	err := tx.each(func(r *sql.Rows) error {
		into.List = append(into.List, Text{Object: Object{Account: account, Collection: collection}})
		t := &into.List[len(into.List)-1]
		if err := r.Scan(&row, &body); err != nil {
			return err
		}
		if body != nil {
			at := len(into.octets)
			into.octets = append(into.octets, body...)
			t.Body = into.octets[at:len(into.octets):len(into.octets)]
		}
		return unpack(&t.Object, string(row))
	}, fmt.Sprintf(packedText, columns)+which, account, collection, list, along, packedBy)
	for i := range into.List {
		o := &into.List[i].Object
		if err == nil && o.Seq == 0 { // a text of its own holds the separator
			*o, err = first(tx, scanObject, "object", `select `+objectColumns+` from object o where o.account = $1 and o.collection = $2 and o.id = $3`, account, collection, o.ID)
		}
	}
	if err == nil && tx.kept != nil {
		err = tx.fill(account, into.List, max)
	}
	return err
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
