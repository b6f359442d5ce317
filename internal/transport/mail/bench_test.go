package mail

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// An invitation from LMTP to applied, durable, over many connections.
func BenchmarkLMTPToApplied(b *testing.B) {
	x := newSite(b, storetest.Open(b, store.Options{Dir: b.TempDir()}), "", nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.mail.ServeLMTP(ctx, l) }()
	b.Cleanup(func() { stop(); <-done })
	var n atomic.Int64
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			// A connection for each mail: the client library counts recipients wrongly on the second.
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				b.Error(err)
				return
			}
			c := smtp.NewClientLMTP(conn)
			if err := c.SendMail("ben@two.test", []string{"ann@one.test"}, bytes.NewReader(invitation("REQUEST", fmt.Sprintf("u%d", n.Add(1))))); err != nil {
				b.Error(err)
			}
			c.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}
