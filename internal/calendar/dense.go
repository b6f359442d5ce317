package calendar

import (
	"errors"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// What an invitation from outside may occupy of a calendar without its owner's
// consent (RFC 5545 7: rules that repeat without end): a daily meeting for ten
// years is as much as people mean.
const (
	unaskedYears     = 10
	unaskedInstances = 5000
)

// dense reports whether a message repeats so often that its recipient looks
// first.
func dense(cal *ical.Calendar, zone *tz.Zone) bool {
	if !repeats(cal) { // as most
		return false
	}
	set, err := recur.New(cal, tz.NewResolver(cal, zone), recur.Options{})
	if err != nil {
		return false // what cannot be read is refused where it is stored
	}
	first, _, _ := set.Bounds()
	if first.IsZero() || !set.Recurring() {
		return false
	}
	n := 0
	for range set.Between(time.Time{}, first.AddDate(unaskedYears, 0, 0)) {
		if n++; n > unaskedInstances {
			return true
		}
	}
	return errors.Is(set.Err(), recur.ErrLimit)
}

// repeats reports whether anything in an object has a rule or dates to repeat at.
func repeats(cal *ical.Calendar) bool {
	for _, c := range cal.Main() {
		if c.Prop("RRULE") != nil || c.Prop("RDATE") != nil {
			return true
		}
	}
	return false
}
