package store

import "fmt"

// apartFrom is the size in octets from which a message is kept apart from its
// row, which is written some times more until all is said about it.
const apartFrom = 2048

// Apart is where the octets of a row's message are kept, when they are not in the
// row. It says nothing about the message.
type Apart struct {
	id     int64  // of the row in entry_text; less than 0: of the object, whose text they are
	octets []byte // as they are there
	of     *Object
}

// InInbox says that the message of a row that will be added is the text of an
// object that was stored in the same transaction and never changes: an item of the
// scheduling inbox. It is not written again. Where the object goes, the row keeps
// the octets.
func InInbox(o *Object, body []byte) Apart { return Apart{octets: body, of: o} }

// Equal reports true: it is no part of what a row says.
func (Apart) Equal(Apart) bool { return true }

// sharedText is the message that was kept apart, or read, last.
type sharedText struct {
	account AccountID
	id      int64
	octets  []byte
	encoded []byte // the octets in base64, nil until they were asked for
}

func sameOctets(a, b []byte) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// keepText keeps the octets of a new row, in the row or apart. They are written
// once for the rows of one save that have the same slice.
func (tx *Tx) keepText(e *Entry) error {
	item := e.Apart
	e.Apart = Apart{}
	if len(e.Calendar) < apartFrom {
		return nil
	}
	if item.of != nil && item.of.Account == e.Account && sameOctets(item.octets, e.Calendar) {
		e.Apart = Apart{id: -item.of.ID, octets: e.Calendar}
		return nil
	}
	if last := &tx.shared; last.account != e.Account || !sameOctets(last.octets, e.Calendar) {
		if _, err := tx.exec(`insert into entry_text (account, id, calendar) values ($1, $2, $3)`, e.Account, e.ID, e.Calendar); err != nil {
			return fmt.Errorf("keep message of journal row %d: %w", e.ID, err)
		}
		*last = sharedText{account: e.Account, id: e.ID, octets: e.Calendar}
	}
	e.Apart = Apart{id: tx.shared.id, octets: e.Calendar}
	return nil
}

// stillApart reports whether the octets of a row that is to be written again are
// kept apart, as they were when it was read. Others go into the row: what is kept
// apart may be other rows' too.
func (tx *Tx) stillApart(e *Entry) (bool, error) {
	if e.Apart.id == 0 || !sameOctets(e.Calendar, e.Apart.octets) {
		return false, nil
	}
	var there int64
	_, err := tx.row([]any{&there}, `select text from entry where account = $1 and id = $2`, e.Account, e.ID)
	return there == e.Apart.id, err
}

// keepTexts gives journal rows the octets that they had in objects which go.
func (tx *Tx) keepTexts(account AccountID, which string, args ...any) error {
	tx.shared = sharedText{}
	_, err := tx.exec(`update entry set calendar = (select t.body from object_text t where t.account = entry.account and t.id = -entry.text), text = 0
		where account = $1 and text <> 0 and `+which, append([]any{account}, args...)...)
	if err != nil {
		return fmt.Errorf("keep messages: %w", err)
	}
	return nil
}

// dropText forgets octets that no row has any more.
func (tx *Tx) dropText(account AccountID, id int64) error {
	if id <= 0 {
		return nil
	}
	tx.shared = sharedText{}
	if _, err := tx.exec(`delete from entry_text where account = $1 and id = $2
		and not exists (select 1 from entry e where e.account = $1 and e.text = $2 and e.text <> 0)`, account, id); err != nil {
		return fmt.Errorf("forget message of journal row %d: %w", id, err)
	}
	return nil
}

// fillText reads octets that are kept apart. Rows that share them share the
// slice, which is for reading only.
func (tx *Tx) fillText(e *Entry) error {
	if e.Apart.id == 0 {
		return nil
	}
	if last := &tx.shared; last.account != e.Account || last.id != e.Apart.id {
		from, id := `select calendar from entry_text where account = $1 and id = $2`, e.Apart.id
		if id < 0 {
			from, id = `select body from object_text where account = $1 and id = $2`, -id
		}
		var octets []byte
		found, err := tx.row([]any{&octets}, from, e.Account, id)
		if err == nil && !found {
			// One row that is damaged must not keep all others from being read.
			tx.s.log.Error("the octets of a message are lost", "account", e.Account, "entry", e.ID, "octets", e.Apart.id)
		}
		if err != nil {
			return fmt.Errorf("read message of journal row %d: %w", e.ID, err)
		}
		*last = sharedText{account: e.Account, id: e.Apart.id, octets: octets}
	}
	e.Calendar, e.Apart.octets = tx.shared.octets, tx.shared.octets
	return nil
}

// entries collects journal rows with their messages.
func (tx *Tx) entries(query string, args ...any) ([]Entry, error) {
	list, err := collect(tx, scanEntry, query, args...)
	for i := range list {
		if err == nil {
			err = tx.fillText(&list[i])
		}
	}
	return list, err
}
