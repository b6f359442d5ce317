package calendar

import (
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Precondition holds the conditions of a request: entity tags as they stand
// in the header, quotes and W/ included, or "*".
type Precondition struct {
	IfMatch            []string
	IfNoneMatch        []string
	IfScheduleTagMatch string    // RFC 6638 8.3
	IfUnmodifiedSince  time.Time // RFC 9110 13.1.4, whole seconds; zero = none
}

// check refuses when the stored object (nil: none) is not what the request expects.
func (p Precondition) check(o *store.Object) error {
	failed := func(format string, args ...any) error {
		return problem.New(problem.PreconditionFailed, format, args...)
	}
	if p.IfMatch != nil {
		switch {
		case o == nil:
			return failed("The object was changed or deleted meanwhile (If-Match): it is not there.")
		// RFC 9110 13.1.1 asks for the strong comparison: a weak tag matches nothing.
		case !slices.Contains(p.IfMatch, "*") && !slices.Contains(p.IfMatch, o.ETag):
			return failed("The object was changed meanwhile (If-Match); its entity tag is now %s. Fetch it and try again.", o.ETag)
		}
	}
	// RFC 9110 13.2.2: it does not count beside If-Match.
	if p.IfMatch == nil && !p.IfUnmodifiedSince.IsZero() && o != nil && o.Modified.Truncate(time.Second).After(p.IfUnmodifiedSince) {
		return failed("The object was changed after the time that the request gives (If-Unmodified-Since). Fetch it and try again.")
	}
	if p.IfNoneMatch != nil && o != nil {
		for _, tag := range p.IfNoneMatch {
			// RFC 9110 13.1.2: the weak comparison.
			if tag == "*" || strings.TrimPrefix(tag, "W/") == o.ETag {
				return failed("An object is already there (If-None-Match); its entity tag is %s.", o.ETag)
			}
		}
	}
	if p.IfScheduleTagMatch != "" {
		// RFC 6638 3.2.10.1, 3.2.10.2
		if o == nil || o.ScheduleTag == "" || o.ScheduleTag != p.IfScheduleTagMatch {
			return failed("The event was changed by its organizer meanwhile (If-Schedule-Tag-Match). Fetch it and try again.")
		}
	}
	return nil
}
