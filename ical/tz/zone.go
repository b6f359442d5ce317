package tz

import (
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"github.com/convene-cal/convene/ical"
)

// Zone is a time zone: which offset from UTC a region's clocks have when. It
// is immutable and safe for concurrent use.
type Zone struct {
	name string
	// Period i is in force from at[i-1] up to at[i]; reads[i] is the first clock
	// reading that takes the offset of period i+1. All in seconds.
	at         []int64
	reads      []int64
	periods    []period
	after      tail // what is so outside of [begin, end); nil = the table is everything
	begin, end int64
	data       string // TZif, for zones of the IANA database
	// lastOnset is that of a VTIMEZONE: where it has no rule without an end, it
	// says nothing certain of the time much later.
	lastOnset int64
}

type period struct {
	offset   int32 // seconds east of UTC
	daylight bool
	name     string // abbreviation, TZNAME
}

// change is a moment at which a period begins.
type change struct {
	at int64
	period
}

// tail goes on where a table of changes ends (or has not begun).
type tail interface {
	// around gives the changes near an instant, in order: at least the last
	// one before it and all within a day of it.
	around(t int64) []change
}

// horizon is the end of the tables of IANA zones; later changes are computed when
// asked for. A calendar is seldom asked for more.
var horizon = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

const always = int64(1) << 62

// UTC is coordinated universal time.
var UTC = &Zone{name: "UTC", periods: []period{{name: "UTC"}}}

// newZone makes the tables. first is what is in force before the first change.
func newZone(name string, first period, changes []change, after tail) *Zone {
	z := &Zone{
		name: name, after: after, begin: -always, end: horizon,
		at: make([]int64, 0, len(changes)), reads: make([]int64, 0, len(changes)), periods: make([]period, 1, len(changes)+1),
	}
	z.periods[0] = first
	for _, c := range changes {
		last := z.periods[len(z.periods)-1]
		if c.period == last {
			continue
		}
		z.at = append(z.at, c.at)
		// RFC 5545 3.3.5: a reading that the gap leaves out takes the offset
		// before it, one that comes twice means the first: so the new offset
		// counts from the greater of the two readings of the moment.
		reads := c.at + int64(max(last.offset, c.offset))
		if n := len(z.reads); n > 0 {
			reads = max(reads, z.reads[n-1])
		}
		z.reads = append(z.reads, reads)
		z.periods = append(z.periods, c.period)
	}
	return z
}

// Name is the IANA name, or the TZID of a zone that only a VTIMEZONE defines.
func (z *Zone) Name() string { return z.name }

// String is Name.
func (z *Zone) String() string { return z.name }

// IANA tells whether the zone is one of the IANA database (or UTC).
func (z *Zone) IANA() bool { return z.data != "" || z == UTC }

