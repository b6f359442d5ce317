package mail

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// bouncePrefix begins the local part of envelope senders: delivery reports come
// to bounce+ACCOUNT-ROW-SECRET@domain (variable envelope return path).
const bouncePrefix = "bounce+"

// outgoing is what the transport keeps in the Evidence of a row it sends.
type outgoing struct {
	EnvelopeFrom string `json:"envelope-from,omitempty"`
	Page         string `json:"page,omitempty"` // token of the page on which the recipient answers
}

// newReturnPath makes the envelope sender of a row. The secret part is what a
// forger of delivery reports would have to guess.
func newReturnPath(e *store.Entry, domain string) string {
	return bouncePrefix + newToken(e) + "@" + domain
}

// newToken names a row, with 128 bits that nobody can guess.
func newToken(e *store.Entry) string {
	var secret [16]byte
	rand.Read(secret[:]) // never fails, crypto/rand.Read
	return fmt.Sprintf("%x-%x-%s", int64(e.Account), e.ID, hex.EncodeToString(secret[:]))
}

// returnPathOf reads the envelope sender that a row was given.
func returnPathOf(e *store.Entry) string {
	var o outgoing
	if json.Unmarshal(e.Evidence, &o) != nil {
		return ""
	}
	return o.EnvelopeFrom
}

// errNoToken is an address or identifier that belongs to no message of ours.
var errNoToken = errors.New("not an address that was given to a message")

// sentBy finds the row that an envelope address, or an ENVID, was made for.
func (m *Mail) sentBy(ctx context.Context, address string) (store.Entry, error) {
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	token, ok := strings.CutPrefix(local, bouncePrefix)
	if !ok {
		return store.Entry{}, errNoToken
	}
	return m.byToken(ctx, token, func(o outgoing) string {
		given, _, _ := strings.Cut(strings.ToLower(o.EnvelopeFrom), "@")
		return strings.TrimPrefix(given, bouncePrefix)
	})
}

// pageOfEndless is how long the page of a message about a series without an end
// lasts. Each later message brings the guest another.
const pageOfEndless = 400 * 24 * time.Hour

// Invitation finds the row of the message whose recipient was given the token
// of a page to answer on, and until when it can be used: 30 days after the
// event, and for a series without an end 400 days after the message. The error
// of a token that was never given, whose row is gone or that has expired is a
// problem.NotFound.
func (m *Mail) Invitation(ctx context.Context, token string) (e store.Entry, until time.Time, err error) {
	e, err = m.byToken(ctx, token, func(o outgoing) string { return o.Page })
	if errors.Is(err, errNoToken) {
		return e, until, problem.New(problem.NotFound, "This address is not that of an invitation, or not any more. Take it from the latest mail as a whole.")
	}
	if err != nil {
		return e, until, err
	}
	// The mail goes on lying in mailboxes when the event is over.
	endless := false
	err = m.o.Store.View(ctx, func(tx *store.Tx) error {
		known, err := scheduled(tx, e.Account, e.UID)
		if err != nil || known == nil {
			return err // that it is gone, the page says
		}
		var end time.Time
		if end, endless = endOf(known); endless {
			until = e.Created.Add(pageOfEndless)
		} else {
			until = end.Add(afterEvent)
		}
		return nil
	})
	switch {
	case err != nil || until.IsZero() || !m.now().After(until):
	case endless:
		err = problem.New(problem.NotFound, "This page has expired: it came with a mail of %s, and the pages of a series without an end last %d days. Take the address from the latest mail about it, or ask the organizer to send the invitation again.",
			e.Created.UTC().Format("2 January 2006"), int(pageOfEndless.Hours()/24))
	default:
		err = problem.New(problem.NotFound, "This invitation has expired: the event was over more than %d days ago.", int(afterEvent.Hours()/24))
	}
	return e, until, err
}

// byToken finds a row by a token that of gives from what was kept with it.
func (m *Mail) byToken(ctx context.Context, token string, of func(outgoing) string) (store.Entry, error) {
	parts := strings.Split(token, "-")
	if len(parts) != 3 {
		return store.Entry{}, errNoToken
	}
	account, err1 := strconv.ParseInt(parts[0], 16, 64)
	id, err2 := strconv.ParseInt(parts[1], 16, 64)
	if err1 != nil || err2 != nil {
		return store.Entry{}, errNoToken
	}
	e, err := m.entry(ctx, store.AccountID(account), id)
	if errors.Is(err, store.ErrNotFound) {
		return e, errNoToken
	}
	if err != nil {
		return e, err
	}
	var kept outgoing
	_ = json.Unmarshal(e.Evidence, &kept) // what we wrote; a row that came in has no token
	given := of(kept)
	if given == "" || e.Direction != journal.Out || subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1 {
		return store.Entry{}, errNoToken
	}
	return e, nil
}
