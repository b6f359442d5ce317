package recur

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseRuleRoundTrip(t *testing.T) {
	for _, text := range []string{
		"FREQ=DAILY",
		"FREQ=WEEKLY;UNTIL=20260503T220000Z;INTERVAL=2;BYDAY=MO,WE;WKST=SU",
		"FREQ=MONTHLY;COUNT=4;BYDAY=-1FR,2TU;BYMONTHDAY=1,-1;BYSETPOS=-1",
		"FREQ=YEARLY;BYSECOND=0,60;BYMINUTE=59;BYHOUR=0,23;BYYEARDAY=1,-366;BYWEEKNO=53,-53;BYMONTH=1,12",
		"RSCALE=HEBREW;FREQ=YEARLY;BYMONTHDAY=8;BYMONTH=5,5L;SKIP=FORWARD",
		"FREQ=DAILY;X-THING=a=b",
	} {
		r, err := ParseRule(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := r.String(); got != text {
			t.Errorf("got %s, want %s", got, text)
		}
	}
}

func TestParseRuleIsLenient(t *testing.T) {
	for text, want := range map[string]string{
		"count=3;freq=daily;":              "FREQ=DAILY;COUNT=3",
		" FREQ = WEEKLY ; BYDAY = mo , tu": "FREQ=WEEKLY;BYDAY=MO,TU",
		"FREQ=DAILY;INTERVAL=0":            "FREQ=DAILY",
		`FREQ=WEEKLY\;BYDAY=MO\,TU`:        "FREQ=WEEKLY;BYDAY=MO,TU",
		"FREQ=MONTHLY;BYDAY=+1MO":          "FREQ=MONTHLY;BYDAY=1MO",
	} {
		r, err := ParseRule(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if r.String() != want {
			t.Errorf("%q: got %s, want %s", text, r, want)
		}
	}
}

func TestParseRuleRefuses(t *testing.T) {
	for _, text := range []string{
		"", "COUNT=3", "FREQ=FORTNIGHTLY", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=-1", "FREQ=DAILY;COUNT=99999999999999",
		"FREQ=DAILY;BYHOUR=24", "FREQ=DAILY;BYMINUTE=-1", "FREQ=DAILY;BYSECOND=61", "FREQ=MONTHLY;BYMONTHDAY=0",
		"FREQ=MONTHLY;BYMONTHDAY=32", "FREQ=YEARLY;BYYEARDAY=-367", "FREQ=YEARLY;BYMONTH=14", "FREQ=WEEKLY;BYDAY=XX",
		"FREQ=WEEKLY;BYDAY=0MO", "FREQ=WEEKLY;BYDAY=54MO", "FREQ=WEEKLY;WKST=1MO", "FREQ=DAILY;UNTIL=tomorrow", "FREQ=DAILY;UNTIL=20260230",
		"FREQ=DAILY;SPEED=3", "FREQ=DAILY;BYHOUR", "FREQ=DAILY;BYHOUR=", "FREQ=DAILY;BYSETPOS=0", "FREQ=DAILY;SKIP=SIDEWAYS",
		"FREQ=DAILY;BYHOUR=" + strings.Repeat("1,", 20000) + "1",
	} {
		if r, err := ParseRule(text); !errors.Is(err, ErrRule) {
			t.Errorf("%.60q: got %v, %v; want an error that wraps ErrRule", text, r, err)
		}
	}
}

func TestRuleOfAnotherCalendarIsKeptWithItsError(t *testing.T) {
	r, err := ParseRule("RSCALE=CHINESE;FREQ=YEARLY")
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(r.Err(), ErrRScale) {
		t.Errorf("Err() = %v", r.Err())
	}
	for o := range r.All(time.Date(2026, 2, 17, 0, 0, 0, 0, time.UTC)) {
		t.Fatalf("gives %v", o)
	}
}

func TestEquivalentRules(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"FREQ=WEEKLY;BYDAY=MO,WE", "FREQ=WEEKLY;INTERVAL=1;BYDAY=WE,MO;WKST=MO", true},
		{"FREQ=WEEKLY;BYDAY=MO,WE", "FREQ=WEEKLY;BYDAY=MO,WE;WKST=SU", false},
		{"FREQ=DAILY;COUNT=3", "FREQ=DAILY;COUNT=4", false},
		{"FREQ=DAILY;UNTIL=20260101", "FREQ=DAILY;UNTIL=20260101T000000Z", false},
		{"RSCALE=GREGORIAN;FREQ=DAILY;SKIP=OMIT", "FREQ=DAILY", true},
	} {
		a, _ := ParseRule(c.a)
		b, _ := ParseRule(c.b)
		if got := a.Equivalent(b); got != c.want {
			t.Errorf("%s and %s: got %v", c.a, c.b, got)
		}
	}
}

const layoutDate, layoutTime = LayoutDate, LayoutTime

