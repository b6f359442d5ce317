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

	"github.com/convene-cal/convene/internal/store"
)

// bouncePrefix begins the local part of envelope senders: delivery reports come
// to bounce+ACCOUNT-ROW-SECRET@domain (variable envelope return path).
const bouncePrefix = "bounce+"

// outgoing is what the transport keeps in the Evidence of a row it sends.
type outgoing struct {
	EnvelopeFrom string `json:"envelope-from,omitempty"`
}

// newReturnPath makes the envelope sender of a row. The secret part is what a
// forger of delivery reports would have to guess.
func newReturnPath(e *store.Entry, domain string) string {
	var secret [16]byte  // 128 bits
	rand.Read(secret[:]) // never fails, crypto/rand.Read
	return fmt.Sprintf("%s%x-%x-%s@%s", bouncePrefix, int64(e.Account), e.ID, hex.EncodeToString(secret[:]), domain)
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
	parts := strings.Split(token, "-")
	if !ok || len(parts) != 3 {
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
	given, _, _ := strings.Cut(strings.ToLower(returnPathOf(&e)), "@")
	if given == "" || subtle.ConstantTimeCompare([]byte(given), []byte(local)) != 1 {
		return store.Entry{}, errNoToken
	}
	return e, nil
}
