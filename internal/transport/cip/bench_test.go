package cip

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// BenchmarkSendEvent takes events of a peer over eight connections, durably and
// without waiting for the disk, so that the processor's part shows.
func BenchmarkSendEvent(b *testing.B) {
	for _, durability := range []string{"normal", "full"} {
		b.Run(durability, func(b *testing.B) {
			sendEvents(b, storetest.Open(b, store.Options{Dir: b.TempDir(), Durability: durability}))
		})
	}
}

func sendEvents(b *testing.B, db *store.Store) {
	people := []string{"u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7"}
	s := startOn(b, db, "b.test", people, func(o *Options) { o.Peers = []Peer{{ServerID: "a.test", Address: "127.0.0.1:1", Password: "load"}} })
	var clients []*cip.Client
	for range people {
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		c, err := cip.NewClient(conn)
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Login("a.test", "load"); err != nil {
			b.Fatal(err)
		}
		clients = append(clients, c)
	}
	b.ReportAllocs()
	before := db.Load()
	b.ResetTimer()
	var n atomic.Int64
	var wg sync.WaitGroup
	for k, c := range clients {
		wg.Go(func() {
			for {
				i := n.Add(1)
				if i > int64(b.N) {
					return
				}
				at := time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC).Add(time.Duration(i%5000) * time.Hour)
				body := fmt.Appendf(nil, "UID:%d@a.test\r\nSEQUENCE:1\r\nDTSTART:%s\r\nDTEND:%s\r\nSUBJECT:Meeting %d\r\nDESCRIPTION:Bring the figures of last month.\r\nATTENDEE;ROLE=OWNER:Boss <boss@a.test>\r\nATTENDEE:u%d@b.test\r\n",
					i, at.Format("20060102T150405Z"), at.Add(time.Hour).Format("20060102T150405Z"), i, k)
				r, err := c.SendEvent(body)
				if err != nil || !r.OK {
					b.Errorf("%+v, %v", r, err)
					return
				}
			}
		})
	}
	wg.Wait()
	load := db.Load()
	b.ReportMetric(float64(load.Updates-before.Updates)/float64(load.Commits-before.Commits), "updates/commit")
}