func readingOf(t testing.TB, s string) time.Time {
	t.Helper()
	layout := layoutTime
	if len(s) == len(layoutDate) {
		layout = layoutDate
	}
	r, err := time.Parse(layout, s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// mustRule is for tables in tests.
func mustRule(t testing.TB, text string) *Rule {
	t.Helper()
	r, err := ParseRule(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func readings(t testing.TB, r *Rule, start string, n int) []string {
	var list []string
	for o := range r.All(readingOf(t, start)) {
		if list = append(list, o.Format(layoutTime)); len(list) == n {
			break
		}
	}
	return list
}

func TestRules(t *testing.T) {
	for _, c := range []struct{ name, rule, start, want string }{
		{"the last workday of the month", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "20260130T170000", "20260130T170000 20260227T170000 20260331T170000"},
		{"Friday the thirteenth", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "20260213T000000", "20260213T000000 20260313T000000 20261113T000000"},
		{"the 31st, where there is one", "FREQ=MONTHLY", "20260131T080000", "20260131T080000 20260331T080000 20260531T080000"},
		{"the 31st or the last, moved back", "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD", "20260131T080000", "20260131T080000 20260228T080000 20260331T080000"},
		{"leap day, moved forward, met once", "RSCALE=GREGORIAN;FREQ=YEARLY;BYMONTH=2,3;BYMONTHDAY=1,29;SKIP=FORWARD", "20250201T000000", "20250201T000000 20250301T000000 20250329T000000"},
		{"weeks that begin on Sunday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU", "20260105T100000", "20260105T100000 20260118T100000 20260119T100000"},
		{"weeks that begin on Monday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO", "20260105T100000", "20260105T100000 20260111T100000 20260119T100000"},
		{"a leap second is the second before", "FREQ=DAILY;BYSECOND=0,60", "20260105T100000", "20260105T100000 20260105T100059 20260106T100000"},
		{"both first and last of five", "FREQ=MONTHLY;BYDAY=5SU,-1SU", "20260125T000000", "20260125T000000 20260222T000000 20260329T000000"},
		{"the year's hundredth day and last Monday", "FREQ=YEARLY;BYDAY=-1MO", "20260101T000000", "20261228T000000 20271227T000000 20281225T000000"},
		{"every seventh hour of working days", "FREQ=HOURLY;INTERVAL=7;BYDAY=MO;BYHOUR=8,9,10,11,12,13,14,15", "20260105T080000", "20260105T080000 20260105T150000 20260112T080000"},
	} {
		got := readings(t, mustRule(t, c.rule), c.start, 3)
		if want := strings.Fields(c.want); !slices.Equal(got, want) {
			t.Errorf("%s: %s\n got %v\nwant %v", c.name, c.rule, got, want)
		}
	}
}

// Nothing may take long because nothing matches (or matches centuries later).
func TestRulesThatNeverMatchEnd(t *testing.T) {
	for _, text := range []string{
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30;BYDAY=MO",
		"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=DAILY;INTERVAL=7;BYDAY=SU",
		"FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=HOURLY;INTERVAL=24;BYHOUR=3",
		"FREQ=MINUTELY;INTERVAL=2;BYMINUTE=1",
		"FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=SECONDLY;INTERVAL=2;BYSECOND=1",
		"FREQ=SECONDLY;INTERVAL=604800;BYDAY=SU",
		"FREQ=SECONDLY;INTERVAL=2147483647;BYDAY=1SU;BYMONTH=2;BYMONTHDAY=31",
		"FREQ=SECONDLY;INTERVAL=7;BYDAY=MO;BYHOUR=0;BYMINUTE=0;BYSECOND=1",
		"FREQ=YEARLY;BYDAY=MO;BYSETPOS=366",
		"FREQ=MONTHLY;BYDAY=1TH;BYSETPOS=2",
		"FREQ=YEARLY;BYYEARDAY=366;INTERVAL=4;BYMONTH=1",
		"FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
		"FREQ=YEARLY;BYMONTH=13",
		"FREQ=DAILY;BYSETPOS=2",
	} {
		begun := time.Now()
		if got := readings(t, mustRule(t, text), "20260105T000000", 1); len(got) > 0 {
			t.Errorf("%s gives %v", text, got)
		}
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("%s took %v", text, took)
		}
	}
}

// TestFromIsAllCut compares jumping with walking, COUNT included.
func TestFromIsAllCut(t *testing.T) {
	start := readingOf(t, "20200229T083015")
	for _, text := range []string{
		"FREQ=DAILY", "FREQ=DAILY;INTERVAL=3;COUNT=500", "FREQ=DAILY;BYDAY=MO,TU;COUNT=300;BYHOUR=8,9",
		"FREQ=DAILY;BYMONTHDAY=-1,31;COUNT=40", "FREQ=WEEKLY;COUNT=200;BYDAY=SA,SU,WE;INTERVAL=2", "FREQ=WEEKLY;BYMONTH=2,3;COUNT=60",
		"FREQ=MONTHLY;COUNT=50", "FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=60", "FREQ=MONTHLY;BYDAY=2MO,-1FR;COUNT=60;BYSETPOS=1",
		"FREQ=YEARLY;COUNT=3", "FREQ=YEARLY;BYDAY=20MO;COUNT=6", "FREQ=YEARLY;BYMONTH=3,4;BYMONTHDAY=5;COUNT=9", "FREQ=YEARLY;BYWEEKNO=1,53;COUNT=12",
		"FREQ=HOURLY;COUNT=9000", "FREQ=HOURLY;INTERVAL=5;BYDAY=MO;COUNT=700", "FREQ=HOURLY;INTERVAL=6;BYDAY=MO;COUNT=300", "FREQ=MINUTELY;INTERVAL=90;BYHOUR=8,11;COUNT=900;BYSECOND=1,15",
		"FREQ=SECONDLY;INTERVAL=7777;BYMONTH=3,4;COUNT=1000", "RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=1,31;SKIP=FORWARD;COUNT=50",
		"RSCALE=GREGORIAN;FREQ=YEARLY;BYYEARDAY=-366,-1;SKIP=BACKWARD;COUNT=20", "FREQ=MONTHLY;UNTIL=20220101T000000",
	} {
		r := mustRule(t, text)
		var all []time.Time
		for o := range r.All(start) {
			if o.Year() > 2040 {
				break
			}
			all = append(all, o)
		}
		for days := 0; days < 1700; days += 13 {
			from := start.AddDate(0, 0, days).Add(-3 * time.Hour)
			i, _ := slices.BinarySearchFunc(all, from, time.Time.Compare)
			var got []time.Time
			for o := range r.From(start, from) {
				if o.Year() > 2040 || len(got) == 5 {
					break
				}
				got = append(got, o)
			}
			if want := all[i:min(i+5, len(all))]; !slices.Equal(got, want) {
				t.Errorf("%s from %v:\n got %v\nwant %v", text, from, got, want)
				break
			}
		}
		p := compile(r, start.Unix(), false)
		if p.count < 0 && !r.HasUntil {
			continue
		}
		if last, ok, _ := p.final(); !ok || reading(last) != all[len(all)-1] {
			t.Errorf("%s: final %v %v, want %v", text, reading(last), ok, all[len(all)-1])
		}
	}
}

func TestFinalOfManyIsCounted(t *testing.T) {
	for _, text := range []string{"FREQ=SECONDLY;COUNT=1000000", "FREQ=HOURLY;BYHOUR=8;COUNT=5000", "FREQ=WEEKLY;BYDAY=MO,TU,WE;COUNT=30000", "FREQ=MONTHLY;BYDAY=MO;COUNT=2000",
		"RSCALE=GREGORIAN;SKIP=FORWARD;FREQ=MONTHLY;BYMONTHDAY=1,31;BYHOUR=1,9,17;COUNT=2000", "RSCALE=GREGORIAN;SKIP=BACKWARD;FREQ=MONTHLY;BYMONTHDAY=30,31;BYSECOND=0,59;COUNT=2001",
		"RSCALE=GREGORIAN;SKIP=FORWARD;FREQ=YEARLY;BYMONTH=2,3;BYMONTHDAY=1,29,30;BYHOUR=0,23;BYMINUTE=0,30;COUNT=999"} {
		p := compile(mustRule(t, text), readingOf(t, "20260101T000000").Unix(), false)
		last, ok, _ := p.final()
		if !ok {
			t.Errorf("%s: no end", text)
		}
		if n := p.countUpTo(last); n != p.count {
			t.Errorf("%s: %d members up to %v", text, n, reading(last))
		}
	}
}

// A COUNT that the year 9999 cuts short, and one that is used up before it begins.
func TestFinalBeforeCountEnds(t *testing.T) {
	for text, want := range map[string]string{
		"FREQ=HOURLY;INTERVAL=73386;BYMONTH=3;BYWEEKNO=-9,11,21;COUNT=34": "96740313T184138",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=9000":                  "99960229T124138",
		"FREQ=MINUTELY;INTERVAL=100;BYHOUR=7;COUNT=2147483647":            "99991230T070138",
	} {
		start := readingOf(t, "20131220T124138")
		if last, ok := Final(mustRule(t, text), start); !ok || last.Format(layoutTime) != want {
			t.Errorf("%s: %v, %v, want %s", text, last.Format(layoutTime), ok, want)
		}
		p := compile(mustRule(t, text), start.Unix(), false)
		p.count = 0
		if last, ok, _ := p.final(); ok {
			t.Errorf("%s: the last of none is %v", text, reading(last))
		}
	}
}

// countUpTo counts one by one.
func (p *plan) countUpTo(t int64) (n int64) {
	q := *p
	q.count = -1
	c := q.cursor()
	for {
		m, ok := c.next()
		if !ok || m > t {
			return n
		}
		n++
	}
}
