package itip

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
)

// farFuture is how far ahead of its arrival a DTSTAMP may lie before it is
// taken for a wrong clock and read as the arrival.
const farFuture = 24 * time.Hour

// compare orders two versions: SEQUENCE first, DTSTAMP decides between equals
// (RFC 5546 2.1.5) (SEQ-01).
func (v Version) compare(w Version) int {
	switch {
	case v.Sequence != w.Sequence:
		return v.Sequence - w.Sequence
	default:
		return v.Stamp.Compare(w.Stamp)
	}
}

// sequence is the effective SEQUENCE of a component. Exchange writes its own
// beside or instead of the standard one (ITIP-04) (SEQ-05).
func sequence(c *ical.Component) int {
	for p := range c.Props("SEQUENCE") {
		if n := number(p.Value()); n != 0 {
			return n
		}
	}
	theirs := 0
	for p := range c.Props("X-MICROSOFT-CDO-APPT-SEQUENCE") {
		theirs = number(p.Value())
	}
	return theirs
}

// number reads a non-negative integer; nonsense is 0, too much is the largest
// (RFC 5545 3.3.8).
func number(s string) int {
	if s == "" { // absent, as often
		return 0
	}
	s = strings.TrimSpace(s)
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil && !strings.HasPrefix(s, "-") && strings.Trim(s, "0123456789") == "" && s != "":
		return math.MaxInt32
	case err != nil || n < 0:
		return 0
	case n > math.MaxInt32:
		return math.MaxInt32
	}
	return int(n)
}

func setSequence(c *ical.Component, n int) {
	if p := c.Prop("SEQUENCE"); p != nil {
		if number(p.Value()) != n || strings.TrimSpace(p.Value()) == "" {
			p.SetValue(strconv.Itoa(n))
		}
		return
	}
	if n > 0 { // absent is 0 (RFC 5545 3.8.7.4)
		list := make([]*ical.Property, len(c.Properties), len(c.Properties)+1) // no more: the components of a series are many
		copy(list, c.Properties)
		c.Properties = append(list, ical.NewProperty("SEQUENCE", strconv.Itoa(n)))
	}
}

// maxSequence is the highest SEQUENCE in an object.
func maxSequence(o *object) int {
	top := 0
	if o != nil {
		for _, c := range o.cal.Main() {
			top = max(top, sequence(c))
		}
	}
	return top
}

// stamp is the effective DTSTAMP: the arrival when there is none (LEN-06) or it
// lies in the future; for Yahoo, which never renews it, the arrival as well
// (ITIP-05) (SEQ-06).
func stamp(c *ical.Component, arrival time.Time) time.Time {
	arrival = arrival.UTC()
	p := c.Prop("DTSTAMP")
	if p == nil || c.Prop("X-YAHOO-YID") != nil || c.Prop("X-YAHOO-USER-STATUS") != nil {
		return arrival
	}
	t, err := p.Time()
	if err != nil {
		return arrival
	}
	at := time.Date(t.Wall.Year(), t.Wall.Month(), t.Wall.Day(), t.Wall.Hour(), t.Wall.Minute(), t.Wall.Second(), 0, time.UTC)
	if !arrival.IsZero() && at.After(arrival.Add(farFuture)) {
		return arrival
	}
	return at
}

func version(c *ical.Component, arrival time.Time) Version {
	return Version{Sequence: sequence(c), Stamp: stamp(c, arrival)}
}
