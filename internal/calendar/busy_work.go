package calendar

import (
	"errors"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// busyWork bounds what one request for free/busy time costs, whatever is in the
// calendars it looks into. It is counted in units of about an ordinary object
// that is read, 40 microseconds of one core.
type busyWork struct{ left int }

const (
	// partOfPerson of all work may be for one of several people, so that one who
	// has filled a calendar with what takes long does not keep the others from
	// being found.
	partOfPerson = 4
	// workOfDense is an object that may be looked at as often as package
	// freebusy looks at any.
	workOfDense = 1000
	// periodsPerUnit of what an object leaves to be sorted and merged.
	periodsPerUnit = 10
)

var errBusyWork = problem.New(problem.TooManyMatches, "Working this free/busy time out takes too long. Ask for a shorter time.")

// spend counts an object that gave so many periods, or that ended with err.
func (w *busyWork) spend(cal *ical.Calendar, periods int, err error) error {
	units := 1 + periods/periodsPerUnit
	if errors.Is(err, recur.ErrLimit) || cal != nil && mayBeDense(cal) {
		units = max(units, workOfDense)
	}
	if w.left -= units; w.left < 0 {
		return errBusyWork
	}
	return nil
}

// mayBeDense reports whether the rules of an object can have many members in a
// day, or leave out as many as they have.
func mayBeDense(cal *ical.Calendar) bool {
	for _, c := range cal.Main() {
		for p := range c.Props("RRULE") {
			v := strings.ToUpper(p.Value())
			for _, often := range []string{"SECONDLY", "MINUTELY", "HOURLY", "BYHOUR", "BYMINUTE", "BYSECOND"} {
				if strings.Contains(v, often) {
					return true
				}
			}
		}
		if c.Prop("EXRULE") != nil {
			return true
		}
	}
	return false
}

// busyQuestion is one request about several people.
type busyQuestion struct {
	s        *Service
	tx       *store.Tx
	dir      *Directory
	by       account.Actor
	from, to time.Time
	mask     string // UID that does not count
	left     int    // of all work
	people   int    // that are asked about, those in groups included
}

// person is when one of them is busy, as far as it can be worked out: with all
// that is left of the work, or, where there are others, with a part of it.
func (q *busyQuestion) person(acc store.Account, others bool) (periods []freebusy.Period, status string, err error) {
	share := q.s.limits.FreeBusyWork
	if others {
		share /= partOfPerson
	}
	work := busyWork{min(q.left, share)}
	q.left -= work.left
	periods, status, err = q.s.busy(q.tx, q.by, acc, q.from, q.to, q.mask, &work)
	q.left += max(work.left, 0)
	if errors.Is(err, errBusyWork) {
		return nil, statusTooMuch, nil
	}
	return periods, status, err
}
