package tz

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// errTZif is for data that RFC 8536 does not allow. The embedded data is tested
// to have none.
var errTZif = errors.New("tz: malformed TZif data")

// parseTZif reads version 2 or later (RFC 8536 3), the 64-bit block and the
// footer.
func parseTZif(name, data string) (*Zone, error) {
	const headerSize = 44
	counts := func(at int) (n [6]int, ok bool) {
		if len(data) < at+headerSize || data[at:at+4] != "TZif" || data[at+4] < '2' {
			return n, false
		}
		for i := range n {
			n[i] = int(binary.BigEndian.Uint32([]byte(data[at+20+4*i:])))
			if n[i] > 1<<20 {
				return n, false
			}
		}
		return n, true
	}
	n, ok := counts(0)
	if !ok {
		return nil, errTZif
	}
	// isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt
	second := headerSize + n[3]*5 + n[4]*6 + n[5] + n[2]*8 + n[1] + n[0]
	if n, ok = counts(second); !ok {
		return nil, errTZif
	}
	times := second + headerSize
	indexes := times + n[3]*8
	types := indexes + n[3]
	chars := types + n[4]*6
	footer := chars + n[5] + n[2]*12 + n[1] + n[0]
	if len(data) < footer+2 || n[4] == 0 {
		return nil, errTZif
	}
	kinds := make([]period, n[4])
	for i := range kinds {
		rec := data[types+6*i:]
		at := int(rec[5])
		if at >= n[5] {
			return nil, errTZif
		}
		abbr, _, _ := strings.Cut(data[chars+at:chars+n[5]], "\x00")
		kinds[i] = period{int32(binary.BigEndian.Uint32([]byte(rec[:4]))), rec[4] != 0, abbr}
	}
	changes := make([]change, 0, n[3]+2*150)
	for i := range n[3] {
		k := int(data[indexes+i])
		if k >= len(kinds) {
			return nil, errTZif
		}
		changes = append(changes, change{int64(binary.BigEndian.Uint64([]byte(data[times+8*i:]))), kinds[k]})
	}
	rule, _, ok := strings.Cut(data[footer+1:], "\n")
	if !ok {
		return nil, errTZif
	}
	var after tail
	if rule != "" {
		p, err := parsePOSIX(rule)
		if err != nil {
			return nil, err
		}
		last := int64(-1 << 62)
		if len(changes) > 0 {
			last = changes[len(changes)-1].at
		}
		if p.daylight {
			year := 1970
			if last > 0 {
				year = time.Unix(last, 0).UTC().Year()
			}
			for ; ; year++ {
				begun := len(changes)
				for _, c := range p.year(year) {
					if c.at > last && c.at < horizon {
						changes = append(changes, c)
					}
				}
				if begun == len(changes) && time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Unix() >= horizon {
					break
				}
			}
			after = p
		}
	}
	z := newZone(name, kinds[0], changes, after)
	z.data = data
	return z, nil
}

// posixRule is the footer of a TZif file: a POSIX TZ string with the
// extensions of RFC 8536 3.3.1. With daylight it gives two changes a year.
type posixRule struct {
	standard, summer period
	daylight         bool
	begin, end       posixDay // in standard time, in daylight saving time
}

// posixDay is the day and time of a change: Mm.w.d, Jn or n.
type posixDay struct {
	form       byte // 'M', 'J' or 'n'
	month      int
	week, wday int
	day        int
	seconds    int64 // after midnight, -167 to 167 hours
}

func (r *posixRule) year(y int) [2]change {
	a := change{r.begin.in(y) - int64(r.standard.offset), r.summer}
	b := change{r.end.in(y) - int64(r.summer.offset), r.standard}
	if a.at > b.at {
		a, b = b, a
	}
	return [2]change{a, b}
}

func (r *posixRule) around(t int64) []change {
	y := time.Unix(t, 0).UTC().Year()
	list := make([]change, 0, 6)
	for i := y - 1; i <= y+1; i++ {
		two := r.year(i)
		list = append(list, two[:]...)
	}
	return list
}

