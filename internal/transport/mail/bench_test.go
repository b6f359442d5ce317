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
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
)

// An invitation from LMTP to applied, durable, over many connections.
func BenchmarkLMTPToApplied(b *testing.B) {
	x := newSite(b, storetest.Open(b, store.Options{Dir: b.TempDir()}), "", nil)
	deliverAll(b, x, "ben@two.test", func(uid string) []byte { return invitation("REQUEST", uid) })
}

// The same with an S/MIME signature, which is verified up to its authority.
func BenchmarkSignedLMTPToApplied(b *testing.B) {
	p := newPeople(b)
	x, _ := signingSiteOn(b, storetest.Open(b, store.Options{Dir: b.TempDir()}), p, "", nil)
	deliverAll(b, x, "dan@two.test", func(uid string) []byte {
		return mailOf("dan@two.test", uid, signedBy(b, calendarPart("REQUEST", object("REQUEST", uid, "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test")), now, p.dan))
	})
	if n := len(x.applied(b)); n != b.N {
		b.Errorf("%d of %d were applied", n, b.N)
	}
}

// applied are the newest messages that reached the calendar, at most as many as were sent.
func (x *site) applied(b *testing.B) (rows []store.Entry) {
	err := x.store.View(b.Context(), func(tx *store.Tx) (err error) {
		rows, err = tx.Entries(store.EntryFilter{Account: x.ann.ID, Direction: journal.In, States: []string{stateApplied}, Limit: b.N})
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return rows
}

// deliverAll hands mails for ann over by LMTP, over many connections.
func deliverAll(b *testing.B, x *site, from string, mail func(uid string) []byte) {
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
			if err := c.SendMail(from, []string{"ann@one.test"}, bytes.NewReader(mail(fmt.Sprintf("u%d", n.Add(1))))); err != nil {
				b.Error(err)
			}
			c.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}
