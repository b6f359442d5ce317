package calendar_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// benchStore is as the server opens it: durable.
func benchStore(b *testing.B) *store.Store {
	return storetest.Open(b, store.Options{Dir: b.TempDir()})
}

// filler makes an event of about 2 KB.
var filler = "DESCRIPTION:" + strings.Repeat("All work and no play. ", 80)

func BenchmarkPut(b *testing.B) {
	o := open(b, benchStore(b)).hire("alice")
	var n atomic.Int64
	b.SetParallelism(8) // of 2 processors: 16 clients
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			i := n.Add(1)
			uid := fmt.Sprintf("%d@x", i)
			o.put("alice", "default/"+uid+".ics", vevent(uid, fmt.Sprintf("DTSTART:2026%02d%02dT090000Z", 1+i%12, 1+i%28), "DURATION:PT1H", filler))
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "put/s")
}

// An invitation, a change of it, and its cancellation, until all colleagues have
// it: the cost of each is told, and should not grow with their number.
func BenchmarkColleagues(b *testing.B) {
	for _, n := range []int{10, 50, 200, 400} {
		who := make([]string, n)
		for i := range who {
			who[i] = fmt.Sprintf("c%d@example.test", i)
		}
		hired := func(b *testing.B) *office {
			o := open(b, benchStore(b)).hire("alice")
			for i := range n {
				o.hire(fmt.Sprintf("c%d", i))
			}
			return o
		}
		each := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/colleague")
		}
		last := fmt.Sprintf("c%d", n-1)
		b.Run(fmt.Sprintf("invite/%d", n), func(b *testing.B) {
			o := hired(b)
			i := 0
			for b.Loop() {
				i++
				uid := fmt.Sprintf("%d@x", i)
				o.put("alice", "default/"+uid+".ics", meeting(uid, 1+i%28, i%23, who...))
			}
			each(b)
			if _, text := o.event(last, "1@x"); text == "" {
				b.Error("not delivered")
			}
		})
		b.Run(fmt.Sprintf("move/%d", n), func(b *testing.B) {
			o := hired(b)
			o.put("alice", "default/x.ics", meeting("1@x", 1, 1, who...))
			i := 0
			for b.Loop() {
				i++
				_, text := o.event("alice", "1@x")
				at := text[strings.Index(text, "DTSTART:"):strings.Index(text, "SUMMARY:")]
				o.put("alice", "default/x.ics", strings.Replace(text, at, fmt.Sprintf("DTSTART:202603%02dT%02d0000Z\r\nDURATION:PT1H\r\n", 1+i%28, i%23), 1))
			}
			each(b)
		})
		b.Run(fmt.Sprintf("cancel/%d", n), func(b *testing.B) {
			o := hired(b)
			for b.Loop() {
				b.StopTimer()
				o.put("alice", "default/x.ics", meeting("1@x", 1, 1, who...))
				b.StartTimer()
				if err := o.svc.Delete(b.Context(), calendar.DeleteRequest{By: o.actor("alice"), Ref: o.ref("alice", "default/x.ics")}); err != nil {
					b.Fatal(err)
				}
			}
			each(b)
		})
		b.Run(fmt.Sprintf("answer/%d", n), func(b *testing.B) {
			o := hired(b)
			o.put("alice", "default/x.ics", meeting("1@x", 1, 1, who...))
			i := 0
			for b.Loop() {
				i++
				o.respond(last, "1@x", []string{"ACCEPTED", "DECLINED"}[i%2])
			}
			each(b)
		})
	}
}

// fill gives an account some events over three years, a fifth of them endless series.
func fill(b *testing.B, o *office, name string, n int) {
	var data strings.Builder
	for i := range n {
		at := time.Date(2025, 1, 1, 8, 0, 0, 0, time.UTC).Add(time.Duration(i*1009) * time.Minute % (3 * 365 * 24 * time.Hour)).Format("20060102T150405Z")
		lines := []string{"DTSTART:" + at, "DURATION:PT30M"}
		if i%5 == 0 {
			lines = append(lines, "RRULE:FREQ="+[]string{"YEARLY", "MONTHLY", "YEARLY", "YEARLY"}[i/5%4])
		}
		data.WriteString(vevent(fmt.Sprintf("%s-%d@x", name, i), lines...))
	}
	for r, err := range o.svc.Import(b.Context(), calendar.ImportRequest{By: o.actor(name), Owner: o.people[name].ID, Collection: "default", Data: []byte(data.String())}) {
		if err != nil || r.State != calendar.ImportCreated {
			b.Fatalf("%+v, %v", r, err)
		}
	}
}

func BenchmarkMonthQuery10000(b *testing.B) {
	o := open(b, storetest.SQLite(b)).hire("alice")
	fill(b, o, "alice", 10000)
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	n := 0
	for b.Loop() {
		n = 0
		err := o.svc.Query(b.Context(), o.actor("alice"), o.people["alice"].ID, []string{"default"}, "VEVENT", from, from.AddDate(0, 1, 0), func(store.Object, []byte) error { n++; return nil })
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n), "objects")
}

func BenchmarkFreeBusy(b *testing.B) {
	o := open(b, storetest.SQLite(b))
	var who []ical.Address
	for i := range 10 {
		name := fmt.Sprintf("c%d", i)
		o.hire(name)
		fill(b, o, name, 1000)
		who = append(who, ical.Mailto(name+"@example.test"))
	}
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		if _, err := o.svc.FreeBusy(b.Context(), o.actor("c0"), who, from, from.AddDate(0, 0, 7), ""); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkImport(b *testing.B) {
	for b.Loop() {
		o := open(b, benchStore(b)).hire("alice")
		fill(b, o, "alice", 2000)
	}
	b.ReportMetric(2000*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
