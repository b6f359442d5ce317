package store

import (
	"database/sql"
	"fmt"
	"time"
)

// Attachment is a file that the server keeps for events (RFC 8607).
type Attachment struct {
	Account     AccountID
	ID          int64
	Token       string // of its address: who has it may read
	UID         string // of the event it was made for
	Filename    string
	ContentType string
	Size        int
	Created     time.Time
	Unused      time.Time // since when no event names it; zero: one does
}

const attachmentColumns = `t.account, t.id, t.token, t.uid, t.filename, t.content_type, t.size, t.created, t.unused`

func scanAttachment(r *sql.Rows, a *Attachment) error {
	return r.Scan(&a.Account, &a.ID, &a.Token, &a.UID, &a.Filename, &a.ContentType, &a.Size, instant{&a.Created}, instant{&a.Unused})
}

// AddAttachment stores an attachment and sets a.ID.
func (tx *Tx) AddAttachment(a *Attachment, body []byte) error {
	if err := indexable("UID", a.UID); err != nil {
		return err
	}
	seq, err := tx.nextSeq(a.Account)
	if err != nil {
		return err
	}
	a.ID, a.Size = seq, len(body)
	_, err = tx.exec(`insert into attachment (account, id, token, uid, filename, content_type, size, created, unused, body) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		a.Account, a.ID, a.Token, a.UID, a.Filename, a.ContentType, a.Size, a.Created, a.Unused, body)
	if err != nil {
		return fmt.Errorf("store attachment %s: %w", a.Filename, err)
	}
	return nil
}

// Attachment finds one by its token.
func (tx *Tx) Attachment(token string) (Attachment, error) {
	return first(tx, scanAttachment, "attachment", `select `+attachmentColumns+` from attachment t where t.token = $1`, token)
}

// AttachmentBody reads the octets of one.
func (tx *Tx) AttachmentBody(account AccountID, id int64) ([]byte, error) {
	var body []byte
	found, err := tx.row([]any{&body}, `select body from attachment where account = $1 and id = $2`, account, id)
	if err == nil && !found {
		return nil, notFound("attachment %d", id)
	}
	return body, err
}

// AttachmentsInUse lists those that an event named when it was last looked at,
// made before an instant, after a place in the order.
func (tx *Tx) AttachmentsInUse(before time.Time, afterAccount AccountID, afterID int64, limit int) ([]Attachment, error) {
	return collect(tx, scanAttachment, `select `+attachmentColumns+` from attachment t where t.unused = 0 and t.created < $1
		and (t.account > $2 or t.account = $2 and t.id > $3) order by t.account, t.id limit $4`, before, afterAccount, afterID, unlimited(limit))
}

// SetAttachmentUnused notes since when no event names an attachment; the zero
// time says that one does.
func (tx *Tx) SetAttachmentUnused(account AccountID, id int64, since time.Time) error {
	_, err := tx.exec(`update attachment set unused = $3 where account = $1 and id = $2`, account, id, since)
	return err
}

// PruneAttachments removes those that have not been named since an instant.
func (tx *Tx) PruneAttachments(before time.Time) (more bool, err error) {
	n, err := tx.exec(`delete from attachment where (account, id) in (select t.account, t.id from attachment t where t.unused > 0 and t.unused < $1 limit $2)`, before, 100)
	return n == 100, err
}
