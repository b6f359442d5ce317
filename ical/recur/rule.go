package recur

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
)

// Freq is the FREQ rule part, from the shortest period to the longest.
type Freq uint8

const (
	Secondly Freq = iota + 1
	Minutely
	Hourly
	Daily
	Weekly
	Monthly
	Yearly
)

var freqNames = [...]string{Secondly: "SECONDLY", Minutely: "MINUTELY", Hourly: "HOURLY", Daily: "DAILY", Weekly: "WEEKLY", Monthly: "MONTHLY", Yearly: "YEARLY"}

// String is the name in RFC 5545 3.3.10.
func (f Freq) String() string {
	if int(f) < len(freqNames) {
		return freqNames[f]
	}
	return ""
}

// WeekdayNum is one entry of BYDAY: a weekday, and which one of the month or
// year it is (0 = every one, -1 = the last).
type WeekdayNum struct {
	Ordinal int
	Day     time.Weekday
}

// Rule is a recurrence rule (RFC 5545 3.3.10, RFC 7529 4). Lists are in the
// order of the text. A Rule is not changed by its methods.
type Rule struct {
	Freq     Freq
	Interval int // at least 1
	Count    int // 0 = no COUNT
	Until    ical.Time
	HasUntil bool

	BySecond, ByMinute, ByHour      []int
	ByDay                           []WeekdayNum
	ByMonthDay, ByYearDay, ByWeekNo []int
	ByMonth                         []int
	ByLeapMonth                     []int // months written with the suffix L (RFC 7529 4.2)
	BySetPos                        []int
	WKST                            time.Weekday // Monday when the part is absent
	HasWKST                         bool

	RScale string // upper case; "" when absent
	Skip   string // OMIT, BACKWARD or FORWARD; "" when absent

	Extra []string // experimental parts (X-...), as written
}

var (
	// ErrRule is wrapped by every error about the text of a rule.
	ErrRule = errors.New("recurrence rule")
	// ErrRScale is wrapped by the error about a calendar system that is not
	// evaluated: such a rule is kept.
	ErrRScale = errors.New("calendar system is not known")
	// ErrLimit is wrapped by the error of an evaluation that was given up
	// because it would take too long or give too much.
	ErrLimit = errors.New("recurrence limit")
)

// maxRuleText bounds the text of one rule; all lists in full length with every
// number written out need about 4 KB.
const maxRuleText = 32 << 10

