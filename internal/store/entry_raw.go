package store

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// A mail to a guest is mostly the message itself, as it is and as a file in
// base64. Where many have the same message, which is kept apart once, their mails
// are kept without it: ten thousand guests of one meeting would else be ten
// thousand times all their names.

// The forms in which a message is cut out of a mail.
const (
	cutPlain  = 'p'
	cutBase64 = 'b' // in lines of 76 (RFC 2045 6.8), each with CRLF
)

// maxCuts of one mail.
const maxCuts = 8

// base64Lines writes octets as a body of a mail.
func base64Lines(data []byte) []byte {
	const width = 76
	text := make([]byte, base64.StdEncoding.EncodedLen(len(data)))
	base64.StdEncoding.Encode(text, data)
	out := make([]byte, 0, len(text)+2*(len(text)/width+1))
	for len(text) > width {
		out = append(append(out, text[:width]...), "\r\n"...)
		text = text[width:]
	}
	return append(append(out, text...), "\r\n"...)
}

// indexLong is bytes.Index for a long text, most of whose beginning is rare.
func indexLong(s, text []byte) int {
	head := text[:min(64, len(text))]
	for from := 0; ; from++ {
		i := bytes.Index(s[from:], head)
		if i < 0 {
			return -1
		}
		if from += i; bytes.HasPrefix(s[from:], text) {
			return from
		}
	}
}

// setRaw stores the mail of a row, if it has one.
func (tx *Tx) setRaw(e *Entry) error {
	if e.Raw == nil {
		return nil
	}
	raw, cut := tx.cutMessage(e)
	_, err := tx.exec(`insert into entry_raw (account, id, raw, cut) values ($1, $2, $3, $4)
		on conflict (account, id) do update set raw = excluded.raw, cut = excluded.cut`, e.Account, e.ID, raw, cut)
	if err != nil {
		return fmt.Errorf("keep mail of journal row %d: %w", e.ID, err)
	}
	return nil
}

// cutMessage takes the message of a row out of its mail where it is kept apart.
// cut has the places in what is left, in order: "1200p 1480b".
func (tx *Tx) cutMessage(e *Entry) (left []byte, cut string) {
	if e.Apart.id <= 0 || len(e.Calendar) == 0 {
		return e.Raw, ""
	}
	encoded := tx.encodedText(e)
	var places []string
	rest := e.Raw
	for len(places) < maxCuts {
		at, form, length := indexLong(rest, e.Calendar), byte(cutPlain), len(e.Calendar)
		if i := indexLong(rest, encoded); i >= 0 && (at < 0 || i < at) {
			at, form, length = i, cutBase64, len(encoded)
		}
		if at < 0 {
			break
		}
		left = append(left, rest[:at]...)
		places = append(places, strconv.Itoa(len(left))+string(form))
		rest = rest[at+length:]
	}
	if len(places) == 0 {
		return e.Raw, ""
	}
	return append(left, rest...), strings.Join(places, " ")
}

// encodedText is the message of a row in base64, made once for those that share it.
func (tx *Tx) encodedText(e *Entry) []byte {
	last := &tx.shared
	if last.account != e.Account || last.id != e.Apart.id || !sameOctets(last.octets, e.Calendar) {
		return base64Lines(e.Calendar)
	}
	if last.encoded == nil {
		last.encoded = base64Lines(e.Calendar)
	}
	return last.encoded
}

// rawOf reads the mail of a row whose message is filled in; nil where there is none.
func (tx *Tx) rawOf(e *Entry) ([]byte, error) {
	var raw []byte
	var cut string
	if _, err := tx.row([]any{&raw, &cut}, `select raw, cut from entry_raw where account = $1 and id = $2`, e.Account, e.ID); err != nil {
		return nil, fmt.Errorf("read mail of journal row %d: %w", e.ID, err)
	}
	if cut == "" {
		return raw, nil
	}
	if len(e.Calendar) == 0 {
		return nil, nil // the message is lost, which fillText says: half a mail is none
	}
	places := strings.Fields(cut)
	whole := make([]byte, 0, len(raw)+len(places)*(len(e.Calendar)*4/3+len(e.Calendar)/24+4))
	done := 0
	for _, p := range places {
		at, err := strconv.Atoi(p[:len(p)-1])
		if err != nil || at < done || at > len(raw) {
			return nil, fmt.Errorf("mail of journal row %d: its message does not belong at %q", e.ID, p)
		}
		whole, done = append(whole, raw[done:at]...), at
		if p[len(p)-1] == cutBase64 {
			whole = append(whole, tx.encodedText(e)...)
		} else {
			whole = append(whole, e.Calendar...)
		}
	}
	return append(whole, raw[done:]...), nil
}

// makeWhole sees to it that the mail of a row stays what it is when the row gets
// another message than the one that was cut out.
func (tx *Tx) makeWhole(e *Entry) error {
	if e.Raw != nil {
		return nil
	}
	cut := ""
	if _, err := tx.row([]any{&cut}, `select cut from entry_raw where account = $1 and id = $2`, e.Account, e.ID); err != nil || cut == "" {
		return err
	}
	before, err := tx.Entry(e.Account, e.ID)
	e.Raw = before.Raw
	return err
}
