package recur

import (
	"testing"
	"time"
)

func FuzzParseRule(f *testing.F) {
	for _, text := range []string{"FREQ=DAILY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=SECONDLY;INTERVAL=7;BYDAY=1MO,-1SU;BYHOUR=1;BYMINUTE=2;BYSECOND=60;BYSETPOS=-1;COUNT=9;WKST=SU",
		"RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD;UNTIL=20300101T000000Z", "FREQ=YEARLY;BYWEEKNO=53,-53;BYYEARDAY=366"} {
		f.Add(text, int64(1767225600), int64(4102444800))
	}
	f.Fuzz(func(t *testing.T, text string, start, from int64) {
		r, err := ParseRule(text)
		if err != nil {
			return
		}
		again, err := ParseRule(r.String())
		if err != nil || again.String() != r.String() || !again.Equivalent(r) {
			t.Fatalf("%q writes %q, which reads as %v, %v", text, r, again, err)
		}
		r.Text()
		const most = 253402300799 // the end of the year 9999
		start, from = start%most, from%most
		if start < -most/4 {
			return
		}
		for _, seq := range []func(func(time.Time) bool){r.All(time.Unix(start, 0)), r.From(time.Unix(start, 0), time.Unix(from, 0))} {
			n, last := 0, time.Time{}
			for o := range seq {
				if !last.IsZero() && !o.After(last) {
					t.Fatalf("%q from %d: %v after %v", text, start, o, last)
				}
				last = o
				if n++; n == 20 {
					break
				}
			}
		}
	})
}
