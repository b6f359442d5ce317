package store_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// Figures for docs/benchmarks.md. Writing is durable here: synchronous=FULL.

func engines(b *testing.B, fn func(b *testing.B, s *store.Store)) {
	b.Run("sqlite", func(b *testing.B) { fn(b, storetest.Open(b, store.Options{Dir: b.TempDir()})) })
	b.Run("postgres", func(b *testing.B) { fn(b, storetest.Postgres(b)) })
}

var body2K = []byte("BEGIN:VCALENDAR\r\n" + strings.Repeat("DESCRIPTION:sixty-four octets of text about a meeting of people\r\n", 30) + "END:VCALENDAR\r\n")

// BenchmarkPut16 is what a PUT of a new event does to the store, from 16
// clients with a home each: look up account, collection, name and UID, put.
func BenchmarkPut16(b *testing.B) {
	engines(b, func(b *testing.B, s *store.Store) {
		const clients = 16
		type place struct {
			account  store.AccountID
			calendar int64
		}
		var places [clients]place
		for i := range places {
			places[i].account, places[i].calendar = home(b, s, fmt.Sprint("home", i))
		}
		var client, n atomic.Int64
		b.SetParallelism(clients / 2)
		b.ResetTimer()
		start := time.Now()
		b.RunParallel(func(pb *testing.PB) {
			p := places[int(client.Add(1))%clients]
			for pb.Next() {
				i := int(n.Add(1))
				err := s.Update(context.Background(), func(tx *store.Tx) error {
					o := object(p.account, p.calendar, i)
					if _, err := tx.CollectionByName(p.account, "default"); err != nil {
						return err
					}
					if _, err := tx.Object(p.account, p.calendar, o.Name); err == nil {
						return store.ErrExists
					}
					if _, err := tx.ObjectsByUID(p.account, o.UID); err != nil {
						return err
					}
					return tx.PutObject(&o, body2K, hour(day.Add(time.Duration(i)*time.Hour)))
				})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
		b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "puts/s")
	})
}

// BenchmarkPut1 is a lone client: nobody to share a commit with.
func BenchmarkPut1(b *testing.B) {
	engines(b, func(b *testing.B, s *store.Store) {
		account, calendar := home(b, s, "ann")
		for i := range b.N {
			o := object(account, calendar, i)
			if err := s.Update(context.Background(), func(tx *store.Tx) error { return tx.PutObject(&o, body2K, hour(day)) }); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// fill makes a calendar of n events, a fifth of them endless weekly series.
func fill(b *testing.B, s *store.Store, n int) (store.AccountID, int64) {
	b.Helper()
	account, calendar := home(b, s, "ann")
	from := time.Date(2020, 1, 1, 9, 0, 0, 0, time.UTC)
	horizon := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := 0; i < n; {
		update(b, s, func(tx *store.Tx) error {
			for end := min(i+1000, n); i < end; i++ {
				o := object(account, calendar, i)
				at := from.Add(time.Duration(i) * (10 * 365 * 24 * time.Hour / time.Duration(n)))
				x := hour(at)
				if i%5 == 0 {
					x.Last, x.Horizon = math.MaxInt64, horizon.Unix()
					for m := monthOf(at.Unix()); m < monthOf(horizon.Unix()); m++ {
						x.Periods = append(x.Periods, m)
					}
				}
				if err := tx.PutObject(&o, body2K, x); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return account, calendar
}

const many = 50_000

func BenchmarkAmong50000(b *testing.B) {
	engines(b, func(b *testing.B, s *store.Store) {
		account, calendar := fill(b, s, many)
		b.Run("list", func(b *testing.B) {
			for b.Loop() {
				n := 0
				view(b, s, func(tx *store.Tx) error {
					for o, err := range tx.ListObjects(account, calendar) {
						if err != nil {
							return err
						}
						n += min(1, len(o.ETag))
					}
					return nil
				})
				if n != many {
					b.Fatal(n)
				}
			}
		})
		month := func(b *testing.B, at time.Time) {
			n := 0
			for b.Loop() {
				n = 0
				view(b, s, func(tx *store.Tx) error {
					for _, err := range tx.ObjectsInRange(account, []int64{calendar}, "VEVENT", at.Unix(), at.AddDate(0, 1, 0).Unix()-1) {
						if err != nil {
							return err
						}
						n++
					}
					return nil
				})
			}
			b.ReportMetric(float64(n), "objects")
		}
		b.Run("month-late", func(b *testing.B) { month(b, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)) })
		b.Run("month-early", func(b *testing.B) { month(b, time.Date(2020, 2, 1, 0, 0, 0, 0, time.UTC)) })
		b.Run("sync-one-change", func(b *testing.B) {
			var o store.Object
			view(b, s, func(tx *store.Tx) (err error) {
				o, err = tx.Object(account, calendar, "25000.ics")
				return err
			})
			since := int64(0)
			view(b, s, func(tx *store.Tx) (err error) {
				since, err = tx.HomeSeq(account)
				return err
			})
			put(b, s, &o, "changed", hour(day))
			for b.Loop() {
				view(b, s, func(tx *store.Tx) error {
					list, _, err := tx.Changes(account, calendar, since, 0)
					if len(list) != 1 {
						b.Fatal(list)
					}
					return err
				})
			}
		})
		b.Run("get", func(b *testing.B) {
			for b.Loop() {
				view(b, s, func(tx *store.Tx) error {
					o, err := tx.Object(account, calendar, "30000.ics")
					if err != nil {
						return err
					}
					_, err = tx.Body(account, o.ID)
					return err
				})
			}
		})
	})
}
