package vcal1

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

var weekdays = [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

// frequencies are the basic recurrence grammar's beginnings (v§2.1.11); the
// longer ones come first.
var frequencies = [...]struct {
	word string
	freq recur.Freq
	list func(r *recur.Rule, words []string, start time.Time) error
}{
	{"MP", recur.Monthly, monthlyByPosition},
	{"MD", recur.Monthly, monthlyByDay},
	{"YM", recur.Yearly, yearlyByMonth},
	{"YD", recur.Yearly, yearlyByDay},
	{"D", recur.Daily, daily},
	{"W", recur.Weekly, weekly},
}

// maxRule bounds the text of a rule: a list of all days of a year fits.
const maxRule = 4096

// parseRule reads a rule of the basic grammar. start fills in what the rule
// does not say (policy 2 of v§2.1.11.7). The rule's end is in the form it was
// written in.
func parseRule(text string, start time.Time) (*recur.Rule, error) {
	if len(text) > maxRule {
		return nil, fmt.Errorf("%d octets are too many for a rule", len(text))
	}
	words := strings.Fields(strings.ToUpper(text))
	if len(words) == 0 {
		return nil, fmt.Errorf("it is empty")
	}
	for _, f := range frequencies {
		number, ok := strings.CutPrefix(words[0], f.word)
		if !ok {
			continue
		}
		r := &recur.Rule{Freq: f.freq, Interval: 1, WKST: time.Monday}
		if number != "" {
			n, err := strconv.ParseUint(number, 10, 16)
			if err != nil {
				return nil, fmt.Errorf("%q is no interval", clip(number))
			}
			r.Interval = max(int(n), 1)
		}
		words, err := ruleEnd(r, words[1:])
		if err == nil {
			err = f.list(r, words, start)
		}
		if err != nil {
			return nil, err
		}
		return r, nil
	}
	return nil, fmt.Errorf("%q is not of the basic grammar", clip(words[0]))
}

// ruleEnd takes the number of occurrences and the end date, in either order.
// Neither means twice, and #0 for ever (policies 4 and 5).
func ruleEnd(r *recur.Rule, words []string) ([]string, error) {
	counted := false
	for len(words) > 0 {
		last := words[len(words)-1]
		if count, ok := strings.CutPrefix(last, "#"); ok && !counted {
			n, err := strconv.ParseUint(count, 10, 31)
			if err != nil {
				return nil, fmt.Errorf("%q is no number of occurrences", clip(last))
			}
			r.Count, counted = int(n), true
		} else if len(last) >= 8 && !r.HasUntil {
			until, err := ical.ParseTime(last, "", false)
			if err != nil {
				return nil, fmt.Errorf("%q is no end date", clip(last))
			}
			r.Until, r.HasUntil = until, true
		} else {
			break
		}
		words = words[:len(words)-1]
	}
	if !counted && !r.HasUntil {
		r.Count = 2
	}
	return words, nil
}

func daily(_ *recur.Rule, words []string, _ time.Time) error {
	if len(words) > 0 { // "D1 0700 1000" repeats within the day
		return fmt.Errorf("%q is not of the basic grammar", clip(words[0]))
	}
	return nil
}

func weekly(r *recur.Rule, words []string, _ time.Time) error {
	for _, w := range words {
		day := slices.Index(weekdays[:], w)
		if day < 0 {
			return fmt.Errorf("%q is no weekday", clip(w))
		}
		r.ByDay = append(r.ByDay, recur.WeekdayNum{Day: time.Weekday(day)})
	}
	if len(words) > 0 && r.Interval > 1 { // the format's home is the United States
		r.WKST, r.HasWKST = time.Sunday, true
	}
	return nil
}

// signed reads "2+", "2-" and "2".
func signed(w string, most int) (int, bool) {
	sign := 1
	if strings.HasSuffix(w, "-") {
		sign = -1
	}
	n, err := strconv.ParseUint(strings.TrimRight(w, "+-"), 10, 16)
	if err != nil || n < 1 || int(n) > most || len(w)-len(strings.TrimRight(w, "+-")) > 1 {
		return 0, false
	}
	return sign * int(n), true
}

// monthlyByPosition: groups of occurrences, each before its weekdays.
func monthlyByPosition(r *recur.Rule, words []string, start time.Time) error {
	if len(words) == 0 { // policy 8: counted from the beginning of the month
		r.ByDay = []recur.WeekdayNum{{Ordinal: (start.Day() + 6) / 7, Day: start.Weekday()}}
		return nil
	}
	var positions []int
	days := 0 // named since the last position
	close := func() {
		if days == 0 {
			for _, n := range positions {
				r.ByDay = append(r.ByDay, recur.WeekdayNum{Ordinal: n, Day: start.Weekday()})
			}
		}
	}
	for _, w := range words {
		if n, ok := signed(w, 5); ok {
			if days > 0 {
				positions, days = nil, 0
			}
			positions = append(positions, n)
			continue
		}
		day := slices.Index(weekdays[:], w)
		if day < 0 || positions == nil {
			return fmt.Errorf("%q is no weekday with its position", clip(w))
		}
		days++
		for _, n := range positions {
			r.ByDay = append(r.ByDay, recur.WeekdayNum{Ordinal: n, Day: time.Weekday(day)})
		}
		if len(r.ByDay) > 366 {
			return fmt.Errorf("it names too many days")
		}
	}
	close()
	return nil
}

func monthlyByDay(r *recur.Rule, words []string, _ time.Time) error {
	for _, w := range words {
		n, ok := signed(w, 31)
		if w == "LD" {
			n, ok = -1, true
		}
		if !ok {
			return fmt.Errorf("%q is no day of a month", clip(w))
		}
		r.ByMonthDay = append(r.ByMonthDay, n)
	}
	return nil
}

func yearlyByMonth(r *recur.Rule, words []string, start time.Time) (err error) {
	if r.ByMonth, err = numbers(words, 12, "month"); len(r.ByMonth) > 0 {
		r.ByMonthDay = []int{start.Day()}
	}
	return err
}

func yearlyByDay(r *recur.Rule, words []string, _ time.Time) (err error) {
	r.ByYearDay, err = numbers(words, 366, "day of a year")
	return err
}

func numbers(words []string, most int, what string) (list []int, err error) {
	for _, w := range words {
		n, err := strconv.ParseUint(w, 10, 16)
		if err != nil || n < 1 || int(n) > most {
			return nil, fmt.Errorf("%q is no %s", clip(w), what)
		}
		list = append(list, int(n))
	}
	return list, nil
}

// formatRule writes a rule in the basic grammar, without regard to where it
// starts; the caller compares what a reader would make of it.
func formatRule(r *recur.Rule, start time.Time) (string, bool) {
	if len(r.BySecond)+len(r.ByMinute)+len(r.ByHour)+len(r.ByWeekNo)+len(r.ByLeapMonth)+len(r.Extra) > 0 || r.RScale != "" || r.Skip != "" {
		return "", false
	}
	byDay := r.ByDay
	switch {
	case len(r.BySetPos) == 0:
	case len(r.BySetPos) == 1 && len(byDay) == 1 && byDay[0].Ordinal == 0 && r.Freq == recur.Monthly:
		byDay = []recur.WeekdayNum{{Ordinal: r.BySetPos[0], Day: byDay[0].Day}}
	default:
		return "", false
	}
	interval := r.Interval
	var words []string
	plainDays := len(byDay) == 0
	has := func(days, month, monthDay, yearDay bool) bool { // which lists are there
		return !plainDays == days && (len(r.ByMonth) > 0) == month && (len(r.ByMonthDay) > 0) == monthDay && (len(r.ByYearDay) > 0) == yearDay
	}
	word := ""
	switch {
	case r.Freq == recur.Daily && has(false, false, false, false):
		word = "D"
	case r.Freq == recur.Weekly && (has(false, false, false, false) || has(true, false, false, false)):
		word = "W"
		for _, d := range byDay {
			if d.Ordinal != 0 {
				return "", false
			}
			words = append(words, weekdays[d.Day])
		}
	case r.Freq == recur.Monthly && has(true, false, false, false):
		word, words = "MP", positions(byDay)
	case r.Freq == recur.Yearly && has(true, true, false, false) && len(r.ByMonth) == 1:
		// The same month every year is every twelfth month from there.
		word, words, interval = "MP", positions(byDay), 12*interval
	case r.Freq == recur.Monthly && (has(false, false, false, false) || has(false, false, true, false)):
		word = "MD"
		for _, n := range r.ByMonthDay {
			switch {
			case n == -1:
				words = append(words, "LD")
			case n < 0:
				words = append(words, strconv.Itoa(-n)+"-")
			default:
				words = append(words, strconv.Itoa(n))
			}
		}
	case r.Freq == recur.Yearly && (has(false, false, false, false) || has(false, true, false, false) || has(false, true, true, false) && slices.Equal(r.ByMonthDay, []int{start.Day()})):
		word = "YM"
		for _, n := range r.ByMonth {
			words = append(words, strconv.Itoa(n))
		}
	case r.Freq == recur.Yearly && has(false, false, false, true):
		word = "YD"
		for _, n := range r.ByYearDay {
			words = append(words, strconv.Itoa(n)) // negative ones fail the comparison
		}
	}
	if word == "" || words == nil && !plainDays || len(words) > 400 {
		return "", false
	}
	words = append([]string{word + strconv.Itoa(interval)}, words...)
	if !r.HasUntil {
		words = append(words, "#"+strconv.Itoa(r.Count))
	}
	return strings.Join(words, " "), true
}

// positions writes BYDAY with its ordinals; a weekday without one is each of
// the five a month can have.
func positions(days []recur.WeekdayNum) (words []string) {
	last := 0
	for _, d := range days {
		switch n := d.Ordinal; {
		case n > 5 || n < -5:
			return nil
		case n == 0:
			words = append(words, "1+", "2+", "3+", "4+", "5+")
		case n == last:
		case n < 0:
			words = append(words, strconv.Itoa(-n)+"-")
		default:
			words = append(words, strconv.Itoa(n)+"+")
		}
		last = d.Ordinal
		words = append(words, weekdays[d.Day])
	}
	return words
}

// compared is how many occurrences must be the same before a rule counts as
// said in the other grammar: more than four years of the densest one.
const compared = 2000

// sayRule writes a rule if the basic grammar can say the same.
func sayRule(r *recur.Rule, start time.Time) (string, bool) {
	text, ok := formatRule(r, start)
	if !ok || r.Err() != nil {
		return "", false
	}
	said := *r
	said.HasUntil, said.Until = false, ical.Time{}
	check := text
	if r.HasUntil {
		check += " #0"
	}
	back, err := parseRule(check, start)
	if err != nil {
		return "", false
	}
	return text, back.Equivalent(&said) || sameReadings(back, &said, start)
}

func sameReadings(a, b *recur.Rule, start time.Time) bool {
	var first []time.Time
	for t := range a.All(start) {
		if first = append(first, t); len(first) == compared {
			break
		}
	}
	n := 0
	for t := range b.All(start) {
		if n == len(first) {
			return n == compared
		}
		if !t.Equal(first[n]) {
			return false
		}
		n++
	}
	return n == len(first)
}
