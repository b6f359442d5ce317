package mail

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
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
	// Each mail names all: the octets sent grow with the square, 22 GB in all for 10,000.
	for _, guests := range []int{500, 2_000, 10_000} {
		b.Run(fmt.Sprintf("visible/%d", guests), func(b *testing.B) { mailMany(b, guests) })
	}
}

func mailMany(b *testing.B, guests int, more ...string) {
	for b.Loop() {
		b.StopTimer()
		relay, peak := startSink(b)
		dir := b.TempDir()
		s := storetest.Open(b, store.Options{Dir: dir})
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
		b.ReportMetric(float64(peak.octets.Load())/(1<<20), "MB-sent")
		b.ReportMetric(float64(octetsIn(b, dir))/(1<<20), "MB-disk")
	}
}

func octetsIn(b *testing.B, dir string) (n int64) {
	files, err := os.ReadDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			n += info.Size()
		}
	}
	return n
}

// sink is a relay that forgets what it takes, and costs as little as can be: what
// is measured is the sender.
type sink struct{ mails, heap, octets atomic.Int64 }

func startSink(b *testing.B) (address string, seen *sink) {
	seen = &sink{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { seen.serve(conn) })
		}
	})
	b.Cleanup(func() { l.Close(); open.Wait() })
	return l.Addr().String(), seen
}

func (s *sink) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 64<<10)
	say := func(text string) { io.WriteString(conn, text+"\r\n") }
	say("220 sink")
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(string(line[:min(4, len(line))])); verb {
		case "DATA":
			say("354 go on")
			for {
				line, err := r.ReadSlice('\n')
				s.octets.Add(int64(len(line)))
				if err != nil {
					return
				}
				if string(line) == ".\r\n" {
					break
				}
			}
			if s.mails.Add(1)%50 == 0 { // looking stops the world
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				s.heap.Store(max(s.heap.Load(), int64(m.HeapInuse)))
			}
			say("250 forgotten")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 yes")
		}
	}
}
