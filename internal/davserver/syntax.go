package davserver

import (
	"mime"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jcal"
	"github.com/convene-cal/convene/ical/xcal"
	"github.com/convene-cal/convene/internal/problem"
)

// syntax is one in which calendar data goes over the wire beside iCalendar:
// jCal (RFC 7265) and xCal (RFC 6321). What is stored is iCalendar.
type syntax struct {
	mediaType string
	suffix    string // of entity tags: other octets, another tag (RFC 9110 8.8.3)
	write     func(*ical.Calendar) ([]byte, error)
	read      func([]byte) (*ical.Calendar, error)
}

var syntaxes = []syntax{
	{"application/calendar+json", "-json", jcal.Marshal, jcal.Parse},
	{"application/calendar+xml", "-xml", xcal.Marshal, xcal.Parse},
}

// syntaxOf finds one by media type, nil for iCalendar and what is none.
func syntaxOf(mediaType string) *syntax {
	for i := range syntaxes {
		if strings.EqualFold(syntaxes[i].mediaType, mediaType) {
			return &syntaxes[i]
		}
	}
	return nil
}

// accepted is the syntax that the client prefers to iCalendar, nil when it does
// not (RFC 9110 12.5.1). Wildcards are content with iCalendar.
func (q *request) accepted() *syntax {
	var best *syntax
	weight := 0.0
	for part := range strings.SplitSeq(strings.Join(q.r.Header.Values("Accept"), ","), ",") {
		t, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		w := 1.0
		if v, err := strconv.ParseFloat(params["q"], 64); err == nil {
			w = v
		}
		switch s := syntaxOf(t); {
		case w <= weight:
		case s != nil:
			best, weight = s, w
		case t == "text/calendar":
			best, weight = nil, w
		}
	}
	return best
}

// convert writes stored iCalendar in the syntax.
func (s *syntax) convert(body []byte) ([]byte, error) {
	cal, err := ical.Parse(body)
	if err != nil {
		return nil, err
	}
	return s.write(cal)
}

// tag of the same object in this syntax.
func (s *syntax) tag(etag string) string { return strings.TrimSuffix(etag, `"`) + s.suffix + `"` }

// plainTags are entity tags as the store knows them.
func plainTags(tags []string) []string {
	for i, t := range tags {
		for _, s := range syntaxes {
			if rest, ok := strings.CutSuffix(t, s.suffix+`"`); ok {
				tags[i] = rest + `"`
			}
		}
	}
	return tags
}

// toICalendar reads a body in one of the syntaxes.
func (s *syntax) toICalendar(data []byte) ([]byte, error) {
	cal, err := s.read(data)
	if err != nil {
		return nil, problem.New(problem.InvalidCalendarData, "The calendar data cannot be read as %s: %v.", s.mediaType, err).Because(err)
	}
	return cal.Bytes(), nil
}