// in gives the clock reading in a year.
func (d posixDay) in(year int) int64 {
	jan1 := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	date := jan1
	switch d.form {
	case 'J': // 1 to 365, 29 February is never counted
		date = jan1.AddDate(0, 0, d.day-1)
		if leap := time.Date(year, 3, 1, 0, 0, 0, 0, time.UTC).YearDay() == 61; leap && d.day >= 60 {
			date = date.AddDate(0, 0, 1)
		}
	case 'n': // 0 to 365
		date = jan1.AddDate(0, 0, d.day)
	default: // the week-th weekday of a month, week 5 = the last
		first := time.Date(year, time.Month(d.month), 1, 0, 0, 0, 0, time.UTC)
		date = first.AddDate(0, 0, (d.wday-int(first.Weekday())+7)%7+7*(d.week-1))
		if date.Month() != first.Month() {
			date = date.AddDate(0, 0, -7)
		}
	}
	return date.Unix() + d.seconds
}

func parsePOSIX(s string) (*posixRule, error) {
	bad := func() (*posixRule, error) { return nil, fmt.Errorf("%w: footer %q", errTZif, s) }
	r := &posixRule{}
	name, rest, ok := posixName(s)
	if !ok {
		return bad()
	}
	offset, rest, ok := posixTime(rest)
	if !ok {
		return bad()
	}
	r.standard = period{offset: int32(-offset), name: name}
	if rest == "" {
		return r, nil
	}
	r.daylight = true
	if name, rest, ok = posixName(rest); !ok {
		return bad()
	}
	r.summer = period{offset: r.standard.offset + 3600, daylight: true, name: name}
	if rest != "" && rest[0] != ',' {
		if offset, rest, ok = posixTime(rest); !ok {
			return bad()
		}
		r.summer.offset = int32(-offset)
	}
	// Dublin calls its summer the standard time and its winter daylight saving
	// with a smaller offset; nothing here depends on which is greater.
	parts := strings.Split(rest, ",")
	if len(parts) != 3 || parts[0] != "" {
		return bad()
	}
	var okBegin, okEnd bool
	r.begin, okBegin = parsePOSIXDay(parts[1])
	r.end, okEnd = parsePOSIXDay(parts[2])
	if !okBegin || !okEnd {
		return bad()
	}
	return r, nil
}

func posixName(s string) (name, rest string, ok bool) {
	if strings.HasPrefix(s, "<") {
		name, rest, ok = strings.Cut(s[1:], ">")
		return name, rest, ok && name != ""
	}
	i := 0
	for i < len(s) && (s[i] >= 'A' && s[i] <= 'Z' || s[i] >= 'a' && s[i] <= 'z') {
		i++
	}
	return s[:i], s[i:], i >= 3
}

// posixTime reads [+-]hh[:mm[:ss]] as seconds.
func posixTime(s string) (seconds int64, rest string, ok bool) {
	sign := int64(1)
	if s != "" && (s[0] == '+' || s[0] == '-') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	for unit := int64(3600); unit > 0; unit /= 60 {
		i := 0
		for i < len(s) && i < 3 && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		n, err := strconv.Atoi(s[:i])
		if err != nil {
			return 0, s, false
		}
		seconds += int64(n) * unit
		if s = s[i:]; s == "" || s[0] != ':' {
			break
		}
		s = s[1:]
	}
	return sign * seconds, s, true
}

func parsePOSIXDay(s string) (posixDay, bool) {
	d := posixDay{seconds: 2 * 3600}
	date, clock, has := strings.Cut(s, "/")
	if has {
		var rest string
		var ok bool
		if d.seconds, rest, ok = posixTime(clock); !ok || rest != "" {
			return d, false
		}
	}
	if date == "" {
		return d, false
	}
	var err error
	switch date[0] {
	case 'M':
		d.form = 'M'
		parts := strings.Split(date[1:], ".")
		if len(parts) != 3 {
			return d, false
		}
		var n [3]int
		for i := range parts {
			if n[i], err = strconv.Atoi(parts[i]); err != nil {
				return d, false
			}
		}
		d.month, d.week, d.wday = n[0], n[1], n[2]
		return d, d.month >= 1 && d.month <= 12 && d.week >= 1 && d.week <= 5 && d.wday >= 0 && d.wday <= 6
	case 'J':
		d.form = 'J'
		d.day, err = strconv.Atoi(date[1:])
		return d, err == nil && d.day >= 1 && d.day <= 365
	}
	d.form = 'n'
	d.day, err = strconv.Atoi(date)
	return d, err == nil && d.day >= 0 && d.day <= 365
}