// upTo counts the numbers that are at most t.
func upTo(sorted []int64, t int64) int {
	lo, hi := 0, len(sorted)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if sorted[mid] <= t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// day bounds the difference between two readings of one moment.
const day = 86400

// at gives the period in force at an instant.
func (z *Zone) periodAt(t int64) period {
	n := upTo(z.at, t)
	p := z.periods[n]
	if z.after == nil || t >= z.begin && t < z.end {
		return p
	}
	for _, c := range z.after.around(t) {
		if c.at <= t {
			p = c.period
		}
	}
	return p
}

func (z *Zone) offsetOfReading(w int64) int64 {
	p := z.periods[upTo(z.reads, w)]
	if z.after == nil || w >= z.begin+day && w < z.end-day {
		return int64(p.offset)
	}
	// Within reach of an end of the table both could count; the tail knows
	// what came just before.
	for _, c := range z.after.around(w) {
		if w >= c.at+int64(max(p.offset, c.offset)) {
			p = c.period
		}
	}
	return int64(p.offset)
}

// Instant gives the instant of a clock reading (its Location does not count).
// A reading that a gap leaves out takes the offset before the gap, one that
// comes twice is the first (RFC 5545 3.3.5).
func (z *Zone) Instant(wall time.Time) time.Time {
	w := wall.Unix()
	if _, shift := wall.Zone(); shift != 0 {
		w += int64(shift)
	}
	return time.Unix(w-z.offsetOfReading(w), int64(wall.Nanosecond())).UTC()
}

// Wall gives what the clocks show at an instant, with time.UTC as Location,
// and their offset in seconds east of UTC.
func (z *Zone) Wall(instant time.Time) (wall time.Time, offset int) {
	p := z.periodAt(instant.Unix())
	return instant.UTC().Add(time.Duration(p.offset) * time.Second), int(p.offset)
}

// Stretch tells how long an offset lasts: readings [from, to) around a reading,
// in seconds, exist and have this offset in seconds east of UTC. from = to when
// the reading is one that a gap leaves out. It spares series the search for
// every occurrence.
func (z *Zone) Stretch(wall int64) (offset, from, to int64) {
	n := upTo(z.reads, wall)
	offset = int64(z.periods[n].offset)
	from, to = -always, always
	if z.after != nil {
		if wall < z.begin+day || wall >= z.end-day {
			return z.stretchBeyond(wall)
		}
		from, to = z.begin+day, z.end-day
	}
	if n > 0 {
		from = max(from, z.reads[n-1])
	}
	if n < len(z.at) {
		to = min(to, z.at[n]+offset)
	}
	if wall >= to {
		return offset, wall, wall
	}
	return offset, from, to
}

// certain is how far from an instant a tail tells every change.
const certain = 180 * day

// stretchBeyond is Stretch for readings of which the table does not speak.
func (z *Zone) stretchBeyond(wall int64) (offset, from, to int64) {
	changes := z.after.around(wall)
	n := 0
	for i := 1; i < len(changes); i++ {
		if c := changes[i]; wall >= c.at+int64(max(changes[i-1].offset, c.offset)) {
			n = i
		}
	}
	if n == 0 { // too near the first change to tell more than this reading
		offset = z.offsetOfReading(wall)
		if z.periodAt(wall-offset).offset != int32(offset) {
			return offset, wall, wall
		}
		return offset, wall, wall + 1
	}
	c := changes[n]
	offset = int64(c.offset)
	from, to = max(c.at+max(int64(changes[n-1].offset), offset), wall-certain), wall+certain
	if n+1 < len(changes) {
		to = min(to, changes[n+1].at+offset)
	}
	if wall >= to {
		return offset, wall, wall
	}
	if wall < z.begin+day {
		return offset, from, min(to, z.begin+day)
	}
	return offset, max(from, z.end-day), to
}

// Abbreviation is the short name in use at an instant, such as "CEST"; for
// zones that have none, something like "+03".
func (z *Zone) Abbreviation(instant time.Time) string { return z.periodAt(instant.Unix()).name }

// Daylight tells whether the zone's data call the offset at an instant
// daylight saving time.
func (z *Zone) Daylight(instant time.Time) bool { return z.periodAt(instant.Unix()).daylight }

// Time is the instant of a value read in this zone: a date is its midnight.
func (z *Zone) Time(t ical.Time) time.Time {
	if t.Kind == ical.UTC {
		return t.Wall
	}
	return z.Instant(t.Wall)
}

// changesIn are the changes with from < at <= to.
func (z *Zone) changesIn(from, to int64) []change {
	var list []change
	add := func(c change) {
		if c.at > from && c.at <= to && (len(list) == 0 || c.at > list[len(list)-1].at) {
			list = append(list, c)
		}
	}
	const half = 183 * day
	if z.after != nil {
		for t := from; t < min(to+half, z.begin); t += half {
			for _, c := range z.after.around(t) {
				if c.at < z.begin {
					add(c)
				}
			}
		}
	}
	for i := upTo(z.at, from); i < len(z.at) && z.at[i] <= to; i++ {
		add(change{z.at[i], z.periods[i+1]})
	}
	if z.after != nil {
		for t := max(from, z.end); t <= to+half; t += half {
			for _, c := range z.after.around(t) {
				if c.at >= z.end {
					add(c)
				}
			}
		}
	}
	return list
}

// Location is for formatting with package time. Its reading of clock times in
// gaps and folds is the standard library's, not RFC 5545's: use Instant.
func (z *Zone) Location() *time.Location {
	data := []byte(z.data)
	if z == UTC {
		return time.UTC
	}
	if len(data) == 0 {
		data = z.tzif()
	}
	if loc, err := time.LoadLocationFromTZData(z.name, data); err == nil {
		return loc
	}
	return time.FixedZone(z.name, int(z.periods[len(z.periods)-1].offset))
}

// tzif writes the table of a zone as TZif version 2 (RFC 8536).
func (z *Zone) tzif() []byte {
	kinds := slices.Clone(z.periods)
	slices.SortFunc(kinds, comparePeriods)
	kinds = slices.Compact(kinds)
	if len(kinds) > 255 {
		return nil
	}
	var names []byte
	be := binary.BigEndian
	var types []byte
	for _, k := range kinds {
		types = be.AppendUint32(types, uint32(k.offset))
		flag := byte(0)
		if k.daylight {
			flag = 1
		}
		types = append(types, flag, byte(min(len(names), 255)))
		if len(names)+len(k.name) < 255 {
			names = append(append(names, k.name...), 0)
		} else {
			types[len(types)-1] = 0
		}
	}
	header := func(b []byte, changes, types, chars int) []byte {
		b = append(b, "TZif2\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
		for _, n := range []int{0, 0, 0, changes, types, chars} {
			b = be.AppendUint32(b, uint32(n))
		}
		return b
	}
	b := header(nil, 0, 1, 1)
	b = append(b, 0, 0, 0, 0, 0, 0, 0)
	b = header(b, len(z.at)+1, len(kinds), len(names))
	b = be.AppendUint64(b, uint64(1)<<63) // what is in force from the beginning of time
	for _, t := range z.at {
		b = be.AppendUint64(b, uint64(t))
	}
	for _, p := range z.periods {
		i, _ := slices.BinarySearchFunc(kinds, p, comparePeriods)
		b = append(b, byte(i))
	}
	b = append(append(b, types...), names...)
	return append(b, "\n\n"...)
}

func comparePeriods(a, b period) int {
	switch {
	case a.offset != b.offset:
		return int(a.offset - b.offset)
	case a.name < b.name:
		return -1
	case a.name > b.name:
		return 1
	case a.daylight == b.daylight:
		return 0
	case b.daylight:
		return -1
	}
	return 1
}

// loaded remembers zones of the embedded data; there are as many as names.
var loaded sync.Map
