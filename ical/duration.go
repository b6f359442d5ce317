package ical

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a DURATION (RFC 5545 3.3.6): weeks and days are nominal, so
// that a day across a change of the clocks ends at the same clock reading;
// hours, minutes and seconds are exact. Both parts have the same sign.
type Duration struct {
	Days  int           // weeks*7 + days
	Exact time.Duration // hours, minutes, seconds
}

// maxDurationDays keeps every sum with a date inside what time.Time holds.
const maxDurationDays = 10000 * 366

// ParseDuration reads a DURATION. It also takes parts in lower case or mixed
// with weeks, which the grammar forbids and whose meaning is plain.
func ParseDuration(s string) (Duration, error) {
	bad := func() (Duration, error) { return Duration{}, fmt.Errorf("ical: %q is not a duration", clip(s)) }
	t := upper(strings.TrimSpace(s))
	sign := 1
	if t != "" && (t[0] == '+' || t[0] == '-') {
		if t[0] == '-' {
			sign = -1
		}
		t = t[1:]
	}
	if !strings.HasPrefix(t, "P") {
		return bad()
	}
	t = t[1:]
	var d Duration
	var seconds int64
	clock, parts := false, 0
	for t != "" {
		if t[0] == 'T' && !clock {
			clock, t = true, t[1:]
			continue
		}
		i := 0
		for i < len(t) && '0' <= t[i] && t[i] <= '9' {
			i++
		}
		if i == 0 || i == len(t) {
			return bad()
		}
		n, err := strconv.ParseInt(t[:i], 10, 64)
		if err != nil || n > math.MaxInt32 {
			return Duration{}, fmt.Errorf("ical: duration %q is too long", clip(s))
		}
		switch unit := t[i]; {
		case unit == 'W' && !clock:
			d.Days += int(n) * 7
		case unit == 'D' && !clock:
			d.Days += int(n)
		case unit == 'H' && clock:
			seconds += n * 3600
		case unit == 'M' && clock:
			seconds += n * 60
		case unit == 'S' && clock:
			seconds += n
		default:
			return bad()
		}
		t = t[i+1:]
		if parts++; parts > 8 {
			return bad()
		}
	}
	if parts == 0 && !clock {
		return bad()
	}
	if d.Days > maxDurationDays || seconds > math.MaxInt64/int64(time.Second)/2 {
		return Duration{}, fmt.Errorf("ical: duration %q is too long", clip(s))
	}
	d.Days *= sign
	d.Exact = time.Duration(seconds) * time.Second * time.Duration(sign)
	return d, nil
}

// String is the value text, in weeks only where days are all there is and
// they are whole weeks.
func (d Duration) String() string {
	days, seconds := d.Days, int64(d.Exact/time.Second)
	var b strings.Builder
	if days < 0 || seconds < 0 {
		b.WriteByte('-')
	}
	days, seconds = max(days, -days), max(seconds, -seconds)
	b.WriteByte('P')
	if seconds == 0 && days != 0 && days%7 == 0 {
		return b.String() + strconv.Itoa(days/7) + "W"
	}
	if days != 0 {
		b.WriteString(strconv.Itoa(days) + "D")
	}
	if seconds == 0 && days != 0 {
		return b.String()
	}
	b.WriteByte('T')
	h, m, s := seconds/3600, seconds/60%60, seconds%60
	if h != 0 {
		b.WriteString(strconv.FormatInt(h, 10) + "H")
	}
	// RFC 5545 3.3.6: hours may be followed by minutes only, not by seconds.
	if m != 0 || h != 0 && s != 0 {
		b.WriteString(strconv.FormatInt(m, 10) + "M")
	}
	if s != 0 || h == 0 && m == 0 {
		b.WriteString(strconv.FormatInt(s, 10) + "S")
	}
	return b.String()
}

// Duration reads the value as a DURATION.
func (p *Property) Duration() (Duration, error) {
	d, err := ParseDuration(p.Value())
	if err != nil {
		return Duration{}, p.fault(err)
	}
	return d, nil
}

// Period is a PERIOD (RFC 5545 3.3.9): start and end, or start and duration.
type Period struct {
	Start, End  Time // End only without HasDuration
	Duration    Duration
	HasDuration bool
}

// ParsePeriod reads a PERIOD.
func ParsePeriod(s, tzid string) (Period, error) {
	start, end, ok := strings.Cut(strings.TrimSpace(s), "/")
	if !ok {
		return Period{}, fmt.Errorf("ical: %q is not a period", clip(s))
	}
	var q Period
	var err error
	if q.Start, err = ParseTime(start, tzid, false); err != nil {
		return Period{}, err
	}
	if strings.ContainsAny(end, "Pp") {
		q.HasDuration = true
		q.Duration, err = ParseDuration(end)
	} else {
		q.End, err = ParseTime(end, tzid, false)
	}
	if err != nil {
		return Period{}, err
	}
	return q, nil
}

// String is the value text.
func (q Period) String() string {
	if q.HasDuration {
		return q.Start.String() + "/" + q.Duration.String()
	}
	return q.Start.String() + "/" + q.End.String()
}

// Periods reads a comma-separated list of PERIODs (FREEBUSY, RDATE).
func (p *Property) Periods() ([]Period, error) {
	value, tzid := p.Value(), p.tzid()
	if strings.TrimSpace(value) == "" {
		return nil, nil
	}
	list := make([]Period, 0, strings.Count(value, ",")+1)
	for part := range strings.SplitSeq(value, ",") {
		q, err := ParsePeriod(part, tzid)
		if err != nil {
			return nil, p.fault(err)
		}
		list = append(list, q)
	}
	return list, nil
}

// Int reads the value as an INTEGER (RFC 5545 3.3.8: 32 bits with sign).
func (p *Property) Int() (int, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(p.Value()), 10, 32)
	if err != nil {
		return 0, p.fault(fmt.Errorf("%q is not an integer", clip(p.Value())))
	}
	return int(n), nil
}
