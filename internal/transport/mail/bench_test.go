package mail

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
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

// An invitation to many people elsewhere, to a relay that takes all it gets. The
// heap is looked at with each mail: it must not grow with their number.
func BenchmarkManyGuests(b *testing.B) {
	b.Run("hidden", func(b *testing.B) { mailMany(b, 10_000, "X-CONVENE-HIDE-GUESTS:TRUE") })
	// Each mail names all: the octets sent grow with the square.
	b.Run("visible", func(b *testing.B) { mailMany(b, 500) })
}

func mailMany(b *testing.B, guests int, more ...string) {
	for b.Loop() {
		b.StopTimer()
		relay, peak := startSink(b)
		s := storetest.Open(b, store.Options{Dir: b.TempDir()})
		x := newSiteWith(b, s, "smtp://"+relay+"?tls=none", func(o *calendar.Options) {
			o.Limits = calendar.Limits{Attendees: -1, ExternalAttendees: -1}
		})
		x.journal.Use(x.mail)
		lines := append([]string{annOrganizes}, more...)
		for i := range guests {
			lines = append(lines, fmt.Sprintf("ATTENDEE;RSVP=TRUE:mailto:guest%d@two.test", i))
		}
		text := strings.Replace(string(object("X", "own", lines...)), "METHOD:X\r\n", "", 1)
		b.StartTimer()
		put := time.Now()
		if _, err := x.calendar.Put(b.Context(), calendar.PutRequest{By: account.Actor{Account: x.ann.ID, Name: x.ann.Name}, Ref: calendar.Ref{Owner: x.ann.ID, Collection: "default", Name: "own.ics"}, Data: []byte(text)}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(put).Seconds(), "s/put")
		runtime.GC()
		peak.heap.Store(0)
		sent := time.Now()
		for {
			n, err := x.journal.Step(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			if n == 0 {
				break
			}
		}
		if got := peak.mails.Load(); got != int64(guests) {
			b.Fatalf("%d mails arrived", got)
		}
		b.ReportMetric(float64(guests)/time.Since(sent).Seconds(), "mails/s")
		b.ReportMetric(float64(peak.heap.Load())/(1<<20), "MB-heap")
	}
}

// sink is a relay that forgets what it takes.
type sink struct{ mails, heap atomic.Int64 }

func startSink(b *testing.B) (address string, seen *sink) {
	seen = &sink{}
	relay := &fakeRelay{data: func(_ *smtp.Conn, r io.Reader) error {
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
		var m runtime.MemStats
		if seen.mails.Add(1)%50 == 0 { // looking stops the world
			runtime.ReadMemStats(&m)
			seen.heap.Store(max(seen.heap.Load(), int64(m.HeapInuse)))
		}
		return nil
	}}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &sinkSession{relaySession{f: relay, c: c}}, nil }))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(l) }()
	b.Cleanup(func() { s.Close(); <-done })
	return l.Addr().String(), seen
}

type sinkSession struct{ relaySession }

func (s *sinkSession) Data(r io.Reader) error { return s.f.data(s.c, r) }
