package cip

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// However many sources there are, their number and the cost of a new one stay
// bounded; who is connected or locked out is not forgotten.
func TestManySources(t *testing.T) {
	clock := time.Unix(1_000_000, 0)
	g := guard{now: func() time.Time { return clock }}
	at := func(n int) netip.Prefix {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(n))
		return netip.PrefixFrom(netip.AddrFrom4(b), 32)
	}
	if !g.enter(at(0), 10, 10, false) {
		t.Fatal("the first may not enter")
	}
	g.get(at(1)).locked = clock.Add(time.Hour)
	for i := range 3 * maxSources {
		g.get(at(i + 2))
	}
	if n := len(g.sources); n > maxSources+2*looked {
		t.Errorf("%d sources are kept", n)
	}
	if g.sources[at(0)] == nil || g.sources[at(1)] == nil {
		t.Error("a source that is connected, or locked out, was forgotten")
	}
	g.leave(at(0))
	if g.total != 0 {
		t.Errorf("%d are connected", g.total)
	}
}
