package store

import (
	"database/sql"
	"sync"
)

// textCache keeps texts of objects that snapshots have read, for those that read
// them next: of what a query for a month costs, most is to fetch texts that it
// fetched some minutes ago.
//
// Other processes and nodes write too, and nobody tells this one of each change.
// So nothing is ever taken from here on trust: whoever asks has read, in a
// snapshot, which state of the object it sees, and gets octets only of that
// state. A state is named by the home's sequence number of the object's last
// change, which each change of a text takes anew, and by the entity tag, which is
// made of the octets. The number alone would do until a database is brought back
// to an earlier moment under a running server, by a failover that lost the last
// commits or by an administrator: then numbers are given out again, for other
// octets. The tag alone is only as good as whoever writes it.
//
// Only snapshots fill it, not transactions that write: theirs may still be rolled
// back, and their numbers be taken by another's octets.
//
// The octets are shared: who gets them must not change them.
type textCache struct {
	limit  int // of octets, with what is kept beside each text
	mu     sync.Mutex
	known  map[textKey]keptText
	octets int
}

type textKey struct {
	account AccountID
	object  int64
}

// keptText is one state of a text. The entity tag follows the text in octets, so
// that both are one piece of memory.
type keptText struct {
	seq    int64
	octets []byte
	text   int // how many of octets are the text
}

const (
	// textCacheLimit holds a month of a calendar of 50,000 events.
	textCacheLimit = 24 << 20
	// textCacheBeside is about what a text takes beside its octets.
	textCacheBeside = 160
)

func (k keptText) body() []byte { return k.octets[:k.text:k.text] }
func (k keptText) weight() int  { return len(k.octets) + textCacheBeside }

// recall gives texts to those objects of a list, each with at most max octets,
// that are known in the state the list says. It tells the places of the others.
func (c *textCache) recall(list []Text, max int) (missing []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range list {
		t := &list[i]
		if t.Size == 0 || t.Size > max {
			continue
		}
		k, ok := c.known[textKey{t.Account, t.ID}]
		if ok && k.seq == t.Seq && string(k.octets[k.text:]) == t.ETag {
			t.Body = k.body()
		} else {
			missing = append(missing, i)
		}
	}
	return missing
}

// keep takes states that were read. Where there is no room, chance decides which
// go: the oldest would be just those that come next where somebody goes through
// more than there is room for, again and again.
func (c *textCache) keep(read map[textKey]keptText) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = make(map[textKey]keptText)
	}
	for key, k := range read {
		if old, ok := c.known[key]; ok {
			c.octets -= old.weight()
		}
		c.known[key] = k
		c.octets += k.weight()
	}
	if c.octets <= c.limit {
		return
	}
	for key, k := range c.known {
		delete(c.known, key)
		if c.octets -= k.weight(); c.octets <= c.limit {
			return
		}
	}
}

// fill reads the texts of objects of one account that were listed in this
// snapshot without them, where they have at most max octets.
func (tx *Tx) fill(account AccountID, list []Text, max int) error {
	missing := tx.kept.recall(list, max)
	if len(missing) == 0 {
		return nil
	}
	ids, place := make([]int64, len(missing)), make(map[int64]int, len(missing))
	for i, at := range missing {
		ids[i] = list[at].ID
		place[ids[i]] = at
	}
	read := make(map[textKey]keptText, len(missing))
	var id int64
	var body sql.RawBytes
	if err := tx.each(func(r *sql.Rows) error {
		if err := r.Scan(&id, &body); err != nil {
			return err
		}
		t := &list[place[id]]
		k := keptText{t.Seq, append(append(make([]byte, 0, len(body)+len(t.ETag)), body...), t.ETag...), len(body)}
		t.Body = k.body()
		read[textKey{account, id}] = k
		return nil
	}, `select t.id, t.body from object_text t where t.account = $1 and t.id oneof($2)`, account, numbers(ids)); err != nil {
		return err
	}
	tx.kept.keep(read)
	return nil
}
