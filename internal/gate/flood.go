package gate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Limits of messages within an hour; 0 = not counted.
type Limits struct {
	Sender    int // of one address
	Domain    int // new invitations from one domain
	Recipient int // new invitations to one account: as many that are proven, and as many that are not
}

// Kinds of floods.
const (
	BySender    = "sender"
	ByDomain    = "domain"
	ToRecipient = "recipient"
	Unproven    = "unproven" // to one account, by whom nothing shows
)

// What is counted. The first four are the kinds of floods.
const (
	countSender = iota
	countDomain
	countRecipient // proven
	countUnproven
	countShare  // of one domain at one account's: "RECIPIENT/DOMAIN"
	countShares // at one account's, of each domain at most its share
	counted
)

var kinds = [...]string{BySender, ByDomain, ToRecipient, Unproven, "share", "shares"}

// shares is how many registered domains have to send as much as they like to
// one account before another's first invitations wait too. What nobody proves
// does not count here at all, or whoever forges could silence whoever does not.
const shares = 30

// States of an outbreak.
const (
	Open     = "open"
	Released = "released" // the administrator says that it is none
	Rejected = "rejected"
)

// DeferAbove is how many times a limit is passed before mail is not taken any
// more for the time being (451): held messages need room too.
const DeferAbove = 4

// span over which messages are counted.
const span = time.Hour

// maxCounted bounds the senders that are counted at a time. Beyond it new ones
// are not: their domain and their recipients are.
const maxCounted = 100_000

// window counts by key over the last hour, in two halves of which the older
// weighs less the older it is: a key costs one number, and looking one costs the
// same for any number of keys.
type window struct {
	most int

	mu        sync.Mutex
	begin     time.Time // of now
	now, past map[string]int
	added     map[string]int // to now since it was last shared; see Gate.share
}

// add counts one message and gives how many there were within the hour.
func (w *window) add(key string, at time.Time, n int) int {
	if w.most <= 0 || key == "" {
		return 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch since := at.Sub(w.begin); {
	case w.now == nil || since >= 2*span || since < 0:
		w.begin, w.now, w.past, w.added = at.Truncate(span), map[string]int{}, nil, map[string]int{}
	case since >= span:
		w.begin, w.now, w.past, w.added = w.begin.Add(span), map[string]int{}, w.now, map[string]int{}
	}
	if _, known := w.now[key]; n > 0 && (known || len(w.now) < maxCounted) {
		w.now[key] += n
		w.added[key] += n
	}
	left := float64(span-at.Sub(w.begin)) / float64(span)
	return w.now[key] + int(left*float64(w.past[key]))
}

// forget takes a key out, and those that begin with it and a slash.
func (w *window) forget(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	gone := func(k string, _ int) bool { return k == key || strings.HasPrefix(k, key+"/") }
	maps.DeleteFunc(w.now, gone)
	maps.DeleteFunc(w.past, gone)
	maps.DeleteFunc(w.added, gone)
}

// Arrived is a message that is counted.
type Arrived struct {
	Sender, Domain, Recipient string // lower case; "" is not counted
	Proven                    bool   // something shows that it is from whom it names
	New                       bool   // about an event that is not known: an invitation, a publication
}

// share is the key of a domain's share at a recipient's. Domains that one
// registration gives are one: anybody can make thousands below their own.
func (a Arrived) share() string {
	domain := a.Domain
	if registered, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		domain = registered
	}
	if domain == "" {
		return ""
	}
	return a.Recipient + "/" + domain
}

// Exceeded names the limit that a message passes.
type Exceeded struct {
	Kind, Subject string
	Count, Limit  int
	First         bool // it is the one that passes it
}

// Count counts a message and gives the limit that it passes, nil for none.
//
// A sender and a domain are counted where the mail is proven to be theirs. At
// an account's, what is proven and what is not are counted apart: whoever writes
// in others' names makes only such mail wait. Of what is proven, a domain takes
// up no more than its share of the account's limit; beyond the limit a message
// waits where its own domain has had its share, or thirty domains have.
func (g *Gate) Count(ctx context.Context, a Arrived) *Exceeded {
	now := g.now()
	var keys [counted]string
	keys[countSender] = a.Sender
	switch {
	case !a.New: // answers to what somebody organizes come in hundreds, and are welcome
	case !a.Proven:
		keys[countUnproven] = a.Recipient
	default:
		keys[countDomain], keys[countRecipient], keys[countShare], keys[countShares] = a.Domain, a.Recipient, a.share(), a.Recipient
	}
	most := max(1, g.limits.Recipient/shares)
	for i, key := range keys {
		n := 1
		if i == countShares && g.counts[countShare].add(keys[countShare], now, 0) > most {
			n = 0
		}
		g.counts[i].add(key, now, n)
	}
	g.share(ctx, now)
	var n [counted]int
	for i, key := range keys {
		n[i] = g.counts[i].add(key, now, 0)
	}
	for i, kind := range kinds[:countShare] {
		over := n[i] > g.counts[i].most
		if i == countRecipient {
			over = over && n[countShare] > most || n[countShares] > g.counts[i].most
		}
		if g.counts[i].most > 0 && over {
			return &Exceeded{kind, keys[i], n[i], g.counts[i].most, n[i] == g.counts[i].most+1}
		}
	}
	return nil
}

// shareEvery is how long other processes may not know what this one counted.
const shareEvery = 5 * time.Second

