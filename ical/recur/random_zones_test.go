package recur_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// randomZones have gaps and folds of an hour and of half an hour, a day that was
// left out, changes around a month of the moon, far offsets, none.
var randomZones = []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "Pacific/Kiritimati", "Asia/Kathmandu",
	"Europe/Dublin", "America/St_Johns", "America/Sao_Paulo", "Asia/Tehran", "UTC", "", "DATE"}

var locations sync.Map

// naiveZone places readings with package time.
type naiveZone struct{ *time.Location }

func naiveZoneOf(t *testing.T, name string) naiveZone {
	if l, ok := locations.Load(name); ok {
		return naiveZone{l.(*time.Location)}
	}
	z, err := tz.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	locations.Store(name, z.Location())
	return naiveZone{z.Location()}
}

func (z naiveZone) offset(at int64) int64 {
	_, offset := time.Unix(at, 0).In(z.Location).Zone()
	return int64(offset)
}

func (z naiveZone) wall(at int64) int64 { return at + z.offset(at) }

// instant follows RFC 5545 3.3.5: a reading in a gap has the offset before it,
// one that comes twice is the first.
func (z naiveZone) instant(wall int64) int64 {
	before, after := z.offset(wall-26*3600), z.offset(wall+26*3600)
	for _, at := range []int64{min(wall-before, wall-after), max(wall-before, wall-after)} {
		if z.wall(at) == wall {
			return at
		}
	}
	return wall - before
}

// naiveMember is a start that is to be expected.
type naiveMember struct {
	wall, at int64
	length   int64 // of an RDATE PERIOD, -1 = as the master
	listed   bool
}

var endOfRule = regexp.MustCompile(`;(UNTIL|COUNT)=\w+`)