var weekdayNames = [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

// longestYear is that of the Hebrew calendar.
const longestYear = 385

// listParts are the parts that are lists of numbers: the greatest absolute
// value, whether 0 is one of them, and whether negative ones are.
var listParts = map[string]struct {
	field    func(*Rule) *[]int
	min, max int
	negative bool
}{
	"BYSECOND":   {func(r *Rule) *[]int { return &r.BySecond }, 0, 60, false},
	"BYMINUTE":   {func(r *Rule) *[]int { return &r.ByMinute }, 0, 59, false},
	"BYHOUR":     {func(r *Rule) *[]int { return &r.ByHour }, 0, 23, false},
	"BYMONTHDAY": {func(r *Rule) *[]int { return &r.ByMonthDay }, 1, 31, true},
	"BYYEARDAY":  {func(r *Rule) *[]int { return &r.ByYearDay }, 1, longestYear, true},
	"BYWEEKNO":   {func(r *Rule) *[]int { return &r.ByWeekNo }, 1, 53, true},
	// The grammar says 366, but a period can have more members than days.
	"BYSETPOS": {func(r *Rule) *[]int { return &r.BySetPos }, 1, 366 * secondsPerDay, true},
}

// ParseRule reads the value of an RRULE or EXRULE property. It accepts any
// order, lower case, blanks around parts, escaped semicolons and one at the end; INTERVAL=0
// is read as 1. A part in the wrong company (BYWEEKNO with FREQ=DAILY) is kept
// and narrows what the rule gives. Errors wrap ErrRule and name the part.
//
// A rule with an RSCALE other than GREGORIAN is read without an error; see
// Rule.Err.
func ParseRule(text string) (*Rule, error) {
	if len(text) > maxRuleText {
		return nil, fmt.Errorf("%w: longer than %d octets", ErrRule, maxRuleText)
	}
	r := &Rule{Interval: 1, WKST: time.Monday}
	// Backslashes come from producers that take the value for TEXT.
	for part := range strings.SplitSeq(strings.ReplaceAll(text, `\`, ""), ";") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		name = strings.ToUpper(strings.TrimSpace(name))
		value = strings.ToUpper(strings.TrimSpace(value))
		if !ok || value == "" {
			return nil, fmt.Errorf("%w: %q is not NAME=value", ErrRule, part)
		}
		if err := r.set(name, value, part); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrRule, part, err)
		}
	}
	if r.Freq == 0 {
		return nil, fmt.Errorf("%w: %q has no FREQ", ErrRule, text)
	}
	if r.RScale == "" {
		for _, n := range r.ByYearDay {
			if n > 366 || n < -366 {
				return nil, fmt.Errorf("%w: BYYEARDAY: %d is not a number from 1 to 366", ErrRule, n)
			}
		}
	}
	return r, nil
}

func (r *Rule) set(name, value, part string) error {
	if list, ok := listParts[name]; ok {
		numbers, err := parseNumbers(value, list.min, list.max, list.negative)
		*list.field(r) = numbers
		return err
	}
	var err error
	switch name {
	case "FREQ":
		r.Freq = Freq(max(0, slices.Index(freqNames[:], value)))
		if r.Freq == 0 {
			err = errors.New("not a frequency of RFC 5545")
		}
	case "INTERVAL":
		r.Interval, err = parseNumber(value, 0, 1<<31-1, false)
		r.Interval = max(1, r.Interval)
	case "COUNT":
		r.Count, err = parseNumber(value, 1, 1<<31-1, false)
	case "UNTIL":
		r.HasUntil = true
		r.Until, err = ical.ParseTime(value, "", len(value) == len("20060102"))
	case "WKST":
		day := slices.Index(weekdayNames[:], value)
		if day < 0 {
			return errors.New("not a weekday")
		}
		r.WKST, r.HasWKST = time.Weekday(day), true
	case "BYDAY", "BYWEEKDAY":
		r.ByDay, err = parseDays(value)
	case "BYMONTH":
		r.ByMonth, r.ByLeapMonth = nil, nil
		for one := range strings.SplitSeq(value, ",") {
			one = strings.TrimSpace(one)
			digits, leap := strings.CutSuffix(one, "L")
			// RFC 7529 4: calendar systems have up to 13 months, Gregorian 12.
			n, err := parseNumber(digits, 1, 13, false)
			if err != nil {
				return err
			}
			if leap {
				r.ByLeapMonth = append(r.ByLeapMonth, n)
			} else {
				r.ByMonth = append(r.ByMonth, n)
			}
		}
	case "RSCALE":
		r.RScale = value
	case "SKIP":
		if value != "OMIT" && value != "BACKWARD" && value != "FORWARD" {
			return errors.New("not OMIT, BACKWARD or FORWARD")
		}
		r.Skip = value
	default:
		if !strings.HasPrefix(name, "X-") {
			return errors.New("not a rule part of RFC 5545 or RFC 7529")
		}
		r.Extra = append(r.Extra, part)
	}
	return err
}

func parseNumber(s string, least, most int, negative bool) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	size := n
	if negative && n < 0 {
		size = -n
	}
	if err != nil || size < least || size > most {
		return 0, fmt.Errorf("%q is not a number from %d to %d", s, least, most)
	}
	return n, nil
}

func parseNumbers(value string, least, most int, negative bool) ([]int, error) {
	list := make([]int, 0, strings.Count(value, ",")+1)
	for one := range strings.SplitSeq(value, ",") {
		n, err := parseNumber(one, least, most, negative)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

func parseDays(value string) ([]WeekdayNum, error) {
	list := make([]WeekdayNum, 0, strings.Count(value, ",")+1)
	for one := range strings.SplitSeq(value, ",") {
		one = strings.TrimSpace(one)
		if len(one) < 2 {
			return nil, fmt.Errorf("%q is not a weekday", one)
		}
		day := slices.Index(weekdayNames[:], one[len(one)-2:])
		if day < 0 {
			return nil, fmt.Errorf("%q is not a weekday", one)
		}
		w := WeekdayNum{Day: time.Weekday(day)}
		if digits := one[:len(one)-2]; digits != "" {
			n, err := parseNumber(digits, 1, 53, true)
			if err != nil {
				return nil, err
			}
			w.Ordinal = n
		}
		list = append(list, w)
	}
	return list, nil
}

// Err says why a rule that could be read cannot be evaluated: it counts in a
// calendar system that is not arithmetic, such as CHINESE, or counts weeks in
// another calendar than the Gregorian (wraps ErrRScale). Such a rule gives
// nothing.
func (r *Rule) Err() error {
	if !gregorianMonths[r.RScale] && (systems[r.RScale] == nil || len(r.ByWeekNo) > 0) {
		return fmt.Errorf("%w: %w: RSCALE=%s", ErrRule, ErrRScale, r.RScale)
	}
	return nil
}

// String writes the rule with its parts in the order of RFC 5545's grammar,
// FREQ first (RSCALE before it when there is one, as RFC 7529 writes it).
func (r *Rule) String() string {
	var b strings.Builder
	part := func(name, value string) {
		if b.Len() > 0 {
			b.WriteByte(';')
		}
		b.WriteString(name)
		b.WriteByte('=')
		b.WriteString(value)
	}
	list := func(name string, values []int) {
		if len(values) > 0 {
			part(name, joinNumbers(values, ""))
		}
	}
	if r.RScale != "" {
		part("RSCALE", r.RScale)
	}
	part("FREQ", r.Freq.String())
	if r.HasUntil {
		part("UNTIL", r.Until.String())
	}
	if r.Count > 0 {
		part("COUNT", strconv.Itoa(r.Count))
	}
	if r.Interval > 1 {
		part("INTERVAL", strconv.Itoa(r.Interval))
	}
	list("BYSECOND", r.BySecond)
	list("BYMINUTE", r.ByMinute)
	list("BYHOUR", r.ByHour)
	if len(r.ByDay) > 0 {
		days := make([]string, len(r.ByDay))
		for i, d := range r.ByDay {
			if d.Ordinal != 0 {
				days[i] = strconv.Itoa(d.Ordinal)
			}
			days[i] += weekdayNames[d.Day]
		}
		part("BYDAY", strings.Join(days, ","))
	}
	list("BYMONTHDAY", r.ByMonthDay)
	list("BYYEARDAY", r.ByYearDay)
	list("BYWEEKNO", r.ByWeekNo)
	switch {
	case len(r.ByMonth) > 0 && len(r.ByLeapMonth) > 0:
		part("BYMONTH", joinNumbers(r.ByMonth, "")+","+joinNumbers(r.ByLeapMonth, "L"))
	case len(r.ByLeapMonth) > 0:
		part("BYMONTH", joinNumbers(r.ByLeapMonth, "L"))
	default:
		list("BYMONTH", r.ByMonth)
	}
	list("BYSETPOS", r.BySetPos)
	if r.HasWKST {
		part("WKST", weekdayNames[r.WKST])
	}
	if r.Skip != "" {
		part("SKIP", r.Skip)
	}
	for _, extra := range r.Extra {
		b.WriteByte(';')
		b.WriteString(extra)
	}
	return b.String()
}

func joinNumbers(values []int, suffix string) string {
	text := make([]string, len(values))
	for i, n := range values {
		text[i] = strconv.Itoa(n) + suffix
	}
	return strings.Join(text, ",")
}

// Equivalent reports whether two rules say the same whatever their spelling:
// order of parts and of lists, WKST=MO and INTERVAL=1 written or not (clients
// rewrite rules that way without meaning a change).
func (r *Rule) Equivalent(s *Rule) bool {
	sorted := func(a []int) []int { a = slices.Clone(a); slices.Sort(a); return slices.Compact(a) }
	same := func(a, b []int) bool { return slices.Equal(sorted(a), sorted(b)) }
	days := func(a []WeekdayNum) []WeekdayNum {
		a = slices.Clone(a)
		slices.SortFunc(a, func(x, y WeekdayNum) int {
			return cmp.Or(cmp.Compare(x.Day, y.Day), cmp.Compare(x.Ordinal, y.Ordinal))
		})
		return slices.Compact(a)
	}
	skip := func(r *Rule) string { return cmp.Or(r.Skip, "OMIT") }
	return r.Freq == s.Freq && max(1, r.Interval) == max(1, s.Interval) && r.Count == s.Count &&
		r.HasUntil == s.HasUntil && (!r.HasUntil || r.Until.Kind == s.Until.Kind && r.Until.Wall.Equal(s.Until.Wall)) &&
		same(r.BySecond, s.BySecond) && same(r.ByMinute, s.ByMinute) && same(r.ByHour, s.ByHour) &&
		slices.Equal(days(r.ByDay), days(s.ByDay)) && same(r.ByMonthDay, s.ByMonthDay) &&
		same(r.ByYearDay, s.ByYearDay) && same(r.ByWeekNo, s.ByWeekNo) && same(r.ByMonth, s.ByMonth) &&
		same(r.ByLeapMonth, s.ByLeapMonth) && same(r.BySetPos, s.BySetPos) && r.WKST == s.WKST &&
		cmp.Or(r.RScale, "GREGORIAN") == cmp.Or(s.RScale, "GREGORIAN") && skip(r) == skip(s)
}
