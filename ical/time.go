package ical

import (
	"fmt"
	"strings"
	"time"
)

// TimeKind says how a Time is anchored.
type TimeKind uint8

// The forms of RFC 5545 3.3.4 and 3.3.5.
const (
	Floating TimeKind = iota // form 1: the same clock reading everywhere
	UTC                      // form 2
	Zoned                    // form 3: in the zone TZID
	Date                     // a day
)

// Time is a DATE or DATE-TIME value. Wall is the clock reading, with
// time.UTC as its Location whatever the zone; a date is its midnight.
type Time struct {
	Wall time.Time
	Kind TimeKind
	TZID string // Zoned only
}

// IsDate tells whether t is a DATE.
func (t Time) IsDate() bool { return t.Kind == Date }

// IsZero tells whether t is the zero Time, which stands for none.
func (t Time) IsZero() bool { return t.Wall.IsZero() && t.Kind == Floating }

// DateOf gives a DATE; out-of-range days are carried over as time.Date does.
func DateOf(y int, m time.Month, d int) Time {
	return Time{Wall: time.Date(y, m, d, 0, 0, 0, 0, time.UTC), Kind: Date}
}

// UTCTime gives the DATE-TIME of an instant, cut to the second.
func UTCTime(t time.Time) Time {
	return Time{Wall: t.UTC().Truncate(time.Second), Kind: UTC}
}

// String is the value text: 20260102, 20260102T030405 or 20260102T030405Z.
func (t Time) String() string {
	b := make([]byte, 0, 16)
	y, m, d := t.Wall.Date()
	y = min(max(y, 0), 9999)
	b = digits(b, y, 4)
	b = digits(b, int(m), 2)
	b = digits(b, d, 2)
	if t.Kind == Date {
		return string(b)
	}
	h, mi, s := t.Wall.Clock()
	b = append(b, 'T')
	b = digits(b, h, 2)
	b = digits(b, mi, 2)
	b = digits(b, s, 2)
	if t.Kind == UTC {
		b = append(b, 'Z')
	}
	return string(b)
}

func digits(b []byte, v, width int) []byte {
	for p := pow10[width-1]; p > 0; p /= 10 {
		b = append(b, byte('0'+v/p%10))
	}
	return b
}

var pow10 = [...]int{1, 10, 100, 1000}

// ParseTime reads a DATE or DATE-TIME value, with the spellings of LEN-02 put
// right. The value's own form decides: a Z wins over tzid (LEN-03), eight
// digits are a date. isDate (VALUE=DATE) makes a date of a time at midnight.
func ParseTime(value, tzid string, isDate bool) (Time, error) {
	form := formOf(value)
	if form == formOther {
		fixed, ok := mendDateTime(value)
		if !ok {
			return Time{}, fmt.Errorf("ical: %q is not a date or time", clip(value))
		}
		value, form = fixed, formOf(fixed)
	}
	y, m, d := number(value[0:4]), number(value[4:6]), number(value[6:8])
	if m < 1 || m > 12 || d < 1 || d > daysIn(y, m) {
		return Time{}, fmt.Errorf("ical: %q: there is no such day", clip(value))
	}
	t := Time{Wall: time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC), Kind: Date}
	if form == formDate {
		return t, nil
	}
	hh, mm, ss := number(value[9:11]), number(value[11:13]), number(value[13:15])
	if ss == 60 { // RFC 5545 3.3.12: a leap second is read as 59 where it is not known
		ss = 59
	}
	if hh == 24 && mm == 0 && ss == 0 && t.Wall.Year() < 9999 { // ISO 8601's end of the day
		t.Wall, hh = t.Wall.AddDate(0, 0, 1), 0
	}
	if hh > 23 || mm > 59 || ss > 59 {
		return Time{}, fmt.Errorf("ical: %q: there is no such time of day", clip(value))
	}
	if isDate && hh == 0 && mm == 0 && ss == 0 {
		return t, nil
	}
	t.Wall = t.Wall.Add(time.Duration(hh)*time.Hour + time.Duration(mm)*time.Minute + time.Duration(ss)*time.Second)
	switch {
	case form == formUTC:
		t.Kind = UTC
	case tzid != "":
		t.Kind, t.TZID = Zoned, tzid
	default:
		t.Kind = Floating
	}
	return t, nil
}