// share adds what was counted here to the store, and takes from there what other
// processes counted of the same: nodes of one service, and programs that are
// started for one mail. Without an answer of the store it counts for itself.
func (g *Gate) share(ctx context.Context, now time.Time) {
	if !g.sharing.TryLock() {
		return // somebody else does
	}
	defer g.sharing.Unlock()
	if since := now.Sub(g.shared); !g.shared.IsZero() && since >= 0 && since < shareEvery {
		return
	}
	g.shared = now
	add := map[string]int{}
	hour := now.Truncate(span)
	for i := range g.counts {
		w := &g.counts[i]
		w.mu.Lock()
		for key, n := range w.added {
			add[subject(i, key)] = n
		}
		if len(w.added) > 0 {
			w.added = map[string]int{}
		}
		w.mu.Unlock()
	}
	if len(add) == 0 {
		return
	}
	var got map[string]store.MailCount
	err := g.store.Update(ctx, func(tx *store.Tx) (err error) {
		got, err = tx.CountMail(hour.Unix()/int64(span/time.Second), add)
		return err
	})
	if err != nil {
		g.Log.Warn("scheduling mail is counted by this process alone", "error", err)
		return
	}
	for i := range g.counts {
		w := &g.counts[i]
		w.mu.Lock()
		if w.begin.Equal(hour) {
			for key := range w.now {
				if c, ok := got[subject(i, key)]; ok {
					w.now[key] = c.Now + w.added[key]
					if c.Past > w.past[key] {
						if w.past == nil {
							w.past = map[string]int{}
						}
						w.past[key] = c.Past
					}
				}
			}
		}
		w.mu.Unlock()
	}
}

// subject names what is counted, in the store; long names by their hash.
func subject(i int, key string) string {
	const most = 400 // octets: an address has 320 at most (RFC 5321 4.5.3.1)
	if len(key) > most {
		h := sha256.Sum256([]byte(key))
		key = hex.EncodeToString(h[:])
	}
	return kinds[i] + ":" + key
}

// Crowded tells whether so much comes from somebody that no more should be taken
// for now, before the mail itself is seen.
func (g *Gate) Crowded(a Arrived) bool {
	now := g.now()
	return g.far(countSender, a.Sender, now) || g.far(countDomain, a.Domain, now)
}

// Besieged tells whether so much comes to an account that a mail is looked at
// before it is taken. Then one that is not proven is put off, or one of a domain
// that had its share; which of them, [Gate.PutOff] says.
func (g *Gate) Besieged(recipient string) bool {
	now := g.now()
	return g.far(countUnproven, recipient, now) || g.far(countRecipient, recipient, now)
}

// PutOff tells whether a new invitation to an account that is besieged should
// be taken later.
func (g *Gate) PutOff(a Arrived) bool {
	now := g.now()
	if !a.Proven {
		return g.far(countUnproven, a.Recipient, now)
	}
	return g.far(countRecipient, a.Recipient, now) && g.counts[countShare].add(a.share(), now, 0) > max(1, g.limits.Recipient/shares)
}

func (g *Gate) far(i int, key string, now time.Time) bool {
	w := &g.counts[i]
	return w.most > 0 && w.add(key, now, 0) > DeferAbove*w.most
}

// quiet is how long an outbreak lasts without a message before the next one is
// another, and how long a released one is left alone.
const quiet = 24 * time.Hour

// Note writes down that a message was held or put off. Released says that the
// administrator has said it is no flood: then it is none. fresh is a new
// outbreak, which somebody should be told of.
func (g *Gate) Note(ctx context.Context, x Exceeded) (released, fresh bool, err error) {
	now := g.now()
	err = g.store.Update(ctx, func(tx *store.Tx) error {
		released, fresh = false, true
		f := store.Flood{Kind: x.Kind, Subject: x.Subject, Began: now, Last: now, Seen: 1, State: Open}
		list, err := tx.FloodsOf(x.Kind, x.Subject, 1)
		if err != nil {
			return fmt.Errorf("earlier floods of %s: %w", x.Subject, err)
		}
		for _, last := range list {
			if now.Sub(last.Last) > quiet {
				continue
			}
			if last.State == Released {
				released, fresh = true, false
				return nil
			}
			f.Began, fresh = last.Began, false
		}
		return tx.SetFlood(f)
	})
	return released, fresh, err
}

// Flood is one outbreak, as administrators see it.
type Flood struct {
	Kind    string    `json:"kind"` // sender, domain, recipient or unproven
	Subject string    `json:"subject"`
	Began   time.Time `json:"began"`
	Last    time.Time `json:"last"`
	Seen    int64     `json:"seen"`  // messages that were held or put off
	State   string    `json:"state"` // open, released or rejected
}

// Floods lists the latest outbreaks, for administrators.
func (g *Gate) Floods(ctx context.Context, by account.Actor, limit int) (out []Flood, err error) {
	if err := MayFlood(by); err != nil {
		return nil, err
	}
	err = g.store.View(ctx, func(tx *store.Tx) error {
		out = nil
		list, err := tx.Floods(limit)
		for _, f := range list {
			out = append(out, Flood(f))
		}
		return err
	})
	return out, err
}

// Settle writes what an administrator made of an outbreak.
func (g *Gate) Settle(tx *store.Tx, kind, about, state string) error {
	hour := g.now().Truncate(span).Unix() / int64(span/time.Second)
	for i, k := range kinds {
		if k != kind && (kind != ToRecipient || i < countShare) {
			continue
		}
		g.counts[i].forget(about)
		if err := tx.ForgetMailCount(hour, subject(i, about)); err != nil {
			return err
		}
	}
	return tx.SettleFloods(kind, about, state)
}

// MayFlood refuses those who are no administrators.
func MayFlood(by account.Actor) error {
	if !by.Admin {
		return problem.New(problem.NeedPrivileges, "What is held for a flood of mail is the administrators' to decide.")
	}
	return nil
}
