package davserver

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/internal/problem"
)

// freeBusyPath begins the free/busy URLs (RFC 2739 2.4.1): /freebusy/{account}.
const freeBusyPath = "/freebusy/"

// freeBusyDays is how far a free/busy URL tells without an end.
const freeBusyDays = 42

// freeBusyURL publishes the busy time of an account as far as its owner lets
// the caller know it: GET /freebusy/{account}?start=…&end=… with times of
// RFC 3339 or iCalendar; by default the coming six weeks.
func (q *request) freeBusyURL(segment string) error {
	if done, err := q.onlyRead(); done || err != nil {
		return err
	}
	if err := q.authenticate(); err != nil {
		return err
	}
	name, err := url.PathUnescape(strings.TrimSuffix(segment, ".ifb"))
	if err != nil || name == "" {
		return problem.New(problem.NotFound, "There is nothing at this address.")
	}
	who, err := q.s.accounts.Find(q.ctx, name)
	if err != nil {
		return err
	}
	addresses, err := q.s.accounts.Addresses(q.ctx, who.ID)
	if err != nil {
		return err
	}
	if len(addresses) == 0 {
		return problem.New(problem.NotFound, "%s has no calendar address.", who.Name)
	}
	from, err := q.moment("start", q.s.now().UTC().Truncate(24*time.Hour))
	if err != nil {
		return err
	}
	to, err := q.moment("end", from.AddDate(0, 0, freeBusyDays))
	if err != nil {
		return err
	}
	answers, err := q.s.calendar.FreeBusy(q.ctx, q.by, addresses[:1], from, to, "")
	if err != nil {
		return err
	}
	if !strings.HasPrefix(answers[0].Status, "2.") {
		return problem.New(problem.Forbidden, "%s does not tell you when they are busy.", who.DisplayName)
	}
	cal := ical.New(q.s.calendar.ProdID())
	cal.Add(ical.NewProperty("METHOD", "PUBLISH"))
	fb := freebusy.Component(answers[0].Periods, from, to)
	fb.Set("UID", "freebusy-"+who.Name+"-"+ical.UTCTime(from).String()+"-"+ical.UTCTime(to).String())
	q.stamp(fb)
	fb.Set("ORGANIZER", string(addresses[0]))
	cal.Components = append(cal.Components, fb)
	return q.sendCalendar(cal)
}

// moment reads a time of the query string.
func (q *request) moment(name string, missing time.Time) (time.Time, error) {
	text := q.r.URL.Query().Get(name)
	if text == "" {
		return missing, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), nil
	}
	if t, err := ical.ParseTime(text, "", false); err == nil {
		return t.Wall, nil
	}
	return missing, problem.New(problem.BadInput, "%s=%s is not a time; write 2027-03-01T00:00:00Z.", name, text)
}

// sendCalendar answers with a calendar of ours in one piece.
func (q *request) sendCalendar(cal *ical.Calendar) error {
	cal.Normalize() // it may hold lines of the client's
	body := cal.Bytes()
	h := q.w.Header()
	h.Set("Content-Type", calendarType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if q.r.Method == http.MethodHead {
		return nil
	}
	_, err := q.w.Write(body)
	return ignoreGone(err)
}