func number(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func daysIn(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

type form uint8

const (
	formOther form = iota
	formDate       // 20260102
	formLocal      // 20260102T030405
	formUTC        // 20260102T030405Z
)

// formOf tells the form of a value by its spelling alone.
func formOf(s string) form {
	if len(s) < 8 || !digits8(eight(s)) {
		return formOther
	}
	switch len(s) {
	case 8:
		return formDate
	case 16:
		if s[15] != 'Z' {
			return formOther
		}
		fallthrough
	case 15:
		// The T is made a zero, so that it and what follows are eight digits.
		if s[8] != 'T' || !digits8(eight(s[7:])^('T'^'0')<<8) {
			return formOther
		}
		if len(s) == 16 {
			return formUTC
		}
		return formLocal
	}
	return formOther
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// mendDateTimes mends each value of a comma-separated list.
func mendDateTimes(value string) (string, bool) {
	if strings.ContainsRune(value, '/') {
		return value, false // periods
	}
	if !strings.ContainsRune(value, ',') {
		return mendDateTime(value)
	}
	parts := strings.Split(value, ",")
	for i, part := range parts {
		if formOf(part) != formOther {
			continue
		}
		fixed, ok := mendDateTime(part)
		if !ok {
			return value, false
		}
		parts[i] = fixed
	}
	return strings.Join(parts, ","), true
}

// mendDateTime gives the RFC 5545 spelling of a date or time written another
// way (LEN-02): blanks around, ISO 8601 extended form, fractions, an offset,
// a doubled Z, a time that is too short or too long, a month of three digits.
func mendDateTime(value string) (string, bool) {
	s := upper(strings.Trim(strings.TrimSpace(value), `"`))
	if formOf(s) != formOther {
		return s, true
	}
	if len(s) > 40 {
		return value, false
	}
	date, clock := s, ""
	timed := false
	if i := strings.IndexAny(s, "T "); i >= 0 {
		date, clock, timed = s[:i], strings.TrimSpace(s[i+1:]), true
	}
	zone := ""
	if !timed && strings.HasSuffix(date, "Z") {
		date = strings.TrimRight(date, "Z")
	}
	if i := strings.IndexAny(clock, "Z+-"); i >= 0 {
		clock, zone = clock[:i], clock[i:]
	}
	if strings.Count(date, "-") == 2 {
		date = strings.ReplaceAll(date, "-", "")
	}
	if len(date) == 9 && allDigits(date) && date[4:6] == "00" {
		date = date[:4] + date[5:]
	}
	if len(date) != 8 || !allDigits(date) {
		return value, false
	}
	if !timed {
		return date, true
	}
	if i := strings.IndexAny(clock, ".,"); i >= 0 {
		clock = clock[:i]
	}
	clock = strings.ReplaceAll(clock, ":", "")
	if !allDigits(clock) {
		return value, false
	}
	if len(clock) == 1 {
		clock = "0" + clock
	}
	clock = (clock + "000000")[:6]
	s = date + "T" + clock
	switch {
	case zone == "":
		return s, true
	case strings.Trim(zone, "Z") == "":
		return s + "Z", true
	}
	t, err := ParseTime(s, "", false)
	sign := time.Duration(1)
	if zone[0] == '-' {
		sign = -1
	}
	zone = strings.ReplaceAll(zone[1:], ":", "")
	if err != nil || len(zone) != 2 && len(zone) != 4 || !allDigits(zone) {
		return value, false
	}
	zone = (zone + "00")[:4]
	if number(zone[:2]) > 23 || number(zone[2:]) > 59 {
		return value, false
	}
	offset := time.Duration(number(zone[:2]))*time.Hour + time.Duration(number(zone[2:]))*time.Minute
	u := UTCTime(t.Wall.Add(-sign * offset))
	if y := u.Wall.Year(); y < 0 || y > 9999 {
		return value, false
	}
	return u.String(), true
}

func (p *Property) fault(err error) error {
	what := strings.TrimPrefix(err.Error(), "ical: ")
	return &ParseError{Line: int(p.line), Column: int(p.value) + 1, Property: p.Name(), What: what}
}

// Time reads a DATE or DATE-TIME with its VALUE and TZID parameters.
func (p *Property) Time() (Time, error) {
	t, err := ParseTime(p.Value(), p.tzid(), p.isDate())
	if err != nil {
		return Time{}, p.fault(err)
	}
	return t, nil
}

func (p *Property) tzid() string {
	if int(p.value) == int(p.name)+1 {
		return ""
	}
	return p.Param("TZID")
}

func (p *Property) isDate() bool {
	return int(p.value) > int(p.name)+1 && strings.EqualFold(p.Param("VALUE"), "DATE")
}

// Times reads a comma-separated list (RDATE, EXDATE). Of a period it gives
// the start.
func (p *Property) Times() ([]Time, error) {
	value, tzid, isDate := p.Value(), p.tzid(), p.isDate()
	if strings.TrimSpace(value) == "" {
		return nil, nil
	}
	list := make([]Time, 0, strings.Count(value, ",")+1)
	for part := range strings.SplitSeq(value, ",") {
		part, _, _ = strings.Cut(part, "/")
		t, err := ParseTime(part, tzid, isDate)
		if err != nil {
			return nil, p.fault(err)
		}
		list = append(list, t)
	}
	return list, nil
}

// SetTime sets the value and the parameters VALUE and TZID that go with it.
func (p *Property) SetTime(t Time) {
	text := p.text()
	var b strings.Builder
	for s := (params{rest: p.section()}); s.next(); {
		if !s.is("TZID") && !s.is("VALUE") {
			s.write(&b)
		}
	}
	switch t.Kind {
	case Date:
		writeParam(&b, "VALUE", []string{"DATE"})
	case Zoned:
		writeParam(&b, "TZID", []string{t.TZID})
	}
	p.build(text[:p.name], b.String(), t.String())
}
