package mail

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// A reply address is made for one guest and one event. Mail that comes to it is
// that guest's answer, whatever address it is from (ADR-06): the secret in it
// was given to nobody else. There are two forms of it:
//
//	cal+TOKEN@domain      stands as ORGANIZER, for domains in mail.agent-domains
//	ann+cal-TOKEN@domain  stands in Reply-To: a sub-address (RFC 5233) of the
//	                      person, whose mailbox has it where nobody knows tokens
const (
	agentPrefix = "cal+"
	tagPrefix   = "cal-"
)

const (
	selectorSize = 8  // letters of base32: 40 bits, which find the row
	secretSize   = 26 // letters of base32: 130 bits, which nobody guesses (AUTH: at least 128)
	// afterEvent is how long a guest may still answer when the event is over.
	afterEvent = 30 * 24 * time.Hour
)

var tokenLetters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newReplyAddress makes the row of a reply address.
func newReplyAddress(account store.AccountID, uid string, attendee ical.Address, now time.Time) store.ReplyAddress {
	var random [24]byte  // 38 letters
	rand.Read(random[:]) // never fails, crypto/rand.Read
	letters := tokenLetters.EncodeToString(random[:])
	return store.ReplyAddress{Account: account, UID: uid, Attendee: attendee.Key(), Selector: letters[:selectorSize], Secret: letters[selectorSize : selectorSize+secretSize], Created: now}
}

func replyToken(r *store.ReplyAddress) string {
	return strconv.FormatInt(int64(r.Account), 16) + "-" + r.Selector + r.Secret
}

// agentAddress is the form that stands as ORGANIZER.
func agentAddress(r *store.ReplyAddress, domain string) string {
	return agentPrefix + replyToken(r) + "@" + domain
}

// maxLocalPart of a mail address (RFC 5321 4.5.3.1.1).
const maxLocalPart = 64

// taggedAddress is the form for Reply-To; "" where it would be too long.
func taggedAddress(r *store.ReplyAddress, person string) string {
	at := strings.LastIndexByte(person, '@')
	if at < 0 || person[0] == '"' {
		return ""
	}
	local := person[:at] + "+" + tagPrefix + replyToken(r)
	if len(local) > maxLocalPart || strings.Contains(person[:at], "+") {
		return ""
	}
	return local + person[at:]
}

// tokenOf finds the token in a mail address; agent tells which form it has.
func tokenOf(address string) (token string, agent, ok bool) {
	local, _, _ := strings.Cut(strings.ToLower(strings.Trim(strings.TrimSpace(address), "<>")), "@")
	if t, ok := strings.CutPrefix(local, agentPrefix); ok {
		return t, true, true
	}
	if i := strings.LastIndex(local, "+"+tagPrefix); i > 0 {
		return local[i+1+len(tagPrefix):], false, true
	}
	return "", false, false
}

