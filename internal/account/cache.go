package account

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
	"time"

	"github.com/convene-cal/convene/internal/store"
)

const (
	// rememberFor is how long a verified credential is remembered, and
	// recheckAfter how long before its account is looked at again: a change by
	// another process counts within that time, one by this process at once.
	rememberFor  = 5 * time.Minute
	recheckAfter = time.Second
	maxVerified  = 10_000
)

// verified is a credential that was right.
type verified struct {
	actor        Actor
	passwordHash string // what it was verified against ...
	appPassword  int64  // ... or the app password it is
	until        time.Time
	checked      time.Time
}

// cache remembers verified credentials by a keyed hash, so that a dump of the
// process's memory holds neither passwords nor what guesses could be tried on
// without the key.
type cache struct {
	mu      sync.Mutex
	macs    sync.Pool
	entries map[[32]byte]verified
}

func newCache() *cache {
	secret := make([]byte, 32)
	rand.Read(secret)
	return &cache{
		macs:    sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }},
		entries: make(map[[32]byte]verified),
	}
}

// key is the keyed hash of a credential.
func (c *cache) key(login, password string) (k [32]byte) {
	mac := c.macs.Get().(hash.Hash)
	defer c.macs.Put(mac)
	mac.Reset()
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(login)))
	mac.Write(n[:])
	mac.Write([]byte(login))
	mac.Write([]byte(password))
	mac.Sum(k[:0])
	return k
}

func (c *cache) get(k [32]byte, now time.Time) (verified, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.entries[k]
	if ok && now.After(v.until) {
		delete(c.entries, k)
		ok = false
	}
	return v, ok
}

func (c *cache) put(k [32]byte, v verified) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.entries[k]; !known && len(c.entries) >= maxVerified {
		for old := range c.entries { // any: it will be verified again
			delete(c.entries, old)
			break
		}
	}
	c.entries[k] = v
}

func (c *cache) drop(k [32]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, k)
}

// dropAccount forgets every credential of an account that changed.
func (c *cache) dropAccount(id store.AccountID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, v := range c.entries {
		if v.actor.Account == id {
			delete(c.entries, k)
		}
	}
}