// compareSets makes an event of a rule, with a zone, exceptions, dates and
// overrides, and compares windows of it with what the naive expander and package
// time say.
func compareSets(t *testing.T, rng *rand.Rand, number int, text string, start time.Time) {
	t.Helper()
	zone := randomZones[rng.IntN(len(randomZones))]
	date := zone == "DATE"
	param, suffix, clock := "", "", zone
	switch zone {
	case "", "DATE":
		clock = "Europe/Paris"
	case "UTC":
		suffix = "Z"
	default:
		param = ";TZID=" + zone
	}
	z := naiveZoneOf(t, clock)
	begin := start.Unix()
	if date {
		begin = floor(begin, aDay) * aDay
	}
	write := func(wall int64) string {
		if date {
			return time.Unix(wall, 0).UTC().Format("20060102")
		}
		return time.Unix(wall, 0).UTC().Format(recur.LayoutTime) + suffix
	}
	utc := func(at int64) string { return time.Unix(at, 0).UTC().Format(recur.LayoutTime) + "Z" }
	if date {
		param = ";VALUE=DATE"
	}

	text = endOfRule.ReplaceAllString(text, "")
	r, err := recur.ParseRule(text)
	if err != nil {
		t.Fatal(err)
	}
	if date && r.Freq < recur.Daily {
		return
	}
	until := int64(1) << 62
	switch rng.IntN(4) {
	case 0:
		r.Count = 1 + rng.IntN(50)
		text += fmt.Sprintf(";COUNT=%d", r.Count)
	case 1:
		until = z.instant(begin) + 2*aDay + rng.Int64N(1<<rng.IntN(26))
		switch {
		case date:
			until = floor(begin, aDay)*aDay + int64(1+rng.IntN(400))*aDay
			text += ";UNTIL=" + write(until)
			until = z.instant(until)
		case zone == "":
			text += ";UNTIL=" + write(z.wall(until))
			until = z.instant(z.wall(until))
		default:
			text += ";UNTIL=" + utc(until)
		}
	}
	strict := rng.IntN(2) == 0
	n := naive{r: r, start: begin, date: date}
	walls, end, all := n.occurrences(periods[r.Freq], mostMembers)
	matches := len(walls) > 0 && walls[0] == begin
	if !matches && !strict {
		if r.Count == 1 {
			walls, all = nil, true
		} else {
			r.Count = max(0, r.Count-1)
			walls, end, all = n.occurrences(periods[r.Freq], mostMembers)
		}
	}
	horizon := end - 1
	if !all && len(walls) == mostMembers {
		horizon = end
	}
	if all {
		horizon = 1 << 61
	}
	var members []naiveMember
	for _, w := range walls {
		if at := z.instant(w); at <= until {
			members = append(members, naiveMember{w, at, -1, false})
		}
	}
	if !matches && !strict {
		members = append(members, naiveMember{begin, z.instant(begin), -1, false})
	}
	// near is a reading in the neighbourhood of the members, often one of them.
	near := func() int64 {
		if len(walls) > 0 && rng.IntN(4) > 0 {
			return walls[rng.IntN(len(walls))]
		}
		return begin + int64(rng.IntN(400))*3600
	}

	var b strings.Builder
	fmt.Fprintf(&b, "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART%s:%s\r\nRRULE:%s\r\n", param, write(begin), text)
	var days, exact int64
	if date {
		days = int64(1 + rng.IntN(3))
		fmt.Fprintf(&b, "DURATION:P%dD\r\n", days)
	} else if rng.IntN(2) == 0 {
		days, exact = int64(rng.IntN(3)), int64(rng.IntN(30))*1800
		fmt.Fprintf(&b, "DURATION:P%dDT%dS\r\n", days, exact)
	}
	for range rng.IntN(3) {
		w := near()
		if date {
			w = floor(w, aDay) * aDay
		}
		m := naiveMember{w, z.instant(w), -1, true}
		switch form := rng.IntN(3); {
		case form == 0 && !date && zone != "":
			m.wall = z.wall(m.at)
			fmt.Fprintf(&b, "RDATE:%s\r\n", utc(m.at))
		case form == 1 && !date && zone != "":
			m.wall, m.length = z.wall(m.at), int64(rng.IntN(40))*3600
			fmt.Fprintf(&b, "RDATE;VALUE=PERIOD:%s/PT%dS\r\n", utc(m.at), m.length)
		default:
			fmt.Fprintf(&b, "RDATE%s:%s\r\n", param, write(w))
		}
		members = append(members, m)
	}
	slices.SortStableFunc(members, func(a, b naiveMember) int {
		listed := func(m naiveMember) int {
			if m.listed {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.wall, b.wall), cmp.Compare(listed(a), listed(b)), cmp.Compare(b.length, a.length))
	})
	seen := map[int64]bool{}
	members = slices.DeleteFunc(members, func(m naiveMember) bool {
		was := seen[m.at]
		seen[m.at] = true
		return was
	})
	for range rng.IntN(4) {
		w := near()
		out := func(m naiveMember) bool { return m.at == z.instant(w) }
		switch form := rng.IntN(3); {
		case form == 0 || date:
			out = func(m naiveMember) bool { return floor(m.wall, aDay) == floor(w, aDay) }
			fmt.Fprintf(&b, "EXDATE;VALUE=DATE:%s\r\n", time.Unix(w, 0).UTC().Format("20060102"))
		case form == 1 && zone != "":
			fmt.Fprintf(&b, "EXDATE:%s\r\n", utc(z.instant(w)))
		default:
			fmt.Fprintf(&b, "EXDATE%s:%s\r\n", param, write(w))
		}
		members = slices.DeleteFunc(members, out)
	}
	if rng.IntN(5) == 0 {
		exText := endOfRule.ReplaceAllString(randomRule(rng), "")
		ex, _ := recur.ParseRule(exText)
		if ex.Freq >= recur.Daily {
			fmt.Fprintf(&b, "EXRULE:%s\r\n", exText)
			x := naive{r: ex, start: begin, date: date}
			outs, exEnd, _ := x.occurrences(3*periods[ex.Freq], 1<<30)
			horizon = min(horizon, exEnd-1)
			members = slices.DeleteFunc(members, func(m naiveMember) bool {
				_, found := slices.BinarySearch(outs, m.wall)
				return found
			})
		}
	}
	b.WriteString("END:VEVENT\r\n")

	type occurrence struct {
		id       string
		from, to int64
		idWall   int64
	}
	var want []occurrence
	for _, m := range members {
		o := occurrence{write(m.wall), m.at, m.at + m.length, m.wall}
		if m.length < 0 {
			o.to = m.at + exact
			if days > 0 {
				o.to = max(m.at, z.instant(m.wall+days*aDay)+exact)
			}
		}
		want = append(want, o)
	}
	used := map[int64]bool{}
	for range rng.IntN(3) {
		id := near()
		if date {
			id = floor(id, aDay) * aDay
		}
		if used[z.instant(id)] {
			continue
		}
		used[z.instant(id)] = true
		moved := z.wall(z.instant(id + int64(rng.IntN(96)-48)*1800))
		from := z.instant(moved)
		form := fmt.Sprintf("RECURRENCE-ID%s:%s", param, write(id))
		if !date && zone != "" && rng.IntN(2) == 0 {
			form = "RECURRENCE-ID:" + utc(z.instant(id))
		}
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:u\r\n%s\r\nDTSTART:%s\r\nDURATION:PT1H\r\nEND:VEVENT\r\n", form, utc(from))
		want = slices.DeleteFunc(want, func(o occurrence) bool { return z.instant(o.idWall) == z.instant(id) })
		want = append(want, occurrence{"", from, from + 3600, id})
	}
	b.WriteString("END:VCALENDAR\r\n")

	cal, err := ical.Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	paris, _ := tz.Load("Europe/Paris")
	s, err := recur.New(cal, tz.NewResolver(cal, paris), recur.Options{StrictStart: strict})
	if err != nil {
		t.Fatalf("rule %d: %v\n%s", number, err, b.String())
	}
	limit := horizon - 5*aDay // nothing moves or lasts so long
	line := func(id string, from, to int64) string {
		if id == "" {
			id = "*"
		}
		return fmt.Sprintf("%s %s/%s", id, utc(from), utc(to))
	}
	for range 4 {
		from := z.instant(near()) + int64(rng.IntN(2000)-1000)*60
		to := from + int64(1+rng.IntN(30))*aDay/int64(1+rng.IntN(30))
		to = min(to, limit)
		if to <= from {
			continue
		}
		var expected, got []string
		for _, o := range want {
			if o.from < to && (o.to > from || o.from == o.to && o.from == from) {
				expected = append(expected, line(o.id, o.from, o.to))
			}
		}
		last := int64(-1 << 62)
		for o := range s.Between(time.Unix(from, 0), time.Unix(to, 0)) {
			id := o.ID.String()
			if o.Override {
				id = ""
			}
			got = append(got, line(id, o.From.Unix(), o.To.Unix()))
			if o.From.Unix() < last {
				t.Fatalf("rule %d: Between is out of order\n%s", number, b.String())
			}
			last = o.From.Unix()
		}
		slices.Sort(expected)
		slices.Sort(got)
		if !slices.Equal(got, expected) {
			t.Fatalf("rule %d (strict %v): Between %s and %s\n got %q\nwant %q\n%s", number, strict, utc(from), utc(to), got, expected, b.String())
		}
	}
}