// replyAddress finds the row of an address that mail came to, or that a message
// names as organizer. The error of one that was never given, was taken back or
// has expired is errNoToken.
func (m *Mail) replyAddress(ctx context.Context, address string) (r store.ReplyAddress, err error) {
	token, _, ok := tokenOf(address)
	account, letters, cut := strings.Cut(token, "-")
	id, bad := strconv.ParseInt(account, 16, 64)
	if !ok || !cut || bad != nil || len(letters) != selectorSize+secretSize {
		return r, errNoToken
	}
	err = m.o.Store.View(ctx, func(tx *store.Tx) error {
		r, err = tx.ReplyAddressBySelector(store.AccountID(id), letters[:selectorSize])
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return r, errNoToken
	case err != nil:
		return r, fmt.Errorf("look up a reply address: %w", err)
	case subtle.ConstantTimeCompare([]byte(letters[selectorSize:]), []byte(r.Secret)) != 1,
		!r.Expires.IsZero() && m.now().After(r.Expires):
		return store.ReplyAddress{}, errNoToken
	}
	return r, nil
}

// answersFor is the guest and event that a reply address was made for, as it
// stands in the record of a mail; without the secret, which is not written down.
type answersFor struct {
	UID      string `json:"uid"`
	Attendee string `json:"attendee"` // comparison key
	Selector string `json:"selector"`
}

// replyAddresses finds what a mail knows: the addresses it came to, and those
// in its fields, which is how a shared mailbox and a pipe see them.
func (m *Mail) replyAddresses(ctx context.Context, account store.AccountID, p *imip.Parsed, known []answersFor) ([]answersFor, error) {
	looked := 0
	for _, name := range []string{"Delivered-To", "X-Original-To", "To", "Cc"} {
		for _, v := range p.Header(name) {
			for _, box := range imip.ParseMailboxes(v) {
				if _, _, ok := tokenOf(box.Address); !ok {
					continue
				}
				if looked++; looked > maxNamed {
					return known, nil
				}
				var err error
				if known, err = m.addAnswersFor(ctx, account, box.Address, known); err != nil {
					return nil, err
				}
			}
		}
	}
	return known, nil
}

// maxNamed bounds the reply addresses of one mail that are looked up.
const maxNamed = 100

func (m *Mail) addAnswersFor(ctx context.Context, account store.AccountID, address string, known []answersFor) ([]answersFor, error) {
	if _, _, ok := tokenOf(address); !ok {
		return known, nil
	}
	r, err := m.replyAddress(ctx, address)
	if errors.Is(err, errNoToken) {
		return known, nil
	}
	if err != nil {
		return nil, err
	}
	a := answersFor{r.UID, r.Attendee, r.Selector}
	if r.Account == account && !slices.Contains(known, a) {
		known = append(known, a)
	}
	return known, nil
}

// byAttendee are the methods for which a reply address says who speaks.
var byAttendee = map[itip.Method]bool{itip.Reply: true, itip.Counter: true}

// invited is the guest for whom a message speaks because of the address it came
// to; "" where that says nothing about it.
func invited(list []answersFor, method itip.Method, uid string) ical.Address {
	if !byAttendee[method] {
		return ""
	}
	found := ical.Address("")
	for _, a := range list {
		if a.UID != uid {
			continue
		}
		who := ical.ParseAddress(a.Attendee)
		if found != "" && !found.Equal(who) {
			return "" // to the addresses of two guests: it cannot be told whose it is
		}
		found = who
	}
	return found
}

// agent tells whether an organizer's messages leave with a reply address as
// ORGANIZER (ADR-10).
func (m *Mail) agent(organizer ical.Address) bool {
	return slices.ContainsFunc(m.o.AgentDomains, func(d string) bool { return d == "*" || strings.EqualFold(d, organizer.Domain()) })
}

// fromOrganizer are the methods that carry a reply address.
var fromOrganizer = map[itip.Method]bool{itip.Request: true, itip.Cancel: true, itip.Add: true, itip.DeclineCounter: true}

// withReplyAddress gives a message to a guest the address that their answers
// are to come to. row is what to store with the message, nil for nothing. The
// form that a guest was first given stays: to their program another ORGANIZER
// would be another person.
func (m *Mail) withReplyAddress(tx *store.Tx, e *store.Entry, msg *itip.Message, o *imip.Options) (row *store.ReplyAddress, err error) {
	if !fromOrganizer[msg.Method] || msg.Calendar.Kind() == "VFREEBUSY" || len(m.o.Domains) == 0 {
		return nil, nil
	}
	agent, fresh := m.agent(msg.From), false
	r, err := tx.ReplyAddressFor(e.Account, e.UID, msg.To.Key())
	switch {
	case err == nil:
		agent = r.Agent
	case !errors.Is(err, store.ErrNotFound):
		return nil, fmt.Errorf("reply address of %s: %w", e.To, err)
	case !agent && !m.o.ReplyTo:
		return nil, nil
	default:
		r = newReplyAddress(e.Account, e.UID, msg.To, m.now())
		r.Agent = agent && len(o.References) == 0
		agent, fresh = r.Agent, true
	}
	if !agent && !m.o.ReplyTo {
		return nil, nil
	}
	// A message about one occurrence does not end the series.
	if until := m.repliesUntil(msg); fresh || !oneOfMany(msg) || !r.Expires.IsZero() && until.After(r.Expires) {
		r.Expires = until
	}
	if !agent {
		if m.ours(msg.From.Domain()) && o.ReplyTo.Address == "" {
			if tagged := taggedAddress(&r, o.From.Address); tagged != "" {
				o.ReplyTo = imip.Mailbox{Name: o.From.Name, Address: tagged}
				return &r, nil
			}
		}
		return nil, nil
	}
	domain := m.o.Domains[0]
	if m.ours(msg.From.Domain()) {
		domain = msg.From.Domain()
	}
	address := agentAddress(&r, domain)
	human := msg.From.Email()
	name := o.From.Name
	msg.Calendar = msg.Calendar.Clone()
	for _, c := range msg.Calendar.Main() {
		p := c.Prop("ORGANIZER")
		if p == nil || !p.Address().Equal(msg.From) {
			continue
		}
		if p.Param("CN") == "" {
			p.SetParam("CN", firstOf(name, human))
		}
		p.SetParam("EMAIL", human) // RFC 7986 6.2
		p.SetParam("SENT-BY")
		p.SetAddress(ical.Mailto(address))
	}
	o.From = imip.Mailbox{Name: firstOf(name, human) + " (via Convene)", Address: address}
	if o.ReplyTo.Address == "" && human != "" {
		o.ReplyTo = imip.Mailbox{Name: name, Address: human} // words are for the person
	}
	o.Sender = imip.Mailbox{}
	return &r, nil
}

// repliesUntil is when the reply address of a message ends: a while after the
// event, or never by itself where that has no end: it is ORGANIZER in the guest's
// calendar, and lasts as long as the guest is on the list.
func (m *Mail) repliesUntil(msg *itip.Message) time.Time {
	end := m.now()
	if msg.Method != itip.Cancel {
		last, endless := endOf(msg.Calendar)
		if endless {
			return time.Time{}
		}
		if last.After(end) {
			end = last
		}
	}
	return end.Add(afterEvent).Truncate(24 * time.Hour) // rounded, so that an update seldom writes it again
}

// oneOfMany tells whether a message is about an occurrence of a series alone.
func oneOfMany(msg *itip.Message) bool { return msg.RecurrenceID != "" }

// maxOccurrences bounds the search for the last occurrence of a series.
const maxOccurrences = 10_000

// endOf is when the last occurrence of an event is over. What has no time, or
// more occurrences than are looked at, is endless.
func endOf(cal *ical.Calendar) (last time.Time, endless bool) {
	set, err := recur.New(cal, tz.NewResolver(cal, nil), recur.Options{MaxIterations: maxOccurrences})
	if err != nil {
		return time.Time{}, true
	}
	_, last, endless = set.Bounds()
	return last, endless || last.IsZero() || set.Err() != nil
}

// fromAgent writes the organizer back into a message that names a reply address
// in the person's place, and notes the address: who has it was given it.
func (m *Mail) fromAgent(ctx context.Context, account store.AccountID, cal *ical.Calendar, known []answersFor) ([]answersFor, bool, error) {
	var organizer ical.Address
	looked := map[string]ical.Address{} // the occurrences of a series have one organizer
	for _, c := range cal.Main() {
		p := c.Prop("ORGANIZER")
		if p == nil {
			continue
		}
		address := p.Address().Email()
		if _, agent, ok := tokenOf(address); !ok || !agent {
			continue
		}
		who, again := looked[address]
		if !again && len(looked) < maxNamed {
			r, err := m.replyAddress(ctx, address)
			if err != nil && !errors.Is(err, errNoToken) {
				return known, false, err
			}
			if err == nil {
				if who, err = m.organizerFor(ctx, r); err != nil || who == "" {
					return known, false, err
				}
				if known, err = m.addAnswersForRow(account, r, known); err != nil {
					return known, false, err
				}
			}
			looked[address] = who
		}
		if who == "" {
			continue
		}
		organizer = who
		p.SetAddress(organizer)
		p.SetParam("EMAIL")
	}
	return known, organizer != "", nil
}

func (m *Mail) addAnswersForRow(account store.AccountID, r store.ReplyAddress, known []answersFor) ([]answersFor, error) {
	a := answersFor{r.UID, r.Attendee, r.Selector}
	if r.Account == account && !slices.Contains(known, a) {
		known = append(known, a)
	}
	return known, nil
}

// organizerFor is the organizer of the event that a reply address is for, as
// the calendar has it; "" when the event is gone.
func (m *Mail) organizerFor(ctx context.Context, r store.ReplyAddress) (organizer ical.Address, err error) {
	err = m.o.Store.View(ctx, func(tx *store.Tx) error {
		known, err := scheduled(tx, r.Account, r.UID)
		if err == nil && known != nil {
			organizer = organizerOf(known)
		}
		return err
	})
	return organizer, err
}

// scheduled is the stored object of an event with guests, nil if there is none.
func scheduled(tx *store.Tx, account store.AccountID, uid string) (*ical.Calendar, error) {
	stored, err := tx.ObjectsByUID(account, uid)
	if err != nil {
		return nil, fmt.Errorf("look for event %s: %w", uid, err)
	}
	for _, o := range stored {
		if o.UID != uid || !o.Scheduling {
			continue
		}
		body, err := tx.Body(o.Account, o.ID)
		if err != nil {
			return nil, fmt.Errorf("read event %s: %w", uid, err)
		}
		cal, err := ical.Parse(body)
		if err != nil {
			return nil, nil // as if it were not there: nothing is known of it
		}
		return cal, nil
	}
	return nil, nil
}

// listed tells whether somebody is among the guests of an event: who was taken
// off has a reply address that is worth nothing.
func listed(cal *ical.Calendar, who ical.Address) bool {
	for _, c := range cal.Main() {
		for p := range c.Props("ATTENDEE") {
			if p.Address().Equal(who) {
				return true
			}
		}
	}
	return false
}

// RevokeReplyAddress takes back the address that a guest's answers to an event
// come to, and the page on which they answer, or those of all its guests where
// attendee is "". Mail to it is refused from then on; the next message about the
// event brings new ones.
func (m *Mail) RevokeReplyAddress(ctx context.Context, account store.AccountID, uid string, attendee ical.Address) error {
	return m.o.Store.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.ReplyAddressFor(account, uid, attendee.Key())
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		found := err == nil
		rows, err := tx.Entries(store.EntryFilter{Account: account, UID: uid, Direction: journal.Out})
		if err != nil {
			return fmt.Errorf("pages of %s: %w", uid, err)
		}
		for _, e := range rows {
			var kept outgoing
			if attendee != "" && !ical.Address(e.To).Equal(attendee) || json.Unmarshal(e.Evidence, &kept) != nil || kept.Page == "" {
				continue
			}
			found, kept.Page = true, ""
			if e.Evidence, err = json.Marshal(kept); err != nil {
				return err
			}
			if err := tx.UpdateEntry(e); err != nil {
				return err
			}
		}
		if !found && attendee != "" {
			return problem.New(problem.NotFound, "No address and no page was made for the answers of %s to this event.", attendee.Email())
		}
		return tx.DeleteReplyAddress(account, uid, attendee.Key())
	})
}
